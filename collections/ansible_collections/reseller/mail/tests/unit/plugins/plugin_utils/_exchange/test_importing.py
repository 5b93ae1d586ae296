# SPDX-License-Identifier: GPL-3.0-or-later
"""What is there is never overwritten unasked, and adding leaves a person's text as it is."""

from __future__ import annotations

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._exchange import (
    csv_form,
    importing,
    json_form,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._exchange.document import Draft

DOMAIN = "tenants/acme/acme.example.yml"
ESTATE = {
    "estate.yml": (
        b"provider: {name: P, domain: hosting.example}\nnodes:\n  - {name: mx1, hostname:"
        b" mx1.hosting.example, debian: 12, addresses: [192.0.2.1]}\n"
    ),
    "plans.yml": (
        b"plans:\n  - {name: business, limits: {mailboxes: 3}, mailbox_quota: {default: 2G}}\n"
    ),
    "tenants/acme/account.yml": (
        b"""organisation: Acme
plan: business
placement: mx1
default_owner: it@acme.example
admins: [{address: it@acme.example}]
domains: [acme.example]   # more to come
"""
    ),
    DOMAIN: (
        b"""# Our mail. Ask Jo.
mailboxes:
- name: it   # always answers
  quota: 1G

# Who sells:
aliases:
- name: sales
  to: [it]
"""
    ),
}


def _sheets(**sheets: str) -> Draft:
    return csv_form.read({f"{name}.csv": text.encode() for name, text in sheets.items()})


def _add(**sheets: str) -> importing.Result:
    return importing.result(ESTATE, [], _sheets(**sheets), "add")


def test_adding_keeps_the_text() -> None:
    outcome = _add(
        mailboxes=(
            "tenant,domain,name,display_name,quota\nacme,acme.example,jo,Jo"
            " Doe,5G\nacme,acme.example,it,,1G\n"
        )
    )
    assert (outcome.errors, outcome.faults) == ([], [])
    assert outcome.files == {
        DOMAIN: (
            ESTATE[DOMAIN].replace(
                b"  quota: 1G\n", b"  quota: 1G\n- name: jo\n  display_name: Jo Doe\n  quota: 5G\n"
            )
        )
    }


def test_adding_twice_changes_nothing() -> None:
    sheets = {"mailboxes": "tenant,domain,name\nacme,acme.example,jo\n"}
    first = _add(**sheets)
    again = importing.result({**ESTATE, **first.files}, [], _sheets(**sheets), "add")
    assert (again.files, again.same) == ({}, [DOMAIN])


def test_adding_a_list_that_is_not_there_yet() -> None:
    domains = "tenant,domain,domain_aliases\nacme,acme.example,a.example\n"
    outcome = _add(
        sender_addresses="tenant,domain,name,mailbox\nacme,acme.example,noreply,it\n",
        domains=domains,
    )
    assert (
        outcome.files[DOMAIN]
        == ESTATE[DOMAIN]
        + b"sender_addresses:\n  - {name: noreply, mailbox: it}\ndomain_aliases: [a.example]\n"
    )
    # and a name that the provider did not give is a fault, with its row
    assert [(placed.source, placed.fault.id) for placed in outcome.faults] == [
        ("domains.csv:2", "domain-not-approved")
    ]


def test_adding_to_brackets() -> None:
    outcome = _add(tenants="tenant,domains\nacme,acme-shop.example acme.example\n")
    assert outcome.files == {
        "tenants/acme/account.yml": (
            ESTATE["tenants/acme/account.yml"].replace(
                b"[acme.example]", b"[acme.example, acme-shop.example]"
            )
        )
    }


def test_what_contradicts_is_an_error() -> None:
    outcome = _add(tenants="tenant,plan\nacme,starter\n")
    assert outcome.errors == [
        "tenants.csv:2: tenants/acme/account.yml has another value: plan is business there"
    ]
    assert outcome.files == {}


def test_the_row_of_a_fault_behind_what_was_there() -> None:
    rows = "acme,acme.example,jo,\nacme,acme.example,ann,\n\nacme,acme.example,eve,5000\nacme,acme.example,sales,1G\n"
    outcome = _add(mailboxes=f"tenant,domain,name,quota\n{rows}")
    assert {(placed.source, placed.fault.id) for placed in outcome.faults} == {
        ("mailboxes.csv:5", "unfit-value"),
        (
            "mailboxes.csv:6",
            "duplicate-address",
        ),  # the alias stands below it, and is where the fault lies
        ("mailboxes.csv:5", "over-limit"),  # the first one too many
    }


def test_rows_for_a_domain_that_was_not_given() -> None:
    outcome = _add(mailboxes="tenant,domain,name\nacme,beta.example,x\n")
    assert [(placed.source, placed.fault.id) for placed in outcome.faults] == [
        ("mailboxes.csv:2", "domain-not-approved")
    ]


def test_a_fault_that_was_there_has_no_row() -> None:
    there = {
        **ESTATE,
        "tenants/acme/account.yml": ESTATE["tenants/acme/account.yml"].replace(b"mx1", b"mx9"),
    }
    outcome = importing.result(
        there, [], _sheets(tenants="tenant,domains\nacme,acme-shop.example\n"), "add"
    )
    assert [(placed.source, placed.fault.position.line) for placed in outcome.faults] == [("", 3)]


@pytest.mark.parametrize("existing", ["refuse", "replace"])
def test_what_is_there_stays_unless_told(existing: str) -> None:
    outcome = importing.result(
        ESTATE, [], _sheets(domains="tenant,domain,catch_all\nacme,acme.example,it\n"), existing
    )
    if existing == "refuse":
        assert outcome.errors == [
            f"domains.csv:2: {DOMAIN} exists and has other content; add to it, or replace it"
        ]
        assert outcome.files == {}
    else:
        assert outcome.files == {DOMAIN: b"catch_all: it\n"}


def test_parts_replace_nothing() -> None:
    outcome = importing.result(
        ESTATE, [], _sheets(mailboxes="tenant,domain,name\nacme,acme.example,jo\n"), "replace"
    )
    assert outcome.errors == [
        f"{DOMAIN}: the import has only parts of this file, which can be added to it but not"
        " replace it"
    ]


def test_replacing_keeps_passwords_that_are_not_spoken_of() -> None:
    secret = (
        b"mailboxes:\n  - name: it\n    password: !vault |\n      $ANSIBLE_VAULT;1.1;AES256\n     "
        b" 616263\n  - name: jo\n"
    )
    draft = _sheets(
        domains="tenant,domain\nacme,acme.example\n",
        mailboxes="tenant,domain,name,quota\nacme,acme.example,it,1G\n",
    )
    outcome = importing.result({**ESTATE, DOMAIN: secret}, [], draft, "replace")
    assert (
        outcome.files[DOMAIN]
        == b"mailboxes:\n  - name: it\n    quota: 1G\n    password: !vault |\n     "
        b" $ANSIBLE_VAULT;1.1;AES256\n      616263\n"
    )


@pytest.mark.parametrize(
    ("sheets", "error"),
    [
        (
            {"mailboxes": "tenant,domain,name,qouta\n"},
            "mailboxes.csv:1: 'qouta' is no column of this sheet; did you mean quota?",
        ),
        (
            {"mailboxes": "tenant,name\n"},
            "mailboxes.csv:1: the columns tenant, domain are required, and each column can be there only once",
        ),
        (
            {"mailboxes": "tenant,domain,name\nAcme,acme.example,jo\n"},
            "mailboxes.csv:2: 'Acme' is not a name",
        ),
        (
            {"mailboxes": "tenant,domain,name\nacme,../x,jo\n"},
            "mailboxes.csv:2: '../x' is not a domain name: there is no label before one of its dots",
        ),
        (
            {"mailboxes": "tenant,domain,name\nacme,acme.example,jo,x\n"},
            "mailboxes.csv:2: this row has more cells than the header has columns",
        ),
        (
            {"mailboxes": 'tenant,domain,name\nacme,acme.example,"jo"x\n'},
            "mailboxes.csv:2: this is not CSV: ',' expected after '\"'",
        ),
        ({"boxes": "a\n"}, "boxes.csv: no sheet has this name"),
        (
            {"domains": "tenant,domain\nacme,a.example\nacme,A.example.\n"},
            "domains.csv:3: this is a second row for acme, A.example.",
        ),
    ],
)
def test_what_is_wrong_with_a_sheet(sheets: dict[str, str], error: str) -> None:
    assert any(found.startswith(error) for found in _sheets(**sheets).errors), _sheets(
        **sheets
    ).errors


def test_sheets_as_spreadsheets_write_them() -> None:
    text = "\ufefftenant;domain;name;hidden;quota\r\nacme;a.example;jo;TRUE;-1\r\n"
    assert _sheets(mailboxes=text).documents == {
        "tenants/acme/a.example.yml": {
            "mailboxes": [{"name": "jo", "hidden": True, "quota": "unlimited"}]
        }
    }


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (b"[", "x.json: this is not JSON: "),
        (b"\xff", "x.json: this is not JSON: "),
        (b"[" * 100000, "x.json: this is not JSON: "),
        (b"[]", "x.json: this is no export of an estate; "),
        (
            b'{"format": "reseller.mail/estate", "version": 2}',
            "x.json: this is no export of an estate; ",
        ),
        (
            b'{"format": "reseller.mail/estate", "version": 1, "tenants": {}}',
            "x.json#/tenants: this is no list",
        ),
        (
            b'{"format": "reseller.mail/estate", "version": 1, "tenants": [{"name": "../../etc"}]}',
            "x.json#/tenants/0: a tenant must have a name",
        ),
        (
            (
                b'{"format": "reseller.mail/estate", "version": 1, "tenants": [{"name": "a",'
                b' "domains": [{"name": "../x"}]}]}'
            ),
            "x.json#/tenants/0/domains/0: a domain must have a name",
        ),
        (
            b'{"format": "reseller.mail/estate", "version": 1, "tenants": [{"name": "a", "x": 1}]}',
            "x.json#/tenants/0: 'x' is no key of a tenant",
        ),
        (
            b'{"format": "reseller.mail/estate", "version": 1, "estate": 1}',
            "x.json#/estate: this is no table of keys",
        ),
    ],
)
def test_what_is_wrong_with_a_json_text(text: bytes, error: str) -> None:
    assert json_form.read("x.json", text).errors[0].startswith(error)


def test_faults_in_json_have_pointers() -> None:
    text = (
        b'{"format": "reseller.mail/estate", "version": 1, "tenants": [{"name": "acme", "domains":'
        b' [{"name": "b.example", "mailbxes": [], "mailboxes": [{"name": "jo", "quota": 5},'
        b' {"name": null}, 7], "sieve": {"a": [1]}}]}]}'
    )
    outcome = importing.result(ESTATE, [], json_form.read("x.json", text), "add")
    assert {placed.source for placed in outcome.faults} >= {
        "x.json#/tenants/0/domains/0/mailbxes",
        "x.json#/tenants/0/domains/0/mailboxes/0/quota",
        "x.json#/tenants/0/domains/0/mailboxes/1/name",
        "x.json#/tenants/0/domains/0/mailboxes/2",
        "x.json#/tenants/0/domains/0/sieve",
    }
