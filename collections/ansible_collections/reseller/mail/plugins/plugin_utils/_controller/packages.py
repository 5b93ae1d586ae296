# SPDX-License-Identifier: GPL-3.0-or-later
"""Say which Python packages are missing on the controller, and how to install them.

PRIVATE to the collection. Runs on the controller.
"""

from __future__ import annotations

import importlib.util
import sys
import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail

REQUIREMENTS = Path(__file__).parents[3] / "requirements.txt"


def how_to_install() -> str:
    """Return what installs all packages of the collection into the Python of this run."""
    return f"install it with: {sys.executable} -m pip install -r {REQUIREMENTS}"


def not_found(module: str) -> t.Optional[ImportError]:
    """Return an error if there is no such module. The module is not imported, for it is slow."""
    found = importlib.util.find_spec(module)
    return ImportError(f"there is no module {module}") if found is None else None


def need(user: str, packages: t.Mapping[str, t.Optional[Exception]]) -> None:
    """Raise AnsibleActionFail if a package is missing: one sentence that names all of them.

    ``packages`` has the error of the import of each package, or None.
    """
    missing = {name: error for name, error in packages.items() if error is not None}
    if missing:
        plural = "s" if len(missing) > 1 else ""
        reasons = ", ".join(map(str, missing.values()))
        # Not "from": Ansible would append the reasons to the command.
        raise AnsibleActionFail(
            f"{user} needs the Python package{plural} {', '.join(missing)} on the controller"
            f" ({reasons}); {how_to_install()}"
        ) from None


def at_import_error(user: str, error: ImportError) -> str:
    """Return the sentence for a package whose need only the files show, such as idna."""
    return f"{user}: {error}; {how_to_install()}"
