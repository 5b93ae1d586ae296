# SPDX-License-Identifier: GPL-3.0-or-later
"""Records as they are entered at a DNS host, piece by piece.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

from .._compile.dns.text import quoted

if t.TYPE_CHECKING:
    from .._compile.dns import Record
    from .dns_hosts import DnsHost
    from .frame import Say

_PARTS = {
    "MX": ("priority", "target"),
    "SRV": ("priority", "weight", "port", "target"),
    "CAA": ("flags", "tag", "value"),
}


def entry(name: str, zone: str, host: t.Optional[DnsHost]) -> str:
    """A record's name as the host's form wants it: within the zone where the host is known, else whole."""
    if host is None:
        return name
    return host.apex if name == zone else name.removesuffix(f".{zone}")


def fields(record: Record, host: t.Optional[DnsHost]) -> list[tuple[str, str]]:
    """The value as (label, text): forms have a field for each part."""
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


def lifetime(seconds: int, say: Say) -> str:
    """A TTL in words."""
    if seconds == 3600:
        return say("hour")
    return (
        say("hours", count=-(-seconds // 3600))
        if seconds > 3600
        else say("minutes", count=-(-seconds // 60))
    )
