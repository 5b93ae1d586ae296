# SPDX-License-Identifier: GPL-3.0-or-later
"""Which certificates a host asks for and gives up, and why a name cannot have one.

PRIVATE to the collection. Pure: no Ansible, no files, no clock, no randomness.
"""

from __future__ import annotations

import errno
import ipaddress
import re
import typing as t
from dataclasses import dataclass

_ABOUT_ACCOUNT = frozenset({
    "accountDoesNotExist", "badPublicKey", "badSignatureAlgorithm", "externalAccountRequired",
    "invalidContact", "unsupportedContact", "userActionRequired",
})  # fmt: skip
"""Types of ACME errors (RFC 8555 section 6.7) that concern the account, and so every name."""
_ABOUT_ACCOUNT_OR_NAME = frozenset({"rateLimited", "unauthorized"})
"""Types that concern the account or one name. If a name is concerned, servers write it, or a domain
above it, into the text."""
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
"""Concerns one name only: certbot makes file names of a certificate's name."""
_LOCKED = re.compile(r"^certbot\.errors\.LockError: ", re.MULTILINE)
_NOISE = re.compile(
    r"^(?:Saving debug log|Account registered|Requesting a certificate|Ask for help|See the"
    r" logfile|Some challenges have failed|Hint:|Certbot failed"
    r"|Exiting abnormally|Traceback|During handling of|The above exception|AttributeError: can't"
    r" set attribute|\s)|^$"
)


LONGEST = 500
"""Characters of one reason."""
SHOWN = 5
"""Names that one complaint lists."""


@dataclass(frozen=True, slots=True)
class CertificateChanges:
    """What a run is going to do: names to ask for, and names whose renewal ends."""

    request: tuple[str, ...]
    retire: tuple[str, ...]


def plan(
    needed: t.Iterable[str], issued: t.Iterable[str], published: t.Iterable[str], *, exclusive: bool
) -> CertificateChanges:
    """Return which certificates are missing and, if ``exclusive``, which are not needed any more.

    Only what this host published is given up: its other certificates belong to somebody else.
    """
    wanted, have = set(needed), set(issued)
    gone = (have & set(published)) - wanted if exclusive else set()
    return CertificateChanges(tuple(sorted(wanted - have)), tuple(sorted(gone)))


def plan_for_names(
    names: t.Collection[str],
    hostname: str,
    issued: t.Iterable[str],
    published: t.Iterable[str],
    *,
    exclusive: bool,
    acme: bool,
) -> CertificateChanges:
    """Return what a run for these names does.

    The node's own certificate is never given up, and is asked for only if its name is one of
    ``names``. Certificates that are supplied as files are not renewed by certbot, so none is given
    up there.
    """
    whole = plan({hostname, *names}, issued, published, exclusive=exclusive)
    return CertificateChanges(
        tuple(name for name in whole.request if name in names), whole.retire if acme else ()
    )


def unreachable(found: t.Iterable[str], node: t.Iterable[str]) -> str:
    """Return why an ACME server would not reach this node under a name; empty when it would.

    ``found`` are the name's addresses, ``node`` are the node's. The server may try any address of
    the name, so every one must be the node's. Loopback addresses come from the host's own
    /etc/hosts and prove nothing about DNS. A node without known addresses accepts any.
    """
    ours = {ipaddress.ip_address(address) for address in node}
    theirs = {ipaddress.ip_address(address) for address in found}
    elsewhere = sorted(str(address) for address in theirs - ours if not address.is_loopback)
    if elsewhere and ours:
        return (
            f"its DNS points to {', '.join(elsewhere)}, not to this node"
            f" ({', '.join(sorted(map(str, ours)))})"
        )
    return ""


def not_supplied(*, check_mode: bool, required: bool) -> str:
    """Return why a name without a supplied certificate has none; empty when it will get one.

    In check mode the role has not copied the certificate that it requires yet.
    """
    return "" if check_mode and required else "no certificate was supplied for it"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there is no certificate, and whether every other name would be refused as well."""

    reason: str
    concerns_all: bool


def in_turn(names: t.Iterable[str], tried: t.Mapping[str, float]) -> list[str]:
    """Return the names in the order in which they are tried.

    Names that were never tried come first, then those whose last attempt is oldest. A run may end
    at any name. In this order the names after it come first in the next run, whatever the owner of
    that name does. ``tried`` has the time of the last attempt in seconds since 1970.
    """
    return sorted(names, key=lambda name: (tried.get(name, 0.0), name))


def try_names(
    names: t.Iterable[str],
    obstacle: t.Callable[[str], str],
    ask: t.Optional[t.Callable[[str], t.Optional[Refusal]]],
    clock: t.Callable[[], float],
) -> tuple[dict[str, str], dict[str, float]]:
    """Ask for certificates; return why names have none, and when the CA was asked for which name.

    ``obstacle`` returns why a name is not asked for. Such a name costs no attempt, no run ends at
    it, and its time stays: a run with nothing to do writes nothing. ``ask`` asks for one
    certificate; without it none is asked for. After a refusal that concerns all names the others
    are not tried.
    """
    blocked: dict[str, str] = {}
    tried: dict[str, float] = {}
    stop = ""
    for name in names:
        reason = stop or obstacle(name)
        if not reason and ask is not None:
            tried[name] = clock()
            refused = ask(name)
            if refused:
                reason = refused.reason
                if refused.concerns_all:
                    stop = f"not tried after {name}: {refused.reason}"
        if reason:
            blocked[name] = reason
    return blocked, tried


def to_remember(
    blocked: t.Iterable[str], noted: t.Iterable[str], names: t.Iterable[str], *, exclusive: bool
) -> set[str]:
    """Return the names whose last attempt is remembered: those without a certificate.

    A run that is not ``exclusive`` knows nothing of other names, so their notes stay.
    """
    return {*blocked} if exclusive else {*blocked} | ({*noted} - {*names})


def refusal(out: str, err: str, name: str = "") -> Refusal:
    """Return why ``certbot --debug`` failed, from its output: in the ACME server's words if it has
    any.

    The reason may hold what a tenant's web server answered. So only the exceptions that certbot
    ends with decide whether the failure concerns all names. On Debian 12 another exception hides
    that of ACME in what certbot shows without ``--debug``.
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
    """Return the first ``LONGEST`` characters of a text that others wrote, without characters that
    a terminal would obey."""
    text = "".join(character if character.isprintable() else "?" for character in text)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _concerns_account(problem: re.Match[str], name: str) -> bool:
    """Return whether an ACME error concerns the account, and not this name alone."""
    if problem["type"] in _ABOUT_ACCOUNT:
        return True
    return problem["type"] in _ABOUT_ACCOUNT_OR_NAME and not _mentions(problem["text"] or "", name)


def _concerns_host(exceptions: str) -> bool:
    """Return whether the ACME server is out of reach, another certbot runs, or this host cannot
    write."""
    broken = any(match["number"] != _NAME_TOO_LONG for match in _OS_ERROR.finditer(exceptions))
    return bool(_NO_SERVER.search(exceptions) or _LOCKED.search(exceptions) or broken)


def _mentions(text: str, name: str) -> bool:
    """Return whether a text has a host name or a domain above it; a top-level domain does not
    count."""
    labels = name.split(".")
    domains = {".".join(labels[start:]) for start in range(len(labels) - 1)}
    return bool(domains & set(re.findall(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)+", text.lower())))


def complaints(blocked: t.Mapping[str, str]) -> list[str]:
    """Return one sentence for each reason, with the names that it concerns.

    Where tenants write their own DNS, thousands of names may have the same reason.
    """
    reasons: dict[str, list[str]] = {}
    for name, reason in sorted(blocked.items()):
        reasons.setdefault(reason, []).append(name)
    return [f"No certificate for {_some(names)}: {reason}." for reason, names in reasons.items()]


def _some(names: t.Sequence[str]) -> str:
    """Return the first ``SHOWN`` names and how many more there are."""
    more = len(names) - SHOWN
    return ", ".join(names) if more <= 1 else f"{', '.join(names[:SHOWN])} and {more} more"


def lines(
    action: CertificateChanges,
    blocked: t.Mapping[str, str],
    published: t.Iterable[str],
    removed: t.Iterable[str],
) -> str:
    """Return the diff: certificates that were issued, given up or removed, or replaced."""
    found = [
        *(f"+ certificate {name}" for name in action.request if name not in blocked),
        *(f"- certificate {name}" for name in {*action.retire, *removed}),
        *(f"~ certificate {name}" for name in published if name not in action.request),
    ]
    return "".join(f"{line}\n" for line in sorted(found, key=lambda line: (line[2:], line)))


def result(
    names: t.Sequence[str],
    action: CertificateChanges,
    blocked: t.Mapping[str, str],
    deployed: t.Mapping[str, t.Any],
) -> dict[str, t.Any]:
    """Return what the module returns. ``deployed`` is the report of the certificate hook."""
    diff = lines(action, blocked, deployed.get("published", []), deployed.get("removed", []))
    return {
        "changed": bool(diff or deployed.get("rebuilt")),
        "certificates": [
            {
                "name": name,
                "state": _state(name, action, blocked),
                "reason": blocked.get(name, ""),
            }
            for name in names
        ],
        "deployed": deployed,
        "diff": {"prepared": diff},
    }


def _state(name: str, action: CertificateChanges, blocked: t.Container[str]) -> str:
    """Return whether a name's certificate is blocked, issued in this run, or was there before."""
    if name in blocked:
        return "blocked"
    return "issued" if name in action.request else "present"


def with_refused(blocked: t.Mapping[str, str], deployed: t.Mapping[str, t.Any]) -> dict[str, str]:
    """Return the blocked names together with those whose certificate the hook refused."""
    refused = deployed.get("refused", {})
    return {**blocked, **{name: f"refused: {reason}" for name, reason in refused.items()}}
