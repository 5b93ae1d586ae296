# SPDX-License-Identifier: GPL-3.0-or-later
"""The installed collection runs with nothing but the example of docs/inventory.md.

Playbooks that reach hosts are run by molecule/platform.
"""

from __future__ import annotations

import re
import shutil
import typing as t
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.tests.support import inventory_page
from ansible_collections.reseller.mail.tests.support.inventory_page import (
    FILES,
    PLAYBOOKS,
    ROWS,
    Operator,
)

OFFLINE = [name for name, row in ROWS.items() if not row.hosts]
NEEDY = [name for name, row in ROWS.items() if row.variables]
FOR_NODES = [
    name
    for name in PLAYBOOKS
    if name != "promote"
    and "hosts: mail_nodes\n"
    in (inventory_page.COLLECTION / "playbooks" / f"{name}.yml").read_text()
]
"""Playbooks that do nothing without nodes. ``promote`` then reads what came by other ways."""


WITHOUT_ESTATE = ["init"]
"""Playbooks that need no estate and no inventory."""
ADMINS = "admins:\n  - address: jo@acme.example\n"


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Operator]:
    """Return an operator with the example in Git, and with an export that can be imported."""
    place = tmp_path_factory.mktemp("operator")
    found = Operator(
        place,
        GIT_CONFIG_GLOBAL="/dev/null",
        GIT_AUTHOR_NAME="T",
        GIT_AUTHOR_EMAIL="t@example.test",
        GIT_COMMITTER_NAME="T",
        GIT_COMMITTER_EMAIL="t@example.test",
    )
    found.write()
    account = found.folder / "estate/tenants/acme/account.yml"
    before = account.read_text(encoding="utf-8")
    assert ADMINS in before
    # What the page says of transfer.
    account.write_text(
        before.replace(ADMINS, f"{ADMINS}  - address: it@hosting.example\n"), encoding="utf-8"
    )
    found.install()
    for command in (
        ["init", "--quiet"],
        ["add", "estate"],
        ["commit", "--quiet", "--message", "The estate"],
    ):
        assert found.run("git", *command).rc == 0
    run = found.play("export")
    assert run.rc == 0, run.output
    yield found
    shutil.rmtree(place)


def test_init_writes_the_example_of_the_page(operator: Operator) -> None:
    """Byte for byte, in the installed collection."""
    run = operator.play("init")
    assert (run.rc, run.complaints) == (0, []), run.output
    folder = operator.folder / "mail"
    example = {path: text for path, text in FILES.items() if path != "answers.yml"}
    written = {path: (folder / path).read_text(encoding="utf-8") for path in example}
    tree = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    shutil.rmtree(folder)
    assert written == example
    shown = inventory_page.PAGE.partition("```text\nmail/\n")[2].partition("```")[0]
    assert [
        path
        for path in tree
        if Path(path).name not in shown and f"{Path(path).parent}/" not in shown
    ] == []


def test_the_page_has_every_playbook() -> None:
    assert sorted(ROWS) == PLAYBOOKS


def test_every_variable_of_the_page_is_one_of_a_role() -> None:
    section = inventory_page.PAGE.partition("## Variables\n")[2].partition("\n## ")[0]
    named = {
        word
        for line in section.splitlines()
        if line.startswith("| `")
        for word in line.split("|")[1].split("`")[1::2]
    }
    defaults = "\n".join(
        path.read_text(encoding="utf-8")
        for path in inventory_page.COLLECTION.glob("roles/*/defaults/main.yml")
    )
    assert len(named) > 5
    assert [name for name in sorted(named) if name not in defaults] == []


@pytest.mark.parametrize("playbook", OFFLINE)
def test_a_playbook_that_reaches_no_host_runs_with_the_example(
    operator: Operator, playbook: str
) -> None:
    run = operator.play(playbook, "--check")
    assert (run.rc, run.complaints) == (0, []), run.output


@pytest.mark.one_core
@pytest.mark.parametrize("playbook", NEEDY)
def test_a_playbook_names_the_variable_that_is_missing(operator: Operator, playbook: str) -> None:
    run = operator.run("ansible-playbook", ROWS[playbook].playbook)
    assert (run.rc, run.complaints) == (2, []), run.output
    assert [name for name in ROWS[playbook].variables if name not in run.output] == [], run.output
    assert not re.search(r"^mx1 .*ok=", run.output, re.M), "hosts were asked before"


@pytest.mark.one_core
@pytest.mark.parametrize(
    "playbook", [name for name in PLAYBOOKS if name not in (*FOR_NODES, *WITHOUT_ESTATE)]
)
def test_a_playbook_without_an_inventory_says_what_is_missing(
    operator: Operator, playbook: str
) -> None:
    """Also without the setting of the example with which Ansible refuses a group that is missing."""
    row = ROWS[playbook]
    setting = "ANSIBLE_HOST_PATTERN_MISMATCH=warning"
    words = ["env", setting, "ansible-playbook", row.playbook, *row.needs]
    run = operator.run(*words, "--inventory", "localhost,")
    assert run.rc == 2, run.output
    assert "reseller.mail.estate" in run.output.partition("[ERROR]")[2], run.output
    assert "undefined" not in run.output


@pytest.mark.one_core
@pytest.mark.parametrize("playbook", FOR_NODES)
def test_a_playbook_for_hosts_does_not_succeed_without_any(
    operator: Operator, playbook: str
) -> None:
    """The estate is known, but the inventory does not have its nodes."""
    run = operator.play(
        playbook,
        "--inventory",
        "localhost,",
        "--extra-vars",
        f"mail_estate_dir={operator.folder}/estate",
    )
    assert run.rc == 2, run.output
    assert "docs/inventory.md" in run.output, run.output


def test_a_host_that_is_no_node_is_refused(operator: Operator, tmp_path: Path) -> None:
    inventory = shutil.copytree(operator.folder / "inventory", tmp_path / "inventory")
    (inventory / "more.yml").write_text("mail_nodes: {hosts: {mx9: {}}}\n", encoding="utf-8")
    (inventory / "mail.yml").write_text(
        f"plugin: reseller.mail.estate\nestate: {operator.folder}/estate\n", encoding="utf-8"
    )
    run = operator.play("render", "--inventory", str(inventory))
    assert (run.rc, run.complaints) == (2, []), run.output
    assert "mx9" in run.output, run.output
