# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run does to a real file system, what check mode says of it, and what a failure leaves."""

from __future__ import annotations

import getpass
import grp
import os
import shutil
import stat
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.reseller.mail.plugins.module_utils._host.host_config import packages
from ansible_collections.reseller.mail.plugins.module_utils._host.host_config.contents import (
    pack,
    unpack,
)
from ansible_collections.reseller.mail.plugins.module_utils._host.host_config.converge import (
    Outcome,
    converge,
)
from ansible_collections.reseller.mail.plugins.module_utils._host.host_config.options import (
    OPTIONS,
)
from ansible_collections.reseller.mail.plugins.module_utils._host.host_config.wanted import (
    File,
    HostConfigError,
    Rights,
    User,
    Wanted,
    wanted,
)

US = {"owner": getpass.getuser(), "group": grp.getgrgid(os.getgid()).gr_name}
"""The rights that a test can give without being root."""


def command(words: t.Sequence[str]) -> tuple[int, str, str]:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def apply(
    folder: Path, check_mode: bool = False, run: t.Any = command, **options: t.Any
) -> Outcome:
    """Run the module's part of a task whose paths are relative to a folder."""
    for name, key in (("folders", "path"), ("files", "dest"), ("links", "path")):
        for entry in options.get(name, []):
            entry[key] = str(folder / entry[key])
            if name != "links":
                entry.update({**US, **entry})
    options["absent"] = [str(folder / path) for path in options.get("absent", [])]
    contents = {file["dest"]: file.pop("content").encode() for file in options.get("files", [])}
    checked = ArgumentSpecValidator(OPTIONS).validate(options)
    assert not checked.error_messages
    scratch = folder.parent / "scratch"
    scratch.mkdir(exist_ok=True)
    params = {**checked.validated_parameters, "contents": pack(contents)}
    return converge(wanted(params), run, check_mode, lambda: str(scratch))


def both(folder: Path, **options: t.Any) -> Outcome:
    """Return what a run changed, after check mode reported the same and changed nothing."""
    before = state(folder)
    announced = apply(folder, check_mode=True, **copied(options))
    assert state(folder) == before
    done = apply(folder, **copied(options))
    assert (announced.paths, announced.units) == (done.paths, done.units)
    assert announced.diffs == done.diffs
    assert not apply(folder, **copied(options)).changed, "the second run changes something"
    assert not apply(folder, check_mode=True, **copied(options)).changed
    return done


def copied(options: dict[str, t.Any]) -> dict[str, t.Any]:
    return {
        name: [dict(entry) if isinstance(entry, dict) else entry for entry in entries]
        for name, entries in options.items()
    }


def state(folder: Path) -> dict[str, t.Any]:
    """Return everything below a folder: mode, and content or target."""
    return {
        str(path.relative_to(folder)): (
            path.lstat().st_mode,
            path.lstat().st_ino,
            os.readlink(path) if path.is_symlink() else path.is_file() and path.read_bytes(),
        )
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture
def host(tmp_path: Path) -> Path:
    folder = tmp_path / "host"
    folder.mkdir()
    return folder


def test_a_bare_host_gets_everything(host: Path) -> None:
    (host / "old").write_text("", encoding="utf-8")
    done = both(
        host,
        folders=[{"path": "a/b", "mode": "0750"}],
        files=[{"dest": "a/b/c", "content": "text\n", "mode": "0600"}],
        links=[{"path": "a/link", "target": "b/c"}],
        absent=["old", "never"],
    )
    assert done.paths == {str(host / path) for path in ("a/b", "a/b/c", "a/link", "old")}
    assert [stat.S_IMODE((host / path).stat().st_mode) for path in ("a", "a/b", "a/b/c")] == [
        0o750,
        0o750,
        0o600,
    ]
    assert (host / "a/link").read_text(encoding="utf-8") == "text\n"
    assert len(state(host)) == 4, "a draft was left"


def test_only_what_differs_changes(host: Path) -> None:
    files = [
        {"dest": "same", "content": "1", "mode": "0640"},
        {"dest": "content", "content": "1", "mode": "0640"},
        {"dest": "mode", "content": "1", "mode": "0640"},
    ]
    apply(host, files=copied({"files": files})["files"])
    (host / "content").write_text("2", encoding="utf-8")
    (host / "mode").chmod(0o644)
    same = state(host)["same"]
    done = both(host, files=files)
    assert done.paths == {str(host / "content"), str(host / "mode")}
    assert state(host)["same"] == same
    assert stat.S_IMODE((host / "mode").stat().st_mode) == 0o640


def test_a_folder_gets_its_mode_back_and_keeps_its_files(host: Path) -> None:
    (host / "a").mkdir(mode=0o700)
    (host / "a/file").write_text("x", encoding="utf-8")
    both(host, folders=[{"path": "a", "mode": "2750"}])
    assert stat.S_IMODE((host / "a").stat().st_mode) == 0o2750
    assert (host / "a/file").read_text(encoding="utf-8") == "x"


def test_a_folder_may_be_a_link_to_another_disk(host: Path) -> None:
    (host / "disk").mkdir(mode=0o755)
    (host / "mail").symlink_to("disk")
    both(
        host, folders=[{"path": "mail", "mode": "0750"}], files=[{"dest": "mail/a", "content": ""}]
    )
    assert (host / "mail").is_symlink()
    assert stat.S_IMODE((host / "disk").stat().st_mode) == 0o750


def test_a_link_is_replaced_by_a_file_and_a_file_by_a_link(host: Path) -> None:
    (host / "target").write_text("keep", encoding="utf-8")
    (host / "file").symlink_to("target")
    (host / "link").write_text("", encoding="utf-8")
    both(
        host,
        files=[{"dest": "file", "content": "new"}],
        links=[{"path": "link", "target": "target"}],
    )
    assert not (host / "file").is_symlink()
    assert (host / "target").read_text(encoding="utf-8") == "keep"
    assert os.readlink(host / "link") == "target"


@pytest.mark.parametrize("check_mode", [True, False])
def test_if_one_file_is_refused_none_is_replaced(host: Path, check_mode: bool) -> None:
    (host / "first").write_text("before", encoding="utf-8")
    before = state(host)
    with pytest.raises(HostConfigError) as error:
        apply(
            host,
            check_mode,
            files=[
                {"dest": "first", "content": "after"},
                {"dest": "second", "content": "bad", "validate": ["sh", "-c", "cat %s; exit 1"]},
                {"dest": "third", "content": "good", "validate": ["grep", "-q", "good", "%s"]},
                {"dest": "fourth", "content": "worse", "validate": ["grep", "-q", "good", "%s"]},
            ],
        )
    assert str(error.value).splitlines() == [
        f"sh refuses the new {host}/second: bad",
        f"grep refuses the new {host}/fourth: ",
        "No file was replaced.",
    ]
    assert state(host) == before


def test_a_validator_that_prints_a_secret_does_not_show_it(host: Path) -> None:
    with pytest.raises(HostConfigError) as error:
        apply(
            host,
            files=[
                {
                    "dest": "key",
                    "content": "KEY",
                    "secret": True,
                    "validate": ["sh", "-c", "cat %s; exit 1"],
                }
            ],
        )
    assert "KEY" not in str(error.value)


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"files": [{"dest": "no/a", "content": ""}]}, r"no/a: the folder .*/no does not exist"),
        ({"links": [{"path": "no/a", "target": "b"}]}, r"no/a: the folder .*/no does not exist"),
        ({"folders": [{"path": "a", "owner": "no-such"}]}, r"a: this host has no user no-such"),
        ({"files": [{"dest": "a", "content": "", "group": "no-such"}]}, r"or no group no-such"),
        ({"name": "x", "users": [{"name": "root", "uid": 5}]}, r"user root has the uid 0, not 5"),
        ({"name": "x", "users": [{"name": "root", "group": "mail"}]}, r"the group root, not mail"),
    ],
)
def test_what_a_run_would_refuse_check_mode_refuses(
    host: Path, options: dict[str, t.Any], message: str, check_mode: bool
) -> None:
    before = state(host)
    with pytest.raises(HostConfigError, match=message):
        apply(host, check_mode, **copied(options) if "name" not in options else options)
    assert state(host) == before


def test_what_an_interrupted_run_left_is_replaced(host: Path) -> None:
    (host / ".a.reseller-mail-new").write_text("half", encoding="utf-8")
    apply(host, files=[{"dest": "a", "content": "whole"}])
    assert {path: found[2] for path, found in state(host).items()} == {"a": b"whole"}


@pytest.mark.skipif(os.getuid() != 0, reason="the file belongs to root")
def test_the_file_of_users_gets_a_folder_where_debian_has_none(host: Path) -> None:
    file = File(f"{host}/sysusers.d/a.conf", Rights("root", "root", 0o644), b"# none\n")
    task = Wanted((), (User(US["owner"], None, None, "/"),), file, (), (), (), (), ())
    done = []

    def record(words: t.Sequence[str]) -> tuple[int, str, str]:
        done.append(words)
        return 0, "", ""

    assert converge(task, record, True, str).paths == {file.path}
    assert not state(host)
    assert converge(task, record, False, str).paths == {file.path}
    assert (Path(file.path).read_bytes(), done) == (file.content, [("systemd-sysusers", file.path)])
    assert not converge(task, record, False, str).changed


class Systemd:
    """Answers like systemctl for a few units, and records what it is asked to do."""

    def __init__(self, **states: tuple[str, str, str]) -> None:
        self.states = {name.replace("_", "."): state for name, state in states.items()}
        self.done: list[str] = []

    def __call__(self, words: t.Sequence[str]) -> tuple[int, str, str]:
        if words[0] != "systemctl":
            return command(words)
        if words[1] == "show":
            blocks = [
                "LoadState={}\nActiveState={}\nUnitFileState={}\nNeedDaemonReload=no\n".format(
                    *self.states.get(name, ("not-found", "inactive", ""))
                )
                for name in words[3:]
            ]
            return 0, "\n".join(blocks), ""
        self.done.append(" ".join(words[1:]))
        return (1, "", "Job failed.") if words[-1] == "broken.service" else (0, "", "")


def test_a_unit_restarts_for_a_changed_file_and_not_in_check_mode(host: Path) -> None:
    systemd = Systemd(a_service=("loaded", "active", "enabled"))
    task = {
        "files": [{"dest": "conf", "content": "new"}],
        "units": [{"name": "a.service", "state": "started", "restart_for": [str(host / "conf")]}],
    }
    announced = apply(host, True, systemd, **copied(task))
    assert (announced.units, systemd.done) == ({"a.service"}, [])
    assert apply(host, False, systemd, **copied(task)).units == {"a.service"}
    assert systemd.done == ["restart a.service"]
    assert not apply(host, False, systemd, **copied(task)).changed


def test_a_unit_that_is_neither_there_nor_coming_is_refused(host: Path) -> None:
    for check_mode in (True, False):
        with pytest.raises(HostConfigError, match=r"the unit a\.service does not exist"):
            apply(host, check_mode, Systemd(), units=[{"name": "a.service", "state": "started"}])
    stopped = [{"name": "a.service", "state": "stopped", "enabled": False}]
    assert not apply(host, False, Systemd(), units=stopped).changed


def test_a_unit_that_does_not_start_is_named(host: Path) -> None:
    systemd = Systemd(broken_service=("loaded", "inactive", "enabled"))
    with pytest.raises(HostConfigError, match=r"systemctl start broken\.service: Job failed\."):
        apply(host, False, systemd, units=[{"name": "broken.service", "state": "started"}])


@pytest.mark.skipif(not shutil.which("dpkg-query"), reason="this machine is no Debian")
def test_dpkg_knows_which_packages_are_missing() -> None:
    assert packages.missing(["dpkg", "no-such-package"], command) == ["no-such-package"]
    assert packages.missing(["dpkg"], command) == []
    assert packages.missing([], command) == []


@pytest.mark.skipif(not shutil.which("dpkg-query"), reason="this machine is no Debian")
def test_while_packages_are_missing_only_check_mode_goes_on(host: Path) -> None:
    """The unit, the group and the folder may come with the package."""
    task = {
        "packages": ["no-such-package"],
        "files": [{"dest": "etc/no-such/a", "content": "", "group": "no-such"}],
        "units": [{"name": "no-such.service", "state": "started", "enabled": True}],
    }
    announced = apply(host, True, Systemd(), **copied(task))
    assert announced.paths == {str(host / "etc/no-such/a")}
    assert announced.units == {"no-such.service"}
    stopped = apply(host, False, Systemd(), **copied(task))
    assert (stopped.missing_packages, stopped.paths) == (["no-such-package"], set())
    assert not state(host)


def test_contents_arrive_as_they_were() -> None:
    contents = {"/a": b"\x00\xff", "/b": "ü\r\n".encode(), "/c": b""}
    assert unpack(pack(contents)) == contents


@pytest.mark.parametrize("broken", ["AAAA", "!"])
def test_another_text_has_no_contents(broken: str) -> None:
    with pytest.raises(ValueError, match=r"decompress|base64"):
        unpack(broken)
