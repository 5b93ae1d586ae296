# SPDX-License-Identifier: GPL-3.0-or-later
"""What of somebody else's text may be printed: nothing that a terminal, a browser or a forge's runner obeys.

PRIVATE to the collection. Pure. Name servers, hosts, files and logs of others all end up in tables, reports and pipelines.
"""

from __future__ import annotations

import json
import re
import typing as t

_JOINER = "\u2060"
"""WORD JOINER: takes no room, breaks no line, and no runner takes it for white space or for a part of a command."""

_COMMAND = re.compile(r"##(?=\[)|^(\s*)(?=::)", re.MULTILINE)


def printable(text: str) -> str:
    """Return the text with all that would colour, move, hide or turn text around as an escape; line feeds stay."""
    return "".join(
        char
        if char.isprintable() or char == "\n"
        else char.encode("unicode_escape", "surrogatepass").decode()
        for char in text
    )


def without_commands(text: str) -> str:
    """Return the text such that GitHub's runner finds no command in it, and people read the same.

    The runner obeys ``::name::`` at the start of a line, behind any white space, and ``##[name]`` anywhere in it. GitLab's runner has section markers
    alone, which need the escape character.
    """
    return _COMMAND.sub(lambda found: f"{found[0]}{_JOINER}", text)


def json_text(value: t.Any) -> str:
    """Return the value as JSON that may be printed: it reads as the same value, and has neither control characters nor commands in it."""
    text = json.dumps(value, indent=2, ensure_ascii=False).replace("##[", "\\u0023#[")
    return (
        "".join(
            char if char.isprintable() or char == "\n" else json.dumps(char)[1:-1] for char in text
        )
        + "\n"
    )
