# SPDX-License-Identifier: GPL-3.0-or-later
"""The module as it runs on a host, with a folder in the place of the platform's."""

from __future__ import annotations

import contextlib
import io
import json
import typing as t
from dataclasses import asdict
from pathlib import Path

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.reseller.mail.plugins.module_utils._host.platform_record import (
    Record,
    read,
)
from ansible_collections.reseller.mail.plugins.modules import platform_record

RECORD = Record("0.1.0", "3f1c9a7be210" + 52 * "0", {"dkim_algorithms": "rsa", "debian": "13"})


def run(root: Path, record: Record = RECORD, check_mode: bool = False) -> dict[str, t.Any]:
    given = {
        "estate": "/estate",
        "node": "mx1",
        "root": str(root),
        "wanted": asdict(record),
        "_ansible_check_mode": check_mode,
    }
    out = io.StringIO()
    with patch_module_args(given), contextlib.redirect_stdout(out), pytest.raises(SystemExit):
        platform_record.main()
    return t.cast("dict[str, t.Any]", json.loads(out.getvalue()))


def test_the_record_is_what_was_given_and_the_second_run_changes_nothing(tmp_path: Path) -> None:
    assert read(tmp_path) is None
    assert run(tmp_path)["changed"] is True
    assert read(tmp_path) == RECORD
    assert run(tmp_path)["changed"] is False


def test_check_mode_shows_the_record_and_writes_none(tmp_path: Path) -> None:
    result = run(tmp_path, check_mode=True)
    assert result["diff"]["prepared"] == "+ platform 3f1c9a7be210 of version 0.1.0\n"
    assert result["changed"] is True
    assert list(tmp_path.iterdir()) == []


def test_another_platform_replaces_the_record(tmp_path: Path) -> None:
    run(tmp_path)
    other = Record("0.2.0", 64 * "a", RECORD.settings)
    line = "~ platform 3f1c9a7be210 aaaaaaaaaaaa of version 0.2.0\n"
    assert run(tmp_path, other)["diff"]["prepared"] == line
    assert read(tmp_path) == other


@pytest.mark.parametrize("text", ["", "[]", '{"collection": "0.1.0"}', "\x00\xff"])
def test_a_damaged_record_counts_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "platform.json").write_text(text, encoding="utf-8")
    assert read(tmp_path) is None
    assert run(tmp_path)["changed"] is True
    assert read(tmp_path) == RECORD
