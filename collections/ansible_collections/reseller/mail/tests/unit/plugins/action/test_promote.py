# SPDX-License-Identifier: GPL-3.0-or-later
"""The way from p=none to a stricter policy as an operator goes it: the playbooks promote and
dns_export, day after day."""

from __future__ import annotations

import datetime
import gzip
import json
import os
import typing as t
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.tests.unit.support.running import ansible, variables

pytest.importorskip("parsedmarc")
REPORTS = Path(__file__).parents[2] / "fixtures/reports"
FILES = {
    "estate.yml": (
        """\
provider: {name: P, domain: hosting.example}
nodes: [{name: mx1, hostname: mx1.hosting.example, debian: 12, addresses: [192.0.2.1]}]
promotion: {days: 2, report_days: 2, messages: 40}
"""
    ),
    "plans.yml": "plans: [{name: p, mailbox_quota: {default: 1G}}]\n",
    "tenants/acme/account.yml": (
        """\
organisation: Acme
state: active
plan: p
placement: mx1
default_owner: it@acme.example
admins: [{address: it@acme.example}]
domains: [acme.example]
intake: {expected_mailboxes: 10, dns_contact: it@acme.example, clients: local, smime: false}
"""
    ),
    "tenants/acme/acme.example.yml": (
        """\
mailboxes: [{name: it}]
dmarc: {stage: quarantine, reports_to: it}
mta_sts: {mode: enforce}
tls_rpt: {reports_to: it}
"""
    ),
}
GREEN = [
    {"id": one, "subject": "acme.example", "state": "ok", "expected": "", "found": "", "remedy": ""}
    for one in ("dns.spf", "dns.dkim", "dns.dmarc", "dns.mx", "dns.mta_sts", "dns.mta_sts_policy")
]


class Operator:
    """Works in a folder of his own, from one day to the next."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.estate = folder, folder / "estate"
        for path, text in FILES.items():
            self.write(path, text)

    def write(self, path: str, text: str) -> None:
        (self.estate / path).parent.mkdir(parents=True, exist_ok=True)
        (self.estate / path).write_text(text, encoding="utf-8")

    def plays(self, playbook: str, *args: str) -> str:
        done = ansible(
            self.folder,
            "playbook",
            playbook,
            *variables(mail_estate_dir=self.estate),
            *args,
            COLUMNS="200",
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return " ".join((done.stdout + done.stderr).split())

    def published(self) -> dict[str, str]:
        """The TXT records of the domain that dns_export writes."""
        self.plays("reseller.mail.dns_export", "-e", '{"dns_export_formats": ["json"]}')
        [file] = (self.folder / "build/dns").rglob("*.json")
        text = file.read_text(encoding="utf-8")
        rows = json.loads(text)
        found = rows["records"] if isinstance(rows, dict) else rows
        return {row["name"].rstrip("."): row["value"] for row in found if row["type"] == "TXT"}

    def day(self, ago: int, findings: t.Sequence[t.Mapping[str, str]] = GREEN) -> None:
        """Verify found this, and these reports came."""
        when = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=ago)
        report = self.folder / "build/verify/report.json"
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text(json.dumps({"findings": findings}), encoding="utf-8")
        os.utime(report, (when.timestamp(), when.timestamp()))
        begin = int(when.replace(hour=0, minute=0, second=0).timestamp())
        inbox = self.folder / "build/reports"
        inbox.mkdir(parents=True, exist_ok=True)
        dmarc = (
            (REPORTS / "google.xml")
            .read_text()
            .replace("1763596800", f"{begin}")
            .replace("1763683199", f"{begin + 86399}")
        )
        dmarc = dmarc.replace("9391651994", f"{begin}")
        (inbox / f"google.com!acme.example!{begin}.xml.gz").write_bytes(
            gzip.compress(dmarc.encode())
        )
        (inbox / f"google.com!acme.example!{begin}.json").write_text(
            (REPORTS / "google.json").read_text().replace("2025-11-20", when.date().isoformat()),
            encoding="utf-8",
        )


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return Operator(tmp_path)


def test_a_policy_climbs_with_evidence_and_not_without(operator: Operator) -> None:
    before = operator.published()
    assert before["_dmarc.acme.example"] == "v=DMARC1; p=none; rua=mailto:it@acme.example"
    refused = operator.plays("reseller.mail.promote")
    assert "changed=0" in refused
    assert "verify green on 0 of 2 days" in refused
    operator.day(1)
    (operator.folder / "build/reports/bomb.gz").write_bytes(gzip.compress(b"<" + b"a" * 9_000_000))
    early = operator.plays("reseller.mail.promote")
    assert "reports: 2 new, 1 unfit; verify has results about 1 domain" in early
    assert "note: 'bomb.gz': it unpacks to more than 8,388,608 bytes" in early
    assert "verify green on 1 of 2 days" in early
    assert "DMARC reports about 20 of 40 messages of ours" in early
    assert operator.published() == before
    operator.day(0)
    check = operator.plays("reseller.mail.promote", "--check", "--diff")
    assert not (operator.estate / "state/promoted_domains.json").exists(), (
        "check mode writes nothing"
    )
    assert "↑ observe → test" in check, "and tells what today's evidence would do"
    done = operator.plays("reseller.mail.promote", "--diff")
    assert "↑ observe → test" in done
    assert "↑ testing → enforce" in done
    assert (
        '+ {"domain": "acme.example", "tenant": "acme", "policy": "dmarc", "step": "test"' in done
    )
    after = operator.published()
    assert after["_dmarc.acme.example"] == "v=DMARC1; p=quarantine; t=y; rua=mailto:it@acme.example"
    assert after["_mta-sts.acme.example"] != before["_mta-sts.acme.example"], (
        "the policy is another one now, and its id with it"
    )
    again = operator.plays("reseller.mail.promote")
    assert "changed=0" in again
    assert "4 counted before" in again
    assert "… test" in again
    assert "quarantine, missing:" in again
    operator.write(
        "tenants/acme/acme.example.yml",
        FILES["tenants/acme/acme.example.yml"].replace("quarantine", "observe"),
    )
    assert operator.published()["_dmarc.acme.example"] == before["_dmarc.acme.example"], (
        "loosening waits for nobody"
    )


def test_a_failing_source_of_ours_holds_it_back_and_an_override_does_not_ask(
    operator: Operator,
) -> None:
    for ago in (1, 0):
        operator.day(ago)
    reports = operator.folder / "build/reports"
    [latest] = sorted(reports.glob("*.gz"))[-1:]
    latest.write_bytes(
        gzip.compress(gzip.decompress(latest.read_bytes()).replace(b"198.51.100.77", b"192.0.2.1"))
    )
    held = operator.plays(
        "reseller.mail.promote", "-e", "promotion_findings=build/verify/report.json"
    )
    assert "7 messages from 192.0.2.1 failed SPF and DKIM (reported by google.com)" in held
    assert "observe → test" not in held
    wanted = FILES["tenants/acme/acme.example.yml"].replace(
        "stage: quarantine", "stage: quarantine, override: {reason: ticket 4711}"
    )
    operator.write("tenants/acme/acme.example.yml", wanted)
    assert operator.published()["_dmarc.acme.example"].startswith("v=DMARC1; p=quarantine; rua=")
    assert "by override: ticket 4711" in operator.plays("reseller.mail.promote")
