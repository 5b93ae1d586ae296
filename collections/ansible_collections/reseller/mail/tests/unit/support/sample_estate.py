# SPDX-License-Identifier: GPL-3.0-or-later
"""A small estate that has one of everything."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.reseller.mail.plugins.plugin_utils._model.domain import (
    Alias,
    Branding,
    Dmarc,
    Domain,
    DomainAlias,
    MtaSts,
    Relay,
    SenderAddress,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import (
    DkimKey,
    Estate,
    Node,
    NodeState,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._model.tenant import Tenant
from ansible_collections.reseller.mail.tests.unit.support import estates
from ansible_collections.reseller.mail.tests.unit.support.estates import GIB, mailbox


def _tenant(
    name: str, placement: str, owner: str, *domains: Domain, state: str = "active"
) -> Tenant:
    return estates.tenant(name, *domains, placement=placement, owner=owner, state=state)


ACME = Domain(
    "acme.example",
    "mail",
    "it@acme.example",
    mailboxes=(
        mailbox("it@acme.example", None),
        mailbox("jo@acme.example", 5 * GIB),
        mailbox("ex@acme.example", state="suspended"),
    ),
    aliases=(
        Alias(
            "sales", "acme.example", ("jo@acme.example", "ann@globex.example"), "it@acme.example"
        ),
        Alias("office", "acme.example", ("team@acme.example",), "it@acme.example", may_send=True),
        Alias(
            "team",
            "acme.example",
            (
                "jo@acme-mail.example",
                "ex@acme.example",
                "ann@globex.example",
                "office@acme.example",
            ),
            "it@acme.example",
        ),
        Alias(
            "abuse",
            "acme.example",
            ("it@acme.example", "desk@elsewhere.example"),
            "it@acme.example",
        ),
    ),
    sender_addresses=(
        SenderAddress("noreply", "acme.example", "jo@acme.example", "it@acme.example"),
    ),
    domain_aliases=(DomainAlias("acme-mail.example", "it@acme.example", managed=True),),
    managed=True,
    dmarc=Dmarc("test", "it@acme.example"),
    mta_sts=MtaSts("testing", 86400),
    tls_reports_to="it@acme.example",
    branding=Branding("mail.acme.example", "Acme Mail"),
)
SHOP = Domain(
    "shop.example",
    "mail",
    "it@acme.example",
    mailboxes=(mailbox("orders@shop.example", 1536 * 2**20),),
    domain_aliases=(DomainAlias("shop-alias.example", "it@acme.example"),),
    catch_all="orders@shop.example",
)
GLOBEX = Domain(
    "globex.example",
    "mail",
    "ann@globex.example",
    mailboxes=(mailbox("ann@globex.example"),),
    domain_aliases=(DomainAlias("globex.test", "ann@globex.example"),),
    catch_all="ann@globex.example",
    dmarc=Dmarc("reject", "reports@hosting.example"),
)
LEGACY = Domain(
    "legacy.example",
    "relay",
    "ann@globex.example",
    relay=Relay("mail.stranger.example", 25, ("peter", "postmaster")),
)

ESTATE = Estate(
    estates.PROVIDER,
    nodes=(
        Node("mx1", "mx1.hosting.example", 12, ("192.0.2.1", "2001:db8::1")),
        estates.MX2,
    ),
    plans=(),
    tenants=(
        _tenant("acme", "mx1", "it@acme.example", ACME, SHOP),
        _tenant("globex", "mx2", "ann@globex.example", GLOBEX, LEGACY),
        _tenant(
            "later",
            "mx1",
            "x@later.example",
            Domain("later.example", "mail", "x@later.example"),
            state="pending",
        ),
    ),
    states=(
        NodeState(
            "mx1", (DkimKey("acme.example", "mx1", "A" * 400), DkimKey("gone.example", "mx1", "B"))
        ),
    ),
)
MX1, MX2 = ESTATE.nodes


def with_tenant(estate: Estate, name: str, **changes: t.Any) -> Estate:
    """The estate with one tenant changed."""
    return dataclasses.replace(
        estate,
        tenants=tuple(
            dataclasses.replace(each, **changes) if each.name == name else each
            for each in estate.tenants
        ),
    )


def with_domain(estate: Estate, name: str, **changes: t.Any) -> Estate:
    """The estate with one domain changed."""
    for tenant in estate.tenants:
        if any(domain.name == name for domain in tenant.domains):
            domains = tuple(
                dataclasses.replace(domain, **changes) if domain.name == name else domain
                for domain in tenant.domains
            )
            return with_tenant(estate, tenant.name, domains=domains)
    raise KeyError(name)


def with_mailbox(estate: Estate, address: str, **changes: t.Any) -> Estate:
    """The estate with one mailbox changed."""
    name = address.rpartition("@")[2]
    (domain,) = (
        domain for tenant in estate.tenants for domain in tenant.domains if domain.name == name
    )
    mailboxes = tuple(
        dataclasses.replace(box, **changes) if box.address == address else box
        for box in domain.mailboxes
    )
    return with_domain(estate, name, mailboxes=mailboxes)
