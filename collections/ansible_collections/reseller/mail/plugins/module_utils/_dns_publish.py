# SPDX-License-Identifier: GPL-3.0-or-later
"""Publishes what the model says about the domains that the provider manages. Does input and output; runs on the controller only.

PRIVATE to the collection.
"""

from __future__ import annotations

import asyncio
import typing as t
from dataclasses import dataclass, field

from ansible_collections.reseller.mail.plugins.module_utils import _dns_update, _https_policy
from ansible_collections.reseller.mail.plugins.module_utils._compile import dns as compile_dns
from ansible_collections.reseller.mail.plugins.module_utils._compile import mta_sts
from ansible_collections.reseller.mail.plugins.module_utils._dns_plan import Change, Key, Ours, RRset, candidates, plan

if t.TYPE_CHECKING:
    import ssl

    from ansible_collections.reseller.mail.plugins.module_utils._dns_query import Asker
    from ansible_collections.reseller.mail.plugins.module_utils._dns_update import Primary
    from ansible_collections.reseller.mail.plugins.module_utils._model import Domain, Estate


@dataclass(slots=True)
class Outcome:
    """What was (or in check mode would be) changed, what waits for something, who has not heard yet, what went wrong."""

    changes: list[Change] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    lagging: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Planned:
    changes: list[Change]
    raw: dict[tuple[str, str, str], t.Any]
    pending: list[str]
    faults: list[str]


def ours(estate: Estate) -> Ours:
    """The marks by which records of this estate are known again."""
    branded = (domain.branding.hostname for tenant in estate.tenants for domain in tenant.domains)
    return Ours(
        frozenset(name for name in (*(node.hostname for node in estate.nodes), *branded) if name),
        frozenset(address for node in estate.nodes for address in node.addresses),
        frozenset(node.dkim_selector for node in estate.nodes),
        estate.provider.domain,
    )


def policies(estate: Estate) -> dict[str, str]:
    """The MTA-STS policy that each served name should show the world."""
    return {
        name: mta_sts.policy(domain.mta_sts, estate.node_of(tenant))
        for tenant, domain in estate.served_domains() if domain.mta_sts
        for name in domain.names
    }


def _managed_names(domain: Domain) -> list[str]:
    aliases = [alias.name for alias in domain.domain_aliases if alias.managed]
    return [domain.name, *aliases] if domain.managed else aliases


def wanted_sets(estate: Estate) -> dict[str, dict[Key, RRset]]:
    """By domain, the record sets to publish. A managed domain that left the hosts is there with none, so that its records go."""
    found: dict[str, dict[Key, RRset]] = {
        name: {} for tenant in estate.tenants if tenant.state == "terminated"
        for domain in tenant.domains for name in _managed_names(domain)
    }
    for record in compile_dns.records(estate):
        if record.managed:
            sets = found.setdefault(record.domain, {})
            key = (record.name, record.type)
            before = sets[key].values if key in sets else frozenset()
            sets[key] = RRset(*key, record.ttl, before | {record.value})
    return found


@dataclass(frozen=True, slots=True)
class _Job:
    """What planning every domain needs; worked out once."""

    asker: Asker
    primary: Primary
    context: ssl.SSLContext
    own: frozenset[str]
    marks: Ours
    policies: dict[str, str]
    unreported: frozenset[tuple[str, str]]


async def _policy_fault(asker: Asker, domain: str, policy: str, context: ssl.SSLContext) -> str:
    addresses = await asker.addresses(f"mta-sts.{domain}")
    return _https_policy.judge(await asyncio.to_thread(_https_policy.fetch, domain, addresses, context), policy)


async def _plan_domain(job: _Job, domain: str, wanted: dict[Key, RRset]) -> _Planned:
    # The provider's own names are more than mail: there nothing is looked for beyond what is wanted.
    elsewhere = [] if domain in job.own else candidates(domain, job.marks)
    found = await _dns_update.read(job.asker, job.primary, wanted.keys(), elsewhere)
    if found.faults:
        return _Planned([], {}, [], found.faults)
    # A key that its node has not reported (again) yet is no reason to withdraw the one that mail is signed with.
    held = {(f"{selector}._domainkey.{name}", "TXT") for name, selector in job.unreported if name == domain}
    pending = [f"{name}: its node has not reported the key" for name, _type in sorted(held)]
    sts = (f"_mta-sts.{domain}", "TXT")
    have = found.sets.get(sts)
    if sts in wanted and (have is None or have.values != wanted[sts].values):
        # RFC 8461 section 3.1: the record tells senders to fetch the policy, so the policy must be there first. A host that
        # is only now being published is not asked for: resolvers would remember for a while that there is none.
        host = f"mta-sts.{domain}"
        if found.sets.keys() & {(host, "A"), (host, "AAAA")}:
            fault = await _policy_fault(job.asker, domain, job.policies[domain], job.context)
        else:
            fault = f"{host} has no address yet"
        if fault:
            held.add(sts)
            pending.append(f"{sts[0]}: the policy cannot be fetched: {fault}")
    return _Planned(plan(domain, wanted, found.sets, job.marks, held), found.raw, pending, [])


async def publish(estate: Estate, asker: Asker, primary: Primary, ca_file: str, seconds: float, check_mode: bool) -> Outcome:
    """Plans every domain, sends one update for every zone, waits until all its servers have it. One zone's trouble stops no other."""
    own = frozenset((estate.provider.domain, *(node.hostname for node in estate.nodes)))
    job = _Job(
        asker, primary, _https_policy.tls_context(ca_file), own, ours(estate), policies(estate),
        frozenset(compile_dns.pending(estate)),
    )
    outcome = Outcome()
    zones: dict[str, list[Change]] = {}
    raw: dict[tuple[str, str, str], t.Any] = {}
    for planned in await asyncio.gather(*(_plan_domain(job, domain, sets) for domain, sets in sorted(wanted_sets(estate).items()))):
        outcome.pending += planned.pending
        outcome.faults += planned.faults
        raw.update(planned.raw)
        for change in planned.changes:
            zone = await asker.zone_of(change.name, primary.server)
            if zone is None:
                outcome.faults.append(f"{primary.server} is not authoritative for {change.name}")
            else:
                zones.setdefault(zone, []).append(change)
    written = []
    for zone, changes in sorted(zones.items()):
        try:
            if not check_mode:
                await _dns_update.send(primary, zone, changes, raw)
                written.append(zone)
            outcome.changes += changes
        except _dns_update.DnsFailure as exc:
            outcome.faults.append(str(exc))
    behind = await asyncio.gather(*(_dns_update.wait(asker, primary, zone, seconds) for zone in written))
    outcome.lagging = [f"{zone}: {server}" for zone, servers in zip(written, behind, strict=True) for server in servers]
    return outcome
