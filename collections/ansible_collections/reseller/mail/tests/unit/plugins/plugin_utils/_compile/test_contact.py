# SPDX-License-Identifier: GPL-3.0-or-later
"""Who gets mail for the provider's own names: on each node, in DNS, and as a plan tells it."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host.generation import lines
from ansible_collections.reseller.mail.plugins.plugin_utils._compile import dns as compiled
from ansible_collections.reseller.mail.plugins.plugin_utils._compile import postfix
from ansible_collections.reseller.mail.plugins.plugin_utils._compile.describe import describe
from ansible_collections.reseller.mail.plugins.plugin_utils._model import mx as model_mx
from ansible_collections.reseller.mail.plugins.plugin_utils._model.domain import Domain
from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import Estate
from ansible_collections.reseller.mail.tests.unit.support.sample_estate import (
    ESTATE,
    MX1,
    MX2,
    mailbox,
    with_tenant,
)

NODE = ("abuse", "mailer-daemon", "postmaster", "root")
PROVIDER = ("abuse", "hostmaster", "noc", "postmaster", "security")


def of(contact: t.Optional[str], estate: Estate = ESTATE) -> Estate:
    return dataclasses.replace(
        estate, provider=dataclasses.replace(estate.provider, contact=contact)
    )


def own(estate: Estate, node: t.Any) -> tuple[dict[str, str], bool]:
    """What a node does with mail for its own names and the provider's, and whether it takes mail
    for the latter."""
    tables = {
        name: dict(line.split("\t") for line in text.splitlines())
        for name, text in postfix.lookups(estate, node).items()
    }
    aliases = tables["postfix/virtual_alias_maps"]
    found = {
        key: value
        for key, value in aliases.items()
        if "@" not in key or key.endswith("hosting.example")
    }
    return found, "hosting.example" in tables["postfix/virtual_alias_domains"]


@pytest.mark.parametrize("contact", ["jo@acme.example", "root@elsewhere.example"])
@pytest.mark.parametrize("node", [MX1, MX2], ids=["mx1", "mx2"])
def test_every_node_sends_its_own_mail_and_the_provider_s_to_the_contact(
    node: t.Any, contact: str
) -> None:
    expected = dict.fromkeys((*NODE, *(f"{role}@hosting.example" for role in PROVIDER)), contact)
    assert own(of(contact), node) == (expected, True)
    for path, text in postfix.lookups(of(contact), node).items():
        assert list(lines.faults(path, text.encode(), node.debian)) == []


def test_without_a_contact_nothing_is_sent_anywhere() -> None:
    assert own(ESTATE, MX1) == ({}, False)
    assert not [
        record
        for record in compiled.records(ESTATE)
        if (record.name, record.type) == ("hosting.example", "MX")
    ]


HOSTING = Domain(
    "hosting.example", "mail", "ann@hosting.example", mailboxes=(mailbox("ann@hosting.example"),)
)
TAKEN = {
    "the contact is in it": of("postmaster@hosting.example"),
    "a tenant has it": of("jo@acme.example", with_tenant(ESTATE, "globex", domains=(HOSTING,))),
    "a node has it": of(
        "jo@acme.example",
        dataclasses.replace(
            ESTATE, nodes=(MX1, dataclasses.replace(MX2, hostname="hosting.example"))
        ),
    ),
}


@pytest.mark.parametrize("estate", TAKEN.values(), ids=TAKEN)
def test_the_provider_s_domain_is_left_to_whoever_has_it(estate: Estate) -> None:
    found, _taken = own(estate, MX1)
    assert {key: found[key] for key in NODE} == dict.fromkeys(NODE, estate.provider.contact)
    assert "hostmaster@hosting.example" not in found
    assert model_mx.provider_hosts(estate) == []
    assert not [record for record in compiled.records(estate) if record.purpose == "provider_mx"]


def test_a_domain_that_no_host_serves_yet_is_not_taken_from_the_provider() -> None:
    later = with_tenant(TAKEN["a tenant has it"], "globex", state="pending")
    assert own(later, MX1)[1]


def test_all_nodes_in_service_are_equal_mail_hosts_of_the_provider_s_domain() -> None:
    def mx(estate: Estate) -> list[str]:
        return [
            record.value
            for record in compiled.records(estate)
            if (record.name, record.type) == ("hosting.example", "MX")
        ]

    assert mx(of("jo@acme.example")) == ["10 mx1.hosting.example.", "10 mx2.hosting.example."]
    planned = dataclasses.replace(
        ESTATE, nodes=(MX1, dataclasses.replace(MX2, lifecycle="planned"))
    )
    assert mx(of("jo@acme.example", planned)) == ["10 mx1.hosting.example."]


def test_a_host_s_model_tells_who_reads_its_mail() -> None:
    told = set(describe(of("jo@acme.example"), MX2)) - set(describe(ESTATE, MX2))
    assert told == {
        *(f"role address {role}@mx2.hosting.example to jo@acme.example" for role in NODE),
        *(f"role address {role}@hosting.example to jo@acme.example" for role in PROVIDER),
    }
