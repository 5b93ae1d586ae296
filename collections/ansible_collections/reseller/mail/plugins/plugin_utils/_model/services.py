# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers, ports and settings of a domain's users.

PRIVATE to the collection. Pure. DNS, automatic settings and the guide all use this.
"""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from .domain import Domain
    from .estate import Node, Provider

PORTS = (
    ("imap", 993, "tls"),
    ("pop3", 995, "tls"),
    ("submission", 465, "tls"),
    ("submission", 587, "starttls"),
    ("sieve", 4190, "starttls"),
)
"""Protocol, port and start of TLS of all services of the hosts. RFC 8314 section 3: implicit TLS
before STARTTLS."""

SETTINGS = {"autoconfig": "/mail/config-v1.1.xml", "autodiscover": "/autodiscover/autodiscover.xml"}
"""Where mail programs get their settings: the label before the domain, and the path."""


def host(domain: Domain, node: Node) -> str:
    """Return the name of the server for the domain's users."""
    return domain.branding.hostname or node.hostname


def brand(provider: Provider, domain: Domain) -> str:
    """Return the name of the service for the domain's users."""
    return domain.branding.name or provider.name


def offered(domain: Domain) -> tuple[tuple[str, int, str], ...]:
    """Return the rows of ``PORTS`` that the domain's users may use, the best first."""
    return tuple(row for row in PORTS if domain.type == "mail" and row[0] in domain.protocols)


def is_parked(domain: Domain) -> bool:
    """Return whether a domain has no address at all, so that it neither sends nor takes mail."""
    return domain.type == "mail" and not (
        domain.mailboxes or domain.aliases or domain.sender_addresses or domain.catch_all
    )


def finds_settings(domain: Domain) -> bool:
    """Return whether the hosts of ``SETTINGS`` are published, get certificates and answer.

    They do for a suspended domain, too: settings do not depend on logins, and suspensions end.
    """
    return domain.autodiscover and domain.type == "mail" and not is_parked(domain)
