# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is who in the tests. Every behaviour is asked of both nodes: one is Debian 12, the other
Debian 13."""

from __future__ import annotations

import csv
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import client
from summary import pytest_terminal_summary  # noqa: F401  pytest finds its hooks by their names

STRANGER = "someone@stranger.example"
OUTSIDE = ("10.97.0.5", "fd97::5")
"""Its addresses; programs on it try IPv6 first (RFC 6724)."""
RESOLVER = "10.97.0.53"


@dataclass(frozen=True)
class Address:
    """A mailbox and where it lives."""

    name: str
    host: str
    password: str

    def __str__(self) -> str:
        return self.name

    @property
    def domain(self) -> str:
        return self.name.partition("@")[2]


@dataclass(frozen=True)
class Side:
    """One node with the people on it. ``other_user`` lives on the other node and belongs to another
    tenant."""

    node: str
    user: Address
    colleague: Address
    other_user: Address
    small: Address
    owner: Address
    second: Address
    alias: str
    domain_alias: str
    catch_all: str
    catch_all_to: Address
    sender_address: str
    relay_domain: str

    @property
    def host(self) -> str:
        return self.user.host


NODES = {"mx1": "mx1 (Debian 12)", "mx2": "mx2 (Debian 13)"}


@pytest.fixture(scope="session")
def outside() -> client.Outside:
    return client.Outside("outside")


@pytest.fixture(scope="session")
def nodes() -> dict[str, client.Host]:
    return {name: client.Host(name) for name in NODES}


@pytest.fixture(scope="session")
def passwords() -> dict[str, str]:
    """The initial passwords that the nodes handed over."""
    found = {}
    for path in sorted(client.PASSWORDS.glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as lines:
            found.update((row["address"], row["password"]) for row in csv.DictReader(lines))
    return found


@pytest.fixture(scope="session")
def sides(passwords: dict[str, str]) -> dict[str, Side]:
    def mailbox(name: str, node: str) -> Address:
        return Address(name, f"{node}.hosting.example", passwords[name])

    jo, ann = mailbox("jo@acme.example", "mx1"), mailbox("ann@globex.example", "mx2")
    return {
        "mx1": Side(
            node="mx1",
            user=jo,
            colleague=mailbox("it@acme.example", "mx1"),
            other_user=ann,
            small=mailbox("small@acme.example", "mx1"),
            owner=mailbox("it@acme.example", "mx1"),
            second=jo,
            alias="sales@acme.example",
            domain_alias="jo@acme-mail.example",
            catch_all="whoever@acme-shop.example",
            catch_all_to=mailbox("orders@acme-shop.example", "mx1"),
            sender_address="noreply@acme.example",
            relay_domain="legacy.acme.example",
        ),
        "mx2": Side(
            node="mx2",
            user=ann,
            colleague=mailbox("bob@globex.example", "mx2"),
            other_user=jo,
            small=mailbox("tiny@globex.example", "mx2"),
            owner=ann,
            second=mailbox("peter@initech.example", "mx2"),
            alias="team@initech.example",
            domain_alias="peter@initech-mail.example",
            catch_all="whoever@initech-shop.example",
            catch_all_to=mailbox("orders@initech-shop.example", "mx2"),
            sender_address="noreply@initech.example",
            relay_domain="legacy.initech.example",
        ),
    }


@pytest.fixture(params=NODES, ids=NODES.get)
def side(request: pytest.FixtureRequest, sides: dict[str, Side]) -> Side:
    return sides[request.param]


@pytest.fixture
def node(side: Side, nodes: dict[str, client.Host]) -> client.Host:
    return nodes[side.node]
