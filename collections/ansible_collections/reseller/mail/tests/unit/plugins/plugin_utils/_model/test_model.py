# SPDX-License-Identifier: GPL-3.0-or-later
"""The model's few rules of its own."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._model.domain import (
    Alias,
    Domain,
    DomainAlias,
    Mailbox,
    SenderAddress,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._model.values import (
    Fault,
    Position,
    Secret,
)
from ansible_collections.reseller.mail.tests.unit.support import estates

NODE = estates.MX1
DOMAIN = Domain(
    "acme.example",
    "mail",
    "it@acme.example",
    domain_aliases=(DomainAlias("acme-mail.example", "it@acme.example"),),
)
TENANT = estates.tenant("acme", DOMAIN)
ESTATE = estates.estate(TENANT, nodes=(NODE, estates.MX2))


def test_addresses_and_names() -> None:
    for thing in (
        Mailbox("jo", "acme.example", None, ""),
        Alias("jo", "acme.example", (), ""),
        SenderAddress("jo", "acme.example", "", ""),
    ):
        assert thing.address == "jo@acme.example"
    assert DOMAIN.names == ("acme.example", "acme-mail.example")
    assert NODE.dkim_selector == "mx1"


@pytest.mark.parametrize(
    ("state", "served"),
    [("pending", False), ("active", True), ("suspended", True), ("terminated", False)],
)
def test_only_active_and_suspended_tenants_are_on_hosts(state: str, served: bool) -> None:
    estate = replace(ESTATE, tenants=(replace(TENANT, state=state),))
    assert estate.tenants[0].served is served
    assert [domain.name for _tenant, domain in estate.served_domains()] == ["acme.example"] * served
    assert [domain.name for _tenant, domain in estate.domains_on(NODE)] == ["acme.example"] * served
    assert list(estate.domains_on(estate.node("mx2"))) == []


def test_nodes_by_name() -> None:
    assert ESTATE.node_of(TENANT) is NODE
    with pytest.raises(KeyError, match="mx9"):
        ESTATE.node("mx9")


def test_a_fault_sorts_by_place_and_reads_as_one_line() -> None:
    one, two = (
        Fault(Position("a.yml", line, 3), "unknown-key", "x is no key", "y") for line in (2, 10)
    )
    assert sorted([two, one]) == [one, two]
    assert str(one) == "a.yml:2:3: unknown-key: x is no key; allowed: y"


def test_values_are_frozen_and_secrets_do_not_show() -> None:
    secret = Secret("hunter2", vaulted=False)
    assert "hunter2" not in repr(secret)
    with pytest.raises(FrozenInstanceError):
        secret.text = "x"


def test_a_position_without_nodes_is_its_own_answer() -> None:
    at = Position("a.yml", 1, 1)
    assert at.of("to", 0) is at
