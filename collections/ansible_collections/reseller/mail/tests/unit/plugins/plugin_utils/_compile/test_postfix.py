# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t

from ansible_collections.reseller.mail.plugins.plugin_utils._compile import postfix
from ansible_collections.reseller.mail.plugins.plugin_utils._model.domain import (
    DomainAlias,
    Forward,
)
from ansible_collections.reseller.mail.tests.unit.support.sample_estate import (
    ESTATE,
    MX1,
    MX2,
    with_domain,
    with_mailbox,
    with_tenant,
)


def table(node: t.Any, name: str, estate: t.Any = ESTATE) -> dict[str, str]:
    text = postfix.lookups(estate, node)[f"postfix/{name}"]
    lines = text.splitlines()
    assert lines == sorted(lines)
    assert text == "" or text.endswith("\n")
    entries = dict(line.split("\t") for line in lines)
    assert len(entries) == len(lines)
    return entries


def test_all_tables_exist_also_empty_ones() -> None:
    assert set(postfix.lookups(ESTATE, MX2)) == {f"postfix/{name}" for name in postfix.TABLES}
    assert postfix.lookups(ESTATE, MX2)["postfix/virtual_alias_domains"] == "globex.test\tglobex\n"


def test_mailboxes_are_known_where_they_are_placed_suspended_ones_too() -> None:
    assert table(MX1, "virtual_mailbox_domains") == {"acme.example": "acme", "shop.example": "acme"}
    assert table(MX1, "virtual_mailbox_maps") == dict.fromkeys(
        ("it@acme.example", "jo@acme.example", "ex@acme.example", "orders@shop.example"), "acme"
    )


def test_aliases_sender_addresses_and_role_addresses_that_nobody_wrote_down() -> None:
    aliases = table(MX1, "virtual_alias_maps")
    assert aliases["sales@acme.example"] == "jo@acme.example, ann@globex.example"
    assert aliases["noreply@acme.example"] == "jo@acme.example"
    assert aliases["postmaster@acme.example"] == "it@acme.example"
    assert aliases["abuse@acme.example"] == "it@acme.example, desk@elsewhere.example"
    assert "jo@acme.example" not in aliases


def test_catch_all_leaves_mailboxes_their_mail() -> None:
    aliases = table(MX1, "virtual_alias_maps")
    assert aliases["@shop.example"] == "orders@shop.example"
    assert aliases["orders@shop.example"] == "orders@shop.example"
    assert aliases["@shop-alias.example"] == "orders@shop.example"
    assert aliases["orders@shop-alias.example"] == "orders@shop.example"


def test_domain_alias_has_every_address_of_its_domain_and_no_other() -> None:
    assert table(MX1, "virtual_alias_domains") == {
        "acme-mail.example": "acme",
        "shop-alias.example": "acme",
    }
    found = {
        key: value
        for key, value in table(MX1, "virtual_alias_maps").items()
        if key.endswith("@acme-mail.example")
    }
    assert found == {
        f"{local}@acme-mail.example": f"{local}@acme.example"
        for local in ("it", "jo", "ex", "sales", "office", "team", "abuse", "noreply", "postmaster")
    }


def test_another_nodes_domains_are_handed_on_with_known_recipients() -> None:
    assert table(MX1, "relay_domains") == dict.fromkeys(
        ("globex.example", "globex.test", "legacy.example"), "globex"
    )
    assert table(MX1, "relay_recipient_maps") == dict.fromkeys(
        ("@globex.example", "@globex.test", "@legacy.example"), "globex"
    )
    # Two have a catch-all; of the third the unknown are asked for at its node.
    access = table(MX1, "recipient_access")
    assert {key: value for key, value in access.items() if value != "DUNNO"} == {
        "legacy.example": "reject_unverified_recipient"
    }
    assert {key for key in access if key.endswith("@legacy.example")} == {
        f"{local}@legacy.example" for local in ("peter", "postmaster", "abuse")
    }
    assert {"ann@globex.example", "ann@globex.test"} <= access.keys()
    assert table(MX1, "transport_maps") == dict.fromkeys(
        ("globex.example", "globex.test", "legacy.example"), "nodes:[mx2.hosting.example]:25"
    )
    assert table(MX1, "tls_policy_maps") == {"[mx2.hosting.example]:25": "secure match=nexthop"}


def test_relay_domain_goes_to_its_host_from_the_node_it_is_placed_on() -> None:
    assert table(MX2, "transport_maps")["legacy.example"] == "smtp:[mail.stranger.example]:25"
    recipients = table(MX2, "relay_recipient_maps")
    assert {key for key in recipients if key.endswith("@legacy.example")} == {
        "peter@legacy.example",
        "postmaster@legacy.example",
    }
    aliases = table(MX2, "virtual_alias_maps")
    assert aliases["abuse@legacy.example"] == "ann@globex.example"
    assert "postmaster@legacy.example" not in aliases


def test_no_domain_is_of_two_kinds() -> None:
    for node in (MX1, MX2):
        kinds = [
            set(table(node, name))
            for name in ("virtual_mailbox_domains", "virtual_alias_domains", "relay_domains")
        ]
        assert sum(map(len, kinds)) == len(set().union(*kinds))


def test_senders_are_those_of_the_whole_estate() -> None:
    assert table(MX1, "sender_login_maps") == table(MX2, "sender_login_maps")
    senders = table(MX1, "sender_login_maps")
    assert {key: value for key, value in senders.items() if key.endswith("@acme.example")} == {
        "it@acme.example": "it@acme.example",
        "jo@acme.example": "jo@acme.example",
        "noreply@acme.example": "jo@acme.example",
        # through team, a name of the domain alias and a circle; neither the suspended nor the
        # neighbour's mailbox
        "office@acme.example": "jo@acme.example",
    }
    assert senders["office@acme-mail.example"] == "jo@acme.example"
    assert not any(key.startswith(("sales@", "team@", "ex@", "abuse@", "@")) for key in senders)


def test_a_suspended_tenants_mail_is_accepted_but_nobody_sends() -> None:
    estate = with_tenant(ESTATE, "acme", state="suspended")
    before, after = postfix.lookups(ESTATE, MX1), postfix.lookups(estate, MX1)
    assert {path for path in before if before[path] != after[path]} == {
        "postfix/sender_login_maps",
        "postfix/submission_access",
    }
    assert not any("acme" in key for key in table(MX1, "sender_login_maps", estate))


def test_pending_and_terminated_tenants_are_unknown() -> None:
    for state in ("pending", "terminated"):
        texts = "".join(postfix.lookups(with_tenant(ESTATE, "globex", state=state), MX1).values())
        assert "later.example" not in texts
        assert "legacy.example" not in texts


def test_a_forward_keeps_a_copy_or_does_not() -> None:
    away = ("ann@globex.example", "jo@elsewhere.example")
    kept = with_mailbox(ESTATE, "jo@acme.example", forward=Forward(away))
    assert (
        table(MX1, "virtual_alias_maps", kept)["jo@acme.example"]
        == "jo@acme.example, ann@globex.example, jo@elsewhere.example"
    )
    gone = with_mailbox(ESTATE, "jo@acme.example", forward=Forward(away, keep_copy=False))
    assert (
        table(MX1, "virtual_alias_maps", gone)["jo@acme.example"]
        == "ann@globex.example, jo@elsewhere.example"
    )
    for estate in (kept, gone):
        assert "jo@acme.example" in table(MX1, "virtual_mailbox_maps", estate)
        assert table(MX1, "virtual_alias_maps", estate)["jo@acme-mail.example"] == "jo@acme.example"
        assert "jo@acme.example" not in table(
            MX2, "virtual_alias_maps", estate
        )  # it is its own node that hands it on


def test_a_forward_is_not_lost_beside_a_catch_all() -> None:
    estate = with_mailbox(ESTATE, "orders@shop.example", forward=Forward(("jo@acme.example",)))
    assert (
        table(MX1, "virtual_alias_maps", estate)["orders@shop.example"]
        == "orders@shop.example, jo@acme.example"
    )


def test_what_nobody_verified_is_in_no_table() -> None:
    estate = with_domain(ESTATE, "shop.example", verified=False)
    for node in (MX1, MX2):
        assert not [
            line
            for text in postfix.lookups(estate, node).values()
            for line in text.splitlines()
            if "shop" in line
        ]
    alias = DomainAlias("acme-mail.example", "it@acme.example", managed=True, verified=False)
    estate = with_domain(ESTATE, "acme.example", domain_aliases=(alias,))
    for node in (MX1, MX2):
        tables = postfix.lookups(estate, node)
        # As an alias's target it is a name like any other in the world.
        del tables["postfix/virtual_alias_maps"]
        assert not [
            line for text in tables.values() for line in text.splitlines() if "acme-mail" in line
        ]
    assert not [
        key
        for key in table(MX1, "virtual_alias_maps", estate)
        if key.endswith("@acme-mail.example")
    ]


def test_nobody_sends_as_a_mailbox_that_nobody_may_log_in_to() -> None:
    assert table(MX1, "sender_login_maps")["jo@acme.example"] == "jo@acme.example"
    for estate in (
        with_mailbox(ESTATE, "jo@acme.example", credentials="external"),
        with_domain(ESTATE, "acme.example", state="suspended"),
    ):
        senders = table(MX1, "sender_login_maps", estate)
        assert "jo@acme.example" not in senders
        assert "noreply@acme.example" not in senders
