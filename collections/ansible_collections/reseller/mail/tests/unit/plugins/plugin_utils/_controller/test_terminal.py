# SPDX-License-Identifier: GPL-3.0-or-later
"""What is printed, is printed in one place."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import action, terminal

PLUGINS = Path(__file__).parents[5] / "plugins"


def test_no_plugin_prints_by_itself() -> None:
    for path in PLUGINS.rglob("*.py"):
        if path.name == "terminal.py":
            continue
        names = {
            node.id
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Name)
        }
        assert not names & {"Display", "print", "display"}, path


class Screen:
    """What a terminal was given."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def display(self, text: str, **_more: bool) -> None:
        self.shown.append(text)

    warning = display


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    screen = Screen()
    monkeypatch.setattr(terminal, "display", screen)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    return screen


def test_whatever_is_printed_is_fit_for_a_terminal(
    screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal, "ANSIBLE_COLOR", True)
    terminal.say("\x1b[2J::error::x")
    terminal.warn("\u202ex")
    terminal.tell(lambda color: f"{chr(27) if color else ''}evil \x9b31m")
    terminal.tell(lambda color: "\x1b[31mred\x1b[0m" if color else "red")
    assert screen.shown == [
        "\\x1b[2J::error::x",
        "\\u202ex",
        "\nevil \\x9b31m\n",
        "evil \\x9b31m",
        "\n\x1b[31mred\x1b[0m\n",
        "red",
    ]


def test_in_a_job_of_github_nothing_but_our_own_commands_is_obeyed(
    screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setattr(terminal, "ANSIBLE_COLOR", False)
    terminal.say("::error::x")
    terminal.tell(lambda _color: "name ##[stop-commands]x")
    terminal.command("::error file=a::b")
    assert screen.shown == [
        "\u2060::error::x",
        "\nname ##\u2060[stop-commands]x\n",
        "name ##\u2060[stop-commands]x",
        "::error file=a::b",
    ]


class Failing(action.ControllerAction):
    """Raises what somebody else wrote."""

    def work(self, args: dict[str, str]) -> dict[str, str]:
        raise AnsibleActionFail("no answer from \x1b[2J")


def test_an_error_that_ansible_prints_is_fit_for_a_terminal() -> None:
    with pytest.raises(AnsibleActionFail, match=r"no answer from \\x1b\[2J"):
        Failing.__new__(Failing)._worked({})


def test_messages_and_diffs_are_fit_for_a_terminal() -> None:
    assert action._printed([{"prepared": "+ \x1b[2J\n", "header": None}, "\u202e"]) == [
        {"prepared": "+ \\x1b[2J\n", "header": None},
        "\\u202e",
    ]
