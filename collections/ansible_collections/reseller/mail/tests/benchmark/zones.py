# SPDX-License-Identifier: GPL-3.0-or-later
"""More zones on the lab's name server."""

from __future__ import annotations

import itertools
import typing as t

from . import lab

NAME_SERVER = "10.97.0.2"
AT_ONCE = 500
"""Names in one DNS update: a message has at most 64 KiB."""
CONFIGURATION = """\
template:
  - id: benchmark
    storage: /var/lib/knot
    acl: update
    zonefile-sync: 0
    zonefile-load: whole
zone:
"""
NS = "benchmark.hosting.example."
"""The name of the zones' name server, with one address: each address is asked."""
ZONE = f"""\
$TTL 5
@ SOA {NS} hostmaster.hosting.example. 1 600 300 86400 1
@ NS {NS}
"""


def serve(names: t.Sequence[str]) -> None:
    """Have dns1 serve an unsigned zone for each name, below its zone ``example``."""
    zones = "".join(f"  - domain: {name}\n    template: benchmark\n" for name in names)
    lab.on_host(
        "dns1",
        _file("/etc/knot/benchmark.conf", CONFIGURATION + zones),
        _file("/root/zone", ZONE),
        _file("/root/names", "\n".join(names) + "\n"),
        "for name in $(cat /root/names); do cp /root/zone /var/lib/knot/$name.zone; done",
        "chown -R knot: /var/lib/knot",
        "grep -q benchmark.conf /etc/knot/knot.conf ||"
        " echo 'include: \"/etc/knot/benchmark.conf\"' >>/etc/knot/knot.conf",
        "knotc reload",
    )
    add("hosting.example.", [f"{NS} 5 A {NAME_SERVER}"])
    add("example.", [f"{name}. 5 NS {NS}" for name in names])


def add(zone: str, records: t.Sequence[str]) -> None:
    """Add records to a zone of dns1."""
    updates = []
    for first in range(0, len(records), AT_ONCE):
        lines = [f"add {one}" for one in records[first : first + AT_ONCE]]
        updates.append("\n".join([f"server {NAME_SERVER}", f"zone {zone}", *lines, "send\n"]))
    files = [f"/root/update{number}" for number in range(len(updates))]
    written = [_file(file, text) for file, text in zip(files, updates, strict=True)]
    sent = [f"knsupdate -k /etc/knot/update.key {file}" for file in files]
    lab.on_host("dns1", *itertools.chain(written, sent))


def _file(path: str, text: str) -> str:
    """Return a command that writes a file."""
    return f"cat >{path} <<'END'\n{text}END\n"
