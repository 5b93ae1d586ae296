# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of mail and passwords when mailboxes and tenants leave the files, and return.

One tenant on each node lives through all of it; both nodes change at the same time. What is asked
on the way is noted, and the tests look at the notes.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
import re
import shutil
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from client import ESTATE, Account, Flow, Host, Message, Outside, Run, ansible, instead_of
from conftest import NODES, STRANGER
from test_suspension import apply

FIRST, OWN, HEIRS = "First-Pass-1", "Own-Pass-2!", "Heirs-Pass-3!"
"""The password of the files, the one that the user chose, and that of the next tenant."""
RETAINED = "/srv/vmail/.retained"
KILL = """
case "$*" in *who*) kill -9 $PPID; exit 1 ;; esac
exec "$real" "$@"
"""
FORGET = """
import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as database:
    database.execute("DELETE FROM credentials WHERE address LIKE '%@leaving-%'")
"""


def domain(node: str) -> str:
    return f"leaving-{node}.example"


def jo(node: str) -> str:
    return f"jo@{domain(node)}"


def host(node: str) -> str:
    return f"{node}.hosting.example"


def estate(
    folder: Path,
    boxes: t.Sequence[str] = ("ann", "it", "jo"),
    *,
    state: str = "active",
    digest: str,
    heir: str = "",
) -> Path:
    """Return a copy of the estate with a tenant on each node that has these mailboxes.

    With ``heir``, which is a hash, its domain belongs to another tenant, who has jo.
    """
    shutil.copytree(ESTATE, folder)
    for node in NODES:
        for tenant, names, hashed, how in (
            (f"quits-{node}", () if heir else boxes, digest, state),
            (f"heir-{node}", ("jo",) if heir else (), heir, "active"),
        ):
            if tenant.startswith("heir") and not heir:
                continue
            place = folder / "tenants" / tenant
            place.mkdir()
            owner = f"{names[0]}@{domain(node)}" if names else f"it@former-{node}.example"
            account = (
                f"organisation: Leaving\nplan: business\nstate: {how}\nplacement: {node}\n"
                f"default_owner: {owner}\nadmins: [{{address: {owner}}}]\n"
                f"intake: {{expected_mailboxes: 3, dns_contact: {owner}, clients: local,"
                " smime: false}\n"
                f"domains: [{domain(node) if names else f'former-{node}.example'}]\n"
            )
            (place / "account.yml").write_text(account, encoding="utf-8")
            if names:
                rows = "".join(f"  - {{name: {name}, password: '{hashed}'}}\n" for name in names)
                (place / f"{domain(node)}.yml").write_text(f"mailboxes:\n{rows}", "utf-8")
    return folder


@dataclass
class Seen:
    """What was seen of one node."""

    flow: Account | None = None
    lines: dict[str, list[str]] = field(default_factory=dict)
    logins: dict[str, bool] = field(default_factory=dict)
    replies: dict[str, int] = field(default_factory=dict)
    mail: dict[str, bool] = field(default_factory=dict)
    validity: dict[str, str] = field(default_factory=dict)
    listed: dict[str, t.Any] = field(default_factory=dict)
    sessions: dict[str, t.Any] = field(default_factory=dict)
    state: dict[str, str] = field(default_factory=dict)
    findings: dict[str, dict[str, str]] = field(default_factory=dict)
    """Those of the host, by id, after the tenant was terminated."""


def by_node(run: Run) -> dict[str, list[str]]:
    """Return the lines about stored mail and passwords in the diffs of a run, by node."""
    words = ("~ mail of ", "- mail of ", "+ credential ")
    lines = [line for line in run.output.splitlines() if line.startswith(words)]
    return {node: sorted(line for line in lines if domain(node) in line) for node in NODES}


def retained_mail(**variables: str) -> Run:
    named = {f"retained_mail_{key}": value for key, value in variables.items()}
    return ansible("ansible-playbook", "reseller.mail.retained_mail", "-e", json.dumps(named))


def on_disk(node: Host) -> str:
    """Return everything about the tenant on a node: homes, what is retained, passwords."""
    return node.output(
        f"cd /srv/vmail && find {domain(node.name)} .retained -mindepth 1 2>/dev/null"
        " | grep -v dovecot | sort; python3 - /var/lib/reseller-mail/credentials/credentials.db"
        " <<'X'\nimport sqlite3, sys\nprint(sqlite3.connect(sys.argv[1]).execute(\"SELECT address,"
        " hash FROM credentials WHERE address LIKE '%@leaving-%' ORDER BY 1\").fetchall())\nX\n"
        "readlink /var/lib/reseller-mail/current"
    )


def findings() -> dict[str, dict[str, dict[str, str]]]:
    """Return what verify finds on each host, by node and id."""
    arguments = json.dumps({"estate": str(ESTATE), "node": "{{ mail_node }}"})
    run = ansible(
        "ansible",
        ",".join(NODES),
        "-m",
        "reseller.mail.verify_host",
        "-a",
        arguments,
        environment={"ANSIBLE_CALLBACK_RESULT_FORMAT": "json"},
    )
    assert run.rc == 0, run.output
    parts = re.split(r"^(\S+) \| SUCCESS => ", run.output, flags=re.M)[1:]
    return {
        node: {one["id"]: one for one in json.loads(text)["findings"]}
        for node, text in zip(parts[::2], parts[1::2], strict=True)
    }


def send(outside: Outside, node: str, local: str = "jo") -> tuple[int, str]:
    """Send a message to a mailbox; return the reply at RCPT and the token."""
    address = f"{local}@{domain(node)}"
    message = Message.new(STRANGER, address)
    answers = outside.send(host(node), 25, STRANGER, [address], message)
    return int(answers["rcpt"][address][0]), message.token


def validity(node: Host) -> str:
    """Return the UIDVALIDITY of the inbox."""
    path = f"/srv/vmail/{domain(node.name)}/jo/Maildir/dovecot-uidlist"
    return next(word for word in node.output(f"head -1 {path}").split() if word[0] == "V")


@pytest.fixture(scope="module")
def seen(
    outside: Outside, nodes: dict[str, Host], tmp_path_factory: pytest.TempPathFactory
) -> t.Iterator[dict[str, Seen]]:
    folder = tmp_path_factory.mktemp("termination")
    found = {node: Seen() for node in NODES}
    digest, heirs = (
        nodes["mx1"].output(f"doveadm pw -s SHA512-CRYPT -r 5000 -p '{password}'")
        for password in (FIRST, HEIRS)
    )
    served = estate(folder / "served", digest=digest)
    try:
        apply(served)
        _live(found, outside, nodes, served, estate(folder / "one", ("ann", "it"), digest=digest))
        _end(found, outside, nodes, estate(folder / "ended", state="terminated", digest=digest))
        _inherit(found, outside, nodes, estate(folder / "heir", digest=digest, heir=heirs))
        purged = estate(folder / "purged", state="terminated", digest=digest)
        for node in NODES:
            with (purged / f"tenants/quits-{node}/account.yml").open("a", encoding="utf-8") as file:
                file.write("purge: true\n")
        _purge(found, nodes, purged)
        yield found
    finally:
        accepted = {"generation_deletions_accepted": 1000}
        apply(ESTATE, "-e", json.dumps(accepted))
        for node in nodes.values():
            node.run("python3 - /var/lib/reseller-mail/credentials/credentials.db", stdin=FORGET)
            node.run(f"rm -rf {RETAINED} /srv/vmail/leaving-*")


def _live(
    seen: dict[str, Seen], outside: Outside, nodes: dict[str, Host], served: Path, without: Path
) -> None:
    """A mailbox with a password and a script of its own leaves while mail comes in, and returns."""
    tokens: dict[str, str] = {}
    for name, node in nodes.items():
        node.run(f"mail-passwd {jo(name)}", stdin=f"{FIRST}\n{OWN}\n")
        script = 'PUTSCRIPT "mine" {7+}\r\nkeep;\r\n'
        outside.managesieve(host(name), jo(name), OWN, script, 'SETACTIVE "mine"')
        for local in ("ann", "it"):
            send(outside, name, local)
        _code, tokens[name] = send(outside, name)
        seen[name].mail["before"] = bool(outside.fetch(host(name), jo(name), OWN, tokens[name]))
        seen[name].validity["before"] = validity(node)
    with concurrent.futures.ThreadPoolExecutor() as pool, contextlib.ExitStack() as stack:
        sessions = {
            name: pool.submit(
                outside.call,
                "open_sessions",
                host=host(name),
                user=jo(name),
                password=OWN,
                recipient=STRANGER,
            )
            for name in NODES
        }
        flows = {
            name: stack.enter_context(Flow(outside, host(name), jo(name), OWN, pause=0.1))
            for name in NODES
        }
        before = {name: on_disk(node) for name, node in nodes.items()}
        planned = apply(without, "--check")
        for name, node in nodes.items():
            seen[name].lines["planned"] = by_node(planned)[name]
            seen[name].state["check mode"] = (
                "same"
                if on_disk(node).splitlines()[-2:] == before[name].splitlines()[-2:]
                else "changed"
            )
        left = apply(without)
        for name in NODES:
            seen[name].lines["left"] = by_node(left)[name]
            seen[name].sessions = sessions[name].result()
    for name, node in nodes.items():
        one = seen[name]
        one.replies["left"] = send(outside, name)[0]
        one.logins["left"] = outside.may_login(host(name), "imap", jo(name), OWN)
        one.state["modes"] = node.output(
            f"stat -c '%U %a' {RETAINED} {RETAINED}/*/*/* {RETAINED}/*/*/*/*.json | sort -u"
        )
        one.state["served"] = node.output(f"ls /srv/vmail/{domain(name)}")
    back = apply(served)
    for name, node in nodes.items():
        one = seen[name]
        one.lines["back"] = by_node(back)[name]
        one.logins["back"] = outside.may_login(host(name), "imap", jo(name), OWN)
        one.mail["back"] = bool(outside.fetch(host(name), jo(name), OWN, tokens[name]))
        one.validity["back"] = validity(node)
        one.state["script"] = node.output(f"cat /srv/vmail/{domain(name)}/jo/.dovecot.sieve")
        one.replies["back"] = send(outside, name)[0]
        one.flow = flows[name].account(queues=[node])


def _end(seen: dict[str, Seen], outside: Outside, nodes: dict[str, Host], ended: Path) -> None:
    """The tenant is terminated; the run is killed on the way, and the next one finishes it."""
    with contextlib.ExitStack() as stack:
        for node in nodes.values():
            stack.enter_context(instead_of(node, "doveadm", KILL))
        killed = ansible(
            "ansible-playbook",
            "molecule/platform/tests/mailboxes.yml",
            "-e",
            json.dumps({"mail_deletions_accepted": 1000}),
            estate=ended,
        )
    for name in NODES:
        seen[name].state["killed"] = "failed" if killed.recap[name]["failed"] else "done"
        seen[name].replies["killed"] = send(outside, name)[0]
    apply(ended, "-e", json.dumps({"mail_deletions_accepted": 1000}))
    for name, node in nodes.items():
        one = seen[name]
        one.replies["ended"] = send(outside, name)[0]
        one.logins["ended"] = outside.may_login(host(name), "imap", jo(name), OWN)
        one.state["ended"] = node.output(f"ls -d /srv/vmail/{domain(name)} 2>&1 || true")
        node.run(f"install -d -o vmail -g vmail /srv/vmail/{domain(name)}/ghost/Maildir/cur")
        node.run(f"head -c 3000000 /dev/zero >/srv/vmail/{domain(name)}/ghost/Maildir/cur/1")
        node.run(f"touch -d '40 days ago' /srv/vmail/{domain(name)}/ghost")
        node.run(f"touch -d '40 days ago' /srv/vmail/{domain(name)}/ghost/Maildir/cur")
        node.run("systemctl start reseller-mail-retention")
    for name, found in findings().items():
        seen[name].findings = found
        nodes[name].run(f"rm -r /srv/vmail/{domain(name)}/ghost; rmdir /srv/vmail/{domain(name)}")
    listed = retained_mail(subject=domain("mx1"))
    assert listed.rc == 0, listed.output
    seen["mx1"].listed["ended"] = listed.output
    for name, node in nodes.items():  # the time of one of them is over
        node.run(
            f'sed -i \'s/"until": "[^"]*"/"until": "2026-01-01T00:00:00Z"/\''
            f" {RETAINED}/quits-{name}/{domain(name)}/*-it/manifest.json"
        )
        node.run("systemctl start reseller-mail-retention")
        seen[name].state["expired"] = node.output(f"ls {RETAINED}/quits-{name}/{domain(name)}")


def _inherit(seen: dict[str, Seen], outside: Outside, nodes: dict[str, Host], heir: Path) -> None:
    """Another tenant gets the domain, and then the mail of the former one."""
    inherited = apply(heir)
    tokens = {}
    for name in NODES:
        one = seen[name]
        one.lines["inherited"] = by_node(inherited)[name]
        one.logins["former"] = outside.may_login(host(name), "imap", jo(name), OWN)
        _code, tokens[name] = send(outside, name)
        assert outside.fetch(host(name), jo(name), HEIRS, tokens[name])
    subject = "jo@leaving-{{ inventory_hostname }}.example"
    for what, tenant in (("refused", "heir"), ("restored", "quits")):
        confirmed = f"{tenant}-{{{{ inventory_hostname }}}}"
        run = retained_mail(subject=subject, state="restored", confirmed=confirmed)
        for name in NODES:
            seen[name].listed[what] = run
            seen[name].logins[what] = outside.may_login(host(name), "imap", jo(name), OWN)
    for name in NODES:
        one = seen[name]
        one.mail["new one"] = bool(outside.fetch(host(name), jo(name), OWN, tokens[name]))
        one.state["messages"] = nodes[name].output(
            f"find /srv/vmail/{domain(name)}/jo/Maildir/cur /srv/vmail/{domain(name)}/jo/Maildir/new"
            " -type f | wc -l"
        )


def _purge(seen: dict[str, Seen], nodes: dict[str, Host], purged: Path) -> None:
    """What is left of the tenant is deleted at once, but not without its name."""
    accepted = json.dumps({"mail_deletions_accepted": 1000})
    play = ("ansible-playbook", "molecule/platform/tests/mailboxes.yml", "-e", accepted)
    before = {name: on_disk(node) for name, node in nodes.items()}
    run = ansible(*play, estate=purged)
    for name, node in nodes.items():
        seen[name].listed["not confirmed"] = run
        seen[name].state["not confirmed"] = "same" if on_disk(node) == before[name] else "changed"
    names = {"mail_purge_confirmed": ["quits-mx1", "quits-mx2"]}
    run = apply(purged, "-e", json.dumps({"mail_deletions_accepted": 1000, **names}))
    for name, node in nodes.items():
        seen[name].lines["purged"] = by_node(run)[name]
        seen[name].state["purged"] = node.output(f"ls -A {RETAINED}/quits-{name} 2>&1 || true")


@pytest.fixture(params=list(NODES), ids=list(NODES.values()))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def one(name: str, seen: dict[str, Seen]) -> Seen:
    return seen[name]


def test_check_mode_says_what_is_kept_and_changes_nothing(name: str, one: Seen) -> None:
    assert one.lines["planned"] == one.lines["left"]
    assert len(one.lines["left"]) == 1
    assert one.lines["left"][0].startswith(f"~ mail of {jo(name)} kept until ")
    assert one.state["check mode"] == "same"


def test_a_mailbox_that_left_is_refused_at_once_and_its_mail_is_kept(one: Seen) -> None:
    assert (one.replies["left"], one.logins["left"]) == (550, False)
    assert one.sessions["imap"] == one.sessions["pop3"] == "closed"
    assert one.state["served"].split() == ["ann", "it"]
    assert one.state["modes"].splitlines() == ["root 600", "root 700"]


def test_it_returns_with_its_mail_password_and_script(name: str, one: Seen) -> None:
    assert one.mail["before"], "the control: the message was there"
    assert one.lines["back"] == [f"~ mail of {jo(name)} returns"]
    assert (one.replies["back"], one.logins["back"], one.mail["back"]) == (250, True, True)
    assert one.validity["back"] == one.validity["before"]
    assert one.state["script"].strip() == "keep;"


def test_no_mail_that_was_accepted_meanwhile_is_lost(one: Seen) -> None:
    flow = one.flow
    assert flow is not None
    assert flow.refused, "mail came in when the mailbox had left"
    assert flow.accepted, "mail came in before"
    assert set(flow.missing) <= set(flow.bounced), str(flow)
    assert flow.doubled == []


def test_a_terminated_tenant_is_refused_at_once_also_by_a_run_that_was_killed(one: Seen) -> None:
    assert one.state["killed"] == "failed"
    # The domain is not known any more, so the reply is that for other hosts' domains.
    assert (one.replies["killed"], one.replies["ended"], one.logins["ended"]) == (554, 554, False)
    assert "No such file" in one.state["ended"]


def test_what_is_retained_is_a_finding_with_its_end_and_orphans_are_a_warning(
    name: str, one: Seen
) -> None:
    kept, orphans = (one.findings[id_] for id_ in ("host.retained", "host.orphans"))
    assert (kept["state"], f"3 mailboxes of tenant quits-{name}" in kept["found"]) == ("ok", True)
    assert "until 20" in kept["found"]
    assert orphans["state"] == "warn"
    assert f"{domain(name)}/ghost (2.9M, 40 days)" in orphans["found"]


def test_the_playbook_lists_what_is_retained(seen: dict[str, Seen]) -> None:
    output = seen["mx1"].listed["ended"]
    for local in ("ann", "it", "jo"):
        assert f"address: {local}@{domain('mx1')}" in output
    assert output.count("intact: true") == output.count("password: true") == 3
    assert "messages: -1" not in output


def test_what_is_over_is_deleted_and_nothing_else(one: Seen) -> None:
    kept = [name.partition("Z-")[2] for name in one.state["expired"].split()]
    assert sorted(kept) == ["ann", "jo"]


def test_another_tenant_gets_the_mail_only_with_the_name_of_the_former_one(
    name: str, one: Seen
) -> None:
    assert one.lines["inherited"] == [f"+ credential {jo(name)} supplied"]
    assert not one.logins["former"]
    refused = one.listed["refused"]
    assert refused.recap[name]["failed"] == 1, refused.output
    assert f"-e retained_mail_confirmed=quits-{name}" in " ".join(refused.output.split())
    assert (one.logins["refused"], one.logins["restored"]) == (False, True)
    assert one.mail["new one"]
    assert int(one.state["messages"]) >= 3


def test_a_purge_needs_the_name_of_the_tenant(name: str, one: Seen) -> None:
    run = one.listed["not confirmed"]
    assert run.recap[name]["failed"] == 1, run.output
    assert f"-e mail_purge_confirmed=quits-{name}" in " ".join(run.output.split())
    assert one.state["not confirmed"] == "same"


def test_a_confirmed_purge_deletes_what_is_retained(name: str, one: Seen) -> None:
    assert f"- mail of ann@{domain(name)}, deleted" in one.lines["purged"]
    assert "No such file" in one.state["purged"]
