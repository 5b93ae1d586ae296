# SPDX-License-Identifier: GPL-3.0-or-later
"""A mailbox is logged in to under every name of its domain (RFC 6186 section 4), and it is that one
mailbox under all of them."""

from __future__ import annotations

import contextlib
import os
import re
import typing as t
import uuid
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._verify import mail, round_trip
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.connect import Connector
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.finding import Finding
from client import ESTATE, Host, Message, Outside, changed_estate, wait_until
from conftest import RESOLVER, STRANGER, Address, Side
from fault_lab import load
from test_generation import generation
from test_login_limit import CONFIGURATION, UNIT, delay

LOOKUP = "/var/lib/reseller-mail/current/dovecot/login_domains"
SERVICES = ("imap", "imap literal", "pop3", "submissions", "submissions login", "sieve")
CHANGES = {
    "tenants/acme/account.yml": (
        "\ndomains: [acme.example, ",
        "\ndomains: [xn--bcher-kva.example, acme.example, ",
    ),
    "tenants/acme/acme.example.yml": ("domain_aliases: [", "domain_aliases: [bücher.example, "),
    "tenants/initech/account.yml": (
        "\ndomains: [initech.example, ",
        "\ndomains: [xn--strae-oqa.example, initech.example, ",
    ),
    "tenants/initech/initech.example.yml": (
        "domain_aliases: [",
        "domain_aliases: [straße.example, ",
    ),
}
SUSPENDED = {
    "tenants/acme/acme.example.yml": (
        "  - name: small\n",
        "  - name: small\n    state: suspended\n",
    ),
    "tenants/initech/initech.example.yml": (
        "  - name: milton\n",
        "  - name: milton\n    state: suspended\n",
    ),
}
TYPED = {
    "mx1": (
        "bücher.example",
        "BÜCHER.EXAMPLE",
        "Bücher.example",
        "bu\N{COMBINING DIAERESIS}cher.example",
        "xn--bcher-kva.example",
    ),
    "mx2": (
        "straße.example",
        "STRAßE.EXAMPLE",
        "STRA\N{LATIN CAPITAL LETTER SHARP S}E.EXAMPLE",
        "XN--strae-oqa.example",
    ),
}
STRANGERS = {"mx1": "bucher.example", "mx2": "STRASSE.example"}
"""Other names, however alike."""


def mailbox(side: Side) -> Address:
    """Whose domain has an alias: ``domain_alias`` is its address there."""
    assert side.second.name.partition("@")[0] == side.domain_alias.partition("@")[0]
    return side.second


def told(outside: Outside, side: Side, name: str, password: str, service: str = "imap") -> str:
    """What the host answers to a login, empty when it lets in."""
    ok, answer = outside.call("sasl", host=side.host, service=service, user=name, password=password)
    return "" if ok else answer


@pytest.mark.parametrize("service", SERVICES)
def test_an_address_in_a_domain_alias_is_let_in_as_the_mailbox(
    outside: Outside, side: Side, node: Host, service: str
) -> None:
    box = mailbox(side)
    for name in (box.name, side.domain_alias, side.domain_alias.upper()):
        assert told(outside, side, name, box.password, service) == ""
    answer = told(outside, side, side.domain_alias, "wrong", service)
    assert answer
    assert "UNAVAILABLE" not in answer
    since = node.output("date +%s")
    assert told(outside, side, side.domain_alias, box.password, service) == ""
    if not service.startswith("submissions"):
        assert wait_until(
            lambda: (
                f"user=<{box}>"
                in node.output(f"journalctl -u dovecot -o cat --no-pager --since @{since}")
            )
        )


def test_postfix_knows_the_mailbox_and_binds_its_senders_as_ever(
    outside: Outside, side: Side, node: Host
) -> None:
    box = mailbox(side)
    login = {"login": side.domain_alias, "password": box.password}
    for sender in (side.domain_alias, box.name):
        message = Message.new(sender, STRANGER)
        answers = outside.send(side.host, 587, sender, [STRANGER], message, **login)
        assert answers["data"][0] == 250, answers
    assert f"sasl_username={box}" in node.output(
        "journalctl -o cat --no-pager -n 200 -t postfix/submission/smtpd"
    )
    foreign = side.other_user.name
    answers = outside.send(
        side.host, 587, foreign, [STRANGER], Message.new(foreign, STRANGER), **login
    )
    assert answers["rcpt"][STRANGER][0] == 553, answers


@pytest.fixture(scope="module")
def international(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[None]:
    """Both nodes have a domain alias beyond ASCII and a suspended mailbox."""
    estate = changed_estate(tmp_path_factory.mktemp("names"), CHANGES)
    for name, (old, new) in SUSPENDED.items():
        text = (estate / name).read_text(encoding="utf-8")
        assert text.count(old) == 1
        (estate / name).write_text(text.replace(old, new), encoding="utf-8")
    run = generation(estate)
    try:
        assert run.rc == 0, run.output
        yield
    finally:
        assert generation().rc == 0


@pytest.mark.usefixtures("international")
@pytest.mark.parametrize("service", SERVICES)
def test_a_domain_may_be_typed_in_its_own_letters(
    outside: Outside, side: Side, service: str
) -> None:
    box = mailbox(side)
    local = box.name.partition("@")[0]
    for domain in TYPED[side.node]:
        assert told(outside, side, f"{local}@{domain}", box.password, service) == "", domain
    assert told(outside, side, f"{local}@{TYPED[side.node][0]}", "wrong", service)
    assert told(outside, side, f"{local}@{STRANGERS[side.node]}", box.password, service)


@pytest.mark.usefixtures("international")
def test_a_suspended_mailbox_stays_out_under_all_names(
    outside: Outside, side: Side, passwords: dict[str, str]
) -> None:
    local = {"mx1": "small", "mx2": "milton"}[side.node]
    home = mailbox(side).domain
    for domain in (home, side.domain_alias.partition("@")[2], *TYPED[side.node]):
        assert "AUTHENTICATIONFAILED" in told(
            outside, side, f"{local}@{domain}", passwords[f"{local}@{home}"]
        ), domain


@contextlib.contextmanager
def without(node: Host, loss: str) -> t.Iterator[None]:
    # The host would bring back what is lost. Dovecot looks at a file once a second.
    node.run(
        f"systemctl stop reseller-mail-repair.timer; cp -p {LOOKUP} /root/login_domains; {loss};"
        " sleep 1.1"
    )
    try:
        yield
    finally:
        node.run(
            f"cp -p /root/login_domains {LOOKUP}; rm /root/login_domains; systemctl start"
            " reseller-mail-repair.timer; sleep 1.1"
        )


@pytest.mark.parametrize(
    "loss", [f"rm {LOOKUP}", f": > {LOOKUP}", f"sed -i 's/noauthenticate //' {LOOKUP}"]
)
def test_without_the_lookup_nobody_is_let_in_and_nobody_is_told_that_the_password_is_wrong(
    outside: Outside, side: Side, node: Host, loss: str
) -> None:
    """The last one is no loss but a spoiled file: an entry that does not leave the password to the
    store lets nobody in."""
    box = mailbox(side)
    with without(node, loss):
        answers = [
            told(outside, side, name, password)
            for name in (side.domain_alias, box.name)
            for password in (box.password, "wrong")
        ]
    assert all(answers)
    assert "sed" in loss or all("UNAVAILABLE" in answer for answer in answers), answers
    assert wait_until(lambda: told(outside, side, side.domain_alias, box.password) == "")


def test_guesses_at_all_names_count_as_guesses_at_the_mailbox(
    outside: Outside, side: Side, node: Host
) -> None:
    box = mailbox(side)
    node.run(f"systemctl restart {UNIT}")
    try:
        for name in (
            side.domain_alias,
            box.name,
            side.domain_alias.upper(),
            side.domain_alias,
            box.name,
        ):
            assert told(outside, side, name, f"wrong-{uuid.uuid4().hex}")
        assert wait_until(lambda: delay(node, box)) == 1, "these were five different passwords"
        assert delay(node, side.domain_alias) == 1
    finally:
        node.run(f"systemctl restart {UNIT}")


def test_the_store_is_asked_once_whatever_name_was_typed(node: Host) -> None:
    """So that the time of an answer tells nothing: one password is verified for everybody, after
    the name is known."""
    text = node.output(CONFIGURATION)
    assert text.count("driver = sql\n") == 1
    assert (
        "login_domains"
        in re.findall(
            r"(?:args|passwd_file_path) = .*/dovecot/.*", text.partition("driver = sql\n")[0]
        )[-1]
    )


@pytest.fixture
def asked(passwords: dict[str, str]) -> t.Callable[[], dict[str, Finding]]:
    """What verify says of the names of one domain a node."""
    estate, faults = load(str(ESTATE))
    assert estate is not None, faults
    probes, _findings = mail.choose(estate, passwords)
    here = [probe for probe in probes if probe.domain in ("acme.example", "initech.example")]
    connector = Connector(
        RESOLVER,
        str(Path(os.environ.get("LAB_HOSTS_DIR", "/var/lib/reseller-mail-lab")) / "ca.pem"),
    )
    return lambda: {one.subject: one for one in round_trip.name_findings(connector, estate, here)}


def test_verify_tells_where_srv_records_lead_to_no_login(
    nodes: dict[str, Host], asked: t.Callable[[], dict[str, Finding]]
) -> None:
    """On one node the generation does not know the domain alias, on the other its lookup is
    empty."""
    before = asked()
    names = ("it@acme.example", "it@acme-mail.example", "peter@initech.example")
    assert [before[name].state for name in names] == ["ok"] * 3, before
    assert "port 993" in before[names[1]].found
    assert "port 465" in before[names[1]].found
    with (
        without(nodes["mx1"], f"sed -i '/^acme-mail/d' {LOOKUP}"),
        without(nodes["mx2"], f": > {LOOKUP}"),
    ):
        during = asked()
    assert [during[name].state for name in names] == ["ok", "fail", "fail"], during
    assert "AUTHENTICATIONFAILED" in during[names[1]].found
    assert "UNAVAILABLE" in during[names[2]].found
    assert "dovecot/login_domains" in during[names[1]].remedy
    assert [one.state for one in asked().values()] == [one.state for one in before.values()]
