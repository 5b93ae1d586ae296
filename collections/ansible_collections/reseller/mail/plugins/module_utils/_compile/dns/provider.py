# SPDX-License-Identifier: GPL-3.0-or-later
"""What the names of the provider, its nodes and its backup MX say, and what their addresses should say.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import ipaddress
import typing as t

from . import clients, receivers, senders
from .record import TTL, Record, Row

if t.TYPE_CHECKING:
    from ..._model.estate import Estate

OWN_NAME = "v=spf1 a -all"
"""Receivers check the name in EHLO too, and it is all they have for bounces (RFC 7208 sections 2.3 and 2.4)."""


def hosts(estate: Estate) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Every mail host by name: the purpose of its addresses, and the addresses. Those that mail only leaves by belong to
    the name too: it is what their reverse names and EHLO say, and both must lead back."""
    found = {backup.hostname: ("backup_mx_address", tuple(backup.addresses)) for backup in estate.backup_mx}
    for node in estate.nodes:
        own = (*node.addresses, *node.outbound_addresses)
        found[node.hostname] = ("node_address", tuple(dict.fromkeys(own)))
    return found


def records(estate: Estate, served: t.Container[str]) -> t.Iterator[tuple[str, Row]]:
    """By the name they belong to. A name that is a mail domain as well has that domain's SPF record, and no second one."""
    provider = estate.provider.domain
    if provider not in served:
        yield provider, (provider, "TXT", senders.provider_spf(estate), "provider_spf")
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


def wishes(estate: Estate, ttl: int = TTL) -> list[Record]:
    """The reverse names that whoever owns the addresses should give them, sorted."""
    return sorted(
        Record(host, ipaddress.ip_address(address).reverse_pointer, "PTR", ttl, f"{host}.", False, "ptr")
        for host, (_purpose, where) in hosts(estate).items()
        for address in where
    )
