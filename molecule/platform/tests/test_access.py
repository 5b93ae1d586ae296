# SPDX-License-Identifier: GPL-3.0-or-later
"""Who gets in, and what is kept of their passwords."""

from __future__ import annotations

import csv
import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyrage
from ansible.parsing.vault import VaultLib, VaultSecret
from client import PASSWORDS, Host, Outside, Run, ansible, changed_estate
from conftest import NODES, Side
from test_delivery import knock, received
from test_generation import generation

STORE = "/var/lib/reseller-mail/credentials"
ROWS = f"""python3 -c '
import json, sqlite3
print(json.dumps(sqlite3.connect("file:{STORE}/credentials.db?mode=ro", uri=True).execute("SELECT address, hash FROM credentials").fetchall()))'"""


def test_a_suspended_tenant_receives_but_neither_reads_nor_sends_until_it_is_active_again(
    outside: Outside, sides: dict[str, Side], tmp_path: Path
) -> None:
    """A tenant of each node."""
    estate = changed_estate(
        tmp_path,
        {
            f"tenants/{tenant}/account.yml": ("state: active", "state: suspended")
            for tenant in ("acme", "globex")
        },
    )
    users = [side.user for side in sides.values()]

    def logins() -> list[bool]:
        return [
            outside.may_login(user.host, protocol, user.name, user.password)
            for user in users
            for protocol in ("imap", "pop3", "submission")
        ]

    try:
        run = generation(estate)
        assert run.rc == 0, run.output
        assert not any(logins())
        waiting = [knock(outside, user.host, user.name) for user in users]
    finally:
        assert generation().rc == 0
    assert all(logins())
    for user, message in zip(users, waiting, strict=True):
        received(outside, user, message)


def test_initial_passwords_are_handed_over_to_their_reader_alone(
    nodes: dict[str, Host], passwords: dict[str, str]
) -> None:
    files = sorted(PASSWORDS.glob("*.csv"))
    assert [file.stem for file in files] == list(NODES)
    assert [oct(file.stat().st_mode & 0o777) for file in files] == ["0o600", "0o600"]
    for node in nodes.values():
        assert node.output(f"stat -c '%U %G %a' {STORE}/credentials.db") == "root dovecot 640"
        assert node.run(f"test -e {STORE}/initial_passwords.json", check=False).returncode == 1, (
            "the node still keeps them"
        )


def test_two_controllers_at_once_lose_no_password_and_make_none_twice(
    outside: Outside, sides: dict[str, Side], nodes: dict[str, Host], tmp_path: Path
) -> None:
    """Both run with the same new mailboxes, and both encrypt what they are given."""
    new = [f"new-{uuid.uuid4().hex[:8]}" for _number in range(3)]
    boxes = "mailboxes:\n" + "".join(f"  - name: {name}\n" for name in new)
    files = ("tenants/acme/acme.example.yml", "tenants/globex/globex.example.yml")
    estate = changed_estate(tmp_path, dict.fromkeys(files, ("mailboxes:\n", boxes)))
    identity = pyrage.x25519.Identity.generate()
    before = {path: path.read_bytes() for path in PASSWORDS.iterdir()}
    play = str(Path(__file__).parent / "mailboxes.yml")
    given = json.dumps({"dovecot_initial_passwords_recipients": [str(identity.to_public())]})

    def run(_number: int) -> Run:
        return ansible("ansible-playbook", play, "--extra-vars", given, estate=estate)

    try:
        with ThreadPoolExecutor(2) as pool:
            runs = list(pool.map(run, range(2)))
        # A run can lose the lock of the generation to the other; the next one goes on.
        runs.append(run(0))
        assert runs[-1].rc == 0, runs[-1].output
        written = [path for path in PASSWORDS.iterdir() if path not in before]
        found: dict[str, set[str]] = {}
        for path in written:
            if path.suffix == ".age":
                text = pyrage.decrypt(path.read_bytes(), [identity]).decode()
                for row in csv.DictReader(text.splitlines()):
                    found.setdefault(row["address"], set()).add(row["password"])
        assert {path: path.read_bytes() for path in before} == before, "nothing is unencrypted"
        for side in sides.values():
            for name in new:
                address = f"{name}@{side.user.domain}"
                (password,) = found[address]
                assert password not in "".join(one.output for one in runs)
                assert outside.may_login(side.host, "imap", address, password)
            waiting = nodes[side.node].run(f"test -e {STORE}/initial_passwords.json", check=False)
            assert waiting.returncode == 1
    finally:
        for path in [path for path in PASSWORDS.iterdir() if path not in before]:
            path.unlink()
        assert generation().rc == 0


def test_a_node_keeps_strong_hashes_and_no_password(node: Host, passwords: dict[str, str]) -> None:
    rows = json.loads(node.output(ROWS))
    assert {address for address, _hash in rows} & passwords.keys()
    assert [
        address
        for address, hashed in rows
        if not hashed.startswith(("{ARGON2ID}$argon2id$", "{BLF-CRYPT}$2"))
    ] == []
    patterns = "\n".join(sorted(passwords.values()))
    assert all(len(password) >= 8 for password in passwords.values())
    said = node.run(
        f"grep -rlFf - {STORE} /var/lib/reseller-mail/generations /var/log /etc/dovecot"
        " /etc/postfix",
        check=False,
        stdin=patterns,
    )
    assert (said.returncode, said.stdout) == (1, ""), "these files hold a password"


def test_a_password_or_hash_from_the_files_opens_the_new_mailbox(
    outside: Outside, sides: dict[str, Side], nodes: dict[str, Host], tmp_path: Path
) -> None:
    """A vaulted password and a hash, on each node."""
    chosen, vault = "Correct-Horse-7", VaultLib([("default", VaultSecret(b"the vault's password"))])
    (tmp_path / "vault").write_text("the vault's password", encoding="utf-8")
    vaulted = vault.encrypt(chosen).decode().strip().replace("\n", "\n      ")
    new = f"new-{uuid.uuid4().hex[:8]}"
    files = {"mx1": "tenants/acme/acme.example.yml", "mx2": "tenants/globex/globex.example.yml"}
    changes = {}
    for (name, file), scheme in zip(files.items(), ("ARGON2ID", "BLF-CRYPT"), strict=True):
        hashed = nodes[name].output(f"doveadm pw -s {scheme} -p {chosen}")
        boxes = (
            f"  - name: {new}-vaulted\n    password: !vault |\n      {vaulted}\n  - name:"
            f" {new}-hashed\n    password: '{hashed}'\n"
        )
        changes[file] = ("mailboxes:\n", f"mailboxes:\n{boxes}")
    estate = changed_estate(tmp_path, changes)
    play = str(Path(__file__).parent / "mailboxes.yml")
    try:
        run = ansible(
            "ansible-playbook", play, f"--vault-password-file={tmp_path / 'vault'}", estate=estate
        )
        assert run.rc == 0, run.output
        assert chosen not in run.output
        for side in sides.values():
            assert (
                nodes[side.node]
                .run(f"test -e {STORE}/initial_passwords.json", check=False)
                .returncode
                == 1
            ), "nothing is to be handed over"
            for kind in ("vaulted", "hashed"):
                address = f"{new}-{kind}@{side.user.domain}"
                assert outside.may_login(side.host, "imap", address, chosen), address
                assert address not in (PASSWORDS / f"{side.node}.csv").read_text(encoding="utf-8")
    finally:
        assert generation().rc == 0


def test_a_mailbox_without_a_usable_password_is_told_at_its_place_and_keeps_no_other_from_anything(
    outside: Outside, sides: dict[str, Side], nodes: dict[str, Host], tmp_path: Path
) -> None:
    """A weak one and one that no vault password opens, on each node."""
    weak, vault = "feeble-password", VaultLib([("default", VaultSecret(b"the vault's password"))])
    (tmp_path / "vault").write_text("the vault's password", encoding="utf-8")
    lost = VaultLib([("default", VaultSecret(b"forgotten"))]).encrypt("Correct-Horse-7").decode()
    new = f"new-{uuid.uuid4().hex[:8]}"
    boxes = f"  - name: {new}-good\n"
    for kind, text in (("weak", vault.encrypt(weak).decode()), ("lost", lost)):
        indented = text.strip().replace("\n", "\n      ")
        boxes += f"  - name: {new}-{kind}\n    password: !vault |\n      {indented}\n"
    files = ("tenants/acme/acme.example.yml", "tenants/globex/globex.example.yml")
    estate = changed_estate(
        tmp_path, dict.fromkeys(files, ("mailboxes:\n", f"mailboxes:\n{boxes}"))
    )
    places = {
        f"{file}:{number}:"
        for file in files
        for number, line in enumerate((estate / file).read_text(encoding="utf-8").splitlines(), 1)
        if line.startswith("    password: !vault")
    }
    try:
        run = ansible(
            "ansible-playbook",
            str(Path(__file__).parent / "tenants.yml"),
            f"--vault-password-file={tmp_path / 'vault'}",
            estate=estate,
        )
        assert run.rc == 2, run.output
        assert weak not in run.output
        said = run.output.partition("Everything else is done")[2]
        assert len(places) == 4
        assert all(place in said for place in places), said
        for side in sides.values():
            good, *bad = (f"{new}-{kind}@{side.user.domain}" for kind in ("good", "weak", "lost"))
            handed_over = dict(
                line.split(",")
                for line in (
                    (PASSWORDS / f"{side.node}.csv").read_text(encoding="utf-8").splitlines()
                )
            )
            assert outside.may_login(side.host, "imap", good, handed_over[good])
            assert not set(bad) & handed_over.keys()
            assert not {
                address for address, _hash in json.loads(nodes[side.node].output(ROWS))
            } & set(bad)
            for address in (good, *bad):
                knock(outside, side.host, address)
    finally:
        assert generation().rc == 0
