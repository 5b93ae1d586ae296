# SPDX-License-Identifier: GPL-3.0-or-later
"""Spam settings: the scores fit together, and no list is too long or contradicts the other.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

from .._language.cascade import Chain, chain_of, find
from .._model.spam import tenths
from .._model.values import Fault, OwnSettings, Position
from ._index import Index, fault

MAX_SENDERS = 500
"""Entries of the longest list of one level."""


def judge(index: Index) -> t.Iterator[Fault]:
    """Yield all faults in spam settings. Each level is compared with what it inherits."""
    for chain in _chains(index):
        own = chain[-1][1].get("spam")
        if own:
            yield from _scores(chain, own)
            yield from _lists(own)


def _chains(index: Index) -> t.Iterator[Chain]:
    """Yield the levels that may have settings, each with the levels above it.

    Of domains and mailboxes, which are many, only those that have some.
    """
    estate = index.estate
    outermost: Chain = (("estate", estate.own_settings),)
    yield outermost
    for plan in estate.plans:
        yield (*outermost, ("plan", plan.own_settings))
    for tenant in estate.tenants:
        yield chain_of(estate, tenant)
        for domain in tenant.domains:
            if "spam" in domain.own_settings:
                yield chain_of(estate, tenant, domain)
            for mailbox in domain.mailboxes:
                if "spam" in mailbox.own_settings:
                    yield chain_of(estate, tenant, domain, mailbox)


def _scores(chain: Chain, own: OwnSettings) -> t.Iterator[Fault]:
    """Yield a fault for a score that has no effect, because mail with it is refused before."""
    reject = find(chain, "spam", "reject")
    limit = tenths(reject.value)
    for key in ("junk", "greylist"):
        score = find(chain, "spam", key)
        value = tenths(score.value)
        here = key if own[key] is not None else "reject"
        if limit is None or value is None or value <= limit or own[here] is None:
            continue
        other = reject.at if here == key else score.at
        where = f" ({other})" if other.file else " (the default)"
        what = f"{key} {score.value} is above reject {reject.value}"
        yield fault(
            own["at"].of(here),
            "score-above-reject",
            f"{what}, so mail with this score is refused first",
            f"{key} up to {reject.value}{where}, or never"
            if here == key
            else f"reject from {score.value}{where} on, or never",
        )


def _lists(own: OwnSettings) -> t.Iterator[Fault]:
    """Yield the faults of the two lists of a level."""
    places: dict[str, tuple[str, Position]] = {}
    for key in ("allow", "block"):
        senders = own[key] or ()
        if len(senders) > MAX_SENDERS:
            yield fault(
                own["at"].of(key, MAX_SENDERS),
                "list-too-long",
                f"the list {key} has {len(senders)} entries",
                f"at most {MAX_SENDERS} entries in a list of one level",
            )
        for nth, sender in enumerate(senders):
            at = own["at"].of(key, nth)
            if sender in places:
                list_before, place = places[sender]
                yield fault(
                    at,
                    "duplicate-sender",
                    f"{sender} is already in the list {list_before} ({place})",
                    "each sender once, in one of the lists allow and block",
                )
            else:
                places[sender] = (key, at)
