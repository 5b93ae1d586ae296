# SPDX-License-Identifier: GPL-3.0-or-later
"""Publish and verify the DNS of many domains, each with a zone of its own on dns1."""

from __future__ import annotations

import shutil
from pathlib import Path

from .. import estates, lab, zones
from ..measurement import Commands, Measurement, Run, rounds
from ..process import SCRATCH
from ..targets import DOMAINS, MANY_DOMAINS, PUBLISH, PUBLISH_UNCHANGED, VERIFY_DNS

QUIET = ("mta_sts: {mode: testing}\n", "catch_all: box0\n")
"""What is left out of the domains: no website has their MTA-STS policies."""
RESOLVER = "10.97.0.53"


def measure() -> list[Measurement]:
    """Return the cost of publishing and verifying, for each number of domains."""
    lab.ready()
    lab.CONVERGED.unlink()  # the estates of this part publish other records of the nodes
    return [one for count in (DOMAINS, MANY_DOMAINS) for one in _measure(count)]


def _measure(count: int) -> list[Measurement]:
    folder = SCRATCH / "dns-estate"
    shutil.rmtree(folder, ignore_errors=True)
    zones.serve(write(folder, count))
    first = Measurement(PUBLISH, count, (_publish(folder),))
    later: Commands = {
        (PUBLISH_UNCHANGED, count): lambda: _publish(folder),
        (VERIFY_DNS, count): lambda: _verify(folder),
    }
    return [first, *rounds(later, most=3)]


def _publish(folder: Path) -> Run:
    return lab.play("reseller.mail.dns_publish", mail_estate_dir=str(folder))


def _verify(folder: Path) -> Run:
    options = {"resolver": RESOLVER, "ca_file": str(lab.LAB / "ca.pem")}
    return lab.module("localhost", "reseller.mail.verify_dns", estate=str(folder), **options)


def write(folder: Path, count: int) -> list[str]:
    """Write an estate of so many domains with one mailbox each; return their names."""
    texts = estates.files(count, 1, lab.NODES)
    for path, text in texts.items():
        for line in QUIET:
            text = text.replace(line, "")
        texts[path] = text
    estates.write(folder, texts)
    return [f"domain{nth}.example" for nth in range(count)]
