# SPDX-License-Identifier: GPL-3.0-or-later
"""A policy's way from p=none to a stricter one in a real Knot: refused without evidence, made with
it. The estate is that of test_dns_publish; the reports lie in a mailbox on mx1 that nobody else
uses, as its Dovecot stores mail."""

from __future__ import annotations

import datetime
import email.message
import gzip
import json
import typing as t
from pathlib import Path

import client
import pytest
from test_dns_publish import HERE, Names, estate, names, publish

__all__ = ["estate", "names"]
FIXTURES = (
    client.PROJECT / "collections/ansible_collections/reseller/mail/tests/unit/fixtures/reports"
)
MAILDIR = "/srv/vmail/planet.example/reports/Maildir"
DMARC = ("_dmarc.wayne.example", "TXT")
GREEN = ("dns.spf", "dns.dkim", "dns.dmarc", "dns.mx")


@pytest.fixture
def mailbox() -> t.Iterator[client.Host]:
    host = client.Host("mx1")
    host.run(f"rm -rf {MAILDIR} && mkdir -p {MAILDIR}/new {MAILDIR}/cur")
    yield host
    host.run("rm -rf /srv/vmail/planet.example")


def report(source: str) -> str:
    """Today's report of a large receiver about mail from there, in a mail."""
    midnight = datetime.datetime.now(datetime.UTC).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    begin = int(midnight.timestamp())
    text = (
        (FIXTURES / "google.xml")
        .read_text(encoding="utf-8")
        .replace("acme.example", "wayne.example")
        .replace("192.0.2.1<", f"{source}<")
    )
    text = text.replace("1763596800", f"{begin}").replace("1763683199", f"{begin + 86399}")
    mail = email.message.EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = (
        "noreply-dmarc-support@google.com",
        "reports@planet.example",
        "Report domain: wayne.example",
    )
    mail.set_content("")
    mail.add_attachment(
        gzip.compress(text.encode()),
        maintype="application",
        subtype="gzip",
        filename="google.com!wayne.example.xml.gz",
    )
    return mail.as_string()


def verified() -> Path:
    """What verify would write about a domain that is well."""
    path = HERE / "report.json"
    rows = [{"id": one, "subject": "wayne.example", "state": "ok"} for one in GREEN]
    path.write_text(json.dumps({"findings": rows}), encoding="utf-8")
    return path


def fetch(*arguments: str) -> client.Run:
    """As the role does on mail hosts; by hand, because the node of this estate is no host of the
    lab."""
    options = json.dumps({"mailboxes": ["reports@planet.example"], "dest": str(HERE / "reports")})
    done = client.ansible(
        "ansible",
        "mx1",
        "-m",
        "reseller.mail.report_mails",
        "-a",
        options,
        *arguments,
        estate=client.PROJECT / "estates" / "example",
    )
    assert done.rc == 0, done.output
    return done


def promote(estate: Path) -> client.Run:
    variables = {
        "promotion_reports_dir": str(HERE / "reports"),
        "promotion_findings": str(HERE / "report.json"),
    }
    done = client.ansible(
        "ansible-playbook",
        "playbooks/promote.yml",
        "--extra-vars",
        json.dumps(variables),
        estate=estate,
        environment={"COLUMNS": "200"},
    )
    assert done.rc == 0, done.output
    return done


def test_promotion_is_refused_without_evidence_and_made_with_it(
    names: Names, estate: Path, mailbox: client.Host
) -> None:
    with (estate / "estate.yml").open("a", encoding="utf-8") as file:
        file.write("promotion: {days: 1, report_days: 1, messages: 20}\n")
    publish(estate)
    assert names.everything()[DMARC] == {
        '"v=DMARC1; p=none; sp=none; np=none; rua=mailto:reports@planet.example"'
    }

    refused = promote(estate)
    assert "verify green on 0 of 1 days" in refused.output
    assert publish(estate).changed("localhost") == 0

    mailbox.run(f"cat > {MAILDIR}/cur/1763683200.M1P1.mx1,S=1,W=1:2,S", stdin=report("10.97.0.4"))
    before = mailbox.output(f"find {MAILDIR} -type f -printf '%p %T@\\n'")
    verified()
    assert "fetched: 1" in fetch("--check").output
    assert not (HERE / "reports").exists(), "check mode fetches nothing"
    assert "fetched: 1" in fetch().output
    assert "fetched: 0" in fetch().output
    made = promote(estate)
    assert "↑ observe → test" in made.output
    assert mailbox.output(f"find {MAILDIR} -type f -printf '%p %T@\\n'") == before, (
        "the mailbox stays as it was"
    )
    publish(estate)
    record = (
        '"v=DMARC1; p=quarantine; sp=quarantine; np=quarantine; t=y;'
        ' rua=mailto:reports@planet.example"'
    )
    assert names.everything()[DMARC] == {record}

    again = promote(estate)
    assert again.changed("localhost") == 0
    assert "1 counted before" in again.output
    assert publish(estate).changed("localhost") == 0


def test_a_failing_source_of_ours_holds_the_step_back(
    names: Names, estate: Path, mailbox: client.Host
) -> None:
    with (estate / "estate.yml").open("a", encoding="utf-8") as file:
        file.write("promotion: {days: 1, report_days: 1, messages: 20}\n")
    mailbox.run(f"cat > {MAILDIR}/new/1763683200.M2P1.mx1", stdin=report("10.97.0.4"))
    mailbox.run(f"cat > {MAILDIR}/new/1763683200.M3P1.mx1", stdin=_red())
    fetch()
    verified()
    held = promote(estate)
    assert "observe → test" not in held.output
    assert "10.97.0.14" in held.output
    publish(estate)
    assert next(iter(names.everything()[DMARC])).startswith('"v=DMARC1; p=none')


def _red() -> str:
    """The spammer's line of the fixture, from an address of ours."""
    mail = email.message_from_string(report("10.97.0.4"))
    part = next(part for part in mail.walk() if part.get_content_type() == "application/gzip")
    text = (
        gzip.decompress(t.cast(bytes, part.get_payload(decode=True)))
        .replace(b"198.51.100.77", b"10.97.0.14")
        .replace(b"9391651994", b"1")
    )
    return text.decode()
