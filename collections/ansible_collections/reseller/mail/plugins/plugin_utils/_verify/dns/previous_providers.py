# SPDX-License-Identifier: GPL-3.0-or-later
"""Names by which records of previous mail providers are recognised.

PRIVATE to the collection. Pure. ``_dns/spf.py`` has their terms in SPF.
"""

from __future__ import annotations

import typing as t

MX = {
    "google.com": "Google Workspace",
    "googlemail.com": "Google Workspace",
    "protection.outlook.com": "Microsoft 365",
    "mx.microsoft": "Microsoft 365",
    "messagingengine.com": "Fastmail",
    "protonmail.ch": "Proton Mail",
    "migadu.com": "Migadu",
    "zoho.com": "Zoho Mail",
    "zoho.eu": "Zoho Mail",
    "secureserver.net": "GoDaddy",
    "kundenserver.de": "IONOS",
    "ionos.com": "IONOS",
    "gandi.net": "Gandi",
    "ovh.net": "OVHcloud",
    "hostinger.com": "Hostinger",
    "privateemail.com": "Namecheap Private Email",
    "titan.email": "Titan",
    "mail.mailcheap.co": "Mailcheap",
}
CLIENTS = {
    "outlook.com": "Microsoft 365",
    "office365.com": "Microsoft 365",
    "secureserver.net": "GoDaddy",
    "ionos.info": "IONOS",
    "privateemail.com": "Namecheap Private Email",
    "zoho.com": "Zoho Mail",
}
SELECTORS = {
    "selector1": "Microsoft 365",
    "google": "Google Workspace",
    "protonmail": "Proton Mail",
}
"""Selectors of DKIM keys: one for each provider is enough."""


def host_of(name: str, hosts: t.Mapping[str, str]) -> t.Optional[str]:
    """Return the provider to which a name belongs; None if it is none of these."""
    name = name.rstrip(".").lower()
    return next(
        (host for suffix, host in hosts.items() if name == suffix or name.endswith(f".{suffix}")),
        None,
    )
