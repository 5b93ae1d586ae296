# SPDX-License-Identifier: GPL-3.0-or-later
"""Publishes what the model says about the domains that the provider manages. Does input and output; runs on the controller only.

PRIVATE to the collection.
"""

from __future__ import annotations

import asyncio
import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.reseller.mail.plugins.module_utils import (
    _deletions,
    _dns_book,
    _dns_update,
    _dns_wanted,
    _dns_watch,
    _https_policy,
)
from ansible_collections.reseller.mail.plugins.module_utils._compile import dns as compile_dns
from ansible_collections.reseller.mail.plugins.module_utils._compile.dns.sets import Key
from ansible_collections.reseller.mail.plugins.module_utils._dns_plan import (
    Change,
    Ours,
    plan,
    recognised,
    taken,
)
from ansible_collections.reseller.mail.plugins.module_utils._dns_query import in_turn
from ansible_collections.reseller.mail.plugins.module_utils._dns_wanted import Work, policies

if t.TYPE_CHECKING:
    import ssl

    from ansible_collections.reseller.mail.plugins.module_utils._dns_query import Asker
    from ansible_collections.reseller.mail.plugins.module_utils._dns_update import Primary
    from ansible_collections.reseller.mail.plugins.module_utils._model.estate import Estate

__all__ = ["Outcome", "policies", "publish"]

AT_ONCE = 200
"""Domains that are planned side by side: each is some twenty questions, and what was answered is kept until its plan is made."""


PATIENCE = 2
"""Zones in a row that the server may be silent about: behind them it is taken to be away, and nobody waits for it any more."""


@dataclass(slots=True)
class Outcome:
    """What was (or in check mode would be) changed, what waits for something, what is worth knowing, who has not heard yet, what
    went wrong, and the book of what is published now."""

    changes: list[Change] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    lagging: list[str] = field(default_factory=list)
    remembered: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    book: _dns_book.Book = field(default_factory=dict)


@dataclass(slots=True)
class _Planned:
    work: Work
    changes: list[Change] = field(default_factory=list)
    raw: _dns_update.Raw = field(default_factory=dict)
    pending: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    held: set[Key] = field(default_factory=set)
    gone: bool = False
    zones: dict[str, list[Change]] = field(default_factory=dict)
    sent: dict[str, list[Change]] = field(default_factory=dict)

    @property
    def done(self) -> bool:
        """Whether DNS has all that is wanted and not held back."""
        return not self.faults and all(
            len(self.sent.get(zone, ())) == len(changes) for zone, changes in self.zones.items()
        )


@dataclass(frozen=True, slots=True)
class _Job:
    """What planning every domain needs; worked out once."""

    asker: Asker
    primary: Primary
    context: ssl.SSLContext
    marks: Ours
    policies: dict[str, str]
    unreported: frozenset[tuple[str, str]]


async def _policy_fault(job: _Job, domain: str) -> str:
    addresses = await job.asker.addresses(f"mta-sts.{domain}")
    return _https_policy.judge(
        await asyncio.to_thread(_https_policy.fetch, domain, addresses, job.context),
        job.policies[domain],
    )


async def _hold_policy(job: _Job, planned: _Planned, found: _dns_update.Found) -> None:
    """RFC 8461 section 3.1: the record tells senders to fetch the policy, so the policy must be there first. A host that is
    only now being published is not asked for: resolvers would remember for a while that there is none."""
    domain = planned.work.domain
    sts, host = (f"_mta-sts.{domain}", "TXT"), f"mta-sts.{domain}"
    have, want = found.sets.get(sts), planned.work.wanted.get(sts)
    if want is None or (have is not None and want.values <= have.values):
        return
    fault = (
        await _policy_fault(job, domain)
        if found.sets.keys() & {(host, "A"), (host, "AAAA")}
        else f"{host} has no address yet"
    )
    if fault:
        planned.held.add(sts)
        planned.pending.append(f"{sts[0]}: the policy cannot be fetched: {fault}")


async def _hold_tlsa(job: _Job, planned: _Planned) -> None:
    """RFC 7672 section 2.2: outside a signed zone nobody believes a TLSA record."""
    for key in sorted(planned.work.wanted):
        if key[1] == "TLSA":
            zone = await job.asker.zone_of(key[0], job.primary.server)
            if zone and (await job.asker.ask(job.primary.server, zone, "DNSKEY")).state != "answer":
                planned.held.add(key)
                planned.pending.append(f"{key[0]} TLSA: the zone {zone} is not signed")


def _hold_taken(job: _Job, planned: _Planned, found: _dns_update.Found) -> None:
    """Leave places alone that others have records at, where ours must not take theirs over."""
    for key, published in planned.work.yielding.items():
        why = (
            taken(key, found.sets[key].values, published, planned.work.domain, job.marks)
            if key in found.sets
            else ""
        )
        if why:
            planned.held.add(key)
            planned.pending.append(why)


def _marks(marks: Ours, domain: str, found: _dns_update.Found) -> Ours:
    """The name for Outlook is ours where it leads to us: somebody else may serve it as well."""
    host = f"autodiscover.{domain}"
    ours = any(
        found.sets[host, kind].values & marks.addresses
        for kind in ("A", "AAAA")
        if (host, kind) in found.sets
    )
    return replace(marks, hosts=marks.hosts | {host}) if ours else marks


async def _plan_domain(job: _Job, work: Work) -> _Planned:
    planned = _Planned(work)
    found = await _dns_update.read(
        job.asker, job.primary, {*work.wanted, *work.former}, work.searched
    )
    planned.faults = found.faults
    if found.absent and not found.sets:
        if work.wanted:
            planned.faults = [
                f"{work.domain}: {job.primary.server} has no zone for it ({found.absent}); create it there, or take the "
                "domain out of managed_domains"
            ]
        else:
            planned.gone = True
            planned.notes = [
                f"{work.domain}: {job.primary.server} has no zone for it any more; its records are forgotten"
            ]
        return planned
    if found.absent:
        planned.faults.append(
            f"{work.domain}: {job.primary.server} answers for a part of its names only ({found.absent})"
        )
    if planned.faults:
        return planned
    # A key that its node has not reported (again) yet is no reason to withdraw the one that mail is signed with.
    waiting = sorted(
        (f"{selector}._domainkey.{name}", "TXT")
        for name, selector in job.unreported
        if name == work.domain
    )
    planned.held.update(waiting)
    planned.pending = [f"{name}: its node has not reported the key" for name, _type in waiting]
    await _hold_policy(job, planned, found)
    await _hold_tlsa(job, planned)
    _hold_taken(job, planned, found)
    marks = _marks(job.marks, work.domain, found)
    published: dict[Key, frozenset[str]] = {
        key: frozenset(
            value for value in found.sets[key].values if recognised(key, value, work.domain, marks)
        )
        for key in work.searched
        if key in found.sets
    }
    planned.changes = plan(work.wanted, found.sets, {**published, **work.former}, planned.held)
    changing = {(change.name, change.type) for change in planned.changes}
    planned.raw = {place: rdata for place, rdata in found.raw.items() if place[:2] in changing}
    for change in planned.changes:
        zone = await job.asker.zone_of(change.name, job.primary.server)
        if zone is None:
            planned.faults.append(f"{job.primary.server} is not authoritative for {change.name}")
        else:
            planned.zones.setdefault(zone, []).append(change)
    return planned


def _entry(
    planned: _Planned, before: t.Mapping[Key, frozenset[str]], done: bool
) -> dict[Key, frozenset[str]]:
    """What the book says of a domain afterwards."""
    if planned.gone:
        return {}
    if not done:
        return dict(before)
    kept = {key: values for key, values in before.items() if key in planned.held}
    return {
        **_dns_book.entries(
            {key: rrset for key, rrset in planned.work.wanted.items() if key not in planned.held}
        ),
        **kept,
    }


async def _watch(
    job: _Job, zone: str, changes: list[Change], seconds: float, outcome: Outcome
) -> None:
    wrong = await _dns_update.check(job.asker, job.primary, changes)
    outcome.faults += wrong
    if not wrong:
        outcome.lagging += await _dns_watch.authoritative(
            job.asker, job.primary.server, zone, changes, seconds
        )
        memory = await _dns_watch.remembered(job.asker, zone, changes)
        outcome.remembered += [memory] if memory else []


def _guarded(estate: Estate, left: t.Collection[str], book: _dns_book.Book, accepted: int) -> str:
    """Files that went missing must not take everybody's DNS with them."""
    before, after = frozenset(book), frozenset(book).difference(left)
    told = _deletions.refusal(
        _deletions.Served(domains=before),
        _deletions.Served(domains=after),
        _deletions.shares(estate),
        accepted,
        "in DNS this run",
    )
    return told or ""


async def _plan_or_tell(job: _Job, work: Work) -> _Planned:
    try:
        return await _plan_domain(job, work)
    except Exception as exc:  # whatever it is: one domain's values must not keep the records of all others out of DNS
        return _Planned(
            work,
            faults=[
                f"{work.domain}: its records cannot be worked out: {type(exc).__name__}: {exc}"
            ],
        )


async def _send_all(
    primary: Primary, plans: t.Sequence[_Planned], outcome: Outcome, check_mode: bool
) -> None:
    """Sends the changes of every zone, and leaves in each plan those that the server took. A key that it does not know is said once."""
    zones: dict[str, dict[Change, _Planned]] = {}
    for planned in plans:
        for zone, changes in planned.zones.items():
            zones.setdefault(zone, {}).update(dict.fromkeys(changes, planned))
    silent = 0
    for number, zone in enumerate(sorted(zones), 1):
        try:
            for batch in _dns_update.batches(zones[zone]):
                await _send_batch(
                    primary,
                    zone,
                    {change: zones[zone][change] for change in batch},
                    outcome,
                    check_mode,
                )
            silent = 0
        except _dns_update.DnsFailure as exc:
            silent += 1
            unsent = len(zones) - number if exc.everywhere or silent >= PATIENCE else 0
            outcome.faults.append(
                f"{exc}{f'; nothing was sent for {unsent} more zones' if unsent else ''}"
            )
            if unsent:
                break
    outcome.changes += (
        change
        for zone in sorted(zones)
        for change in sorted(zones[zone])
        if change in zones[zone][change].sent.get(zone, ())
    )


async def _send_batch(
    primary: Primary,
    zone: str,
    batch: t.Mapping[Change, _Planned],
    outcome: Outcome,
    check_mode: bool,
) -> None:
    """One message, or one for each domain where the server did not take what several of them have in the zone: the one at fault stays
    without, and is named."""
    try:
        if not check_mode:
            raw = {
                place: rdata for planned in batch.values() for place, rdata in planned.raw.items()
            }
            await _dns_update.send(primary, zone, list(batch), raw)
    except _dns_update.DnsFailure as exc:
        if exc.everywhere or exc.silent:
            raise
        domains: dict[str, dict[Change, _Planned]] = {}
        for change, planned in batch.items():
            domains.setdefault(planned.work.domain, {})[change] = planned
        if len(domains) == 1:
            domain = min(domains)
            outcome.faults.append(str(exc) if domain == zone else f"{domain} in the zone {exc}")
            return
        for of_one in domains.values():
            await _send_batch(primary, zone, of_one, outcome, check_mode)
        return
    for change, planned in batch.items():
        planned.sent.setdefault(zone, []).append(change)


async def publish(
    estate: Estate,
    asker: Asker,
    primary: Primary,
    book: _dns_book.Book,
    *,
    ca_file: str,
    seconds: float,
    check_mode: bool,
    accepted: int = 0,
) -> Outcome:
    """Plans every domain, sends its updates, looks whether they are there, waits until all servers of its zone have them. One
    domain's trouble stops no other."""
    job = _Job(
        asker,
        primary,
        _https_policy.tls_context(ca_file),
        _dns_wanted.marks(estate),
        policies(estate),
        frozenset(compile_dns.pending(estate)),
    )
    todo = _dns_wanted.assignment(estate, book)
    outcome = Outcome(
        notes=[
            f"{name}: its DNS is not ours to write any more; its records stay"
            for name in todo.handed_over
        ]
    )
    guard = _guarded(estate, todo.left, book, accepted)
    if guard:
        outcome.faults.append(guard)
        outcome.book = {name: dict(book[name]) for name in todo.left}
    work = [one for one in todo.work if not guard or one.domain not in todo.left]
    plans = await in_turn(AT_ONCE, work, lambda one: _plan_or_tell(job, one))
    await _send_all(primary, plans, outcome, check_mode)
    zones: dict[str, list[Change]] = {}
    for planned in plans:
        outcome.pending += planned.pending
        outcome.notes += planned.notes
        outcome.faults += planned.faults
        for zone, changes in planned.sent.items():
            zones.setdefault(zone, []).extend(changes)
        entry = _entry(planned, book.get(planned.work.domain, {}), planned.done)
        if entry:
            outcome.book[planned.work.domain] = entry
    if not check_mode:
        await asyncio.gather(
            *(
                _watch(job, zone, changes, seconds, outcome)
                for zone, changes in sorted(zones.items())
            )
        )
    return outcome
