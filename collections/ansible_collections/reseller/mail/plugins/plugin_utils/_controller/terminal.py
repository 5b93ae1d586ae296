# SPDX-License-Identifier: GPL-3.0-or-later
"""Print texts of action plugins for people. Nothing else in the collection prints.

PRIVATE to the collection. Runs on the controller.
"""

from __future__ import annotations

import os
import sys
import typing as t

from ansible.errors import AnsibleActionFail, AnsiblePromptInterrupt, AnsiblePromptNoninteractive
from ansible.utils.color import ANSIBLE_COLOR
from ansible.utils.display import Display

from .._model.printable import printable, without_commands

display = Display()


def width() -> int:
    """Return how many characters fit on a line of the terminal; 120 for files and pipes."""
    return int(os.environ.get("COLUMNS") or 0) or (display.columns if sys.stdout.isatty() else 120)


def printed(text: str) -> str:
    """Return the text fit for a terminal.

    In a job of GitHub, commands to its runner are also taken out.
    """
    text = printable(text)
    return without_commands(text) if os.environ.get("GITHUB_ACTIONS") else text


def say(text: str) -> None:
    """Print a text."""
    display.display(printed(text))


def warn(text: str) -> None:
    """Print a warning."""
    display.warning(printed(text))


def command(text: str) -> None:
    """Print commands for the runner of a forge. The caller has neutralised all text of others."""
    display.display(printable(text))


def tell(text_of: t.Callable[[bool], str], around: str = "\n") -> None:
    """Print a text with colour on a terminal, and without colour into a log file.

    ``text_of`` makes the text, with or without colour. A text with control characters of its own
    gets no colour: its colours would look like ours.
    """
    text = text_of(False)
    plain = printed(text)
    shown = text_of(True) if ANSIBLE_COLOR and plain == text else plain
    display.display(f"{around}{shown}{around}", screen_only=True)
    display.display(plain, log_only=True)


def ask(text: str) -> t.Optional[str]:
    """Print a question and return the line that is typed, None if standard input is no terminal.

    Raise AnsibleActionFail if the person interrupts.
    """
    try:
        answer: bytes = display.prompt_until(printed(text))
    except AnsiblePromptNoninteractive:
        return None
    except AnsiblePromptInterrupt:
        raise AnsibleActionFail("interrupted") from None
    return answer.decode("utf-8", "replace").strip()
