# SPDX-License-Identifier: GPL-3.0-or-later
"""Which DKIM keys every authoritative name server of their domain shows. Does input and output; runs on the controller only.

PRIVATE to the collection.
"""

from __future__ import annotations

import asyncio
import typing as t

from ansible_collections.reseller.mail.plugins.module_utils._dkim import KeyName, Shown
from ansible_collections.reseller.mail.plugins.module_utils._dns_query import in_turn
from ansible_collections.reseller.mail.plugins.module_utils._text_records import Malformed, dkim_key
from ansible_collections.reseller.mail.plugins.module_utils._verify_dns.senders import unusable

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.module_utils._dns_query import (
        Asker,
        Reply,
        Server,
    )
    from ansible_collections.reseller.mail.plugins.module_utils._model.estate import DkimKey

AT_ONCE = 200
"""Names that are asked for side by side: each is a few questions, which the asker bounds by itself."""
LINKS = 8
"""CNAMEs that are followed from a selector's name, where a tenant delegated it."""


async def look(
    asker: Asker, keys: t.Mapping[KeyName, DkimKey]
) -> tuple[dict[KeyName, Shown], dict[KeyName, str]]:
    """The keys that are shown, and for the others why they are not."""
    shown: dict[KeyName, Shown] = {}
    missing: dict[KeyName, str] = {}
    names = sorted(keys)
    for name, found in zip(
        names,
        await in_turn(AT_ONCE, names, lambda name: _look(asker, str(name), keys[name])),
        strict=True,
    ):
        if isinstance(found, Shown):
            shown[name] = found
        else:
            missing[name] = found
    return shown, missing


async def _look(asker: Asker, name: str, key: DkimKey) -> t.Union[Shown, str]:
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
            return "its servers do not agree whether it is a CNAME"
        (name,) = aliases
    return f"more than {LINKS} CNAMEs"


async def servers(asker: Asker, name: str) -> t.Union[list[Server], str]:
    """Every server that somebody who asks for the name may be led to, by its zone or by the one above, which may name other ones; or
    why they are not all known: one that is left out would be a server that may not show the key."""
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
    """What keeps a verifier that asks this server from finding this key; empty when nothing does."""
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
