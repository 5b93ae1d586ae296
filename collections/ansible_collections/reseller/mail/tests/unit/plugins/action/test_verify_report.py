# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

from ansible_collections.reseller.mail.plugins.action.verify_mail import initial_passwords
from ansible_collections.reseller.mail.plugins.action.verify_report import collect

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
