# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses of the provider's own names, whose mail goes to the contact.

These names are those of the nodes, and the provider's domain if no one else takes its mail.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

from .addresses import Redirect

if t.TYPE_CHECKING:
    from .estate import Estate

NODE_ROLES: t.Final[tuple[str, ...]] = ("abuse", "mailer-daemon", "postmaster", "root")
"""The addresses of a host. Its own reports go to root, and replies to its bounces to mailer-daemon.
Every host that takes mail has a postmaster (RFC 5321 section 4.5.1)."""

PROVIDER_ROLES: t.Final[tuple[str, ...]] = ("abuse", "hostmaster", "noc", "postmaster", "security")
"""The addresses of those who run a network, its mail and its DNS (RFC 2142 sections 4 and 5)."""


def provider_domain(estate: Estate) -> str:
    """Return the provider's domain if the nodes take its mail for the contact, else "".

    They do not if a tenant has the domain, if it is the name of a host, or if the contact is in it.
    Then its mail already goes somewhere else.
    """
    name, contact = estate.provider.domain, estate.provider.contact
    if not contact or contact.endswith(f"@{name}"):
        return ""
    taken = {node.hostname for node in estate.nodes} | {
        backup.hostname for backup in estate.backup_mx
    }
    taken.update(one for _tenant, domain in estate.served_domains() for one in domain.names)
    return "" if name in taken else name


def redirects(estate: Estate) -> t.Iterator[tuple[str, Redirect]]:
    """Yield every address that delivers to the contact: domain and line of virtual_alias_maps."""
    contact = estate.provider.contact
    if contact:
        places = [(node.hostname, NODE_ROLES) for node in estate.nodes]
        own = provider_domain(estate)
        for domain, roles in (*places, *([(own, PROVIDER_ROLES)] if own else [])):
            for role in roles:
                yield (
                    domain,
                    Redirect(
                        role,
                        (contact,),
                        f"the role address {role}@{domain}",
                        estate.at,
                        ("provider", "contact"),
                    ),
                )
