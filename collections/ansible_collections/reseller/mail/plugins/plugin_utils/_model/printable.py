# SPDX-License-Identifier: GPL-3.0-or-later
"""Make text of others safe to print on terminals, in browsers and in runners of a forge.

PRIVATE to the collection. Pure. Text of other name servers, hosts, files and logs gets into tables,
reports and pipelines.
"""

from __future__ import annotations

import json
import re
import typing as t

_JOINER = "\u2060"
"""WORD JOINER: it has no width and breaks no line, and runners do not treat it as white space or as
part of a command."""

_COMMAND = re.compile(r"##(?=\[)|^(\s*)(?=::)", re.MULTILINE)


def printable(text: str) -> str:
    """Return the text with control characters as escapes.

    These would colour, move, hide or reverse text. Line feeds stay.
    """
    return "".join(
        (
            char
            if char.isprintable() or char == "\n"
            else char.encode("unicode_escape", "surrogatepass").decode()
        )
        for char in text
    )


def without_commands(text: str) -> str:
    """Return the text so that GitHub's runner finds no command in it; it looks the same to people.

    The runner executes ``::name::`` at the start of a line, also after white space, and
    ``##[name]`` anywhere in a line. GitLab's runner only has section markers, which need the escape
    character.
    """
    return _COMMAND.sub(lambda found: f"{found[0]}{_JOINER}", text)


def json_text(value: t.Any) -> str:
    """Return the value as JSON without control characters and commands for runners.

    Reading it gives the same value.
    """
    text = json.dumps(value, indent=2, ensure_ascii=False).replace("##[", "\\u0023#[")
    return (
        "".join(
            char if char.isprintable() or char == "\n" else json.dumps(char)[1:-1] for char in text
        )
        + "\n"
    )
