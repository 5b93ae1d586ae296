# SPDX-License-Identifier: GPL-3.0-or-later
"""What the names of the provider, its nodes and its backup MX say, and what their addresses should say.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import ipaddress
import typing as t
from dataclasses import replace

from ..._model.domain import Dmarc
from ..._names import is_in
from .. import _mx, opendkim
from . import clients, receivers, senders
from .record import TTL, Record, Row

if t.TYPE_CHECKING:
    from ..._model.estate import Estate

OWN_NAME = "v=spf1 a -all"
"""Receivers check the name in EHLO too, and it is all they have for bounces (RFC 7208 sections 2.3 and 2.4)."""
HOST_DMARC = Dmarc("reject")
"""Only the host itself sends under its name, and all of that passes: bounces by the name in EHLO, and what a node sends by its signature."""


def hosts(estate: Estate) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Every mail host by name: the purpose of its addresses, and the addresses. Those that mail only leaves by belong to
    the name too: it is what their reverse names and EHLO say, and both must lead back."""
    found = {
        backup.hostname: ("backup_mx_address", tuple(backup.addresses))
        for backup in estate.backup_mx
    }
    for node in estate.nodes:
        own = (*node.addresses, *node.outbound_addresses)
        found[node.hostname] = ("node_address", tuple(dict.fromkeys(own)))
    return found


def records(estate: Estate, served: t.Container[str]) -> t.Iterator[tuple[str, Row]]:
    """By the name they belong to. A name that is a mail domain as well has that domain's records about senders, and no second ones."""
    provider = estate.provider.domain
    if provider not in served:
        yield provider, (provider, "TXT", senders.provider_spf(estate), "provider_spf")
    for name in {provider, *hosts(estate)}:
        if name not in served:
            yield from _dmarc(estate, name)
    yield from _dkim(estate, served)
    for priority, host in _mx.provider_hosts(estate):
        yield provider, (provider, "MX", f"{priority} {host}.", "provider_mx")
    for host, (purpose, where) in hosts(estate).items():
        for row in receivers.addresses(host, where, purpose):
            yield host, row
        if host != provider and host not in served:
            yield host, (host, "TXT", OWN_NAME, "node_spf")
        if host not in served and host != provider:
            for row in clients.caa(host, estate.caa):
                yield host, row
    for node in estate.nodes:
        yield from receivers.tlsa(estate, node)


def _dmarc(estate: Estate, name: str) -> t.Iterator[tuple[str, Row]]:
    """A host has a record of its own: the provider's domain may be a tenant's, with a softer policy, and the host may lie elsewhere."""
    provider, own = estate.provider.domain, estate.own_names.dmarc
    settings = own if name == provider else replace(HOST_DMARC, reports_to=own.reports_to)
    yield name, (f"_dmarc.{name}", "TXT", senders.dmarc(settings), "dmarc")
    receiver = (own.reports_to or "").rpartition("@")[2]
    if is_in(receiver, provider):
        for row in senders.grant(receiver, name):
            yield provider, row


def _dkim(estate: Estate, served: t.Container[str]) -> t.Iterator[tuple[str, Row]]:
    keys = opendkim.published(estate)
    for node in estate.nodes:
        if node.hostname not in served:
            for row in senders.dkim(node.hostname, keys.get(node.hostname, ())):
                yield node.hostname, row


def wishes(estate: Estate, ttl: int = TTL) -> list[Record]:
    """The reverse names that whoever owns the addresses should give them, sorted."""
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
