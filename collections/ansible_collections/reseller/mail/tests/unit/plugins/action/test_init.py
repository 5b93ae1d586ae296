# SPDX-License-Identifier: GPL-3.0-or-later
"""reseller.mail.init, run as people run it."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import resource
import select
import shutil
import subprocess
import sys
import termios
import time
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleActionFail
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import new_folder
from ansible_collections.reseller.mail.tests.support.inventory_page import FILES
from ansible_collections.reseller.mail.tests.unit.support.running import (
    COLLECTIONS,
    ansible,
    variables,
)

ANSWERS: dict[str, t.Any] = yaml.safe_load(FILES["answers.yml"])


def init(
    home: Path, folder: Path, *words: str, **answers: t.Any
) -> subprocess.CompletedProcess[str]:
    given = {"init_dir": str(folder), **ANSWERS, **answers}
    return ansible(home, "playbook", "reseller.mail.init", "-e", json.dumps(given), *words)


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_check_mode_shows_what_a_run_writes_and_a_second_run_refuses(tmp_path: Path) -> None:
    home, folder = tmp_path / "home", tmp_path / "mail"
    checked = init(home, folder, "--check", "--diff")
    assert checked.returncode == 0, checked.stdout
    assert "changed=1" in checked.stdout
    assert "+    hostname: mx2.hosting.example" in checked.stdout
    assert not folder.exists()
    run = init(home, folder)
    assert run.returncode == 0, run.stdout
    written = tree(folder)
    for path in written:
        assert f"after: {folder / path}\n" in checked.stdout
        assert f"\n  {path}\n" in run.stdout
    for more in ([], ["--check"]):
        again = init(home, folder, *more)
        assert again.returncode == 2
        assert f"nothing was written: {len(written)} files or folders exist" in again.stdout
        assert [path for path in written if f"{folder / path} exists\n" not in again.stdout] == []
    assert tree(folder) == written


def inside(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the written folder, as its README says."""
    inherited = {
        name: text for name, text in os.environ.items() if not name.startswith(("ANSIBLE_", "GIT_"))
    }
    return subprocess.run(
        command,
        cwd=folder,
        env={
            **inherited,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{inherited['PATH']}",
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "ANSIBLE_HOME": str(folder.parent / "ansible"),
            "ANSIBLE_NOCOLOR": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a written folder, in Git."""
    place = tmp_path_factory.mktemp("written")
    nodes = "mx1 192.0.2.10 2001:db8::10 12, mx2 192.0.2.11 13"
    run = init(
        place / "home",
        place / "mail",
        init_nodes=nodes,
        init_ssh_user="admin",
        init_super_admin="alex",
    )
    assert run.returncode == 0, run.stdout
    for command in (
        ["init", "--quiet", "--initial-branch=main"],
        ["add", "--all"],
        ["-c", "user.name=T", "-c", "user.email=t@example.test", "commit", "--quiet", "-m", "All"],
    ):
        assert inside(place / "mail", "git", *command).returncode == 0
    return place / "mail"


@pytest.mark.parametrize(
    ("playbook", "words"),
    [
        ("validate", []),
        ("render", []),
        ("plan", ["-e", "plan_before_revision=HEAD", "-e", "mail_actor=alex"]),
    ],
)
def test_a_playbook_accepts_what_it_wrote(written: Path, playbook: str, words: list[str]) -> None:
    done = inside(written, "ansible-playbook", f"reseller.mail.{playbook}", *words)
    assert done.returncode == 0, done.stdout
    assert "[WARNING]" not in done.stdout + done.stderr
    assert inside(written, "git", "status", "--porcelain").stdout == "", "Git ignores the rest"


def test_the_inventory_has_the_nodes_of_the_answers(written: Path) -> None:
    listed = inside(written, "ansible-inventory", "--list")
    hosts = json.loads(listed.stdout)["_meta"]["hostvars"]
    assert {name: host["ansible_become"] for name, host in hosts.items()} == {
        "mx1": True,
        "mx2": True,
    }
    assert "2001:db8::10" in str(hosts["mx1"]["mail_addresses"])


def test_git_ignores_passwords_and_reports_but_not_what_nodes_report(written: Path) -> None:
    defaults = "\n".join(
        path.read_text(encoding="utf-8")
        for path in (COLLECTIONS / "ansible_collections/reseller/mail/roles").glob(
            "*/defaults/main.yml"
        )
    )
    paths = sorted(set(re.findall(r"^\w*(?:passwords|report)\w*: (build/.*)$", defaults, re.M)))
    assert len(paths) > 3
    for path in paths:
        assert inside(written, "git", "check-ignore", path).returncode == 0, path
    assert inside(written, "git", "check-ignore", "estate/state/mx1.json").returncode == 1


def test_before_each_commit_the_files_are_validated(written: Path, tmp_path: Path) -> None:
    """The command of the pre-commit configuration, for the files that start it."""
    text = (written / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    (hook,) = yaml.safe_load(text)["repos"][0]["hooks"]
    files = inside(written, "git", "ls-files").stdout.split()
    assert [path for path in files if re.search(hook["files"], path)] == [
        path for path in files if path.startswith("estate/")
    ]
    folder = shutil.copytree(written, tmp_path / "mail")
    plans = folder / "estate" / "plans.yml"
    plans.write_text(plans.read_text("utf-8").replace("5G", "5"), encoding="utf-8")
    assert inside(written, *hook["entry"].split()).returncode == 0
    faulty = inside(folder, *hook["entry"].split())
    assert faulty.returncode == 2, faulty.stdout
    assert "plans.yml:4:" in faulty.stdout


def test_the_settings_make_a_wrong_pattern_and_a_broken_source_errors(
    written: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(written, tmp_path / "mail")
    (folder / "play.yml").write_text("- hosts: mx3\n", encoding="utf-8")
    wrong = inside(folder, "ansible-playbook", "play.yml")
    assert wrong.returncode != 0
    assert "mx3" in wrong.stderr + wrong.stdout
    mail = folder / "inventory" / "mail.yml"
    mail.write_text("plugin: reseller.mail.estate\nestate: ../no\n", encoding="utf-8")
    broken = inside(folder, "ansible-playbook", "reseller.mail.validate")
    assert broken.returncode != 0
    assert "PLAY" not in broken.stdout, "it went on without hosts"


def test_nothing_is_written_if_anything_is_in_the_way(tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    (folder / ".git").mkdir(parents=True)
    (folder / "estate" / "tenants").mkdir(parents=True)
    (folder / "pipelines").write_text("a file\n", encoding="utf-8")
    (folder / "README.md").symlink_to("nothing")
    (folder / "estate" / "tenants" / "globex").write_text("other\n", encoding="utf-8")
    (folder / "notes.txt").write_text("mine\n", encoding="utf-8")
    before = tree(folder)
    run = init(tmp_path / "home", folder)
    assert run.returncode == 2
    assert "nothing was written: 3 files or folders exist already" in run.stdout
    for path in ("README.md", "estate/tenants/globex", "pipelines"):
        assert f"{folder / path} exists\n" in run.stdout
    assert tree(folder) == before
    for path in ("README.md", "estate/tenants/globex", "pipelines"):
        (folder / path).unlink()
    run = init(tmp_path / "home", folder)
    assert run.returncode == 0, run.stdout
    assert (folder / "notes.txt").read_text(encoding="utf-8") == "mine\n"


def test_every_missing_and_wrong_answer_is_named_as_the_user_writes_it(tmp_path: Path) -> None:
    run = ansible(
        tmp_path / "home",
        "playbook",
        "reseller.mail.init",
        *variables(init_dir=tmp_path / "mail", init_domain="acme", init_contact="me"),
    )
    assert run.returncode == 2
    missing = [name for name in ANSWERS if name not in ("init_domain", "init_contact")]
    assert len(missing) > 5
    assert [name for name in missing if f"{name} is missing: " not in run.stdout] == []
    assert "init_domain: 'acme' is not a complete domain name; allowed: " in run.stdout
    assert "init_contact: 'me' is not an address; allowed: " in run.stdout
    assert "undefined" not in run.stdout
    assert not (tmp_path / "mail").exists()


def typed(master: int, answers: t.Iterable[str], done: t.Callable[[], bool]) -> str:
    """Type each answer at the question that waits for it, and return what was shown."""
    shown, waiting = "", list(answers)
    asked, since = 0, 0.0
    while not done() or select.select([master], [], [], 0)[0]:
        if select.select([master], [], [], 0.1)[0]:
            try:
                shown += os.read(master, 4096).decode()
            except OSError:  # nothing has the other side open any more
                break
        questions = len(re.findall(r"(?:Example|allowed): .*\n", shown))
        reads = not termios.tcgetattr(master)[3] & termios.ICANON
        # Ansible drops what is typed just before it reads. So an answer may be typed again.
        if reads and (questions > asked or time.monotonic() - since > 5) and questions:
            time.sleep(0.3)
            if questions > asked:
                asked, answer = questions, waiting.pop(0)
            os.write(master, f"{answer}\n".encode())
            since = time.monotonic()
    return shown


def test_a_person_at_a_terminal_is_asked_for_what_is_missing(tmp_path: Path) -> None:
    home, folder = tmp_path / "home", tmp_path / "mail"
    home.mkdir()
    given = {"init_dir": str(folder), **ANSWERS}
    for name in ("init_nodes", "init_organisation", "init_domain"):
        del given[name]
    master, terminal = pty.openpty()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "ansible", "playbook", "-i", "localhost,"),
            *("reseller.mail.init", "-e", json.dumps(given)),
        ],
        cwd=home,
        env={
            **{name: text for name, text in os.environ.items() if not name.startswith("ANSIBLE_")},
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "ANSIBLE_HOME": str(home),
        },
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(terminal)
    answers = ("mx1 192.0.2.10", "mx1 192.0.2.10 12", "Acmé & Sons: Mail", "acme.example")
    try:
        shown = typed(master, answers, lambda: process.poll() is not None)
        assert process.wait(60) == 0, shown
    finally:
        process.kill()
        os.close(master)
    assert "init_nodes, node 1: debian is missing. Example: 12" in shown
    assert "init_tenant" not in shown, "it was given"
    account = yaml.safe_load((folder / "estate/tenants/acme/account.yml").read_text("utf-8"))
    assert (account["organisation"], account["domains"]) == (
        "Acmé & Sons: Mail",
        ["acme.example"],
    )


def test_answers_that_contradict_each_other_are_named(tmp_path: Path) -> None:
    nodes = "mx1 192.0.2.10 12, mx1 192.0.2.11 13"
    run = init(tmp_path / "home", tmp_path / "mail", init_nodes=nodes)
    assert run.returncode == 2
    assert "estate/estate.yml:" in run.stdout
    assert "nothing was written: " in run.stdout
    assert not (tmp_path / "mail").exists()


def test_a_file_that_was_made_meanwhile_stays(tmp_path: Path) -> None:
    (tmp_path / "b").write_text("mine\n", encoding="utf-8")
    with pytest.raises(AnsibleActionFail, match=r"nothing was written: .*/b cannot be written"):
        new_folder.write(tmp_path, {"a/a": b"a", "b": b"b"})
    assert tree(tmp_path) == {"b": b"mine\n"}
    assert not (tmp_path / "a").exists()


def test_a_disk_that_gets_full_leaves_nothing(tmp_path: Path) -> None:
    """The limit of a file's size makes the second file fail, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    (tmp_path / "there").mkdir()
    try:
        with pytest.raises(AnsibleActionFail, match=r"nothing was written: .*/b cannot be written"):
            new_folder.write(
                tmp_path / "there" / "mail", {"x/y/a": b"a", "x/b": b"b" * 2000, "c": b"c"}
            )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.rglob("*")) == [tmp_path / "there"]
