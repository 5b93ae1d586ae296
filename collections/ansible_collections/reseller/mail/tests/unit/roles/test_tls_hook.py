# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificate hook, with real keys and certificates and stand-in folders; daemons are the
scenarios' business."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import types
import typing as t
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.tests.unit.support.programs import program

SCRIPT = Path(__file__).parents[3] / "roles/tls/files/reseller-mail-certificates"
NODE, WEB, BRAND = "mx1.hosting.example", "mta-sts.acme.example", "mail.acme.example"
OPENSSL = str(shutil.which("openssl"))


@pytest.fixture(scope="module", name="hook")
def _hook() -> types.ModuleType:
    return program("tls/files/reseller-mail-certificates")


def certificate(folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /"
        " -keyout privkey.pem -out fullchain.pem"
    )
    subprocess.run(
        [*command.split(), "-addext", f"subjectAltName=DNS:{name}"],
        cwd=folder,
        check=True,
        capture_output=True,
    )


class Place:
    """A root and a source, and the hook run on them."""

    def __init__(self, hook: types.ModuleType, path: Path) -> None:
        self.hook, self.root, self.live = hook, path / "root", path / "live"
        (self.root / "tls").mkdir(parents=True)
        (self.root / "sni").mkdir()

    def run(self, *names: str, check: bool = False) -> dict[str, t.Any]:
        host = self.hook.Host(
            {"root": str(self.root), "hostname": NODE, "sources": [str(self.live)]}, check
        )
        for name in host.needed(list(names)):
            host.publish(name)
        host.tables()
        return t.cast(dict[str, t.Any], host.report)


@pytest.fixture(name="place")
def _place(hook: types.ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setattr(hook.shutil, "which", lambda program: None)
    certificate(tmp_path / "live" / NODE, NODE)
    return Place(hook, tmp_path)


def test_a_needed_pair_is_published_once(place: Place) -> None:
    certificate(place.live / WEB, WEB)
    assert place.run(WEB)["published"] == [WEB, NODE]
    assert (place.root / "tls" / WEB / "privkey.pem").read_bytes() == (
        place.live / WEB / "privkey.pem"
    ).read_bytes()
    assert place.run()["published"] == []


def test_the_web_server_reads_keys_of_the_names_that_it_answers_for_and_no_other(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = types.SimpleNamespace(gr_gid=os.getegid())
    monkeypatch.setattr(place.hook.grp, "getgrnam", lambda name: group)
    asked = ("autoconfig.acme.example", "autodiscover.acme.example")
    for name in (WEB, BRAND, *asked):
        certificate(place.live / name, name)
    place.run(WEB, BRAND, *asked)
    modes = {
        name: (place.root / "tls" / name / "privkey.pem").stat().st_mode & 0o777
        for name in (NODE, WEB, BRAND, *asked)
    }
    assert modes == {NODE: 0o600, BRAND: 0o600, **dict.fromkeys((WEB, *asked), 0o640)}


def test_the_generation_names_what_is_needed(place: Place) -> None:
    certificate(place.live / WEB, WEB)
    (place.root / "current/tls").mkdir(parents=True)
    (place.root / "current/tls/names").write_text(f"{WEB}\n")
    assert WEB in place.run()["published"]


def test_somebody_elses_certificate_on_the_host_is_left_alone(place: Place) -> None:
    certificate(place.live / "www.operator.example", "www.operator.example")
    assert place.run()["published"] == [NODE]


def test_check_publishes_nothing(place: Place) -> None:
    assert place.run(check=True)["published"] == [NODE]
    assert not (place.root / "tls" / NODE).exists()


def test_a_renewed_certificate_replaces_the_old(place: Place) -> None:
    place.run()
    certificate(place.live / NODE, NODE)
    assert place.run()["published"] == [NODE]


@pytest.mark.parametrize("wrong", ["key", "name", "chain"])
def test_a_pair_that_daemons_must_not_get_is_refused_and_the_former_stays(
    place: Place, wrong: str
) -> None:
    certificate(place.live / WEB, WEB)
    place.run(WEB)
    before = (place.root / "tls" / WEB / "fullchain.pem").read_bytes()
    if wrong == "key":
        (place.live / WEB / "privkey.pem").write_bytes(
            (place.live / NODE / "privkey.pem").read_bytes()
        )
    elif wrong == "name":
        certificate(place.live / WEB, "mta-sts.globex.example")
    else:
        (place.live / WEB / "fullchain.pem").write_text("garbage")
    report = place.run()
    assert list(report["refused"]) == [WEB]
    assert report["published"] == []
    assert (place.root / "tls" / WEB / "fullchain.pem").read_bytes() == before


def test_a_certificate_without_a_source_stays_until_it_expires(
    place: Place, hook: types.ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate(place.live / WEB, WEB)
    place.run(WEB)
    for file in (place.live / WEB).iterdir():
        file.unlink()
    assert place.run()["removed"] == []
    monkeypatch.setattr(hook, "expired", lambda pair: True)
    assert place.run()["removed"] == [WEB]
    assert not (place.root / "tls" / WEB).exists()
    assert (place.root / "tls" / NODE).exists()


def test_a_name_cannot_leave_the_folder(place: Place) -> None:
    certificate(place.live / "x", "x.example")
    assert place.run("../x", "a b", "x.example\n")["published"] == [NODE]


@pytest.mark.parametrize(
    ("version", "line"),
    [
        ("2.3.19.1 (9b53102964)", "ssl_cert = </"),
        ("2.4.1-4 (7d8c0e5759)", "ssl_server_cert_file = /"),
    ],
)
def test_dovecot_reads_its_own_dialect_and_only_the_names_clients_use(
    place: Place, hook: types.ModuleType, monkeypatch: pytest.MonkeyPatch, version: str, line: str
) -> None:
    real = hook.run
    monkeypatch.setattr(
        hook.shutil, "which", lambda program: "/usr/sbin/dovecot" if program == "dovecot" else None
    )
    monkeypatch.setattr(
        hook,
        "run",
        lambda *command, data=b"": (
            {"dovecot": (0, version), "systemctl": (3, "")}.get(command[0])
            or real(*command, data=data)
        ),
    )
    asked = "autoconfig.acme.example"
    for name in (WEB, BRAND, asked):
        certificate(place.live / name, name)
    assert place.run(WEB, BRAND, asked)["rebuilt"] == ["dovecot"]
    text = (place.root / "sni/local_name.conf").read_text()
    assert text.startswith(f"local_name {BRAND} {{\n  {line}")
    assert not [name for name in (WEB, NODE, asked) if name in text]
    assert place.run()["rebuilt"] == []
    certificate(place.live / BRAND, BRAND)
    assert place.run()["rebuilt"] == ["dovecot"]


def test_a_dovecot_that_refuses_the_table_gets_the_former_one_back(
    place: Place, hook: types.ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = hook.run
    answers = {"dovecot": (0, "2.3.19.1"), "systemctl": (0, ""), "doveconf": (89, "Fatal: broken")}
    monkeypatch.setattr(
        hook.shutil, "which", lambda program: program if program == "dovecot" else None
    )
    monkeypatch.setattr(
        hook, "run", lambda *command, data=b"": answers.get(command[0]) or real(*command, data=data)
    )
    certificate(place.live / BRAND, BRAND)
    (place.root / "sni/local_name.conf").write_text("former\n")
    with pytest.raises(SystemExit, match="Fatal: broken"):
        place.run(BRAND)
    assert (place.root / "sni/local_name.conf").read_text() == "former\n"
    answers["doveconf"] = (0, "")
    assert place.run()["rebuilt"] == ["dovecot"]


def test_the_command_says_what_it_did_and_fails_when_it_refused(
    place: Place, tmp_path: Path
) -> None:
    certificate(place.live / WEB, "mta-sts.globex.example")
    settings = tmp_path / "settings.json"
    settings.write_text(
        json.dumps({"root": str(place.root), "hostname": NODE, "sources": [str(place.live)]})
    )
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/openssl").symlink_to(OPENSSL)
    done = subprocess.run(
        [sys.executable, SCRIPT, "--settings", settings, WEB],
        env={**os.environ, "PATH": str(tmp_path / "bin")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert done.stderr == ""
    report = json.loads(done.stdout)
    assert (report["published"], report["refused"]) == (
        [NODE],
        {WEB: "the certificate is not for this name"},
    )
