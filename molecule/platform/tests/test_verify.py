# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify finds what is wrong outside of the hosts."""

from __future__ import annotations

import json
from pathlib import Path

from client import PASSWORDS, Host, Run, ansible
from test_dkim_rotation import signing


def verify(report: Path) -> tuple[Run, dict[tuple[str, str], str]]:
    """The run and what its report says: the state of every question and subject."""
    places = [
        f"--extra-vars=verify_report_dir={report}",
        f"--extra-vars=verify_mail_passwords_dir={PASSWORDS}",
    ]
    run = ansible("ansible-playbook", "playbooks/verify.yml", *places)
    findings = json.loads((report / "report.json").read_text(encoding="utf-8"))["findings"]
    return run, {(finding["id"], finding["subject"]): finding["state"] for finding in findings}


def update(zone: str, *lines: str) -> None:
    commands = ["server 10.97.0.2", f"zone {zone}.", *lines, "send", ""]
    Host("dns1").run("knsupdate -k /etc/knot/update.key", stdin="\n".join(commands))


def test_what_is_wrong_in_dns_is_found_and_alone(tmp_path: Path) -> None:
    """A second SPF record, which makes SPF void (RFC 7208 section 4.5), fails the run. Without its
    Ed25519 key a domain that is signed with RSA and Ed25519 has one good signature. A domain alias
    is signed with its own key."""
    selector = signing("mx1", "acme-shop.example", "ed25519")
    spf, name = 'globex.example. 60 TXT "v=spf1 +all"', f"{selector}._domainkey.acme-shop.example"
    key = Host("dns1").output(f"kdig +short @10.97.0.2 {name} TXT").strip()
    _run, before = verify(tmp_path / "before")
    assert before["dns.spf", "globex.example"] == "ok"
    for node in ("mx1", "mx2"):
        filtering = {before[id_, f"{node}.hosting.example"] for id_ in ("mail.spam", "mail.forged")}
        assert filtering == {"ok"}, node
    backup = {
        id_: state for (id_, subject), state in before.items() if subject == "alt.hosting.example"
    }
    assert {state for id_, state in backup.items() if id_.startswith(("mail.", "access."))} == {
        "ok"
    }, backup
    signed = {
        name: before["mail.dkim", name]
        for name in ("acme-shop.example", "acme.example", "acme-mail.example", "initech.example")
    }
    assert set(signed.values()) == {"ok"}, signed
    update("globex.example", f"add {spf}")
    update("acme-shop.example", f"del {name}. TXT")
    try:
        run, during = verify(tmp_path / "during")
    finally:
        update("globex.example", f"del {spf}")
        update("acme-shop.example", f"add {name}. 3600 TXT {key}")
    assert run.rc != 0, run.output
    assert {
        key for key, state in during.items() if state == "fail" and before.get(key) != "fail"
    } == {("dns.spf_two", "globex.example")}
    assert {
        key for key, state in during.items() if state == "warn" and before.get(key) != "warn"
    } == {
        ("dns.dkim_ed25519_missing", "acme-shop.example"),
        ("mail.dkim", "acme-shop.example"),
    }
