# SPDX-License-Identifier: GPL-3.0-or-later
"""Which DKIM keys every authoritative name server of their domain has.

Does input and output; runs on the controller only.

PRIVATE to the collection.
"""

from __future__ import annotations

import asyncio
import typing as t

from ansible_collections.reseller.mail.plugins.module_utils._host.keys.dkim import KeyName, Shown

from .._dns.query import gather_limited
from .._dns.text_records import Malformed, dkim_key
from .dns.senders import unusable

if t.TYPE_CHECKING:
    from .._dns.query import Asker, Reply, Server
    from .._model.estate import DkimKey

AT_ONCE = 200
"""How many names are asked for at once. Each needs a few questions, which the asker limits."""
LINKS = 8
"""How many CNAMEs are followed from a selector's name, if a tenant has delegated it."""


async def look(
    asker: Asker, keys: t.Mapping[KeyName, DkimKey]
) -> tuple[dict[KeyName, Shown], dict[KeyName, str]]:
    """Return the keys that every server has, and for the others why they are not."""
    shown: dict[KeyName, Shown] = {}
    missing: dict[KeyName, str] = {}
    names = sorted(keys)
    for name, found in zip(
        names,
        await gather_limited(AT_ONCE, names, lambda name: _look(asker, str(name), keys[name])),
        strict=True,
    ):
        if isinstance(found, Shown):
            shown[name] = found
        else:
            missing[name] = found
    return shown, missing


async def _look(asker: Asker, name: str, key: DkimKey) -> t.Union[Shown, str]:
    """Return the key if every server of its name has it; else why not."""
    asked: list[str] = []
    for _link in range(LINKS):
        found = await servers(asker, name)
        if isinstance(found, str):
            return found
        replies = await asyncio.gather(*(asker.ask(server, name, "TXT") for server in found))
        asked += [reply.server for reply in replies]
        aliases = {reply.alias for reply in replies}
        if aliases == {""}:
            faults = [
                f"{reply.server}: {fault}" for reply in replies if (fault := _fault(reply, key))
            ]
            return "; ".join(faults) if faults else Shown(key.public, tuple(dict.fromkeys(asked)))
        if len(aliases) > 1:
            return "its servers disagree whether it is a CNAME"
        (name,) = aliases
    return f"more than {LINKS} CNAMEs"


async def servers(asker: Asker, name: str) -> t.Union[list[Server], str]:
    """Return every server that a verifier may ask for the name; else why they are not all known.

    The zone itself and the zone above may name different servers, and both count. A server that is
    left out may be one without the key.
    """
    zone = await asker.zone_of(name)
    if zone is None:
        return "no authoritative server is known"
    own = await asker.servers_of(zone)
    names = {value.rstrip(".") for value in (await asker.look_up(zone, "NS")).values}
    lost = sorted(names - {server.name for server in own})
    if lost or not names:
        return f"{', '.join(lost) or f'the servers of {zone}'} cannot be found"
    return list(dict.fromkeys((*own, *await asker.delegation(zone))))


def _fault(reply: Reply, key: DkimKey) -> str:
    """Return why a verifier that asks this server does not find the key; empty when it does."""
    if reply.state == "silent":
        return reply.why
    if reply.state == "none":
        return "no such record"
    if len(reply.values) > 1:
        return "more than one TXT record"  # RFC 6376 section 3.6.2.2: what then counts is undefined
    try:
        have = dkim_key(next(iter(reply.values)))
    except Malformed as error:
        return str(error)
    return unusable(have, key.algorithm) if have["p"] == key.public else "another key"
