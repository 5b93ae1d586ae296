# SPDX-License-Identifier: GPL-3.0-or-later
"""A node is the backup MX of the other one: it takes its mail while it is stopped, and only what
exists."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import typing as t
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._load import load
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.connect import Connector
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.finding import Finding
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.round_trip import (
    access_findings,
)
from client import Host, Message, Outside, changed_estate, retried, site, wait_until
from conftest import RESOLVER, STRANGER, Side
from test_filter import GTUBE
from test_partial_run import reply, reply_to
from test_verify import update

LAB = Path(os.environ.get("LAB_HOSTS_DIR", "/var/lib/reseller-mail-lab"))
TAGS = ("--tags", "postfix,generation")
ALT = "alt.hosting.example"
OTHER = {"mx1": "mx2", "mx2": "mx1"}


@pytest.fixture(scope="module", name="estate")
def _estate(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Path]:
    """Each node is the other's backup MX. In the scenario's estate, mx2 is that of mx1.

    In DNS the other provider's backup MX is away, because a sender would try it first.
    """
    folder = changed_estate(
        tmp_path_factory.mktemp("backup"),
        {"estate.yml": ("    debian: 12\n", "    debian: 12\n    backup_priority: 30\n")},
    )
    run = site(*TAGS, estate=folder)
    assert run.rc == 0, run.output
    alt, mx1 = f"MX 20 {ALT}.", "MX 30 mx1.hosting.example."
    update("acme.example", f"del acme.example. {alt}")
    update("globex.example", f"del globex.example. {alt}", f"add globex.example. 3600 {mx1}")
    yield folder
    update("acme.example", f"add acme.example. 3600 {alt}")
    update("globex.example", f"add globex.example. 3600 {alt}", f"del globex.example. {mx1}")
    run = site(*TAGS)
    assert run.rc == 0, run.output


@pytest.fixture(name="backup")
def _backup(side: Side) -> str:
    """The host name of the node that is the backup MX of this one."""
    return f"{OTHER[side.node]}.hosting.example"


@contextlib.contextmanager
def stopped(node: Host) -> t.Iterator[None]:
    node.run("systemctl stop postfix")
    try:
        yield
    finally:
        node.run("systemctl start postfix")


def asked(folder: Path, side: Side) -> dict[tuple[str, str], Finding]:
    """What verify finds at the backup MX of a node, also about the domain of its user."""
    estate, faults = load(str(folder))
    assert estate, faults
    tenants = (
        dataclasses.replace(
            tenant,
            domains=tuple(
                dataclasses.replace(one, domain_aliases=())
                for one in tenant.domains
                if one.name == side.user.domain
            ),
        )
        for tenant in estate.tenants
    )
    found = access_findings(
        Connector(RESOLVER, str(LAB / "ca.pem")),
        dataclasses.replace(
            estate,
            backup_mx=(),
            nodes=tuple(node for node in estate.nodes if node.name == OTHER[side.node]),
            tenants=tuple(tenants),
        ),
    )
    backup = f"{OTHER[side.node]}.hosting.example"
    return {(one.id, one.subject): one for one in found if one.subject.startswith(backup)}


def test_verify_finds_it_well_while_the_node_is_stopped(
    estate: Path, side: Side, node: Host, backup: str
) -> None:
    found: dict[tuple[str, str], Finding] = {}

    def is_well() -> bool:
        found.update(asked(estate, side))
        return {one.state for one in found.values()} == {"ok"}

    with stopped(node):
        assert wait_until(is_well), [one for one in found.values() if one.state != "ok"]
    recipients = found["mail.backup", f"{backup} → {side.user.domain}"]
    assert recipients.found.startswith("250 and 550 "), recipients
    assert {"mail.tls", "mail.dane", "mail.relay_refused", "mail.port"} <= {id_ for id_, _ in found}


def test_its_mta_sts_policy_names_both(
    estate: Path, outside: Outside, side: Side, backup: str
) -> None:
    policy = outside.output(f"curl -sS https://mta-sts.{side.user.domain}/.well-known/mta-sts.txt")
    hosts = [line.split()[1] for line in policy.splitlines() if line.startswith("mx:")]
    assert hosts == [side.host, ALT, backup]


def test_the_unknown_is_refused_and_spam_too_while_the_node_is_stopped(
    estate: Path, outside: Outside, side: Side, node: Host, backup: str, sides: dict[str, Side]
) -> None:
    unknown = f"nobody-at-all@{side.user.domain}"
    here = sides[OTHER[side.node]]
    with stopped(node):
        assert reply(outside, backup, unknown).startswith("550")
        assert reply_to(outside, backup, here.user, unknown).startswith("550")
        message = Message.new(STRANGER, side.user.name)
        spam = Message(message.token, f"{message.text}\r\n{GTUBE}\r\n")
        answers = outside.send(backup, 25, STRANGER, [side.user.name], spam)
        assert answers["rcpt"][side.user.name][0] == 250, answers
        assert answers["data"][0] == 554, answers


def test_mail_waits_there_and_comes_once(
    estate: Path, outside: Outside, side: Side, node: Host, backup: str
) -> None:
    """Its sender finds the backup MX in DNS, and its TLSA record."""
    keeper = Host(OTHER[side.node])
    user = side.user
    message = Message.new(STRANGER, user.name)
    with stopped(node):
        outside.run(f"sendmail -i -f {STRANGER} {user}", stdin=message.text.replace("\r", ""))
        assert wait_until(lambda: user.name in keeper.output("postqueue -j")), outside.output(
            "postqueue -p"
        )
    log = outside.output("tail -n 200 /var/log/mail.log")
    assert f"Verified TLS connection established to {backup}[" in log, log
    assert retried(keeper, user.name), keeper.output("postqueue -p")
    assert len(outside.fetch(side.host, user.name, user.password, message.token)) == 1
