# SPDX-License-Identifier: GPL-3.0-or-later
"""Prepare the files from which octoDNS publishes, after asking DNS where zones begin.

PRIVATE to the collection. Does input and output. Runs on the controller only (needs dnspython).
"""

from __future__ import annotations

import asyncio
import typing as t
from dataclasses import dataclass, field

from .._compile.dns import octodns
from .._dns import https
from .._dns.rrset import Key, RRset
from . import published_records
from . import wanted as publish_wanted
from .plan import Marks, why_yielded

if t.TYPE_CHECKING:
    import ssl

    from .._dns.query import Asker
    from .._model.estate import Estate
    from .._model.tenant import Tenant


@dataclass(slots=True)
class Prepared:
    """The files for octoDNS, and what follows when it has published them.

    Attributes:
        files: The text of each file, by its path.
        pending: What is held back, and what it waits for.
        faults: Why a domain cannot be published.
        zones_of: The zones that contain a domain's records, by domain.
        done: The list of published records after octoDNS has published everything.
        meanwhile: The list until then.
    """

    files: dict[str, str] = field(default_factory=dict)
    pending: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    zones_of: dict[str, frozenset[str]] = field(default_factory=dict)
    done: published_records.Published = field(default_factory=dict)
    meanwhile: published_records.Published = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Job:
    """What is needed for every domain. It is computed once."""

    asker: Asker
    context: ssl.SSLContext
    marks: Marks
    policies: dict[str, str]
    without_report: publish_wanted.Unreported


async def prepare(
    estate: Estate,
    asker: Asker,
    published: published_records.Published,
    target: t.Mapping[str, t.Any],
    ca_file: str,
    tenant: t.Optional[Tenant] = None,
) -> Prepared:
    """Return all that octoDNS needs to publish the managed domains, and to change nothing else.

    ``published`` is the list of earlier runs, and ``target`` octoDNS's configuration for the
    provider of DNS. Policies are fetched with the CAs in ``ca_file``, or with those of the system.
    With ``tenant``, the files are about the domains of this tenant only.
    """
    todo = publish_wanted.assignment(estate, published, tenant)
    prepared = Prepared(done=dict(todo.untouched), meanwhile=dict(todo.untouched))
    job = _Job(
        asker,
        https.tls_context(ca_file),
        publish_wanted.marks(estate),
        publish_wanted.policies(estate),
        publish_wanted.unreported(estate),
    )
    prepared.pending += publish_wanted.unreported_notes(estate)
    zones_of = await asyncio.gather(*(_zones(asker, one) for one in todo.work))
    wanted: dict[Key, RRset] = {}
    former: dict[Key, frozenset[str]] = {}
    known: set[str] = set()
    for one, zones in zip(todo.work, zones_of, strict=True):
        before = published.get(one.domain, {})
        prepared.zones_of[one.domain] = zones or frozenset()
        if zones is None:
            prepared.faults.append(
                f"{one.domain}: the resolver {asker.resolver} did not answer which zone contains it"
            )
            prepared.meanwhile[one.domain] = prepared.done[one.domain] = dict(before)
            continue
        known |= zones
        held = await _held(job, one)
        prepared.pending += held.values()
        now = {key: rrset for key, rrset in one.wanted.items() if key not in held}
        wanted.update(now)
        former.update((key, values) for key, values in one.former.items() if key not in held)
        kept = {key: values for key, values in before.items() if key in held}
        prepared.done[one.domain] = {**published_records.entries(now), **kept}
        prepared.meanwhile[one.domain] = {**one.former, **prepared.done[one.domain]}
    prepared.files = octodns.files(wanted, former, known, target)
    prepared.done = {domain: places for domain, places in prepared.done.items() if places}
    return prepared


async def _zones(asker: Asker, work: publish_wanted.Work) -> t.Optional[frozenset[str]]:
    """Return the zones that contain a domain's records, or ``None`` if one is not known."""
    keys = sorted({*work.wanted, *work.former})
    zones = await asyncio.gather(*(asker.zone_of(name) for name, _type in keys))
    return None if None in zones else frozenset(filter(None, zones))


async def _held(job: _Job, work: publish_wanted.Work) -> dict[Key, str]:
    """Return the record sets of a domain that are not published in this run, with the reasons."""
    held = await _yielded(job, work)
    held.update(
        (key, f"{key[0]} {key[1]}: stays, because its node has not reported its keys")
        for key in work.former
        if job.without_report.has_key_at(key)
    )
    sts = work.wanted.get((f"_mta-sts.{work.domain}", "TXT"))
    why = await _why_policy_waits(job, work.domain, sts) if sts else ""
    if sts and why:
        held[sts.key] = why
    return held


async def _why_policy_waits(job: _Job, domain: str, want: RRset) -> str:
    """Return why an ``_mta-sts`` record is held back; an empty text if it may be published.

    The policy must be there before the record that announces it (RFC 8461 section 3.1).
    """
    have = await job.asker.look_up(want.name, "TXT")
    if want.values <= have.values:
        return ""
    addresses = await job.asker.addresses(f"mta-sts.{domain}")
    fetched = await asyncio.to_thread(https.fetch_policy, domain, addresses, job.context)
    fault = https.policy_fault(fetched, job.policies[domain])
    return f"{want.name}: the policy cannot be fetched: {fault}" if fault else ""


async def _yielded(job: _Job, work: publish_wanted.Work) -> dict[Key, str]:
    """Return the record sets that stay other people's, or that may be, with the reasons."""
    found = {}
    for key, published in work.yielding.items():
        have = await job.asker.look_up(*key)
        if have.state == "silent":
            found[key] = (
                f"{key[0]} {key[1]}: other people may have records there, because the resolver gave"
                f" no usable answer: {have.why}"
            )
        else:
            found[key] = why_yielded(key, have.values, published, work.domain, job.marks)
    return {key: why for key, why in found.items() if why}
