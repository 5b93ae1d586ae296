# SPDX-License-Identifier: GPL-3.0-or-later
"""Every DNS record that the estate's domains need, and how a zone file spells them.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import ipaddress
import typing as t
from dataclasses import dataclass

from .._names import nearest
from . import mta_sts, opendkim

if t.TYPE_CHECKING:
    from .._model import Dmarc, Domain, Estate, Node, Tenant

TTL = 3600

DMARC_POLICY = {"observe": "p=none", "test": "p=quarantine; t=y", "quarantine": "p=quarantine", "reject": "p=reject"}
"""RFC 9989: ``t=y`` asks receivers to report but not to act; ``pct`` is gone."""

SERVICES = (
    # RFC 8314 section 3 prefers implicit TLS, so STARTTLS submission has the weaker priority; target "." says that a
    # service is not offered (RFC 6186 section 3.4): the cleartext ports.
    ("_submissions._tcp", 0, 465),
    ("_submission._tcp", 10, 587),
    ("_imaps._tcp", 0, 993),
    ("_pop3s._tcp", 0, 995),
    ("_sieve._tcp", 0, 4190),
    ("_imap._tcp", 0, 0),
    ("_pop3._tcp", 0, 0),
)


@dataclass(frozen=True, slots=True, order=True)
class Record:
    """One record. ``domain`` is the served name it belongs to, ``name`` is absolute, lower case, without trailing dot,
    ``value`` as in a zone file but for TXT: one unquoted string of any length. ``managed``: the provider writes it."""

    domain: str
    name: str
    type: str
    ttl: int
    value: str
    managed: bool


def records(estate: Estate, ttl: int = TTL) -> list[Record]:
    """All records, sorted. A DKIM key that no node has reported yet has none; ``pending`` lists those."""
    found = set(_provider(estate, ttl))
    managed = _managed_names(estate)
    for tenant, domain in estate.served_domains():
        for name in domain.names:
            for owner, kind, value in _name(estate, tenant, domain, name):
                found.add(Record(name, owner, kind, ttl, value, managed[name]))
        branded = domain.branding.hostname
        zone = nearest(branded, managed) if branded else None
        if branded and zone:
            for kind, value in _addresses(estate.node_of(tenant)):
                found.add(Record(zone, branded, kind, ttl, value, managed[zone]))
        found.update(_report_grants(estate, tenant, domain, managed, ttl))
    return sorted(found)


def pending(estate: Estate) -> list[tuple[str, str]]:
    """(domain name, selector) of every key that is needed and was not reported by its node, sorted."""
    reported = {(state.node, key.domain, key.selector) for state in estate.states for key in state.dkim}
    return sorted(
        (name, node.dkim_selector)
        for node in estate.nodes
        for name in opendkim.names(estate, node)
        if (node.name, name, node.dkim_selector) not in reported
    )


def zone_fragment(records: t.Iterable[Record], domain: str) -> str:
    """The domain's records as lines of a BIND zone file, absolute names, sorted."""
    return "".join(f"{line}\n" for line in sorted(zone_line(record) for record in records if record.domain == domain))


def _provider(estate: Estate, ttl: int) -> t.Iterator[Record]:
    """What the names of the provider and its nodes say about senders."""
    # Addresses, not names: tenants include this record, and receivers give up after ten lookups (RFC 7208 section 4.6.4).
    senders = " ".join(f"ip{ipaddress.ip_address(address).version}:{address}" for node in estate.nodes for address in node.addresses)
    provider = estate.provider.domain
    yield Record(provider, provider, "TXT", ttl, f"v=spf1 {senders} -all", True)
    for node in estate.nodes:
        if node.hostname != provider:
            # Receivers check the name in EHLO too, and it is all they have for bounces (RFC 7208 sections 2.3 and 2.4).
            yield Record(node.hostname, node.hostname, "TXT", ttl, "v=spf1 a -all", node.hostname.endswith(f".{provider}"))


def _managed_names(estate: Estate) -> dict[str, bool]:
    """Every name whose zone is the estate's, and whether the provider writes it."""
    found = {estate.provider.domain: True}
    for _tenant, domain in estate.served_domains():
        found[domain.name] = domain.managed
        found.update((alias.name, alias.managed) for alias in domain.domain_aliases)
    return found


def _name(estate: Estate, tenant: Tenant, domain: Domain, name: str) -> t.Iterator[tuple[str, str, str]]:
    """The mail records of one name of a domain, as (owner name, type, value)."""
    node = estate.node_of(tenant)
    yield name, "MX", f"10 {node.hostname}."
    # People of a relay domain work on its own server and send from there.
    theirs = f" a:{domain.relay.host}" if domain.relay else ""
    yield name, "TXT", f"v=spf1 include:{estate.provider.domain}{theirs} -all"
    yield f"_dmarc.{name}", "TXT", _dmarc(domain.dmarc)
    if domain.tls_reports_to:
        yield f"_smtp._tls.{name}", "TXT", f"v=TLSRPTv1; rua=mailto:{domain.tls_reports_to}"
    if domain.mta_sts:
        identity = mta_sts.policy_id(mta_sts.policy(domain.mta_sts, node))
        yield f"_mta-sts.{name}", "TXT", f"v=STSv1; id={identity};"
        for kind, value in _addresses(node):
            yield f"mta-sts.{name}", kind, value
    if domain.type != "mail":
        return
    # Whatever any node reported stays published: after a move, mail signed by the old node is still on its way.
    for state in estate.states:
        for key in state.dkim:
            if key.domain == name:
                yield f"{key.selector}._domainkey.{name}", "TXT", f"v=DKIM1; k=rsa; p={key.public}"
    client_host = domain.branding.hostname or node.hostname
    for service, priority, port in SERVICES:
        value = f"{priority} 1 {port} {client_host}." if port else "0 0 0 ."
        yield f"{service}.{name}", "SRV", value


def _addresses(node: Node) -> t.Iterator[tuple[str, str]]:
    for address in node.addresses:
        yield ("A" if ipaddress.ip_address(address).version == 4 else "AAAA"), address


def _dmarc(dmarc: Dmarc) -> str:
    reports = f"; rua=mailto:{dmarc.reports_to}" if dmarc.reports_to else ""
    return f"v=DMARC1; {DMARC_POLICY[dmarc.stage]}{reports}"


def _report_grants(estate: Estate, tenant: Tenant, domain: Domain, managed: dict[str, bool], ttl: int) -> t.Iterator[Record]:
    """RFC 9990 section 4: a domain says which others may send their reports to it. Names in one tree share an
    organisational domain and need no grant. Only the tenant's own names and the provider's give it by themselves: a
    tenant's file must not write into a neighbour's zone, nor consent for one."""
    receiver = (domain.dmarc.reports_to or "").rpartition("@")[2]
    if receiver == estate.provider.domain or any(receiver in own.names for own in tenant.domains):
        for name in domain.names:
            if name != receiver and not name.endswith(f".{receiver}") and not receiver.endswith(f".{name}"):
                owner = f"{name}._report._dmarc.{receiver}"
                yield Record(receiver, owner, "TXT", ttl, "v=DMARC1", managed[receiver])


def zone_line(record: Record) -> str:
    """One record as a line of a zone file that any name server software takes."""
    value = _quoted(record.value) if record.type == "TXT" else record.value
    return f"{record.name}. {record.ttl} IN {record.type} {value}"


def _quoted(text: str) -> str:
    """A TXT value as character-strings of at most 255 bytes each (RFC 1035 section 3.3)."""
    data = text.encode()
    pieces = [data[start : start + 255] for start in range(0, len(data), 255)] or [b""]
    return " ".join('"' + "".join(_escaped(byte) for byte in piece) + '"' for piece in pieces)


def _escaped(byte: int) -> str:
    if byte in b'"\\':
        return f"\\{chr(byte)}"
    return chr(byte) if 32 <= byte < 127 else f"\\{byte:03d}"
