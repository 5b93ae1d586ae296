# SPDX-License-Identifier: GPL-3.0-or-later
"""Define one DNS record, and say what each kind of record is for.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

TTL = 3600
"""Time to live of the estate's records, in seconds."""


@dataclass(frozen=True, slots=True, order=True)
class Record:
    """One DNS record.

    Attributes:
        domain: The served name that the record belongs to.
        name: The owner name: absolute, in lower case, without the last dot.
        type: The record's type, such as ``MX``.
        ttl: The time to live in seconds.
        value: The data as in a zone file. A TXT value is one unquoted string of any length.
        managed: Whether the provider writes it.
        purpose: A key of ``PURPOSES``.
    """

    domain: str
    name: str
    type: str
    ttl: int
    value: str
    managed: bool
    purpose: str = field(default="", compare=False)


Row = t.Tuple[str, str, str, str]
"""Owner name, type, value and purpose of a record, before it is known who writes it."""


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a kind of record is for.

    Attributes:
        why: The reason, for the person who adds the record.
        finding: The finding of ``verify`` about it.
        rows: The requirements that it fulfils.
        needed: Whether mail needs it. Without the others it works, but less well.
        yields: Whether a record set of other people stays in its place. The provider's domain may
            have its mail elsewhere, and the estate must not take it over.
    """

    why: str
    finding: str
    rows: tuple[str, ...]
    needed: bool = True
    yields: bool = False


PURPOSES: t.Final[dict[str, Purpose]] = {
    "mx": Purpose(
        "mail for the domain is delivered to its mail host", "dns.mx", ("S2-24", "S3-12")
    ),
    "provider_mx": Purpose(
        "postmaster and abuse of the provider's domain reach a person (RFC 5321 section 4.5.1)",
        "dns.provider_mx",
        ("S2-24",),
        yields=True,
    ),
    "backup_mx": Purpose(
        "mail waits at another host while the mail host is down", "dns.mx", ("S0-2", "S1-3")
    ),
    "null_mx": Purpose(
        "the name takes no mail, and senders learn it at once (RFC 7505)",
        "dns.null_mx",
        ("S2-24",),
        needed=False,
    ),
    "spf": Purpose(
        "lists the hosts that may send for the domain (RFC 7208)",
        "dns.spf",
        ("S0-3", "S0-7", "S1-4", "S1-5", "S3-13"),
    ),
    "null_spf": Purpose(
        "no host may send for this name, so that no one can forge mail from it",
        "dns.null_spf",
        ("S0-7",),
        needed=False,
    ),
    "dkim": Purpose(
        "the public key that receivers check signatures with (RFC 6376)",
        "dns.dkim",
        ("S2-28", "S3-7", "S3-14", "S3-18"),
    ),
    "dmarc": Purpose(
        "sets what receivers should do with forged mail, and who gets reports (RFC 9989)",
        "dns.dmarc",
        ("S2-27", "S3-15", "S3-16"),
    ),
    "dmarc_grant": Purpose(
        "allows reports about another domain to be sent here (RFC 9990 section 4)",
        "dns.dmarc_grant",
        ("S3-15",),
    ),
    "mta_sts": Purpose(
        "announces the policy that mail to the domain needs verified TLS (RFC 8461)",
        "dns.mta_sts",
        ("S3-19", "S3-21"),
    ),
    "mta_sts_address": Purpose(
        "leads to the host that serves the MTA-STS policy", "dns.address", ("S3-19", "S3-20")
    ),
    "tls_rpt": Purpose(
        "asks senders for reports about TLS (RFC 8460)", "dns.tls_rpt", ("S3-22",), needed=False
    ),
    "srv": Purpose(
        "lets mail programs find the servers, or shows that there is no such service (RFC 6186)",
        "dns.srv",
        ("S2-26",),
        needed=False,
    ),
    "autoconfig": Purpose(
        "lets mail programs find their settings", "dns.autoconfig", ("S2-26", "S4-6"), needed=False
    ),
    "autodiscover": Purpose(
        "lets Outlook find its settings", "dns.autodiscover", ("S2-26",), needed=False
    ),
    "client_address": Purpose(
        "the domain's own name for its mail server", "dns.address", ("S3-11", "S4-3", "S4-4")
    ),
    "caa": Purpose(
        "only these authorities may issue certificates for the name (RFC 8659)",
        "dns.caa",
        ("S4-4",),
        needed=False,
    ),
    "tlsa": Purpose(
        "the mail host's key, so that senders can verify TLS by DNSSEC (RFC 7672)",
        "dns.tlsa",
        ("S4-6",),
    ),
    "provider_spf": Purpose(
        "lists every host that sends for tenants; their records include it",
        "dns.provider_spf",
        ("S0-3", "S0-5", "S1-4"),
    ),
    "node_spf": Purpose(
        "the mail host may use its own name in EHLO (RFC 7208 section 2.3)",
        "dns.node_spf",
        ("S1-4",),
    ),
    "node_address": Purpose("leads to the mail host", "dns.node_address", ("S3-11",)),
    "backup_mx_address": Purpose("leads to the backup MX", "dns.node_address", ("S0-2", "S1-3")),
    "ptr": Purpose(
        "the address names its host, as large receivers demand", "dns.fcrdns", ("S3-11",)
    ),
}
"""By the purpose's id."""
