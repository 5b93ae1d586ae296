# SPDX-License-Identifier: GPL-3.0-or-later
"""Known DNS hosts: how they are recognised and how records are entered there.

Only certain facts are here. A fact that is not certain is None, and the page has no hint about it.
The record types are those of the hosts' own interfaces, as the providers of DNSControl and octoDNS
have them.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True)
class DnsHost:
    """A DNS host and its form for records.

    ``servers`` are patterns of the names of its name servers. ``url`` leads to its form. ``apex``
    is entered as the name of the domain itself; "" is an empty field. ``split``: a text longer than
    255 characters is entered as several quoted texts. ``dot``: a name that is a value needs its
    final dot, because the host appends the domain to a name without it. ``caa``, ``tlsa`` and
    ``srv`` are whether the host has these types. ``note`` is a key of the texts (``note_…``).
    """

    name: str
    servers: tuple[str, ...]
    url: str
    apex: str = "@"
    split: bool = False
    dot: bool = False
    caa: t.Optional[bool] = True
    tlsa: t.Optional[bool] = None
    srv: t.Optional[bool] = True
    note: str = ""

    def lacks(self, kind: str) -> bool:
        """Return whether the host certainly does not have records of that type."""
        return {"CAA": self.caa, "TLSA": self.tlsa, "SRV": self.srv}.get(kind) is False


HOSTS: t.Final = (
    DnsHost(
        "Akamai Connected Cloud (Linode)",
        ("*.linode.com",),
        "https://cloud.linode.com/domains",
        apex="",
        tlsa=False,
    ),
    DnsHost("All-Inkl", ("*.kasserver.com",), "https://kas.all-inkl.com", apex="", caa=None),
    DnsHost(
        "Amazon Route 53",
        ("*.awsdns-*.com", "*.awsdns-*.net", "*.awsdns-*.org", "*.awsdns-*.co.uk"),
        "https://console.aws.amazon.com/route53",
        apex="",
        split=True,
        tlsa=True,
    ),
    DnsHost("Bunny DNS", ("*.bunny.net",), "https://dash.bunny.net/dns", apex="", tlsa=False),
    DnsHost(
        "Cloudflare",
        ("*.ns.cloudflare.com",),
        "https://dash.cloudflare.com",
        tlsa=True,
        note="proxy",
    ),
    DnsHost(
        "deSEC",
        ("*.desec.io", "*.desec.org"),
        "https://desec.io/domains",
        apex="",
        dot=True,
        tlsa=True,
    ),
    DnsHost(
        "DigitalOcean",
        ("*.digitalocean.com",),
        "https://cloud.digitalocean.com/networking/domains",
        dot=True,
        tlsa=False,
    ),
    DnsHost(
        "DNSimple",
        ("*.dnsimple.com", "*.dnsimple-edge.com", "*.dnsimple-edge.net", "*.dnsimple-edge.org"),
        "https://dnsimple.com/dashboard",
        apex="",
        tlsa=False,
    ),
    DnsHost("Gandi", ("*.gandi.net",), "https://admin.gandi.net", dot=True, tlsa=True),
    DnsHost("GoDaddy", ("*.domaincontrol.com",), "https://dcc.godaddy.com"),
    DnsHost(
        "Google Cloud DNS",
        ("*.googledomains.com",),
        "https://console.cloud.google.com/net-services/dns",
        apex="",
        split=True,
        dot=True,
        tlsa=True,
    ),
    DnsHost(
        "Hetzner",
        (
            "*.ns.hetzner.com",
            "*.ns.hetzner.de",
            "*.your-server.de",
            "*.first-ns.de",
            "*.second-ns.com",
            "*.second-ns.de",
        ),
        "https://console.hetzner.com",
        split=True,
        dot=True,
        tlsa=True,
    ),
    DnsHost(
        "Infomaniak",
        ("*.infomaniak.ch", "*.infomaniak.com"),
        "https://manager.infomaniak.com",
        apex="",
        caa=True,
        tlsa=None,
    ),
    DnsHost(
        "INWX",
        ("*.inwx.de", "*.inwx.eu", "*.inwx.com", "*.inwx.net"),
        "https://www.inwx.com",
        apex="",
        tlsa=True,
    ),
    DnsHost(
        "IONOS",
        ("*.ui-dns.com", "*.ui-dns.de", "*.ui-dns.org", "*.ui-dns.biz"),
        "https://my.ionos.com/domains",
    ),
    DnsHost(
        "Microsoft Azure DNS",
        ("*.azure-dns.com", "*.azure-dns.net", "*.azure-dns.org", "*.azure-dns.info"),
        "https://portal.azure.com",
    ),
    DnsHost("Namecheap", ("*.registrar-servers.com",), "https://ap.www.namecheap.com", tlsa=False),
    DnsHost("netcup", ("*.netcup.net",), "https://www.customercontrolpanel.de", tlsa=True),
    DnsHost("NS1", ("*.nsone.net",), "https://my.nsone.net", apex="", tlsa=None),
    DnsHost(
        "OVHcloud",
        ("*.ovh.net", "*.ovh.ca", "*.anycast.me"),
        "https://www.ovh.com/manager",
        apex="",
        dot=True,
        tlsa=True,
    ),
    DnsHost(
        "Porkbun",
        ("*.ns.porkbun.com",),
        "https://porkbun.com/account/domainsSpeedy",
        apex="",
        tlsa=True,
    ),
    DnsHost(
        "STRATO",
        ("*.rzone.de",),
        "https://www.strato.de/apps/CustomerService",
        caa=None,
        srv=None,
        note="plan",
    ),
    DnsHost(
        "TransIP",
        ("*.transip.net", "*.transip.nl", "*.transip.eu"),
        "https://www.transip.nl/cp",
        dot=True,
        tlsa=True,
    ),
    DnsHost(
        "united-domains",
        ("*.udag.de", "*.udagdns.net", "*.udagdns.de"),
        "https://www.united-domains.de/portfolio",
        caa=None,
        srv=None,
    ),
    DnsHost(
        "Vercel", ("*.vercel-dns.com",), "https://vercel.com/dashboard/domains", apex="", tlsa=False
    ),
    DnsHost("Vultr", ("*.vultr.com",), "https://my.vultr.com/dns", apex="", tlsa=False),
)

_NAME = re.compile(r"(?<![\w.-])(?:[a-z0-9_-]+\.)+[a-z]{2,}(?![\w-])")


def recognise(servers: t.Iterable[str]) -> t.Optional[DnsHost]:
    """Return the DNS host that these name servers belong to.

    Returns None if no host is known, and if there are several: then the domain is moving between
    them, and the hints of one are wrong for the other.
    """
    found = {
        host.name: host
        for server in servers
        for host in HOSTS
        if any(fnmatchcase(server.lower().rstrip("."), pattern) for pattern in host.servers)
    }
    return next(iter(found.values())) if len(found) == 1 else None


def names_in(text: str) -> list[str]:
    """Return the host names in a text, such as what verify found about name servers."""
    return sorted(set(_NAME.findall(text.lower())))
