# SPDX-License-Identifier: GPL-3.0-or-later
"""Every address that receives mail, and every name of a domain, can be explained."""

from __future__ import annotations

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._load import build
from ansible_collections.reseller.mail.plugins.plugin_utils._report import explain_table
from ansible_collections.reseller.mail.plugins.plugin_utils._report.explain import explain
from ansible_collections.reseller.mail.tests.unit.support import plan_estate as e

SHOP, ACCOUNT = "tenants/acme/acme-shop.example.yml", "tenants/acme/account.yml"
FILES = {
    **e.FILES,
    e.ACME: (
        "mailboxes:\n  - name: it\n  - name: jo\n"
        "aliases:\n  - name: sales\n    to: [jo, x@elsewhere.example]\n    may_send: true\n"
        "    internal_only: true\n"
        "  - {name: press, to: [jo], owner: it@acme.example}\n"
        "sender_addresses:\n  - {name: noreply, mailbox: jo}\n"
        "domain_aliases: [acme-mail.example]\n"
    ),
    SHOP: "mailboxes:\n  - name: orders\ncatch_all: orders\n",
    "tenants/acme/acme-new.example.yml": (
        "type: relay\nrelay:\n  host: mail.stranger.example\n  recipients: [peter]\n"
    ),
    ACCOUNT: e.FILES[ACCOUNT]
    .replace("  - address: ann@acme.example\n", "")
    .replace("  - {address: dom@acme.example, role: domain_admin, domains: [acme.example]}\n", "")
    + "managed_domains: [acme-mail.example]\n",
}


def explained(subject: str) -> list[str]:
    estate, faults = build({path: text.encode() for path, text in FILES.items()})
    assert faults == []
    return [
        f"{found.key} {explain_table.shown(found)} {found.level} {found.at}"
        + (" idle" if explain_table.idle(found) else "")
        for found in explain(estate, subject)
    ]


OWNER = f"owner it@acme.example account {ACCOUNT}:5:16"
UNDER_ALIAS = f"domain_alias_of acme.example domain {e.ACME}:12:18"
SALES = [
    f"kind alias domain {e.ACME}:5:5",
    f"to jo@acme.example, x@elsewhere.example domain {e.ACME}:6:9",
    OWNER,
    f"may_send true domain {e.ACME}:7:15",
    f"internal_only true domain {e.ACME}:8:20",
    "hidden false default :0:0",
]


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("sales@acme.example", SALES),
        ("sales+list@acme.example", SALES),
        ("sales@acme-mail.example", [UNDER_ALIAS, *SALES]),
        (
            "noreply@acme.example",
            [
                f"kind sender address domain {e.ACME}:11:5",
                f"to jo@acme.example domain {e.ACME}:11:30",
                OWNER,
            ],
        ),
        (
            "acme-mail.example",
            [
                UNDER_ALIAS,
                f"verified true account {ACCOUNT}:8:10",
                f"managed true account {ACCOUNT}:10:19",
                OWNER,
            ],
        ),
        (
            "postmaster@acme.example",
            ["kind role address default :0:0", f"to it@acme.example account {ACCOUNT}:5:16"],
        ),
        (
            "any@acme-shop.example",
            [
                f"kind catch-all domain {SHOP}:3:12",
                f"to orders@acme-shop.example domain {SHOP}:3:12",
            ],
        ),
        (
            "peter@acme-new.example",
            [
                "kind address of a relay domain domain tenants/acme/acme-new.example.yml:4:15",
                "relay.host mail.stranger.example domain tenants/acme/acme-new.example.yml:3:9",
                "relay.port 25 default :0:0",
            ],
        ),
    ],
)
def test_what_is_no_mailbox_is_explained_with_its_places(subject: str, expected: list[str]) -> None:
    assert explained(subject) == expected


def test_an_owner_of_its_own_is_at_the_alias() -> None:
    assert f"owner it@acme.example domain {e.ACME}:9:36" in explained("press@acme.example")


def test_a_mailbox_under_a_domain_alias_has_the_values_of_the_mailbox() -> None:
    assert explained("jo@acme-mail.example") == [UNDER_ALIAS, *explained("jo@acme.example")]


@pytest.mark.parametrize(
    "subject", ["joe@acme.example", "joe@acme-mail.example", "paul@acme-new.example", "acme.test"]
)
def test_what_receives_no_mail_does_not_exist(subject: str) -> None:
    with pytest.raises(LookupError):
        explained(subject)
