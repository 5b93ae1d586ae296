# SPDX-License-Identifier: GPL-3.0-or-later
"""Which certificates a host must ask for and give up, and why a name cannot have one.

PRIVATE to the collection. Pure: no Ansible, no files, no clock, no randomness.
"""

from __future__ import annotations

import ipaddress
import re
import typing as t
from dataclasses import dataclass

_STOP = re.compile(
    r"rateLimited|too many (?:certificates|failed|new|requests)|ValueError: Requesting |ConnectionError|Max retries exceeded|Another instance of Certbot",
    re.IGNORECASE,
)
_DETAIL = re.compile(r"^\s*Detail: (?P<detail>.+?)\s*$", re.MULTILINE)
_NOISE = re.compile(
    r"^(?:Saving debug log|Account registered|Requesting a certificate|Ask for help|See the logfile|Some challenges have failed|Hint:|Certbot failed|\s*$)"
)


SHOWN = 5
"""Names that one complaint lists."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is going to do: names to ask for, names whose renewal ends."""

    request: tuple[str, ...]
    retire: tuple[str, ...]


def plan(needed: t.Iterable[str], issued: t.Iterable[str], published: t.Iterable[str], *, exclusive: bool) -> Plan:
    """Only what was published is ever given up: other certificates on the host belong to somebody else."""
    wanted, have = set(needed), set(issued)
    gone = (have & set(published)) - wanted if exclusive else set()
    return Plan(tuple(sorted(wanted - have)), tuple(sorted(gone)))


def unreachable(found: t.Iterable[str], node: t.Iterable[str]) -> str:
    """Why an ACME server would not come to this node for a name with the addresses ``found``; empty when it would.

    It may try any address of the name, so every one must be the node's. Loopback addresses come from the host's own
    /etc/hosts and say nothing about the world.
    """
    ours = {ipaddress.ip_address(address) for address in node}
    theirs = {ipaddress.ip_address(address) for address in found}
    elsewhere = sorted(str(address) for address in theirs - ours if not address.is_loopback)
    if elsewhere and ours:
        return f"its DNS points to {', '.join(elsewhere)}, not to this node ({', '.join(sorted(map(str, ours)))})"
    return ""


def refusal(output: str) -> str:
    """The one sentence of certbot's output that says why: the ACME server's own words where there are any."""
    details = list(dict.fromkeys(match["detail"] for match in _DETAIL.finditer(output)))
    if details:
        return "; ".join(details)
    lines = [line.strip() for line in output.splitlines() if not _NOISE.match(line)]
    return lines[-1] if lines else "certbot gave no reason"


def hopeless(output: str) -> bool:
    """Whether asking for the next name now can only fail too, or cost more of a rate limit."""
    return bool(_STOP.search(output))


def complaints(blocked: t.Mapping[str, str]) -> list[str]:
    """One sentence a reason: where tenants write their own DNS, thousands of names may wait for the same."""
    reasons: dict[str, list[str]] = {}
    for name, reason in sorted(blocked.items()):
        reasons.setdefault(reason, []).append(name)
    return [f"No certificate for {_some(names)}: {reason}." for reason, names in reasons.items()]


def _some(names: t.Sequence[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names) if more <= 1 else f"{', '.join(names[:SHOWN])} and {more} more"


def lines(action: Plan, blocked: t.Mapping[str, str], published: t.Iterable[str], removed: t.Iterable[str]) -> str:
    """The diff, in the user's words: got, given up or removed, replaced."""
    said = [
        *(f"+ certificate {name}" for name in action.request if name not in blocked),
        *(f"- certificate {name}" for name in {*action.retire, *removed}),
        *(f"~ certificate {name}" for name in published if name not in action.request),
    ]
    return "".join(f"{line}\n" for line in sorted(said, key=lambda line: (line[2:], line)))
