# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host reports of its virus scanner and of the scanner's database."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host.antivirus import report

ON = 'reseller_mail {\n  macros = "junk";\n  antivirus = "accept";\n}\n'
HEADER = b"ClamAV-VDB:20 Nov 2023 03-41 -0500:27099:2046735:90:0123:x:builder:1700469660"
BUILT = 1700469660.0


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = tmp_path / "rspamd.conf.override"
    path.write_text(ON, encoding="utf-8")
    return path


def write(path: Path, content: bytes, changed: float) -> None:
    path.write_bytes(content)
    os.utime(path, (changed, changed))


def test_a_host_without_the_scanner_reports_none(tmp_path: Path, settings: Path) -> None:
    nothing = {"when_down": "", "database": None, "units": [], "sockets": []}
    assert report(tmp_path / "missing", tmp_path) == nothing
    settings.write_text("reseller_mail {\n}\nantivirus {\n}\n", encoding="utf-8")
    assert report(settings, tmp_path) == nothing


def test_a_scanner_may_have_no_database_yet(tmp_path: Path, settings: Path) -> None:
    (tmp_path / "freshclam.dat").write_bytes(b"no database")
    found = report(settings, tmp_path)
    assert (found["when_down"], found["database"]) == ("accept", None)


def test_the_age_is_that_of_the_newest_database(tmp_path: Path, settings: Path) -> None:
    write(tmp_path / "local.ndb", b"Test:0:*:00\n", BUILT - 9)
    assert report(settings, tmp_path)["database"] == BUILT - 9
    # A mirror gave the file a new time of change. Its header tells when it was built.
    write(tmp_path / "daily.cvd", HEADER, BUILT + 5000)
    assert report(settings, tmp_path)["database"] == BUILT
    write(tmp_path / "own.hsb", b"0123:1:Test\n", BUILT + 1)
    assert report(settings, tmp_path)["database"] == BUILT + 1


def test_a_header_that_cannot_be_read_is_no_reason_to_stop(tmp_path: Path, settings: Path) -> None:
    write(tmp_path / "daily.cld", b"ClamAV-VDB:99 Foo 2023 03-41 -0500:1", BUILT)
    assert report(settings, tmp_path)["database"] == BUILT
