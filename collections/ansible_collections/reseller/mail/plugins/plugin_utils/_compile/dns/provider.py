# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the records of the provider's domain, of nodes and of backup MX, and their reverse records.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import ipaddress
import typing as t
from dataclasses import replace

from ..._dns.record import TTL, Record, Row
from ..._model import mx, outgoing
from ..._model.domain import Dmarc
from ..._model.names import is_in
from .. import opendkim
from . import clients, receivers, senders

if t.TYPE_CHECKING:
    from ..._model.estate import Estate

HOST_SPF = "v=spf1 a -all"
"""SPF of a mail host. Receivers check the name in EHLO, and bounces have no other name to check
(RFC 7208 sections 2.3 and 2.4)."""
HOST_DMARC = Dmarc("reject")
"""DMARC of a mail host. Only the host sends under its name, and all its mail passes.

Bounces pass by the name in EHLO. What a node sends itself passes by its signature.
"""


def hosts(estate: Estate) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Return every mail host by name: the purpose of its address records, and its addresses.

    Addresses for outgoing mail are among them. Their reverse records and EHLO have the name, so
    the name must lead back to them.
    """
    found = {
        backup.hostname: ("backup_mx_address", tuple(backup.addresses))
        for backup in estate.backup_mx
    }
    for node in estate.nodes:
        found[node.hostname] = ("node_address", outgoing.own_addresses(node))
        for host in node.outbound_hosts:
            found[host.hostname] = ("node_address", host.addresses)
    return found


def records(estate: Estate, served: t.Container[str]) -> t.Iterator[tuple[str, Row]]:
    """Yield the records with the name that they belong to.

    ``served`` are the names of served domains. A name that is also a mail domain has the SPF, DKIM,
    DMARC and CAA records of that domain, and no second ones.
    """
    provider = estate.provider.domain
    if provider not in served:
        yield provider, (provider, "TXT", senders.provider_spf(estate), "provider_spf")
    for name in {provider, *hosts(estate)}:
        if name not in served:
            yield from _dmarc(estate, name)
    yield from _dkim(estate, served)
    for priority, host in mx.provider_hosts(estate):
        yield provider, (provider, "MX", f"{priority} {host}.", "provider_mx")
    for host, (purpose, where) in hosts(estate).items():
        for row in receivers.addresses(host, where, purpose):
            yield host, row
        if host != provider and host not in served:
            yield from _names_of_host(estate, host)
    for node in estate.nodes:
        yield from receivers.tlsa(estate, node)


def _names_of_host(estate: Estate, host: str) -> t.Iterator[tuple[str, Row]]:
    """Yield the SPF and CAA records of a mail host whose name is no domain."""
    yield host, (host, "TXT", HOST_SPF, "node_spf")
    for row in clients.caa(host, estate.caa):
        yield host, row


def _dmarc(estate: Estate, name: str) -> t.Iterator[tuple[str, Row]]:
    """Yield the DMARC record of the provider's domain or of a host, and the permission for reports.

    A host has a record of its own: the provider's domain may be a tenant's and have a softer
    policy, and the host may be in another domain.
    """
    provider, own = estate.provider.domain, estate.own_names.dmarc
    settings = own if name == provider else replace(HOST_DMARC, reports_to=own.reports_to)
    yield name, (f"_dmarc.{name}", "TXT", senders.dmarc(settings), "dmarc")
    receiver = (own.reports_to or "").rpartition("@")[2]
    if is_in(receiver, provider):
        for row in senders.report_permission(receiver, name):
            yield provider, row


def _dkim(estate: Estate, served: t.Container[str]) -> t.Iterator[tuple[str, Row]]:
    """Yield the DKIM keys with which nodes sign what they send themselves."""
    keys = opendkim.published(estate)
    for node in estate.nodes:
        if node.hostname not in served:
            for row in senders.dkim(node.hostname, keys.get(node.hostname, ())):
                yield node.hostname, row


def reverse_records(estate: Estate, ttl: int = TTL) -> list[Record]:
    """Return the reverse records that the owner of the addresses should set, sorted.

    ``ttl`` is in seconds.
    """
    return sorted(
        Record(
            host,
            ipaddress.ip_address(address).reverse_pointer,
            "PTR",
            ttl,
            f"{host}.",
            False,
            "ptr",
        )
        for host, (_purpose, where) in hosts(estate).items()
        for address in where
    )
