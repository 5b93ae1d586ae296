# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of a record as they are entered in the forms of a DNS host.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

from .._dns.zone_text import quoted

if t.TYPE_CHECKING:
    from .._dns.record import Record
    from .dns_hosts import DnsHost
    from .frame import Say

_PARTS = {
    "MX": ("priority", "target"),
    "SRV": ("priority", "weight", "port", "target"),
    "CAA": ("flags", "tag", "value"),
}


def entry(name: str, zone: str, host: t.Optional[DnsHost]) -> str:
    """Return the name of a record as it is entered.

    A known host adds the zone itself, so the name is without it. Otherwise the name is complete.
    """
    if host is None:
        return name
    return host.apex if name == zone else name.removesuffix(f".{zone}")


def fields(record: Record, host: t.Optional[DnsHost]) -> list[tuple[str, str]]:
    """Return the value as (key of the label, text) for each field of a form."""
    if record.type == "TXT":
        return [("value", quoted(record.value) if host and host.split else record.value)]
    labels = _PARTS.get(record.type)
    if labels is None:
        return [("value", record.value)]
    pieces = record.value.split(" ", len(labels) - 1)
    if labels[-1] == "target" and host and not host.dot and pieces[-1] != ".":
        pieces[-1] = pieces[-1].removesuffix(".")
    if record.type == "CAA":
        pieces[-1] = pieces[-1].strip('"')
    return list(zip(labels, pieces, strict=True))


def tips(host: DnsHost, zone: str, types: t.Iterable[str], say: Say) -> list[str]:
    """Return how records of these types are entered at a known DNS host, one sentence each."""
    lacking = sorted(kind for kind in types if host.lacks(kind))
    found = [
        say("host_apex_at" if host.apex else "host_apex_empty", zone=zone),
        say("host_split" if host.split else "host_whole"),
    ]
    if host.dot:
        found.append(say("host_dot"))
    if lacking:
        found.append(say("host_lacks", types=", ".join(lacking)))
    if host.note:
        found.append(say(f"note_{host.note}"))
    return found


def lifetime(seconds: int, say: Say) -> str:
    """Return a TTL in words, rounded up."""
    if seconds == 3600:
        return say("hour")
    if seconds > 3600:
        return say("hours", count=-(-seconds // 3600))
    return say("minutes", count=-(-seconds // 60))
