# SPDX-License-Identifier: GPL-3.0-or-later
"""Which networks fail2ban has banned from a mail host, why, and how a ban ends.

PRIVATE to the collection. Runs on the host; standard library only. Role firewall configures the
jails.
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
import time
import typing as t

from .generation.store import Run
from .timestamps import timestamp

JAILS: t.Final[dict[str, str]] = {
    "login": "wrong passwords",
    "smtp": "failed sessions on port 25",
    "web": "wrong passwords of the guide",
}
"""Why each of our jails bans. In fail2ban, their names begin with ``reseller-mail-``."""
ALL = "all"
"""The subject that is every ban."""
SETTINGS = "/etc/fail2ban/jail.d/reseller-mail.conf"
"""The jails. Without this file, the role does not ban."""
LOG = "reseller-mail-login-limit.service"
"""The unit that writes which network gave a wrong password for which account."""
Network = t.Union[ipaddress.IPv4Network, ipaddress.IPv6Network]

_ROW = re.compile(r"(\S+)\s+(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) \+ (-?\d+) = ")
"""A line of ``fail2ban-client get JAIL banip --with-time``: network, begin, seconds, end."""
_WRONG = re.compile(r"wrong password from (\S+) for (\S+)")


class BansError(Exception):
    """Bans cannot be read or ended. The message says why."""


class Ban(t.NamedTuple):
    """A ban: why, whose, and from when until when (seconds since 1970)."""

    jail: str
    network: str
    since: int
    until: int

    def as_dict(self) -> dict[str, str]:
        """Return the ban with times as text."""
        return {
            "network": self.network,
            "reason": JAILS[self.jail],
            "since": timestamp(self.since),
            "until": timestamp(self.until),
        }


def banned(run: Run) -> list[Ban]:
    """Return all bans, by jail and time. Raise BansError if fail2ban or a jail does not answer."""
    found = []
    for jail in JAILS:
        output = _client(run, "get", _name(jail), "banip", "--with-time")
        for row in _ROW.finditer(output):
            # fail2ban writes the host's local time. Its offset is that of this time.
            since = int(time.mktime(time.strptime(row[2], "%Y-%m-%d %H:%M:%S")))
            found.append(Ban(jail, row[1], since, since + int(row[3])))
    return found


def of_subject(bans: t.Sequence[Ban], subject: str, run: Run) -> list[Ban]:
    """Return the bans of an address, of addresses in a network, of those who guessed at an account,
    or all.

    Raise BansError if the subject is none of these, or if the log cannot be read.
    """
    if subject == ALL:
        return list(bans)
    if "@" in subject:
        guessers = guessed_at(subject, bans, run)
        return [one for one in bans if one.jail == "login" and one.network in guessers]
    wanted = network_of(subject)
    return [one for one in bans if _overlaps(ipaddress.ip_network(one.network), wanted)]


def network_of(text: str) -> Network:
    """Return an address or a network as a network, or raise BansError."""
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        raise BansError(
            f"{text!r} is no address, no network and no account ({error}); allowed: 192.0.2.7,"
            f" 2001:db8::/64, jo@acme.example or {ALL}"
        ) from None


def _overlaps(one: Network, other: Network) -> bool:
    """Return whether two networks have an address in common. IPv4 and IPv6 have none."""
    return one.version == other.version and one.overlaps(other)


def guessed_at(account: str, bans: t.Iterable[Ban], run: Run) -> set[str]:
    """Return the networks that gave wrong passwords for an account, since the hour before the first
    of the bans."""
    since = min((one.since for one in bans), default=None)
    if since is None:
        return set()
    command = ["journalctl", "--output=cat", "--quiet", "--no-pager", f"--unit={LOG}"]
    code, output, errors = run([*command, f"--since=@{since - WINDOW}", "--grep=^wrong password"])
    # journalctl exits with 1 if no line matches.
    if code not in (0, 1) or (code == 1 and errors.strip()):
        raise BansError(f"journalctl: {errors.strip() or output.strip()}")
    lines = map(_WRONG.fullmatch, output.splitlines())
    return {line[1] for line in lines if line and line[2] == account}


WINDOW = 86400
"""How many seconds before the first ban the log is read: more than the time in which attempts
count."""


def unban(bans: t.Iterable[Ban], run: Run) -> None:
    """End bans. Raise BansError if fail2ban does not."""
    for one in bans:
        _client(run, "set", _name(one.jail), "unbanip", one.network)


def in_force(run: Run) -> dict[str, set[str]]:
    """Return the networks that the kernel refuses, by jail. Raise BansError without our table."""
    code, output, errors = run(["nft", "--json", "list", "table", "inet", "reseller_mail"])
    if code:
        raise BansError(f"the nftables table inet reseller_mail is missing: {_first(errors)}")
    sets = [row["set"] for row in json.loads(output)["nftables"] if "set" in row]
    found: dict[str, set[str]] = {jail: set() for jail in JAILS}
    for one in sets:
        jail = one["name"][:-1]
        if jail in found:
            found[jail].update(map(_element, one.get("elem", [])))
    return found


def report(run: Run) -> dict[str, t.Any]:
    """Return what verify needs: whether the host bans (``wanted``), its ``bans``, those that the
    kernel does not know (``open``), and errors of the ``table`` and of ``fail2ban``."""
    found: dict[str, t.Any] = {"wanted": os.path.exists(SETTINGS), "bans": [], "open": []}
    found.update(table="", fail2ban="")
    kernel: dict[str, set[str]] = {}
    try:
        kernel = in_force(run)
    except BansError as error:
        found["table"] = str(error)
    try:
        every = banned(run) if found["wanted"] else []
    except BansError as error:
        every, found["fail2ban"] = [], str(error)
    found["bans"] = [one.as_dict() for one in every]
    found["open"] = [one.network for one in every if one.network not in kernel.get(one.jail, ())]
    return found


def _element(element: t.Any) -> str:
    """Return an element of a set of networks as fail2ban names it."""
    if isinstance(element, dict):
        return f"{element['prefix']['addr']}/{element['prefix']['len']}"
    return str(element)


def _client(run: Run, *words: str) -> str:
    """Return what fail2ban answers, or raise BansError."""
    code, output, errors = run(["fail2ban-client", *words])
    if code:
        raise BansError(f"fail2ban does not answer: {_first(errors or output)}")
    return output


def _first(text: str) -> str:
    """Return the first line of an error."""
    return text.strip().partition("\n")[0] or "no error was shown"


def _name(jail: str) -> str:
    """Return the name that fail2ban has for a jail."""
    return f"reseller-mail-{jail}"
