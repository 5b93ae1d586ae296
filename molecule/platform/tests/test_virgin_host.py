# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that lacks what its node had is not taken for a new one."""

from __future__ import annotations

import contextlib
import csv
import json
import re
import typing as t
from pathlib import Path

import pytest
from client import ESTATE, PASSWORDS, Flow, Host, Outside, Run, ansible, changed_estate
from conftest import NODES, Side
from test_generation import CHANGES, accepts, flows, generation

ROOT = "/var/lib/reseller-mail"
KEPT = (f"{ROOT}/credentials", f"{ROOT}/dkim", "/srv/vmail")
"""What nobody can make again."""
HISTORY = (
    *KEPT,
    f"{ROOT}/generations",
    f"{ROOT}/current",
    f"{ROOT}/activated.json",
    f"{ROOT}/mail-home",
    f"{ROOT}/.keys.json",
)
"""All that tells a host from one that never served."""


def apply(*arguments: str, estate: Path = ESTATE, **variables: str) -> Run:
    """The roles from `base` to `generation` that make passwords, keys and lookups."""
    play = str(Path(__file__).parent / "tenants.yml")
    return ansible(
        "ansible-playbook", play, "--extra-vars", json.dumps(variables), *arguments, estate=estate
    )


@contextlib.contextmanager
def lost(node: Host, *paths: str) -> t.Iterator[None]:
    """Paths of the host that are gone for a while; whatever is made in their places meanwhile goes
    when they come back."""
    node.run(
        "; ".join(
            f"if test -e {path} || test -L {path}; then mv {path} {path}.away; fi" for path in paths
        )
    )
    try:
        yield
    finally:
        back = (
            f"if test -e {path}.away || test -L {path}.away; then rm -rf {path}; mv {path}.away"
            f" {path}; fi"
            for path in paths
        )
        node.run("; ".join(back))
        node.run("systemctl reload postfix dovecot 'opendkim@*'", check=False)


def listing(node: Host) -> str:
    """What lies below the platform's folders, by name, owner, mode and time."""
    places = f"{ROOT} /srv /etc/postfix /etc/dovecot /etc/opendkim"
    return node.output(f"find {places} -not -path '*.away*' -printf '%p %u %g %m %T@\\n' | sort")


@pytest.fixture(scope="module", autouse=True)
def marked() -> None:
    """Both hosts have noted where their mail is."""
    run = apply()
    assert run.rc == 0, run.output


@pytest.fixture
def changed(tmp_path: Path) -> t.Iterator[Path]:
    yield changed_estate(tmp_path, CHANGES)
    assert generation().rc == 0


def test_a_host_built_from_nothing_is_refused_before_anything_is_written_and_the_other_node_goes_on(
    side: Side, node: Host, outside: Outside, sides: dict[str, Side], changed: Path
) -> None:
    (other,) = (one for name, one in sides.items() if name != side.node)
    handed_over = (PASSWORDS / f"{side.node}.csv").read_bytes()
    report = (changed / "state" / f"{side.node}.json").read_bytes()
    flow = Flow(outside, other.host, other.second.name, other.second.password)
    with lost(node, *HISTORY):
        before = listing(node)
        with flow:
            run = apply(estate=changed)
        assert listing(node) == before
    account = flow.account()
    assert (account.wrong, account.deferred) == ([], {})
    assert run.rc == 2, run.output
    assert (run.recap[side.node]["failed"], run.recap[side.node]["changed"]) == (1, 0), run.output
    assert run.recap[other.node]["failed"] == 0, run.output
    said = " ".join(run.output.split())
    assert f"lacks what the node {side.node} had before" in said
    assert all(folder in said for folder in KEPT), said
    assert "base_virgin_host=restore" in said
    assert "base_virgin_host=new" in said
    assert (PASSWORDS / f"{side.node}.csv").read_bytes() == handed_over
    assert (changed / "state" / f"{side.node}.json").read_bytes() == report
    assert accepts(outside, other)


def test_half_a_host_counts_and_a_dry_run_says_so_too(nodes: dict[str, Host]) -> None:
    """One has no passwords any more, the other has a disk that is not mounted."""
    gone = {"mx1": KEPT[0], "mx2": KEPT[2]}
    with lost(nodes["mx1"], gone["mx1"]), lost(nodes["mx2"], gone["mx2"]):
        run = apply("--check")
    assert run.rc == 2, run.output
    assert {run.recap[name]["failed"] for name in NODES} == {1}, run.output
    said = " ".join(run.output.split())
    for name, folder in gone.items():
        assert [
            one for one in KEPT if re.search(rf"the node {name} had before:[^:]*\({one}\)", said)
        ] == [folder], said


def test_restore_prepares_the_host_and_serves_when_everything_is_back(
    outside: Outside, sides: dict[str, Side], nodes: dict[str, Host]
) -> None:
    with contextlib.ExitStack() as gone:
        for node in nodes.values():
            gone.enter_context(lost(node, *HISTORY))
        run = apply(base_virgin_host="restore")
        for node in nodes.values():
            made = node.output(f"find {' '.join(KEPT)} -printf '%p %U\\n' | sort").splitlines()
            assert made == ["/srv/vmail 5000", f"{ROOT}/credentials 0", f"{ROOT}/dkim 0"]
    assert run.rc == 2, run.output
    assert {run.recap[name]["failed"] for name in NODES} == {1}, run.output
    assert "Then run again without base_virgin_host" in " ".join(run.output.split()), run.output
    # Everything is back.
    run = apply()
    assert run.rc == 0, run.output
    for side in sides.values():
        assert outside.may_login(side.host, "imap", side.user.name, side.user.password)


def test_new_goes_on_without_what_is_lost_and_says_what_that_is(
    tmp_path: Path, outside: Outside, sides: dict[str, Side], nodes: dict[str, Host]
) -> None:
    handed_over = {name: (PASSWORDS / f"{name}.csv").read_bytes() for name in nodes}
    estate = changed_estate(tmp_path, {})

    def keys_of(name: str) -> dict[tuple[str, str], str]:
        report = json.loads((estate / "state" / f"{name}.json").read_text())
        return {(key["domain"], key["selector"]): key["state"] for key in report["dkim"]}

    told = {
        name: [key for key, state in keys_of(name).items() if state == "active"] for name in nodes
    }
    try:
        with contextlib.ExitStack() as gone:
            for node in nodes.values():
                gone.enter_context(lost(node, *HISTORY))
            run = apply(estate=estate, base_virgin_host="new")
            assert run.rc == 0, run.output
            again = apply(estate=estate)
            assert {name: again.changed(name) for name in NODES} == dict.fromkeys(NODES, 0), (
                again.output
            )
            for name in nodes:
                with (PASSWORDS / f"{name}.csv").open(newline="", encoding="utf-8") as rows:
                    now = {row["address"]: row["password"] for row in csv.DictReader(rows)}
                was = {
                    row["address"]: row["password"]
                    for row in csv.DictReader(handed_over[name].decode().splitlines())
                }
                assert now.keys() >= was.keys()
                user = sides[name].user
                assert now[user.name] != was[user.name]
                assert outside.may_login(user.host, "imap", user.name, now[user.name])
                keys = keys_of(name)
                assert {keys[key] for key in told[name]} == {"retired"}, (
                    "a published record stays in DNS for a week"
                )
                assert "generated" in keys.values()
    finally:
        for name, content in handed_over.items():
            (PASSWORDS / f"{name}.csv").write_bytes(content)
    said = " ".join(run.output.split())
    assert "[WARNING]: mx1 goes on without the passwords of" in said
    assert "its mailboxes begin empty" in said


def test_a_refused_rotation_of_keys_is_no_reason_to_stop_serving(
    outside: Outside, sides: dict[str, Side], nodes: dict[str, Host]
) -> None:
    """Mail flows past it."""
    reports = {name: (ESTATE / "state" / f"{name}.json").read_bytes() for name in NODES}
    with flows(outside, sides), contextlib.ExitStack() as gone:
        for node in nodes.values():
            gone.enter_context(lost(node, f"{ROOT}/dkim"))
        run = ansible("ansible-playbook", "playbooks/dkim_rotate.yml")
    assert run.rc == 2, run.output
    assert {run.recap[name]["failed"] for name in NODES} == {1}, run.output
    assert {name: (ESTATE / "state" / f"{name}.json").read_bytes() for name in NODES} == reports
