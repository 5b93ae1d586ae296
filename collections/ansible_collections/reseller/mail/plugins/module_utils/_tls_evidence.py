# SPDX-License-Identifier: GPL-3.0-or-later
"""Which next TLS keys every authoritative name server shows. Does input and output; runs on the controller only.

PRIVATE to the collection.
"""

from __future__ import annotations

import asyncio
import typing as t

from ansible_collections.reseller.mail.plugins.module_utils._dkim_evidence import servers
from ansible_collections.reseller.mail.plugins.module_utils._tls_keys import Evidence
from ansible_collections.reseller.mail.plugins.module_utils._verify_dns.mail_hosts import tlsa_text

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.module_utils._dns_query import Asker, Reply


async def look(asker: Asker, keys: t.Mapping[str, str]) -> dict[str, Evidence]:
    """By host name; ``keys`` are their next keys' digests."""
    found = await asyncio.gather(*(_look(asker, name, key) for name, key in keys.items()))
    return dict(zip(keys, found, strict=True))


async def _look(asker: Asker, name: str, key: str) -> Evidence:
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
    """Why whoever asks this server would not take the key for the host's; empty when it would."""
    if reply.state == "silent":
        return reply.why
    if reply.state == "none":
        return "no TLSA record"
    return "" if f"3 1 1 {key}" in map(tlsa_text, reply.values) else "other TLSA records only"
