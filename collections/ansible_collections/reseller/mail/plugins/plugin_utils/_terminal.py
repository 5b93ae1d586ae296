# SPDX-License-Identifier: GPL-3.0-or-later
"""What action plugins print for people. Nothing else in the collection prints.

PRIVATE to the collection. Runs on the controller.
"""

from __future__ import annotations

import os
import sys
import typing as t

from ansible.utils.color import ANSIBLE_COLOR
from ansible.utils.display import Display
from ansible_collections.reseller.mail.plugins.module_utils._printable import (
    printable,
    without_commands,
)

display = Display()


def width() -> int:
    """How many characters fit on a line: a terminal says; files and pipes have no end, and get what is read well."""
    return int(os.environ.get("COLUMNS") or 0) or (display.columns if sys.stdout.isatty() else 120)


def printed(text: str) -> str:
    """Return the text as it may be printed here: in a job of GitHub's, its runner reads along."""
    text = printable(text)
    return without_commands(text) if os.environ.get("GITHUB_ACTIONS") else text


def say(text: str) -> None:
    """Print a text."""
    display.display(printed(text))


def warn(text: str) -> None:
    """Print a warning."""
    display.warning(printed(text))


def command(text: str) -> None:
    """Print commands of ours for a forge's runner. Whoever made them has neutralised what is others' in them."""
    display.display(printable(text))


def tell(said: t.Callable[[bool], str], around: str = "\n") -> None:
    """Print a text that can be made with colour: what a terminal understands is of no use in a log file. A text that had to be changed to be
    printed gets none, because its own colours could not be told from ours."""
    made = said(False)
    plain = printed(made)
    display.display(
        f"{around}{said(True) if ANSIBLE_COLOR and plain == made else plain}{around}",
        screen_only=True,
    )
    display.display(plain, log_only=True)
