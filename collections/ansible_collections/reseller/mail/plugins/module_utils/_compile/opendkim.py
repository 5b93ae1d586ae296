# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenDKIM's tables, for ``file:`` with exact domain keys (``refile:`` is a linear scan), and what DNS says of their keys.

PRIVATE to the collection. Pure.

Which key signs is what the node reported as active (``_dkim``), so tables and DNS have one source: ``state/<node>.json``.
"""

from __future__ import annotations

import typing as t

from .._dkim import PENDING, number
from ._text import table

if t.TYPE_CHECKING:
    from .._model.estate import DkimKey, Estate, Node

FOLDERS = {"rsa": "opendkim", "ed25519": "opendkim_ed25519"}
"""By algorithm, a generation's folder: an instance of OpenDKIM signs with one algorithm and has its own tables."""
OWN = "opendkim_node"
"""The folder of the instance that signs what the node itself sends. It knows the node's name alone: whatever From a bounce or a program
of the host writes, no tenant's key signs it."""
OWN_ALGORITHMS = ("rsa",)
"""What every verifier takes; the node's name needs no second signature."""


def lookups(estate: Estate, node: Node, root: str) -> dict[str, str]:
    """The active keys of the names that send from this node; the key files lie in the host's folder ``root``."""
    files = {}
    domains = _domains(estate, node)
    instances = [(folder, algorithm, domains) for algorithm, folder in FOLDERS.items()]
    instances.append((OWN, "rsa", {node.hostname: OWN_ALGORITHMS}))
    for folder, algorithm, signs in instances:
        keys: dict[str, str] = {}
        signing: dict[str, str] = {}
        for key in _reported(estate, node):
            if (
                key.state == "active"
                and key.algorithm == algorithm
                and algorithm in signs.get(key.domain, ())
            ):
                name = f"{key.selector}._domainkey.{key.domain}"
                keys[name] = (
                    f"{key.domain}:{key.selector}:{root}/dkim/{key.domain}/{key.selector}.private"
                )
                signing[key.domain] = name
        files[f"{folder}/key_table"] = table(keys)
        files[f"{folder}/signing_table"] = table(signing)
    return files


def _reported(estate: Estate, node: Node) -> t.Iterator[DkimKey]:
    for state in estate.states:
        if state.node == node.name:
            yield from state.dkim


def algorithms_of(estate: Estate, node: Node) -> dict[str, tuple[str, ...]]:
    """Return by name that sends from the node what it is signed with: mail domains placed there, their aliases, and the node itself."""
    return {node.hostname: OWN_ALGORITHMS, **_domains(estate, node)}


def rotate_days_of(estate: Estate, node: Node) -> dict[str, t.Optional[int]]:
    """Return by name that sends from the node the days after which a new key takes over; None: never by itself."""
    domains = {
        name: domain.dkim.rotate_days
        for _tenant, domain in estate.domains_on(node)
        for name in domain.names
    }
    return {node.hostname: estate.own_names.rotate_days, **domains}


def _domains(estate: Estate, node: Node) -> dict[str, tuple[str, ...]]:
    return {
        name: domain.dkim.algorithms
        for _tenant, domain in estate.domains_on(node)
        if domain.type == "mail"
        for name in domain.names
    }


def names(estate: Estate, node: Node) -> list[str]:
    """The names that need a key on the node, sorted."""
    return sorted(algorithms_of(estate, node))


def published(estate: Estate) -> dict[str, list[DkimKey]]:
    """Return the reported keys by name, one at a selector: two records there would spoil both (RFC 6376 section 3.6.2.2). Of
    two it is that of the node whose way of naming selectors it follows, then that of the node which the domain is placed on. A
    domain that moved has keys of both nodes, at selectors of their own."""
    placed = {name: node.name for node in estate.nodes for name in algorithms_of(estate, node)}
    best: dict[str, dict[str, tuple[tuple[bool, bool], DkimKey]]] = {}
    for state in estate.states:
        for key in state.dkim:
            rank = (
                not number(state.node, key.algorithm, key.selector),
                placed.get(key.domain) != state.node,
            )
            of_domain = best.setdefault(key.domain, {})
            if key.selector not in of_domain or rank < of_domain[key.selector][0]:
                of_domain[key.selector] = rank, key
    return {domain: [key for _rank, key in keys.values()] for domain, keys in best.items()}


def taken(estate: Estate, node: Node) -> dict[str, list[str]]:
    """Return by domain the selectors of other nodes that it was on, or may come to."""
    others = [
        other.name
        for other in estate.nodes
        if other != node and other.name.startswith(f"{node.name}-")
    ]
    found = {name: list(others) for name in names(estate, node)} if others else {}
    for state in estate.states:
        for key in state.dkim:
            its_own = number(state.node, key.algorithm, key.selector)
            if state.node != node.name and its_own and key.selector.startswith(node.name):
                found.setdefault(key.domain, []).append(key.selector)
    return found


def txt(key: DkimKey) -> t.Optional[str]:
    """The key's TXT record; None when there shall be none any more. RFC 6376 section 3.6.1: an empty p= says revoked."""
    if key.state == "removed":
        return None
    return f"v=DKIM1; k={key.algorithm}; p={'' if key.state == 'revoked' else key.public}"


def unsigned(estate: Estate) -> list[tuple[str, str, str, bool]]:
    """Return (domain name, node's name, algorithm, whether a key that may come to sign is reported) where no key signs.

    The algorithms are those that the files name.
    """
    states: dict[tuple[str, str, str], set[str]] = {}
    for state in estate.states:
        for key in state.dkim:
            states.setdefault((key.domain, state.node, key.algorithm), set()).add(key.state)
    wanted = [
        (name, node.name, algorithm)
        for node in estate.nodes
        for name, algorithms in algorithms_of(estate, node).items()
        for algorithm in algorithms
    ]
    here = {one: states.get(one, set()) for one in wanted}
    return sorted(
        (*one, not found.isdisjoint(PENDING))
        for one, found in here.items()
        if "active" not in found
    )


def pending(estate: Estate) -> list[tuple[str, str]]:
    """(name, node's name) where a name's node has reported no key at all yet, sorted."""
    reported = {(state.node, key.domain) for state in estate.states for key in state.dkim}
    return sorted(
        (name, node.name)
        for node in estate.nodes
        for name in names(estate, node)
        if (node.name, name) not in reported
    )
