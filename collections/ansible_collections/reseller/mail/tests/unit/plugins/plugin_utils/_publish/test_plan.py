# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._dns.rrset import (
    Key,
    RRset,
    is_replaced,
    is_spf,
    replaced_pattern,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._dns.zone_text import split_txt
from ansible_collections.reseller.mail.plugins.plugin_utils._publish.plan import (
    Change,
    Marks,
    has_our_mark,
    places_to_search,
    plan_changes,
)
from hypothesis import given
from hypothesis import strategies as st

MARKS = Marks(
    frozenset({"mx1.hosting.example"}),
    frozenset({"192.0.2.3"}),
    frozenset({"mx1"}),
    "hosting.example",
)
DOMAIN = "acme.example"
SPF = "v=spf1 include:hosting.example -all"


def sets(*rows: tuple[str, str, int, str]) -> dict[Key, RRset]:
    found: dict[Key, RRset] = {}
    for name, kind, ttl, value in rows:
        before = found[name, kind].values if (name, kind) in found else frozenset()
        found[name, kind] = RRset(name, kind, ttl, before | {value})
    return found


def lines(
    wanted: dict[Key, RRset], existing: dict[Key, RRset], held: tuple[Key, ...] = ()
) -> list[str]:
    return [line for change in plan_changes(wanted, existing, {}, held) for line in change.lines()]


def marked(existing: dict[Key, RRset]) -> dict[Key, frozenset[str]]:
    """Return the values with our marks, as if there were no list of published records."""
    return {
        key: frozenset(value for value in rrset.values if has_our_mark(key, value, DOMAIN, MARKS))
        for key, rrset in existing.items()
    }


def test_what_is_there_already_is_no_change() -> None:
    wanted = sets((DOMAIN, "MX", 3600, "10 mx1.hosting.example."), (DOMAIN, "TXT", 3600, SPF))
    assert plan_changes(wanted, wanted, {}) == []


def test_a_wrong_mx_is_replaced_whole() -> None:
    wanted = sets((DOMAIN, "MX", 3600, "10 mx1.hosting.example."))
    existing = sets(
        (DOMAIN, "MX", 300, "10 mail.old.example."), (DOMAIN, "MX", 300, "20 backup.old.example.")
    )
    assert lines(wanted, existing) == [
        "- acme.example MX 10 mail.old.example.",
        "- acme.example MX 20 backup.old.example.",
        "+ acme.example MX 10 mx1.hosting.example.",
    ]


def test_other_texts_of_the_domain_survive_and_every_other_spf_record_goes() -> None:
    wanted = sets((DOMAIN, "TXT", 3600, SPF))
    existing = sets(
        (DOMAIN, "TXT", 600, "site-verification=1"),
        (DOMAIN, "TXT", 600, "V=SPF1 include:old.example ~all"),
        (DOMAIN, "TXT", 600, "v=spf10"),
    )
    (change,) = plan_changes(wanted, existing, {})
    assert set(change.new) == {"site-verification=1", "v=spf10", SPF}
    assert change.ttl == 600, "somebody else's records keep their time to live"
    assert change.lines() == [
        "- acme.example TXT V=SPF1 include:old.example ~all",
        f"+ acme.example TXT {SPF}",
    ]


def test_a_text_elsewhere_is_ours_whole() -> None:
    wanted = sets((f"_dmarc.{DOMAIN}", "TXT", 3600, "v=DMARC1; p=none"))
    existing = sets((f"_dmarc.{DOMAIN}", "TXT", 3600, "v=DMARC1; p=reject"))
    assert lines(wanted, existing) == [
        "- _dmarc.acme.example TXT v=DMARC1; p=reject",
        "+ _dmarc.acme.example TXT v=DMARC1; p=none",
    ]


def test_only_the_time_to_live_differs() -> None:
    wanted, existing = (
        sets((DOMAIN, "MX", 3600, "10 mx1.hosting.example.")),
        sets((DOMAIN, "MX", 60, "10 mx1.hosting.example.")),
    )
    assert lines(wanted, existing) == ["~ acme.example MX TTL 60 -> 3600"]


def test_what_is_not_wanted_any_more_goes_when_it_carries_our_mark() -> None:
    existing = sets(
        (DOMAIN, "MX", 60, "10 mx1.hosting.example."),
        (DOMAIN, "TXT", 60, SPF),
        (f"_mta-sts.{DOMAIN}", "TXT", 60, "v=STSv1; id=1"),
        (f"_smtp._tls.{DOMAIN}", "TXT", 60, "v=TLSRPTv1; rua=mailto:a@b.example"),
        (f"mx1._domainkey.{DOMAIN}", "TXT", 60, "v=DKIM1; p=AAAA"),
        (f"_imaps._tcp.{DOMAIN}", "SRV", 60, "0 1 993 mx1.hosting.example."),
        (f"_pop3._tcp.{DOMAIN}", "SRV", 60, "0 0 0 ."),
        (f"mta-sts.{DOMAIN}", "A", 60, "192.0.2.3"),
    )
    changes = plan_changes({}, existing, marked(existing))
    assert [change.key for change in map(_as_set, changes)] == sorted(existing)
    assert all(change.new == () for change in changes)


def _as_set(change: Change) -> RRset:
    return RRset(change.name, change.type, change.ttl, frozenset(change.new))


def test_what_is_not_wanted_and_carries_another_mark_stays() -> None:
    existing = sets(
        (DOMAIN, "MX", 60, "10 mail.elsewhere.example."),
        (DOMAIN, "TXT", 60, "v=spf1 include:elsewhere.example -all"),
        (f"_mta-sts.{DOMAIN}", "TXT", 60, "something else"),
        (f"other._domainkey.{DOMAIN}", "TXT", 60, "v=DKIM1; p=AAAA"),
        (f"_imaps._tcp.{DOMAIN}", "SRV", 60, "0 1 993 imap.elsewhere.example."),
        (f"_sip._tcp.{DOMAIN}", "SRV", 60, "0 1 5060 mx1.hosting.example."),
        (f"mta-sts.{DOMAIN}", "A", 60, "198.51.100.1"),
        (f"www.{DOMAIN}", "A", 60, "192.0.2.3"),
    )
    assert plan_changes({}, existing, marked(existing)) == []


def test_of_two_addresses_only_ours_goes() -> None:
    existing = sets(
        (f"mta-sts.{DOMAIN}", "A", 60, "192.0.2.3"), (f"mta-sts.{DOMAIN}", "A", 60, "198.51.100.1")
    )
    (change,) = plan_changes({}, existing, marked(existing))
    assert change.lines() == ["- mta-sts.acme.example A 192.0.2.3"]


def test_what_the_book_says_was_published_goes_value_by_value() -> None:
    key = (f"old.{DOMAIN}", "A")
    existing = sets(
        (*key, 60, "192.0.2.9"),
        (*key, 60, "198.51.100.1"),
        (f"else.{DOMAIN}", "A", 60, "192.0.2.9"),
    )
    (change,) = plan_changes({}, existing, {key: frozenset({"192.0.2.9", "192.0.2.8"})})
    assert (change.name, change.new) == (key[0], ("198.51.100.1",))


@pytest.mark.parametrize(
    ("name", "ours", "theirs", "stays"),
    [
        ("_dmarc", "v=DMARC1; p=none", "V = DMARC1 ;p=reject", False),
        ("_dmarc", "v=DMARC1; p=none", "verification=1", True),
        ("_dmarc", "v=DMARC1; p=none", "v=DMARC12; p=none", True),
        ("_mta-sts", "v=STSv1; id=1;", "v=STSv1;id=2", False),
        ("_smtp._tls", "v=TLSRPTv1; rua=mailto:a@b.example", "v=TLSRPTv1", False),
        ("mx1._domainkey", "v=DKIM1; k=rsa; p=AA", "k=rsa; p=BB", False),
        ("mx1._domainkey", "v=DKIM1; k=rsa; p=AA", "p=", False),
        ("mx1._domainkey", "v=DKIM1; k=rsa; p=AA", "somebody's note", True),
        ("x._report._dmarc", "v=DMARC1", "v=DMARC1;", False),
    ],
)
def test_beside_ours_stays_what_is_of_another_kind(
    name: str, ours: str, theirs: str, stays: bool
) -> None:
    key = (f"{name}.{DOMAIN}", "TXT")
    (change,) = plan_changes(sets((*key, 60, ours)), sets((*key, 60, theirs)), {})
    assert set(change.new) == ({ours, theirs} if stays else {ours})
    assert is_replaced(replaced_pattern(key, [ours]), ours)


def test_what_is_held_stays_as_it_is() -> None:
    key = (f"_mta-sts.{DOMAIN}", "TXT")
    existing = sets((*key, 60, "v=STSv1; id=old"))
    assert lines(sets((*key, 3600, "v=STSv1; id=new")), existing, (key,)) == []
    assert lines({}, existing, (key,)) == []


def test_places_are_looked_at_even_when_nothing_is_wanted_there() -> None:
    keys = places_to_search(DOMAIN, MARKS)
    assert ("mx1._domainkey.acme.example", "TXT") in keys
    assert ("_mta-sts.acme.example", "TXT") in keys
    assert ("_sieve._tcp.acme.example", "SRV") in keys
    assert (DOMAIN, "A") not in keys


@given(st.text())
def test_long_texts_are_split_and_joined_without_loss(value: str) -> None:
    parts = split_txt(value)
    assert b"".join(parts).decode() == value
    assert all(len(part) <= 255 for part in parts)
    assert all(part.decode() or not value for part in parts), (
        "no character is torn apart, no string is empty"
    )


def test_spf_is_known_by_its_version_alone() -> None:
    assert is_spf("v=spf1")
    assert is_spf("V=SPF1 -all")
    assert not is_spf("v=spf10 -all")
    assert not is_spf("x v=spf1 -all")
