# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

from ansible_collections.reseller.mail.plugins.action.verify_mail import initial_passwords
from ansible_collections.reseller.mail.plugins.action.verify_report import collect
from ansible_collections.reseller.mail.plugins.modules.quota_info import parse

ROW = {
    "id": "dns.mx",
    "subject": "acme.example",
    "state": "ok",
    "expected": "",
    "found": "",
    "remedy": "",
}


def test_a_part_that_broke_hides_no_other() -> None:
    findings = collect(
        [
            {"name": "dns", "results": {"estate": {"findings": [ROW]}}},
            {"name": "mail", "results": {"estate": {"msg": "no dkimpy", "failed": True}}},
            {"name": "quota", "results": {"mx1": {}, "mx2": {"findings": []}}},
        ]
    )
    assert [(one.id, one.subject, one.state, one.found) for one in findings] == [
        ("dns.mx", "acme.example", "ok", ""),
        ("verify.mail", "estate", "fail", "no dkimpy"),
        ("verify.quota", "mx1", "fail", "it did not run"),
    ]


def test_initial_passwords_are_read_from_every_nodes_file(tmp_path: Path) -> None:
    (tmp_path / "mx1.csv").write_text('address,password\njo@acme.example,"a,b"\n')
    (tmp_path / "mx2.csv").write_text("ann@globex.example,c\n\n")
    (tmp_path / "notes.txt").write_text("eve@acme.example,d\n")
    assert initial_passwords(str(tmp_path)) == {"jo@acme.example": "a,b", "ann@globex.example": "c"}
    assert initial_passwords("") == {}
    assert initial_passwords(str(tmp_path / "nowhere")) == {}


def test_doveadm_counts_in_kib_and_writes_text() -> None:
    text = """[{"username":"jo@acme.example","root":"User quota","type":"STORAGE","value":"867","limit":"1024","percent":"84"},
      {"username":"jo@acme.example","root":"User quota","type":"MESSAGE","value":"9","limit":"-","percent":"0"},
      {"username":"ann@acme.example","root":"User quota","type":"STORAGE","value":"0","limit":"-","percent":"0"},
      {"username":"ann@acme.example","root":"User quota","type":"MESSAGE","value":"0","limit":"500000","percent":"0"}]"""
    assert parse(text) == [
        {
            "address": "jo@acme.example",
            "limit": 1048576,
            "used": 887808,
            "messages_limit": None,
            "messages": 9,
        },
        {
            "address": "ann@acme.example",
            "limit": None,
            "used": 0,
            "messages_limit": 500000,
            "messages": 0,
        },
    ]
    assert parse("") == []
