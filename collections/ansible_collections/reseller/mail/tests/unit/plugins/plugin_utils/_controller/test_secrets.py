# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import re
import stat
import subprocess
import types
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyrage
import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import secrets
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.secrets import (
    PasswordFile,
    unlogged,
)


def ssh_key(folder: Path, kind: str) -> Path:
    path = folder / kind
    subprocess.run(
        ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "it desk", "-f", str(path)], check=True
    )
    return path


def public(path: Path) -> str:
    return Path(f"{path}.pub").read_text(encoding="utf-8")


def test_rows_are_added_and_none_is_changed_or_removed(tmp_path: Path) -> None:
    file = PasswordFile(str(tmp_path / "new" / "mx1.csv"))
    path = Path(file.write({"b@x.example": "one"}))
    file.write({"b@x.example": 'tw"o', "a@x.example": "thr,ee"})
    file.write({"b@x.example": 'tw"o'})  # delivered twice
    assert path.read_text(encoding="utf-8") == (
        'address,password\nb@x.example,one\na@x.example,"thr,ee"\nb@x.example,"tw""o"\n'
    )
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_row_that_a_person_wrote_without_an_end_of_line_stays(tmp_path: Path) -> None:
    path = tmp_path / "mx1.csv"
    path.write_text("address,password\nb@x.example,one", encoding="utf-8")
    PasswordFile(str(path)).write({"a@x.example": "two"})
    assert path.read_text(encoding="utf-8") == (
        "address,password\nb@x.example,one\na@x.example,two\n"
    )


def test_runs_that_write_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "mx1.csv"
    names = [f"u{number}@x.example" for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: PasswordFile(str(path)).write({name: "p"}), names))
    rows = path.read_text(encoding="utf-8").splitlines()
    assert sorted(rows) == sorted(["address,password", *(f"{name},p" for name in names)])


def test_an_unwritable_password_file_is_refused_before_anything_happens(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"file/mx1\.csv cannot be written"):
        PasswordFile(str(tmp_path / "file" / "mx1.csv")).refuse_unwritable()
    with pytest.raises(OSError, match="cannot be written"):
        PasswordFile(str(tmp_path)).refuse_unwritable()
    PasswordFile(str(tmp_path / "new" / "mx1.csv")).refuse_unwritable()
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "user,secret\njo,x\n",
        "address,password\njo@acme.example\n",
        'address,password\n"',
        "\xff",
    ],
)
def test_a_file_that_is_no_password_file_is_refused_in_one_sentence_and_stays(
    tmp_path: Path, text: str
) -> None:
    path = tmp_path / "mx1.csv"
    path.write_text(text, encoding="latin-1")
    for act in (
        PasswordFile(str(path)).refuse_unwritable,
        lambda: PasswordFile(str(path)).write({"jo@acme.example": "x"}),
    ):
        with pytest.raises(
            OSError,
            match=(
                r"^the file of initial passwords .*/mx1\.csv exists and is no list of initial passwords; move"
                r" it away$"
            ),
        ):
            act()
    assert path.read_text(encoding="latin-1") == text


def test_nothing_is_logged_within_and_all_is_as_before_behind() -> None:
    play, connection = types.SimpleNamespace(no_log=False), types.SimpleNamespace(no_log=None)
    action = types.SimpleNamespace(
        _play_context=play, _connection=types.SimpleNamespace(_play_context=connection)
    )

    def broken() -> None:
        with unlogged(action):
            assert (play.no_log, connection.no_log) == (True, True)
            raise KeyError

    with pytest.raises(KeyError):
        broken()
    assert (play.no_log, connection.no_log) == (False, None)


def test_each_delivery_is_a_new_file_that_each_recipient_reads(tmp_path: Path) -> None:
    identity = pyrage.x25519.Identity.generate()
    keys = [ssh_key(tmp_path, "ed25519"), ssh_key(tmp_path, "rsa")]
    folder = tmp_path / "out"
    recipients = [f" {identity.to_public()}\n", *map(public, keys)]
    deliveries: list[dict[str, str]] = [
        {"a@x.example": "Secret-One"},
        {"a@x.example": "Secret-Two", "b@x.example": "Secret-Three"},
    ]
    file = PasswordFile(str(folder / "mx1.csv"), recipients=recipients)
    paths = [Path(file.write(delivery)) for delivery in deliveries]
    assert len(set(paths)) == 2
    identities = [identity, *(pyrage.ssh.Identity.from_buffer(key.read_bytes()) for key in keys)]
    for path, delivery in zip(paths, deliveries, strict=True):
        assert path.name.startswith("mx1-")
        assert path.name.endswith(".csv.age")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        for one in identities:
            rows = pyrage.decrypt(path.read_bytes(), [one]).decode().splitlines()
            assert rows == ["address,password", *map(",".join, sorted(delivery.items()))]
    written = b"".join(each.read_bytes() for each in folder.iterdir())
    assert b"Secret" not in written


def test_a_file_that_was_not_encrypted_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "mx1.csv"
    path.write_text("anything", encoding="utf-8")
    recipient = str(pyrage.x25519.Identity.generate().to_public())
    file = PasswordFile(str(path), recipients=[recipient])
    file.refuse_unwritable()
    file.write({"a@x.example": "one"})
    assert path.read_text(encoding="utf-8") == "anything"


def unusable(tmp_path: Path) -> t.Iterator[tuple[str, str]]:
    identity = pyrage.x25519.Identity.generate()
    yield "", "no such key"
    yield "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8q", "no such key"
    yield "jo@acme.example", "no such key"
    yield public(ssh_key(tmp_path, "ecdsa")), "no such key"
    yield str(identity), "a secret key: change it"
    yield ssh_key(tmp_path, "ed25519").read_text(encoding="utf-8"), "a secret key: change it"


def test_every_unusable_recipient_is_named_and_none_is_shown(tmp_path: Path) -> None:
    texts, reasons = zip(*unusable(tmp_path), strict=True)
    with pytest.raises(AnsibleActionFail) as caught:
        PasswordFile(str(tmp_path / "mx1.csv"), recipients=texts)
    message = str(caught.value.message)
    for number, reason in enumerate(reasons, 1):
        assert f"recipient {number} of the initial passwords is {reason}" in message
    assert "allowed: age1" in message
    assert not [text for text in texts if text and text.strip()[-20:] in message]


def test_without_the_library_recipients_are_refused_and_others_need_it_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secrets, "PYRAGE_IMPORT_ERROR", ImportError("pyrage"))
    PasswordFile(str(tmp_path / "mx1.csv")).write({"a@x.example": "one"})
    with pytest.raises(AnsibleActionFail, match="need the Python package pyrage on the controller"):
        PasswordFile(str(tmp_path / "mx1.csv"), recipients=["age1x"])


def test_the_placeholder_in_the_pipelines_is_refused(tmp_path: Path) -> None:
    folder = Path(__file__).parents[5] / "docs" / "pipelines"
    for name in ("github-deploy.yml", "gitlab-deploy.yml"):
        found = re.findall(r"RECIPIENTS: '\[\"(.*)\"\]'", (folder / name).read_text("utf-8"))
        assert len(found) == 1
        with pytest.raises(AnsibleActionFail, match="no such key"):
            PasswordFile(str(tmp_path / "mx1.csv"), recipients=found)
