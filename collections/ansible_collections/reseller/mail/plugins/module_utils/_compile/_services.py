# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a domain's people find their servers: one source for DNS, automatic settings and the guide.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from .._model.domain import Domain
    from .._model.estate import Node, Provider

PORTS = (
    ("imap", 993, "tls"),
    ("pop3", 995, "tls"),
    ("submission", 465, "tls"),
    ("submission", 587, "starttls"),
    ("sieve", 4190, "starttls"),
)
"""Protocol, port, how TLS begins: all that hosts offer. RFC 8314 section 3: implicit TLS before STARTTLS."""

SETTINGS = {"autoconfig": "/mail/config-v1.1.xml", "autodiscover": "/autodiscover/autodiscover.xml"}
"""Where mail programs ask for their settings: a label before the domain, and the path there."""


def host(domain: Domain, node: Node) -> str:
    """The server's name as the domain's people know it."""
    return domain.branding.hostname or node.hostname


def brand(provider: Provider, domain: Domain) -> str:
    """Whose service it is, as the domain's people know it."""
    return domain.branding.name or provider.name


def offered(domain: Domain) -> tuple[tuple[str, int, str], ...]:
    """Those of ``PORTS`` that the domain's people may use, the best first."""
    return tuple(row for row in PORTS if domain.type == "mail" and row[0] in domain.protocols)


def is_parked(domain: Domain) -> bool:
    """A domain file that names nobody: no mail is sent or taken under it."""
    return domain.type == "mail" and not (
        domain.mailboxes or domain.aliases or domain.sender_addresses or domain.catch_all
    )


def finds_settings(domain: Domain) -> bool:
    """Whether the hosts of ``SETTINGS`` are published, get certificates and answer: all of that or nothing. Those of a suspended domain do:
    whether somebody may log in is no matter of settings, and suspensions end."""
    return domain.autodiscover and domain.type == "mail" and not is_parked(domain)
