# SPDX-License-Identifier: GPL-3.0-or-later
"""The log of evidence: whom it believes, what it counts, and that nobody makes it grow."""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._load import load
from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import BackupMx, Estate
from ansible_collections.reseller.mail.plugins.plugin_utils._promotion import evidence
from ansible_collections.reseller.mail.plugins.plugin_utils._promotion.evidence import (
    KEPT,
    MAX_REPORTS,
    Counts,
    Failure,
    Log,
    Ours,
    Report,
    Row,
    count_findings,
    count_reports,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.finding import Finding

DAY = datetime.date(2026, 11, 20)
TODAY = DAY + datetime.timedelta(1)
ACME = "acme.example"


@pytest.fixture(scope="module")
def estate() -> Estate:
    loaded, faults = load(str(Path(__file__).parents[3] / "fixtures/estate"))
    assert loaded is not None, faults
    return loaded


@pytest.fixture(scope="module")
def ours(estate: Estate) -> Ours:
    return Ours(estate, ["203.0.113.0/28"])


def report(
    *rows: Row, policy: str = "dmarc", domain: str = ACME, day: datetime.date = DAY, key: str = "k"
) -> Report:
    return Report(policy, domain, day, key, "google.com", rows)


def test_own_sources_are_told_from_foreign_ones(ours: Ours) -> None:
    log: Log = {}
    rows = (
        Row("192.0.2.1", 20, spf=True, dkim=True), Row("192.0.2.11", 2, dkim=True),
        Row("2001:db8:0::2", 4), Row("203.0.113.9", 1),
        Row("198.51.100.77", 7), Row("192.0.2.1", 3, passed_on=True), Row("nonsense", 1),
    )  # fmt: skip
    assert count_reports(log, [report(*rows)], ours, TODAY) == Counts(new=1)
    day = log[ACME][DAY]
    assert (day.passed, day.foreign) == (22, 11)
    assert day.failed == [
        Failure("2001:db8:0::2", "SPF and DKIM", 4, "google.com"), Failure("203.0.113.9",
                                                                           "SPF and DKIM", 1, "google.com"),
        Failure("192.0.2.11", "SPF", 2, "google.com"),
    ]  # fmt: skip
    assert [one.blocks for one in day.failed] == [True, True, False]


def test_an_ipv4_address_that_is_written_as_ipv6_is_the_same_host(ours: Ours) -> None:
    assert ours.sends("::ffff:192.0.2.1")
    assert not ours.sends("::ffff:198.51.100.77")


def test_tls_failures_count_for_our_own_hosts_only(ours: Ours) -> None:
    log: Log = {}
    rows = (
        Row("", 5326),
        Row("mx1.hosting.example", 100, what="certificate-expired"),
        Row("mx.stranger.example", 2, what="x"),
        Row("", 1, what="y"),
    )
    count_reports(log, [report(*rows, policy="mta_sts")], ours, TODAY)
    day = log[ACME][DAY]
    assert day.tls_passed == 5326
    assert [(one.source, one.count) for one in day.tls_failed] == [
        ("mx1.hosting.example", 100),
        ("our MX", 1),
    ]


def test_a_report_counts_once_and_only_when_it_is_about_us_and_now(ours: Ours) -> None:
    log: Log = {}
    row = Row("192.0.2.1", 1, spf=True)
    reports = [
        report(row), report(row), report(row, domain="stranger.example", key="b"), report(row,
                                                                                          day=TODAY + datetime.timedelta(1), key="c"),
        report(row, day=TODAY - datetime.timedelta(KEPT + 1), key="d"), report(row,
                                                                               day=DAY - datetime.timedelta(1)),
    ]  # fmt: skip
    assert count_reports(log, reports, ours, TODAY) == Counts(
        new=1, known=2, strange=1, future=1, old=1
    )
    assert log[ACME][DAY].passed == 1
    again = evidence.read(evidence.text(log))
    assert count_reports(again, reports[:1], ours, TODAY) == Counts(known=1), "in a later run, too"


def test_nobody_makes_the_log_grow(ours: Ours) -> None:
    log: Log = {}
    rows = tuple(Row(f"203.0.113.{number % 16}", 10**9, what="") for number in range(100))
    counts = count_reports(
        log, (report(*rows, key=f"{number}") for number in range(MAX_REPORTS + 5)), ours, TODAY
    )
    assert (counts.new, counts.too_many) == (MAX_REPORTS, 5)
    day = log[ACME][DAY]
    assert len(day.failed) <= evidence.MAX_FAILURES
    assert max(one.count for one in day.failed) <= evidence.MAX_COUNT


def test_what_holds_a_step_back_is_not_crowded_out(ours: Ours) -> None:
    log: Log = {}
    weak = (
        replace(report(Row("203.0.113.1", 99, spf=True), key=f"w{n}"), reporter=f"r{n}")
        for n in range(30)
    )
    count_reports(log, [*weak, report(Row("192.0.2.1", 1), key="bad")], ours, TODAY)
    assert log[ACME][DAY].failed[0] == Failure("192.0.2.1", "SPF and DKIM", 1, "google.com")


IDS = ("dns.spf", "dns.dkim", "dns.dmarc", "dns.mx", "dns.mta_sts", "dns.mta_sts_policy")


def verdict(
    estate: Estate, *others: Finding, without: str = "", state: str = "ok"
) -> t.Optional[dict[str, str]]:
    log: Log = {}
    found = [
        Finding(one, ACME, state if one == without else "ok", "", "")
        for one in IDS
        if one != without or state != "ok"
    ]
    count_findings(log, [*found, *others], estate, DAY)
    return log[ACME][DAY].verified if ACME in log else None


def test_green_is_what_was_asked_and_is_well(estate: Estate) -> None:
    assert verdict(estate) == {"dmarc": "", "mta_sts": ""}
    assert verdict(estate, without="dns.dkim") == {"mta_sts": ""}, "not asked"
    assert verdict(estate, without="dns.dkim", state="blocked") == {"mta_sts": ""}, (
        "no answer is neither green nor red"
    )
    assert verdict(estate, without="dns.dmarc", state="warn") == {"mta_sts": ""}, (
        "not published as it should be"
    )
    assert verdict(estate, without="dns.spf", state="warn") == {
        "dmarc": "",
        "mta_sts": "",
    }, "the tenant's own terms"
    assert verdict(estate, without="dns.dkim", state="fail") == {"dmarc": "dns.dkim", "mta_sts": ""}
    assert verdict(estate, Finding("dns.provider_spf", "hosting.example", "fail", "", "")) == {
        "dmarc": "dns.provider_spf",
        "mta_sts": "",
    }
    assert verdict(estate, Finding("mail.tls", "mx1", "fail", "", "")) == {
        "dmarc": "",
        "mta_sts": "mail.tls",
    }
    assert verdict(estate, Finding("mail.tls", "mx2", "fail", "", "")) == {
        "dmarc": "",
        "mta_sts": "",
    }, "another node's"
    backed_up = replace(estate, backup_mx=(BackupMx("alt", ("192.0.2.9",)),))
    assert verdict(backed_up, Finding("mail.tls", "alt", "fail", "", "")) == {
        "dmarc": "",
        "mta_sts": "mail.tls",
    }
    assert verdict(backed_up, Finding("mail.port", "alt", "fail", "", "")) == {
        "dmarc": "",
        "mta_sts": "",
    }, "nothing is lost by a dead one"
    nodes = tuple(
        replace(node, backup_priority=20) if node.name == "mx2" else node for node in estate.nodes
    )
    wrong = Finding("mail.tls", "mx2.hosting.example", "fail", "", "")
    assert verdict(estate, wrong)["mta_sts"] == ""
    assert verdict(replace(estate, nodes=nodes), wrong)["mta_sts"] == "mail.tls", (
        "senders come to it as well"
    )
    assert verdict(estate, Finding("quota.usage", ACME, "fail", "", "")) == {
        "dmarc": "",
        "mta_sts": "",
    }


def test_the_worse_answer_of_a_day_stays(estate: Estate) -> None:
    log: Log = {}
    for state in ("ok", "fail", "ok"):
        count_findings(log, [Finding(one, ACME, state, "", "") for one in IDS], estate, DAY)
    assert log[ACME][DAY].verified == {"dmarc": "dns.dkim", "mta_sts": "dns.mta_sts"}


def test_a_clock_that_went_back_costs_no_evidence(ours: Ours) -> None:
    log = {ACME: {DAY: evidence.Day(DAY, passed=5)}}
    assert evidence.pruned(log, {ACME}, DAY - datetime.timedelta(400)) == log


def test_a_copied_report_of_verify_is_of_the_day_on_which_it_asked() -> None:
    assert evidence.checked_on(
        {"checked": "2026-11-21T23:59:59Z", "findings": []}
    ) == datetime.date(2026, 11, 21)
    assert evidence.checked_on(
        {"checked": "2026-11-22T00:30:00+01:00", "findings": []}
    ) == datetime.date(2026, 11, 21)
    assert evidence.checked_on({"findings": []}) is None
    with pytest.raises(ValueError, match="Invalid isoformat"):
        evidence.checked_on({"checked": "yesterday"})


def test_what_is_old_or_of_domains_that_left_goes(ours: Ours) -> None:
    log: Log = {}
    count_reports(log, [report(Row("192.0.2.1", 1, spf=True))], ours, TODAY)
    assert evidence.pruned(log, {ACME}, TODAY) == log
    assert evidence.pruned(log, {"globex.example"}, TODAY) == {}
    assert evidence.pruned(log, {ACME}, DAY + datetime.timedelta(KEPT + 1)) == {}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"evidence": [{}]}',
        '{"evidence": [{"domain": "a", "day": "2026-11-20", "failed": [1]}]}',
    ],
)
def test_another_file_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not what evidence wrote"):
        evidence.read(text)
