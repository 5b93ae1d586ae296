# SPDX-License-Identifier: GPL-3.0-or-later
"""Which next TLS keys every authoritative name server has in its TLSA records.

Does input and output; runs on the controller only.

PRIVATE to the collection.
"""

from __future__ import annotations

import asyncio
import typing as t

from ansible_collections.reseller.mail.plugins.module_utils._host.keys.tls import Evidence

from .dkim_seen import servers
from .dns.mail_hosts import tlsa_text

if t.TYPE_CHECKING:
    from .._dns.query import Asker, Reply


async def look(asker: Asker, keys: t.Mapping[str, str]) -> dict[str, Evidence]:
    """Return the evidence about each host's next key; ``keys`` has the digests by host name."""
    found = await asyncio.gather(*(_look(asker, name, key) for name, key in keys.items()))
    return dict(zip(keys, found, strict=True))


async def _look(asker: Asker, name: str, key: str) -> Evidence:
    """Return the evidence about one host's next key, from every server of its zone."""
    owner = f"_25._tcp.{name}"
    found = await servers(asker, owner)
    if isinstance(found, str):
        return Evidence(key, why=found)
    replies = await asyncio.gather(*(asker.ask(server, owner, "TLSA") for server in found))
    faults = [(reply, fault) for reply in replies if (fault := _fault(reply, key))]
    return Evidence(
        key,
        ttl=max(reply.ttl for reply in replies),
        why="; ".join(f"{reply.server}: {fault}" for reply, fault in faults),
        absent=any(reply.state != "silent" for reply, _fault in faults),
    )


def _fault(reply: Reply, key: str) -> str:
    """Return why a sender that asks this server would not accept the key; empty when it would."""
    if reply.state == "silent":
        return reply.why
    if reply.state == "none":
        return "no TLSA record"
    return "" if f"3 1 1 {key}" in map(tlsa_text, reply.values) else "other TLSA records only"
