# SPDX-License-Identifier: GPL-3.0-or-later
"""Which certificates a host must ask for and give up, and why a name cannot have one.

PRIVATE to the collection. Pure: no Ansible, no files, no clock, no randomness.
"""

from __future__ import annotations

import errno
import ipaddress
import re
import typing as t
from dataclasses import dataclass

_ABOUT_ACCOUNT = frozenset({
    "accountDoesNotExist", "badPublicKey", "badSignatureAlgorithm", "externalAccountRequired", "invalidContact", "unsupportedContact", "userActionRequired",
})  # fmt: skip
"""Types of ACME errors (RFC 8555 section 6.7) that no other name can escape."""
_ABOUT_ACCOUNT_OR_NAME = frozenset({"rateLimited", "unauthorized"})
"""Types that mean the account or one name; servers write the name, or a domain above it, into those that mean a name."""
_DETAIL = re.compile(r"^\s*Detail: (?P<detail>.+?)\s*$", re.MULTILINE)
_LAST_EXCEPTIONS = re.compile(
    r".*^Exiting abnormally:$(?P<exceptions>.*)", re.MULTILINE | re.DOTALL
)
_ACME_ERROR = re.compile(
    r"^acme\.messages\.Error: urn:ietf:params:acme:error:(?P<type>\w+)(?: :: (?P<text>.+))?$",
    re.MULTILINE,
)
_NO_SERVER = re.compile(r"^(?:requests|urllib3)\.exceptions\.\w+", re.MULTILINE)
_OS_ERROR = re.compile(r"^(?:\w+Error): \[Errno (?P<number>\d+)\]", re.MULTILINE)
_NAME_TOO_LONG = str(errno.ENAMETOOLONG)
"""certbot makes file names of a certificate's name."""
_LOCKED = re.compile(r"^certbot\.errors\.LockError: ", re.MULTILINE)
_NOISE = re.compile(
    r"^(?:Saving debug log|Account registered|Requesting a certificate|Ask for help|See the logfile|Some challenges have failed|Hint:|Certbot failed"
    r"|Exiting abnormally|Traceback|During handling of|The above exception|AttributeError: can't set attribute|\s)|^$"
)


LONGEST = 500
"""Characters of one reason."""
SHOWN = 5
"""Names that one complaint lists."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is going to do: names to ask for, names whose renewal ends."""

    request: tuple[str, ...]
    retire: tuple[str, ...]


def plan(
    needed: t.Iterable[str], issued: t.Iterable[str], published: t.Iterable[str], *, exclusive: bool
) -> Plan:
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


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there is no certificate, and whether every other name would be refused, too."""

    reason: str
    concerns_all: bool


def in_turn(names: t.Iterable[str], tried: t.Mapping[str, float]) -> list[str]:
    """Return the names in the order in which they are tried: those that never were, then those whose last attempt is oldest.

    A run may end at any name. In this order the names behind it come first in the next run, whatever its owner does.
    """
    return sorted(names, key=lambda name: (tried.get(name, 0.0), name))


def refusal(out: str, err: str, name: str = "") -> Refusal:
    """Return what ``certbot --debug`` says of its failure: the ACME server's own words where there are any.

    What a tenant's web server has answered is a part of the reason. Only the exceptions that certbot ends with decide whether it
    concerns all names. On Debian 12 another exception hides that of ACME in what certbot shows without ``--debug``.
    """
    match = _LAST_EXCEPTIONS.match(err)
    exceptions = match["exceptions"] if match else ""
    problem = _ACME_ERROR.search(exceptions)
    details = list(dict.fromkeys(match["detail"] for match in _DETAIL.finditer(f"{out}\n{err}")))
    if problem:
        reason = problem["text"] or problem["type"]
    elif details:
        reason = "; ".join(details)
    else:
        lines = [line.strip() for line in (out + "\n" + err).splitlines() if not _NOISE.match(line)]
        reason = lines[-1] if lines else "certbot gave no reason"
    return Refusal(
        _printable(reason),
        _concerns_account(problem, name) if problem else _concerns_host(exceptions),
    )


def _printable(text: str) -> str:
    """Return at most so much of a text that strangers wrote, without what a terminal would obey."""
    text = "".join(character if character.isprintable() else "?" for character in text)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _concerns_account(problem: re.Match[str], name: str) -> bool:
    if problem["type"] in _ABOUT_ACCOUNT:
        return True
    return problem["type"] in _ABOUT_ACCOUNT_OR_NAME and not _mentions(problem["text"] or "", name)


def _concerns_host(exceptions: str) -> bool:
    """Whether the ACME server is out of reach, another certbot is at work, or this host cannot write."""
    broken = any(match["number"] != _NAME_TOO_LONG for match in _OS_ERROR.finditer(exceptions))
    return bool(_NO_SERVER.search(exceptions) or _LOCKED.search(exceptions) or broken)


def _mentions(text: str, name: str) -> bool:
    """Return whether a text names a host or one of the domains above it, but a top-level domain."""
    labels = name.split(".")
    domains = {".".join(labels[start:]) for start in range(len(labels) - 1)}
    return bool(domains & set(re.findall(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)+", text.lower())))


def complaints(blocked: t.Mapping[str, str]) -> list[str]:
    """One sentence a reason: where tenants write their own DNS, thousands of names may wait for the same."""
    reasons: dict[str, list[str]] = {}
    for name, reason in sorted(blocked.items()):
        reasons.setdefault(reason, []).append(name)
    return [f"No certificate for {_some(names)}: {reason}." for reason, names in reasons.items()]


def _some(names: t.Sequence[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names) if more <= 1 else f"{', '.join(names[:SHOWN])} and {more} more"


def lines(
    action: Plan, blocked: t.Mapping[str, str], published: t.Iterable[str], removed: t.Iterable[str]
) -> str:
    """The diff, in the user's words: got, given up or removed, replaced."""
    said = [
        *(f"+ certificate {name}" for name in action.request if name not in blocked),
        *(f"- certificate {name}" for name in {*action.retire, *removed}),
        *(f"~ certificate {name}" for name in published if name not in action.request),
    ]
    return "".join(f"{line}\n" for line in sorted(said, key=lambda line: (line[2:], line)))
