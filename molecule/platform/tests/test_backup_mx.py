# SPDX-License-Identifier: GPL-3.0-or-later
"""The backup MX is another provider's: verify finds what is wrong there, and mail waits there while
a node is away."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import smtplib
import typing as t
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._load import load
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.connect import Connector
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.finding import Finding
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.round_trip import (
    access_findings,
)
from client import ESTATE, Host, Message, Outside, wait_until
from conftest import RESOLVER, STRANGER, Side

ALT = "alt.hosting.example"
LAB = Path(os.environ.get("LAB_HOSTS_DIR", "/var/lib/reseller-mail-lab"))
UNKNOWN_TO_DNS = ("initech-mail.example", "initech-shop.example", "legacy.acme.example")
"""Of these nobody publishes an MX here."""


@pytest.fixture(scope="module")
def alt() -> Host:
    return Host("alt")


def asked(*domains: str) -> dict[tuple[str, str], Finding]:
    """What verify finds at the backup MX alone, about these domains or all."""
    estate, faults = load(str(ESTATE))
    assert estate, faults
    tenants = (
        dataclasses.replace(
            tenant,
            domains=tuple(one for one in tenant.domains if not domains or one.name in domains),
        )
        for tenant in estate.tenants
    )
    found = access_findings(
        Connector(RESOLVER, str(LAB / "ca.pem")),
        dataclasses.replace(estate, nodes=(), tenants=tuple(tenants)),
    )
    return {(one.id, one.subject): one for one in found if one.subject.startswith(ALT)}


def states(findings: t.Mapping[tuple[str, str], Finding], *wanted: str) -> set[tuple[str, str]]:
    return {key for key, one in findings.items() if one.state in wanted}


def test_it_is_asked_about_every_domain_whose_mx_it_is_and_is_well() -> None:
    found = asked()
    about = {subject.removeprefix(f"{ALT} → ") for id_, subject in found if id_ == "mail.backup"}
    assert about > {
        *UNKNOWN_TO_DNS,
        "acme.example",
        "acme-mail.example",
        "acme-shop.example",
        "globex.example",
        "legacy.initech.example",
    }
    assert states(found, "fail", "warn", "na") == set()
    assert states(found, "blocked") == {
        ("mail.backup", f"{ALT} → {name}") for name in UNKNOWN_TO_DNS
    }


@contextlib.contextmanager
def broken(alt: Host, do: str, stdin: str = "") -> t.Iterator[None]:
    alt.run("cp -a /etc/postfix/main.cf /run/")
    try:
        alt.run(do, stdin=stdin)
        yield
    finally:
        alt.run(
            "cp -a /run/main.cf /etc/postfix/ && (postfix status || postfix start) && postfix"
            " reload"
        )


ACME = {("mail.backup", f"{ALT} → {name}") for name in ("acme.example", "acme-mail.example")}
BOTH = ACME | {("mail.backup", f"{ALT} → globex.example")}
FAULTS: dict[str, tuple[str, set[tuple[str, str]], str]] = {
    "it takes what does not exist": (
        "postconf -e smtpd_recipient_restrictions=",
        BOTH,
        "RCPT TO an unknown address is answered 250",
    ),
    "it relays for everybody": (
        (
            "postconf -e mynetworks=0.0.0.0/0 smtpd_relay_restrictions=permit_mynetworks,reject"
            " smtpd_recipient_restrictions="
        ),
        {("mail.relay_refused", ALT), *BOTH},
        "RCPT TO a foreign domain from <> is answered 250",
    ),
    "it does not know a domain": (
        "postconf -e relay_domains=globex.example",
        ACME,
        "RCPT TO postmaster@acme.example is answered 554 5.7.1",
    ),
    "its certificate is another host's": (
        "cat >/etc/postfix/other.pem; postconf -e smtpd_tls_chain_files=/etc/postfix/other.pem",
        {("mail.tls", ALT), ("mail.dane", ALT)},
        "Hostname mismatch, certificate is not valid for 'alt.hosting.example'",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_there_is_found(alt: Host, fault: str) -> None:
    do, expected, says = FAULTS[fault]
    other = (LAB / "ca" / "acme.hosting.example.pem").read_text(encoding="ascii")
    with broken(alt, f"{do}; postfix reload", other):
        assert wait_until(
            lambda: states(asked("acme.example", "globex.example"), "fail") == expected
        )
        found = asked("acme.example", "globex.example")
    assert states(found, "fail") == expected
    assert any(says in found[key].found for key in expected), found


def test_a_dead_one_is_one_failure(alt: Host) -> None:
    with broken(alt, "postfix stop"):
        found = asked()
    assert states(found, "fail") == {("mail.port", ALT)}
    assert (
        found["mail.port", ALT].found
        == "10.97.0.20: Connection refused; fd97::20: Connection refused"
    )
    assert "no mail is lost, it waits with its senders" in found["mail.port", ALT].remedy
    assert states(found, "blocked") == found.keys() - {("mail.port", ALT)}
    assert wait_until(lambda: not states(asked("globex.example"), "fail", "blocked"))


def rcpt(address: str) -> int:
    with smtplib.SMTP("10.97.0.20", local_hostname="client.stranger.example", timeout=30) as smtp:
        smtp.ehlo()
        smtp.mail(STRANGER)
        return smtp.rcpt(address)[0]


def test_mail_waits_there_while_the_nodes_are_away_and_comes_once(
    alt: Host, outside: Outside, sides: dict[str, Side], nodes: dict[str, Host]
) -> None:
    """Of both nodes. Whom it knows it takes mail for; of others it cannot say whether there are
    any."""
    users = [side.user for side in sides.values()]
    messages = {user.name: Message.new(STRANGER, user.name) for user in users}
    assert [rcpt(user.name) for user in users] == [250, 250]
    try:
        for node in nodes.values():
            node.run("systemctl stop postfix")
        for user in users:
            outside.run(
                f"sendmail -i -f {STRANGER} {user}",
                stdin=messages[user.name].text.replace("\r", ""),
            )
        assert wait_until(lambda: all(user.name in alt.output("postqueue -j") for user in users))
        assert [rcpt(f"nobody-at-all@{user.domain}") for user in users] == [450, 450]
    finally:
        for node in nodes.values():
            node.run("systemctl start postfix")
    alt.run("postqueue -f")
    for user in users:
        assert wait_until(lambda user=user: user.name not in alt.output("postqueue -j")), (
            alt.output("postqueue -p")
        )
        assert user.name not in outside.output("postqueue -j")
        assert (
            len(outside.fetch(user.host, user.name, user.password, messages[user.name].token)) == 1
        )
