# SPDX-License-Identifier: GPL-3.0-or-later
"""Which TLS keys of a host change in one run, and what the run reports.

PRIVATE to the collection. Pure but for ``apply``, which has the store carry out what was decided.
Standard library only: it runs on the host.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from ..timestamps import timestamp
from .tls import Evidence, Keys, lines, noted, refusal
from .tls_store import Failure, Store

SUPPLIED = "its certificate is supplied as files (tls_files): "
"""How a reason begins where certificates do not come from an ACME server."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a run is asked to do.

    Attributes:
        names: the names under which the node takes mail.
        now: the time, in seconds since 1970.
        evidence: by name, what DNS shows of its next key.
        acme: whether certificates come from an ACME server; otherwise they are supplied as files.
        rollover: whether the next keys go into service now.
        emergency: whether a next key goes into service although it may not yet.
    """

    names: t.Sequence[str]
    now: int
    evidence: t.Mapping[str, Evidence] = field(default_factory=dict)
    acme: bool = True
    rollover: bool = False
    emergency: bool = False


@dataclass(frozen=True, slots=True)
class TlsChanges:
    """What a run does with the keys, by name.

    Attributes:
        before: the keys as they are.
        after: the keys as they shall be.
        waiting: why a next key may not go into service yet.
        refused: why a key that was to change does not change.
    """

    before: t.Mapping[str, Keys]
    after: t.Mapping[str, Keys]
    waiting: t.Mapping[str, str]
    refused: t.Mapping[str, str] = field(default_factory=dict)


def changes(before: t.Mapping[str, Keys], request: Request) -> TlsChanges:
    """Return what the run does: all next keys go into service, or none does."""
    after = {
        name: noted(keys, request.evidence.get(name), request.now) for name, keys in before.items()
    }
    waiting = {
        name: reason for name, keys in after.items() if (reason := why_waiting(keys, request))
    }
    if not request.rollover:
        return TlsChanges(before, after, waiting)
    if waiting and not may_override(after.values(), request):
        return TlsChanges(before, after, waiting, refused=waiting)
    return TlsChanges(
        before, {name: Keys(name, keys.next) for name, keys in after.items()}, waiting
    )


def why_waiting(keys: Keys, request: Request) -> str:
    """Return why a next key does not go into service yet; empty when it may.

    Where certificates are supplied as files the operator changes keys, so there is always a reason.
    """
    reason = refusal(keys, request.evidence.get(keys.name), request.now)
    if request.acme:
        return reason
    if not keys.next:
        return f"{SUPPLIED}announce the next key's public half there, as next"
    return SUPPLIED + (
        reason or "supply that of the next key now, it has been in DNS for long enough"
    )


def may_override(keys: t.Iterable[Keys], request: Request) -> bool:
    """Return whether an emergency puts next keys into service that should still wait.

    Every name needs a next key that this host can get a certificate for.
    """
    return request.emergency and request.acme and all(one.next for one in keys)


def apply(store: Store, decided: TlsChanges, names: t.Iterable[str]) -> TlsChanges:
    """Carry out what was decided; return it with the keys as they then are.

    After a failure these are the keys that the store has for the names, and ``refused`` has the
    reason.
    """
    after = dict(decided.after)
    try:
        for name, keys in decided.after.items():
            if keys.current != decided.before[name].current:
                store.change(name, keys.current)
            after[name] = store.complete(keys)
            store.note(after[name])
    except Failure as error:
        return replace(decided, after=present(store, names), refused={error.name: str(error)})
    return replace(decided, after=after)


def present(store: Store, names: t.Iterable[str]) -> dict[str, Keys]:
    """Return the keys of the names that have one in service."""
    return {name: keys for name in names if (keys := store.keys(name))}


def diff(decided: TlsChanges, acme: bool) -> str:
    """Return the diff. With ACME a next key that is missing is made, also where check mode made
    none."""
    return "".join(
        f"{line}\n"
        for name, keys in decided.before.items()
        if name in decided.after
        for line in lines(keys, _completed(decided.after[name], acme))
    )


def _completed(keys: Keys, acme: bool) -> Keys:
    """Return the keys with the next one that the host makes where there is none."""
    return keys if keys.next or not acme else replace(keys, next="new")


def result(decided: TlsChanges, acme: bool) -> dict[str, t.Any]:
    """Return what the module returns."""
    text = diff(decided, acme)
    return {
        "changed": bool(text),
        "tls": [_entry(keys) for _name, keys in sorted(decided.after.items())],
        "waiting": [f"{name}: {reason}" for name, reason in sorted(decided.waiting.items())],
        "diff": {"prepared": text},
    }


def _entry(keys: Keys) -> dict[str, str]:
    """Return the keys of one name as plain values."""
    return {
        "name": keys.name,
        "current": keys.current,
        "next": keys.next,
        "ready": timestamp(keys.note.ready) if keys.note else "",
    }


def failure(decided: TlsChanges) -> str:
    """Return one sentence for each key that was to change and did not; empty when there is none."""
    return " ".join(
        f"The key of {name} was not changed: {reason}."
        for name, reason in sorted(decided.refused.items())
    )


def warnings(decided: TlsChanges, request: Request) -> list[str]:
    """Return one warning for each key that went into service although it should have waited."""
    if not request.rollover or decided.refused:
        return []
    return [
        f"{name} has a new key although {reason}. Until then senders that verify it by"
        " DNSSEC (DANE) may hold their mail back."
        for name, reason in decided.waiting.items()
    ]
