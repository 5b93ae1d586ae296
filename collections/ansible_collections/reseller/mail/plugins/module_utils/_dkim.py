# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of a host's DKIM keys: generated → published → active → retired → removed, and revoked when one is compromised.

PRIVATE to the collection. Pure: no Ansible, no files, no clock, no randomness. Standard library only: it runs on the host.

What holds whatever happens, one domain and algorithm (a *lane*) at a time:

* a key becomes active only in a run that was shown it by every authoritative server of its domain;
* while a lane is wanted and has an active key, it keeps one: a key retires when its successor becomes active, not before. One whose
  private half is lost gets a successor at once, and signs no more;
* no key goes back to an earlier state, and no selector is used twice;
* a private half is destroyed only when no generation that serves names it.
"""

from __future__ import annotations

import base64
import calendar
import re
import time
import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.reseller.mail.plugins.module_utils import _public_key

STATES = ("generated", "published", "active", "retired", "revoked", "removed")
"""In the order in which a key passes through them; it may leave some out."""
PENDING = ("generated", "published")
ALGORITHMS = ("rsa", "ed25519")
BITS = 2048
"""What every verifier takes (RFC 8301 section 3.2) and still fits a UDP answer."""
DAY = 86400
OVERLAP_DAYS = 7
"""How long mail may be under way: senders give up after five days (RFC 5321 section 4.5.4.1), people read it later."""
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"
_ED25519_HEAD = base64.b64decode("MCowBQYDK2VwAyEA")
"""What stands before the 32 bytes of a public Ed25519 key in PEM (RFC 8410); DNS holds the 32 bytes alone (RFC 8463 section 4)."""


class Lane(t.NamedTuple):
    """Keys that follow one another: those of one domain and algorithm."""

    domain: str
    algorithm: str


@dataclass(frozen=True, slots=True, order=True)
class KeyName:
    """Which key: a domain's, under a selector."""

    domain: str
    selector: str

    def __str__(self) -> str:
        return f"{self.selector}._domainkey.{self.domain}"


@dataclass(frozen=True, slots=True)
class Key:
    """One key as the host knows it. ``since`` is when it came into its state, ``private`` whether its private half is there;
    ``shown_by`` are the name servers that showed it before it signed. Times are seconds since 1970."""

    name: KeyName
    algorithm: str
    public: str
    state: str
    since: int
    made: int
    private: bool = True
    compromised: bool = False
    shown_by: tuple[str, ...] = ()

    @property
    def lane(self) -> Lane:
        return Lane(self.name.domain, self.algorithm)

    def at(self, state: str, now: int) -> Key:
        return replace(self, state=state, since=now)


@dataclass(frozen=True, slots=True)
class Shown:
    """Evidence: every authoritative server shows this public half."""

    public: str
    servers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Orders:
    """What a run is told. ``wanted``: the lanes that sign here and the days after which a new key takes over. ``serving``: the keys
    that daemons may be using; None when that is not known. ``known``: what this node was reported to have. ``taken``: by domain,
    selectors that are somebody else's. ``rotate`` and ``compromised`` name domains."""

    node: str
    wanted: t.Mapping[Lane, t.Optional[int]]
    now: int
    shown: t.Mapping[KeyName, Shown] = field(default_factory=dict)
    serving: t.Optional[t.Collection[KeyName]] = ()
    known: t.Sequence[Key] = ()
    taken: t.Mapping[str, t.Collection[str]] = field(default_factory=dict)
    overlap: int = OVERLAP_DAYS * DAY
    settle: int = 0
    rotate: t.Container[str] = ()
    compromised: t.Container[str] = ()
    compromised_before: int = 0

    def serves(self, key: Key) -> bool:
        return self.serving is None or key.name in self.serving


@dataclass(frozen=True, slots=True)
class Plan:
    """``after``: every key as it shall be noted; a public half of "" is yet to be read, of a private half yet to be made.
    ``lost`` are the keys that should sign and cannot; their successors are on their way."""

    before: t.Mapping[KeyName, Key]
    after: t.Mapping[KeyName, Key]
    lost: tuple[KeyName, ...] = ()

    @property
    def create(self) -> list[Key]:
        """Keys to be made."""
        return [key for key in self.after.values() if not key.public and not key.private]

    @property
    def note(self) -> list[Key]:
        """Keys whose note changes."""
        return [
            key for key in self.after.values() if not key.public or self.before.get(key.name) != key
        ]

    @property
    def destroy(self) -> list[Key]:
        """Private halves to be destroyed."""
        return [
            key
            for key in self.after.values()
            if key.private and key.state in ("revoked", "removed")
        ]

    @property
    def forget(self) -> list[Key]:
        """Keys whose note is of no use any more."""
        return [key for name, key in self.before.items() if name not in self.after]

    def lines(self) -> str:
        """The diff, in the users' words."""
        said, destroyed = [], {key.name for key in self.destroy}
        for name, key in sorted(self.after.items()):
            old = self.before.get(name)
            if old is None:
                said.append(f"+ dkim key {name} {key.algorithm} {key.state}")
            elif old.state != key.state:
                shown = (
                    f", shown by {', '.join(key.shown_by)}" if key.shown_by != old.shown_by else ""
                )
                said.append(f"~ dkim key {name} {old.state} -> {key.state}{shown}")
            elif not old.public:
                said.append(f"~ dkim key {name} public half noted")
            elif old != key:
                news = (
                    "compromised"
                    if key.compromised != old.compromised
                    else "still signs"
                    if key.state == "retired"
                    else "noted anew"
                )
                said.append(f"~ dkim key {name} {news}")
            elif name in destroyed:
                said.append(f"- dkim key {name} private half")
        said += [
            f"- dkim key {key.name} forgotten"
            for key in sorted(self.forget, key=lambda key: key.name)
        ]
        return "".join(f"{line}\n" for line in said)


def plan(keys: t.Iterable[Key], orders: Orders) -> Plan:
    """Where every key goes from here."""
    before = {key.name: key for key in keys}
    lanes: dict[Lane, list[Key]] = {lane: [] for lane in orders.wanted}
    for key in before.values():
        lanes.setdefault(key.lane, []).append(key)
    noted = {key.lane for key in before.values()}
    for key in orders.known:
        # A host that lost its notes: what the world was told is withdrawn in order, and its selectors stay used.
        if key.lane not in noted and key.name not in before:
            state = key.state if key.state in ("revoked", "removed") else "retired"
            lanes.setdefault(key.lane, []).append(replace(key.at(state, orders.now), private=False))
    counted: dict[Lane, int] = {}
    for key in (*before.values(), *orders.known):
        counted[key.lane] = max(
            counted.get(key.lane, 0), number(orders.node, key.algorithm, key.name.selector)
        )
    after: dict[KeyName, Key] = {}
    lost: list[KeyName] = []
    for lane, found in sorted(lanes.items()):
        kept, missing = _lane(lane, found, orders, counted.get(lane, 0))
        after.update((key.name, key) for key in kept)
        lost += missing
    return Plan(before, after, tuple(lost))


def _lane(
    lane: Lane, found: list[Key], orders: Orders, counted: int
) -> tuple[list[Key], list[KeyName]]:
    """The lane's keys as they shall be, and those that are lost."""
    wanted = lane in orders.wanted
    found = sorted(
        found, key=lambda key: (number(orders.node, lane.algorithm, key.name.selector), key.since)
    )
    keys = [_on(_judged(key, orders), wanted, orders) for key in found]
    # The newest one's note stays for good: it keeps its selector from being used again.
    keys = [
        key
        for key in keys
        if key.state != "removed" or key.name == found[-1].name or not _past(key, orders)
    ]
    active = [key for key in keys if key.state == "active"]
    ready = [
        key
        for key in keys
        if key.state == "published"
        and _is_shown(key, orders)
        and orders.now - key.since >= orders.settle
    ]
    successor = ready[-1] if wanted and ready else None
    for key in active if successor or not wanted else active[:-1]:
        keys[keys.index(key)] = _on(key.at("retired", orders.now), wanted, orders)
    if successor:
        keys[keys.index(successor)] = successor.at("active", orders.now)
        return keys, []
    # A lost key stays active: should its file come back it signs again, until the successor does.
    lost = [active[-1].name] if wanted and active and not active[-1].private else []
    waits = any(key.state in PENDING for key in keys)
    if wanted and not waits and (lost or _due(active[-1] if active else None, lane, orders)):
        keys.append(
            Key(
                _next(lane, orders, counted),
                lane.algorithm,
                "",
                "generated",
                orders.now,
                orders.now,
                private=False,
            )
        )
    return keys, lost


def _judged(key: Key, orders: Orders) -> Key:
    """With what the operator says of it."""
    domain = key.name.domain
    if (
        domain in orders.compromised
        and key.made < orders.compromised_before
        and key.state not in ("revoked", "removed")
    ):
        key = replace(key, compromised=True)
    if key.state == "active" and not key.private and key.compromised:
        return key.at("retired", orders.now)
    return key


def _on(key: Key, wanted: bool, orders: Orders) -> Key:
    """Where one key goes by itself."""
    if key.state in PENDING and key.public:
        if key.compromised:
            return key.at("revoked", orders.now)
        if not wanted or not key.private:
            return key.at("removed", orders.now)
        if key.state == "generated" and _is_shown(key, orders):
            return replace(key.at("published", orders.now), shown_by=orders.shown[key.name].servers)
    if key.state == "retired" and orders.serves(key):
        # A run that broke off before the switch: the key signs to this hour, and what it signs is under way for a week from now.
        return key.at("retired", orders.now) if orders.now - key.since >= DAY else key
    if key.state == "retired":
        if key.compromised:
            return key.at("revoked", orders.now)
        if _past(key, orders):
            return key.at("removed", orders.now)
    if key.state == "revoked" and _past(key, orders):
        return key.at("removed", orders.now)
    return key


def _is_shown(key: Key, orders: Orders) -> bool:
    shown = orders.shown.get(key.name)
    return shown is not None and shown.public == key.public


def _past(key: Key, orders: Orders) -> bool:
    return orders.now - key.since >= orders.overlap


def _due(active: t.Optional[Key], lane: Lane, orders: Orders) -> bool:
    if active is None or active.compromised or lane.domain in orders.rotate:
        return True
    days = orders.wanted[lane]
    return days is not None and orders.now - active.since >= days * DAY


def _base(node: str, algorithm: str) -> str:
    return node if algorithm == "rsa" else f"{node}-{algorithm}"


def number(node: str, algorithm: str, selector: str) -> int:
    """Which one of its lane a selector names: 1, 2, …; 0 when it is not this node's way of naming them."""
    match = re.fullmatch(re.escape(_base(node, algorithm)) + r"(?:-([1-9][0-9]*))?", selector)
    return int(match[1] or 1) if match else 0


def _next(lane: Lane, orders: Orders, counted: int) -> KeyName:
    """The first is the node's name, so that private keys never travel between nodes; its successors count."""
    base = _base(orders.node, lane.algorithm)
    taken = orders.taken.get(lane.domain, ())
    while True:
        counted += 1
        selector = base if counted == 1 else f"{base}-{counted}"
        if selector not in taken:
            return KeyName(lane.domain, selector)


def reported(key: Key, orders: Orders) -> bool:
    """Whether the world shall still be told something about a key: to look away is something too."""
    return bool(key.public) and not (key.state == "removed" and _past(key, orders))


def from_report(key: t.Mapping[str, str], now: int) -> Key:
    """A key as ``state/<node>.json`` tells of it: public half, no private one."""
    since = seconds(key["since"]) if key["since"] else now
    return Key(
        KeyName(key["domain"], key["selector"]),
        key["algorithm"],
        key["public"],
        key["state"],
        since,
        since,
        private=False,
    )


def seconds(moment: str) -> int:
    """2026-11-21T14:00:00Z as seconds since 1970."""
    try:
        return calendar.timegm(time.strptime(moment, _MOMENT))
    except ValueError:
        raise ValueError(f"{moment!r} is not a time such as 2026-11-21T14:00:00Z") from None


def moment(at: int) -> str:
    """Seconds since 1970 as people and files write it."""
    return time.strftime(_MOMENT, time.gmtime(at))


def public_half(pem: str) -> str:
    """The p= tag (RFC 6376 section 3.6.1, RFC 8463 section 4) of a public key in PEM; ValueError when it is none."""
    return base64.b64encode(_public_key.der(pem).removeprefix(_ED25519_HEAD)).decode()
