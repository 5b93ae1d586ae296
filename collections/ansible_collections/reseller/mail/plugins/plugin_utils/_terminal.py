# SPDX-License-Identifier: GPL-3.0-or-later
"""What action plugins print for people.

PRIVATE to the collection. Runs on the controller.
"""

from __future__ import annotations

import os
import sys
import typing as t

from ansible.utils.color import ANSIBLE_COLOR
from ansible.utils.display import Display

display = Display()


def width() -> int:
    """How many characters fit on a line: a terminal says; files and pipes have no end, and get what is read well."""
    return int(os.environ.get("COLUMNS") or 0) or (display.columns if sys.stdout.isatty() else 120)


def tell(said: t.Callable[[bool], str]) -> None:
    """Print a text that can be made with colour: what a terminal understands is of no use in a log file."""
    plain = said(False)
    display.display(f"\n{said(True) if ANSIBLE_COLOR else plain}\n", screen_only=True)
    display.display(plain, log_only=True)
