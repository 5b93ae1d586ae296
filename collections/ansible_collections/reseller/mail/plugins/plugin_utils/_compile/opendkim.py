# SPDX-License-Identifier: GPL-3.0-or-later
"""Write OpenDKIM's tables, and say which DKIM keys are published, pending or missing.

PRIVATE to the collection. Pure.

The tables are for ``file:`` with exact domain keys: OpenDKIM searches a ``refile:`` line by line.
The key that signs is the one that the node reported as active (``_host/keys/dkim.py``). So the
tables and DNS have one source: ``state/<node>.json``.
"""

from __future__ import annotations

import typing as t

from ansible_collections.reseller.mail.plugins.module_utils._host.keys.key_names import (
    ALGORITHMS,
    PENDING,
    number,
)

from ._text import table

if t.TYPE_CHECKING:
    from .._model.estate import DkimKey, Estate, Node

FOLDERS = {"rsa": "opendkim", "ed25519": "opendkim_ed25519"}
"""The folder of a generation with the tables of one algorithm.

Each instance of OpenDKIM signs with one algorithm and has its own tables.
"""
OWN = "opendkim_node"
"""The folder of the instance that signs what the node itself sends.

Its tables contain the node's name only. So no tenant's key signs mail of the host's programs,
whatever they write into From.
"""
OWN_ALGORITHMS = ("rsa",)
"""The algorithm for the node's own name. Every verifier knows it; a second one is not needed."""


def lookups(estate: Estate, node: Node, root: str) -> dict[str, str]:
    """Return the tables with the active keys of the names that send from this node, by path.

    ``root`` is the collection's folder on the host, which contains the key files.
    """
    files = {}
    domains = _mail_domains(estate, node)
    instances = [(folder, algorithm, domains) for algorithm, folder in FOLDERS.items()]
    instances.append((OWN, "rsa", {node.hostname: OWN_ALGORITHMS}))
    for folder, algorithm, algorithms in instances:
        keys: dict[str, str] = {}
        signing: dict[str, str] = {}
        for key in _reported(estate, node):
            if _signs(key, algorithm, algorithms):
                name = f"{key.selector}._domainkey.{key.domain}"
                keys[name] = (
                    f"{key.domain}:{key.selector}:{root}/dkim/{key.domain}/{key.selector}.private"
                )
                signing[key.domain] = name
        files[f"{folder}/key_table"] = table(keys)
        files[f"{folder}/signing_table"] = table(signing)
    return files


def _signs(key: DkimKey, algorithm: str, algorithms: t.Mapping[str, t.Collection[str]]) -> bool:
    """Return whether the instance for ``algorithm`` signs with the key.

    ``algorithms`` has the algorithms that the files want, by the names that the instance knows.
    """
    return (
        key.state == "active"
        and key.algorithm == algorithm
        and algorithm in algorithms.get(key.domain, ())
    )


def _reported(estate: Estate, node: Node) -> t.Iterator[DkimKey]:
    """Yield the keys that the node has reported."""
    for state in estate.states:
        if state.node == node.name:
            yield from state.dkim


def algorithms_of(estate: Estate, node: Node) -> dict[str, tuple[str, ...]]:
    """Return the signing algorithms of each name that sends from the node.

    The names are the mail domains placed there, their domain aliases, and the node itself.
    """
    return {node.hostname: OWN_ALGORITHMS, **_mail_domains(estate, node)}


def instances(estate: Estate, node: Node) -> list[str]:
    """Return the algorithms for which a node needs an instance of OpenDKIM.

    RSA is always among them, because its instance also verifies.
    """
    return sorted({"rsa"}.union(*algorithms_of(estate, node).values()), reverse=True)


def rotate_days_of(estate: Estate, node: Node) -> dict[str, t.Optional[int]]:
    """Return for each name of the node after how many days a new key replaces the active one.

    ``None`` means that keys are replaced on request only.
    """
    domains = {
        name: domain.dkim.rotate_days
        for _tenant, domain in estate.domains_on(node)
        for name in domain.names
    }
    return {node.hostname: estate.own_names.rotate_days, **domains}


def _mail_domains(estate: Estate, node: Node) -> dict[str, tuple[str, ...]]:
    """Return the signing algorithms of each name of each mail domain on the node."""
    return {
        name: domain.dkim.algorithms
        for _tenant, domain in estate.domains_on(node)
        if domain.type == "mail"
        for name in domain.names
    }


def names(estate: Estate, node: Node) -> list[str]:
    """Return the names that need a key on the node, sorted."""
    return sorted(algorithms_of(estate, node))


def published(estate: Estate) -> dict[str, list[DkimKey]]:
    """Return the reported keys to publish, by name. Each selector of a name has one key.

    With two records at one selector, verifiers could use neither (RFC 6376 section 3.6.2.2). If two
    nodes report the same selector, the key of the node that names its selectors this way is
    published; otherwise the key of the node that the domain is placed on. A domain that moved has
    keys of both nodes, each at its own selectors.
    """
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


def is_selector_of(node: str, selector: str) -> bool:
    """Return whether a node names its selectors this way."""
    return any(number(node, algorithm, selector) for algorithm in ALGORITHMS)


def selectors_of_other_nodes(estate: Estate, node: Node) -> dict[str, list[str]]:
    """Return, by domain, selectors of other nodes that look like this node's.

    The node must not use them for its own keys.
    The second key of the node ``mx1`` has the selector ``mx1-2``. That is also the first selector
    of a node with the name ``mx1-2``. The domain may have been on that node, or may move there.
    """
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
    """Return the key's TXT record, or ``None`` if the key is removed and has no record.

    A revoked key has an empty ``p=`` (RFC 6376 section 3.6.1).
    """
    if key.state == "removed":
        return None
    return f"v=DKIM1; k={key.algorithm}; p={'' if key.state == 'revoked' else key.public}"


def unsigned(estate: Estate) -> list[tuple[str, str, str, bool]]:
    """Return every name and algorithm of the files for which no key signs, sorted.

    Each row is (domain name, node's name, algorithm, whether the node has reported a pending key).
    """
    states: dict[tuple[str, str, str], set[str]] = {}
    for state in estate.states:
        for key in state.dkim:
            states.setdefault((key.domain, state.node, key.algorithm), set()).add(key.state)
    wanted = {
        (name, node.name, algorithm)
        for node in estate.nodes
        for name, algorithms in algorithms_of(estate, node).items()
        for algorithm in algorithms
    }
    rows = []
    for one in wanted:
        found = states.get(one, set())
        if "active" not in found:
            rows.append((*one, not found.isdisjoint(PENDING)))
    return sorted(rows)


def pending(estate: Estate) -> list[tuple[str, str]]:
    """Return (name, node's name) where the node has reported no key of the name yet, sorted."""
    reported = {(state.node, key.domain) for state in estate.states for key in state.dkim}
    return sorted(
        (name, node.name)
        for node in estate.nodes
        for name in names(estate, node)
        if (node.name, name) not in reported
    )
