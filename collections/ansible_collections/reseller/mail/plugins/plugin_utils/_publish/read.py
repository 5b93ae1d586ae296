# SPDX-License-Identifier: GPL-3.0-or-later
"""Read record sets from the primary server: from whole zones, or set by set.

PRIVATE to the collection. Does input and output. Runs on the controller only (needs dnspython).
"""

from __future__ import annotations

import asyncio
import typing as t
from dataclasses import dataclass, field

from .._dns.rrset import Key, RRset

if t.TYPE_CHECKING:
    from .._dns.query import Asker, Reply
    from .plan import Change
    from .primary import Primary
    from .transfer import Transferred

_NOT_HERE = ("REFUSED", "NOTAUTH", "not authoritative")
"""How the reasons begin that mean: the server does not have the zone."""
Raw = t.Dict[t.Tuple[str, str, str], t.List[t.Any]]
"""The library's record data, by name, type and value.

A value has two of them if a TXT is there twice and split in different ways.
"""


@dataclass(slots=True)
class Found:
    """What the primary server has at the requested names and types.

    Attributes:
        sets: The record sets.
        raw: The library's record data of their values.
        faults: What prevents an update, for users.
        absent: The reason why the server does not have the zone, or a part of it.
    """

    sets: dict[Key, RRset] = field(default_factory=dict)
    raw: Raw = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    absent: str = ""


async def read(
    asker: Asker,
    primary: Primary,
    zone: t.Optional[Transferred],
    wanted: t.Collection[Key],
    searched: t.Collection[Key],
) -> Found:
    """Return the primary server's record sets at the wanted and the searched names and types.

    ``zone`` has the records of a zone that was transferred. If the server does not answer for a
    wanted one, that is a fault: without knowing the records there, none may be written.
    """
    found = Found()
    aliases: dict[tuple[str, str], list[str]] = {}
    keys = sorted({*wanted, *searched})
    for key, reply in zip(keys, await _replies(asker, primary, zone, keys), strict=True):
        if reply.state == "silent" and reply.why.startswith(_NOT_HERE):
            found.absent = found.absent or f"{key[0]}: {reply.why}"
        elif reply.state == "silent" and key in wanted:
            found.faults.append(
                f"{primary.server} gave no usable answer for {key[0]} {key[1]}: {reply.why}"
            )
        elif reply.alias and key in wanted:
            # A server ignores other records at the name of a CNAME, without an error (RFC 2136
            # section 3.4.2.2).
            aliases.setdefault((key[0], reply.alias), []).append(key[1])
        elif reply.state == "answer" and not reply.alias:
            found.sets[key] = RRset(*key, reply.ttl, reply.values)
            for value, rdata in reply.raw:
                found.raw.setdefault((*key, value), []).append(rdata)
    for (name, target), types in aliases.items():
        found.faults.append(
            f"{name} is a CNAME to {target}; remove it: {', '.join(types)} cannot exist beside a"
            " CNAME"
        )
    return found


async def _replies(
    asker: Asker, primary: Primary, zone: t.Optional[Transferred], keys: t.Sequence[Key]
) -> list[Reply]:
    """Return what the primary server has at each key. Ask about those that ``zone`` has not."""
    known = {key: zone.reply(*key) for key in keys if zone.holds(key[0])} if zone else {}
    others = [key for key in keys if key not in known]
    asked = await asyncio.gather(*(asker.ask(primary.server, *key) for key in others))
    known.update(zip(others, asked, strict=True))
    return [known[key] for key in keys]


async def differences(
    asker: Asker, primary: Primary, zone: t.Optional[Transferred], changes: t.Sequence[Change]
) -> list[str]:
    """Return a line for each change that the primary server accepted but does not have.

    ``zone`` was transferred after the changes. Servers may ignore parts of an update without an
    error (RFC 2136 section 3.4.2.2).
    """
    keys = [(change.name, change.type) for change in changes]
    replies = await _replies(asker, primary, zone, keys)
    wrong = []
    for change, reply in zip(changes, replies, strict=True):
        if reply.values != frozenset(change.new):
            found = ", ".join(sorted(reply.values)) or (
                "missing" if reply.state == "none" else reply.why
            )
            wrong.append(
                f"{primary.server} accepted the update, but {change.name} {change.type} is {found}"
            )
    return wrong
