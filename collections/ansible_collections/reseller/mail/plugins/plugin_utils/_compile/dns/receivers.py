# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the records by which mail reaches a domain: MX, MTA-STS, TLS-RPT, TLSA.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import ipaddress
import typing as t

from ..._dns.record import Row
from ..._model import mx as model_mx
from ..._model import names as model_names
from .. import mta_sts

if t.TYPE_CHECKING:
    from ..._model.domain import Domain
    from ..._model.estate import Estate, Node
    from ..._model.tenant import Tenant

NULL_MX = "0 ."
"""The MX of a name that takes no mail (RFC 7505)."""


def addresses(name: str, where: t.Iterable[str], purpose: str) -> t.Iterator[Row]:
    """Yield a name's A and AAAA records.

    A name that mail or mail programs use is never a CNAME (RFC 2181 section 10.3).
    """
    for address in map(ipaddress.ip_address, where):
        yield name, ("A" if address.version == 4 else "AAAA"), str(address), purpose


def mx(estate: Estate, tenant: Tenant, name: str) -> t.Iterator[Row]:
    """Yield the MX records of a name: the tenant's node first, then the backup MX."""
    for number, (priority, host) in enumerate(model_mx.hosts(estate, tenant)):
        yield name, "MX", f"{priority} {host}.", "backup_mx" if number else "mx"


def transport_security(
    estate: Estate, tenant: Tenant, domain: Domain, name: str
) -> t.Iterator[Row]:
    """Yield where to send reports about TLS (RFC 8460), the MTA-STS announcement and its host."""
    if domain.tls_reports_to:
        yield (
            f"_smtp._tls.{name}",
            "TXT",
            f"v=TLSRPTv1; rua={model_names.mailto(domain.tls_reports_to)}",
            "tls_rpt",
        )
    if domain.mta_sts:
        identity = mta_sts.policy_id(mta_sts.policy(domain.mta_sts, mta_sts.hosts(estate, tenant)))
        yield f"_mta-sts.{name}", "TXT", f"v=STSv1; id={identity};", "mta_sts"
        yield from addresses(f"mta-sts.{name}", estate.node_of(tenant).addresses, "mta_sts_address")


def tlsa(estate: Estate, node: Node) -> t.Iterator[tuple[str, Row]]:
    """Yield the TLSA records ``3 1 1`` of the node's keys, with the name that they belong to.

    ``3 1 1`` is the digest of the key itself (RFC 7671 section 5.1). The key in service and the
    next one are both published, so that senders find a matching record also while the key changes.
    Senders ask by the name in the MX record (RFC 7672 section 2.2).
    """
    names = model_mx.names(estate, node)
    for state in estate.states:
        if state.node == node.name:
            for key in state.tls:
                if key.name in names:
                    for digest in filter(None, (key.current, key.next)):
                        yield key.name, (f"_25._tcp.{key.name}", "TLSA", f"3 1 1 {digest}", "tlsa")
