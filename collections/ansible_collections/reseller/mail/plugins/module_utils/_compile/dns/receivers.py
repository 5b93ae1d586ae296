# SPDX-License-Identifier: GPL-3.0-or-later
"""How mail gets to a domain: MX, MTA-STS (RFC 8461), TLS-RPT (RFC 8460), TLSA (RFC 7672).

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import ipaddress
import typing as t

from ... import _names
from .. import _mx, mta_sts
from .record import Row

if t.TYPE_CHECKING:
    from ..._model.domain import Domain
    from ..._model.estate import Estate, Node
    from ..._model.tenant import Tenant

NULL_MX = "0 ."


def addresses(name: str, where: t.Iterable[str], purpose: str) -> t.Iterator[Row]:
    """A name's A and AAAA records; a name that mail or mail programs use is never a CNAME (RFC 2181 section 10.3)."""
    for address in map(ipaddress.ip_address, where):
        yield name, ("A" if address.version == 4 else "AAAA"), str(address), purpose


def mx(estate: Estate, tenant: Tenant, name: str) -> t.Iterator[Row]:
    """The node and the backups."""
    for number, (priority, host) in enumerate(_mx.hosts(estate, tenant)):
        yield name, "MX", f"{priority} {host}.", "backup_mx" if number else "mx"


def transport_security(
    estate: Estate, tenant: Tenant, domain: Domain, name: str
) -> t.Iterator[Row]:
    """The announcement of the policy, the host that serves it, and whom to tell about failures."""
    if domain.tls_reports_to:
        yield (
            f"_smtp._tls.{name}",
            "TXT",
            f"v=TLSRPTv1; rua={_names.mailto(domain.tls_reports_to)}",
            "tls_rpt",
        )
    if domain.mta_sts:
        identity = mta_sts.policy_id(mta_sts.policy(domain.mta_sts, mta_sts.hosts(estate, tenant)))
        yield f"_mta-sts.{name}", "TXT", f"v=STSv1; id={identity};", "mta_sts"
        yield from addresses(f"mta-sts.{name}", estate.node_of(tenant).addresses, "mta_sts_address")


def tlsa(estate: Estate, node: Node) -> t.Iterator[tuple[str, Row]]:
    """3 1 1, the key itself (RFC 7671 section 5.1): the one in service and the one that comes next, so that a change of
    keys never finds a sender without a matching record. By the MX's name: it is the one that senders ask for (RFC 7672 section 2.2)."""
    names = _mx.names(estate, node)
    for state in estate.states:
        if state.node == node.name:
            for key in state.tls:
                if key.name in names:
                    for digest in filter(None, (key.current, key.next)):
                        yield key.name, (f"_25._tcp.{key.name}", "TLSA", f"3 1 1 {digest}", "tlsa")
