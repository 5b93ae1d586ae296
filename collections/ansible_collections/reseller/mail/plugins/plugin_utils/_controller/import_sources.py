# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the files of an import.

PRIVATE to the collection. Runs on the controller.
"""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail

MAX_BYTES = 256 * 2**20


def sources(paths: t.Sequence[str], suffix: str) -> dict[str, bytes]:
    """Return the contents of the files by name; of a folder, the files with the suffix.

    Raise AnsibleActionFail for a file that is missing, too large or not readable, and for two files
    of the same name.
    """
    found: dict[str, bytes] = {}
    for path in map(Path, paths):
        inside = sorted(path.glob(f"*{suffix}")) if path.is_dir() else [path]
        if not inside:
            raise AnsibleActionFail(f"there is no file *{suffix} in {path}")
        for file in inside:
            try:
                if file.stat().st_size > MAX_BYTES:
                    raise AnsibleActionFail(f"{file} is larger than {MAX_BYTES // 2**20} MiB")
                content = file.read_bytes()
            except OSError as error:
                raise AnsibleActionFail(f"{file} cannot be read: {error.strerror}") from None
            if file.name in found:
                raise AnsibleActionFail(
                    f"two files are called {file.name}; the name of the file identifies its rows,"
                    " so rename one"
                )
            found[file.name] = content
    return found
