# SPDX-License-Identifier: GPL-3.0-or-later
"""Zones of many domains without faults, on dns1 of the running lab, for
tests/benchmark/verify_dns.py of the collection.

large_lab.py FOLDER [DOMAINS]     leaves FOLDER/estate and FOLDER/ca.pem, and the name servers
running; 1000 domains, unsigned, without HTTPS
"""

from __future__ import annotations

import sys
from pathlib import Path

import client
import fault_lab
from fault_cases import MAIL, Case


def main(folder: str, domains: str = "1000") -> None:
    Path(folder).mkdir(parents=True)
    quiet = MAIL | {"autodiscover": False}
    cases = [Case("good", (), domain={"mailboxes": [{"name": "admin"}]})]
    cases += [
        Case(f"d{number}", (), domain=quiet, signing="unsigned") for number in range(int(domains))
    ]
    zones = fault_lab.FaultZones(Path(folder), cases, ())
    zones.start(client.Host("dns1"))
    print(f"{zones.estate} {fault_lab.RESOLVER} {folder}/ca.pem")


if __name__ == "__main__":
    main(*sys.argv[1:])
