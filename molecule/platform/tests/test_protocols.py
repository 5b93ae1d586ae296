# SPDX-License-Identifier: GPL-3.0-or-later
"""A mailbox logs in with its protocols and no others, whichever level of the files sets them; one
whose password is kept elsewhere gets mail and never logs in."""

from __future__ import annotations

import csv
import dataclasses
import json
import re
import shutil
import typing as t
from pathlib import Path

import pytest
from client import ESTATE, Host, Message, Outside, ansible, wait_until
from conftest import NODES, OUTSIDE, STRANGER
from test_generation import generation

SERVICES = {"imap": "imap", "pop3": "pop3", "submission": "submissions", "sieve": "sieve"}
"""For each protocol, the service of outside.py that logs in with it."""
SETS = {"a": ("imap", "submission"), "b": ("pop3", "sieve")}
"""Two sets of protocols. Together they allow and refuse each protocol once."""
LEVELS = ("estate", "plan", "account", "domain", "mailbox")
FROM = "|".join(map(re.escape, OUTSIDE))
STORE = "/var/lib/reseller-mail/credentials/credentials.db"
FORGET = f"""
import sqlite3
with sqlite3.connect({STORE!r}) as database:
    database.execute("DELETE FROM credentials WHERE address LIKE '%.protocols.example'")
"""
ACCOUNT = """\
organisation: Protocols
plan: {plan}
state: active
placement: {node}
default_owner: user@{first}
admins: [{{address: user@{first}}}]
intake: {{expected_mailboxes: 5, dns_contact: user@{first}, clients: local, smime: false}}
domains: [{domains}]
"""


def shown(protocols: t.Iterable[str]) -> str:
    return f"protocols: [{', '.join(protocols)}]\n"


@dataclasses.dataclass
class Lab:
    """The estate of these tests, with tenants of their own on both nodes."""

    folder: Path
    passwords: dict[str, str] = dataclasses.field(default_factory=dict)

    def write(self, default: tuple[str, ...] = (), external: bool = False) -> Path:
        """Write the estate; ``default`` are the protocols that estate.yml sets."""
        estate = self.folder / "estate"
        shutil.rmtree(estate, ignore_errors=True)
        shutil.copytree(ESTATE, estate)
        text = (estate / "estate.yml").read_text(encoding="utf-8")
        assert text.count("\ndefaults:\n") == 1
        if default:
            text = text.replace("\ndefaults:\n", f"\ndefaults:\n  {shown(default)}")
        (estate / "estate.yml").write_text(text, encoding="utf-8")
        with (estate / "plans.yml").open("a", encoding="utf-8") as plans:
            for name, protocols in SETS.items():
                plans.write(f"  - name: protocols-{name}\n    {shown(protocols)}")
                plans.write("    limits: {storage: 1G}\n    features: []\n")
                plans.write("    mailbox_quota: {default: 1M, min: 1M, max: 1G}\n")
                if default:  # or else that would be more than the plan has
                    plans.write(f"    defaults:\n      {shown(protocols)}")
        for node in NODES:
            self._tenants(estate, node, external)
        return estate

    def _tenants(self, estate: Path, node: str, external: bool) -> None:
        for name, protocols in SETS.items():
            plan = f"protocols-{name}"
            self._tenant(estate, f"{node}-plan-{name}", {f"plan-{name}.{node}": ""}, plan)
            added = f"defaults:\n  {shown(protocols)}"
            domains = {f"account-{name}.{node}": ""}
            self._tenant(estate, f"{node}-account-{name}", domains, added=added)
        own = {f"domain-{name}.{node}": shown(protocols) for name, protocols in SETS.items()}
        own |= {f"mailbox-{name}.{node}": shown(SETS["ba"["ab".index(name)]]) for name in SETS}
        self._tenant(estate, f"{node}-estate", {f"estate.{node}": "", **own})
        for name, protocols in SETS.items():
            path = estate / f"tenants/{node}-estate/mailbox-{name}.{node}.protocols.example.yml"
            with path.open("a", encoding="utf-8") as file:
                file.write(f"    {shown(protocols)}")
        kept = "external" if external else "local"
        with (estate / f"tenants/{node}-estate/estate.{node}.protocols.example.yml").open(
            "a", encoding="utf-8"
        ) as file:
            file.write(f"  - {{name: left, credentials: {kept}}}\n")
            file.write("  - {name: never, credentials: external}\n")

    @staticmethod
    def _tenant(
        estate: Path,
        name: str,
        domains: t.Mapping[str, str],
        plan: str = "business",
        added: str = "",
    ) -> None:
        """Write a tenant with domains that each have a mailbox ``user``."""
        folder = estate / "tenants" / name
        folder.mkdir()
        names = [f"{one}.protocols.example" for one in domains]
        node = name.partition("-")[0]
        text = ACCOUNT.format(plan=plan, node=node, first=names[0], domains=", ".join(names))
        (folder / "account.yml").write_text(text + added, encoding="utf-8")
        for domain, text in domains.items():
            own = f"{text}mailboxes:\n  - name: user\n    quota: 1M\n"
            (folder / f"{domain}.protocols.example.yml").write_text(own, encoding="utf-8")


@pytest.fixture(scope="module")
def lab(nodes: dict[str, Host], tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Lab]:
    made = Lab(tmp_path_factory.mktemp("protocols"))
    given = {"dovecot_initial_passwords": str(made.folder / "{{ mail_node }}.csv")}
    playbook = str(Path(__file__).parent / "mailboxes.yml")
    try:
        run = ansible("ansible-playbook", playbook, estate=made.write(), variables=given)
        assert run.rc == 0, run.output
        for path in made.folder.glob("*.csv"):
            with path.open(newline="", encoding="utf-8") as lines:
                made.passwords |= {row["address"]: row["password"] for row in csv.DictReader(lines)}
        yield made
    finally:
        run = generation(ESTATE, "-e", json.dumps({"mail_deletions_accepted": 1000}))
        for node in nodes.values():
            node.run("python3 -", stdin=FORGET)
            node.run("rm -rf /srv/vmail/.retained/*/*.protocols.example")
        assert run.rc == 0, run.output


def address(level: str, name: str, node: str) -> str:
    domain = level if level == "estate" else f"{level}-{name}"
    return f"user@{domain}.{node}.protocols.example"


def answers(outside: Outside, lab: Lab, boxes: t.Mapping[str, str]) -> dict[str, dict[str, str]]:
    """What each protocol answers to the right password of each mailbox; ``boxes`` has its node."""
    asked = [
        (f"{node}.hosting.example", service, box, lab.passwords[box])
        for box, node in boxes.items()
        for service in SERVICES.values()
    ]
    told = iter(outside.call("sasls", asked=asked))
    found: dict[str, dict[str, str]] = {}
    for box in boxes:
        found[box] = {}
        for protocol in SERVICES:
            ok, text = next(told)
            found[box][protocol] = "" if ok else text
    return found


def allowed(told: t.Mapping[str, str]) -> tuple[str, ...]:
    return tuple(protocol for protocol, text in told.items() if not text)


def compare(outside: Outside, lab: Lab, levels: t.Iterable[str], names: t.Iterable[str]) -> None:
    """Ask both nodes and compare; print one line for each level, set and release."""
    boxes = {
        address(level, name, node): (level, name, node)
        for level in levels
        for name in names
        for node in NODES
    }
    told = answers(outside, lab, {box: node for box, (_level, _name, node) in boxes.items()})
    for box, (level, name, node) in boxes.items():
        print(
            f"{level:8} {NODES[node]:16}",
            *(f"{p}={'no' if a else 'yes'}" for p, a in told[box].items()),
        )
        assert allowed(told[box]) == SETS[name], (box, told[box])


def test_plan_account_domain_and_mailbox_each_decide_with_which_protocols_a_user_logs_in(
    outside: Outside, lab: Lab
) -> None:
    compare(outside, lab, LEVELS[1:], SETS)


@pytest.mark.parametrize("node", NODES)
def test_a_refused_protocol_is_answered_like_a_wrong_password_and_named_in_the_log(
    outside: Outside, lab: Lab, nodes: dict[str, Host], node: str
) -> None:
    host = f"{node}.hosting.example"
    since = nodes[node].output("date +%s")
    for name, refused in (("a", SETS["b"]), ("b", SETS["a"])):
        box = address("domain", name, node)
        asked = [
            (host, SERVICES[protocol], user, password)
            for protocol in refused
            for user, password in (
                (box, lab.passwords[box]),
                (box, "wrong"),
                (f"no-{box}", "wrong"),
            )
        ]
        told = [text for _ok, text in outside.call("sasls", asked=asked, at_once=3)]
        for nth in range(0, len(told), 3):
            assert told[nth] == told[nth + 1] == told[nth + 2] != "", told
        log = f"journalctl -t reseller-mail-login-limit -o cat --no-pager --since @{since}"
        for protocol in refused:
            line = rf"<{box}> from (?:{FROM}): refused, the mailbox may not use {protocol}"
            assert wait_until(
                lambda line=line, log=log: len(re.findall(line, nodes[node].output(log))) == 1, 5
            ), (line, nodes[node].output(log))


@pytest.mark.parametrize("node", NODES)
def test_a_user_changes_the_password_whichever_protocols_the_mailbox_has(
    lab: Lab, nodes: dict[str, Host], node: str
) -> None:
    """The new password is weak: it is judged after the old one was found right."""
    for level in ("domain", "mailbox"):
        for name in SETS:
            box = address(level, name, node)
            for old, told in ((lab.passwords[box], "the new password"), ("x", "the old password")):
                run = nodes[node].run(f"mail-passwd {box}", check=False, stdin=f"{old}\nweak\n")
                assert run.returncode == 1
                assert told in run.stderr, (box, run.stderr)


@pytest.mark.parametrize("name", SETS)
def test_the_estate_decides_where_nothing_nearer_does_and_nearer_ones_decide_as_before(
    outside: Outside, lab: Lab, name: str
) -> None:
    run = generation(lab.write(SETS[name], external=True))
    assert run.rc == 0, run.output
    compare(outside, lab, ["estate"], [name])
    compare(outside, lab, ["plan"], ["ba"["ab".index(name)]])


@pytest.mark.parametrize("node", NODES)
def test_who_has_a_password_elsewhere_gets_mail_and_never_logs_in(
    outside: Outside, lab: Lab, nodes: dict[str, Host], node: str
) -> None:
    """``left`` had a password here before, ``never`` had none."""
    run = generation(lab.write(external=True))
    assert run.rc == 0, run.output
    left, never = (f"{name}@estate.{node}.protocols.example" for name in ("left", "never"))
    assert never not in lab.passwords
    asked = [
        (f"{node}.hosting.example", one, left, lab.passwords[left]) for one in SERVICES.values()
    ]
    assert [ok for ok, _text in outside.call("sasls", asked=asked)] == [False] * len(SERVICES)
    query = (
        f"sqlite3 -readonly {STORE} \"SELECT count(*) FROM credentials WHERE address='{never}'\""
    )
    assert nodes[node].output(query) == "0"
    run = nodes[node].run(f"mail-passwd {left}", check=False, stdin=f"{lab.passwords[left]}\nx\n")
    assert "the old password" in run.stderr
    for box in (left, never):
        message = Message.new(STRANGER, box)
        sent = outside.send(f"{node}.hosting.example", 25, STRANGER, [box], message)
        assert sent["data"][0] == 250, sent
        found = f"doveadm search -u {box} HEADER X-Token {message.token}"
        assert wait_until(lambda found=found: nodes[node].output(found), 20), box
