# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the records by which mail programs find their servers: SRV, autoconfig, autodiscover, CAA.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

from ..._dns.record import Row
from ..._model import services as model_services
from .receivers import addresses

if t.TYPE_CHECKING:
    from ..._model.domain import Domain
    from ..._model.estate import Estate, Node

SERVICES = (
    ("_submissions._tcp", "submission", 0, 465),
    ("_submission._tcp", "submission", 10, 587),
    ("_imaps._tcp", "imap", 0, 993),
    ("_pop3s._tcp", "pop3", 0, 995),
    ("_sieve._tcp", "sieve", 0, 4190),
    ("_imap._tcp", "", 0, 0),
    ("_pop3._tcp", "", 0, 0),
)
"""Service, the protocol in the domain's file, priority, port.

RFC 8314 section 3 prefers TLS from the first byte, so submission with STARTTLS has the weaker
priority. The ports without TLS have no protocol: they are never offered.
"""


def services(domain: Domain, node: Node, name: str) -> t.Iterator[Row]:
    """Yield an SRV record for each service, with the mail server's name for this domain.

    The target ``.`` means that the domain does not have the service (RFC 6186 section 3.4).
    """
    host = model_services.host(domain, node)
    for service, protocol, priority, port in SERVICES:
        yield (
            f"{service}.{name}",
            "SRV",
            f"{priority} 1 {port} {host}." if protocol in domain.protocols else "0 0 0 .",
            "srv",
        )


def settings(estate: Estate, domain: Domain, node: Node, name: str) -> t.Iterator[Row]:
    """Yield the records of the hosts that mail programs ask for settings, if the domain has them.

    The SRV record leads to a host of this domain only. If several domains shared a host, a file
    there could not know the domain of the user who asks.
    """
    if model_services.finds_settings(domain):
        for label in model_services.SETTINGS:
            yield from addresses(f"{label}.{name}", node.addresses, label)
            yield from caa(f"{label}.{name}", estate.caa)
        yield f"_autodiscover._tcp.{name}", "SRV", f"0 1 443 autodiscover.{name}.", "autodiscover"


def caa(name: str, authorities: t.Iterable[str]) -> t.Iterator[Row]:
    """Yield the CAA records of a name that belongs to the estate alone (RFC 8659).

    Do not use it for a domain itself: its website may use another authority. Certificates for
    wildcards are forbidden, because the collection requests none.
    """
    found = [(name, "CAA", f'0 issue "{authority}"', "caa") for authority in authorities]
    if found:
        yield from found
        yield name, "CAA", '0 issuewild ";"', "caa"
