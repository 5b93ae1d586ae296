# SPDX-License-Identifier: GPL-3.0-or-later
"""Modoboa's and PostfixAdmin's own exports become tenants, and what does not is listed with its
row.

The fixtures were written by the systems themselves: Modoboa 2.12.0's ``modo export domains`` and
``modo export identities``; PostfixAdmin 3.3.13's backup page, and mariadb-dump of its database.
"""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._exchange import (
    importing,
    modoboa,
    postfixadmin,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._exchange.document import Draft
from ansible_collections.reseller.mail.plugins.plugin_utils._exchange.panel_objects import Choice

REFUSED_MD5 = "the hash scheme MD5-CRYPT is not one of ARGON2ID, ARGON2I, BLF-CRYPT, SHA512-CRYPT"
REFUSED_SSHA = REFUSED_MD5.replace("MD5-CRYPT", "SSHA")
FIXTURES = Path(__file__).parents[3] / "fixtures" / "exchange"
BASE = {
    "estate.yml": (
        b"""provider: {name: Example Hosting, domain: hosting.example}
nodes:
  - {name: mx1, hostname: mx1.hosting.example, debian: 12, addresses: [192.0.2.1]}
approved_hosts: [mail.stranger.example]
"""
    ),
    "plans.yml": (
        b"""plans:
  - name: business
    features: [catch_all, relay_domains]
    mailbox_quota: {default: 2G}
"""
    ),
}
TENANTS = {
    "acme": [
        "acme.example",
        "closed.example",
        "münchen-mail.example",
        "xn--mnchen-mail-9db.example",
        "legacy.acme.example",
    ],
    "globex": ["globex.example"],
}
ACCOUNT = {"plan": "business", "placement": "mx1"}


def _files(*names: str) -> dict[str, bytes]:
    return {name: (FIXTURES / name).read_bytes() for name in names}


def _choice(**others: t.Any) -> Choice:
    return Choice(**{"tenants": TENANTS, "account": ACCOUNT, **others})


def _modoboa(more: str = "", **others: t.Any) -> Draft:
    files = {
        **_files("modoboa-domains.csv", "modoboa-identities.csv"),
        **({"more.csv": more.encode()} if more else {}),
    }
    return modoboa.read(files, _choice(**others))


def _postfixadmin(name: str = "postfixadmin-mysqldump.sql", **others: t.Any) -> Draft:
    account = {**ACCOUNT, "default_owner": "it@acme.example"}
    return postfixadmin.read(
        _files(name),
        _choice(
            **{
                "tenants": {"acme": [*TENANTS["acme"], "globex.example"]},
                "account": account,
                **others,
            }
        ),
    )


def _written(draft: Draft) -> dict[str, str]:
    outcome = importing.result(BASE, [], draft, "refuse")
    assert (outcome.errors, [str(fault) for fault in outcome.faults]) == ([], [])
    return {path: content.decode() for path, content in outcome.files.items()}


def test_modoboa() -> None:
    written = _written(_modoboa())
    assert (
        written["tenants/acme/acme.example.yml"]
        == """mailboxes:
  - name: gone
    display_name: Gone
    quota: 100M
    state: suspended
  - name: it
    display_name: Acme IT
    quota: 5G
    password: "{SHA512-CRYPT}$6$rounds=70000$jY44UYsdCtqWPnPs$pdBYkhs3dwH5X31casdasdrH5EnF1Z4gTbaVCxcMhhgL1U9EH1BL7N2iXK57MJhcNFN5senjpMy8AxKIvS37e1"
    forward: {to: [helpdesk@stranger.example], keep_copy: false}
  - name: jo
    display_name: "Jo Doe, PhD"
    quota: 5G
    password: "{BLF-CRYPT}$2b$12$KIXQJ6yC0x3o0uGZb0o2eOZ2m3m1jFqJ1cWkzD3b0v5m6n7p8q9rS"
    forward: {to: [jo.private@stranger.example]}
  - name: rex
    display_name: Rex Reseller
    quota: 1G
    password: "{SHA512-CRYPT}$6$rounds=70000$jY44UYsdCtqWPnPs$pdBYkhs3dwH5X31casdasdrH5EnF1Z4gTbaVCxcMhhgL1U9EH1BL7N2iXK57MJhcNFN5senjpMy8AxKIvS37e1"
  - name: sum
    display_name: "=SUM(1,1) +Plus"
    quota: 10M
aliases:
  - name: sales
    to: [ann@globex.example, jo, orders+acme@stranger.example]
domain_aliases: [acme-mail.example]
catch_all: it
"""
    )
    assert (
        written["tenants/acme/account.yml"]
        == """organisation: acme
plan: business
placement: mx1
default_owner: rex@acme.example
admins:
  - address: it@acme.example
    role: domain_admin
    domains: [acme.example, closed.example, xn--mnchen-mail-thb.example]
  - address: rex@acme.example
domains: [acme.example, acme-mail.example, closed.example, legacy.acme.example, xn--mnchen-mail-thb.example]
domain_limits:
  - name: acme.example
    storage: 50G
  - name: closed.example
    storage: 1G
  - name: xn--mnchen-mail-thb.example
    storage: 10G
"""
    )
    assert written["tenants/acme/closed.example.yml"] == "state: suspended\n"
    # {CRYPT} is no scheme of its own: the hash tells which one it is.
    assert 'password: "{SHA512-CRYPT}$6$' in written["tenants/acme/xn--mnchen-mail-thb.example.yml"]
    assert "quota: unlimited" in written["tenants/globex/globex.example.yml"]


def test_modoboa_says_what_was_lost() -> None:
    assert [str(lost) for lost in _modoboa().lost] == [
        (
            "modoboa-domains.csv:1: domain acme.example: default mailbox quota 2048M: here a plan has one, a domain has none; every mailbox has its own quota"
        ),
        (
            "modoboa-domains.csv:3: domain alias old-acme.example: it is switched off, and a domain alias here is always on"
        ),
        (
            "modoboa-domains.csv:4: domain closed.example: default mailbox quota 100M: here a plan has one, a domain has none; every mailbox has its own quota"
        ),
        (
            "modoboa-domains.csv:7: domain xn--mnchen-mail-thb.example: default mailbox quota 1024M: here a plan has one,"
            " a domain has none; every mailbox has its own quota"
        ),
        (
            "modoboa-identities.csv:1: account admin: it has role SuperAdmins and no address; here"
            " an admin is an address"
        ),
        (
            f"modoboa-identities.csv:3: gone@acme.example: password: {REFUSED_MD5}; a new password"
            " is made"
        ),
        "modoboa-identities.csv:7: mailbox léa@acme.example: 'léa' cannot be the part before an @",
        (
            "modoboa-identities.csv:8: mailbox o'neil@globex.example: \"o'neil\" cannot be"
            " the part before an @"
        ),
        (
            "modoboa-identities.csv:9: account reseller: it has role Resellers and no address; here"
            " an admin is an address"
        ),
        (
            f"modoboa-identities.csv:11: sum@acme.example: password: {REFUSED_SSHA}; a new password"
            " is made"
        ),
        (
            "modoboa-identities.csv:13: catch-all @globex.example: it goes to 2 addresses, and a catch-all has one: make an alias for them"
        ),
        "modoboa-identities.csv:14: alias a+b@acme.example: 'a+b' cannot be the part before an @",
        (
            "modoboa-identities.csv:15: alias all@globex.example: target o'neil@globex.example:"
            ' "o\'neil" cannot be the part before an @'
        ),
        (
            "modoboa-identities.csv:16: alias archive@legacy.acme.example: it delivers only to itself, as the recipients of relay domains do"
        ),
        (
            "modoboa-identities.csv:20: alias off@acme.example: it is switched off, and an alias here is always on"
        ),
    ]


def test_a_row_by_hand_makes_a_relay_domain() -> None:
    draft = _modoboa("relaydomain;legacy.acme.example;mail.stranger.example;2525;relay;True;True\n")
    assert (
        _written(draft)["tenants/acme/legacy.acme.example.yml"]
        == "type: relay\nrelay: {host: mail.stranger.example, port: 2525, recipients: [archive]}\n"
    )
    assert (
        "modoboa-identities.csv:21: alias peter@legacy.acme.example: a relay domain has recipients,"
        " no aliases" in map(str, draft.lost)
    )


def test_modoboas_web_pages_separate_by_commas() -> None:
    comma = {
        name: content.replace(b";", b",") for name, content in _files("modoboa-domains.csv").items()
    }
    draft = modoboa.read(
        comma,
        _choice(tenants={}, tenant="acme", account={**ACCOUNT, "default_owner": "a@b.example"}),
    )
    assert draft.documents["tenants/acme/account.yml"]["domain_limits"][0] == {
        "name": "acme.example",
        "storage": "50G",
    }


@pytest.mark.parametrize(
    ("zero_means", "line"),
    [("unlimited", "    quota: unlimited\n"), ("default", ""), ("none", "    quota: 0\n")],
)
def test_the_operator_says_what_zero_means(zero_means: str, line: str) -> None:
    draft = _modoboa(zero_means=zero_means)
    outcome = importing.result(BASE, [], draft, "refuse")
    assert (
        f"    display_name: Ann Smith\n{line}    password:"
        in outcome.files["tenants/globex/globex.example.yml"].decode()
    )
    faults = {(placed.source, placed.fault.id) for placed in outcome.faults}
    assert (("modoboa-identities.csv:2", "unfit-value") in faults) == (zero_means == "none")


def test_hashes_stay_behind_on_request_and_are_never_named() -> None:
    draft = _modoboa(secrets=False)
    assert "password" not in str(draft.documents)
    assert not any(
        "$" in str(lost) or "toto" in str(lost)
        for lost in (*draft.lost, *_modoboa().lost, *_postfixadmin().lost)
    )


def test_faults_name_their_row() -> None:
    base = {
        **BASE,
        "plans.yml": (
            b"plans:\n  - {name: business, limits: {mailboxes: 3}, mailbox_quota: {default: 1G,"
            b" max: 2G}}\n"
        ),
    }
    faults = {
        (placed.source, placed.fault.id)
        for placed in importing.result(base, [], _modoboa(), "refuse").faults
    }
    assert ("modoboa-identities.csv:5", "quota-out-of-bounds") in faults
    assert ("modoboa-identities.csv:12", "feature-not-in-plan") in faults


def test_a_domain_without_tenant_is_listed() -> None:
    draft = _modoboa(tenants={"globex": ["globex.example"]})
    assert list(draft.documents) == [
        "tenants/globex/globex.example.yml",
        "tenants/globex/account.yml",
    ]
    assert (
        "modoboa-domains.csv:1: domain acme.example with all in it: no tenant was chosen for it"
        in map(str, draft.lost)
    )
    assert (
        "modoboa-identities.csv:5: admin it@acme.example of acme.example: the domain is not imported"
        in map(str, draft.lost)
    )


def test_nobody_gains_rights() -> None:
    """Who manages some of the tenant's domains does not become its admin; the operator chooses
    one."""
    assert _postfixadmin(account=ACCOUNT).errors == [
        "tenants/acme/account.yml: no admin of the source manages all domains of tenant acme; choose one with account: default_owner"
    ]


@pytest.mark.parametrize("name", ["postfixadmin-mysqldump.sql", "postfixadmin-backup.sql"])
def test_postfixadmin(name: str) -> None:
    written = _written(_postfixadmin(name))
    assert written["tenants/acme/acme.example.yml"].startswith("""mailboxes:
  - name: gone
    display_name: "=cmd()"
    quota: 10000K
    state: suspended
  - name: it
    display_name: Acme IT
    quota: 5000M
    password: "{SHA512-CRYPT}$6$AjBiGUVj1akUxn6Q$LPGPTQI40VUmxqa0it4SAjX1BaOkrLUcWXs8GkZXhoiVvnhDyWVQYt/NmH11y2f3C4FY0JZjwSfg2aFmbaEKP/"
  - name: jo
    display_name: "Jo Doe; \\"Jo\\""
    quota: 2000M
    password: "{BLF-CRYPT}$2y$10$2iTyYrPzvXqL1S0xTtmjzeCqkZ8GkvmjO4H5pQvK8YB1r7lZV5Qnu"
    forward: {to: [jo.private@stranger.example]}
aliases:
""")
    assert (
        written["tenants/acme/legacy.acme.example.yml"]
        == "type: relay\nrelay: {host: mail.stranger.example, recipients: [archive, peter]}\n"
    )
    assert written["tenants/acme/closed.example.yml"] == "state: suspended\n"
    assert (
        "forward" not in written["tenants/acme/globex.example.yml"]
    )  # a vacation is no forwarding
    assert (
        written["tenants/acme/account.yml"]
        == """organisation: acme
plan: business
placement: mx1
default_owner: it@acme.example
admins:
  - address: it@acme.example
domains:
  - acme.example
  - acme-mail.example
  - closed.example
  - globex.example
  - legacy.acme.example
  - xn--mnchen-mail-9db.example
domain_limits:
  - name: acme.example
    mailboxes: 50
    aliases: 200
    storage: 50G
    mailbox_storage: 10G
  - name: closed.example
    mailboxes: 10
    aliases: 10
    storage: 2G
    mailbox_storage: 10M
  - name: xn--mnchen-mail-9db.example
    mailboxes: 5
    aliases: 0
    storage: 10G
    mailbox_storage: 2G
"""
    )


def test_postfixadmin_says_what_was_lost() -> None:
    assert [
        str(lost).removeprefix("postfixadmin-backup.sql:")
        for lost in _postfixadmin("postfixadmin-backup.sql").lost
    ] == [
        (
            "148: admin root@hosting.example: a super admin has rights beyond a tenant: give them in roles of estate.yml"
        ),
        (
            "150: catch-all @globex.example: it goes to 2 addresses, and a catch-all has one: make an alias for them"
        ),
        "151: alias a+b@acme.example: 'a+b' cannot be the part before an @",
        "161: alias off@acme.example: it is switched off, and an alias here is always on",
        (
            "169: domain acme.example: description 'Acme Corporation': a domain here has none; the account has an organisation"
        ),
        (
            "171: domain globex.example: description 'Globex': a domain here has none; the account has an organisation"
        ),
        (
            "173: domain xn--mnchen-mail-9db.example: description 'München': a domain here has none; the account has an organisation"
        ),
        f"206: gone@acme.example: password: {REFUSED_MD5}; a new password is made",
        "210: mailbox o'neil@acme.example: \"o'neil\" cannot be the part before an @",
        "211: vacation of ann@globex.example: users set their own with Sieve",
    ]


def test_a_dump_of_something_else_is_an_error() -> None:
    assert postfixadmin.read({"x.sql": b"SELECT 1"}, _choice()).errors == [
        "x.sql: there are no rows of PostfixAdmin's table domain"
    ]
    assert postfixadmin.read({"x.sql": b"\n\xff"}, _choice()).errors == [
        "x.sql:2: byte 0xff is not UTF-8; allowed: UTF-8 text"
    ]
    assert modoboa.read({"x.csv": b"\ndomain;d\xf3m;1;1;True"}, _choice()).errors == [
        "x.csv:2: byte 0xf3 is not UTF-8; allowed: UTF-8 text"
    ]


POSTFIXADMIN_TABLES = """\
CREATE TABLE `domain` (`domain` text, `description` text, `aliases` int, `mailboxes` int, `maxquota` int, `quota` int,
  `transport` text, `backupmx` int, `active` int);
CREATE TABLE `alias_domain` (`alias_domain` text, `target_domain` text, `active` int);
CREATE TABLE `mailbox` (`username` text, `password` text, `name` text, `quota` int, `active` int);
CREATE TABLE `alias` (`address` text, `goto` text, `active` int);
CREATE TABLE `admin` (`username` text, `active` int, `superadmin` int);
CREATE TABLE `domain_admins` (`username` text, `domain` text, `active` int);
INSERT INTO `domain` VALUES ('new.example','',0,0,0,0,'virtual',0,1);
INSERT INTO `mailbox` VALUES ('jo@new.example','','Jo',1048576000,1);
"""
"""The first row stands in line 8."""


def _dump(rows: str) -> Draft:
    choice = _choice(tenants={}, tenant="new", account={"default_owner": "jo@new.example"})
    return postfixadmin.read({"dump.sql": f"{POSTFIXADMIN_TABLES}{rows}".encode()}, choice)


@pytest.mark.parametrize(
    ("rows", "lost"),
    [
        (
            "INSERT INTO domain VALUES ('NEW.example','',0,0,0,0,'virtual',0,1);",
            ["domain new.example: it is already at dump.sql:8"],
        ),
        (
            (
                "INSERT INTO domain VALUES"
                " ('b.example','',0,0,0,0,'virtual',0,1),('B.example','',0,0,0,0,'virtual',0,0);"
            ),
            ["domain b.example: it is already at dump.sql:10"],
        ),
        (
            "INSERT INTO mailbox VALUES ('Jo@new.example','','Two',1,1);",
            ["mailbox jo@new.example: it is already at dump.sql:9"],
        ),
        (
            "INSERT INTO alias_domain VALUES ('new.example','NEW.example',1);",
            ["domain alias new.example: it would be an alias of itself"],
        ),
        (
            (
                "INSERT INTO alias_domain VALUES"
                " ('b.example','new.example',1),('b.example','new.example',1);"
            ),
            ["domain alias b.example: it is already at dump.sql:10"],
        ),
        (
            (
                "INSERT INTO alias_domain VALUES"
                " ('b.example','new.example',1),('new.example','b.example',1);"
            ),
            [
                "domain alias new.example: each would be the alias of the other: b.example is an alias of new.example at dump.sql:10"
            ],
        ),
        (
            (
                "INSERT INTO alias_domain VALUES ('b.example','new.example',1);INSERT INTO mailbox"
                " VALUES ('bo@b.example','','Bo',1,1);INSERT INTO alias VALUES"
                " ('@b.example','jo@new.example',1);"
            ),
            [
                f"{what}: b.example is a domain alias of new.example (dump.sql:10), so it cannot have mailboxes"
                for what in ("catch-all @b.example", "mailbox bo@b.example")
            ],
        ),
        (
            (
                "INSERT INTO alias VALUES"
                " ('info@new.example','jo@new.example',0),('info@new.example','x@stranger.example',1);"
            ),
            ["alias info@new.example: it is switched off, and an alias here is always on"],
        ),
    ],
)
def test_a_second_row_for_one_thing_is_named(rows: str, lost: list[str]) -> None:
    draft = _dump(rows)
    assert draft.errors == []
    assert [str(one).partition(": ")[2] for one in draft.lost] == lost
    assert draft.documents["tenants/new/new.example.yml"]["mailboxes"][0]["display_name"] == "Jo"


@pytest.mark.parametrize(
    ("row", "lost"),
    [
        ("mailbox VALUES (NULL,'','X',1,1)", "mailbox '': it is no address"),
        (
            "mailbox VALUES ('bo@new.example','','X','1.5',1)",
            "mailbox bo@new.example: quota '1.5': it is no whole number, and is left out",
        ),
        (
            "mailbox VALUES ('bo@new.example','','X',1e9,1)",
            "mailbox bo@new.example: quota '1e9': it is no whole number, and is left out",
        ),
        (
            "mailbox VALUES ('bo@new.example','','X',1,2)",
            "mailbox: active '2': it is neither on nor off, and is read as off",
        ),
        (
            "alias VALUES ('a@new.example','jo@new.example','yes')",
            "alias: active 'yes': it is neither on nor off, and is read as off",
        ),
    ],
)
def test_a_value_that_is_none_of_its_column_is_named(row: str, lost: str) -> None:
    draft = _dump(f"INSERT INTO {row};")
    assert draft.errors == []
    assert lost in [str(one).partition(": ")[2] for one in draft.lost]


def test_rows_of_one_alias_add_up_and_a_target_counts_once() -> None:
    draft = _dump(
        "INSERT INTO alias VALUES"
        " ('info@new.example','jo@new.example,Jo@new.example',1),('INFO@new.example','x@stranger.example',1),"
        "('@new.example','jo@new.example',1),('@new.example','jo@new.example',1);"
    )
    assert draft.lost == []
    assert draft.documents["tenants/new/new.example.yml"]["aliases"] == [
        {"name": "info", "to": ["jo@new.example", "x@stranger.example"]}
    ]
    assert draft.documents["tenants/new/new.example.yml"]["catch_all"] == "jo@new.example"


def test_an_alias_of_a_domain_alias_is_one_of_its_domain() -> None:
    before = (
        "INSERT INTO domain VALUES"
        " ('b.example','',0,0,0,0,'virtual',0,1),('c.example','',0,0,0,0,'virtual',0,1);"
    )
    for rows in (
        "('b.example','new.example',1),('c.example','b.example',1)",
        "('c.example','b.example',1),('b.example','new.example',1)",
    ):
        draft = _dump(f"{before}INSERT INTO alias_domain VALUES {rows};")
        assert draft.lost == []
        assert sorted(draft.documents["tenants/new/new.example.yml"]["domain_aliases"]) == [
            "b.example",
            "c.example",
        ]


def test_an_admin_that_is_switched_off_manages_nothing() -> None:
    draft = _dump(
        "INSERT INTO admin VALUES ('ann@new.example',0,0);INSERT INTO domain_admins VALUES"
        " ('ann@new.example','new.example',1);"
    )
    assert [str(one) for one in draft.lost] == [
        "dump.sql:10: admin ann@new.example: it is switched off"
    ]
    assert draft.documents["tenants/new/account.yml"]["admins"] == [{"address": "jo@new.example"}]


@pytest.mark.parametrize(
    ("table", "faults"),
    [
        (
            "CREATE TABLE alias (address text, active int);",
            ["the table alias has no column goto"],
        ),  # iRedMail
        (
            (
                "CREATE TABLE mailbox (username text, password text, name text, quota int, active"
                " int, storagebasedirectory text);"
            ),
            ["these are iRedMail's tables"],
        ),
        (
            (
                "CREATE TABLE mailbox (id int, username text, password text, name text, quota int,"
                " active int, Domain_id int);"
            ),
            [],
        ),
        (  # ViMbAdmin
            (
                "CREATE TABLE domain (id int, domain text, max_aliases int, max_mailboxes int,"
                " max_quota int, transport text, backupmx int, active int);"
            ),
            [
                f"the table domain has no column {column}"
                for column in ("aliases", "mailboxes", "maxquota")
            ],
        ),
    ],
)
def test_tables_of_another_panel_are_refused_though_they_have_no_rows(
    table: str, faults: list[str]
) -> None:
    errors = postfixadmin.read(
        {"dump.sql": f"{POSTFIXADMIN_TABLES}{table}".encode()}, _choice()
    ).errors
    assert len(errors) == len(faults)
    assert all(
        error.startswith("dump.sql:10: ") and fault in error
        for error, fault in zip(errors, faults, strict=True)
    )


@pytest.mark.parametrize(
    "first", ["domain,", '"domain",', '\ufeff"domain",', "\r\n domain,", '"domain"\t']
)
def test_modobas_separator_is_told_by_its_first_word(first: str) -> None:
    row = "new.example,0,0,True".replace(",", first[-1])
    draft = modoboa.read(
        {"x.csv": f"{first}{row}\r\n".encode()},
        _choice(tenants={}, tenant="new", account={"default_owner": "jo@new.example"}),
    )
    assert (draft.errors, draft.lost) == ([], [])
    assert "tenants/new/new.example.yml" in draft.documents


def test_modoboas_second_rows_for_one_thing_are_named() -> None:
    rows = (
        "domain;new.example;0;0;True\nrelaydomain;old.example;mx.old.example;25;relay;True;True\n"
        * 2
    )
    rows += "domainalias;b.example;new.example;True\ndomainalias;b.example;new.example;True\n"
    rows += (
        "alias;@new.example;True;x@stranger.example\nalias;@new.example;True;y@stranger.example\n"
    )
    draft = modoboa.read(
        {"x.csv": rows.encode()},
        _choice(tenants={}, tenant="new", account={"default_owner": "jo@new.example"}),
    )
    assert [str(one) for one in draft.lost] == [
        "x.csv:3: domain new.example: it is already at x.csv:1",
        "x.csv:4: domain old.example: it is already at x.csv:2",
        "x.csv:6: domain alias b.example: it is already at x.csv:5",
        "x.csv:8: catch-all @new.example: it is already at x.csv:7",
    ]
