# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/getting-started.md can be followed. molecule/platform/first_hour follows it on hosts."""

from __future__ import annotations

import re

import pytest
from ansible_collections.reseller.mail.tests.support.inventory_page import PLAYBOOKS
from ansible_collections.reseller.mail.tests.support.started_page import (
    PAGE,
    SECTIONS,
    Command,
    File,
)

COMMANDS = [step for steps in SECTIONS.values() for step in steps if isinstance(step, Command)]


def test_the_page_leads_from_nothing_to_the_first_change() -> None:
    used = re.findall(r"reseller\.mail\.(\w+)", "\n".join(one.text for one in COMMANDS))
    order = ["init", "validate", "preflight", "site", "site", "site", "verify", "plan", "tenants"]
    assert used == order
    assert set(used) <= set(PLAYBOOKS)


def test_every_section_with_commands_is_numbered() -> None:
    numbers = [int(one) for one in re.findall(r"^## (\d+)\. ", PAGE, re.M)]
    assert numbers == list(range(1, len(SECTIONS) + 1))
    rest = re.sub(r"^## \d+\. .*?(?=^## |\Z)", "", PAGE, flags=re.M | re.S)
    assert "```" not in rest


def test_files_are_written_before_they_are_used() -> None:
    files = [step.path for steps in SECTIONS.values() for step in steps if isinstance(step, File)]
    assert files == ["answers.yml", "estate/tenants/acme/acme.example.yml"]


@pytest.mark.parametrize(
    ("shown", "output", "missing"),
    [
        (("a … c",), "x\na b c\n", []),
        (("a", "b"), "b\na\n", ["b"]),
        (("a (1)",), "a (2)", ["a (1)"]),
        (("…: ok",), "mx1: ok\n", []),
    ],
)
def test_what_the_page_shows_is_compared_line_by_line(
    shown: tuple[str, ...], output: str, missing: list[str]
) -> None:
    assert Command("true", shown).missing(output) == missing
