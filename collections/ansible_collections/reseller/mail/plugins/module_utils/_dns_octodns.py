# SPDX-License-Identifier: GPL-3.0-or-later
"""What octoDNS shall publish, written for it after the world was asked where zones begin. Does input and output; runs on the
controller only (needs dnspython).

PRIVATE to the collection.
"""

from __future__ import annotations

import asyncio
import typing as t
from dataclasses import dataclass, field

from ansible_collections.reseller.mail.plugins.module_utils import (
    _dns_book,
    _dns_wanted,
    _https_policy,
)
from ansible_collections.reseller.mail.plugins.module_utils._compile.dns import octodns
from ansible_collections.reseller.mail.plugins.module_utils._compile.dns.sets import Key, RRset
from ansible_collections.reseller.mail.plugins.module_utils._dns_plan import Ours, taken

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.module_utils._dns_query import Asker
    from ansible_collections.reseller.mail.plugins.module_utils._model.estate import Estate


@dataclass(slots=True)
class Prepared:
    """The files for octoDNS, what waits, what is wrong; by domain the zones that its records lie in; and the book once octoDNS has done
    it, and until it has."""

    files: dict[str, str] = field(default_factory=dict)
    pending: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    zones_of: dict[str, frozenset[str]] = field(default_factory=dict)
    done: _dns_book.Book = field(default_factory=dict)
    meanwhile: _dns_book.Book = field(default_factory=dict)


async def _policy_waits(asker: Asker, domain: str, policy: str, want: RRset, context: t.Any) -> str:
    """RFC 8461 section 3.1: the policy must be there before the record that announces it."""
    have = await asker.look_up(want.name, "TXT")
    if want.values <= have.values:
        return ""
    addresses = await asker.addresses(f"mta-sts.{domain}")
    fault = _https_policy.judge(
        await asyncio.to_thread(_https_policy.fetch, domain, addresses, context), policy
    )
    return f"{want.name}: the policy cannot be fetched: {fault}" if fault else ""


async def _taken(asker: Asker, work: _dns_wanted.Work, ours: Ours) -> dict[Key, str]:
    """Say by place why it is left to others: their records stand there, or nobody can say."""
    found = {}
    for key, published in work.yielding.items():
        have = await asker.look_up(*key)
        silent = f"{key[0]} {key[1]}: the resolver does not say whether somebody else's records stand there: {have.why}"
        found[key] = (
            silent
            if have.state == "silent"
            else taken(key, have.values, published, work.domain, ours)
        )
    return {key: why for key, why in found.items() if why}


async def prepare(
    estate: Estate, asker: Asker, book: _dns_book.Book, target: t.Mapping[str, t.Any], ca_file: str
) -> Prepared:
    """Everything that octoDNS needs to make the managed zones what the model says, and nothing else in them."""
    prepared, context, policies = (
        Prepared(),
        _https_policy.tls_context(ca_file),
        _dns_wanted.policies(estate),
    )
    ours = _dns_wanted.marks(estate)
    work = _dns_wanted.assignment(estate, book).work
    zones = await asyncio.gather(
        *(
            asyncio.gather(
                *(asker.zone_of(name) for name, _type in sorted({*one.wanted, *one.former}))
            )
            for one in work
        )
    )
    wanted: dict[Key, RRset] = {}
    former: dict[Key, frozenset[str]] = {}
    known: set[str] = set()
    for one, its_zones in zip(work, zones, strict=True):
        before = book.get(one.domain, {})
        prepared.zones_of[one.domain] = frozenset(
            zone for zone in its_zones if zone and None not in its_zones
        )
        if None in its_zones:
            prepared.faults.append(
                f"{one.domain}: the resolver {asker.resolver} does not say which zone it lies in"
            )
            prepared.meanwhile[one.domain] = prepared.done[one.domain] = dict(before)
            continue
        known |= prepared.zones_of[one.domain]
        others = await _taken(asker, one, ours)
        prepared.pending += others.values()
        held = set(others)
        sts = one.wanted.get((f"_mta-sts.{one.domain}", "TXT"))
        waits = (
            await _policy_waits(asker, one.domain, policies[one.domain], sts, context)
            if sts
            else ""
        )
        if sts and waits:
            held.add(sts.key)
            prepared.pending.append(waits)
        now = {key: rrset for key, rrset in one.wanted.items() if key not in held}
        wanted.update(now)
        former.update(one.former)
        kept = {key: values for key, values in before.items() if key in held}
        prepared.done[one.domain] = {**_dns_book.entries(now), **kept}
        prepared.meanwhile[one.domain] = {**one.former, **prepared.done[one.domain]}
    prepared.files = octodns.files(wanted, former, known, target)
    prepared.done = {domain: places for domain, places in prepared.done.items() if places}
    return prepared
