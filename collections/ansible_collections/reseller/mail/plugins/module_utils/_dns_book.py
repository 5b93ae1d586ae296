# SPDX-License-Identifier: GPL-3.0-or-later
"""The book of what was published: nothing else tells, once a name has left the files, which records were ours.

PRIVATE to the collection. Pure: no Ansible, no files, no clock, no randomness.
"""

from __future__ import annotations

import json
import typing as t

from ansible_collections.reseller.mail.plugins.module_utils._compile.dns.sets import Key, RRset

FILE = "state/published_dns.json"
"""In the estate; no node can have that name."""

Book = t.Dict[str, t.Dict[Key, t.FrozenSet[str]]]
"""By domain: the values at each place."""


def read(text: str) -> Book:
    """The book from its text; ValueError says that it is none."""
    try:
        rows = [
            (row["domain"], row["name"], row["type"], row["value"])
            for row in json.loads(text)["published"]
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{FILE} is not what dns_publish wrote: {error}") from error
    book: Book = {}
    for domain, name, rdtype, value in rows:
        places = book.setdefault(domain, {})
        places[name, rdtype] = places.get((name, rdtype), frozenset()) | {value}
    return book


def text(book: Book) -> str:
    """Sorted, one record a line, so that a commit shows what changed and nothing else."""
    rows = sorted(
        (domain, *key, value)
        for domain, places in book.items()
        for key, values in places.items()
        for value in values
    )
    lines = ",\n".join(
        "    " + json.dumps(dict(zip(("domain", "name", "type", "value"), row, strict=True)))
        for row in rows
    )
    return '{\n  "published": [' + (f"\n{lines}\n  " if rows else "") + "]\n}\n"


def entries(sets: t.Mapping[Key, RRset]) -> dict[Key, frozenset[str]]:
    """What is written down about a domain whose sets were published."""
    return {key: rrset.values for key, rrset in sets.items()}


def former(book: Book, wanted: t.Collection[Key]) -> dict[str, dict[Key, frozenset[str]]]:
    """By domain, what was published and is wanted nowhere any more."""
    return {
        domain: {key: values for key, values in places.items() if key not in wanted}
        for domain, places in book.items()
    }
