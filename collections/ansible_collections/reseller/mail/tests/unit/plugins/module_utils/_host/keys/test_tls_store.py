# SPDX-License-Identifier: GPL-3.0-or-later
"""Real keys and certificates in stand-in folders; a certbot and a hook that do in them what the
real ones do. Those are proved on hosts."""

from __future__ import annotations

import json
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host.keys import tls_store
from ansible_collections.reseller.mail.plugins.module_utils._host.keys.tls import Keys, Note
from ansible_collections.reseller.mail.plugins.module_utils._host.keys.tls_store import (
    Failure,
    Store,
)

NAME = "mx1.hosting.example"


class Host:
    """One host; ``fails`` makes certbot give no certificate, ``refused`` what the hook says of the
    pair."""

    def __init__(self, path: Path) -> None:
        self.path, self.root, self.fails, self.refused = path, path / "root", False, ""
        self.tls, self.live, self.archive = (
            self.root / "tls" / NAME,
            path / "live" / NAME,
            path / "archive" / NAME,
        )
        for folder in (self.tls, self.live, self.archive):
            folder.mkdir(parents=True)
        subprocess.run(
            [
                "openssl",
                "genpkey",
                "-algorithm",
                "EC",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-out",
                self.archive / "privkey1.pem",
            ],
            check=True,
        )
        (self.live / "privkey.pem").symlink_to(self.archive / "privkey1.pem")
        self.issue()
        self.deploy()

    def issue(self) -> None:
        command = [
            "openssl",
            "req",
            "-x509",
            "-days",
            "30",
            "-subj",
            "/",
            "-key",
            self.live / "privkey.pem",
            "-out",
            self.live / "fullchain.pem",
        ]
        subprocess.run(
            [*command, "-addext", f"subjectAltName=DNS:{NAME}"], check=True, capture_output=True
        )

    def deploy(self) -> None:
        for file in ("privkey.pem", "fullchain.pem"):
            (self.tls / file).write_bytes((self.live / file).read_bytes())

    def run(self, command: list[str], **options: t.Any) -> tuple[int, str, str]:
        if command[0] == "certbot":
            assert "--reuse-key" in command
            if self.fails:
                return 1, "", "  Detail: too many certificates\n"
            self.issue()
            return 0, "", ""
        if command[0] == tls_store.HOOK:
            if not self.refused:
                self.deploy()
            return (
                bool(self.refused),
                json.dumps(
                    {
                        "refused": (
                            {NAME: self.refused}
                            if self.refused
                            else {"mail.acme.example": "expired"}
                        )
                    }
                ),
                "",
            )
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def store(self, acme: bool = True) -> Store:
        return Store(self.root, self.run, acme=acme)

    def keys(self, acme: bool = True) -> Keys:
        found = self.store(acme).keys(NAME)
        assert found
        return found


@pytest.fixture(name="host")
def _host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setattr(tls_store, "LIVE", tmp_path / "live")
    monkeypatch.setattr(tls_store, "SUPPLIED", tmp_path / "supplied")
    return Host(tmp_path)


def test_a_name_without_a_certificate_has_no_keys(host: Host) -> None:
    assert host.store().keys("mail.acme.example") is None


def test_the_next_key_is_made_once_and_is_for_root_alone(host: Host) -> None:
    assert host.keys().next == ""
    made = host.store().complete(host.keys())
    assert made == host.keys()
    assert len(made.next) == 64
    assert made.next != made.current
    assert (host.tls / "next.pem").stat().st_mode & 0o777 == 0o600
    assert host.store().complete(made) == made


def test_it_goes_into_service_and_another_one_follows(host: Host) -> None:
    before = host.store().complete(host.keys())
    host.store().change(NAME, before.next)
    between = host.keys()
    assert (between.current, between.next) == (before.next, "")
    after = host.store().complete(between)
    assert after.next not in ("", before.current, before.next)
    host.issue()  # as certbot's timer renews
    host.deploy()
    assert host.keys() == after


def test_without_a_certificate_the_former_key_stays(host: Host) -> None:
    before, former = host.store().complete(host.keys()), (host.live / "privkey.pem").read_bytes()
    host.fails = True
    with pytest.raises(Failure, match="too many certificates; the former one stays"):
        host.store().change(NAME, before.next)
    assert (host.live / "privkey.pem").read_bytes() == former
    assert (host.live / "privkey.pem").is_symlink()
    assert host.keys() == before
    host.fails = False
    host.store().change(NAME, before.next)
    assert host.keys().current == before.next


def test_a_pair_that_the_hook_refuses_is_told(host: Host) -> None:
    before = host.store().complete(host.keys())
    host.refused = "the certificate has expired"
    with pytest.raises(Failure, match="the certificate has expired"):
        host.store().change(NAME, before.next)
    assert host.keys() == before


def test_a_note_is_kept_until_it_is_taken_back(host: Host) -> None:
    keys = host.store().complete(host.keys())
    note = Note(keys.next, 1_800_000_000, 3600)
    host.store().note(Keys(NAME, keys.current, keys.next, note))
    assert host.keys().note == note
    (host.tls / "next.pem").unlink()
    assert host.store().complete(host.keys()).note is None
    assert host.keys().note is None, "it is about another key"
    host.store().note(keys)
    assert host.keys().note is None
    (host.tls / "next.json").write_text("{")
    assert host.keys().note is None


def test_with_supplied_certificates_a_public_half_is_enough(host: Host) -> None:
    assert host.store(acme=False).complete(host.keys(acme=False)).next == ""
    supplied = host.path / "supplied" / NAME
    supplied.mkdir(parents=True)
    coming = host.store().complete(host.keys()).next
    subprocess.run(
        ["openssl", "pkey", "-in", host.tls / "next.pem", "-pubout", "-out", supplied / "next.pem"],
        check=True,
    )
    (host.tls / "next.pem").unlink()
    assert host.keys(acme=False).next == coming
