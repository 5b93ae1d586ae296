# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges a fetched MTA-STS policy (RFC 8461).

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import re
import typing as t

from .._https_policy import covers
from .._text_records import mta_sts_policy, strange_lines
from .catalogue import Fault

if t.TYPE_CHECKING:
    from .._https_policy import Fetched

_ERRORS = {"expired", "name", "untrusted"}
_FIELDS = ("mode", "max_age")


def faults(
    domain: str, url: str, fetched: Fetched, policy: str, hosts: t.Iterable[str]
) -> t.Iterator[Fault]:
    """What keeps senders from this policy, or this policy from being the one of the files. ``hosts`` are the MX that the world sees."""
    words = (
        ("host", f"mta-sts.{domain}"),
        ("url", url),
        ("policy", policy.replace("\r", "").rstrip("\n")),
    )

    def fault(kind: str, found: str) -> Fault:
        return Fault(f"dns.mta_sts_policy_{kind}", found, words=words)

    if fetched.error:
        yield fault(fetched.kind if fetched.kind in _ERRORS else "unreachable", fetched.error)
        return
    if fetched.status != 200:
        moved = 300 <= fetched.status < 400
        yield fault(
            "redirect" if moved else "status",
            f"HTTP status {fetched.status}{f' to {fetched.location}' if moved else ''}",
        )
        return
    if fetched.content_type.partition(";")[0].strip().lower() != "text/plain":
        yield fault("type", f"Content-Type: {fetched.content_type or 'none'}")
        return
    body, (want, _mx) = fetched.body, mta_sts_policy(policy)
    if "\n" not in body and "\r" in body:
        yield fault("lines", "lines end in CR alone")
        return
    have, _patterns = mta_sts_policy(body)
    is_aged = re.fullmatch("[0-9]{1,10}", have.get("max_age", ""))
    is_known = have.get("version") == "STSv1" and have.get("mode") in ("enforce", "testing", "none")
    if not is_known or not is_aged or strange_lines(body):
        yield fault("syntax", body.replace("\r", ""))
        return
    strangers = [host for host in hosts if not covers(body, host)]
    if strangers and have["mode"] != "none":
        yield fault("mx", f"no mx line for {', '.join(strangers)}")
    for field in _FIELDS:
        if have[field] != want[field]:
            yield fault(field, f"{field}: {have[field]} instead of {want[field]}")
