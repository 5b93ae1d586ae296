# SPDX-License-Identifier: GPL-3.0-or-later
"""Every playbook that reaches hosts works with an inventory that sets nothing.

The collection is installed as its docs/inventory.md says, and runs in a folder that has the example
of that page alone. What the lab's inventory tells of the lab (its resolver, its CAs) is told by the
machine instead, as on the Internet: Ansible runs in a mount namespace with another
/etc/resolv.conf and another bundle of CAs.

The hosts do not serve the example's estate, so with it they are only asked. What may change hosts
runs with a copy of the scenario's estate, which they serve already.
"""

from __future__ import annotations

import concurrent.futures
import json
import os
import re
import shutil
import typing as t
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.tests.support.inventory_page import (
    PLAYBOOKS,
    ROWS,
    Operator,
    Run,
)
from client import ESTATE, PASSWORDS, Host
from conftest import NODES, RESOLVER

LAB = Path(os.environ.get("LAB_HOSTS_DIR", "/var/lib/reseller-mail-lab"))
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
NAMESPACE = (
    f'mount --bind "$1" /etc/resolv.conf && mount --bind "$2" {BUNDLE} && shift 2 && exec "$@"'
)
ADDRESSES = {"192.0.2.10": "10.97.0.3", "192.0.2.11": "10.97.0.4"}
HOSTNAMES = {
    f"{node}.hosting.example": address
    for node, address in zip(NODES, ADDRESSES.values(), strict=True)
}
CA = {
    "tls_acme_directory": "https://acme.hosting.example:14000/dir",
    "tls_acme_email": "hostmaster@hosting.example",
    "tls_acme_ca_bundle": BUNDLE,
}
"""The lab's CA is a private one: the page says that these variables are for it."""
SSH = """\
    User root
    IdentityFile {lab}/ssh/id
    IdentitiesOnly yes
    UserKnownHostsFile {lab}/ssh/known_hosts
    StrictHostKeyChecking yes
    LogLevel ERROR
"""
LISTS = "/var/lib/apt/lists /var/lib/apt/periodic/update-success-stamp"
"""What apt's module reads the age of the package lists from."""

EXAMPLE = {
    "verify": [],
    "promote": [],
    "diagnose": [],
    "guide_site": ["--check"],
    "rollback": ["--check"],
    "site": ["--check", "--extra-vars", json.dumps({**CA, "mail_deletions_accepted": 1000})],
}
SERVED = {
    "site": ["--extra-vars", json.dumps(CA)],
    "verify": ["--extra-vars", "verify_report_dir=build/served"],
    "tls_rollover": ["--check"],
    "dkim_rotate": ["--check"],
}
LANES = (
    [("served", "site"), ("served", "dkim_rotate")],
    [
        *(("example", name) for name in EXAMPLE if name != "site"),
        ("served", "verify"),
        ("served", "tls_rollover"),
        ("example", "site"),
    ],
)
"""What runs one after the other, beside the other lane. None changes a host that is up to date."""
CASES = sorted(case for lane in LANES for case in lane)
TRUE = {
    ("served", "site"): r"No certificate for [^:]*: it has no address in DNS\.",
    ("served", "verify"): r"\d+ findings: ",
    ("served", "tls_rollover"): r"The key of mx\d\.hosting\.example was not changed: its next key ",
    ("example", "verify"): r"\d+ findings: ",
    ("example", "site"): r"what mx\d reports of \S+ is refused: |Everything else is done\.",
}
"""What a run says rightly: zones that the lab lacks, new keys, the other estate's records."""
Runs = t.Dict[t.Tuple[str, str], Run]


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Operator:
    """Return an operator who knows how to log in to the hosts, and has the initial passwords."""
    place = tmp_path_factory.mktemp("operator")
    resolver, bundle, ssh = place / "resolv.conf", place / "ca.crt", place / "ssh_config"
    resolver.write_text(f"nameserver {RESOLVER}\n", encoding="utf-8")
    bundle.write_bytes(Path(BUNDLE).read_bytes() + (LAB / "ca.pem").read_bytes())
    hosts = "".join(
        f"Host {name}\n    HostKeyAlias {address}\n" for name, address in HOSTNAMES.items()
    )
    ssh.write_text(f"{hosts}Host *\n{SSH.format(lab=LAB)}", encoding="utf-8")
    found = Operator(
        place,
        *("unshare", "--mount", "sh", "-c", NAMESPACE, "sh", str(resolver), str(bundle)),
        ANSIBLE_SSH_COMMON_ARGS=f"-F {ssh}",
        SSL_CERT_FILE=BUNDLE,  # for a Python that was built with another path
    )
    found.write(replace=ADDRESSES)
    found.install()
    shutil.copytree(ESTATE, found.folder / "served")
    shutil.copytree(PASSWORDS, found.folder / "build" / "initial-passwords")
    for node in NODES:  # a host on the Internet fetches new package lists; the lab has no mirror
        Host(node).run(f"for file in {LISTS}; do ! test -e $file || touch $file; done")
    return found


@pytest.fixture(scope="module")
def runs(operator: Operator) -> Runs:
    def one(estate: str, name: str) -> Run:
        if estate == "example":
            return operator.play(name, *EXAMPLE[name])
        return operator.play(
            name, *SERVED[name], "--extra-vars", f"mail_estate_dir={operator.folder}/served"
        )

    with concurrent.futures.ThreadPoolExecutor() as pool:
        lanes = pool.map(lambda lane: {case: one(*case) for case in lane}, LANES)
        return {case: run for lane in lanes for case, run in lane.items()}


def test_every_playbook_that_reaches_hosts_is_run() -> None:
    assert sorted({name for _estate, name in CASES}) == sorted(
        name for name in PLAYBOOKS if ROWS[name].hosts
    )


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_a_playbook_runs_with_the_example(runs: Runs, case: tuple[str, str]) -> None:
    """It ends well, or says why it does not. Nothing is undefined, and no warning is ours."""
    run = runs[case]
    expected = re.compile(TRUE.get(case, "(?!)"))
    assert [line for line in run.complaints if not expected.search(line)] == [], run.output
    errors = [line for line in run.output.splitlines() if line.startswith("[ERROR]")]
    assert [line for line in errors if not expected.search(line)] == [], run.output
    assert run.rc == (2 if errors else 0), run.output


def states(operator: Operator, report: str) -> dict[tuple[str, str], str]:
    """Return the state of each question and subject of a report of verify."""
    path = operator.folder / "build" / report / "report.json"
    findings = json.loads(path.read_text(encoding="utf-8"))["findings"]
    return {(finding["id"], finding["subject"]): finding["state"] for finding in findings}


@pytest.mark.parametrize("report", ["verify", "served"])
def test_verify_asks_about_everything(runs: Runs, operator: Operator, report: str) -> None:
    """These are not ok without the lab's resolver or CAs, or if a part of verify breaks."""
    found = states(operator, report)
    parts = {question.partition(".")[0] for question, _subject in found}
    assert {"host", "dns", "mail", "access", "quota"} <= parts
    assert "verify" not in parts, "a part of verify that broke is a finding"
    for question in ("host.reached", "dns.fcrdns", "mail.tls"):
        assert {found[question, hostname] for hostname in HOSTNAMES} == {"ok"}, question
    assert found["quota.usage", "acme.example"] == "ok"


def test_verify_sends_mail_and_fetches_policies(runs: Runs, operator: Operator) -> None:
    found = states(operator, "served")
    for question in ("dns.mx", "dns.mta_sts_policy", "mail.dkim"):
        for domain in ("acme.example", "globex.example"):
            assert found[question, domain] == "ok", question
