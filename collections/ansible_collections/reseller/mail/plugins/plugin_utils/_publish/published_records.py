# SPDX-License-Identifier: GPL-3.0-or-later
"""Read and write the list of published records.

PRIVATE to the collection. Pure: no Ansible, no files, no clock, no randomness.

When a name has left the estate's files, only this list shows which records in DNS are ours.
"""

from __future__ import annotations

import json
import typing as t

from .._dns.rrset import Key, RRset

FILE = "state/published_dns.json"
"""The file's path in the estate. No node can have a report of this name."""

Published = t.Dict[str, t.Dict[Key, t.FrozenSet[str]]]
"""The list of published records: by domain, the values of each record set."""


def read(text: str) -> Published:
    """Return the list from the file's text. Raise ValueError if the text is no such list."""
    try:
        rows = [
            (row["domain"], row["name"], row["type"], row["value"])
            for row in json.loads(text)["published"]
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{FILE} is not what dns_publish wrote: {error}") from error
    published: Published = {}
    for domain, name, rdtype, value in rows:
        places = published.setdefault(domain, {})
        places[name, rdtype] = places.get((name, rdtype), frozenset()) | {value}
    return published


def text(published: Published) -> str:
    """Return the file's text: sorted, one record per line, so that commits show each change."""
    rows = sorted(
        (domain, *key, value)
        for domain, places in published.items()
        for key, values in places.items()
        for value in values
    )
    lines = ",\n".join(
        "    " + json.dumps(dict(zip(("domain", "name", "type", "value"), row, strict=True)))
        for row in rows
    )
    return '{\n  "published": [' + (f"\n{lines}\n  " if rows else "") + "]\n}\n"


def entries(sets: t.Mapping[Key, RRset]) -> dict[Key, frozenset[str]]:
    """Return the entries of a domain whose record sets were published."""
    return {key: rrset.values for key, rrset in sets.items()}


def former(published: Published, wanted: t.Collection[Key]) -> dict[str, dict[Key, frozenset[str]]]:
    """Return, by domain, the entries of record sets that are no longer wanted anywhere."""
    return {
        domain: {key: values for key, values in places.items() if key not in wanted}
        for domain, places in published.items()
    }
