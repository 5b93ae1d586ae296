# SPDX-License-Identifier: GPL-3.0-or-later
"""Staged promotion: one step at a time, with evidence only; loosening and overrides at once."""

from __future__ import annotations

import datetime
import json
import typing as t
from dataclasses import replace

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._language.ladders import (
    FIRST,
    LADDERS,
    lower,
    published_dmarc,
    published_mta_sts,
    reached_step,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._model.domain import Dmarc, MtaSts
from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import Promotion, Step
from ansible_collections.reseller.mail.plugins.plugin_utils._promotion import (
    decide as promotion_decide,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._promotion import (
    evidence as promotion_evidence,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._promotion.decide import Track, decide
from ansible_collections.reseller.mail.plugins.plugin_utils._promotion.evidence import Day, Failure
from hypothesis import given
from hypothesis import strategies as st

TODAY = datetime.date(2026, 11, 21)
RULES = Promotion()
GREEN = {"dmarc": "", "mta_sts": ""}
TRACK = Track("acme", "acme.example", "dmarc", "reject", "observe", None, "it@acme.example")
STS = Track("acme", "acme.example", "mta_sts", "enforce", "testing", None, "it@acme.example")


def days(number: int, **more: t.Any) -> list[Day]:
    """The last so many days, all of them well."""
    return [
        Day(
            TODAY - datetime.timedelta(ago),
            **{"verified": dict(GREEN), "passed": 10, "tls_passed": 10, **more},
        )
        for ago in range(number)
    ]


def missing(
    track: Track, evidence: t.Iterable[Day], step: t.Optional[Step] = None
) -> tuple[str, ...]:
    return decide(track, step, evidence, RULES, TODAY).missing


def step(name: str, ago: int, policy: str = "dmarc") -> Step:
    return Step("acme.example", "acme", policy, name, TODAY - datetime.timedelta(ago))


def test_without_evidence_nothing_moves_and_all_that_is_missing_is_said() -> None:
    decision = decide(TRACK, None, [], RULES, TODAY)
    assert (decision.step, decision.next) == ("observe", "test")
    assert decision.missing == (
        "verify green on 0 of 14 days", "DMARC reports about 0 of 50 messages of ours",
        "DMARC reports about 0 of 7 days",
    )  # fmt: skip
    assert missing(STS, []) == ("verify green on 0 of 14 days", "TLS reports about 0 of 7 days")


@pytest.mark.parametrize("track", [TRACK, STS])
def test_with_evidence_it_takes_one_step(track: Track) -> None:
    decision = decide(track, None, days(14), RULES, TODAY)
    ladder = LADDERS[track.policy]
    assert ladder.index(decision.step) == ladder.index(track.published) + 1
    assert (decision.since, decision.missing) == (TODAY, ())


def test_evidence_counts_for_one_step_only() -> None:
    evidence = days(40)
    first = decide(TRACK, None, evidence, RULES, TODAY)
    [written] = promotion_decide.steps_made([first])
    again = decide(TRACK, written, evidence, RULES, TODAY)
    assert (again.step, again.next) == ("test", "quarantine")
    assert again.missing[0] == "verify green on 0 of 14 days"
    later = TODAY + datetime.timedelta(14)
    more = [*evidence, *(replace(day, day=day.day + datetime.timedelta(14)) for day in days(14))]
    assert decide(TRACK, written, more, RULES, later).step == "quarantine"


def test_each_condition_alone_holds_it_back() -> None:
    assert missing(TRACK, days(13)) == ("verify green on 13 of 14 days",)
    red = replace(days(30)[3], verified={"dmarc": "dns.dkim"})
    assert missing(TRACK, [*days(3), red, *days(30)[4:]]) == (
        "verify green on 3 of 14 days since verify failed on 2026-11-18 (dns.dkim)",
    )
    assert missing(TRACK, days(40)[10:]) == ("verify was last green on 2026-11-11: run it again",)
    assert missing(TRACK, days(14, passed=3)) == ("DMARC reports about 42 of 50 messages of ours",)
    assert missing(TRACK, [*days(14, passed=0)[6:], *days(6)]) == (
        "DMARC reports about 6 of 7 days",
    )
    failed = Failure("192.0.2.1", "SPF and DKIM", 3, "google.com")
    assert missing(TRACK, [*days(14)[:13], replace(days(14)[13], failed=[failed])]) == (
        "3 messages from 192.0.2.1 failed SPF and DKIM (reported by google.com) on 2026-11-08",
    )
    assert missing(replace(TRACK, reports_to=None), days(14)) == (
        "no reports are requested: set dmarc.reports_to",
    )
    assert missing(replace(STS, reports_to=None), days(14)) == (
        "no reports are requested: set tls_rpt.reports_to",
    )
    expired = Failure("mx1.hosting.example", "certificate-expired", 1, "Company-X")
    assert missing(STS, [*days(14)[:13], replace(days(14)[13], tls_failed=[expired])]) == (
        (
            "1 session to mx1.hosting.example failed certificate-expired (reported by Company-X) on"
            " 2026-11-08"
        ),
    )


def test_what_failed_long_ago_or_for_one_of_the_two_only_is_past() -> None:
    failed = Failure("192.0.2.1", "SPF and DKIM", 3, "google.com")
    assert missing(TRACK, [*days(30)[:29], replace(days(30)[29], failed=[failed])]) == ()
    assert missing(TRACK, days(14, failed=[Failure("192.0.2.1", "SPF", 3, "google.com")])) == ()


def test_evidence_from_before_since_or_from_the_future_does_not_count() -> None:
    assert missing(replace(TRACK, since=TODAY - datetime.timedelta(9)), days(30)) == (
        "verify green on 10 of 14 days",
    )
    future = [replace(day, day=day.day + datetime.timedelta(30)) for day in days(14)]
    assert missing(TRACK, future)[0] == "verify green on 0 of 14 days"


def test_an_override_publishes_at_once_and_evidence_goes_on_climbing() -> None:
    wanted = Dmarc("reject", override="ticket 4711")
    assert published_dmarc(wanted, None) is wanted
    sts = MtaSts("enforce", override="ticket 4711")
    assert published_mta_sts(sts, None) is sts
    decision = decide(
        replace(TRACK, override="ticket 4711", published="reject"), None, days(14), RULES, TODAY
    )
    assert decision.step == "test", (
        "what is written down is what evidence carries, so that the override can go one day"
    )


def test_subdomains_are_no_stricter_than_evidence() -> None:
    wanted = Dmarc("observe", subdomains="reject", nonexistent="quarantine")
    assert published_dmarc(wanted, "test") == Dmarc(
        "observe", subdomains="test", nonexistent="test", target=wanted
    )


def test_the_file_of_steps_reads_like_a_list() -> None:
    text = promotion_decide.text([step("test", 0), step("enforce", 3, "mta_sts")])
    assert [row["step"] for row in json.loads(text)["promoted"]] == ["test", "enforce"]
    assert len(text.splitlines()) == 6
    assert json.loads(promotion_decide.text([])) == {"promoted": []}


POLICIES = st.sampled_from(sorted(LADDERS))
COUNTS = st.integers(0, 30)
WHATS = st.sampled_from(["SPF", "DKIM", "SPF and DKIM", "certificate-expired"])
FAILURES = st.lists(
    st.builds(Failure, st.just("192.0.2.1"), WHATS, COUNTS, st.just("x")), max_size=2
)
VERDICTS = st.dictionaries(POLICIES, st.sampled_from(["", "", "", "dns.dkim"]))
EVIDENCE = st.lists(
    st.builds(Day, st.integers(-5, 60).map(lambda ago: TODAY - datetime.timedelta(ago)), VERDICTS,
              COUNTS, FAILURES, COUNTS, COUNTS, FAILURES),
    max_size=40, unique_by=lambda day: day.day,
)  # fmt: skip


@st.composite
def cases(draw: st.DrawFn) -> tuple[Track, t.Optional[Step]]:
    policy = draw(POLICIES)
    steps = st.sampled_from(LADDERS[policy])
    made = draw(st.none() | st.builds(step, steps, st.integers(0, 60), st.just(policy)))
    target, override = draw(steps), draw(st.none() | st.just("because"))
    before = reached_step(policy, made.step if made else None)
    published = target if override else lower(policy, target, before)
    return (
        Track(
            "acme",
            "acme.example",
            policy,
            target,
            published,
            override,
            draw(st.none() | st.just("it@acme.example")),
        ),
        made,
    )


@given(
    cases(),
    EVIDENCE,
    st.builds(Promotion, st.integers(1, 20), st.integers(1, 10), st.integers(1, 60)),
)
def test_never_two_steps_never_without_evidence(
    case: tuple[Track, t.Optional[Step]], evidence: list[Day], rules: Promotion
) -> None:
    track, made = case
    ladder = LADDERS[track.policy]
    decision = decide(track, made, evidence, rules, TODAY)
    place = ladder.index
    assert place(decision.step) <= place(decision.before) + 1, "one step at most"
    assert place(decision.step) <= max(place(track.target), place(FIRST[track.policy])), (
        "never beyond the target"
    )
    if place(track.target) < place(decision.before):
        assert decision.step == reached_step(track.policy, track.target), "loosening is at once"
    if decision.promoted:
        counted = [
            day for day in evidence if day.day <= TODAY and (made is None or day.day > made.since)
        ]
        green = [day for day in counted if day.verified.get(track.policy) == ""]
        assert len(green) >= rules.days
        assert track.reports_to
        lately = [day for day in counted if (TODAY - day.day).days <= rules.days]
        assert not any(
            one.blocks
            for day in lately
            for one in (day.failed if track.policy == "dmarc" else day.tls_failed)
        )
        assert (
            sum(1 for day in counted if (day.passed if track.policy == "dmarc" else day.tls_passed))
            >= rules.report_days
        )
        assert decision.since == TODAY
    assert bool(decision.missing) == (
        decision.step == decision.before and place(track.target) > place(decision.before)
    ), "who waits is told for what"


STAGES = st.sampled_from(LADDERS["dmarc"])


@given(STAGES, st.none() | STAGES, st.none() | STAGES, st.none() | st.text() | STAGES)
def test_what_is_published_is_neither_beyond_evidence_nor_the_files(
    stage: str, sub: t.Optional[str], non: t.Optional[str], reached: t.Optional[str]
) -> None:
    published = published_dmarc(Dmarc(stage, None, sub, non), reached)
    place = LADDERS["dmarc"].index
    for wanted, got in (
        (stage, published.stage),
        (sub, published.subdomains),
        (non, published.nonexistent),
    ):
        assert (wanted is None) == (got is None)
        if wanted and got:
            assert place(got) == min(place(wanted), place(reached_step("dmarc", reached)))


@given(EVIDENCE)
def test_the_log_survives_being_written(evidence: list[Day]) -> None:
    log = {"acme.example": {day.day: day for day in evidence}} if evidence else {}
    assert promotion_evidence.read(promotion_evidence.text(log)) == log
