# SPDX-License-Identifier: GPL-3.0-or-later
"""One console for all tables."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.reseller.mail.plugins.plugin_utils._model.console import (
    memory_console,
    written,
)
from rich.text import Text

PLUGINS = Path(__file__).parents[5] / "plugins"


def test_only_one_file_sets_up_a_console() -> None:
    files = [path.name for path in PLUGINS.rglob("*.py") if " Console(\n" in path.read_text()]
    assert files == ["console.py"]


def test_text_of_users_is_printed_as_it_is() -> None:
    filled = memory_console(20, color=True)
    filled.print("[red]x[/red] :smile: 1")
    filled.print("a   ")
    filled.print("")
    filled.print("b")
    assert written(filled) == "[red]x[/red] :smile:\n1\na\n\nb"


def test_colours_only_where_they_are_wanted() -> None:
    for color, expected in ((True, "\x1b[31mred\x1b[0m"), (False, "red")):
        filled = memory_console(20, color)
        filled.print(Text("red", style="red"))
        assert written(filled) == expected
