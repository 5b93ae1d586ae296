# SPDX-License-Identifier: GPL-3.0-or-later
"""The cost of publishing the DNS of many domains to a Knot on this machine.

    dns_publish.py [DOMAINS [KNOTD]]

Starts ``knotd`` on a port of 127.0.0.1 with one unsigned zone for each domain. It publishes the
domains, and then once more without a change. It prints seconds, seconds of the processor, questions
and memory. The name server uses the same processors. No other resolver is asked, and no policy is
fetched.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[5]))
from ansible_collections.reseller.mail.plugins.plugin_utils._dns.query import Asker, server_at
from ansible_collections.reseller.mail.plugins.plugin_utils._load import load
from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import (
    DkimKey,
    Estate,
    NodeState,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._publish.primary import Primary
from ansible_collections.reseller.mail.plugins.plugin_utils._publish.publish import Outcome, publish
from ansible_collections.reseller.mail.plugins.plugin_utils._publish.published_records import (
    Published,
)
from ansible_collections.reseller.mail.tests.benchmark import estates

PART = 1_000
"""Domains that are loaded at once: the files allow 5,000 on one node."""
SECRET = "YmVuY2htYXJrLWJlbmNobWFyay1iZW5jaG1hcms="
ZONE = """\
@ 3600 SOA ns1.hosting.example. h.hosting.example. 1 600 300 86400 60
@ 3600 NS ns1.hosting.example.
"""
CONFIGURATION = """\
server:
    rundir: "{folder}"
    listen: "127.0.0.1@{port}"
log:
  - target: stderr
    any: error
database:
    storage: "{folder}/db"
key:
  - id: publisher
    algorithm: hmac-sha256
    secret: {secret}
acl:
  - id: publisher
    key: publisher
    action: [update, transfer]
template:
  - id: default
    storage: "{folder}"
    acl: publisher
    serial-policy: unixtime
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
zone:
"""


class Counting(Asker):
    """Counts the questions."""

    asked = 0

    async def _attempt(self, *question: t.Any) -> t.Any:
        self.asked += 1
        return await super()._attempt(*question)


def estate_of(domains: int) -> Estate:
    """Return an estate with so many managed domains and their keys, without policies."""
    parts = [_part(first, min(PART, domains - first)) for first in range(0, domains, PART)]
    tenants = tuple(
        dataclasses.replace(tenant, name=f"{tenant.name}-{number}")
        for number, part in enumerate(parts)
        for tenant in part.tenants
    )
    states = tuple(
        NodeState(
            node.name,
            tuple(
                DkimKey(name, node.name, "AAAA" * 98, state="active")
                for name in [
                    node.hostname,
                    *(
                        domain.name
                        for tenant in tenants
                        if tenant.placement == node.name
                        for domain in tenant.domains
                    ),
                ]
            ),
        )
        for node in parts[0].nodes
    )
    return dataclasses.replace(parts[0], tenants=tenants, states=states)


def _part(first: int, domains: int) -> Estate:
    """Return an estate with some of the domains."""
    with tempfile.TemporaryDirectory() as folder:
        for path, text in estates.files(domains, 1).items():
            file = Path(folder, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        estate, faults = load(folder)
    assert estate is not None, faults[:3]
    tenants = []
    for number, tenant in enumerate(estate.tenants):
        (main,) = (one for one in tenant.domains if one.name.startswith("domain"))
        domain = dataclasses.replace(
            main, name=f"domain{first + number}.example", mta_sts=None, domain_aliases=()
        )
        tenants.append(dataclasses.replace(tenant, domains=(domain,)))
    return dataclasses.replace(estate, tenants=tuple(tenants))


@contextlib.contextmanager
def name_server(program: str, names: t.Iterable[str]) -> t.Iterator[int]:
    """Start Knot with these zones; give its port."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        lines = [CONFIGURATION.format(folder=folder, port=port, secret=SECRET)]
        for name in names:
            Path(folder, f"{name}.zone").write_text(f"$ORIGIN {name}.\n{ZONE}", encoding="utf-8")
            lines.append(f'  - domain: "{name}"\n    file: "{name}.zone"\n')
        with Path(folder, "hosting.example.zone").open("a", encoding="utf-8") as zone:
            zone.write("ns1 3600 A 127.0.0.1\n")
        configuration = Path(folder, "knot.conf")
        configuration.write_text("".join(lines), encoding="utf-8")
        Path(folder, "db").mkdir()
        with subprocess.Popen([program, "-c", configuration]) as server:
            try:
                _wait_for(port, server)
                yield port
            finally:
                server.terminate()


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    """Wait until the name server takes connections."""
    while server.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.1)
    sys.exit(f"{server.args} ended with {server.returncode}")


def measure(what: str, estate: Estate, port: int, published: Published) -> Published:
    """Publish, print what it cost, and return the list of published records."""

    async def work() -> tuple[Outcome, int]:
        asker = Counting("127.0.0.1", port=port)
        primary = Primary(server_at("127.0.0.1", port), "publisher", key_secret=SECRET)
        outcome = await publish(
            estate, asker, primary, published, ca_file="", seconds=30, check_mode=False
        )
        return outcome, asker.asked

    began, busy = time.monotonic(), time.process_time()
    outcome, asked = asyncio.run(work())
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    assert not outcome.faults, outcome.faults[:3]
    print(
        f"{what:<16} {time.monotonic() - began:8.1f} s {time.process_time() - busy:8.1f} s of the"
        f" processor, {len(outcome.changes):,} changes, {asked:,} questions, {memory:.0f} MiB,"
        f" load {os.getloadavg()[0]:.1f}",
        flush=True,
    )
    return outcome.published


def main(domains: str = "1000", program: str = "knotd") -> None:
    """Publish twice."""
    estate = estate_of(int(domains))
    names = [domain.name for _tenant, domain in estate.served_domains()]
    with name_server(program, ["hosting.example", *names]) as port:
        first = measure("first run", estate, port, {})
        measure("without changes", estate, port, first)


if __name__ == "__main__":
    main(*sys.argv[1:])
