# SPDX-License-Identifier: GPL-3.0-or-later
"""Compile what two nodes look up while a tenant moves from one to the other.

PRIVATE to the collection. Pure.

The files have the new node already. First the new node defers the tenant's mail. Then the former
node passes the mail on, and the new node defers it still. So no message goes to and fro between the
two, and none is delivered into a mailbox that is being copied.

A process of Postfix that serves a session while Postfix reloads may remember to which class a
domain belonged, and find its recipients in the new tables; or the other way round. So the
generations of a move have the tenant's recipients in the tables of both classes: no recipient that
exists is refused as unknown. A session may last longer than a step, so the former node keeps them
until the next run.
"""

from __future__ import annotations

import dataclasses
import typing as t

from .._model.addresses import local_parts
from . import Artefact, artefact
from ._text import table

if t.TYPE_CHECKING:
    from .._model.estate import Estate, Node

REPLY = "450 4.7.1 This address moves to this host, try again soon"

_ACCESS = "postfix/recipient_access"
_RELAYED = "postfix/relay_recipient_maps"
_LOCAL = ("postfix/virtual_mailbox_maps", "postfix/virtual_alias_maps")


def arriving(estate: Estate, node: Node, root: str, tenant: str, source: str) -> Artefact:
    """Return what one of the two nodes looks up first: the new node defers the tenant's mail.

    The former node gets ready to pass it on.
    """
    names = _names(estate, tenant)
    before = artefact(placed(estate, tenant, source), node, root)
    after = artefact(estate, node, root)
    if node.name == source:
        return _with(before, after, names, (_RELAYED,))
    entries = _entries(before.files[_ACCESS])
    for owner, domain in estate.served_domains():
        if owner.name == tenant:
            for name in domain.names:
                entries[name] = REPLY
                entries.update(
                    dict.fromkeys((f"{one}@{name}" for one in local_parts(owner, domain)), REPLY)
                )
    defers = dataclasses.replace(before, files={**before.files, _ACCESS: table(entries)})
    return _with(defers, after, names, _LOCAL)


def leaving(estate: Estate, node: Node, root: str, tenant: str, source: str) -> Artefact:
    """Return what the former node looks up before its users lose it: Postfix passes mail on.

    Dovecot still has the mailboxes. A delivery that has begun needs them.
    """
    before = artefact(placed(estate, tenant, source), node, root)
    after = artefact(estate, node, root)
    tables = {path: text for path, text in after.files.items() if path.startswith("postfix/")}
    passes_on = dataclasses.replace(before, files={**before.files, **tables})
    return _with(passes_on, before, _names(estate, tenant), _LOCAL)


def moved(estate: Estate, node: Node, root: str, tenant: str, source: str) -> Artefact:
    """Return what the former node looks up when its users have left, until the next run."""
    before = artefact(placed(estate, tenant, source), node, root)
    return _with(artefact(estate, node, root), before, _names(estate, tenant), _LOCAL)


def arrived(estate: Estate, node: Node, root: str, tenant: str, source: str) -> Artefact:
    """Return what the new node looks up when it serves the tenant, until the next run."""
    before = artefact(placed(estate, tenant, source), node, root)
    return _with(artefact(estate, node, root), before, _names(estate, tenant), (_RELAYED,))


def _names(estate: Estate, tenant: str) -> frozenset[str]:
    """Return all names of the tenant's domains."""
    return frozenset(
        name
        for owner, domain in estate.served_domains()
        if owner.name == tenant
        for name in domain.names
    )


def _with(
    one: Artefact, other: Artefact, names: frozenset[str], paths: t.Iterable[str]
) -> Artefact:
    """Return an artefact with what another one has of these domains in these tables as well."""
    files = dict(one.files)
    for path in paths:
        more = {
            key: value
            for key, value in _entries(other.files[path]).items()
            if key.rpartition("@")[2] in names
        }
        files[path] = table({**more, **_entries(files[path])})
    return dataclasses.replace(one, files=files)


def _entries(text: str) -> dict[str, str]:
    """Return the entries of a table."""
    rows = (line.partition("\t") for line in text.splitlines())
    return {key: value for key, _tab, value in rows}


def placed(estate: Estate, tenant: str, node: str) -> Estate:
    """Return the estate with a tenant on another node."""
    return dataclasses.replace(
        estate,
        tenants=tuple(
            dataclasses.replace(one, placement=node) if one.name == tenant else one
            for one in estate.tenants
        ),
    )
