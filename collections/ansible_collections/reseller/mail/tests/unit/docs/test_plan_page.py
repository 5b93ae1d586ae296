# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/plan.md says what the tables in the code say."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.reseller.mail.plugins.module_utils import _deletions, _rights
from ansible_collections.reseller.mail.plugins.module_utils._plan.risks import KEYS, LEAVES

LINES = (Path(__file__).parents[3] / "docs" / "plan.md").read_text(encoding="utf-8").splitlines()


def test_the_table_of_rights() -> None:
    expected = []
    for row in _rights.TABLE:
        keys = ", ".join(f"`{key}`" if key else "(the whole file)" for key in row.keys)
        expected.append(f"| {row.role} | {row.place} | {keys} | {row.when} | {row.rows} |")
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
        f"| may always go | {' | '.join(str(_deletions.FLOOR[kind]) for kind in _deletions.KINDS)} |"
        in LINES
    )
    assert (
        sum(
            line.count(f"{_deletions.SHARE} %")
            for line in LINES
            if line.startswith("| and more than this share")
        )
        == 3
    )
