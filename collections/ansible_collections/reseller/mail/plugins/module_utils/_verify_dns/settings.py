# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges what a host tells mail programs that ask for their settings.

PRIVATE to the collection. Pure: what strangers serve is compared, not parsed.
"""

from __future__ import annotations

import re
import typing as t

from .catalogue import Fault

if t.TYPE_CHECKING:
    from .._https_policy import Fetched

_SERVER = re.compile(r"<(hostname|Server)>\s*([^<\s]{1,253})\s*</\1>")


def faults(host: str, url: str, fetched: Fetched, answer: str) -> t.Iterator[Fault]:
    """What keeps mail programs from these settings, or these settings from being those of the files."""
    words = (("host", host), ("url", url))
    if fetched.error or fetched.status != 200:
        yield Fault(
            "dns.settings_unreachable",
            fetched.error or f"{url}: HTTP status {fetched.status}",
            words=words,
        )
    elif fetched.body != answer:
        servers = sorted({name for _tag, name in _SERVER.findall(fetched.body)})
        said = (
            f"servers {', '.join(servers)}"
            if servers
            else f"{len(fetched.body)} characters that name no server"
        )
        yield Fault(
            "dns.settings_wrong", f"{url}: another answer than the files': {said}", words=words
        )
    elif fetched.content_type.partition(";")[0].strip().lower() not in (
        "text/xml",
        "application/xml",
    ):
        yield Fault(
            "dns.settings_wrong",
            f"{url}: Content-Type: {fetched.content_type or 'none'}",
            words=words,
        )
