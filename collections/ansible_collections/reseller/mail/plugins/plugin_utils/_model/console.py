# SPDX-License-Identifier: GPL-3.0-or-later
"""The console of all tables: it writes into memory, and changes no text that it is given.

PRIVATE to the collection. Pure. It needs rich, which is on the controller.
"""

from __future__ import annotations

import io
import typing as t

try:
    from rich.console import Console
except ImportError as exc:
    RICH_IMPORT_ERROR: t.Optional[ImportError] = exc
else:
    RICH_IMPORT_ERROR = None


def memory_console(width: int, color: bool) -> Console:
    """Return a console that writes into memory, ``width`` columns wide.

    Raise ImportError without rich.
    """
    if RICH_IMPORT_ERROR is not None:
        raise RICH_IMPORT_ERROR
    return Console(
        file=io.StringIO(),
        width=width,
        force_terminal=color,
        no_color=not color,
        color_system="standard" if color else None,
        legacy_windows=False,
        highlight=False,
        emoji=False,
        markup=False,
    )


def written(filled: Console) -> str:
    """Return what was printed on a console of this module, without spaces at the ends of lines."""
    text = t.cast(io.StringIO, filled.file).getvalue()
    return "\n".join(line.rstrip() for line in text.rstrip("\n").split("\n"))
