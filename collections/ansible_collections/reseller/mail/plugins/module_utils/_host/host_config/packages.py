# SPDX-License-Identifier: GPL-3.0-or-later
"""Which packages are missing.

PRIVATE to the collection. Runs on the host; standard library only.
"""

from __future__ import annotations

import typing as t

from .units import Command

QUERY = ("dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\\n", "--")


def missing(names: t.Sequence[str], command: Command) -> list[str]:
    """Return the packages that are not installed, in their order (dpkg-query(1))."""
    if not names:
        return []
    _status, output, _errors = command([*QUERY, *names])  # 1 if it does not know all of them
    installed = {
        line.partition(" ")[0] for line in output.splitlines() if line.endswith(" installed")
    }
    return [name for name in names if name not in installed]
