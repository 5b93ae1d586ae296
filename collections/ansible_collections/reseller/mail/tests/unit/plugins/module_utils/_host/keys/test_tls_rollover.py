# SPDX-License-Identifier: GPL-3.0-or-later
"""Which keys change in a run. That certbot and openssl do their part is proved with them, in
molecule/platform."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host.keys.tls import (
    TTLS,
    Evidence,
    Keys,
    Note,
)
from ansible_collections.reseller.mail.plugins.module_utils._host.keys.tls_rollover import (
    SUPPLIED,
    Request,
    TlsChanges,
    apply,
    changes,
    diff,
    failure,
    result,
    warnings,
)
from ansible_collections.reseller.mail.plugins.module_utils._host.keys.tls_store import (
    Failure,
    Store,
)

NOW, TTL = 1_800_000_000, 3600
A, B, C, D = (32 * pair for pair in ("aa", "bb", "cc", "dd"))
MX1, MX2 = "mx1.hosting.example", "mail.acme.example"
READY = Keys(MX1, A, B, Note(B, NOW - TTLS * TTL, TTL))
YOUNG = Keys(MX2, C, D)
BOTH = {MX1: READY, MX2: YOUNG}
EVIDENCE = {MX1: Evidence(B, TTL), MX2: Evidence(D, TTL)}
ROLLOVER = Request((MX1, MX2), NOW, EVIDENCE, rollover=True)


class FakeStore:
    """Keeps keys in a dictionary; a name in ``broken`` cannot be changed."""

    def __init__(self, keys: dict[str, Keys], broken: t.Container[str] = ()) -> None:
        self.now = dict(keys)
        self._broken = broken

    def keys(self, name: str) -> t.Optional[Keys]:
        return self.now.get(name)

    def change(self, name: str, key: str) -> None:
        if name in self._broken:
            raise Failure(name, "certbot has no wish to")
        self.now[name] = Keys(name, key)

    def complete(self, keys: Keys) -> Keys:
        return keys if keys.next else replace(keys, next="ee" * 32)

    def note(self, keys: Keys) -> None:
        self.now[keys.name] = keys


def test_without_a_rollover_only_the_note_changes() -> None:
    decided = changes(BOTH, replace(ROLLOVER, rollover=False))
    assert decided.after == {MX1: READY, MX2: replace(YOUNG, note=Note(D, NOW, TTL))}
    assert list(decided.waiting) == [MX2]
    assert not decided.refused
    assert warnings(decided, replace(ROLLOVER, rollover=False)) == []


def test_one_key_that_has_to_wait_keeps_all_others() -> None:
    decided = changes(BOTH, ROLLOVER)
    assert {name: keys.current for name, keys in decided.after.items()} == {MX1: A, MX2: C}
    assert failure(decided).startswith(f"The key of {MX2} was not changed: its next key has been")
    assert warnings(decided, ROLLOVER) == []


def test_next_keys_that_are_ready_go_into_service() -> None:
    decided = changes({MX1: READY}, ROLLOVER)
    assert decided.after == {MX1: Keys(MX1, B)}
    assert (failure(decided), warnings(decided, ROLLOVER)) == ("", [])


def test_an_emergency_does_not_wait_and_warns() -> None:
    decided = changes(BOTH, replace(ROLLOVER, emergency=True))
    assert {name: keys.current for name, keys in decided.after.items()} == {MX1: B, MX2: D}
    (warning,) = warnings(decided, ROLLOVER)
    assert warning.startswith(f"{MX2} has a new key although its next key has been in DNS since")


@pytest.mark.parametrize(
    ("keys", "acme", "reason"),
    [
        (Keys(MX1, A), True, "there is no next key yet"),
        (Keys(MX1, A), False, f"{SUPPLIED}announce the next key's public half there, as next"),
        (READY, False, f"{SUPPLIED}supply that of the next key now"),
    ],
)
def test_an_emergency_needs_a_next_key_and_acme(keys: Keys, acme: bool, reason: str) -> None:
    decided = changes({MX1: keys}, replace(ROLLOVER, emergency=True, acme=acme))
    assert decided.after[MX1].current == A
    assert decided.refused[MX1].startswith(reason)


def test_what_was_decided_is_carried_out() -> None:
    store = FakeStore({MX1: READY})
    done = apply(t.cast(Store, store), changes({MX1: READY}, ROLLOVER), [MX1])
    assert done.after == store.now == {MX1: Keys(MX1, B, "ee" * 32)}
    assert failure(done) == ""


def test_after_a_failure_the_report_has_the_keys_that_are_there() -> None:
    store = FakeStore({MX1: READY, MX2: YOUNG}, broken=[MX2])
    done = apply(t.cast(Store, store), changes(BOTH, replace(ROLLOVER, emergency=True)), BOTH)
    assert done.after == store.now
    assert {name: keys.current for name, keys in done.after.items()} == {MX1: B, MX2: C}
    assert failure(done) == f"The key of {MX2} was not changed: certbot has no wish to."


def test_the_diff_names_a_key_that_check_mode_did_not_make() -> None:
    bare = TlsChanges({MX1: Keys(MX1, A)}, {MX1: Keys(MX1, A)}, {})
    assert diff(bare, acme=True) == f"+ next tls key {MX1} new\n"
    assert diff(bare, acme=False) == ""


def test_the_report_names_every_key_and_when_it_is_ready() -> None:
    report = result(changes(BOTH, replace(ROLLOVER, rollover=False)), acme=True)
    assert report["changed"]
    assert report["tls"] == [
        {"name": MX2, "current": C, "next": D, "ready": "2027-01-15T10:00:00Z"},
        {"name": MX1, "current": A, "next": B, "ready": "2027-01-15T08:00:00Z"},
    ]
    assert [line.partition(":")[0] for line in report["waiting"]] == [MX2]
