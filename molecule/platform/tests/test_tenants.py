# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbook ``tenants`` applies what the tenants' files decide, and nothing else, and at any time."""

from __future__ import annotations

import concurrent.futures
import contextlib
import csv
import json
import os
import re
import signal
import time
import typing as t
from pathlib import Path

import pytest
from client import (
    PASSWORDS,
    Host,
    Message,
    Outside,
    Run,
    ansible,
    changed_estate,
    started,
)
from conftest import STRANGER, Side
from test_generation import served, serving
from test_repeat import reloaded, written

ROOT = "/var/lib/reseller-mail"
FILES = {
    "mx1": "tenants/acme/acme.example.yml",
    "mx2": "tenants/globex/globex.example.yml",
}
"""A file of a tenant of each node."""
MAILBOX = ("mailboxes:\n", "mailboxes:\n  - {name: newcomer, quota: 1M}\n")
FORGET = """
import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as database:
    database.execute(
        "DELETE FROM credentials WHERE address LIKE 'newcomer@%' OR address LIKE 'another@%'"
    )
"""
POLICIES = {
    FILES["mx1"]: (
        "dmarc: {stage: observe, reports_to: it@",
        "dmarc: {stage: observe, reports_to: jo@",
    ),
    FILES["mx2"]: ("mta_sts:", "tls_rpt: {reports_to: ann@globex.example}\nmta_sts:"),
}
"""Changes of the files that change DNS."""


def tenants(estate: Path, *arguments: str) -> Run:
    return ansible("ansible-playbook", "playbooks/tenants.yml", "--diff", *arguments, estate=estate)


def changes(run: Run) -> list[str]:
    """Return the lines of the run about objects that change."""
    return sorted(line for line in run.output.splitlines() if line.startswith(("+ ", "- ", "~ ")))


def txt(name: str) -> list[str]:
    """Return the TXT records of a name at the primary server."""
    return Host("dns1").output(f"dig +short @10.97.0.2 {name} TXT | sort").splitlines()


def newcomer(side: Side) -> str:
    return f"newcomer@{side.user.domain}"


def password(side: Side) -> str:
    """Return the initial password of the new mailbox: the last row counts."""
    with (PASSWORDS / f"{side.node}.csv").open(newline="", encoding="utf-8") as lines:
        return {row["address"]: row["password"] for row in csv.DictReader(lines)}[newcomer(side)]


def answer(outside: Outside, side: Side) -> int:
    """Return the node's answer in SMTP to the new address."""
    address = newcomer(side)
    reply = outside.send(side.host, 25, STRANGER, [address], Message.new(STRANGER, address))
    return int(reply["rcpt"][address][0])


def works(outside: Outside, side: Side) -> None:
    """The new mailbox gets mail, and its owner reads it."""
    address = newcomer(side)
    message = Message.new(STRANGER, address)
    assert outside.send(side.host, 25, STRANGER, [address], message)["rcpt"][address][0] == 250
    assert len(outside.fetch(side.host, address, password(side), message.token)) == 1


@pytest.fixture
def same(tmp_path: Path) -> Path:
    """A copy of the estate in which nothing is changed."""
    (tmp_path / "same").mkdir()
    return changed_estate(tmp_path / "same", {})


@pytest.fixture
def changed(tmp_path: Path, same: Path, nodes: dict[str, Host]) -> t.Iterator[Path]:
    """An estate with one mailbox more on each node. Afterwards the mailboxes leave the nodes, and
    their passwords too: the next test needs a mailbox that has none."""
    before = served(nodes)
    yield changed_estate(tmp_path, dict.fromkeys(FILES.values(), MAILBOX))
    if served(nodes) != before:
        run = tenants(same)
        assert run.rc == 0, run.output
    forget()


def forget() -> None:
    """Forget the mail and passwords of the mailboxes that the tests added, also what is retained."""
    for node in FILES:
        Host(node).run(f"python3 - {ROOT}/credentials/credentials.db", stdin=FORGET)
        Host(node).run("rm -rf /srv/vmail/.retained/*/*/*-newcomer /srv/vmail/*/newcomer")


def test_a_mailbox_that_was_added_gets_mail_and_one_that_was_removed_does_not(
    outside: Outside, sides: dict[str, Side], changed: Path, same: Path
) -> None:
    assert all(answer(outside, side) == 550 for side in sides.values())
    run = tenants(changed)
    assert run.rc == 0, run.output
    assert changes(run) == sorted(
        line
        for side in sides.values()
        for line in (
            f"+ credential {newcomer(side)} initial",
            f"+ mailbox {newcomer(side)} quota 1M",
        )
    )
    for side in sides.values():
        works(outside, side)
    run = tenants(same)
    assert run.rc == 0, run.output
    lines = [re.sub("until .*", "until then", line) for line in changes(run)]
    assert lines == sorted(
        line
        for side in sides.values()
        for line in (
            f"- mailbox {newcomer(side)} quota 1M",
            f"~ mail of {newcomer(side)} kept until then",
        )
    )
    assert all(answer(outside, side) == 550 for side in sides.values())


@pytest.mark.parametrize("check", [False, True], ids=["real run", "check mode"])
def test_a_run_without_a_change_writes_nothing_and_reloads_nothing(
    check: bool, nodes: dict[str, Host], same: Path
) -> None:
    clock = {name: int(node.output("date +%s")) for name, node in nodes.items()}
    time.sleep(1)  # files' times are compared in whole seconds
    run = tenants(same, *(["--check"] if check else []))
    assert run.rc == 0, run.output
    assert {host: figures["changed"] for host, figures in run.recap.items()} == dict.fromkeys(
        [*nodes, "localhost"], 0
    ), run.output
    for name, node in nodes.items():
        assert written(node, clock[name] + 1) == []
        assert reloaded(node, clock[name] + 1) == []


def test_check_mode_says_what_the_run_does(
    nodes: dict[str, Host], tmp_path: Path, same: Path
) -> None:
    """A mailbox on each node, and a record of each tenant."""
    (tmp_path / "both").mkdir()
    estate = changed_estate(tmp_path / "both", POLICIES)
    for file in FILES.values():
        text = (estate / file).read_text(encoding="utf-8")
        (estate / file).write_text(
            text.replace("mailboxes:\n", "mailboxes:\n  - {name: planned, quota: 1M}\n"),
            encoding="utf-8",
        )
    before = serving(nodes), txt("_dmarc.acme.example"), txt("_smtp._tls.globex.example")
    said = tenants(estate, "--check")
    assert said.rc == 0, said.output
    now = serving(nodes), txt("_dmarc.acme.example"), txt("_smtp._tls.globex.example")
    assert now == before
    done = tenants(estate)
    try:
        assert done.rc == 0, done.output
        assert changes(said) == changes(done)
        assert {name: said.changed(name) for name in said.recap} == {
            name: done.changed(name) for name in done.recap
        }
        assert sum(line.startswith("+ mailbox planned@") for line in changes(done)) == 2
    finally:
        publish_again(estate, same)


def publish_again(changed: Path, same: Path) -> None:
    """Give nodes and DNS the former files again; the list of published records goes with them."""
    published = "state/published_dns.json"
    (same / published).write_bytes((changed / published).read_bytes())
    run = tenants(same)
    assert run.rc == 0, run.output


def test_a_run_for_one_tenant_touches_neither_other_nodes_nor_other_domains(
    nodes: dict[str, Host], tmp_path: Path, same: Path
) -> None:
    (tmp_path / "policies").mkdir()
    estate = changed_estate(tmp_path / "policies", POLICIES)
    clock = int(nodes["mx2"].output("date +%s"))
    time.sleep(1)
    before = serving(nodes)["mx2"], txt("_smtp._tls.globex.example")
    former = txt("_dmarc.acme.example")
    run = tenants(estate, "--extra-vars", "tenants_only=acme")
    try:
        assert run.rc == 0, run.output
        assert set(run.recap) == {"localhost", "mx1"}
        assert (serving(nodes)["mx2"], txt("_smtp._tls.globex.example")) == before
        assert written(nodes["mx2"], clock + 1) == []
        assert txt("_dmarc.acme.example") != former
        assert "jo@acme.example" in "".join(txt("_dmarc.acme.example"))
        run = tenants(estate)
        assert run.rc == 0, run.output
        assert "ann@globex.example" in "".join(txt("_smtp._tls.globex.example"))
    finally:
        publish_again(estate, same)


@contextlib.contextmanager
def record(node: Host, text: str) -> t.Iterator[None]:
    """Let the host have another record of its platform, or none."""
    path = f"{ROOT}/platform.json"
    right = node.output(f"cat {path}")
    node.run(f"cat >{path}" if text else f"rm {path}", stdin=text)
    try:
        yield
    finally:
        node.run(f"cat >{path}", stdin=f"{right}\n")


def test_a_host_that_site_has_not_set_up_is_refused_before_any_host_changes(
    nodes: dict[str, Host], changed: Path
) -> None:
    before = serving(nodes)
    with record(nodes["mx2"], ""):
        run = tenants(changed)
    assert run.rc == 2, run.output
    assert (
        "reseller.mail.site has not set up this host: run ansible-playbook reseller.mail.site"
        in (run.output)
    )
    assert serving(nodes) == before
    assert "+ credential" not in run.output


def test_a_host_with_another_platform_is_refused(nodes: dict[str, Host], changed: Path) -> None:
    before = serving(nodes)
    right = json.loads(nodes["mx1"].output(f"cat {ROOT}/platform.json"))
    other = {**right, "platform": "0" * 64}
    with record(nodes["mx1"], json.dumps(other)):
        run = tenants(changed)
    assert run.rc == 2, run.output
    assert "(platform 000000000000), and this is version" in " ".join(run.output.split())
    assert serving(nodes) == before


def test_other_algorithms_of_dkim_than_a_node_is_set_up_for_need_site(
    nodes: dict[str, Host], tmp_path: Path
) -> None:
    """A tenant's file decides it, and each algorithm has a daemon of its own."""
    change = {"tenants/acme/acme-shop.example.yml": ("[rsa, ed25519]", "[rsa]")}
    before = serving(nodes)
    run = tenants(changed_estate(tmp_path, change))
    assert run.rc == 2, run.output
    assert "dkim_algorithms is rsa, ed25519 on the host and rsa in the estate" in " ".join(
        run.output.split()
    )
    assert serving(nodes) == before


@pytest.mark.parametrize(
    "task",
    [
        "Give new mailboxes their first password",
        "Make and rotate the tenants' keys",
        "Install the generation after daemons have checked it",
        "Publish the records of managed domains",
    ],
)
def test_a_run_that_was_killed_is_healed_by_the_next(
    task: str, outside: Outside, sides: dict[str, Side], changed: Path
) -> None:
    run = started("ansible-playbook", "playbooks/tenants.yml", estate=changed)
    assert run.stdout is not None
    for line in run.stdout:
        if line.startswith("TASK") and task in line:
            break
    else:
        pytest.fail(f"the run has no task {task}")
    time.sleep(0.5)  # the task is at work on the hosts
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    healed = tenants(changed)
    assert healed.rc == 0, healed.output
    for side in sides.values():
        works(outside, side)
    again = tenants(changed)
    assert {host: figures["changed"] for host, figures in again.recap.items()} == dict.fromkeys(
        again.recap, 0
    ), again.output


def test_two_runs_at_once_give_what_one_gives(
    outside: Outside, sides: dict[str, Side], changed: Path
) -> None:
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(tenants, [changed, changed]))
    for run in runs:
        assert run.rc == 0, run.output
    lines = [line for run in runs for line in changes(run)]
    for side in sides.values():
        assert lines.count(f"+ credential {newcomer(side)} initial") >= 1
        works(outside, side)
    again = tenants(changed)
    assert {host: figures["changed"] for host, figures in again.recap.items()} == dict.fromkeys(
        again.recap, 0
    ), again.output
