# SPDX-License-Identifier: GPL-3.0-or-later
"""Every fault that verify knows, made in a outside of real name servers and web servers: each is
found, with the right remedy, and nothing else is."""

from __future__ import annotations

import asyncio
import json
import typing as t
from pathlib import Path

import client
import fault_lab
import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._dns.query import Asker
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.dns import ask
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.dns.catalogue import CATALOGUE
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.finding import (
    Finding,
    from_dicts,
)
from fault_cases import DNS, FOREIGN, NODES, Case, case

ALL = [
    *((one, f"{one.name}.example") for one in DNS),
    *((one, f"{one.name}.hoster.example") for one in NODES),
]
SPF = "v=spf1 ip4:10.97.0.8 ip6:fd97::8 -all"
PROVIDER = (
    case(
        "dns.provider_spf_missing", "- @ TXT", remedy=f'publish hoster.example. 3600 IN TXT "{SPF}"'
    ),
    case(
        "dns.provider_spf_two",
        "+ @ TXT v=spf1 mx ~all",
        remedy='remove hoster.example. 300 IN TXT "v=spf1 mx ~all"',
    ),
    case(
        "dns.provider_spf_other",
        "= @ TXT v=spf1 mx ~all",
        remedy=f'publish hoster.example. 3600 IN TXT "{SPF}"',
    ),
    case(
        "dns.dmarc_missing",
        "- _dmarc TXT",
        remedy=(
            'publish _dmarc.hoster.example. 3600 IN TXT "v=DMARC1; p=reject; sp=none; np=reject"'
        ),
    ),
    case(
        "dns.provider_mx_missing",
        "- @ MX",
        remedy="publish hoster.example. 3600 IN MX 10 post.hoster.example.",
    ),
    case(
        "dns.provider_mx_elsewhere",
        f"= @ MX {FOREIGN}",
        remedy="set provider.contact to an address in hoster.example",
    ),
    case(
        "dns.provider_mx_other",
        f"+ @ MX {FOREIGN}",
        remedy="remove hoster.example. 300 IN MX 10 mx.elsewhere.example.",
    ),
    case(
        "dns.dmarc_grant_missing",
        "- granted.example._report._dmarc TXT",
        remedy='publish granted.example._report._dmarc.hoster.example. 3600 IN TXT "v=DMARC1"',
    ),
)
GRANTED = (
    Case(
        "good",
        (),
        domain={
            "mailboxes": [{"name": "admin"}],
            "dmarc": {"stage": "observe", "reports_to": "admin"},
        },
    ),
    Case(
        "granted",
        (),
        domain={
            "mailboxes": [{"name": "jo"}],
            "dmarc": {"stage": "observe", "reports_to": "reports@hoster.example"},
        },
    ),
)


@pytest.fixture(scope="module")
def dns1() -> client.Host:
    return client.Host("dns1")


@pytest.fixture(scope="module")
def found(dns1: client.Host, tmp_path_factory: pytest.TempPathFactory) -> list[Finding]:
    """One run over all of it, as an operator would start it."""
    outside = fault_lab.FaultZones(tmp_path_factory.mktemp("faults"))
    outside.start(dns1)
    arguments = {
        "estate": str(outside.estate),
        "resolver": fault_lab.RESOLVER,
        "ca_file": str(outside.folder / "ca.pem"),
        "timeout": 5,
    }
    try:
        command = (
            "localhost",
            "-i",
            "localhost,",
            "-m",
            "reseller.mail.verify_dns",
            "-a",
            json.dumps(arguments),
        )
        run = client.ansible(
            "ansible", *command, environment={"ANSIBLE_CALLBACK_RESULT_FORMAT": "json"}
        )
    finally:
        outside.stop(dns1)
    assert run.rc == 0, run.output
    return from_dicts(json.loads(run.output.partition("=>")[2])["findings"])


def amiss(found: t.Iterable[Finding], subject: str) -> dict[str, Finding]:
    return {
        one.id: one for one in found if one.subject == subject and one.state in ("fail", "warn")
    }


@pytest.mark.parametrize(("one", "subject"), ALL, ids=[subject for _one, subject in ALL])
def test_the_fault_is_found_and_nothing_else(found: list[Finding], one: Case, subject: str) -> None:
    there = amiss(found, subject)
    assert set(there) == set(one.finds), {id_: finding.found for id_, finding in there.items()}
    for id_ in one.finds:
        assert one.remedy, "the case does not say what the remedy is"
        assert one.remedy in there[id_].remedy


def test_no_subject_beside_the_cases_is_amiss(found: list[Finding]) -> None:
    subjects = {subject for _one, subject in ALL}
    assert [
        (one.id, one.subject, one.found)
        for one in found
        if one.state in ("fail", "warn") and one.subject not in subjects
    ] == []


def test_what_depends_on_the_mx_waits_for_it(found: list[Finding]) -> None:
    waits = {
        one.id: one.found
        for one in found
        if one.subject == "mx-foreign.example" and one.state == "blocked"
    }
    groups = (
        "autoconfig",
        "autodiscover",
        "caa",
        "dkim",
        "dmarc",
        "settings",
        "spf",
        "srv",
        "tls_rpt",
    )
    assert waits == {f"dns.{group}": "not asked: the MX is wrong" for group in groups}
    assert [
        one.id for one in found if one.subject == "good.example" and one.state == "blocked"
    ] == []


def test_a_report_shows_nobody_elses_control_characters(found: list[Finding]) -> None:
    for one in found:
        assert all(char.isprintable() or char == "\n" for char in one.found + one.remedy), one
        assert len(one.found) < 2000, one.id


@pytest.mark.parametrize("fault", PROVIDER, ids=lambda fault: fault.name)
def test_a_fault_of_the_provider_is_one_finding_and_its_tenants_wait(
    dns1: client.Host, tmp_path: Path, fault: Case
) -> None:
    outside = fault_lab.FaultZones(tmp_path, GRANTED, (), fault.edits)
    outside.start(dns1)
    try:
        said = verify(outside, fault_lab.RESOLVER)
    finally:
        outside.stop(dns1)
    bad = {(one.id, one.subject): one for one in said if one.state in ("fail", "warn")}
    assert set(bad) == {(fault.finds[0], "hoster.example")}
    assert fault.remedy in bad[fault.finds[0], "hoster.example"].remedy
    if "spf" in fault.name:
        assert {one.state for one in said if one.id == "dns.spf"} == {"blocked"}


def test_without_a_resolver_there_is_one_finding(dns1: client.Host, tmp_path: Path) -> None:
    (one,) = verify(fault_lab.FaultZones(tmp_path, GRANTED, ()), "10.97.0.2", port=1)
    assert (one.id, one.state) == ("dns.resolver_silent", "fail")


def test_every_finding_of_the_catalogue_has_a_case() -> None:
    made = {id_ for one in (*DNS, *NODES, *PROVIDER) for id_ in one.finds} | {"dns.resolver_silent"}
    assert set(CATALOGUE) - made == set()
    assert len(made) >= 60


def verify(outside: fault_lab.FaultZones, resolver: str, port: int = 53) -> list[Finding]:
    estate, faults = fault_lab.load(str(outside.estate))
    assert estate is not None, faults
    return asyncio.run(
        ask.findings(estate, Asker(resolver, 2, port=port), str(outside.folder / "ca.pem"))
    )
