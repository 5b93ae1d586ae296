# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/plan.md says what the tables in the code say."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.reseller.mail.plugins.module_utils._host import deletion_guard
from ansible_collections.reseller.mail.plugins.plugin_utils._change import rights
from ansible_collections.reseller.mail.plugins.plugin_utils._change.risks import KEYS, LEAVES

LINES = (Path(__file__).parents[3] / "docs" / "plan.md").read_text(encoding="utf-8").splitlines()


def test_the_table_of_rights() -> None:
    expected = []
    for row in rights.TABLE:
        keys = ", ".join(f"`{key}`" if key else "(the whole file)" for key in row.keys)
        expected.append(f"| {row.role} | `{row.place}` | {keys} | {row.when} |")
    at = LINES.index(expected[0])
    assert LINES[at : at + len(expected)] == expected


def test_the_table_of_risks() -> None:
    expected = [
        f"| `{kind.replace(' ', '-')}-leaves` | {kind} | it is removed | {what} |"
        for kind, what in LEAVES.items()
    ]
    expected += [
        f"| `{name}` | {kind} | `{key}` | {what} |" for kind, key, _test, name, what in KEYS
    ]
    at = LINES.index(expected[0])
    assert LINES[at : at + len(expected)] == expected


def test_the_rule_of_the_guard() -> None:
    assert (
        "| may always go |"
        f" {' | '.join(str(deletion_guard.FLOOR[kind]) for kind in deletion_guard.KINDS)} |"
        in LINES
    )
    assert (
        sum(
            line.count(f"{deletion_guard.SHARE} %")
            for line in LINES
            if line.startswith("| and more than this share")
        )
        == 3
    )
