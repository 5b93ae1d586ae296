# SPDX-License-Identifier: GPL-3.0-or-later
"""Each way to a cause: with everything well there is none; with one thing wrong that is it,
whatever follows from it."""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import replace

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host.mail_log import Line, kind
from ansible_collections.reseller.mail.plugins.plugin_utils._compile import postfix
from ansible_collections.reseller.mail.plugins.plugin_utils._diagnose import ask, story
from ansible_collections.reseller.mail.plugins.plugin_utils._diagnose import (
    subject as diagnose_subject,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._diagnose.chains import CHAINS, diagnose
from ansible_collections.reseller.mail.plugins.plugin_utils._diagnose.subject import (
    TROUBLES,
    Known,
    Reply,
    Trail,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._load import build
from ansible_collections.reseller.mail.plugins.plugin_utils._model.domain import Smime
from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import (
    DkimKey,
    Estate,
    NodeState,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.finding import Finding
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.host import CATALOGUE
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding

FILES = {
    "estate.yml": (
        """\
provider: {name: Example Hosting, domain: hosting.example}
nodes: [{name: mx1, hostname: mx1.hosting.example, debian: 12, addresses: [192.0.2.1]}]
approved_hosts: [mail.stranger.example]
"""
    ),
    "plans.yml": (
        """\
plans: [{name: business, features: [catch_all, relay_domains, branding], mailbox_quota: {default: 2G}}]
"""
    ),
    "tenants/acme/account.yml": (
        """\
organisation: Acme Corporation
plan: business
state: active
placement: mx1
default_owner: it@acme.example
admins: [{address: it@acme.example}]
domains: [acme.example, acme-mail.example, old.example, later.example]
intake: {expected_mailboxes: 5, dns_contact: it@acme.example, clients: local, smime: false}
"""
    ),
    "tenants/acme/acme.example.yml": (
        """\
mailboxes:
  - name: it
  - name: jo
  - {name: sam, state: suspended}
  - {name: ext, credentials: external}
  - {name: fwd, forward: {to: [nobody@globex.example]}}
aliases:
  - {name: sales, to: [jo, ann@globex.example]}
  - {name: lost, to: [anna@globex.example]}
  - {name: office, to: [jo], may_send: true}
  - {name: away, to: [x@elsewhere.example]}
  - {name: staff, to: [jo], internal_only: true}
sender_addresses: [{name: noreply, mailbox: jo}]
domain_aliases: [acme-mail.example]
"""
    ),
    "tenants/acme/old.example.yml": (
        "type: relay\nrelay: {host: mail.stranger.example, recipients: [archive]}\n"
    ),
    "tenants/globex/account.yml": (
        """\
organisation: Globex
plan: business
state: active
placement: mx1
default_owner: ann@globex.example
admins: [{address: ann@globex.example}]
domains: [globex.example]
intake: {expected_mailboxes: 5, dns_contact: ann@globex.example, clients: local, smime: false}
"""
    ),
    "tenants/globex/globex.example.yml": (
        "mailboxes: [{name: ann}]\ncatch_all: ann@globex.example\n"
    ),
}
KEYS = (DkimKey("acme.example", "mx1", "AAAA"), DkimKey("acme-mail.example", "mx1", "BBBB"))
NOW = "2026-11-21T12:00:00Z"


def estate(changes: t.Mapping[str, tuple[str, str]] | None = None) -> Estate:
    files = dict(FILES)
    for name, (old, new) in (changes or {}).items():
        assert files[name].count(old) == 1
        files[name] = files[name].replace(old, new)
    found, faults = build({name: text.encode() for name, text in files.items()}, [])
    assert not faults
    assert found is not None
    return replace(found, states=(NodeState("mx1", KEYS),))


ESTATE = estate({"tenants/globex/globex.example.yml": ("catch_all: ann@globex.example\n", "")})


def line(text: str, second: int = 0, program: str = "dovecot") -> Line:
    return Line(f"2026-11-21T11:00:{second:02d}Z", program, text, kind(text))


SENDING: dict[str, t.Any] = {
    "limits": [{"kind": "mailbox", "name": "jo@acme.example", "used": 3, "allowed": 20}],
    "refused": [],
    "again": None,
    "recipients": 5,
}
LIMITED = {
    "login": "jo@acme.example",
    "kind": "mailbox",
    "name": "jo@acme.example",
    "used": 20,
    "allowed": 20,
    "at": "2026-11-21T11:00:00Z",
    "again": "2026-11-21T11:40:00Z",
    "times": 3,
}


def known(text: str = "jo@acme.example", of: Estate = ESTATE, **changes: t.Any) -> Known:
    """Everything that was asked is well."""
    about = diagnose_subject.find_subject(of, text)
    compiled = postfix.lookups(of, of.nodes[0])
    keys = {text, about.name, f"@{about.name}"}
    tables = {}
    for table in (
        "virtual_mailbox_domains",
        "virtual_alias_domains",
        "relay_domains",
        "virtual_mailbox_maps",
        "virtual_alias_maps",
        "sender_login_maps",
    ):
        rows = dict(row.split("\t", 1) for row in compiled[f"postfix/{table}"].splitlines())
        tables[table] = {key: rows[key] for key in keys & rows.keys()}
    boxes = sorted({about.address, "jo@acme.example"} - {""})
    addresses = [
        {
            "address": one,
            "leads_to": [],
            "user": True,
            "logins": ["doveadm", "imap", "pop3", "sieve", "smtp"],
            "origin": "user",
            "limit": 1000,
            "used": 10,
            "sending": SENDING,
        }
        for one in boxes
    ]
    dns = tuple(
        Finding(id_, who, "ok", "", "as it should be")
        for id_, who in (
            ("dns.servers", about.name),
            ("dns.mx", about.name),
            ("dns.spf", about.name),
            ("dns.dkim", about.name),
            ("dns.dmarc", about.name),
            ("dns.provider_spf", "hosting.example"),
            ("dns.fcrdns", "mx1.hosting.example"),
            ("dns.node_spf", "mx1.hosting.example"),
        )
    )
    whole = Known(
        of,
        about,
        dns,
        tuple(
            Finding(f"access.{one}", "mx1.hosting.example", "ok", "", "TLSv1.3")
            for one in ("imap", "pop3", "submission", "submissions", "sieve")
        ),
        (Reply("mx1.hosting.example", 250, "2.1.5 Ok"),),
        (Finding("mail.dkim", about.name, "ok", "", "the signature verifies"),),
        {
            "generation": "000001-abc",
            "tables": tables,
            "addresses": addresses,
            "bans": [],
            "dkim_keys": [
                {
                    "selector": "mx1",
                    "public": {"acme-mail.example": "BBBB"}.get(about.name, "AAAA"),
                    "signs": True,
                }
            ],
        },
        tuple(
            Finding(
                id_,
                "mx1.hosting.example",
                "na" if id_ == "host.opendkim_ed25519" else "ok",
                "",
                "active",
            )
            for id_ in CATALOGUE
        ),
        (),
        {},
        NOW,
    )
    return replace(whole, **changes)


def with_health(id_: str, found: str, state: str = "fail", text: str = "jo@acme.example") -> Known:
    """The host itself is well but for this."""
    given = known(text)
    return replace(
        given,
        health=tuple(
            replace(one, state=state, found=found, remedy="look at it") if one.id == id_ else one
            for one in given.health or ()
        ),
    )


def with_dns(given: Known, id_: str, subject: str, state: str = "fail") -> Known:
    """One finding in the place of the question's own, and what waits for it."""
    group = id_.rpartition("_")[0] if id_.count("_") else id_
    others = tuple(one for one in given.dns or () if one.id != group)
    return replace(
        given,
        dns=(
            *others,
            Finding(id_, subject, state, "expected", f"what is wrong: {id_}", f"publish {subject}"),
        ),
    )


def with_address(given: Known, **changes: t.Any) -> Known:
    host = dict(given.host or {})
    host["addresses"] = [
        {**row, **changes} if row["address"] == "jo@acme.example" else row
        for row in host["addresses"]
    ]
    return replace(given, host=host)


def with_host(given: Known, **changes: t.Any) -> Known:
    return replace(given, host={**(given.host or {}), **changes})


def only(given: Known, trouble: str) -> Trail:
    (found,) = diagnose(given, [trouble])
    return found


@pytest.mark.parametrize("trouble", [one for one in TROUBLES if one != "smime"])
@pytest.mark.parametrize("text", ["jo@acme.example", "acme.example", "acme-mail.example"])
def test_where_all_is_well_there_is_no_cause(text: str, trouble: str) -> None:
    assert only(known(text), trouble).cause is None


def test_a_user_may_log_in_by_every_name_of_the_domain() -> None:
    given = known("jo@acme-mail.example")
    found = only(given, "login")
    assert found.cause is None
    (step,) = [one for one in found.steps if one.id == "login.allowed"]
    assert step.found.startswith("as jo@acme-mail.example or jo@acme.example; with ")
    (step,) = [one for one in only(known(), "login").steps if one.id == "login.allowed"]
    assert step.found == "as jo@acme.example; with imap, pop3, submission, sieve"


def test_a_protocol_that_is_not_of_the_mailbox_is_called_refused() -> None:
    less = account("state: active", "state: active\ndefaults: {protocols: [imap, submission]}")
    (step,) = [one for one in only(known(of=less), "login").steps if one.id == "login.allowed"]
    assert step.found == (
        "as jo@acme.example; with imap, submission; hosts refuse pop3 (not in the protocols of the"
        " mailbox), sieve (not in the protocols of the mailbox)"
    )


def test_a_protocol_that_the_plan_does_not_have_is_called_so() -> None:
    files = estate({"plans.yml": ("{name: business,", "{name: business, protocols: [imap],")})
    (step,) = [one for one in only(known(of=files), "login").steps if one.id == "login.allowed"]
    assert "with imap; hosts refuse pop3 (not in the plan business), submission (" in step.found


def test_the_password_is_not_tried_with_a_protocol_that_is_refused() -> None:
    less = account("state: active", "state: active\ndefaults: {protocols: [pop3, submission]}")
    assert ask.refused_to_probe(known(of=less)) == ["imap"]
    assert ask.refused_to_probe(known("sam@acme.example")) == ["imap", "submission"]
    assert ask.refused_to_probe(known()) == ask.refused_to_probe(known("sales@acme.example")) == []


def test_the_log_has_the_mailbox_s_own_address() -> None:
    steps = {
        name: only(known(name), "login").steps[-1]
        for name in ("jo@acme.example", "jo@acme-mail.example")
    }
    assert {name: (step.id, step.state) for name, step in steps.items()} == {
        "jo@acme.example": ("log.logins", "ok"),
        "jo@acme-mail.example": ("log.logins", "na"),
    }
    assert "ask about that address" in steps["jo@acme-mail.example"].found


def test_what_the_trouble_does_not_need_of_the_host_is_no_cause() -> None:
    assert only(with_health("host.nginx", "inactive"), "outbound").cause is None
    assert only(with_health("host.queue", "1,001 messages"), "login").cause is None


def test_a_host_that_has_little_room_is_a_hint() -> None:
    assert [step.id for step in only(with_health("host.disk", "9 %", "warn"), "inbound").hints] == [
        "host.disk"
    ]


def account(old: str, new: str) -> Estate:
    return estate(
        {
            "tenants/acme/account.yml": (old, new),
            "tenants/globex/globex.example.yml": ("catch_all: ann@globex.example\n", ""),
        }
    )


REFUSED = "<jo@acme.example> from 192.0.2.8: refused, the mailbox may not use pop3"


LIMIT_REACHED = (
    "4D1z2y3x4w5v6u7: reject: DATA from unknown[192.0.2.9]: 450 4.7.1 <DATA>: Data command rejected:"
    " Sending limit reached: jo@acme.example sent 20 messages in the last hour, 20 are allowed;"
    " from=<jo@acme.example> proto=ESMTP"
)
TOO_MANY = LIMIT_REACHED.replace("450 4.7.1", "550 5.5.3").replace(
    "Sending limit reached", "Too many recipients"
)


def sending(**changes: t.Any) -> Known:
    return with_address(known(), sending={**SENDING, **changes})


def test_a_limit_of_sending_with_room_says_how_much_was_used() -> None:
    steps = {step.id: step for step in only(known(), "outbound").steps}
    assert steps["sending.limits"].state == "ok"
    assert steps["sending.limits"].found == (
        "jo@acme.example: mailbox jo@acme.example sent 3 of 20 messages in the last hour"
    )


def test_a_limit_that_has_room_again_is_a_hint_with_what_it_refused() -> None:
    found = only(sending(refused=[LIMITED]), "outbound")
    assert found.cause is None
    (step,) = found.hints
    assert step.id == "sending.limited"
    assert "sent 20 messages in an hour, 20 are allowed, refused 3 times" in step.found


def test_a_refusal_of_a_limit_in_the_log_is_a_hint_and_the_host_is_not_blamed() -> None:
    given = replace(known(), log=(line(LIMIT_REACHED, program="postfix/submission/smtpd"),))
    found = only(given, "outbound")
    assert found.cause is None
    assert [step.id for step in found.hints] == ["log.limited"]


@pytest.mark.parametrize(
    ("text", "hints"),
    [
        ("sieve: Execution of script 'personal/x' failed, but implicit keep was", ["log.sieve"]),
        ("sieve: msgid=<1@x>: stored mail into mailbox 'script failed'", []),
        ("msgid=<sieve: Execution of script failed>: saved mail to INBOX", []),
    ],
)
def test_a_script_that_failed_is_a_hint(text: str, hints: list[str]) -> None:
    given = replace(known(), log=(line(f"lmtp(jo@acme.example)<7><aB>: {text}"),))
    found = only(given, "inbound")
    assert found.cause is None
    assert [step.id for step in found.hints] == hints


def test_a_banned_network_that_guessed_is_a_hint_with_the_command_that_ends_the_ban() -> None:
    ban = {"network": "192.0.2.7", "until": "2026-11-21T12:30:00Z"}
    found = only(with_host(known(), bans=[ban]), "login")
    assert found.cause is None
    (step,) = found.hints
    assert (step.id, step.found) == ("login.banned", "192.0.2.7 until 2026-11-21T12:30:00Z")
    assert step.remedy.endswith("reseller.mail.unban -e unban_subject=192.0.2.7")
    assert [one.state for one in only(known(), "login").steps if one.id == "login.bans"] == ["ok"]


def test_a_host_without_the_daemon_s_answer_does_not_say_that_there_is_room() -> None:
    (step,) = [
        step
        for step in only(with_address(known(), sending=None), "outbound").steps
        if step.id == "sending.limits"
    ]
    assert step.state == "na"


CASES: dict[str, tuple[str, t.Callable[[], Known], str, str]] = {
    "a limit of sending": (
        "outbound",
        lambda: sending(again="2026-11-21T12:30:00Z", refused=[LIMITED]),
        "sending.limited",
        "mailbox jo@acme.example sent 3 of 20 messages in the last hour; it may send again at"
        " 2026-11-21T12:30:00Z",
    ),
    "too many recipients": (
        "outbound",
        lambda: replace(known(), log=(line(TOO_MANY, program="postfix/submission/smtpd"),)),
        "log.limited",
        "Too many recipients",
    ),
    "unknown": (
        "inbound",
        lambda: known("jon@acme.example"),
        "address.unknown",
        "did you mean jo@acme.example?",
    ),
    "pending": (
        "inbound",
        lambda: known(of=account("state: active", "state: pending")),
        "tenant.pending",
        "tenants/acme/account.yml:3:",
    ),
    "unverified": (
        "inbound",
        lambda: known(of=account("intake:", "unverified_domains: [acme.example]\nintake:")),
        "domain.unverified",
        "acme.example",
    ),
    "suspended login": (
        "login",
        lambda: known(of=account("state: active", "state: suspended")),
        "tenant.suspended",
        "account.yml",
    ),
    "suspended mailbox": (
        "login",
        lambda: known("sam@acme.example"),
        "mailbox.suspended",
        "acme.example.yml:4:",
    ),
    "resolver": (
        "inbound",
        lambda: with_dns(known(), "dns.resolver_silent", "192.0.2.53"),
        "dns.resolver_silent",
        "what is wrong",
    ),
    "servers": (
        "inbound",
        lambda: with_dns(known(), "dns.servers_none", "acme.example"),
        "dns.servers_none",
        "what is wrong",
    ),
    "zone above": (
        "inbound",
        lambda: with_dns(known(), "dns.servers_silent", "example"),
        "dns.servers_silent",
        "what is wrong",
    ),
    "mx": (
        "inbound",
        lambda: with_dns(known(), "dns.mx_missing", "acme.example"),
        "dns.mx_missing",
        "what is wrong",
    ),
    "alias": (
        "inbound",
        lambda: known("lost@acme.example"),
        "alias.target",
        "did you mean ann@globex.example? (tenants/acme/acme.example.yml:9:",
    ),
    "forward": (
        "inbound",
        lambda: known("fwd@acme.example"),
        "alias.target",
        "nobody@globex.example does not exist",
    ),
    "unreachable": (
        "inbound",
        lambda: known(host=None, why={"lost": "no route", "host": "no route"}),
        "host.unreachable",
        "no route",
    ),
    "daemon": (
        "inbound",
        lambda: with_health("host.dovecot", "dovecot.service is failed"),
        "host.dovecot",
        "dovecot.service is failed",
    ),
    "signer of incoming mail": (
        "inbound",
        lambda: with_health("host.opendkim", "rsa.sock is silent"),
        "host.opendkim",
        "rsa.sock is silent",
    ),
    "disk": (
        "inbound",
        lambda: with_health("host.disk", "/srv/vmail: 0 %"),
        "host.disk",
        "/srv/vmail: 0 %",
    ),
    "guard": (
        "outbound",
        lambda: with_health("host.guard", "guard.sock is silent"),
        "host.guard",
        "guard.sock is silent",
    ),
    "guard before the sender": (
        "outbound",
        lambda: with_health("host.guard", "silent", text="sales@acme.example"),
        "host.guard",
        "silent",
    ),
    "clock": (
        "outbound",
        lambda: with_health("host.clock", "90 s behind"),
        "host.clock",
        "90 s behind",
    ),
    "guard and logins": (
        "login",
        lambda: with_health("host.guard", "silent"),
        "host.guard",
        "silent",
    ),
    "not judged": (
        "outbound",
        lambda: known(
            log=(
                line(
                    "NOQUEUE: milter-reject: MAIL from h[2001:db8::1]: 451 4.7.1 Service"
                    " unavailable - try again later; from=<jo@acme.example>"
                ),
            )
        ),
        "log.no_result",
        "451 4.7.1",
    ),
    "refused sender": (
        "outbound",
        lambda: known(
            log=(
                line(
                    "4F1D2A0C3B: milter-reject: END-OF-MESSAGE from h[192.0.2.9]: 5.7.1 From is not"
                    " yours; from=<jo@acme.example>"
                ),
            )
        ),
        "log.refused",
        "5.7.1",
    ),
    "stale": (
        "inbound",
        lambda: with_host(known(), tables={"virtual_mailbox_maps": {}}),
        "host.stale",
        "jo@acme.example is missing, by the files it is acme",
    ),
    "other value": (
        "inbound",
        lambda: with_host(
            known("sales@acme.example"),
            tables={"virtual_alias_maps": {"sales@acme.example": "x@y.example"}},
        ),
        "host.stale",
        "sales@acme.example is x@y.example",
    ),
    "doveadm": (
        "inbound",
        lambda: with_address(known(), user=False),
        "host.no_mailbox",
        "does not know jo@acme.example",
    ),
    "full": ("inbound", lambda: with_address(known(), used=1000), "mailbox.full", "100 %"),
    "full behind an alias": (
        "inbound",
        lambda: with_address(known("office@acme.example"), used=1000),
        "mailbox.full",
        "jo@acme.example",
    ),
    "refused": (
        "inbound",
        lambda: known(replies=(Reply("mx1.hosting.example", 550, "5.1.1 unknown"),)),
        "rcpt.refused",
        "550 5.1.1 unknown",
    ),
    "refused because it is internal": (
        "inbound",
        lambda: known(
            "staff@acme.example", replies=(Reply("mx1.hosting.example", 550, "5.7.1 users only"),)
        ),
        "rcpt.internal",
        "550 5.7.1 users only",
    ),
    "deferred": (
        "inbound",
        lambda: known(replies=(Reply("mx1.hosting.example", 451, "4.3.0 later"),)),
        "rcpt.deferred",
        "451 4.3.0",
    ),
    "silent": (
        "inbound",
        lambda: known(replies=(Reply("mx1.hosting.example", 0, "timed out"),)),
        "rcpt.silent",
        "timed out",
    ),
    "full in the log": (
        "inbound",
        lambda: known(
            log=(
                line(
                    "NOQUEUE: reject: RCPT from x[192.0.2.9]: 552 5.2.2 full; to=<jo@acme.example>"
                ),
            )
        ),
        "mailbox.full",
        "552 5.2.2",
    ),
    "no sender": (
        "outbound",
        lambda: known("sales@acme.example"),
        "sender.no_login",
        "acme.example.yml:8:",
    ),
    "port 587": (
        "outbound",
        lambda: known(
            connections=(
                Finding(
                    "access.submission",
                    "mx1.hosting.example",
                    "fail",
                    "",
                    "certificate: expired",
                    "renew",
                ),
            )
        ),
        "access.submission",
        "certificate: expired",
    ),
    "bounced": (
        "outbound",
        lambda: known(
            log=(
                line("4F1D2A0C3B: from=<jo@acme.example>, size=1", 1, "postfix/qmgr"),
                line(
                    "4F1D2A0C3B: to=<a@b.example>, status=bounced (550 5.7.1 listed)",
                    2,
                    "postfix/smtp",
                ),
            )
        ),
        "log.bounced",
        "5.7.1 listed",
    ),
    "ptr": (
        "outbound",
        lambda: with_dns(known(), "dns.fcrdns_missing", "mx1.hosting.example"),
        "dns.fcrdns_missing",
        "what is wrong",
    ),
    "provider's spf": (
        "spam",
        lambda: with_dns(known(), "dns.provider_spf_missing", "hosting.example"),
        "dns.provider_spf_missing",
        "what is wrong",
    ),
    "spf": (
        "spam",
        lambda: with_dns(known(), "dns.spf_two", "acme.example"),
        "dns.spf_two",
        "what is wrong",
    ),
    "dkim and spam": (
        "spam",
        lambda: with_dns(known(), "dns.dkim_missing", "acme.example"),
        "dns.dkim_missing",
        "what is wrong",
    ),
    "dmarc": (
        "spam",
        lambda: with_dns(known(), "dns.dmarc_missing", "acme.example"),
        "dns.dmarc_missing",
        "what is wrong",
    ),
    "ptr and spam": (
        "spam",
        lambda: with_dns(known(), "dns.fcrdns_other", "mx1.hosting.example"),
        "dns.fcrdns_other",
        "what is wrong",
    ),
    "relay domain": ("dkim", lambda: known("old.example"), "dkim.not_ours", "relay domain"),
    "no key yet": (
        "dkim",
        lambda: known(of=replace(ESTATE, states=())),
        "dkim.pending",
        "state/mx1.json",
    ),
    "another private key": (
        "dkim",
        lambda: with_host(
            known(), dkim_keys=[{"selector": "mx1", "public": "CCCC", "signs": True}]
        ),
        "dkim.host_key",
        "mx1 is another key",
    ),
    "no private key": (
        "dkim",
        lambda: with_host(known(), dkim_keys=[]),
        "dkim.host_key",
        "mx1 does not exist",
    ),
    "signs with none": (
        "dkim",
        lambda: with_host(
            known(), dkim_keys=[{"selector": "mx1", "public": "AAAA", "signs": False}]
        ),
        "dkim.not_signing",
        "mx1",
    ),
    "signer down": (
        "dkim",
        lambda: with_health("host.opendkim", "opendkim@rsa.service is inactive"),
        "host.opendkim",
        "opendkim@rsa.service",
    ),
    "selector": (
        "dkim",
        lambda: with_dns(known(), "dns.dkim_selector", "acme.example"),
        "dns.dkim_selector",
        "what is wrong",
    ),
    "signature": (
        "dkim",
        lambda: known(
            mail=(Finding("mail.dkim", "acme.example", "fail", "", "no signature", "look"),)
        ),
        "mail.dkim",
        "no signature",
    ),
    "no mailbox": ("login", lambda: known("sales@acme.example"), "login.no_mailbox", "is an alias"),
    "external": ("login", lambda: known("ext@acme.example"), "login.external", "external"),
    "imap": (
        "login",
        lambda: known(
            connections=(
                Finding(
                    "access.imap", "mx1.hosting.example", "fail", "", "port 993: refused", "look"
                ),
            )
        ),
        "access.imap",
        "port 993",
    ),
    "host name": (
        "login",
        lambda: known(
            connections=(
                Finding(
                    "access.imap",
                    "m.acme.example",
                    "blocked",
                    "",
                    "m.acme.example has no address in DNS",
                ),
            )
        ),
        "access.imap",
        "no address",
    ),
    "denied": (
        "login",
        lambda: with_address(known(), logins=["doveadm", "imap"]),
        "host.denied",
        "dovecot/logins refuses jo@acme.example pop3, submission, sieve",
    ),
    "no password": (
        "login",
        lambda: with_address(known(), origin=None),
        "host.no_password",
        "credential store",
    ),
    "password given": (
        "login",
        lambda: known(
            mail=(
                Finding(
                    "mail.fetch", "jo@acme.example", "fail", "", "[AUTHENTICATIONFAILED]", "look"
                ),
            )
        ),
        "mail.fetch",
        "AUTHENTICATION",
    ),
    "wrong password": (
        "login",
        lambda: known(
            log=(
                line("imap-login: Login: user=<jo@acme.example>, rip=192.0.2.7", 1),
                line(
                    "imap-login: Disconnected (auth failed, 1 attempts): user=<jo@acme.example>,"
                    " rip=192.0.2.8",
                    2,
                ),
            )
        ),
        "log.wrong_password",
        "from 192.0.2.8",
    ),
    "refused protocol": (
        "login",
        lambda: known(
            log=(
                line("imap-login: Login: user=<jo@acme.example>, rip=192.0.2.8", 1),
                line(REFUSED, 2),
                line(
                    "pop3-login: Disconnected (auth failed, 1 attempts): user=<jo@acme.example>,"
                    " rip=192.0.2.8",
                    3,
                ),
            )
        ),
        "log.protocol_refused",
        "the mailbox may not use pop3",
    ),
    "no certificate": ("smime", known, "smime.missing", "acme.example.yml"),
}


def test_a_refused_protocol_is_a_hint_if_another_program_logged_in_since() -> None:
    newer = line("imap-login: Login: user=<jo@acme.example>, rip=192.0.2.8", 3)
    found = only(known(log=(line(REFUSED, 2), newer)), "login")
    assert found.cause is None
    assert [step.id for step in found.hints] == ["log.protocol_refused"]
    assert "use imap or pop3" in found.hints[0].remedy


@pytest.mark.parametrize("case", CASES, ids=str)
def test_one_thing_wrong_is_the_cause_with_its_evidence(case: str) -> None:
    trouble, make, cause, evidence = CASES[case]
    found = only(make(), trouble)
    assert found.cause is not None, found.steps
    assert found.cause.id == cause
    assert evidence in found.cause.found
    assert found.cause.remedy
    later = found.steps[found.steps.index(found.cause) + 1 :]
    assert {step.state for step in later} <= {"blocked", "na"}


def test_every_way_is_proved_by_a_fault_at_each_of_its_last_steps() -> None:
    assert {trouble for trouble, *_rest in CASES.values()} == set(CHAINS) == set(TROUBLES)


def test_the_first_of_several_wrong_things_is_the_cause() -> None:
    both = with_address(with_dns(known(), "dns.mx_missing", "acme.example"), used=5000)
    assert only(both, "inbound").cause.id == "dns.mx_missing"
    assert (
        only(
            with_dns(known("lost@acme.example"), "dns.mx_missing", "acme.example"), "inbound"
        ).cause.id
        == "dns.mx_missing"
    )


def test_a_later_login_is_better_evidence_than_an_earlier_failure() -> None:
    failed, worked = (
        line(f"imap-login: {text}: user=<jo@acme.example>, rip=192.0.2.8", second)
        for text, second in (("Disconnected (auth failed)", 1), ("Login", 2))
    )
    assert only(known(log=(failed, worked)), "login").cause is None


@pytest.mark.parametrize(
    ("inbound", "cause"),
    [
        ("accept", None),
        ("hold", "its mail is held until the suspension ends"),
        ("defer", "senders shall try again later"),
        ("reject", "senders are refused"),
    ],
)
def test_a_suspended_tenant_gets_mail_where_its_suspension_accepts_it(
    inbound: str, cause: str | None
) -> None:
    suspended = account(
        "state: active", f"state: suspended\ndefaults: {{suspension: {{inbound: {inbound}}}}}"
    )
    found = only(known(of=suspended), "inbound").cause
    assert (found.id if found else None) == (cause and "tenant.suspended")
    assert (found.found.partition(": ")[2] if found else None) == cause


def test_the_provider_s_suspension_of_a_mailbox_is_named_with_its_place_and_without_its_reason() -> (
    None
):
    suspended = account(
        "state: active",
        "state: active\nsuspensions: [{of: jo@acme.example, login: allow, reason: secret}]",
    )
    found = only(known(of=suspended), "outbound").cause
    assert found is not None
    assert (found.id, "account.yml" in found.found, "secret" in str(found)) == (
        "mailbox.suspended",
        True,
        False,
    )
    assert only(known(of=suspended), "login").cause is None


def test_what_was_not_asked_is_no_cause() -> None:
    why = {"dns": "offline", "replies": "offline", "connections": "offline", "mail": "offline"}
    offline = Known(ESTATE, diagnose_subject.find_subject(ESTATE, "jo@acme.example"), why=why)
    for trouble in (one for one in TROUBLES if one not in ("smime",)):
        found = only(offline, trouble)
        assert found.cause is None
        assert {step.state for step in found.steps} <= {"ok", "na"}


def test_a_stranger_s_domain_is_told_with_what_may_be_meant() -> None:
    with pytest.raises(
        LookupError, match=r"no tenant has acme\.exmaple; did you mean acme\.example\?"
    ):
        diagnose_subject.find_subject(ESTATE, "jo@acme.exmaple")
    with pytest.raises(LookupError, match="given to acme"):
        diagnose_subject.find_subject(ESTATE, "later.example")


@pytest.mark.parametrize(
    ("text", "kind_"),
    [
        ("jo+lists@acme.example", "mailbox"),
        ("noreply@acme.example", "sender address"),
        ("postmaster@acme.example", "role address"),
        ("archive@old.example", "relayed address"),
        ("acme-mail.example", "domain alias"),
        ("sales@acme-mail.example", "alias"),
    ],
)
def test_what_an_address_is(text: str, kind_: str) -> None:
    assert diagnose_subject.find_subject(ESTATE, text).kind == kind_
    assert only(known(text), "inbound").cause is None


def test_a_catch_all_takes_what_nobody_has() -> None:
    whole = estate()
    found = diagnose_subject.targets(
        whole, diagnose_subject.find_subject(whole, "anybody@globex.example")
    )
    assert [target.address for target in found] == ["ann@globex.example"]


def certificate(address: str, days: int) -> str:
    key = ed25519.Ed25519PrivateKey.generate()
    now = datetime.datetime(2026, 11, 21, tzinfo=datetime.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Jo Doe")])
    builder = x509.CertificateBuilder(
        name,
        name,
        key.public_key(),
        1,
        now - datetime.timedelta(days=30),
        now + datetime.timedelta(days=days),
    )
    builder = builder.add_extension(
        x509.SubjectAlternativeName([x509.RFC822Name(address)]), critical=False
    )
    return builder.sign(key, None).public_bytes(Encoding.PEM).decode()


@pytest.mark.parametrize(
    ("pem", "cause"),
    [
        (certificate("jo@acme.example", 30), None),
        (certificate("jo@acme.example", -1), "smime.expired"),
        (certificate("bo@acme.example", 30), "smime.other_address"),
        ("-----BEGIN CERTIFICATE-----\nbm8=\n-----END CERTIFICATE-----\n", "smime.unreadable"),
    ],
)
def test_a_certificate_is_read(pem: str, cause: str | None) -> None:
    given = known()
    mailbox = replace(given.subject.mailbox, smime=Smime(pem, "it@acme.example"))
    found = only(replace(given, subject=replace(given.subject, mailbox=mailbox)), "smime").cause
    assert (found.id if found else None) == cause


def test_a_certificate_is_of_no_use_before_its_first_day() -> None:
    given = known(timestamp="2020-01-01T00:00:00Z")
    mailbox = replace(
        given.subject.mailbox, smime=Smime(certificate("jo@acme.example", 30), "it@acme.example")
    )
    assert (
        only(replace(given, subject=replace(given.subject, mailbox=mailbox)), "smime").cause.id
        == "smime.not_yet"
    )


def test_the_story_tells_cause_evidence_and_remedy_and_each_cause_once() -> None:
    trails = diagnose(
        with_dns(known(), "dns.mx_missing", "acme.example"), ["inbound", "spam", "login"]
    )
    text = story.as_text("jo@acme.example", trails, 120)
    assert "what is wrong: dns.mx_missing" in text
    assert "publish acme.example" in text
    assert "the same cause as inbound: dns.mx_missing" in text
    assert text.endswith("1 cause: dns.mx_missing")
    assert [row["cause"]["id"] if row["cause"] else None for row in story.as_data(trails)] == [
        "dns.mx_missing",
        "dns.mx_missing",
        None,
    ]


def test_hostile_text_does_not_reach_the_terminal() -> None:
    reply = Reply("mx1.hosting.example", 550, "\x1b[2J[bold]gone[/bold]")
    text = story.as_text("x", diagnose(known(replies=(reply,)), ["inbound"]), 120)
    assert "\x1b" not in text
    assert "[bold]gone[/bold]" in text


def test_what_was_not_asked_is_not_called_well() -> None:
    steps = (
        diagnose_subject.Step("files", "it is in the files", "ok", "files", ""),
        diagnose_subject.Step("dns.mx", "the MX is ours", "na", "DNS", story.OFFLINE),
    )
    text = story.as_text("jo@acme.example", [diagnose_subject.Trail("inbound", steps)], 120)
    assert "- inbound" in text
    assert "\u2713 inbound" not in text
    assert text.endswith("no cause found in what was asked")
    text = story.as_text("jo@acme.example", [diagnose_subject.Trail("inbound", steps[:1])], 120)
    assert "\u2713 inbound" in text
    assert text.endswith("no cause found")
