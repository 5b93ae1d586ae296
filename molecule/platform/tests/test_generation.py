# SPDX-License-Identifier: GPL-3.0-or-later
"""A change serves as a whole or not at all, and mail flows meanwhile."""

from __future__ import annotations

import contextlib
import json
import re
import typing as t
from pathlib import Path

import pytest
from client import (
    ESTATE,
    Flow,
    Host,
    Message,
    Outside,
    Run,
    ansible,
    changed_estate,
    instead_of,
    wait_until,
)
from conftest import STRANGER, Address, Side

CHANGES = {
    "tenants/acme/acme.example.yml": ("aliases:\n", "aliases:\n  - {name: brand-new, to: [jo]}\n"),
    "tenants/globex/globex.example.yml": (
        "aliases:\n",
        "aliases:\n  - {name: brand-new, to: [ann]}\n",
    ),
}

MEAN_NAMES = "mailboxes:\n" + "".join(
    f"  - {{name: {name}, quota: 1M}}\n"
    for name in ("no-such-address-0", "double-bounce", "x" * 64)
)
MEAN = {
    "tenants/acme/acme.example.yml": ("mailboxes:\n", MEAN_NAMES),
    "tenants/globex/globex.example.yml": ("mailboxes:\n", MEAN_NAMES),
}

# postmap makes the tables after all texts were staged, so whoever stands in its place can spoil
# either.
CORRUPT_MAP = """
"$real" "$@" || exit
for map in "$@"; do
    case $map in lmdb:*/virtual_mailbox_maps) dd if=/dev/urandom of="${map#lmdb:}.lmdb" bs=4096 count=2 conv=notrunc status=none ;; esac
done
"""
GARBAGE_LINE = """
for users in /var/lib/reseller-mail/generations/.staging/dovecot/users/*; do   # a new inode: the old one may be the live generation's
    cp -p "$users" "$users.new" && echo "garbage line" >>"$users.new" && mv "$users.new" "$users"
done
exec "$real" "$@"
"""
FAULTS = {"a corrupt map": CORRUPT_MAP, "a garbage passwd line": GARBAGE_LINE}
KILLED = """
case "$*" in *reload*postfix*) kill -9 $PPID; exit 1 ;; esac
exec "$real" "$@"
"""


def generation(estate: Path = ESTATE, *arguments: str) -> Run:
    """The role that applies generations, without the others."""
    return ansible(
        "ansible-playbook",
        str(Path(__file__).parent / "generation.yml"),
        "--diff",
        *arguments,
        estate=estate,
    )


def accepts(outside: Outside, side: Side) -> bool:
    """Whether the node knows the address that CHANGES bring."""
    address = f"brand-new@{side.user.domain}"
    answers = outside.send(
        side.host, 25, STRANGER, [address], Message.new(STRANGER, address), declare_size=True
    )
    return answers["rcpt"][address][0] == 250


def serving(nodes: dict[str, Host]) -> dict[str, str]:
    """What each node serves, and what its daemons were told of."""
    return {
        name: node.output(
            "readlink /var/lib/reseller-mail/current; cat /var/lib/reseller-mail/activated.json"
        )
        for name, node in nodes.items()
    }


def served(nodes: dict[str, Host]) -> list[str]:
    """Return the digest of what each node serves: the end of the name of its generation."""
    link = "readlink /var/lib/reseller-mail/current"
    return [node.output(link).rpartition("-")[2] for node in nodes.values()]


@pytest.fixture
def changed(tmp_path: Path, nodes: dict[str, Host]) -> t.Iterator[Path]:
    """An estate with one alias more on each node; afterwards the nodes serve the old one again."""
    before = served(nodes)
    yield changed_estate(tmp_path, CHANGES)
    if served(nodes) != before:
        assert generation().rc == 0


@contextlib.contextmanager
def flows(outside: Outside, sides: dict[str, Side]) -> t.Iterator[None]:
    """Mail comes in at both nodes all the time; none of it is refused or put off at the door, lost
    or doubled."""
    running = [
        Flow(outside, side.host, side.second.name, side.second.password) for side in sides.values()
    ]
    with running[0], running[1]:
        yield
    for flow in running:
        # A daemon that reloads puts a delivery off for minutes; the queue tries again at once.
        account = flow.account(queues=[Host(side.node) for side in sides.values()])
        assert len(account.replies) > 10
        assert (account.wrong, account.deferred) == ([], {})


def test_a_fault_in_the_next_generation_leaves_the_old_one_serving(
    outside: Outside, sides: dict[str, Side], nodes: dict[str, Host], changed: Path
) -> None:
    before = serving(nodes)
    with flows(outside, sides):
        for fault, script in FAULTS.items():
            with contextlib.ExitStack() as spoiled:
                for node in nodes.values():
                    spoiled.enter_context(instead_of(node, "postmap", script))
                run = generation(changed)
            assert run.rc == 2, (fault, run.output)
            assert all(figures["failed"] == 1 for figures in run.recap.values()), run.output
            assert serving(nodes) == before, fault
            assert not any(accepts(outside, side) for side in sides.values()), fault
    # The same change without the fault is taken.
    assert generation(changed).rc == 0
    assert all(accepts(outside, side) for side in sides.values())


def test_no_name_that_a_tenant_may_choose_stops_its_node(
    nodes: dict[str, Host], changed: Path, tmp_path: Path
) -> None:
    """The daemons that judge a generation are asked for names that nobody can have."""
    (tmp_path / "mean").mkdir()
    run = generation(changed_estate(tmp_path / "mean", MEAN))
    assert run.rc == 0, run.output
    for node in nodes.values():
        assert "no-such-address-0@" in node.output(
            "cat /var/lib/reseller-mail/current/dovecot/all_users"
        )


def signers(outside: Outside, sender: Address) -> list[str]:
    """The domains that sign a message which somebody submits to a stranger; it is accepted."""
    message = Message.new(sender.name, STRANGER)
    answers = outside.send(
        sender.host,
        587,
        sender.name,
        [STRANGER],
        message,
        login=sender.name,
        password=sender.password,
    )
    assert answers["data"][0] == 250, answers
    assert wait_until(lambda: outside.stored(message.token)), "it does not arrive"
    head = outside.stored(message.token)[0].decode().partition("\r\n\r\n")[0]
    return re.findall(r"DKIM-Signature:[^:]*?\bd=([^;\s]+)", head)


def test_a_lost_dkim_key_leaves_its_domain_unsigned_and_keeps_no_other_from_its_change(
    outside: Outside, sides: dict[str, Side], nodes: dict[str, Host], changed: Path
) -> None:
    table = "/var/lib/reseller-mail/current/opendkim/key_table"
    keys = {
        name: nodes[name].output(f"grep -o '/.*/{side.user.domain}/.*' {table}")
        for name, side in sides.items()
    }
    try:
        for name, key in keys.items():
            nodes[name].run(f"mv {key} {key}.away")
        with flows(outside, sides):
            run = generation(changed)
        assert run.rc == 2, run.output
        assert all(
            f"{key}: No such file" in " ".join(run.output.split()) for key in keys.values()
        ), run.output
        assert all(accepts(outside, side) for side in sides.values()), (
            "the change of everybody else"
        )
        for side in sides.values():
            assert signers(outside, side.user) == [], "neither refused nor signed with another key"
        for neighbour in (sides["mx1"].catch_all_to, sides["mx2"].second):
            assert neighbour.domain in signers(outside, neighbour)
        again = generation(changed)
        assert (again.rc, {name: again.changed(name) for name in nodes}) == (
            2,
            dict.fromkeys(nodes, 0),
        ), again.output
    finally:
        for name, key in keys.items():
            nodes[name].run(f"mv {key}.away {key}")
    assert generation().rc == 0
    assert all(signers(outside, side.user) == [side.user.domain] for side in sides.values())


def test_a_run_killed_between_switch_and_reload_is_healed_by_the_next(
    outside: Outside, sides: dict[str, Side], nodes: dict[str, Host], changed: Path
) -> None:
    before = serving(nodes)
    with flows(outside, sides):
        with contextlib.ExitStack() as killers:
            for node in nodes.values():
                killers.enter_context(instead_of(node, "systemctl", KILLED))
            run = generation(changed)
        assert run.rc != 0, run.output
        died = serving(nodes)
        for name, node in nodes.items():
            switched = node.output("readlink /var/lib/reseller-mail/current")
            assert switched not in before[name], "the run did not get as far as the switch"
            assert Path(switched).name not in node.output(
                "cat /var/lib/reseller-mail/activated.json"
            )
        run = generation(changed)
        assert run.rc == 0, run.output
        assert all(figures["changed"] for figures in run.recap.values())
    assert all("activate generation" in run.output for _node in nodes)
    healed = serving(nodes)
    assert all(healed[name] != died[name] for name in nodes)
    assert all(accepts(outside, side) for side in sides.values())
    assert all(figures["changed"] == 0 for figures in generation(changed).recap.values())


def test_rolling_back_brings_the_old_generation_back(
    outside: Outside, sides: dict[str, Side], nodes: dict[str, Host], changed: Path
) -> None:
    before = serving(nodes)
    assert generation(changed).rc == 0
    assert all(accepts(outside, side) for side in sides.values())
    with flows(outside, sides):
        run = ansible("ansible-playbook", "reseller.mail.rollback", "--diff")
    assert run.rc == 0, run.output
    assert f"- alias brand-new@{sides['mx1'].user.domain}" in run.output
    assert serving(nodes) == before
    assert not any(accepts(outside, side) for side in sides.values())


FILES = """
import json, os
root = "/var/lib/reseller-mail/current"
print(json.dumps({
    os.path.relpath(os.path.join(folder, name), root): [
        os.stat(os.path.join(folder, name)).st_ino, open(os.path.join(folder, name), "rb").read().hex()
    ]
    for folder, _folders, names in os.walk(root + "/") for name in names
}))
"""


def test_check_mode_says_what_the_real_run_does_which_makes_new_files_of_what_changes_only(
    outside: Outside, sides: dict[str, Side], nodes: dict[str, Host], changed: Path
) -> None:
    def files() -> dict[str, dict[str, list[t.Any]]]:
        return {
            name: json.loads(node.run("python3 -", stdin=FILES).stdout)
            for name, node in nodes.items()
        }

    before = serving(nodes)
    former = files()
    said = generation(changed, "--check")
    assert serving(nodes) == before
    assert not any(accepts(outside, side) for side in sides.values())
    done = generation(changed)
    assert sorted(changes(said)) == sorted(changes(done))  # whichever node is first
    assert sorted(changes(done)) == [
        f"+ alias brand-new@{side.user.domain} to {side.user}" for side in sides.values()
    ]
    assert (
        {name: said.changed(name) for name in nodes}
        == {name: done.changed(name) for name in nodes}
        == dict.fromkeys(nodes, 1)
    )
    for name, after in files().items():
        new = {path for path, file in after.items() if file != former[name].get(path)}
        assert new == {path for path in new if after[path][1] != former[name][path][1]}
        assert {path for path in new if path.startswith("postfix/virtual_")} == {
            "postfix/virtual_alias_maps",
            "postfix/virtual_alias_maps.lmdb",
        }
        assert not [path for path in new if path.startswith("dovecot/")]


def test_an_edit_in_place_does_not_spoil_the_rollback(
    outside: Outside, sides: dict[str, Side], nodes: dict[str, Host], changed: Path
) -> None:
    """The edited file belongs to both generations."""
    users = "/var/lib/reseller-mail/current/dovecot/all_users"
    before = {name: node.output(f"cat {users}") for name, node in nodes.items()}
    assert generation(changed).rc == 0
    for node in nodes.values():
        node.output(f"echo by-hand >>{users}")
    with flows(outside, sides):
        run = ansible("ansible-playbook", "reseller.mail.rollback")
    assert run.rc == 0, run.output
    assert {name: node.output(f"cat {users}") for name, node in nodes.items()} == before
    assert not any(accepts(outside, side) for side in sides.values())
    # The host serves the estate again, so there is nothing to do.
    assert all(figures["changed"] == 0 for figures in generation().recap.values())


def test_a_changed_quota_works_at_once(
    outside: Outside, sides: dict[str, Side], nodes: dict[str, Host], tmp_path: Path
) -> None:
    """Without a login, a delivery or a restart in between."""
    small = {
        "tenants/acme/acme.example.yml": ("quota: 1M", "quota: 9M"),
        "tenants/globex/globex.example.yml": ("quota: 1M", "quota: 9M"),
    }
    size = 3 * 1024 * 1024

    def taken(side: Side) -> Message | None:
        message = Message.new(STRANGER, side.small.name, size=size)
        answers = outside.send(side.host, 25, STRANGER, [side.small.name], message)
        return (
            message
            if answers["rcpt"][side.small.name][0] == 250 and answers["data"][0] == 250
            else None
        )

    assert not any(taken(side) for side in sides.values())
    try:
        run = generation(changed_estate(tmp_path, small))
        assert "+ mailbox small@acme.example quota 9M" in run.output, run.output
        for side in sides.values():
            message = taken(side)
            assert message
            assert outside.fetch(side.host, side.small.name, side.small.password, message.token), (
                "Dovecot did not take it"
            )
    finally:
        for side in sides.values():  # other tests want room in these boxes
            nodes[side.node].run(f"doveadm expunge -u {side.small} mailbox INBOX all")
        assert generation().rc == 0
    assert not any(taken(side) for side in sides.values())


def changes(run: Run) -> list[str]:
    """The lines of a run's diffs that speak of the model."""
    assert run.rc == 0, run.output
    return re.findall(r"(?m)^[-+~] (?:mailbox|alias|activate) .*$", run.output)


def test_small_deletions_do_not_add_up_on_a_host_whose_runs_fail(
    nodes: dict[str, Host], tmp_path: Path
) -> None:
    """Ten mailboxes may go at once; the check of the next generation fails, so none of them goes,
    and the next change would count them again."""
    files = ("tenants/acme/acme.example.yml", "tenants/globex/globex.example.yml")

    def estate(more: int) -> Path:
        lines = "".join(f"  - {{name: temp{number}, quota: 1M}}\n" for number in range(more))
        room = {"tenants/globex/account.yml": ("plan: starter", "plan: business")}
        return changed_estate(
            tmp_path / str(more),
            {**room, **dict.fromkeys(files, ("mailboxes:\n", f"mailboxes:\n{lines}"))},
        )

    try:
        run = generation(estate(12))
        assert run.rc == 0, run.output
        with contextlib.ExitStack() as spoiled:
            for node in nodes.values():
                spoiled.enter_context(instead_of(node, "postmap", CORRUPT_MAP))
            for left in (6, 0):
                run = generation(estate(left))
                assert run.rc == 2, run.output
                assert "mail_deletions_accepted" not in run.output
        run = generation()
        assert run.rc == 0, run.output
        assert all(figures["changed"] for figures in run.recap.values())
    finally:
        generation(ESTATE, "--extra-vars=mail_deletions_accepted=12")
