# SPDX-License-Identifier: GPL-3.0-or-later
"""What the judge follows is what Postfix will follow: random estates are judged, and the tables
that are made of them expanded."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils import _judge
from ansible_collections.reseller.mail.plugins.plugin_utils._compile import postfix
from ansible_collections.reseller.mail.plugins.plugin_utils._judge import targets
from ansible_collections.reseller.mail.plugins.plugin_utils._model.domain import (
    Alias,
    Domain,
    DomainAlias,
    Forward,
    Mailbox,
    SenderAddress,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import (
    Estate,
    Node,
)
from ansible_collections.reseller.mail.tests.unit.support import estates
from hypothesis import given, settings
from hypothesis import strategies as st

NODES = (
    Node("mx1", "mx1.hosting.example", 12, ("192.0.2.1",)),
    Node("mx2", "mx2.hosting.example", 13, ("192.0.2.2",)),
)
NAMES = ("a.example", "b.example", "c.example")
ALSO = {"a.example": "a-too.example"}
LOCALS = ("p", "q", "postmaster")
FOLLOWED = frozenset(("alias-loop", "too-many-recipients", "alias-chain-too-long"))
LIMIT, LONGEST = 6, 4

local_parts = st.sampled_from((*LOCALS, "abuse", "nobody", "p+x", "q+y"))
addresses = st.one_of(
    st.builds("{}@{}".format, local_parts, st.sampled_from((*NAMES, *ALSO.values()))),
    st.builds("{}@stranger.example".format, st.sampled_from("klmno")),
)
lists = st.lists(addresses, min_size=1, max_size=3).map(tuple)


@st.composite
def domains(draw: st.DrawFn, name: str) -> Domain:
    """A domain whose every address is something else each time: a mailbox, a forward, an alias, a
    sender address or nothing."""
    kinds = {
        local: draw(st.sampled_from(("none", "mailbox", "kept", "handed on", "alias", "sender")))
        for local in LOCALS
    }
    boxes = [Mailbox("it", name, None, "")]
    for local, kind in kinds.items():
        if kind in ("mailbox", "kept", "handed on"):
            to = draw(
                lists.filter(lambda found, own=f"{local}@{name}": own not in found)
            )  # refused, though it does no harm
            forward = None if kind == "mailbox" else Forward(to, keep_copy=kind == "kept")
            boxes.append(Mailbox(local, name, None, "", forward=forward))
    senders = st.sampled_from([box.address for box in boxes])
    return Domain(
        name,
        "mail",
        "",
        mailboxes=tuple(boxes),
        aliases=tuple(
            Alias(local, name, draw(lists), "") for local, kind in kinds.items() if kind == "alias"
        ),
        sender_addresses=tuple(
            SenderAddress(local, name, draw(senders), "")
            for local, kind in kinds.items()
            if kind == "sender"
        ),
        domain_aliases=(DomainAlias(ALSO[name], ""),) if name in ALSO else (),
        catch_all=draw(st.none() | addresses),
    )


def estate(owners: t.Sequence[str], *its: Domain) -> Estate:
    """Each domain is a tenant's own; the first and the last on one node."""
    tenants = [
        estates.tenant(domain.name[0], domain, placement=NODES[nth % 2].name, owner=owner)
        for nth, (owner, domain) in enumerate(zip(owners, its, strict=True))
    ]
    return estates.estate(*tenants, nodes=NODES)


class Nodes:
    """What nodes with these tables make of an address: every delivery by itself, on the node that
    has the domain."""

    def __init__(self, whole: Estate) -> None:
        tables = [postfix.lookups(whole, node) for node in whole.nodes]
        self.aliases, self.mailboxes, self.domains, also = (
            {
                key: value
                for table in tables
                for key, value in (
                    line.split("\t") for line in table[f"postfix/{name}"].splitlines()
                )
            }
            for name in (
                "virtual_alias_maps",
                "virtual_mailbox_maps",
                "virtual_mailbox_domains",
                "virtual_alias_domains",
            )
        )
        self.domains |= also

    def _found(self, address: str) -> tuple[str, tuple[str, ...]]:
        local, _at, host = address.partition("@")
        for key in (f"{local.partition('+')[0]}@{host}", f"@{host}"):
            if key in self.aliases:
                return key, tuple(self.aliases[key].split(", "))
        return "", ()

    def expand(self, address: str, path: tuple[str, ...] = ()) -> tuple[bool, int, int]:
        """Whether it goes round, how many recipients it comes to, how many keys are found one
        behind the other."""
        key, found = self._found(address)
        if key in path:
            return True, 0, 0
        # A mailbox that maps to itself keeps a copy, and a name of a domain alias is no address of
        # its own: Postfix's own steps cost no hop.
        parts = (
            [
                (
                    (False, 1, 0)
                    if to == key and key in self.mailboxes
                    else self.expand(to, (*path, key))
                )
                for to in found
            ]
            if key
            else [(False, 1, 0)]
        )
        is_step = (
            bool(key)
            and any(to != key for to in found)
            and not (key.partition("@")[2] in ALSO.values() and key[0] != "@")
        )
        return (
            any(part[0] for part in parts),
            sum(part[1] for part in parts),
            max(part[2] for part in parts) + is_step,
        )

    def everything(self) -> list[tuple[bool, int, int]]:
        return [
            self.expand(address)
            for address in (*self.aliases, *(f"whoever@{name}" for name in self.domains))
            if address[0] != "@"
        ]


@settings(max_examples=600)
@given(st.data())
def test_no_accepted_estate_has_a_circle_or_more_than_the_limit_in_its_tables(
    data: st.DataObject,
) -> None:
    whole = estate(
        data.draw(st.tuples(addresses, addresses, addresses)),
        *(data.draw(domains(name)) for name in NAMES),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(targets, "MAX_RECIPIENTS", LIMIT)
        patch.setattr(targets, "MAX_CHAIN", LONGEST)
        faults = {fault.id for fault in _judge.judge(whole)} & FOLLOWED
        unknown = {fault.id for fault in _judge.judge(whole)} & {"unknown-address"}
    ends = Nodes(whole).everything()
    wrong = any(circle for circle, _recipients, _chain in ends)
    assert wrong <= bool(faults or unknown), "a circle in the tables that no judge saw"
    assert ("alias-loop" in faults) <= wrong, "a circle that is in no table"
    if not faults and not unknown:
        assert max(recipients for _circle, recipients, _chain in ends) <= LIMIT
        assert max(chain for _circle, _recipients, chain in ends) <= LONGEST
    elif not wrong:
        assert (
            "too-many-recipients" not in faults
            or max(recipients for _circle, recipients, _chain in ends) > LIMIT
        )
        assert (
            "alias-chain-too-long" not in faults
            or max(chain for _circle, _recipients, chain in ends) > LONGEST
        )
