# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys about suspensions: the cells, profiles, and what the provider suspends.

PRIVATE to the collection. Data.
"""

from __future__ import annotations

from dataclasses import asdict

from ..._model.suspension import ALLOWED, INBOUND, NONPAYMENT, PROFILES, QUEUED, Suspension
from ..scalars import PROFILE, REPLY, SUBJECT, TEXT, choice
from .kinds import HOSTS, NEAREST, VALIDATE, Key, Table, key

_BUILT_IN = ", ".join(f"V({name})" for name in PROFILES)
_CELLS = (
    (
        "inbound",
        choice(*INBOUND),
        "What happens to mail that arrives. V(accept): it is delivered. V(hold): the host accepts"
        " it, keeps it, and delivers it when the suspension ends. V(defer): senders shall try"
        " again later. V(reject): senders are refused. Of several levels, V(reject) is stricter"
        " than V(defer), and this is stricter than V(hold).",
    ),
    (
        "login",
        choice(*ALLOWED),
        "Whether users may read mail and change their filters. V(refuse) also ends open sessions.",
    ),
    (
        "submission",
        choice(*ALLOWED),
        "Whether mail may leave: what users send, forwards, and what Sieve scripts send. With"
        " V(refuse), mail that would be forwarded stays in the mailbox.",
    ),
    (
        "queued",
        choice(*QUEUED),
        "What happens to mail of these senders that is in the queue when the suspension begins."
        " V(hold): it stays there until you release or delete it with the playbook held_mail.",
    ),
    (
        "text",
        REPLY,
        "The text of the reply to senders with V(inbound=defer) and V(inbound=reject).",
    ),
)
"""Name, kind and meaning of each key that a profile sets."""


def _cells(rule: str = "", default: Suspension | None = None) -> dict[str, Key]:
    """Return the keys that say what a suspended object can still do, with their defaults."""
    values = {} if default is None else asdict(default)
    return {
        name: key(kind, doc, "S2-5", HOSTS, values.get(name) or None, rule=rule)
        for name, kind, doc in _CELLS
    }


SUSPENSION = Table(
    "suspension",
    {
        "profile": key(
            PROFILE,
            f"A profile: {_BUILT_IN} or one of O(estate.suspension_profiles). It sets all keys of"
            " this table. Keys beside it and at nearer levels change single ones.",
            "S2-5",
            HOSTS,
            NONPAYMENT,
            rule=NEAREST,
        ),
        **_cells(NEAREST),
    },
)

SUSPENSION_PROFILE = Table(
    "suspension profile",
    {
        "name": key(
            PROFILE,
            f"The name of the profile. {_BUILT_IN} exist; a profile with such a name replaces it.",
            "S2-5",
            HOSTS,
            required=True,
        ),
        **_cells(default=Suspension()),
    },
)

PROVIDER_SUSPENSION = Table(
    "suspension of the provider",
    {
        "of": key(
            SUBJECT,
            "What is suspended: the tenant, one of its domains, or one of its mailboxes.",
            "S1-19 S2-5",
            HOSTS,
            required=True,
        ),
        "profile": key(
            PROFILE,
            "The profile. It sets all keys below. Without it: what O(suspension) says for the"
            " tenant.",
            "S2-5",
            HOSTS,
        ),
        **_cells(),
        "reason": key(
            TEXT,
            "Why, for the provider. Neither the tenant nor senders see it.",
            "S2-5",
            VALIDATE,
        ),
    },
)
