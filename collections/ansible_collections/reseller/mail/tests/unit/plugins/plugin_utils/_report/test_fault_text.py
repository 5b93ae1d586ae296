# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults in a terminal: told whole, by file, with a summary, however many and however long their
lines."""

from __future__ import annotations

import re
import time

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._model.values import Fault, Position
from ansible_collections.reseller.mail.plugins.plugin_utils._report.fault_text import (
    Sources,
    brief,
    by_id,
    counted,
    idle,
    text,
)

FILES = {
    "tenants/acme/acme.example.yml": b"mailboxes:\n  - name: jo\n    qouta: 5G\n",
    "plans.yml": b"\xef\xbb\xbfplans:\r\n  - 5\r\n",
}


def fault(
    line: int,
    column: int,
    fault_id: str = "unknown-key",
    file: str = "tenants/acme/acme.example.yml",
) -> Fault:
    return Fault(
        Position(file, line, column),
        fault_id,
        "'qouta' is no key of a mailbox; did you mean quota?",
        "name, quota",
    )


def test_a_fault_has_its_line_a_mark_what_is_allowed_and_is_counted() -> None:
    assert text(
        [fault(3, 5), fault(2, 5, "wrong-type", "plans.yml")], Sources(FILES, "estates/example")
    ).splitlines() == [
        (
            "estates/example/tenants/acme/acme.example.yml:3:5: unknown-key: 'qouta' is no key of a"
            " mailbox; did you mean quota?"
        ),
        "     3 │     qouta: …",
        "       │     ^~~~~",
        "       allowed: name, quota",
        "",
        (
            "estates/example/plans.yml:2:5: wrong-type: 'qouta' is no key of a mailbox; did you"
            " mean quota?"
        ),
        "     2 │   - 5",
        "       │     ^",
        "       allowed: name, quota",
        "",
        "2 faults in 2 files; docs/faults.md of the collection explains each id:",
        "  1 unknown-key",
        "  1 wrong-type",
    ]


def test_a_fault_of_a_file_that_is_not_there_has_no_line() -> None:
    lines = text([fault(1, 1, "missing-file", "estate.yml")], Sources({}, ".")).splitlines()
    assert lines[0].startswith("estate.yml:1:1: missing-file: ")
    assert lines[1].startswith("       allowed: ")
    assert text([fault(1, 1, "unreadable", ".")], Sources({}, "estates/example")).startswith(
        "estates/example:1:1: unreadable: "
    )


def test_without_faults_there_is_nothing_to_say() -> None:
    assert text([], Sources({})) == ""


def test_colour_changes_nothing_but_colour() -> None:
    faults = [fault(3, 5), fault(2, 5, "wrong-type", "plans.yml")]
    colored = text(faults, Sources(FILES), color=True)
    assert "\x1b" in colored
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == text(faults, Sources(FILES))


def test_a_thousand_faults_are_all_told_and_summed_up() -> None:
    faults = [
        fault(
            3,
            5,
            "unfit-value" if number % 3 else "unknown-key",
            f"tenants/t{number % 50}/a.example.yml",
        )
        for number in range(1200)
    ]
    lines = text(
        faults,
        Sources({fault.position.file: FILES["tenants/acme/acme.example.yml"] for fault in faults}),
    ).splitlines()
    assert sum(line.startswith("tenants/") for line in lines) == 1200
    assert lines[-3:] == [
        "1,200 faults in 50 files; docs/faults.md of the collection explains each id:",
        "  800 unfit-value",
        "  400 unknown-key",
    ]


def test_keys_without_effect_are_told_by_file() -> None:
    keys = [
        ("<domain>.yml: aliases.hidden", 1),
        ("<domain>.yml: mailboxes.locale", 1200),
        ("estate.yml: caa", 1),
    ]
    assert idle(keys, 50).splitlines() == [
        "Validated, but hosts do not act on it yet:",
        "  estate.yml: caa",
        "  <domain>.yml: aliases.hidden,",
        "    mailboxes.locale (1,200)",
    ]
    assert idle([]) == ""


def test_what_is_counted_most_comes_first() -> None:
    faults = [fault(1, 1, fault_id) for fault_id in ("b", "a", "c", "c")]
    assert list(by_id(faults).items()) == [("c", 2), ("a", 1), ("b", 1)]
    assert counted(faults) == "4 faults in 1 file"
    assert counted(faults[:1]) == "1 fault in 1 file"


@pytest.mark.parametrize(
    "line",
    [
        "a " * 2_000_000,
        "mailboxes: [" + "{name: jo, qouta: 5}, " * 190_000,
        "' #' " * 800_000,
        '"' * 4_000_000,
        "x: {" * 1_000_000,
        "\u0301" * 2_000_000,
    ],
    ids=["words", "flow", "quotes", "quote", "open", "combining"],
)
@pytest.mark.parametrize("length", [60_000, 4_000_000])
def test_many_faults_in_lines_of_megabytes_take_no_time(line: str, length: int) -> None:
    faults = [fault(1, 1 + number * length // 500) for number in range(500)]
    began = time.process_time()
    told = text(
        faults, Sources({"tenants/acme/acme.example.yml": f"to: [{line[:length]}".encode()})
    )
    assert time.process_time() - began < 5
    assert told.count("unknown-key: ") == 500
    assert max(map(len, told.splitlines())) < 1000


def test_in_brief_each_fault_has_one_line_and_equal_ones_are_together() -> None:
    faults = [fault(3, 5), fault(2, 5, "wrong-type", "plans.yml"), fault(2, 5)]
    assert brief(faults, Sources(FILES, "estates/example")).splitlines() == [
        "unknown-key; allowed: name, quota",
        (
            "  estates/example/tenants/acme/acme.example.yml:3:5: 'qouta' is no key of a mailbox;"
            " did you mean quota?"
        ),
        (
            "  estates/example/tenants/acme/acme.example.yml:2:5: 'qouta' is no key of a mailbox;"
            " did you mean quota?"
        ),
        "wrong-type; allowed: name, quota",
        "  estates/example/plans.yml:2:5: 'qouta' is no key of a mailbox; did you mean quota?",
        "3 faults in 2 files; docs/faults.md of the collection explains each id",
    ]
    coloured = brief(faults, Sources(FILES), color=True)
    assert re.sub("\x1b\\[[0-9;]*m", "", coloured) == brief(faults, Sources(FILES))
