# SPDX-License-Identifier: GPL-3.0-or-later
"""Move a tenant to another node: whether that is possible, where to begin, and the new account.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._model.sizes import rounded
from .._model.values import Fault
from .rewrite import CannotEdit, decoded

try:
    import yaml
    from yaml.nodes import MappingNode, ScalarNode
except ImportError:  # pragma: no cover - on hosts; the controller has it, as ansible-core needs it
    pass

if t.TYPE_CHECKING:
    from .._model.estate import Estate, Node
    from .._model.tenant import Tenant

Facts = t.Mapping[str, t.Any]
"""What a host has of the tenant, as ``_host/moving/mail.py`` finds it."""

SERVED, PUT_AWAY, SWITCHED = "served", "put_away", "switched"
"""How far a move is: the former node serves the tenant; no node does; the new node does."""


_ENDED = ("retired", "revoked", "removed")
"""The states of DKIM keys that sign no more."""


class MoveRefused(Exception):
    """A move that cannot be made. The message says why, and what to do. Nothing was changed."""


@dataclass(frozen=True)
class Move:
    """A move that can begin, or go on: from which node, and how far it is."""

    source: str
    stage: str


def planned(
    estate: Estate, tenant: Tenant, target: Node, found: t.Mapping[str, Facts], keep_free: int
) -> Move:
    """Return what to do; raise MoveRefused if the move is not possible.

    ``found`` has the facts of the nodes that the run reached. ``keep_free`` is how much of its disk
    the new node keeps free, in bytes.
    """
    if not tenant.served:
        raise MoveRefused(
            f"tenant {tenant.name} is {tenant.state}, so no host serves it and there is nothing to"
            " move: change placement in its account.yml"
        )
    if target.name not in found:
        raise MoveRefused(f"{target.name} is not in this run: omit --limit, and see if it is up")
    there = found[target.name]
    if not there["generation"]:
        raise MoveRefused(
            f"{target.name} has no tenants' data yet: run ansible-playbook reseller.mail.site first"
        )
    if there["serves"]:
        if there["key"] and tenant.placement == target.name:
            return Move(_with_copy(target, found), SWITCHED)
        raise MoveRefused(f"tenant {tenant.name} is on {target.name} already")
    serving = [name for name, facts in found.items() if facts["serves"]]
    if serving:
        source = serving[0]
        _refuse_leftovers(tenant, target, there)
    else:
        source = _with_copy(target, found) or _without_mail(estate, there, found)
    if not source:
        raise MoveRefused(
            f"no host of this run serves tenant {tenant.name}: omit --limit, and see if its node is"
            " up"
        )
    _refuse_without_room(tenant, target, found[source], there, keep_free)
    return Move(source, SERVED if serving else PUT_AWAY)


def _with_copy(target: Node, found: t.Mapping[str, Facts]) -> str:
    """Return the node that has put the tenant's mail away for the new node; empty if none has."""
    return next(
        (name for name, facts in found.items() if target.hostname in facts["copies_of"]), ""
    )


def _without_mail(estate: Estate, there: Facts, found: t.Mapping[str, Facts]) -> str:
    """Return the node to which the new one passes the tenant's mail; empty if it is not in the run.

    It does not serve the tenant any more, and put nothing away: the tenant has no mail.
    """
    return next(
        (
            node.name
            for node in estate.nodes
            if node.hostname == there["passes_to"] and node.name in found
        ),
        "",
    )


def _refuse_leftovers(tenant: Tenant, target: Node, there: Facts) -> None:
    """Raise MoveRefused if the new node has mail of the tenant: it would be mixed with the rest."""
    command = (
        f"ansible-playbook reseller.mail.retained_mail -e retained_mail_subject={tenant.name}"
        f" -e retained_mail_state=deleted -e retained_mail_confirmed={tenant.name}"
        f" --limit {target.name}"
    )
    if there["copies"]:
        raise MoveRefused(
            f"{target.name} keeps a copy of the mail of {tenant.name} from an earlier move. If you"
            f" do not need it any more, delete it: {command}"
        )
    if there["retained"]:
        raise MoveRefused(
            f"{target.name} retains mail of {there['retained']} mailboxes of {tenant.name}. If you"
            f" do not need it any more, delete it: {command}"
        )
    if there["homes"]:
        raise MoveRefused(
            f"{target.name} has {there['homes']} folders with mail of {tenant.name} that no file"
            " knows. The finding host.orphans of reseller.mail.verify names them; remove them first"
        )


def _refuse_without_room(
    tenant: Tenant, target: Node, here: Facts, there: Facts, keep_free: int
) -> None:
    """Raise MoveRefused if the mail does not fit on the disk of the new node."""
    need = max(0, here["bytes"] - there["arrived"])
    if need + keep_free > there["free"]:
        raise MoveRefused(
            f"{target.name} has no room: {rounded(need)} of the mail of {tenant.name} are to be"
            f" copied, {rounded(keep_free)} have to stay free (move_keep_free), and"
            f" {rounded(there['free'])} are free"
        )


def with_placement(content: bytes, node: str) -> bytes:
    """Return an account with another ``placement``, and nothing else changed.

    Raise CannotEdit if the file has no such line.
    """
    mark, text = decoded(content)
    root = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    values = (
        value
        for key, value in (root.value if isinstance(root, MappingNode) else ())
        if key.value == "placement"
    )
    found = next(values, None)
    if not isinstance(found, ScalarNode):
        raise CannotEdit
    start, end = found.start_mark.index, found.end_mark.index
    return f"{mark}{text[:start]}{node}{text[end:]}".encode()


def unmoved(before: Estate, after: Estate) -> list[Fault]:
    """Return a fault for each tenant whose ``placement`` changes without a move.

    After a move the new node has reported a key that signs for the tenant, or soon will. A tenant
    without a mailbox has no mail.
    """
    former = {tenant.name: tenant for tenant in before.tenants if tenant.served}
    return [
        Fault(
            tenant.at.of("placement"),
            "mail-not-moved",
            f"the mail of tenant {tenant.name} is on {former[tenant.name].placement}, and"
            f" {tenant.placement} has reported no DKIM key of the tenant",
            f"placement: {former[tenant.name].placement}; ansible-playbook reseller.mail.move"
            f" -e move_tenant={tenant.name} -e move_to={tenant.placement} moves the mail and"
            " changes placement",
        )
        for tenant in after.tenants
        if tenant.name in former
        and tenant.served
        and tenant.placement != former[tenant.name].placement
        and _has_mail(former[tenant.name])
        and not _signs_at(after, tenant)
    ]


def _has_mail(tenant: Tenant) -> bool:
    """Return whether a tenant has a mailbox."""
    return any(domain.mailboxes for domain in tenant.served_domains())


def _signs_at(estate: Estate, tenant: Tenant) -> bool:
    """Return whether the node of a tenant has reported a key that signs for its domains."""
    names = {name for domain in tenant.served_domains() for name in domain.names}
    return any(
        key.domain in names and key.state not in _ENDED
        for state in estate.states
        if state.node == tenant.placement
        for key in state.dkim
    )
