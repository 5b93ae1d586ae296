# SPDX-License-Identifier: GPL-3.0-or-later
"""How mail programs find their servers: SRV (RFC 6186), autoconfig, autodiscover, branded names.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

from .. import _services
from .receivers import addresses
from .record import Row

if t.TYPE_CHECKING:
    from ..._model.domain import Domain
    from ..._model.estate import Estate, Node

SERVICES = (
    # RFC 8314 section 3 prefers implicit TLS, so STARTTLS submission has the weaker priority; target "." says that a
    # service is not offered (RFC 6186 section 3.4): the cleartext ports, and what the domain's people may not use.
    ("_submissions._tcp", "submission", 0, 465),
    ("_submission._tcp", "submission", 10, 587),
    ("_imaps._tcp", "imap", 0, 993),
    ("_pop3s._tcp", "pop3", 0, 995),
    ("_sieve._tcp", "sieve", 0, 4190),
    ("_imap._tcp", "", 0, 0),
    ("_pop3._tcp", "", 0, 0),
)


def services(domain: Domain, node: Node, name: str) -> t.Iterator[Row]:
    """Where each service is, under the name that the domain's people know."""
    host = _services.host(domain, node)
    for service, protocol, priority, port in SERVICES:
        yield (
            f"{service}.{name}",
            "SRV",
            f"{priority} 1 {port} {host}." if protocol in domain.protocols else "0 0 0 .",
            "srv",
        )


def settings(estate: Estate, domain: Domain, node: Node, name: str) -> t.Iterator[Row]:
    """The hosts that mail programs ask for their settings. The SRV record leads to a host of this domain's own: under a name that several
    domains share a file could not tell whose user asks."""
    if _services.finds_settings(domain):
        for label in _services.SETTINGS:
            yield from addresses(f"{label}.{name}", node.addresses, label)
            yield from caa(f"{label}.{name}", estate.caa)
        yield f"_autodiscover._tcp.{name}", "SRV", f"0 1 443 autodiscover.{name}.", "autodiscover"


def caa(name: str, authorities: t.Iterable[str]) -> t.Iterator[Row]:
    """For names that are ours alone, never for a domain itself: its website may have another authority. No wildcards: we ask
    for none."""
    found = [(name, "CAA", f'0 issue "{authority}"', "caa") for authority in authorities]
    if found:
        yield from found
        yield name, "CAA", '0 issuewild ";"', "caa"
