# SPDX-License-Identifier: GPL-3.0-or-later
"""A generation without the keys that cannot be used."""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host.generation import with_usable_keys
from ansible_collections.reseller.mail.plugins.module_utils._host.generation.store import (
    Content,
    Store,
    unpack,
)
from ansible_collections.reseller.mail.plugins.module_utils._host.keys import dkim_check
from ansible_collections.reseller.mail.plugins.module_utils._host.keys.dkim import public_half
from ansible_collections.reseller.mail.plugins.plugin_utils import _compile


def run(command: list[str]) -> tuple[int, str, str]:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(dkim_check, "OWNER", pwd.getpwuid(os.getuid()).pw_name)
    for domain in ("acme.example", "globex.example"):
        key = tmp_path / "dkim" / domain / "mx1.private"
        key.parent.mkdir(parents=True)
        run(["openssl", "genpkey", "-quiet", "-algorithm", "RSA", "-out", str(key)])
        key.chmod(0o600)
        key.with_suffix(".json").write_text(
            json.dumps(
                {"public": public_half(run(["openssl", "pkey", "-in", str(key), "-pubout"])[1])}
            )
        )
    return tmp_path


def content(root: Path) -> Content:
    names = {domain: f"mx1._domainkey.{domain}" for domain in ("acme.example", "globex.example")}
    files = {
        "opendkim/key_table": "".join(
            f"{name}\t{domain}:mx1:{root}/dkim/{domain}/mx1.private\n"
            for domain, name in names.items()
        ),
        "opendkim/signing_table": "".join(f"{domain}\t{name}\n" for domain, name in names.items()),
        "opendkim_ed25519/key_table": "",
        "opendkim_ed25519/signing_table": "",
        "model.txt": "tenant acme\n",
    }
    return unpack(_compile.Artefact("mx1", 12, files).pack())


def test_whole_keys_change_nothing_and_are_not_read_again(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = content(root)
    assert with_usable_keys(Store(root), wanted, run, check_mode=False) == (wanted, [])
    monkeypatch.setattr(
        dkim_check.Checker, "_public", lambda *_arguments: pytest.fail("it was read again")
    )
    assert with_usable_keys(Store(root), wanted, run, check_mode=False) == (wanted, [])


Spoil = t.Callable[[Path], object]
SPOILED: dict[str, tuple[Spoil, str]] = {
    "gone": (Path.unlink, "No such file or directory"),
    "readable": (lambda key: key.chmod(0o644), "must belong to"),
    "damaged": (lambda key: key.write_text("nonsense"), "not a private key"),
    "another": (
        lambda key: key.write_bytes((key.parents[1] / "globex.example/mx1.private").read_bytes()),
        "is not that of",
    ),
    "a link": (
        lambda key: (key.rename(key.with_name("x")), key.symlink_to("x")),
        "is no regular file",
    ),
    "without a note": (lambda key: key.with_suffix(".json").unlink(), "No such file or directory"),
}


@pytest.mark.parametrize("how", SPOILED)
def test_a_key_that_cannot_be_used_is_left_out_with_its_reason_and_the_others_stay(
    how: str, root: Path
) -> None:
    spoil, reason = SPOILED[how]
    spoil(root / "dkim/acme.example/mx1.private")
    wanted = content(root)
    for check_mode in (True, False, False):
        made, (fault,) = with_usable_keys(Store(root), wanted, run, check_mode)
        assert fault.startswith("acme.example is not signed with mx1._domainkey.acme.example: ")
        assert reason in fault
        assert (
            made.files["opendkim/key_table"]
            == wanted.files["opendkim/key_table"].splitlines(keepends=True)[1]
        )
        assert (
            made.files["opendkim/signing_table"]
            == "globex.example\tmx1._domainkey.globex.example\n"
        )
        assert made.files["model.txt"] == wanted.files["model.txt"]
        # As if it had been shipped so: what the host notes of it, and measures drift against,
        # agrees.
        assert unpack(made.packed) == made
        assert made.digest != wanted.digest


def test_a_dry_run_notes_nothing(root: Path) -> None:
    with_usable_keys(Store(root), content(root), run, check_mode=True)
    assert sorted(path.name for path in root.iterdir()) == ["dkim"]
