# SPDX-License-Identifier: GPL-3.0-or-later
"""Publish and verify the DNS of many domains, each with a zone of its own on dns1; and what new names
cost that need a certificate."""

from __future__ import annotations

import json
import shutil
import typing as t
from pathlib import Path

from .. import estates, lab, zones
from ..measurement import Commands, Measurement, Run, rounds
from ..process import SCRATCH
from ..targets import (
    CERTIFICATES,
    DOMAINS,
    MANY_DOMAINS,
    NAMES,
    PUBLISH,
    PUBLISH_UNCHANGED,
    VERIFY_DNS,
)

RESOLVER = "10.97.0.53"
NODES: t.Final[estates.Nodes] = {
    **lab.NODES,
    "mx3": "debian: 13, addresses: [10.97.0.33], capacity: 900T",
}
"""A node serves 5,000 domains. The third exists in the files only: no run of this part reaches a node."""
PUBLIC_KEY = "AAAA" * 98
"""As long as an RSA key of 2,048 bits."""


def measure() -> list[Measurement]:
    """Return the cost of certificates, and of publishing and verifying each number of domains."""
    lab.platform_ready()
    found = [_certificates()]
    lab.CONVERGED.unlink(missing_ok=True)  # this part publishes other records of the nodes
    for count in (DOMAINS, MANY_DOMAINS):
        found += _measure(count)
    return found


def _measure(count: int) -> list[Measurement]:
    folder = SCRATCH / "dns-estate"
    shutil.rmtree(folder, ignore_errors=True)
    zones.serve(write(folder, count))
    first = Measurement(PUBLISH, count, (_publish(folder),))
    later: Commands = {
        (PUBLISH_UNCHANGED, count): lambda: _publish(folder),
        (VERIFY_DNS, count): lambda: _verify(folder),
    }
    return [first, *rounds(later, most=1)]


def _publish(folder: Path) -> Run:
    return lab.play("reseller.mail.dns_publish", mail_estate_dir=str(folder))


def _verify(folder: Path) -> Run:
    options = {"resolver": RESOLVER, "ca_file": str(lab.LAB / "ca.pem")}
    return lab.module("localhost", "reseller.mail.verify_dns", estate=str(folder), **options)


def _certificates() -> Measurement:
    """Return the cost of certificates of names that have none."""
    names = [f"name{nth}.hosting.example" for nth in range(NAMES)]
    zones.add("hosting.example.", [f"{name}. 5 A 10.97.0.3" for name in names])
    run = lab.module(
        "mx1",
        "reseller.mail.certificates",
        names=names,
        hostname="mx1.hosting.example",
        addresses=["10.97.0.3"],
        ca_bundle="/etc/ssl/certs/ca-certificates.crt",
        required=True,
    )
    return Measurement(CERTIFICATES, NAMES, (run,))


def write(folder: Path, count: int) -> list[str]:
    """Write an estate of so many domains with one mailbox each, and the nodes' reports of their
    DKIM keys; return the names of the domains."""
    estates.write(folder, estates.quiet(estates.files(count, 1, NODES)))
    names = [f"domain{nth}.example" for nth in range(count)]
    reports = {
        f"state/{node}.json": _report(node, names[nth :: len(NODES)])
        for nth, node in enumerate(NODES)
    }
    estates.write(folder, reports)
    return names


def _report(node: str, names: t.Sequence[str]) -> str:
    """Return the text of a node's report, with an active key of each domain and of the node."""
    keys = [
        {"domain": name, "selector": node, "public": PUBLIC_KEY}
        for name in [f"{node}.hosting.example", *names]
    ]
    return json.dumps({"node": node, "dkim": keys})
