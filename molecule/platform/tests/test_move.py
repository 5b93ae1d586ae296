# SPDX-License-Identifier: GPL-3.0-or-later
"""A tenant moves from Debian 12 to 13 and back, while mail comes in at both nodes.

The first move is whole, the second one is killed and run again. Between the two the refusals are
asked for. What is seen on the way is noted, and the tests look at the notes.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
import os
import shutil
import signal
import time
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from client import ESTATE, Account, Flow, Host, Outside, Run, ansible, replace_once, started
from conftest import NODES, STRANGER
from test_suspension import apply

TENANT, DOMAIN = "mover", "moving.example"
JO, ANN = f"jo@{DOMAIN}", f"ann@{DOMAIN}"
FIRST, OWN = "First-Pass-1", "Own-Pass-2!"
"""The password of the files, and the one that the user chose."""
RETAINED = "/srv/vmail/.retained"
ACCOUNT = f"tenants/{TENANT}/account.yml"
FORGET = """
import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as database:
    database.execute("DELETE FROM credentials WHERE address LIKE '%@moving.example'")
"""


def host(node: str) -> str:
    return f"{node}.hosting.example"


def estate(folder: Path, digest: str) -> Path:
    """Return a copy of the estate with a tenant on mx1 more."""
    shutil.copytree(ESTATE, folder)
    place = folder / "tenants" / TENANT
    place.mkdir()
    (place / "account.yml").write_text(
        "organisation: Moving\nplan: business\nstate: active\nplacement: mx1   # the old one\n"
        f"default_owner: {JO}\nadmins: [{{address: {JO}}}]\n"
        f"intake: {{expected_mailboxes: 2, dns_contact: {JO}, clients: local, smime: false}}\n"
        f"domains: [{DOMAIN}]\n",
        encoding="utf-8",
    )
    rows = "".join(f"  - {{name: {name}, password: '{digest}'}}\n" for name in ("ann", "jo"))
    (place / f"{DOMAIN}.yml").write_text(f"mailboxes:\n{rows}", encoding="utf-8")
    return folder


def move(folder: Path, to: str, *arguments: str, tenant: str = TENANT) -> Run:
    return ansible(
        "ansible-playbook",
        "reseller.mail.move",
        "-e",
        json.dumps({"move_tenant": tenant, "move_to": to}),
        *arguments,
        estate=folder,
    )


def killed(folder: Path, to: str, task: str) -> None:
    """Begin a move, and kill it at a task."""
    wanted = json.dumps({"move_tenant": TENANT, "move_to": to})
    run = started("ansible-playbook", "reseller.mail.move", "-e", wanted, estate=folder)
    assert run.stdout is not None
    lines = []
    for line in run.stdout:
        lines.append(line)
        if line.startswith("TASK") and task in line:
            break
    else:
        pytest.fail("".join(lines))
    time.sleep(0.5)  # the task is at work on the hosts
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()


def on_disk(node: Host, folder: Path) -> str:
    """Return what a refusal must not change: files, generations, mail, passwords, keys."""
    return node.output(
        f"cd /srv/vmail && find {DOMAIN} .retained 2>/dev/null | grep -v dovecot | sort;"
        "readlink /var/lib/reseller-mail/current; cat /root/.ssh/authorized_keys;"
        " ls /var/lib/reseller-mail"
    ) + (folder / ACCOUNT).read_text(encoding="utf-8")


@dataclass
class Seen:
    """What was seen of the moves, by the node to which the tenant moved."""

    states: dict[str, t.Any] = field(default_factory=dict)
    logins: dict[str, t.Any] = field(default_factory=dict)
    scripts: dict[str, str] = field(default_factory=dict)
    flows: dict[str, list[Account]] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)
    refusals: dict[str, Run] = field(default_factory=dict)
    changed_by_refusals: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def seen(
    outside: Outside, nodes: dict[str, Host], tmp_path_factory: pytest.TempPathFactory
) -> t.Iterator[Seen]:
    digest = nodes["mx1"].output(f"doveadm pw -s SHA512-CRYPT -r 5000 -p '{FIRST}'")
    folder = estate(tmp_path_factory.mktemp("move") / "estate", digest)
    found = Seen()
    try:
        apply(folder)
        nodes["mx1"].run(f"mail-passwd {JO}", stdin=f"{FIRST}\n{OWN}\n")
        script = 'PUTSCRIPT "mine" {7+}\r\nkeep;\r\n'
        outside.managesieve(host("mx1"), JO, OWN, script, 'SETACTIVE "mine"')
        outside.call("imap_fill", host=host("mx1"), user=JO, password=OWN)
        outside.call("imap_fill", host=host("mx1"), user=ANN, password=FIRST)
        _look(found, outside, nodes, "before", "mx1")
        _refuse(found, nodes, folder)
        _move(found, outside, nodes, folder, "mx1", "mx2", kill="")
        _refuse_return(found, nodes, folder)
        _move(found, outside, nodes, folder, "mx2", "mx1", kill="Copy the rest")
        yield found
    finally:
        for node in nodes.values():
            node.run(f"rm -rf {RETAINED}/{TENANT} {RETAINED}/.moving")
        accepted = {"generation_deletions_accepted": 1000}
        apply(ESTATE, "-e", json.dumps(accepted))
        for node in nodes.values():
            node.run("python3 - /var/lib/reseller-mail/credentials/credentials.db", stdin=FORGET)
            node.run(f"rm -rf {RETAINED}/{TENANT} /srv/vmail/{DOMAIN}")


def _look(found: Seen, outside: Outside, nodes: dict[str, Host], when: str, node: str) -> None:
    """Note what a node has of the tenant."""
    found.states[when] = {
        user: outside.call("imap_state", host=host(node), user=user, password=password)
        for user, password in ((JO, OWN), (ANN, FIRST))
    }
    other = next(name for name in NODES if name != node)
    found.logins[when] = [
        outside.may_login(host(name), "imap", JO, password)
        for name, password in ((node, OWN), (node, FIRST), (other, OWN))
    ]
    home = f"/srv/vmail/{DOMAIN}/jo"
    found.scripts[when] = nodes[node].output(
        f"readlink {home}/.dovecot.sieve; cat {home}/sieve/*.sieve"
    )


def _move(
    found: Seen,
    outside: Outside,
    nodes: dict[str, Host],
    folder: Path,
    former: str,
    new: str,
    kill: str,
) -> None:
    """Move the tenant while mail comes in at both nodes, and a session is open."""
    with concurrent.futures.ThreadPoolExecutor() as pool, contextlib.ExitStack() as stack:
        session = pool.submit(
            outside.call,
            "open_sessions",
            host=host(former),
            user=JO,
            password=OWN,
            recipient=STRANGER,
            seconds=200,
        )
        flows = [
            stack.enter_context(Flow(outside, host(at), JO, OWN, mailbox_host=host(new), pause=0.1))
            for at in (former, new)
        ]
        if kill:
            killed(folder, new, kill)
        run = move(folder, new)
        assert run.rc == 0, run.output
        time.sleep(1)
    found.sessions[new] = session.result()["imap"]
    found.flows[new] = [flow.account(queues=list(nodes.values())) for flow in flows]
    found.files[new] = (folder / ACCOUNT).read_text(encoding="utf-8")
    _look(found, outside, nodes, new, new)
    found.left[new] = nodes[former].output(
        f"ls -d /srv/vmail/{DOMAIN} 2>&1; ls {RETAINED}/{TENANT}/{DOMAIN};"
        f" grep -h moved_to {RETAINED}/{TENANT}/{DOMAIN}/*/manifest.json;"
        " grep -c reseller-mail-move /root/.ssh/authorized_keys;"
        " ls -d /var/lib/reseller-mail/moves 2>&1; true"
    )


def _refuse(found: Seen, nodes: dict[str, Host], folder: Path) -> None:
    """Ask for what must be refused, and changes nothing."""
    by_hand = folder.with_name("by_hand")
    shutil.copytree(folder, by_hand)
    replace_once(by_hand / ACCOUNT, "placement: mx1", "placement: mx2")
    before = {name: on_disk(node, folder) for name, node in nodes.items()}
    plan = json.dumps({"plan_before": str(folder)})
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        asked = {
            "unknown tenant": pool.submit(move, folder, "mx2", tenant="moover"),
            "unknown node": pool.submit(move, folder, "mx9"),
            "same node": pool.submit(move, folder, "mx1"),
            "no room": pool.submit(move, folder, "mx2", "-e", "move_keep_free=900T"),
            "tenants": pool.submit(
                ansible, "ansible-playbook", "playbooks/tenants.yml", estate=by_hand
            ),
            "site": pool.submit(ansible, "ansible-playbook", "playbooks/site.yml", estate=by_hand),
            "plan": pool.submit(
                ansible, "ansible-playbook", "reseller.mail.plan", "-e", plan, estate=by_hand
            ),
        }
        found.refusals.update({name: run.result() for name, run in asked.items()})
    after = {name: on_disk(node, folder) for name, node in nodes.items()}
    found.changed_by_refusals = [name for name in before if before[name] != after[name]]


def _refuse_return(found: Seen, nodes: dict[str, Host], folder: Path) -> None:
    """The copy that the former node keeps must not be mixed with the mail that returns."""
    found.refusals["return"] = move(folder, "mx1")
    names = {"subject": TENANT, "state": "deleted", "confirmed": TENANT}
    confirmed = ansible(
        "ansible-playbook",
        "reseller.mail.retained_mail",
        "--limit",
        "mx1",
        "-e",
        json.dumps({f"retained_mail_{key}": value for key, value in names.items()}),
    )
    assert confirmed.rc == 0, confirmed.output
    found.left["deleted"] = nodes["mx1"].output(f"ls -A {RETAINED} | grep -x {TENANT}; true")


@pytest.fixture(params=list(NODES), ids=[f"to {name}" for name in NODES.values()])
def new(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_message_that_came_meanwhile_is_there_once(new: str, seen: Seen) -> None:
    for flow in seen.flows[new]:
        assert flow.accepted, str(flow)
        assert flow.wrong == [], str(flow)


def test_folders_uids_flags_dates_and_subscriptions_are_as_they_were(new: str, seen: Seen) -> None:
    assert seen.states["before"][ANN]["INBOX"]["messages"], "the control: there is mail"
    assert seen.states[new][ANN] == seen.states["before"][ANN]


def test_a_mailbox_that_got_mail_meanwhile_keeps_all_that_it_had(new: str, seen: Seen) -> None:
    before = seen.states["before" if new == "mx2" else "mx2"][JO]
    after = seen.states[new][JO]
    assert after.keys() == before.keys()
    for folder in before.keys() - {"subscriptions"}:
        old, now = before[folder]["messages"], after[folder]["messages"]
        assert {uid: now.get(uid) for uid in old} == old, folder
        validity = [
            state[folder]["status"].partition("UIDVALIDITY ")[2] for state in (before, after)
        ]
        assert len({one.split(" ")[0].strip(")") for one in validity}) == 1, folder


def test_the_users_own_password_and_script_move_with_the_mail(new: str, seen: Seen) -> None:
    assert seen.logins[new] == seen.logins["before"] == [True, False, False]
    assert seen.scripts[new] == seen.scripts["before"] != ""


def test_sessions_end_and_the_files_have_the_new_node(new: str, seen: Seen) -> None:
    assert seen.sessions[new] == "closed"
    assert f"placement: {new}   # the old one\n" in seen.files[new]


def test_the_former_node_keeps_a_copy_and_no_key(new: str, seen: Seen) -> None:
    lines = seen.left[new].splitlines()
    assert "No such file" in lines[0]
    assert [line.partition("Z-")[2] for line in lines[1:3]] == ["ann", "jo"]
    assert lines[3:5] == [f' "moved_to": "{host(new)}",'] * 2
    assert lines[5] == "0"
    assert "No such file" in lines[6]


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("unknown tenant", "the estate has no tenant moover; did you mean mover?"),
        ("unknown node", "there is no node mx9"),
        ("same node", "tenant mover is on mx1 already"),
        ("no room", "mx2 has no room: "),
        ("tenants", "reseller.mail.move -e move_tenant=mover -e move_to=mx2"),
        ("site", "reseller.mail.move -e move_tenant=mover -e move_to=mx2"),
        ("plan", "mail-not-moved"),
        ("return", "mx1 keeps a copy of the mail of mover from an earlier move"),
    ],
)
def test_it_is_refused_with_a_clear_fault(what: str, words: str, seen: Seen) -> None:
    run = seen.refusals[what]
    assert run.rc != 0, run.output
    assert words in " ".join(run.output.split()), run.output


def test_a_refusal_changes_nothing(seen: Seen) -> None:
    assert seen.changed_by_refusals == []
    assert seen.left["deleted"] == ""
