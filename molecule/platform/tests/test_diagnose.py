# SPDX-License-Identifier: GPL-3.0-or-later
"""Trouble that is made on purpose, on real hosts: diagnose names the first cause and cites what
shows it."""

from __future__ import annotations

import contextlib
import json
import re
import time
import typing as t
from pathlib import Path

import client
import pytest
from conftest import OUTSIDE, Side

HOUR = "-1h"


class Names:
    """dns1's zones, changed by hand and put back."""

    def __init__(self) -> None:
        self.host = client.Host("dns1")

    def update(self, zone: str, *lines: str) -> None:
        self.host.run(
            "knsupdate -k /etc/knot/update.key",
            stdin="\n".join(["server 10.97.0.2", f"zone {zone}.", *lines, "send", ""]),
        )

    def answer(self, name: str, rdtype: str) -> list[str]:
        return self.host.output(f"kdig @10.97.0.2 {name} {rdtype} +short").splitlines()

    @contextlib.contextmanager
    def instead(self, zone: str, name: str, rdtype: str, *values: str) -> t.Iterator[None]:
        """Other values, or none at all, for a while."""
        before = self.answer(name, rdtype)
        assert before, f"{name} has no {rdtype} to begin with"
        self.update(
            zone, f"del {name}. {rdtype}", *(f"add {name}. 5 {rdtype} {value}" for value in values)
        )
        try:
            yield
        finally:
            self.update(
                zone,
                f"del {name}. {rdtype}",
                *(f"add {name}. 3600 {rdtype} {value}" for value in before),
            )


@pytest.fixture
def names() -> Names:
    return Names()


def diagnose(
    subject: str, trouble: str, estate: Path = client.ESTATE, **variables: t.Any
) -> tuple[str, str]:
    """The first cause's id (empty: none was found), and the whole story on one line, so that no
    line break hides a word."""
    more = {
        "diagnose_subject": subject,
        "diagnose_trouble": trouble,
        "diagnose_since": HOUR,
        **variables,
    }
    run = client.ansible(
        "ansible-playbook",
        "reseller.mail.diagnose",
        "--extra-vars",
        json.dumps(more),
        estate=estate,
        environment={"COLUMNS": "1000"},
    )
    assert run.rc == 0, run.output
    assert f"{trouble}: " in run.output, run.output
    found = re.search(r"(?m)^\s*cause\s+(\S+)$", run.output)
    return found.group(1) if found else "", run.output


def test_without_trouble_no_cause_is_found_and_a_message_proves_the_signature(side: Side) -> None:
    cause, story = diagnose(side.user.name, "dkim", diagnose_password=side.user.password)
    assert cause == "", story
    assert "a message that was sent verifies (probe: signed by RSA" in story


def test_a_missing_mx(names: Names) -> None:
    with names.instead("acme.example", "acme.example", "MX"):
        cause, story = diagnose("jo@acme.example", "inbound")
    assert cause == "dns.mx_missing", story
    assert "publish acme.example. 3600 IN MX 10 mx1.hosting.example." in story
    assert re.search(
        r"not asked until this is repaired: .*an external mail server may deliver", story
    )


def test_an_alias_that_leads_to_nobody(tmp_path: Path) -> None:
    changes = {"tenants/acme/acme.example.yml": ("ann@globex.example", "anna@globex.example")}
    cause, story = diagnose(
        "sales@acme.example", "inbound", client.changed_estate(tmp_path, changes)
    )
    assert cause == "alias.target", story
    assert (
        "anna@globex.example does not exist; did you mean ann@globex.example?"
        " (tenants/acme/acme.example.yml:" in story
    )


def test_a_mailbox_that_the_host_does_not_know_yet(tmp_path: Path, side: Side) -> None:
    file = {"mx1": "tenants/acme/acme.example.yml", "mx2": "tenants/globex/globex.example.yml"}[
        side.node
    ]
    estate = client.changed_estate(
        tmp_path, {file: ("mailboxes:\n", "mailboxes:\n  - name: newcomer\n")}
    )
    cause, story = diagnose(f"newcomer@{side.user.domain}", "inbound", estate)
    assert cause == "host.stale", story
    assert f"virtual_mailbox_maps: newcomer@{side.user.domain} is missing" in story
    assert f"converge {side.node}" in story


def test_a_mailbox_that_is_nobodys() -> None:
    cause, story = diagnose("jon@acme.example", "inbound")
    assert cause == "address.unknown", story
    assert "did you mean jo@acme.example?" in story


def test_a_full_mailbox(side: Side, nodes: dict[str, client.Host]) -> None:
    node, box = nodes[side.node], side.small.name
    local, _at, domain = box.partition("@")
    message = f"/srv/vmail/{domain}/{local}/Maildir/cur/1.full.diagnose:2,S"
    node.run(
        f"doveadm mailbox status -u {box} messages INBOX; (echo 'Subject: full'; echo; head -c"
        f" 1200000 /dev/zero | tr '\\0' x | fold -w 70) > {message}; chown vmail:vmail {message};"
        f" doveadm force-resync -u {box} INBOX; doveadm quota recalc -u {box}"
    )
    try:
        cause, story = diagnose(box, "inbound")
    finally:
        node.run(
            f"rm -f /srv/vmail/{domain}/{local}/Maildir/cur/1.full.diagnose*; doveadm force-resync"
            f" -u {box} INBOX; doveadm quota recalc -u {box}"
        )
    assert cause == "mailbox.full", story
    assert re.search(rf"host {side.node}: {re.escape(box)}: .* of 1M, 1\d\d %", story)


def test_another_key_in_dns_than_the_host_signs_with(names: Names) -> None:
    other = names.answer("mx2._domainkey.globex.example", "TXT")[0]
    with names.instead("acme.example", "mx1._domainkey.acme.example", "TXT", other):
        cause, story = diagnose("acme.example", "dkim")
        spam, more = diagnose("acme.example", "spam")
    assert (cause, spam) == ("dns.dkim_other", "dns.dkim_other"), story + more
    assert "remove mx1._domainkey.acme.example." in story
    assert "publish mx1._domainkey.acme.example." in story


def test_a_suspended_tenant(tmp_path: Path) -> None:
    estate = client.changed_estate(
        tmp_path, {"tenants/acme/account.yml": ("state: active", "state: suspended")}
    )
    cause, story = diagnose("jo@acme.example", "login", estate)
    assert cause == "tenant.suspended", story
    assert "the tenant is suspended (tenants/acme/account.yml:3:" in story


def test_a_wrong_password_is_seen_in_the_log(side: Side, outside: client.Outside) -> None:
    user = side.colleague
    assert not outside.may_login(side.host, "imap", user.name, "not-the-password")
    try:
        cause, story = diagnose(user.name, "login")
    finally:
        assert outside.may_login(side.host, "imap", user.name, user.password)
    assert cause == "log.wrong_password", story
    assert any(f"from {address}" in story for address in OUTSIDE)
    assert "not-the-password" not in story
    assert diagnose(user.name, "login")[0] == "", (
        "a login that succeeded later is the better evidence"
    )


def test_an_alias_is_no_login() -> None:
    cause, story = diagnose("office@acme.example", "login")
    assert cause == "login.no_mailbox", story
    assert "log in as jo@acme.example" in story


def test_a_signer_that_is_down(side: Side, node: client.Host) -> None:
    node.run("systemctl stop opendkim@rsa")
    try:
        cause, story = diagnose(side.user.domain, "dkim")
    finally:
        node.run("systemctl start opendkim@rsa")
    assert cause == "host.opendkim", story
    assert "opendkim@rsa.service is inactive" in story


def test_a_stuck_guard_and_not_the_senders_address(side: Side, node: client.Host) -> None:
    """systemd calls it active; what it was asked last stands in the log as a refusal."""
    node.run("pkill -STOP -f reseller-mail/guard.py")
    try:
        cause, story = diagnose(side.user.name, "outbound")
    finally:
        node.run("pkill -CONT -f reseller-mail/guard.py")
    assert cause == "host.guard", story
    assert "guard/guard.sock takes connections and does not answer" in story
    assert "set an address in the mail program" not in story


def test_a_host_that_nobody_approved_names_the_key(tmp_path: Path) -> None:
    estate = client.changed_estate(
        tmp_path, {"estate.yml": ("approved_hosts: [mail.stranger.example]", "approved_hosts: []")}
    )
    cause, story = diagnose("archive@legacy.acme.example", "inbound", estate)
    assert cause == "files.host-not-approved", story
    assert "allowed: approved_hosts of estate.yml" in story


def test_offline_the_files_alone_are_asked() -> None:
    cause, story = diagnose("sales@acme.example", "login", diagnose_offline=True)
    assert cause == "login.no_mailbox", story
    assert "PLAY [Ask the mail hosts]" not in story or "skipping: no hosts matched" in story


def test_the_log_of_a_message_to_two_tenants_tells_each_its_own_part(
    outside: client.Outside, sides: dict[str, Side]
) -> None:
    jo, begun = (
        sides["mx1"].user,
        int(time.time()),
    )  # what others wrote to one another before is in the log, too
    message = client.Message.new("someone@stranger.example", "sales@acme.example")
    outside.send(jo.host, 25, "someone@stranger.example", ["sales@acme.example"], message)
    assert outside.fetch(jo.host, jo.name, jo.password, message.token)

    def told(subject: str) -> str:
        return client.ansible(
            "ansible",
            "mx1",
            "-m",
            "reseller.mail.mail_log_info",
            "-a",
            f"subject={subject} since=@{begun}",
        ).output

    assert client.wait_until(lambda: "to=<ann@globex.example>" in told("sales@acme.example")), (
        "whose alias it is sees both"
    )
    mine, theirs = told(jo.name), told("ann@globex.example")
    assert "to=<jo@acme.example>" in mine
    assert "ann@globex.example" not in mine
    assert "to=<ann@globex.example>" in theirs
    assert "to=<jo@acme.example>" not in theirs
