# SPDX-License-Identifier: GPL-3.0-or-later
"""What suspensions mean in Postfix's tables."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host.generation import lines
from ansible_collections.reseller.mail.plugins.plugin_utils._compile import postfix, suspended
from ansible_collections.reseller.mail.plugins.plugin_utils._model.domain import Forward
from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import Estate
from ansible_collections.reseller.mail.plugins.plugin_utils._model.suspension import Suspension
from ansible_collections.reseller.mail.tests.unit.support.sample_estate import (
    ESTATE,
    MX1,
    MX2,
    with_domain,
    with_mailbox,
    with_tenant,
)


def table(node: t.Any, name: str, estate: Estate) -> dict[str, str]:
    """A table, after its lines have passed the host's check."""
    text = postfix.lookups(estate, node)[f"postfix/{name}"]
    assert list(lines.faults(f"postfix/{name}", text.encode(), node.debian)) == []
    return dict(line.split("\t") for line in text.splitlines())


def jo(*cells: str, estate: Estate = ESTATE, **more: t.Any) -> Estate:
    return with_mailbox(
        estate, "jo@acme.example", state="suspended", suspension=Suspension(*cells), **more
    )


def refused(node: t.Any, estate: Estate) -> dict[str, str]:
    rows = table(node, "recipient_access", estate).items()
    return {key: value for key, value in rows if value[0] in "45"}


@pytest.mark.parametrize(
    ("inbound", "reply"),
    [
        ("accept", None),
        ("hold", None),
        ("defer", "450 4.7.1 This address does not accept mail at present"),
        ("reject", "550 5.7.1 This address does not accept mail"),
    ],
)
@pytest.mark.parametrize("node", [MX1, MX2], ids=["serving", "relaying"])
def test_every_name_of_a_mailbox_is_refused_on_every_node(
    node: t.Any, inbound: str, reply: str | None
) -> None:
    names = ["jo@acme.example", "jo@acme-mail.example"]
    names += ["noreply@acme.example", "noreply@acme-mail.example"]  # its sender address
    expected = {} if reply is None else dict.fromkeys(names, reply)
    assert refused(node, jo(inbound)) == expected


def test_the_text_of_the_provider_is_the_reply() -> None:
    found = refused(MX1, jo("reject", "refuse", "refuse", "send", "Call us: 100% free"))
    assert found["jo@acme.example"] == "550 5.7.1 Call us: 100% free"


def test_an_alias_is_refused_only_if_all_behind_it_are_and_then_by_the_mildest() -> None:
    estate = jo("reject")
    assert "sales@acme.example" not in refused(MX1, estate)  # ann@globex.example gets it
    ann = {"state": "suspended", "suspension": Suspension("defer")}
    both = with_mailbox(estate, "ann@globex.example", **ann)
    assert refused(MX1, both)["sales@acme.example"].startswith("450 ")
    assert refused(MX1, both)["sales@acme-mail.example"].startswith("450 ")
    assert refused(MX1, both)["jo@acme.example"].startswith("550 ")


def test_postmaster_and_abuse_always_work() -> None:
    estate = with_tenant(ESTATE, "acme", state="suspended", suspension=Suspension("reject"))
    for node in (MX1, MX2):
        found = refused(node, estate)
        assert {
            "it@acme.example",
            "orders@shop.example",
            "jo@shop-alias.example",
        } - found.keys() == {"jo@shop-alias.example"}
        assert not [key for key in found if key.startswith(("postmaster@", "abuse@"))]
    held = with_tenant(ESTATE, "acme", state="suspended", suspension=Suspension("hold"))
    transports, aliases = (
        table(MX1, name, held) for name in ("transport_maps", "virtual_alias_maps")
    )
    assert transports["it@acme.example"] == suspended.HOLD
    assert aliases["postmaster@acme.example"] == "it+postmaster@acme.example"
    assert transports["it+postmaster@acme.example"] == suspended.DELIVER
    assert aliases["abuse@acme.example"] == "it+abuse@acme.example, desk@elsewhere.example"


def test_held_mail_is_held_on_the_serving_node_alone() -> None:
    estate = jo("hold")
    assert table(MX1, "held_recipients", estate) == {"jo@acme.example": "HOLD"}
    assert table(MX1, "transport_maps", estate)["jo@acme.example"] == suspended.HOLD
    assert table(MX2, "held_recipients", estate) == {}
    assert "jo@acme.example" not in table(MX2, "transport_maps", estate)


def test_recipients_of_a_relay_domain_are_held_and_their_postmaster_is_not() -> None:
    estate = with_domain(ESTATE, "legacy.example", state="suspended", suspension=Suspension("hold"))
    assert table(MX2, "held_recipients", estate) == {"peter@legacy.example": "HOLD"}
    transports = table(MX2, "transport_maps", estate)
    assert transports["peter+abuse@legacy.example"] == "smtp:[mail.stranger.example]:25"


@pytest.mark.parametrize("keep_copy", [True, False])
def test_a_mailbox_that_may_not_send_forwards_nothing_and_keeps_its_mail(keep_copy: bool) -> None:
    away = Forward(("away@elsewhere.example",), keep_copy)
    stopped = jo("accept", "refuse", "refuse", forward=away)
    assert "jo@acme.example" not in table(MX1, "virtual_alias_maps", stopped)
    going_on = jo("accept", "refuse", "allow", forward=away)
    assert "away@" in table(MX1, "virtual_alias_maps", going_on)["jo@acme.example"]


def test_a_forward_to_somebody_who_takes_mail_keeps_the_address_open() -> None:
    away = Forward(("away@elsewhere.example",), keep_copy=False)
    assert "jo@acme.example" not in refused(MX1, jo("reject", "refuse", "allow", forward=away))
    assert "jo@acme.example" in refused(MX1, jo("reject", "refuse", "refuse", forward=away))


def test_who_may_not_send_is_no_sender_and_ends_its_session() -> None:
    estate = jo("accept", "allow", "refuse")
    assert set(table(MX1, "submission_access", estate)) == {"jo@acme.example", "ex@acme.example"}
    assert all(
        value.startswith("421 ") for value in table(MX1, "submission_access", estate).values()
    )
    assert "jo@acme.example" not in table(MX1, "sender_login_maps", estate)
    allowed = jo("accept", "refuse", "allow")
    assert "jo@acme.example" not in table(MX1, "submission_access", allowed)
    assert table(MX1, "sender_login_maps", allowed)["jo@acme.example"] == "jo@acme.example"


def test_what_abuse_has_in_the_queue_is_known_by_all_its_senders() -> None:
    found = table(MX1, "held_senders", jo("defer", "refuse", "refuse", "hold"))
    assert set(found) == {
        "jo@acme.example",
        "jo@acme-mail.example",
        "noreply@acme.example",
        "noreply@acme-mail.example",
    }
    assert table(MX1, "held_senders", jo("defer")) == {}
