# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64
import time
import typing as t
from dataclasses import replace

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host.keys.dkim import (
    DAY,
    OVERLAP_DAYS,
    Key,
    KeyName,
    KeyRequest,
    KeySeries,
    Shown,
    plan,
    public_half,
    reported,
)
from ansible_collections.reseller.mail.plugins.module_utils._host.keys.key_names import (
    PENDING,
    STATES,
    number,
)
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

RSA, ED = KeySeries("acme.example", "rsa"), KeySeries("acme.example", "ed25519")
NOW = 1_800_000_000
WEEK = OVERLAP_DAYS * DAY


def key(selector: str = "mx1", state: str = "active", since: int = NOW, **more: t.Any) -> Key:
    return Key(
        KeyName("acme.example", selector),
        "ed25519" if "ed25519" in selector else "rsa",
        f"P{selector}",
        state,
        since,
        since,
        **more,
    )


def request(
    wanted: t.Iterable[KeySeries] = (RSA,), days: int | None = None, now: int = NOW, **more: t.Any
) -> KeyRequest:
    return KeyRequest("mx1", dict.fromkeys(wanted, days), now, **more)


def show(*keys: Key) -> dict[KeyName, Shown]:
    return {one.name: Shown(one.public, ("ns1", "ns2")) for one in keys}


def after(keys: t.Iterable[Key], given: KeyRequest) -> dict[str, str]:
    return {one.name.selector: one.state for one in plan(keys, given).after.values()}


def test_the_first_key_is_named_after_the_node_and_does_not_sign() -> None:
    made = plan([], request([RSA, ED]))
    assert {one.name.selector: (one.algorithm, one.state) for one in made.create} == {
        "mx1": ("rsa", "generated"),
        "mx1-ed25519": ("ed25519", "generated"),
    }
    assert (
        made.lines() == "+ dkim key mx1._domainkey.acme.example rsa generated\n+ dkim key"
        " mx1-ed25519._domainkey.acme.example ed25519 generated\n"
    )


def test_an_active_key_is_left_alone() -> None:
    done = plan([key()], request(days=90, now=NOW + 89 * DAY))
    assert done.lines() == ""
    assert [*done.create, *done.note, *done.destroy, *done.forget, *done.lost] == []


def test_a_planned_rotation_from_end_to_end() -> None:
    keys = [key()]
    made = plan(keys, request(days=90, now=NOW + 90 * DAY))
    assert [str(one.name) for one in made.create] == ["mx1-2._domainkey.acme.example"]
    successor = replace(made.create[0], public="P2", private=True)
    keys.append(successor)
    assert after(keys, request(days=90, now=NOW + 91 * DAY)) == {
        "mx1": "active",
        "mx1-2": "generated",
    }
    wrong = {successor.name: Shown("another", ("ns1",))}
    assert after(keys, request(days=90, now=NOW + 91 * DAY, shown=wrong)) == {
        "mx1": "active",
        "mx1-2": "generated",
    }
    switch = plan(keys, request(days=90, now=NOW + 91 * DAY, shown=show(successor)))
    assert (
        switch.lines() == "~ dkim key mx1._domainkey.acme.example active -> retired\n~ dkim key"
        " mx1-2._domainkey.acme.example generated -> active, shown by ns1, ns2\n"
    )
    keys = list(switch.after.values())
    late = NOW + 91 * DAY + WEEK
    assert after(keys, request(now=late - 1)) == {"mx1": "retired", "mx1-2": "active"}
    assert after(keys, request(now=late, serving=[KeyName("acme.example", "mx1")])) == {
        "mx1": "retired",
        "mx1-2": "active",
    }
    assert after(keys, request(now=late, serving=None)) == {"mx1": "retired", "mx1-2": "active"}
    gone = plan(keys, request(now=late))
    assert [str(one.name) for one in gone.destroy] == ["mx1._domainkey.acme.example"]
    removed = [replace(one, private=one.state != "removed") for one in gone.after.values()]
    assert [reported(one, request(now=late)) for one in removed] == [True, True]
    last = plan(removed, request(now=late + WEEK))
    assert last.lines() == "- dkim key mx1._domainkey.acme.example forgotten\n"
    assert {one.name.selector for one in last.after.values()} == {"mx1-2"}


def test_the_overlap_begins_when_a_key_has_signed_for_the_last_time() -> None:
    """A run that broke off between the notes and the switch: the old generation may sign for weeks
    with a key that is retired."""
    keys = [key(state="retired"), key("mx1-2")]
    late = NOW + 3 * WEEK
    for serving in ([keys[0].name], None):
        still = plan(keys, request(now=late, serving=serving))
        assert after(still.after.values(), request(now=late + WEEK - 1)) == {
            "mx1": "retired",
            "mx1-2": "active",
        }
        assert after(still.after.values(), request(now=late + WEEK)) == {
            "mx1": "removed",
            "mx1-2": "active",
        }
    soon = plan(keys, request(now=NOW + 3600, serving=[keys[0].name]))
    assert soon.lines() == "", "an hour more or less is no reason to write"


def test_a_published_key_waits_until_it_has_settled() -> None:
    keys = [key(), key("mx1-2", "generated")]
    first = plan(keys, request(shown=show(keys[1]), settle=600))
    assert first.after[keys[1].name].state == "published"
    assert (
        after(first.after.values(), request(now=NOW + 599, shown=show(keys[1]), settle=600))[
            "mx1-2"
        ]
        == "published"
    )
    assert (
        after(first.after.values(), request(now=NOW + 600, settle=600))["mx1-2"] == "published"
    ), "it must be there when it begins to sign"
    assert after(first.after.values(), request(now=NOW + 600, shown=show(keys[1]), settle=600)) == {
        "mx1": "retired",
        "mx1-2": "active",
    }


def test_an_emergency_keeps_the_old_key_until_the_new_one_is_shown_and_serves() -> None:
    alarm = {"compromised": ["acme.example"], "compromised_before": NOW + 5}
    first = plan([key(), key("mx1-2", "generated")], request(now=NOW + 5, **alarm))
    assert {name.selector: (one.state, one.compromised) for name, one in first.after.items()} == {
        "mx1": ("active", True),
        "mx1-2": ("revoked", True),
        "mx1-3": ("generated", False),
    }
    assert [one.name.selector for one in first.destroy] == ["mx1-2"]
    new = replace(first.create[0], public="P3", private=True)
    keys = [*(one for one in first.after.values() if one.public), new]
    old = keys[0].name
    switch = plan(keys, request(now=NOW + 6, shown=show(new), serving=[old]))
    assert switch.after[old].state == "retired"
    assert old not in [one.name for one in switch.destroy]
    end = plan(switch.after.values(), request(now=NOW + 7, serving=[new.name]))
    assert (end.after[old].state, end.after[new.name].state) == ("revoked", "active")
    assert old in [one.name for one in end.destroy]
    again = plan(keys, request(now=NOW + 6, **alarm))
    assert not again.create, "the same alarm does not condemn what was made after it"


def test_a_domain_that_left_takes_its_keys_with_it() -> None:
    assert after([key(), key("mx1-2", "generated")], request([], now=NOW)) == {
        "mx1": "retired",
        "mx1-2": "removed",
    }
    assert after([key(state="retired")], request([], now=NOW + WEEK)) == {"mx1": "removed"}
    assert after([key(state="removed", private=False)], request([], now=NOW + 99 * WEEK)) == {
        "mx1": "removed"
    }, "its selector stays used"
    assert after([key(state="removed", private=False)], request(now=NOW + 99 * WEEK)) == {
        "mx1": "removed",
        "mx1-2": "generated",
    }


def test_dropping_an_algorithm_retires_its_key_alone() -> None:
    assert after([key(), key("mx1-ed25519")], request([RSA])) == {
        "mx1": "active",
        "mx1-ed25519": "retired",
    }


def test_a_lost_key_gets_a_successor_and_is_told_until_that_one_signs() -> None:
    lost = key(private=False)
    first = plan([lost], request())
    assert first.lost == (lost.name,)
    assert {name.selector: one.state for name, one in first.after.items()} == {
        "mx1": "active",
        "mx1-2": "generated",
    }
    successor = replace(first.create[0], public="P2", private=True)
    waiting = plan([lost, successor], request())
    assert (waiting.lost, waiting.lines()) == (
        (lost.name,),
        "",
    ), "told again, and nothing else is made"
    back = plan([key(), successor], request())
    assert (back.lost, back.lines()) == (
        (),
        "",
    ), "a file that came back signs until its successor does"
    switch = plan([lost, successor], request(shown=show(successor)))
    assert switch.lost == ()
    assert {name.selector: one.state for name, one in switch.after.items()} == {
        "mx1": "retired",
        "mx1-2": "active",
    }


def test_a_key_that_is_lost_before_it_signs_is_replaced_in_silence() -> None:
    pending = plan([key(), key("mx1-2", "published", private=False)], request())
    assert {name.selector: one.state for name, one in pending.after.items()} == {
        "mx1": "active",
        "mx1-2": "removed",
    }
    assert pending.lost == ()


def test_a_lost_key_keeps_no_other_lane_from_what_is_due() -> None:
    done = plan(
        [key(private=False), key("mx1-ed25519", since=NOW - 91 * DAY)], request([RSA, ED], days=90)
    )
    assert {one.name.selector for one in done.create} == {"mx1-2", "mx1-ed25519-2"}
    assert done.lost == (key().name,)


def test_a_host_that_lost_everything_uses_no_selector_twice() -> None:
    done = plan([], request(known=[key(), key("mx1-2", "revoked")]))
    assert {name.selector: one.state for name, one in done.after.items()} == {
        "mx1": "retired",
        "mx1-2": "revoked",
        "mx1-3": "generated",
    }
    stale = plan([key("mx1-3")], request(known=[key(), key("mx1-2", "revoked")]))
    assert stale.lines() == "", "an old report does not bring keys back that the host has forgotten"
    restored = plan([key()], request(known=[key("mx1-5")], rotate=["acme.example"]))
    assert [one.name.selector for one in restored.create] == ["mx1-6"], (
        "the host's backup was older than its last report"
    )


def test_a_selector_that_is_another_nodes_is_not_taken() -> None:
    assert (
        plan([key()], request(rotate=["acme.example"], taken={"acme.example": ["mx1-2"]}))
        .create[0]
        .name.selector
        == "mx1-3"
    )


def test_a_run_that_died_between_activating_and_retiring_is_healed() -> None:
    assert after([key(since=NOW), key("mx1-2", since=NOW + 1)], request()) == {
        "mx1": "retired",
        "mx1-2": "active",
    }


def test_a_private_half_whose_public_half_was_not_noted_is_kept() -> None:
    half = replace(key(state="generated"), public="")
    done = plan([half], request())
    assert done.note == [half]
    assert not done.create
    assert done.lines() == "~ dkim key mx1._domainkey.acme.example public half noted\n"


def test_selectors_are_counted_by_lane() -> None:
    assert [
        number("mx1", "rsa", one)
        for one in ("mx1", "mx1-2", "mx1-10", "mx1-ed25519", "mx10", "mx1-02", "mail")
    ] == [1, 2, 10, 0, 0, 0, 0]
    assert [number("mx1", "ed25519", one) for one in ("mx1", "mx1-ed25519", "mx1-ed25519-3")] == [
        0,
        1,
        3,
    ]


def test_to_tell_what_happens_to_many_keys_costs_no_more_than_to_plan_it() -> None:
    keys = [
        Key(KeyName(f"d{number}.example", "mx1"), "rsa", "P", "active", NOW, NOW)
        for number in range(4000)
    ]
    told = request([one.series for one in keys], now=NOW + DAY)
    begun = time.process_time()
    done = plan(keys, told)
    planned = time.process_time()
    assert done.lines() == ""
    assert time.process_time() - planned < 3 * (planned - begun)


class Life(RuleBasedStateMachine):
    """Runs, switches, publishing and time in any order: what the module's documentation promises
    holds after each."""

    @initialize()
    def begin(self) -> None:
        self.keys: dict[KeyName, Key] = {}
        self.dns: dict[KeyName, str] = {}
        self.serving: frozenset[KeyName] = frozenset()
        self.now, self.made = NOW, 0
        self.signed: dict[KeyName, int] = {}
        self.had: set[KeySeries] = set()
        self.wanted: list[KeySeries] = [RSA]
        self.ever: set[KeyName] = set()

    @rule(days=st.sampled_from([0, 1, 6, 7, 31]))
    def time_passes(self, days: int) -> None:
        self.now += days * DAY + 1

    @rule()
    def published(self) -> None:
        self.dns = {
            one.name: one.public
            for one in self.keys.values()
            if reported(one, request(now=self.now)) and one.state not in ("revoked", "removed")
        }

    @rule()
    def blocked(self) -> None:
        """A server loses the newest record."""
        self.dns.pop(max(self.dns, default=KeyName("", "")), None)

    @rule()
    def switched(self) -> None:
        self.serving = frozenset(one.name for one in self.keys.values() if one.state == "active")

    @rule(lanes=st.sampled_from([[], [RSA], [RSA, ED]]))
    def changed_files(self, lanes: list[KeySeries]) -> None:
        self.wanted = lanes
        self.had &= set(lanes)

    @rule(
        emergency=st.booleans(),
        rotate=st.booleans(),
        settle=st.sampled_from([0, DAY]),
        days=st.sampled_from([None, 30]),
    )
    def run(self, emergency: bool, rotate: bool, settle: int, days: int | None) -> None:
        domains = ["acme.example"]
        told = request(
            self.wanted,
            days,
            self.now,
            settle=settle,
            serving=self.serving,
            shown={name: Shown(public, ("ns",)) for name, public in self.dns.items()},
            rotate=domains * rotate,
            compromised=domains * emergency,
            compromised_before=self.now,
        )
        self.signed.update(dict.fromkeys(self.serving, self.now))
        before, done = dict(self.keys), plan(self.keys.values(), told)
        for one in done.create:
            assert one.name not in self.ever, "a selector was used twice"
        for one in done.after.values():
            old = before.get(one.name)
            assert old is None or STATES.index(one.state) >= STATES.index(old.state), (
                "a key went back"
            )
            if one.state == "removed" and old is not None and old.state == "retired":
                assert self.now - self.signed.get(one.name, 0) >= WEEK - DAY, (
                    "the mail that a key signed is still under way"
                )
            if one.state == "active" and (old is None or old.state != "active"):
                assert self.dns.get(one.name) == one.public, "a key signs that DNS does not show"
        for one in done.destroy:
            assert one.name not in self.serving, "a key that serves was destroyed"
        self.ever |= set(done.after)
        self.keys = {}
        for name, one in done.after.items():
            if not one.public:
                self.made += 1
                one = replace(one, public=f"P{self.made}", private=True)
            self.keys[name] = replace(one, private=one.private and one not in done.destroy)
        self.had |= {one.series for one in self.keys.values() if one.state == "active"}

    @invariant()
    def a_lane_that_signed_signs(self) -> None:
        for series in self.had & set(self.wanted):
            assert [
                one.private
                for one in self.keys.values()
                if one.series == series and one.state == "active"
            ] == [True]

    @invariant()
    def at_most_one_key_waits(self) -> None:
        for series in (RSA, ED):
            assert (
                sum(one.series == series and one.state in PENDING for one in self.keys.values())
                <= 1
            )


Life.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
TestLife = Life.TestCase


def test_the_public_half_is_the_pem_body_in_one_line() -> None:
    body = base64.b64encode(bytes(range(100))).decode()
    assert (
        public_half(
            f"-----BEGIN PUBLIC KEY-----\n{body[:64]}\n{body[64:]}\n-----END PUBLIC KEY-----\n"
        )
        == body
    )


def test_of_an_ed25519_key_dns_holds_the_bare_bytes() -> None:
    """The key of RFC 8463 appendix A."""
    pem = (
        "-----BEGIN PUBLIC"
        " KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC"
        " KEY-----\n"
    )
    assert public_half(pem) == "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
        "-----BEGIN PUBLIC KEY-----\nA!A=\n-----END PUBLIC KEY-----",
        "-----BEGIN PUBLIC KEY-----\nAAAAA\n-----END PUBLIC KEY-----",
    ],
)
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a public key"):
        public_half(text)
