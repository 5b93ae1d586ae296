# SPDX-License-Identifier: GPL-3.0-or-later
"""What promotion says of a policy: as a finding, as data, as a line of a table."""

from __future__ import annotations

import datetime
from dataclasses import replace

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import Promotion, Step
from ansible_collections.reseller.mail.plugins.plugin_utils._promotion import report
from ansible_collections.reseller.mail.plugins.plugin_utils._promotion.decide import (
    Decision,
    Track,
    decide,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._promotion.evidence import Day

TODAY = datetime.date(2026, 11, 21)
RULES = Promotion(days=2, report_days=2, messages=10)
GREEN = [
    Day(
        TODAY - datetime.timedelta(ago),
        verified={"dmarc": "", "mta_sts": ""},
        passed=10,
        tls_passed=10,
    )
    for ago in range(3)
]
LONG_AGO = TODAY - datetime.timedelta(30)
DMARC = Track("acme", "acme.example", "dmarc", "quarantine", "observe", None, "it@acme.example")
STS = Track("acme", "acme.example", "mta_sts", "enforce", "testing", None, "it@acme.example")

WAITS = decide(DMARC, None, [], RULES, TODAY)
CLIMBS = decide(
    DMARC, Step("acme.example", "acme", "dmarc", "observe", LONG_AGO), GREEN, RULES, TODAY
)
THERE = decide(
    replace(DMARC, published="quarantine"),
    Step("acme.example", "acme", "dmarc", "quarantine", LONG_AGO),
    GREEN,
    RULES,
    TODAY,
)
FALLS = decide(
    replace(DMARC, target="observe"),
    Step("acme.example", "acme", "dmarc", "quarantine", LONG_AGO),
    GREEN,
    RULES,
    TODAY,
)
OVERRIDDEN = decide(
    replace(STS, published="enforce", override="enforced before"), None, [], RULES, TODAY
)
CARRIED = decide(
    OVERRIDDEN.track,
    Step("acme.example", "acme", "mta_sts", "enforce", LONG_AGO),
    GREEN,
    RULES,
    TODAY,
)


@pytest.mark.parametrize(("decision", "state", "found", "remedy"), [
    (WAITS, "warn",
        "observe; missing for test: verify green on 0 of 2 days; DMARC reports about 0 of 10 messages of ours; "
     "DMARC reports about 0 of 2 days", ""),
    (CLIMBS, "warn", "observe; the evidence is enough for test", report.REMEDY),
    (THERE, "ok", "quarantine", ""),
    (FALLS, "ok", "observe", ""),
    (OVERRIDDEN, "ok", "enforce by override: enforced before; the evidence is enough for testing", ""),
    (CARRIED, "ok", "enforce by override: enforced before; the evidence is enough, you can remove the override", ""),
])  # fmt: skip
def test_a_policy_is_a_finding(decision: Decision, state: str, found: str, remedy: str) -> None:
    [finding] = report.findings([decision])
    assert (finding.id, finding.subject) == (f"promotion.{decision.track.policy}", "acme.example")
    assert (finding.state, finding.found, finding.remedy, finding.expected) == (
        state,
        found,
        remedy,
        decision.track.target,
    )


def test_programs_get_every_step() -> None:
    assert report.data([CLIMBS]) == [{
        "domain": "acme.example", "tenant": "acme", "policy": "dmarc", "target": "quarantine",
        "published": "observe", "override": "",
        "before": "observe", "step": "test", "next": "quarantine", "missing": list(CLIMBS.missing),
    }]  # fmt: skip


def test_the_table_names_a_domain_once_and_says_where_each_policy_goes() -> None:
    lines = report.as_table(
        [CLIMBS, OVERRIDDEN, replace(FALLS, track=replace(FALLS.track, domain="b.example"))], 200
    ).splitlines()
    assert [" ".join(line.split()) for line in lines] == [
        "domain policy now target next step",
        "acme.example DMARC ↑ observe → test quarantine quarantine, when there is enough evidence",
        "MTA-STS ✓ enforce enforce by override: enforced before; the evidence is enough for testing",
        "b.example DMARC ↓ quarantine → observe observe",
    ]
    waiting = [" ".join(line.split()) for line in report.as_table([WAITS], 200).splitlines()]
    assert waiting[1:3] == [
        "acme.example DMARC … observe quarantine test, missing:",
        "· verify green on 0 of 2 days",
    ]
    assert "\x1b[" in report.as_table([CLIMBS], 200, color=True)
