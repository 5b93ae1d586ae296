# SPDX-License-Identifier: GPL-3.0-or-later
"""Which DKIM keys every authoritative name server of their domain shows. Does input and output; runs on the controller only.

PRIVATE to the collection.
"""

from __future__ import annotations

import asyncio
import typing as t

from ansible_collections.reseller.mail.plugins.module_utils._dkim import KeyName, Shown
from ansible_collections.reseller.mail.plugins.module_utils._verify_dns import tags

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.module_utils._dns_query import Asker, Reply

AT_ONCE = 200
"""Names that are asked for side by side: each is a few questions, which the asker bounds by itself."""
LINKS = 8
"""CNAMEs that are followed from a selector's name, where a tenant delegated it."""


async def look(asker: Asker, keys: t.Mapping[KeyName, str]) -> tuple[dict[KeyName, Shown], dict[KeyName, str]]:
    """The keys (name → public half) that are shown, and for the others why they are not."""
    shown: dict[KeyName, Shown] = {}
    missing: dict[KeyName, str] = {}
    waiting = iter(sorted(keys.items()))

    async def work() -> None:
        for name, public in waiting:
            found = await _look(asker, str(name), public)
            if isinstance(found, Shown):
                shown[name] = found
            else:
                missing[name] = found

    await asyncio.gather(*(work() for _worker in range(min(AT_ONCE, len(keys)))))
    return shown, missing


async def _look(asker: Asker, name: str, public: str) -> t.Union[Shown, str]:
    asked: list[str] = []
    for _link in range(LINKS):
        replies = await asker.authoritative(name, "TXT")
        unknown = await _unknown(asker, name)
        if unknown:
            return unknown
        asked += [reply.server for reply in replies]
        aliases = {reply.alias for reply in replies}
        if aliases == {""}:
            faults = [f"{reply.server}: {fault}" for reply in replies if (fault := _fault(reply, public))]
            return "; ".join(faults) if faults else Shown(public, tuple(dict.fromkeys(asked)))
        if len(aliases) > 1:
            return "its servers do not agree whether it is a CNAME"
        (name,) = aliases
    return f"more than {LINKS} CNAMEs"


async def _unknown(asker: Asker, name: str) -> str:
    """Why not all servers could be asked: one that is left out would be a server that may not show the key."""
    zone = await asker.zone_of(name)
    if zone is None:
        return "no authoritative server is known"
    servers = {server.name for server in await asker.servers_of(zone)}
    names = {value.rstrip(".") for value in (await asker.look_up(zone, "NS")).values}
    lost = sorted(names - servers)
    if lost or not names:
        return f"{', '.join(lost) or f'the servers of {zone}'} cannot be found"
    return ""


def _fault(reply: Reply, public: str) -> str:
    """What keeps a verifier that asks this server from finding this key; empty when nothing does."""
    if reply.state == "silent":
        return reply.why
    if reply.state == "none":
        return "no such record"
    if len(reply.values) > 1:
        return "more than one TXT record"  # RFC 6376 section 3.6.2.2: what then counts is undefined
    (text,) = reply.values
    return "" if tags(text).get("p") == public else "another key"
