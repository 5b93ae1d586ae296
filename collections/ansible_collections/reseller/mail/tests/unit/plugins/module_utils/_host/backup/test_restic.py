# SPDX-License-Identifier: GPL-3.0-or-later
"""restic is called with the settings of the host, and what it prints becomes a message without
secrets."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host.backup.restic import (
    Done,
    MissingRepository,
    Restic,
    Snapshot,
    call,
    escaped,
)
from ansible_collections.reseller.mail.plugins.module_utils._host.backup.settings import (
    BackupError,
    Settings,
    is_configured,
    read,
    ssh_options,
)

PASSWORD = "the-key-of-the-repository"


def settings(**more: t.Any) -> Settings:
    given: dict[str, t.Any] = {
        "node": "mx1",
        "root": Path("/var/lib/reseller-mail"),
        "mail_home": Path("/srv/vmail"),
        "keep": {"daily": 7},
        "check_days": 7,
        "check_data": "1%",
        "repository": "rest:https://mx1:secret-in-it@backup.example/mx1",
        "password": PASSWORD,
        "environment": {"AWS_SECRET_ACCESS_KEY": "the-key-of-the-store"},
    }
    return Settings(**{**given, **more})


def failing(errors: str, status: int = 1) -> Restic:
    return Restic(settings(), lambda _command, _environment: Done(status, "", errors))


@pytest.mark.parametrize(
    ("errors", "message"),
    [
        ("Fatal: wrong password or no key found", "backup_password does not open the repository"),
        ("Fatal: unable to save snapshot: write: no space left on device", "no space is left"),
        ('Fatal: Write: sftp: "Failure" (SSH_FX_FAILURE)', "no space may be left there"),
        ("unable to create lock in backend: repository is already locked by PID 7", "another rest"),
        ("Host key verification failed.\nFatal: unable to start", "has another key than"),
        ("backup@store: Permission denied (publickey).\nFatal: x", "refuses backup_ssh_key"),
        (
            "ssh: connect to host store port 22: Connection refused\nFatal: unable to open: EOF",
            "restic failed: ssh: connect to host store port 22: Connection refused: unable to open",
        ),
        (
            "ignoring error for /: id 1675 not found in repository\nFatal: There were 2 errors",
            "the repository is damaged: ignoring error for /: id 1675 not found in repository",
        ),
        ("something new", "restic failed: something new"),
        ("", "restic failed: exit status 1"),
    ],
)
def test_a_failure_says_what_is_wrong(errors: str, message: str) -> None:
    with pytest.raises(BackupError) as raised:
        failing(errors).do("snapshots")
    assert message in str(raised.value)


HINT = "Is there a repository at the following location?\nsftp:x"


@pytest.mark.parametrize(
    "why",
    [
        "Fatal: unable to open config file: Lstat: file does not exist",
        "Fatal: repository does not exist: unable to open config file: stat: no such file or"
        " directory",
        "Fatal: unable to open config file: Stat: NoSuchKey",
    ],
)
def test_a_missing_repository_is_not_one_that_cannot_be_reached(why: str) -> None:
    with pytest.raises(MissingRepository):
        failing(f"{why}\n{HINT}").do("cat", "config")
    with pytest.raises(BackupError) as raised:
        failing(f"Fatal: unable to open config file: dial tcp: timeout\n{HINT}").do("cat", "config")
    assert not isinstance(raised.value, MissingRepository)


def test_no_message_has_a_secret() -> None:
    text = (
        f"Fatal: {PASSWORD} and the-key-of-the-store at https://mx1:secret-in-it@backup.example/mx1"
    )
    with pytest.raises(BackupError) as raised:
        failing(text).do("snapshots")
    for secret in (PASSWORD, "the-key-of-the-store", "secret-in-it"):
        assert secret not in str(raised.value)
        assert secret not in repr(settings())


def test_the_key_is_no_argument() -> None:
    seen: list[tuple[t.Sequence[str], t.Mapping[str, str]]] = []

    def run(command: t.Sequence[str], environment: t.Mapping[str, str]) -> Done:
        seen.append((command, environment))
        return Done(0, "[]", "")

    assert Restic(settings(), run).snapshots() == []
    (command, environment) = seen[0]
    assert PASSWORD not in " ".join(command)
    assert environment["RESTIC_PASSWORD"] == PASSWORD
    assert environment["AWS_SECRET_ACCESS_KEY"] == "the-key-of-the-store"


def test_a_program_that_is_missing_is_a_failure() -> None:
    assert call(["no-such-program-of-tests"], {}).status == 127


def test_snapshots_are_in_the_order_of_their_times_in_utc() -> None:
    rows = [
        {"short_id": "bbbbbbbb", "time": "2026-11-30T03:00:00.123456789+01:00"},
        {"short_id": "aaaaaaaa", "time": "2026-11-30T01:30:00Z"},
    ]
    answer = Done(0, json.dumps(rows), "")
    assert Restic(settings(), lambda _command, _environment: answer).snapshots() == [
        Snapshot("aaaaaaaa", "2026-11-30T01:30:00Z"),
        Snapshot("bbbbbbbb", "2026-11-30T02:00:00Z"),
    ]


def test_the_children_of_a_folder_are_not_those_below_them() -> None:
    lines = [{"struct_type": "snapshot"}] + [
        {"struct_type": "node", "path": f"/srv/vmail{path}"} for path in ("", "/a", "/a/b", "/c")
    ]
    output = "".join(f"{json.dumps(line)}\n" for line in lines)
    restic = Restic(settings(), lambda _command, _environment: Done(0, f"no json\n{output}", ""))
    assert restic.children("latest", ["/srv/vmail"]) == {"/srv/vmail/a", "/srv/vmail/c"}


def test_a_name_is_no_pattern() -> None:
    assert escaped("/srv/a*b?[c]\\d") == "/srv/a\\*b\\?\\[c]\\\\d"


@pytest.mark.parametrize(
    ("repository", "command"),
    [
        ("sftp:mx1@store.example:mail", "ssh -F /f/ssh.conf -l mx1 store.example -s sftp"),
        ("sftp:store.example:/srv/mail", "ssh -F /f/ssh.conf store.example -s sftp"),
        (
            "sftp://mx1@store.example:2222//srv/mail",
            "ssh -F /f/ssh.conf -p 2222 -l mx1 store.example -s sftp",
        ),
    ],
)
def test_sftp_uses_its_own_key_and_known_hosts(repository: str, command: str) -> None:
    assert ssh_options(repository, Path("/f")) == ["-o", f"sftp.command={command}"]
    assert ssh_options("/mnt/backup", Path("/f")) == []


def test_settings_are_read_from_two_files(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="makes no backups: set backup_repository"):
        read(tmp_path)
    assert not is_configured(tmp_path)
    plain = {"node": "mx1", "root": "/r", "mail_home": "/m", "keep": {}, "check_days": 7}
    (tmp_path / "settings.json").write_text(json.dumps({**plain, "check_data": "1%"}))
    secret = {"repository": "/mnt/b", "password": "p", "environment": {"PORT": 7}}
    (tmp_path / "secrets.json").write_text(json.dumps(secret))
    found = read(tmp_path)
    assert (found.node, found.repository, found.environment) == ("mx1", "/mnt/b", {"PORT": "7"})
    assert found.copies == Path("/r/backup/copies")
    assert is_configured(tmp_path)
    (tmp_path / "secrets.json").write_text("{")
    with pytest.raises(BackupError, match="cannot be read"):
        read(tmp_path)
