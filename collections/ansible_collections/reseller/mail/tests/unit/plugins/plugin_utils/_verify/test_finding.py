# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.finding import (
    Finding,
    as_json,
    as_junit,
    counts,
    from_dicts,
    summary,
    worst,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.finding_table import (
    MANY,
    SHOWN,
    as_table,
)
from hypothesis import given
from hypothesis import strategies as st

FINDINGS = [
    Finding(
        "dns.spf",
        "acme.example",
        "fail",
        "one SPF record",
        "2 SPF records",
        'remove acme.example. 3600 IN TXT "v=spf1 mx ~all"',
    ),
    Finding("dns.mx", "acme.example", "ok", "10 mx1", "10 mx1"),
    Finding("dns.dkim", "acme.example", "warn", "a key", "pending", "converge mx1"),
    Finding("dns.srv", "globex.example", "blocked", "", "not asked: the MX is wrong"),
    Finding("dns.dmarc", "globex.example", "blocked", "", "not asked: the MX is wrong"),
    Finding("mail.deliver", "jo@acme.example → ann@globex.example", "ok", "", ""),
    Finding("mail.deliver", "jo@acme.example → bob@globex.example", "ok", "", ""),
    Finding("mail.submit", "peter@initech.example", "na", "", "no password"),
]


def test_a_state_is_one_of_five() -> None:
    with pytest.raises(ValueError, match="allowed: fail, blocked, warn, ok, na"):
        Finding("dns.mx", "acme.example", "great", "", "")


def test_the_worst_of_several_answers_counts_and_none_does_not_apply() -> None:
    assert worst(["ok", "warn", "fail", "na"]) == "fail"
    assert worst(["ok", "na"]) == "ok"
    assert worst([]) == "na"


def test_json_is_what_programs_were_promised() -> None:
    report = json.loads(as_json(FINDINGS, "2026-11-21T14:00:00Z"))
    assert list(report) == ["checked", "findings"]
    assert report["checked"] == "2026-11-21T14:00:00Z"
    assert list(report["findings"][0]) == ["id", "subject", "state", "expected", "found", "remedy"]
    assert [(row["subject"], row["id"]) for row in report["findings"][:3]] == [
        ("acme.example", "dns.dkim"),
        ("acme.example", "dns.mx"),
        ("acme.example", "dns.spf"),
    ]


def test_json_comes_back_as_the_same_findings() -> None:
    assert sorted(
        from_dicts(json.loads(as_json(FINDINGS, ""))["findings"]), key=lambda one: one.rank
    ) == sorted(FINDINGS, key=lambda one: one.rank)


def test_junit_counts_failures_and_what_was_not_asked() -> None:
    suite = ElementTree.fromstring(as_junit(FINDINGS))
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("8", "1", "3")
    failed = [case for case in suite if case.find("failure") is not None]
    assert [(case.get("classname"), case.get("name")) for case in failed] == [
        ("acme.example", "dns.spf")
    ]
    assert "v=spf1 mx ~all" in str(failed[0].findtext("failure"))
    assert [case.get("name") for case in suite if case.find("system-out") is not None] == [
        "dns.dkim"
    ]


@given(st.text())
def test_junit_is_xml_whatever_a_server_answered(text: str) -> None:
    case = ElementTree.fromstring(
        as_junit([Finding("dns.spf", "acme.example", "fail", text, text, text)])
    )[0]
    assert case.get("name") == "dns.spf"


def test_the_summary_counts_by_state() -> None:
    assert summary(FINDINGS) == "8 findings: 3 ok, 1 warn, 1 fail, 2 blocked, 1 na"
    assert summary([]) == "0 findings: 0 ok, 0 fail"
    assert counts(FINDINGS)["blocked"] == 2


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_table_fits_the_terminal(width: int) -> None:
    lines = as_table(FINDINGS, width).splitlines()
    assert max(map(len, lines)) <= width
    assert lines[-1] == summary(FINDINGS)


def test_the_table_ends_with_what_needs_a_look() -> None:
    text = as_table(FINDINGS, 120)
    heads = [line.split(" ─")[0] for line in text.splitlines() if " ──" in line]
    assert heads == ["jo@acme.example", "peter@initech.example", "globex.example", "acme.example"]
    assert 'do       remove acme.example. 3600 IN TXT "v=spf1 mx ~all"' in text


def test_the_table_says_one_cause_once() -> None:
    text = as_table(FINDINGS, 120)
    assert "dns.dmarc, dns.srv: not asked: the MX is wrong" in text
    assert "mail.deliver → ann@globex.example, bob@globex.example" in text


def test_the_table_is_plain_unless_colour_is_asked_for() -> None:
    assert "\x1b" not in as_table(FINDINGS)
    assert "\x1b[" in as_table(FINDINGS, color=True)


def test_markup_in_an_answer_is_text() -> None:
    assert "[bold]x[/bold]" in as_table(
        [Finding("dns.spf", "a.example", "fail", "", "[bold]x[/bold]")]
    )


@given(st.text())
def test_an_answer_never_acts_on_the_terminal(text: str) -> None:
    table = as_table(
        [Finding("mail.fetch", f"a{text}.example", "fail", text, f"\x1b[2J\u202e{text}", text)]
    )
    assert all(char.isprintable() or char == "\n" for char in table)
    assert "\\x1b[2J" in table
    assert "\\u202e" in table


def many(number: int) -> list[Finding]:
    rows = [Finding("dns.mx", f"d{one}.example", "ok", "", "") for one in range(number)]
    rows += [
        Finding(
            "dns.dnssec_unsigned",
            f"d{one}.example",
            "warn",
            "",
            "not signed",
            f"sign d{one}.example",
        )
        for one in range(number // 2)
    ]
    return [*rows, Finding("dns.mx_foreign", "d7.example", "fail", "", "10 elsewhere", "remove it")]


def test_of_many_subjects_a_digest_comes_first_and_one_of_a_kind_in_full() -> None:
    lines = as_table(many(1000), 100).splitlines()
    assert len(lines) < 25
    assert lines[0].startswith("1000 subjects, 500 of them without problems ──")
    assert lines[1].split()[:4] == ["✗", "fail", "dns.mx_foreign", "1"]
    assert lines[2].split()[:4] == ["!", "warn", "dns.dnssec_unsigned", "500"]
    heads = [line.split(" ─")[0] for line in lines if " ──" in line]
    assert heads[1:] == ["d99.example", "d7.example"]
    assert any(line.endswith("do    remove it") for line in lines), lines
    assert max(map(len, lines)) <= 100


def test_of_many_kinds_the_worst_are_shown() -> None:
    rows = [Finding(f"dns.x{one}", f"d{one:03}.example", "warn", "", "") for one in range(100)] + [
        Finding("dns.mx", "bad.example", "fail", "", "")
    ]
    text = as_table(rows, 100)
    assert text.count(" ──") == 1 + SHOWN
    assert text.rindex("bad.example") > text.rindex("d099.example")


def test_few_subjects_are_all_shown() -> None:
    text = as_table(many(MANY), 100)
    assert "subjects," not in text
    assert text.count(" ──") == MANY
