# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong in the world is found."""

from __future__ import annotations

import json
from pathlib import Path

from client import PASSWORDS, Host, Run, ansible


def verify(report: Path) -> tuple[Run, dict[tuple[str, str], str]]:
    """The run and what its report says: the state of every question and subject."""
    places = [f"--extra-vars=verify_report_dir={report}", f"--extra-vars=verify_mail_passwords_dir={PASSWORDS}"]
    run = ansible("ansible-playbook", "playbooks/verify.yml", *places)
    findings = json.loads((report / "report.json").read_text(encoding="utf-8"))["findings"]
    return run, {(finding["id"], finding["subject"]): finding["state"] for finding in findings}


def test_a_second_spf_record_is_found_and_fails_the_run(tmp_path: Path) -> None:
    """Two make SPF void (RFC 7208 section 4.5)."""
    dns1 = Host("dns1")
    record = 'globex.example. 60 TXT "v=spf1 +all"'

    def update(*lines: str) -> None:
        dns1.run("knsupdate -k /etc/knot/update.key", stdin="\n".join(["server 10.97.0.2", "zone globex.example.", *lines, "send", ""]))

    _run, before = verify(tmp_path / "before")
    assert before["dns.spf", "globex.example"] == "ok"
    backup = {id_: state for (id_, subject), state in before.items() if subject == "alt.hosting.example"}
    assert {state for id_, state in backup.items() if id_.startswith(("mail.", "access."))} == {"ok"}, backup
    update(f"add {record}")
    try:
        run, during = verify(tmp_path / "during")
    finally:
        update(f"del {record}")
    assert run.rc != 0, run.output
    assert {key for key, state in during.items() if state == "fail" and before.get(key) != "fail"} == {("dns.spf_two", "globex.example")}
