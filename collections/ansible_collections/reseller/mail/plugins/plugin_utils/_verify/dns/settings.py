# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare the settings that a host serves to mail programs with those of the files.

PRIVATE to the collection. Pure: answers from outside are compared as text, not parsed as XML.
"""

from __future__ import annotations

import re
import typing as t

from .catalogue import Defect

if t.TYPE_CHECKING:
    from ..._dns.https import Fetched

_SERVER = re.compile(r"<(hostname|Server)>\s*([^<\s]{1,253})\s*</\1>")


def faults(host: str, url: str, fetched: Fetched, answer: str) -> t.Iterator[Defect]:
    """Yield what is wrong with the settings: not reachable, another text, or another media type."""
    words = (("host", host), ("url", url))
    if fetched.error or fetched.status != 200:
        yield Defect(
            "dns.settings_unreachable",
            fetched.error or f"{url}: HTTP status {fetched.status}",
            words=words,
        )
    elif fetched.body != answer:
        servers = sorted({name for _tag, name in _SERVER.findall(fetched.body)})
        served = (
            f"servers {', '.join(servers)}"
            if servers
            else f"{len(fetched.body)} characters without a server"
        )
        yield Defect(
            "dns.settings_wrong", f"{url}: not the settings of the files: {served}", words=words
        )
    elif fetched.content_type.partition(";")[0].strip().lower() not in (
        "text/xml",
        "application/xml",
    ):
        yield Defect(
            "dns.settings_wrong",
            f"{url}: Content-Type: {fetched.content_type or 'none'}",
            words=words,
        )
