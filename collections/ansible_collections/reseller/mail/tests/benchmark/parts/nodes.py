# SPDX-License-Identifier: GPL-3.0-or-later
"""Eight nodes: what each more costs the controller."""

from __future__ import annotations

import functools
import json
import typing as t

from .. import estates, lab, zones
from ..measurement import Commands, Measurement, Run, rounds
from ..process import SCRATCH
from ..targets import FEW_NODES, FIRST, MANY_NODES, MORE_NODES, UNCHANGED

FOLDER = SCRATCH / "nodes"
FORKS = ("--forks", "8")
ADDRESSES = {
    f"mx{number}": f"10.97.0.{number + (2 if number <= 2 else 30)}"
    for number in range(1, MANY_NODES + 1)
}
"""mx1 and mx2 have the addresses that the lab's inventory knows."""
ADDRESSES6 = {"mx1": "fd97::3", "mx2": "fd97::4"}
"""The lab's zones have these, too. The ACME server connects to them first."""
NAME_SERVER = {
    "name": "dns1",
    "fqdn": "dns1.hosting.example",
    "release": "bookworm",
    "layer": "dns",
    "addresses": ["10.97.0.2", "10.97.0.53", "fd97::2", "fd97::53"],
}


def measure() -> list[Measurement]:
    """Return the cost of the first `site`, and of `tenants` on some of the nodes."""
    write()
    machines = [NAME_SERVER, *(_machine(name) for name in ADDRESSES)]
    lab.start(*_inventory("dns1", *ADDRESSES), lab_hosts_machines=machines)
    new = [name for name in ADDRESSES if name not in lab.NODES]
    zones.add("hosting.example.", [f"{one}.hosting.example. 5 A {ADDRESSES[one]}" for one in new])
    zones.serve([f"domain{number}.example" for number in range(MANY_NODES)])
    first = _play("reseller.mail.site", MANY_NODES)
    _play("reseller.mail.tenants", MANY_NODES)  # what waited for DNS
    commands: Commands = {
        (UNCHANGED, count): functools.partial(_play, "reseller.mail.tenants", count)
        for count in (FEW_NODES, MORE_NODES, MANY_NODES)
    }
    return [Measurement(FIRST, MANY_NODES, (first,)), *rounds(commands, most=3)]


def _play(playbook: str, count: int) -> Run:
    arguments = _inventory(*list(ADDRESSES)[:count])
    return lab.play(playbook, *arguments, mail_estate_dir=str(FOLDER / "estate"))


def _inventory(*hosts: str) -> list[str]:
    """Return the arguments that limit a playbook to some hosts and to the controller."""
    known = str(FOLDER / "hosts.json")
    return ["--inventory", known, "--limit", ",".join(["localhost", *hosts]), *FORKS]


def write() -> None:
    """Write an estate with one tenant for each node, and the addresses of the nodes."""
    nodes = {
        name: f"debian: {12 if number % 2 == 0 else 13}, addresses: [{address}], capacity: 900T"
        for number, (name, address) in enumerate(ADDRESSES.items())
    }
    estates.write(FOLDER / "estate", estates.files(MANY_NODES, 5, nodes))
    hosts = {name: {"ansible_host": address} for name, address in ADDRESSES.items()}
    inventory = {"lab_hosts": {"hosts": hosts}}
    (FOLDER / "hosts.json").write_text(json.dumps(inventory), encoding="utf-8")


def _machine(name: str) -> dict[str, t.Any]:
    """Return one machine of the lab; nodes with an odd number have Debian 12."""
    return {
        "name": name,
        "fqdn": f"{name}.hosting.example",
        "release": "bookworm" if int(name[2:]) % 2 else "trixie",
        "layer": "mx",
        "addresses": [ADDRESSES[name], *([ADDRESSES6[name]] if name in ADDRESSES6 else [])],
    }
