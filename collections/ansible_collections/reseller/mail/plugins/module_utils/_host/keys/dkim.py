# SPDX-License-Identifier: GPL-3.0-or-later
"""The states of a host's DKIM keys, and which key goes into which state in a run.

PRIVATE to the collection. Pure: no Ansible, no files, no clock, no randomness. Standard library
only: it runs on the host.

A key is generated → published → active → retired → removed, or revoked when it is compromised. The
keys of one domain and algorithm are a *series*. These rules hold for every series:

* A key becomes active only in a run in which every authoritative server of its domain shows it.
* While a series is wanted and has an active key, it keeps one: a key retires when its successor
  becomes active, not before. A key whose private half is lost gets a successor at once, and signs
  no more.
* No key goes back to an earlier state, and no selector is used twice.
* A private half is destroyed only when no generation that serves names it.
"""

from __future__ import annotations

import base64
import typing as t
from dataclasses import dataclass, field, replace

from ..timestamps import seconds
from .key_names import PENDING, base_selector, number
from .pem import der

BITS = 2048
"""Length of RSA keys: every verifier takes it (RFC 8301 section 3.2), and it fits a UDP answer."""
DAY = 86400
OVERLAP_DAYS = 7
"""How long mail may be under way: senders give up after five days (RFC 5321 section 4.5.4.1), and
people read it later."""
_ED25519_HEAD = base64.b64decode("MCowBQYDK2VwAyEA")
"""The bytes before the 32 bytes of a public Ed25519 key in PEM (RFC 8410); DNS has the 32 bytes
alone (RFC 8463 section 4)."""


class KeySeries(t.NamedTuple):
    """The keys of one domain and algorithm; each follows the one before."""

    domain: str
    algorithm: str


@dataclass(frozen=True, slots=True, order=True)
class KeyName:
    """The name of a key: the domain that it signs for, and its selector."""

    domain: str
    selector: str

    def __str__(self) -> str:
        return f"{self.selector}._domainkey.{self.domain}"


@dataclass(frozen=True, slots=True)
class Key:
    """One key as the host knows it. Times are in seconds since 1970.

    Attributes:
        public: the value of the p= tag; empty while it was not read yet.
        state: one of ``key_names.STATES``.
        since: when the key came into its state.
        made: when the key was made.
        private: whether its private half is there.
        compromised: whether somebody else may have the private half.
        shown_by: the name servers that showed the key before it signed.
    """

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
    def series(self) -> KeySeries:
        """Return the series that the key belongs to."""
        return KeySeries(self.name.domain, self.algorithm)

    def at(self, state: str, now: int) -> Key:
        """Return the key as it is after it came into a state."""
        return replace(self, state=state, since=now)


@dataclass(frozen=True, slots=True)
class Shown:
    """Evidence that every authoritative server, each named, shows this public half."""

    public: str
    servers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """What a run is asked to do, and what it has to know.

    Attributes:
        node: the node's name; it begins the selectors.
        wanted: the series that sign here, each with the days after which a new key takes over.
        now: the time, in seconds since 1970.
        shown: by key, what DNS shows.
        serving: the keys that daemons may be using; None when that is not known.
        known: the keys that this node reported earlier.
        taken: by domain, selectors that others use.
        overlap: how long a retired key stays in DNS, in seconds.
        settle: how long DNS must have shown a key before it signs, in seconds.
        rotate: domains whose keys get successors now.
        compromised: domains whose keys somebody else may have.
        compromised_before: keys that were made at this time or later are not compromised.
    """

    node: str
    wanted: t.Mapping[KeySeries, t.Optional[int]]
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
        """Return whether a daemon may be signing with the key."""
        return self.serving is None or key.name in self.serving


@dataclass(frozen=True, slots=True)
class KeyChanges:
    """The keys before and after a run, and what leads from one to the other.

    Attributes:
        before: every key as it was noted.
        after: every key as it shall be noted. An empty public half has still to be read, from a
            private half that has still to be made if there is none.
        lost: keys that should sign and cannot. Their successors are made.
    """

    before: t.Mapping[KeyName, Key]
    after: t.Mapping[KeyName, Key]
    lost: tuple[KeyName, ...] = ()

    @property
    def create(self) -> list[Key]:
        """Return the keys to be made."""
        return [key for key in self.after.values() if not key.public and not key.private]

    @property
    def note(self) -> list[Key]:
        """Return the keys whose note changes."""
        return [
            key for key in self.after.values() if not key.public or self.before.get(key.name) != key
        ]

    @property
    def destroy(self) -> list[Key]:
        """Return the keys whose private halves are to be destroyed."""
        return [
            key
            for key in self.after.values()
            if key.private and key.state in ("revoked", "removed")
        ]

    @property
    def forget(self) -> list[Key]:
        """Return the keys whose note is removed."""
        return [key for name, key in self.before.items() if name not in self.after]

    def lines(self) -> str:
        """Return the diff."""
        destroyed = {key.name for key in self.destroy}
        changed = (
            _change(self.before.get(name), key, name in destroyed)
            for name, key in sorted(self.after.items())
        )
        forgotten = sorted(key.name for key in self.forget)
        found = [*filter(None, changed), *(f"- dkim key {name} forgotten" for name in forgotten)]
        return "".join(f"{line}\n" for line in found)


def _change(old: t.Optional[Key], key: Key, destroyed: bool) -> str:
    """Return the line of the diff for one key; empty when nothing changes."""
    if old is None:
        return f"+ dkim key {key.name} {key.algorithm} {key.state}"
    if old.state != key.state:
        shown = f", shown by {', '.join(key.shown_by)}" if key.shown_by != old.shown_by else ""
        return f"~ dkim key {key.name} {old.state} -> {key.state}{shown}"
    if not old.public:
        return f"~ dkim key {key.name} public half noted"
    if old != key:
        return f"~ dkim key {key.name} {_new_in_note(old, key)}"
    return f"- dkim key {key.name} private half" if destroyed else ""


def _new_in_note(old: Key, key: Key) -> str:
    """Return what is new in the note of a key that stays in its state."""
    if key.compromised != old.compromised:
        return "compromised"
    return "still signs" if key.state == "retired" else "noted anew"


def plan(keys: t.Iterable[Key], request: KeyRequest) -> KeyChanges:
    """Return the state that every key goes to."""
    before = {key.name: key for key in keys}
    by_series: dict[KeySeries, list[Key]] = {series: [] for series in request.wanted}
    for key in (*before.values(), *_reported_and_lost(before, request)):
        by_series.setdefault(key.series, []).append(key)
    used = _highest_numbers((*before.values(), *request.known), request.node)
    after: dict[KeyName, Key] = {}
    lost: list[KeyName] = []
    for series, found in sorted(by_series.items()):
        kept, missing = _series_changes(series, found, request, used.get(series, 0))
        after.update((key.name, key) for key in kept)
        lost += missing
    return KeyChanges(before, after, tuple(lost))


def _reported_and_lost(before: t.Mapping[KeyName, Key], request: KeyRequest) -> t.Iterator[Key]:
    """Yield the keys that this node reported earlier, of series of which the host has no note.

    Such a host lost its notes. Its records in DNS are withdrawn in order, and its selectors stay
    used.
    """
    noted = {key.series for key in before.values()}
    for key in request.known:
        if key.series not in noted and key.name not in before:
            state = key.state if key.state in ("revoked", "removed") else "retired"
            yield replace(key.at(state, request.now), private=False)


def _highest_numbers(keys: t.Iterable[Key], node: str) -> dict[KeySeries, int]:
    """Return the highest number that a selector of each series has."""
    found: dict[KeySeries, int] = {}
    for key in keys:
        used = number(node, key.algorithm, key.name.selector)
        found[key.series] = max(found.get(key.series, 0), used)
    return found


def _series_changes(
    series: KeySeries, found: list[Key], request: KeyRequest, used: int
) -> tuple[list[Key], list[KeyName]]:
    """Return the keys of a series as they shall be, and the names of those that are lost.

    ``used`` is the highest number that a selector of the series has.
    """
    wanted = series in request.wanted
    found = sorted(
        found,
        key=lambda key: (number(request.node, series.algorithm, key.name.selector), key.since),
    )
    keys = [_advanced(_with_compromise(key, request), wanted, request) for key in found]
    # The note of the newest key stays: it keeps its selector from being used again.
    keys = [key for key in keys if key.name == found[-1].name or not _may_forget(key, request)]
    if not wanted:
        return [_retired(key, request) if key.state == "active" else key for key in keys], []
    ready = [key for key in keys if _may_sign(key, request)]
    if ready:
        return _with_successor(keys, ready[-1], request), []
    return _without_successor(keys, series, request, used)


def _with_successor(keys: list[Key], successor: Key, request: KeyRequest) -> list[Key]:
    """Return the keys after the successor became active and the active ones retired."""
    return [
        _retired(key, request)
        if key.state == "active"
        else key.at("active", request.now)
        if key == successor
        else key
        for key in keys
    ]


def _without_successor(
    keys: list[Key], series: KeySeries, request: KeyRequest, used: int
) -> tuple[list[Key], list[KeyName]]:
    """Return the keys with the newest active one still active, and with a new key if one is due.

    The second value names the active key if its private half is lost. It stays active: if its file
    comes back it signs again, until the successor does.
    """
    active = [key for key in keys if key.state == "active"]
    signing = active[-1] if active else None
    keys = [_retired(key, request) if key in active[:-1] else key for key in keys]
    lost = [signing.name] if signing and not signing.private else []
    pending = any(key.state in PENDING for key in keys)
    if not pending and (lost or _is_due(signing, series, request)):
        keys.append(_new_key(series, request, used))
    return keys, lost


def _retired(key: Key, request: KeyRequest) -> Key:
    """Return an active key after it retired."""
    return _advanced_after_signing(key.at("retired", request.now), request)


def _new_key(series: KeySeries, request: KeyRequest, used: int) -> Key:
    """Return a key that is still to be made."""
    name = _next_name(series, request, used)
    return Key(name, series.algorithm, "", "generated", request.now, request.now, private=False)


def _with_compromise(key: Key, request: KeyRequest) -> Key:
    """Return the key as compromised if the operator named its domain.

    One that is active and has no private half cannot sign until its successor does, so it retires
    at once.
    """
    if (
        key.name.domain in request.compromised
        and key.made < request.compromised_before
        and key.state not in ("revoked", "removed")
    ):
        key = replace(key, compromised=True)
    if key.state == "active" and not key.private and key.compromised:
        return key.at("retired", request.now)
    return key


def _advanced(key: Key, wanted: bool, request: KeyRequest) -> Key:
    """Return the key in the state that it goes to by itself, whatever the other keys do."""
    if key.state in PENDING and key.public:
        return _advanced_before_signing(key, wanted, request)
    if key.state == "retired":
        return _advanced_after_signing(key, request)
    if key.state == "revoked" and _is_overlap_over(key, request):
        return key.at("removed", request.now)
    return key


def _advanced_before_signing(key: Key, wanted: bool, request: KeyRequest) -> Key:
    """Return a generated or published key in its next state."""
    if key.compromised:
        return key.at("revoked", request.now)
    if not wanted or not key.private:
        return key.at("removed", request.now)
    if key.state == "generated" and _is_shown(key, request):
        return replace(key.at("published", request.now), shown_by=request.shown[key.name].servers)
    return key


def _advanced_after_signing(key: Key, request: KeyRequest) -> Key:
    """Return a retired key in its next state."""
    if request.serves(key):
        # A run broke off before the switch, so the key still signs. The overlap begins anew, once a
        # day: what it signs now is under way for a week.
        return key.at("retired", request.now) if request.now - key.since >= DAY else key
    if key.compromised:
        return key.at("revoked", request.now)
    if _is_overlap_over(key, request):
        return key.at("removed", request.now)
    return key


def _may_sign(key: Key, request: KeyRequest) -> bool:
    """Return whether a published key may become active: DNS shows it now, and for long enough."""
    return (
        key.state == "published"
        and _is_shown(key, request)
        and request.now - key.since >= request.settle
    )


def _may_forget(key: Key, request: KeyRequest) -> bool:
    """Return whether the note of a key may be removed."""
    return key.state == "removed" and _is_overlap_over(key, request)


def _is_shown(key: Key, request: KeyRequest) -> bool:
    """Return whether every authoritative server shows this public half."""
    shown = request.shown.get(key.name)
    return shown is not None and shown.public == key.public


def _is_overlap_over(key: Key, request: KeyRequest) -> bool:
    """Return whether the key has been in its state for the whole overlap."""
    return request.now - key.since >= request.overlap


def _is_due(active: t.Optional[Key], series: KeySeries, request: KeyRequest) -> bool:
    """Return whether a wanted series needs a new key."""
    if active is None or active.compromised or series.domain in request.rotate:
        return True
    days = request.wanted[series]
    return days is not None and request.now - active.since >= days * DAY


def _next_name(series: KeySeries, request: KeyRequest, used: int) -> KeyName:
    """Return the name of the next key, with a selector that no one has used.

    The first selector is the node's name, so that no node needs another node's private key. The
    successors are numbered.
    """
    base = base_selector(request.node, series.algorithm)
    taken = request.taken.get(series.domain, ())
    while True:
        used += 1
        selector = base if used == 1 else f"{base}-{used}"
        if selector not in taken:
            return KeyName(series.domain, selector)


def reported(key: Key, request: KeyRequest) -> bool:
    """Return whether DNS still needs to know a key; for a removed one, that its record goes."""
    return bool(key.public) and not _may_forget(key, request)


def from_report(key: t.Mapping[str, str], now: int) -> Key:
    """Return a key as ``state/<node>.json`` reports it: a public half without a private one."""
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


def public_half(pem: str) -> str:
    """Return the p= tag (RFC 6376 section 3.6.1, RFC 8463 section 4) of a public key in PEM.

    Raise ValueError when the text is no public key.
    """
    return base64.b64encode(der(pem).removeprefix(_ED25519_HEAD)).decode()
