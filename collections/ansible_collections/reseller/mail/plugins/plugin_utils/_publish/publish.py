# SPDX-License-Identifier: GPL-3.0-or-later
"""Publish the records of the domains whose DNS the provider manages, by RFC 2136 updates.

PRIVATE to the collection. Does input and output. Runs on the controller only.
"""

from __future__ import annotations

import asyncio
import itertools
import typing as t
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from ansible_collections.reseller.mail.plugins.module_utils._host import deletion_guard

from .._compile import dns as compile_dns
from .._dns import https
from .._dns.query import gather_limited
from .._dns.rrset import Key
from . import published_records, read, update, wanted, watch
from .plan import Change, Marks, has_our_mark, plan_changes, why_yielded
from .primary import DnsFailure
from .transfer import Transfers
from .wanted import Work, policies

if t.TYPE_CHECKING:
    import ssl

    from .._dns.query import Asker
    from .._model.estate import Estate
    from .._model.tenant import Tenant
    from .primary import Primary
    from .transfer import Transferred

__all__ = ["Outcome", "policies", "publish"]

AT_ONCE = 200
"""Domains that are planned at the same time.

Each needs a zone or about twenty questions, and they are kept until its plan is made.
"""
FETCHES = 32
"""Policies that are fetched at the same time. A fetch spends most of its time waiting."""
SENT_AT_ONCE = 8
"""Zones whose updates are sent at the same time, each over a connection of its own."""

PATIENCE = 2
"""Zones in a row without an answer, after which the server is taken to be down."""


@dataclass(slots=True)
class Outcome:
    """The result of a run, or what the result would be in check mode.

    Attributes:
        changes: The changed record sets.
        pending: What is held back, and what it waits for.
        notes: What users should know.
        lagging: Servers that do not have the new data yet.
        remembered: For how long resolvers may have old records.
        faults: What went wrong.
        published: The list of published records after the run.
    """

    changes: list[Change] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    lagging: list[str] = field(default_factory=list)
    remembered: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    published: published_records.Published = field(default_factory=dict)


@dataclass(slots=True)
class _Planned:
    """The plan for one domain, and how much of it was done.

    Attributes:
        work: What is to be done.
        changes: The changes that do it.
        raw: The library's record data of the sets that change.
        pending: What is held back, and what it waits for.
        notes: What users should know.
        faults: Why it cannot be done.
        held: The record sets that stay as they are in this run.
        gone: Whether the server no longer has a zone for the domain.
        zones: The changes by zone.
        sent: The changes that the server accepted, by zone.
    """

    work: Work
    changes: list[Change] = field(default_factory=list)
    raw: read.Raw = field(default_factory=dict)
    pending: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    held: set[Key] = field(default_factory=set)
    gone: bool = False
    zones: dict[str, list[Change]] = field(default_factory=dict)
    sent: dict[str, list[Change]] = field(default_factory=dict)

    @property
    def done(self) -> bool:
        """Return whether DNS has everything that is wanted and not held back."""
        return not self.faults and all(
            len(self.sent.get(zone, ())) == len(changes) for zone, changes in self.zones.items()
        )


@dataclass(frozen=True, slots=True)
class _Job:
    """What is needed to plan every domain. It is computed once."""

    asker: Asker
    primary: Primary
    transfers: Transfers
    context: ssl.SSLContext
    waits: t.Counter[str]
    marks: Marks
    policies: dict[str, str]
    unreported: frozenset[tuple[str, str]]
    without_report: wanted.Unreported


async def _policy_fault(job: _Job, domain: str) -> str:
    """Return what is wrong with the domain's policy on its host; an empty text if it is right."""
    addresses = await job.asker.addresses(f"mta-sts.{domain}")
    fetched = await asyncio.to_thread(
        https.fetch_policy, domain, addresses, job.context, waits=job.waits
    )
    return https.policy_fault(fetched, job.policies[domain])


async def _hold_policy(job: _Job, planned: _Planned, found: read.Found) -> None:
    """Hold back the ``_mta-sts`` record until its policy can be fetched.

    The record asks senders to fetch the policy, so the policy must be there first (RFC 8461 section
    3.1). If the address of its host is published only now, it is not looked up: resolvers would
    cache for a while that there is none.
    """
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
    """Hold back TLSA records of unsigned zones. Senders ignore them (RFC 7672 section 2.2)."""
    for key in sorted(planned.work.wanted):
        if key[1] == "TLSA":
            zone = await job.asker.zone_of(key[0], job.primary.server)
            if zone and (await job.asker.ask(job.primary.server, zone, "DNSKEY")).state != "answer":
                planned.held.add(key)
                planned.pending.append(f"{key[0]} TLSA: the zone {zone} is not signed")


def _hold_unreported_keys(job: _Job, planned: _Planned, found: read.Found) -> None:
    """Hold back the DKIM records of names whose node has reported no key.

    A key that is in DNS already stays: mail may be signed with it. So do all records of keys of
    nodes without a report.
    """
    planned.held.update(
        key
        for key in found.sets
        if key not in planned.work.wanted and job.without_report.has_key_at(key)
    )
    owners = sorted(
        f"{selector}._domainkey.{name}"
        for name, selector in job.unreported
        if name == planned.work.domain
    )
    planned.held.update((owner, "TXT") for owner in owners)
    planned.pending += (f"{owner}: its node has not reported the key" for owner in owners)


def _hold_yielding(job: _Job, planned: _Planned, found: read.Found) -> None:
    """Hold back record sets that must not replace those of other people."""
    for key, published in planned.work.yielding.items():
        if key in found.sets:
            values, domain = found.sets[key].values, planned.work.domain
            why = why_yielded(key, values, published, domain, job.marks)
            if why:
                planned.held.add(key)
                planned.pending.append(why)


def _marks_of(marks: Marks, domain: str, found: read.Found) -> Marks:
    """Return the marks for one domain, with its host for Outlook if that leads to our addresses.

    Another provider may serve a host of that name, too.
    """
    host = f"autodiscover.{domain}"
    is_ours = any(
        found.sets[host, kind].values & marks.addresses
        for kind in ("A", "AAAA")
        if (host, kind) in found.sets
    )
    return replace(marks, hosts=marks.hosts | {host}) if is_ours else marks


def _published_earlier(job: _Job, work: Work, found: read.Found) -> dict[Key, frozenset[str]]:
    """Return the values that an earlier run published, by the list or else by our marks."""
    marks = _marks_of(job.marks, work.domain, found)
    marked = {
        key: frozenset(
            value
            for value in found.sets[key].values
            if has_our_mark(key, value, work.domain, marks)
        )
        for key in work.searched
        if key in found.sets
    }
    return {**marked, **work.former}


def _note_absent_zone(job: _Job, planned: _Planned, found: read.Found) -> None:
    """Note what it means that the server has no zone for some or all names of the domain."""
    domain, server = planned.work.domain, job.primary.server
    if found.sets:
        planned.faults.append(
            f"{domain}: {server} answers only for some of its names ({found.absent})"
        )
    elif planned.work.wanted:
        planned.faults = [
            f"{domain}: {server} has no zone for it ({found.absent}); create it there, or remove"
            " the domain from managed_domains"
        ]
    else:
        planned.gone = True
        planned.notes = [
            f"{domain}: {server} has no zone for it any more; its records leave the list of"
            " published records"
        ]


async def _plan_domain(job: _Job, work: Work, zone: t.Optional[Transferred]) -> _Planned:
    """Return the plan for one domain, after reading what is in DNS."""
    planned = _Planned(work)
    found = await read.read(
        job.asker, job.primary, zone, {*work.wanted, *work.former}, work.searched
    )
    planned.faults = found.faults
    if found.absent:
        _note_absent_zone(job, planned, found)
    if planned.faults or planned.gone:
        return planned
    _hold_unreported_keys(job, planned, found)
    await _hold_policy(job, planned, found)
    await _hold_tlsa(job, planned)
    _hold_yielding(job, planned, found)
    published = _published_earlier(job, work, found)
    planned.changes = plan_changes(work.wanted, found.sets, published, planned.held)
    changing = {(change.name, change.type) for change in planned.changes}
    planned.raw = {place: rdata for place, rdata in found.raw.items() if place[:2] in changing}
    for change in planned.changes:
        where = await _zone_of(job, change.name, zone)
        if where is None:
            planned.faults.append(f"{job.primary.server} is not authoritative for {change.name}")
        else:
            planned.zones.setdefault(where, []).append(change)
    return planned


async def _zone_of(job: _Job, name: str, zone: t.Optional[Transferred]) -> t.Optional[str]:
    """Return the name of the zone that contains a name, or ``None`` if the server has none."""
    if zone and zone.holds(name):
        return zone.zone
    return await job.asker.zone_of(name, job.primary.server)


def _entry(
    planned: _Planned, before: t.Mapping[Key, frozenset[str]], done: bool
) -> dict[Key, frozenset[str]]:
    """Return what the list of published records has about the domain after the run."""
    if planned.gone:
        return {}
    if not done:
        return dict(before)
    kept = {key: values for key, values in before.items() if key in planned.held}
    return {
        **published_records.entries(
            {key: rrset for key, rrset in planned.work.wanted.items() if key not in planned.held}
        ),
        **kept,
    }


async def _watch(
    job: _Job, zone: str, changes: list[Change], seconds: float, outcome: Outcome
) -> None:
    """Note whether the primary server, the other servers and our resolver have a zone's changes."""
    wrong, serial = await _read_again(job, zone, changes)
    outcome.faults += wrong
    if not wrong:
        outcome.lagging += await watch.lagging_servers(
            job.asker, job.primary.server, zone, serial, changes, seconds
        )
        cached = await watch.cached_records(job.asker, zone, changes)
        outcome.remembered += [cached] if cached else []


async def _read_again(job: _Job, zone: str, changes: list[Change]) -> tuple[list[str], int]:
    """Return what the primary server accepted and does not have, and the zone's serial number."""
    now = await job.transfers.get(zone)
    wrong = await read.differences(job.asker, job.primary, now, changes)
    return wrong, now.serial if now else await watch.serial(job.asker, job.primary.server, zone)


def _guarded(
    estate: Estate,
    left: t.Collection[str],
    published: published_records.Published,
    accepted: int,
) -> str:
    """Return why the records of too many domains would be removed; an empty text if they may be.

    Files that were lost must not remove the DNS of all tenants. ``accepted`` is the number of
    domains that the user allows.
    """
    before = frozenset(published)
    refusal = deletion_guard.refusal(
        deletion_guard.Served(domains=before),
        deletion_guard.Served(domains=before.difference(left)),
        estate.deletion_guard.shares(),
        accepted,
        "in DNS this run",
    )
    return refusal or ""


async def _plan_or_fault(job: _Job, work: Work, zone: t.Optional[Transferred]) -> _Planned:
    """Return the plan for one domain, or a plan with the fault that prevents it."""
    try:
        return await _plan_domain(job, work, zone)
    # One domain's values must not prevent that the records of all others are published.
    except Exception as exc:
        why = f"{type(exc).__name__}: {exc}"
        return _Planned(work, faults=[f"{work.domain}: its records cannot be planned: {why}"])


async def _plan_all(
    job: _Job, work: t.Sequence[Work], progress: t.Callable[[int, int], None]
) -> list[_Planned]:
    """Return the plans for all domains, sorted by domain.

    Each zone is transferred once, and kept only until its domains are planned.
    """
    count = itertools.count(1)
    names = await gather_limited(
        AT_ONCE, work, lambda one: job.asker.zone_of(one.domain, job.primary.server)
    )
    zones: dict[t.Optional[str], list[Work]] = {}
    for one, name in zip(work, names, strict=True):
        zones.setdefault(name, []).append(one)

    async def of_zone(name: t.Optional[str]) -> list[_Planned]:
        zone = await job.transfers.get(name) if name else None

        async def plan(one: Work) -> _Planned:
            planned = await _plan_or_fault(job, one, zone)
            progress(next(count), len(work))
            return planned

        return await gather_limited(AT_ONCE, zones[name], plan)

    plans = await gather_limited(AT_ONCE, zones, of_zone)
    return sorted((one for rows in plans for one in rows), key=lambda one: one.work.domain)


class _Sending:
    """The updates of all zones, and where they stop.

    Until the server has accepted one zone, zones are sent one by one: a wrong key, or a server that
    is down, is noticed with the first of them. Then ``SENT_AT_ONCE`` zones are sent at a time.
    """

    def __init__(
        self,
        primary: Primary,
        zones: t.Mapping[str, t.Mapping[Change, _Planned]],
        outcome: Outcome,
        check_mode: bool,
    ) -> None:
        self._primary, self._zones, self._outcome = primary, zones, outcome
        self._check_mode = check_mode
        self._left = sorted(zones, reverse=True)
        self._silent = 0
        self._why_stopped = ""

    async def run(self) -> None:
        """Send the updates of all zones. Add the faults to the outcome."""
        works = False
        while self._left and not works and not self._why_stopped:
            works = await self._send_next()
        await asyncio.gather(*(self._send_rest() for _connection in range(SENT_AT_ONCE)))
        if self._why_stopped:
            unsent = len(self._left)
            more = f"; nothing was sent for {unsent} more zones" if unsent else ""
            self._outcome.faults.append(f"{self._why_stopped}{more}")

    async def _send_rest(self) -> None:
        """Send zones, one after the other, as long as there are some."""
        while self._left and not self._why_stopped:
            await self._send_next()

    async def _send_next(self) -> bool:
        """Send the updates of the next zone; return whether the server answered."""
        zone = self._left.pop()
        changes = self._zones[zone]
        try:
            for batch in update.batches(changes):
                planned = {change: changes[change] for change in batch}
                await _send_batch(self._primary, zone, planned, self._outcome, self._check_mode)
        except DnsFailure as exc:
            self._silent += 1
            if not self._why_stopped and (exc.everywhere or self._silent >= PATIENCE):
                self._why_stopped = str(exc)
            else:
                self._outcome.faults.append(str(exc))
            return False
        self._silent = 0
        return True


async def _send_all(
    primary: Primary, plans: t.Sequence[_Planned], outcome: Outcome, check_mode: bool
) -> None:
    """Send the changes of every zone, and note in each plan those that the server accepted.

    If the server does not know the key, or does not answer for ``PATIENCE`` zones in a row, this is
    one fault, and nothing is sent for the other zones.
    """
    zones: dict[str, dict[Change, _Planned]] = {}
    for planned in plans:
        for zone, changes in planned.zones.items():
            zones.setdefault(zone, {}).update(dict.fromkeys(changes, planned))
    await _Sending(primary, zones, outcome, check_mode).run()
    sent = {change for planned in plans for changes in planned.sent.values() for change in changes}
    outcome.changes += (
        change for zone in sorted(zones) for change in sorted(zones[zone]) if change in sent
    )


async def _send_batch(
    primary: Primary,
    zone: str,
    batch: t.Mapping[Change, _Planned],
    outcome: Outcome,
    check_mode: bool,
) -> None:
    """Send one message for a zone, and note which changes were accepted.

    If the message has changes of several domains and the server refused it, send one message for
    each domain. So only the domain at fault is not published, and the fault names it.
    """
    try:
        if not check_mode:
            raw = {
                place: rdata for planned in batch.values() for place, rdata in planned.raw.items()
            }
            await update.send(primary, zone, list(batch), raw)
    except DnsFailure as exc:
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
    published: published_records.Published,
    *,
    ca_file: str,
    seconds: float,
    check_mode: bool,
    accepted: int = 0,
    tenant: t.Optional[Tenant] = None,
    progress: t.Callable[[int, int], None] = lambda done, total: None,
) -> Outcome:
    """Plan every domain, send its changes, and wait until all servers have them.

    ``published`` is the list of earlier runs. Policies are fetched with the CAs in ``ca_file``, or
    with those of the system. Wait at most ``seconds`` for each zone. ``accepted`` is the number of
    domains that may lose their records, if the estate's guard allows fewer. With ``tenant``, only
    the domains of this tenant are published. A fault of one domain does not stop the others.
    ``progress`` is called after each domain, with how many are planned and how many there are.
    """
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(FETCHES))
    job = _Job(
        asker,
        primary,
        Transfers(primary),
        https.tls_context(ca_file),
        Counter(),
        wanted.marks(estate),
        policies(estate),
        frozenset(compile_dns.pending(estate)),
        wanted.unreported(estate),
    )
    todo = wanted.assignment(estate, published, tenant)
    outcome = Outcome(
        published=dict(todo.untouched),
        notes=[
            *wanted.unreported_notes(estate),
            *(
                f"{name}: the provider does not manage its DNS any more; its records stay"
                for name in todo.handed_over
            ),
        ],
    )
    refusal = _guarded(estate, todo.left, published, accepted)
    if refusal:
        outcome.faults.append(refusal)
        outcome.published.update({name: dict(published[name]) for name in todo.left})
    work = [one for one in todo.work if not refusal or one.domain not in todo.left]
    plans = await _plan_all(job, work, progress)
    await _send_all(primary, plans, outcome, check_mode)
    zones = _note_results(plans, published, outcome)
    if not check_mode:
        await asyncio.gather(
            *(
                _watch(job, zone, changes, seconds, outcome)
                for zone, changes in sorted(zones.items())
            )
        )
    outcome.notes += job.transfers.notes()
    return outcome


def _note_results(
    plans: t.Iterable[_Planned], published: published_records.Published, outcome: Outcome
) -> dict[str, list[Change]]:
    """Add the results of all plans to the outcome; return the accepted changes by zone."""
    zones: dict[str, list[Change]] = {}
    for planned in plans:
        outcome.pending += planned.pending
        outcome.notes += planned.notes
        outcome.faults += planned.faults
        for zone, changes in planned.sent.items():
            zones.setdefault(zone, []).extend(changes)
        entry = _entry(planned, published.get(planned.work.domain, {}), planned.done)
        if entry:
            outcome.published[planned.work.domain] = entry
    return zones
