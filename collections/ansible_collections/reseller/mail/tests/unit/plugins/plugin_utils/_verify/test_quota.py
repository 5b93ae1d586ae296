# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._model.domain import (
    Domain,
    Mailbox,
    MailboxLimits,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import (
    Estate,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._model.tenant import (
    Admin,
    Limits,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.finding import Finding
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.quota import (
    Live,
    ledger_findings,
    node_findings,
)
from ansible_collections.reseller.mail.tests.unit.support import estates

G = 2**30
JO = Mailbox("jo", "acme.example", 5 * G, "it@acme.example")
ANN = Mailbox("ann", "acme.example", None, "it@acme.example")
ADMIN = Admin("it@acme.example", Limits(storage=4 * G, mailboxes=20))
NO_LIMITS = Limits()


def estate(*mailboxes: Mailbox, limits: Limits = NO_LIMITS, admin: Admin = ADMIN) -> Estate:
    domain = Domain("acme.example", "mail", "it@acme.example", mailboxes)
    return estates.estate(estates.tenant("acme", domain, admins=(admin,), limits=limits))


def live(
    limit: int | None,
    used: int,
    messages_limit: int | None = MailboxLimits().messages,
    messages: int = 0,
) -> Live:
    return Live(limit, used, messages_limit, messages)


def by_id(findings: list[Finding]) -> dict[tuple[str, str], Finding]:
    found = {(one.id, one.subject): one for one in findings}
    assert len(found) == len(findings), "an id and a subject name one finding"
    return found


def test_mailboxes_that_are_well_are_one_finding_of_their_domain() -> None:
    found = by_id(
        node_findings(
            estate(JO, ANN), "mx1", {JO.address: live(5 * G, G), ANN.address: live(None, G)}
        )
    )
    assert {key: one.state for key, one in found.items()} == {
        ("quota.limit", "acme.example"): "ok",
        ("quota.usage", "acme.example"): "ok",
    }
    assert found["quota.usage", "acme.example"].found == "2 mailboxes, 2G used in the domain"


def test_another_quota_than_allotted_fails() -> None:
    found = by_id(
        node_findings(estate(JO, ANN), "mx1", {JO.address: live(4 * G, 0), ANN.address: live(G, 0)})
    )
    assert (found["quota.limit", JO.address].state, found["quota.limit", JO.address].found) == (
        "fail",
        "Dovecot enforces 4G",
    )
    assert found["quota.limit", ANN.address].expected == "quota unlimited, 500000 messages"
    assert ("quota.limit", "acme.example") not in found


def test_a_mailbox_that_dovecot_does_not_know_fails_once() -> None:
    found = by_id(node_findings(estate(JO, ANN), "mx1", {ANN.address: live(None, 0)}))
    assert found["quota.limit", JO.address].found == "Dovecot does not have the mailbox"
    assert ("quota.usage", JO.address) not in found


def test_dovecot_counts_in_kib() -> None:
    odd = Mailbox("odd", "acme.example", G + 1000, "it@acme.example")
    assert (
        by_id(node_findings(estate(odd), "mx1", {odd.address: live(G, 0)}))[
            "quota.limit", "acme.example"
        ].state
        == "ok"
    )


@pytest.mark.parametrize(
    ("used", "state"), [(4 * G - 1, None), (4 * G, "warn"), (5 * G, "warn"), (5 * G + 1024, "fail")]
)
def test_usage_warns_from_80_percent_and_fails_over_the_quota(used: int, state: str | None) -> None:
    found = by_id(node_findings(estate(JO), "mx1", {JO.address: live(5 * G, used)})).get(
        ("quota.usage", JO.address)
    )
    assert (found.state if found else None) == state


@pytest.mark.parametrize(("enforced", "found"), [(None, "unlimited"), (400_000, "400000")])
def test_another_number_of_messages_than_the_files_say_fails(
    enforced: int | None, found: str
) -> None:
    finding = by_id(node_findings(estate(JO), "mx1", {JO.address: live(5 * G, 0, enforced)}))[
        "quota.limit", JO.address
    ]
    assert (finding.state, finding.found) == ("fail", f"Dovecot enforces {found} messages")


@pytest.mark.parametrize(
    ("messages", "state"), [(399_999, None), (400_000, "warn"), (500_001, "fail")]
)
def test_messages_fill_a_mailbox_as_well(messages: int, state: str | None) -> None:
    found = by_id(
        node_findings(estate(JO), "mx1", {JO.address: live(5 * G, G, messages=messages)})
    ).get(("quota.usage", JO.address))
    assert (found.state if found else None) == state
    if found:
        assert found.expected == "below 80 % of 500000 messages"
        assert found.remedy.startswith(f"raise the mailbox_limits of {JO.address}")


def test_what_dovecot_counts_is_compared_with_the_disk() -> None:
    """Dovecot rounds up to KiB."""
    counted = {
        JO.address: live(5 * G, G)._replace(disk=G - 1023, disk_messages=0),
        ANN.address: live(None, 2048, messages=3)._replace(disk=1024, disk_messages=3),
    }
    found = by_id(node_findings(estate(JO, ANN), "mx1", counted))
    assert found["quota.disk", ANN.address] == Finding(
        "quota.disk",
        ANN.address,
        "warn",
        "Dovecot counts what is on the disk: 1024 bytes, 3 messages",
        "it counts 2048 bytes, 3 messages",
        "systemctl start reseller-mail-quota on mx1, which happens every night, too",
    )
    well = found["quota.disk", "acme.example"]
    assert (well.state, well.found) == ("ok", "1 mailboxes, 1024M")
    assert ("quota.disk", JO.address) not in found


@pytest.mark.parametrize(("disk", "messages"), [(G + 1, 0), (G - 1024, 0), (G, 1)])
def test_a_kib_or_a_message_is_a_difference(disk: int, messages: int) -> None:
    one = live(5 * G, G)._replace(disk=disk, disk_messages=messages)
    found = by_id(node_findings(estate(JO), "mx1", {JO.address: one}))
    assert found["quota.disk", JO.address].state == "warn"
    assert ("quota.disk", "acme.example") not in found


def test_the_ledger_is_held_against_its_limits() -> None:
    found = by_id(ledger_findings(estate(JO, limits=Limits(storage=10 * G, mailboxes=1)), "mx1"))
    assert (
        found["quota.allotted", "tenant acme"].state,
        found["quota.allotted", "tenant acme"].found,
    ) == ("ok", "mailboxes 1 of 1, storage 5G of 10G")
    assert (
        found["quota.allotted", "it@acme.example"].state,
        found["quota.allotted", "it@acme.example"].found,
    ) == ("fail", "storage 5G of 4G")


def test_an_account_without_limits_does_not_apply() -> None:
    found = by_id(ledger_findings(estate(JO, admin=Admin("it@acme.example", Limits())), "mx1"))
    assert found["quota.allotted", "it@acme.example"].state == "na"


def test_tenants_of_other_nodes_are_not_this_nodes_business() -> None:
    assert ledger_findings(estate(JO), "mx2") == []
