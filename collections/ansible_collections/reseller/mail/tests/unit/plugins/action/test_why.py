# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person sees who asks about a message, from what the nodes answered."""

from __future__ import annotations

import json
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.tests.unit.support.running import ansible

ID = "20261130.1@shop.example"
REFUSED = (
    "4F1D2A0C3B: milter-reject: END-OF-MESSAGE from x[192.0.2.5]: 5.7.1 Gtube pattern;"
    " from=<a@shop.example> to=<jo@acme.example> proto=ESMTP helo=<x>"
)
LINE = {
    "at": "2026-11-30T14:00:00Z",
    "program": "postfix/cleanup",
    "text": REFUSED,
    "kind": "refused",
    "time": 1_795_270_000_000_000,
    "process": "7",
}
FOUND = {"lines": [LINE], "message_ids": [ID], "symbols": {}}
NOTHING: dict[str, t.Any] = {"lines": [], "message_ids": [ID], "symbols": {}}
LOST = {"unreachable": True, "msg": "no route to host"}


def told(
    folder: Path, message: str, **logs: t.Mapping[str, t.Any]
) -> subprocess.CompletedProcess[str]:
    hosts = [{"node": node, "log": log} for node, log in logs.items()]
    given = {"message_id": message, "since": "-48h", "hosts": hosts}
    words = ("localhost", "-m", "reseller.mail.why", "-a", json.dumps(given))
    return ansible(folder, "adhoc", *words, COLUMNS="300")


def test_a_message_is_told_and_a_silent_node_is_named(tmp_path: Path) -> None:
    run = told(tmp_path, f"<{ID}>", mx1=FOUND, mx2=LOST)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "refused after its content was received: 5.7.1 Gtube pattern" in run.stdout
    assert "mx2 was not searched: no route to host" in run.stdout
    report = json.loads((tmp_path / "build/why/report.json").read_text(encoding="utf-8"))
    assert report["outcomes"] == {"jo@acme.example": "refused: 5.7.1 Gtube pattern"}
    assert (report["nodes"], report["not_searched"]) == (["mx1"], {"mx2": "no route to host"})


@pytest.mark.parametrize(
    ("message", "found"),
    [
        (ID, f"{ID}: the logs of mx1 since -48h have no line about it; mx2 was not searched"),
        ("<>", "a Message-ID or a queue id has 1 to 900 characters"),
        ("a\x1b[31mb", "a Message-ID or a queue id has no control characters"),
    ],
)
def test_a_message_that_no_log_has_is_a_failure(tmp_path: Path, message: str, found: str) -> None:
    run = told(tmp_path, message, mx1=NOTHING, mx2=LOST)
    assert run.returncode == 2, run.stdout + run.stderr
    assert found in run.stdout
    assert "\x1b" not in run.stdout
    assert not (tmp_path / "build").exists()
