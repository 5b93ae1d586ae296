# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare a fetched MTA-STS policy (RFC 8461) with that of the files.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import re
import typing as t

from ..._dns.https import allows_host
from ..._dns.text_records import invalid_policy_lines, mta_sts_policy
from .catalogue import Defect

if t.TYPE_CHECKING:
    from ..._dns.https import Fetched

_ERRORS = {"expired", "name", "untrusted"}
_FIELDS = ("mode", "max_age")


def faults(
    domain: str, url: str, fetched: Fetched, policy: str, hosts: t.Iterable[str]
) -> t.Iterator[Defect]:
    """Yield why senders cannot use the policy, or how it differs from ``policy`` of the files.

    ``hosts`` are the MX hosts in DNS, which the policy must allow.
    """
    words = (
        ("host", f"mta-sts.{domain}"),
        ("url", url),
        ("policy", policy.replace("\r", "").rstrip("\n")),
    )
    unusable = _not_served(fetched) or _not_a_policy(fetched.body)
    for kind, found in [unusable] if unusable else _differences(fetched.body, policy, hosts):
        yield Defect(f"dns.mta_sts_policy_{kind}", found, words=words)


def _not_served(fetched: Fetched) -> t.Optional[tuple[str, str]]:
    """Return why senders get no text: the last part of the finding's id, and what was found."""
    if fetched.error:
        return fetched.kind if fetched.kind in _ERRORS else "unreachable", fetched.error
    if 300 <= fetched.status < 400:
        return "redirect", f"HTTP status {fetched.status} to {fetched.location}"
    if fetched.status != 200:
        return "status", f"HTTP status {fetched.status}"
    if fetched.content_type.partition(";")[0].strip().lower() != "text/plain":
        return "type", f"Content-Type: {fetched.content_type or 'none'}"
    return None


def _not_a_policy(body: str) -> t.Optional[tuple[str, str]]:
    """Return why a text is no policy (RFC 8461 section 3.2), like ``_not_served``."""
    if "\n" not in body and "\r" in body:
        return "lines", "lines end in CR alone"
    have, _patterns = mta_sts_policy(body)
    is_aged = re.fullmatch("[0-9]{1,10}", have.get("max_age", ""))
    is_known = have.get("version") == "STSv1" and have.get("mode") in ("enforce", "testing", "none")
    if not is_known or not is_aged or invalid_policy_lines(body):
        return "syntax", body.replace("\r", "")
    return None


def _differences(body: str, policy: str, hosts: t.Iterable[str]) -> t.Iterator[tuple[str, str]]:
    """Yield how a policy differs from that of the files, like ``_not_served``."""
    (have, _patterns), (want, _mx) = mta_sts_policy(body), mta_sts_policy(policy)
    refused = [host for host in hosts if not allows_host(body, host)]
    if refused and have["mode"] != "none":
        yield "mx", f"no mx line for {', '.join(refused)}"
    for field in _FIELDS:
        if have[field] != want[field]:
            yield field, f"{field}: {have[field]} instead of {want[field]}"
