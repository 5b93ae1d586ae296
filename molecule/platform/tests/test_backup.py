# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node had comes back from its backup: a folder, a mailbox, a tenant, the whole node.

The repositories are on `outside`, reached by SFTP.
"""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from client import Host, Outside, Run, ansible, changed_estate, site, wait_until
from conftest import NODES, OUTSIDE, Side
from test_verify_host import asked
from test_virgin_host import HISTORY, ROOT, apply, lost

PASSWORD = "the key of the repository"
OTHER = "not the key of the repository"
STORE = "/srv/backup"
SECRETS = "/etc/reseller-mail/backup/secrets.json"
BACKUP = "systemctl start reseller-mail-backup.service"
FOLDER = "Projects.Entwürfe"
SCRIPT = "Backups"
KEYS = f"cd / && sha256sum {ROOT}/dkim/*/* {ROOT}/tls/*/privkey.pem /etc/postsrsd.secret"

FILL = """
import imaplib
box = imaplib.IMAP4_SSL({host!r}, 993)
box.login({user!r}, {password!r})
box.create({folder!r})
box.subscribe({folder!r})
for number in range(3):
    text = f'From: a@stranger.example\\r\\nSubject: kept {{number}}\\r\\n\\r\\nHello.\\r\\n'
    for folder, flags in (({folder!r}, r'(\\Seen \\Flagged $Label1 Red)'), ('INBOX', r'(\\Answered)')):
        date = f'"0{{number + 1}}-Jan-2020 10:00:00 +0000"'
        assert box.append(folder, flags, date, text.encode())[0] == 'OK'
box.logout()
"""
"""Messages with flags, labels and old dates, in INBOX and in a folder with letters beyond ASCII."""


class Keys(t.NamedTuple):
    private: str
    known_hosts: str


@pytest.fixture(scope="module", name="keys")
def _keys(outside: Outside, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Keys]:
    """A user on `outside` who stores backups, and whom the nodes reach by a key of their own."""
    path = tmp_path_factory.mktemp("keys") / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    public = path.with_suffix(".pub").read_text(encoding="utf-8").strip()
    outside.run(
        f"rm -rf {STORE}; useradd --home-dir {STORE} --shell /bin/sh keeper 2>/dev/null || mkdir"
        f" -p {STORE}; install -d -o keeper -m 700 {STORE} {STORE}/.ssh; cat"
        f" >{STORE}/.ssh/authorized_keys; chown -R keeper: {STORE}",
        stdin=public + "\n",
    )
    host_key = outside.output("cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub")
    yield Keys(path.read_text(encoding="utf-8"), f"{OUTSIDE[0]} {host_key}")
    outside.run(f"userdel keeper; rm -rf {STORE}")


def variables(keys: Keys) -> list[str]:
    given = {
        "backup_repository": f"sftp:keeper@{OUTSIDE[0]}:{{{{ mail_node }}}}",
        "backup_password": PASSWORD,
        "backup_ssh_key": keys.private,
        "backup_ssh_known_hosts": keys.known_hosts,
        "backup_check_data": "100%",
    }
    return ["--extra-vars", json.dumps(given)]


@pytest.fixture(scope="module", name="filled")
def _filled(outside: Outside, sides: dict[str, Side]) -> None:
    """Users have mail, folders, labels and a script."""
    for side in sides.values():
        user = side.user
        folder = "Projects.Entw&APw-rfe"
        program = FILL.format(host=user.host, user=user.name, password=user.password, folder=folder)
        outside.run("python3 -", stdin=program)
        put = [f'PUTSCRIPT "{SCRIPT}" {{5+}}\r\nkeep;', f'SETACTIVE "{SCRIPT}"']
        outside.managesieve(user.host, user.name, user.password, *put)


@pytest.fixture(scope="module", name="saved", autouse=True)
def _saved(keys: Keys, filled: None, nodes: dict[str, Host]) -> t.Iterator[Run]:
    """Both nodes have a backup, which their first run with a repository began."""
    for node in nodes.values():
        node.run(f"rm -f {ROOT}/backup/record.json")
    run = site("--tags", "backup", "--diff", *variables(keys))
    assert run.rc == 0, run.output
    for node in nodes.values():
        wait_until(lambda node=node: json.loads(record(node)).get("checked"), 60)
    yield run
    off = site("--tags", "backup")
    assert off.rc == 0, off.output


def record(node: Host) -> str:
    return node.run(f"cat {ROOT}/backup/record.json || echo '{{}}'").stdout


def each(work: t.Callable[[t.Any], t.Any], of: t.Iterable[t.Any]) -> list[t.Any]:
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(work, of))


def restore(subject: str, *more: str, name: str = "restore_subject") -> Run:
    words = [word for one in (f"{name}={subject}", *more) for word in ("-e", one)]
    return ansible("ansible-playbook", "reseller.mail.restore", *words)


def text(run: Run) -> str:
    return " ".join(run.output.split())


def state(node: Host, user: str) -> list[str]:
    """Return each message of a mailbox with its folder, UID, flags, date and subject; the
    UIDVALIDITY of each folder."""
    fields = "mailbox uid guid flags date.received hdr.subject"
    found = node.output(f"doveadm -f tab fetch -u {user} '{fields}' ALL")
    # Which messages are recent depends on the session.
    rows = re.sub(r" \\Recent(?=\t)|\\Recent ?", "", found).splitlines()
    folders = node.output(f"doveadm -f tab mailbox status -u {user} uidvalidity INBOX 'Projects*'")
    return sorted(rows) + sorted(folders.splitlines())


def folder_of(rows: t.Iterable[str]) -> list[str]:
    return [row for row in rows if row.startswith(FOLDER) and "kept" in row]


def home(address: str) -> str:
    name, _at, domain = address.partition("@")
    return f"/srv/vmail/{domain}/{name}"


@contextlib.contextmanager
def password_lost(node: Host, user: str) -> t.Iterator[None]:
    """A mailbox has no password for a while; the old one comes back if nothing brought it back."""
    kept = "/run/credentials.kept"
    database = f"{ROOT}/credentials/credentials.db"
    node.run(
        f'cp {database} {kept}; sqlite3 {database} "DELETE FROM credentials WHERE address ='
        f" '{user}'\""
    )
    try:
        yield
    finally:
        again = "INSERT OR IGNORE INTO credentials SELECT * FROM kept.credentials"
        node.run(f"sqlite3 {database} \"ATTACH '{kept}' AS kept; {again}\"; rm {kept}")


def may_log_in(outside: Outside, side: Side) -> bool:
    return outside.may_login(side.host, "imap", side.user.name, side.user.password)


def test_a_backup_is_made_and_its_secrets_are_shown_to_nobody(
    side: Side, node: Host, saved: Run, keys: Keys
) -> None:
    found = asked(side)["host.backup"]
    assert found["state"] == "ok", found
    modes = node.output(
        f"stat -c '%U %a' {SECRETS} {ROOT}/backup/record.json {Path(SECRETS).parent}"
    )
    assert modes.split("\n") == ["root 600", "root 600", "root 700"]
    for secret in (PASSWORD, keys.private.splitlines()[2]):
        assert secret not in saved.output
        assert secret not in node.output("journalctl -u reseller-mail-backup; cat /proc/*/cmdline")
    listed = node.output("mail-backup restic ls latest")
    for path in (home(side.user.name), f"{ROOT}/dkim", f"{ROOT}/tls", "/etc/letsencrypt/live"):
        assert path in listed
    assert "dovecot.index" not in listed
    assert f"{ROOT}/backup/copies/credentials.db" in listed
    assert "copies" not in node.output(f"ls -A {ROOT}/backup")


def test_a_deleted_folder_comes_back_as_it_was_and_not_twice(
    sides: dict[str, Side], nodes: dict[str, Host]
) -> None:
    before = {name: state(node, sides[name].user.name) for name, node in nodes.items()}
    assert all(len(folder_of(rows)) >= 3 for rows in before.values())

    def lose_and_restore(name: str) -> tuple[Run, list[str], Run, Run]:
        node, user = nodes[name], sides[name].user.name
        node.run(f"doveadm mailbox delete -u {user} {FOLDER}")
        assert not folder_of(state(node, user))
        first = restore(user, f"restore_folder={FOLDER}")
        rows = state(node, user)
        again = restore(user, f"restore_folder={FOLDER}")
        over = restore(user, f"restore_folder={FOLDER}", "restore_over_existing=true")
        return first, rows, again, over

    for name, (first, rows, again, over) in zip(NODES, each(lose_and_restore, NODES), strict=True):
        assert first.rc == 0, first.output
        assert rows == before[name]
        assert again.rc == 2
        assert f"the folder {FOLDER} of {sides[name].user.name} has mail" in text(again)
        assert (over.rc, over.changed(name)) == (0, 0), over.output
        user = sides[name].user.name
        assert state(nodes[name], user) == before[name]
        status = nodes[name].output(f"doveadm -f flow mailbox status -u {user} uidnext {FOLDER}")
        assert int(status.rpartition("uidnext=")[2]) > 100_000, "later UIDs are not used again"
        assert FOLDER in nodes[name].output(f"doveadm mailbox list -s -u {user}")


def test_a_deleted_mailbox_comes_back_with_its_password_and_its_script(
    sides: dict[str, Side], nodes: dict[str, Host], outside: Outside
) -> None:
    def lose_and_restore(name: str) -> tuple[list[str], Run, list[str]]:
        node, user = nodes[name], sides[name].user.name
        before = state(node, user)
        with lost(node, home(user)), password_lost(node, user):
            assert not may_log_in(outside, sides[name])
            run = restore(user)
            assert may_log_in(outside, sides[name]), run.output
            listed = node.output(f"doveadm sieve list -u {user}")
            assert f"{SCRIPT} ACTIVE" in listed
            return before, run, state(node, user)

    for _name, (before, run, rows) in zip(NODES, each(lose_and_restore, NODES), strict=True):
        assert run.rc == 0, run.output
        assert rows == before


def test_a_tenant_comes_back_and_its_neighbours_stay_as_they_are(
    sides: dict[str, Side], nodes: dict[str, Host], outside: Outside
) -> None:
    tenants = {"mx1": "acme", "mx2": "globex"}

    def lose_and_restore(name: str) -> tuple[list[str], Run, list[str]]:
        node, user = nodes[name], sides[name].user
        before = state(node, user.name)
        keys = node.output(KEYS)
        with lost(node, f"/srv/vmail/{user.domain}"):
            run = restore(tenants[name])
            assert node.output(KEYS) == keys
            return before, run, state(node, user.name)

    for _name, (before, run, rows) in zip(NODES, each(lose_and_restore, NODES), strict=True):
        assert run.rc == 0, run.output
        assert rows == before
    for node in nodes.values():
        assert node.output("ls -A /srv/vmail | grep restore || true") == ""


def test_what_is_not_known_is_refused_and_nothing_changes(
    sides: dict[str, Side], nodes: dict[str, Host]
) -> None:
    user = sides["mx1"].user.name
    cases = [
        ((user, "restore_snapshot=ffff0000"), "ffff0000 is no snapshot of the node mx1"),
        (("no@acme.example",), "no@acme.example is no mailbox; mailboxes of acme.example"),
        ((user, "restore_folder=Nothing"), "has no folder Nothing in the snapshot"),
        ((user,), f"nothing was restored: {user} has mail"),
    ]
    before = nodes["mx1"].output("find /srv/vmail | sort")
    for (_words, message), run in zip(
        cases, each(lambda one: restore(*one[0]), cases), strict=True
    ):
        assert run.rc == 2, run.output
        assert message in text(run)
    assert nodes["mx1"].output("find /srv/vmail | sort") == before


@contextlib.contextmanager
def moved(host: Host, path: str) -> t.Iterator[None]:
    host.run(f"mv {path} {STORE}/away")
    try:
        yield
    finally:
        host.run(f"rm -rf {path}; mv {STORE}/away {path}")


def failed(side: Side, node: Host, command: str = BACKUP) -> str:
    """Return what the finding says after a command that must fail."""
    assert node.run(command, check=False).returncode != 0
    found = asked(side)["host.backup"]
    assert found["state"] == "fail"
    return found["found"]


def test_a_wrong_key_a_lost_and_a_damaged_repository_are_named_and_mail_goes_on(
    side: Side, node: Host, outside: Outside
) -> None:
    before = state(node, side.user.name)
    node.run(f"sed -i.right 's/{PASSWORD}/{OTHER}/' {SECRETS}")
    try:
        assert "backup_password does not open the repository" in failed(side, node)
    finally:
        node.run(f"mv {SECRETS}.right {SECRETS}")
    with moved(outside, f"{STORE}/{side.node}"):
        assert "there was one at" in failed(side, node)
    index = f"{STORE}/{side.node}/index"
    with moved(outside, index):
        outside.run(f"install -d -o keeper {index}")
        assert "the repository is damaged" in failed(side, node, "mail-backup check")
        run = restore(side.user.name, "restore_over_existing=true")
        assert "the repository is damaged" in text(run)
    assert state(node, side.user.name) == before
    assert may_log_in(outside, side)
    node.run("mail-backup check")
    node.run(BACKUP)
    assert asked(side)["host.backup"]["state"] == "ok"


def test_a_node_that_lost_everything_is_refused_and_comes_back(
    sides: dict[str, Side],
    nodes: dict[str, Host],
    outside: Outside,
    keys: Keys,
    tmp_path: Path,
) -> None:
    """The services run on; a virgin host has other packages, and not another past."""
    before = {name: state(node, sides[name].user.name) for name, node in nodes.items()}
    kept = {name: node.output(KEYS) for name, node in nodes.items()}
    gone = (
        *HISTORY,
        f"{ROOT}/tls",
        f"{ROOT}/platform.json",
        "/etc/letsencrypt",
        "/etc/postsrsd.secret",
    )
    with contextlib.ExitStack() as away:
        for node in nodes.values():
            away.enter_context(lost(node, *gone))
        refused = apply()
        assert {refused.recap[name]["failed"] for name in NODES} == {1}, refused.output
        assert "ansible-playbook reseller.mail.restore -e restore_node=mx1" in text(refused)
        unknown = changed_estate(tmp_path, {})
        for name in NODES:
            (unknown / "state" / f"{name}.json").unlink()
        refused = apply(*variables(keys), estate=unknown)
        assert {refused.recap[name]["failed"] for name in NODES} == {1}, refused.output
        assert "the repository of its backups has" in text(refused)

        def bring_back(name: str) -> Run:
            words = ["-e", f"restore_node={name}", "--limit", f"{name},localhost"]
            return ansible("ansible-playbook", "reseller.mail.restore", *words, *variables(keys))

        for run in each(bring_back, NODES):
            assert run.rc == 0, run.output
        for name, node in nodes.items():
            assert node.output(KEYS) == kept[name]
        done = apply()
        assert done.rc == 0, done.output
        for name, node in nodes.items():
            assert state(node, sides[name].user.name) == before[name]
            assert may_log_in(outside, sides[name])
            assert node.output(KEYS) == kept[name]
