# SPDX-License-Identifier: GPL-3.0-or-later
"""The records in the forms that other tools read: JSON, Terraform, nsupdate.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import json
import typing as t

from .record import PURPOSES
from .sets import by_zone, record_sets
from .text import rdata

if t.TYPE_CHECKING:
    from .record import Record
    from .sets import Key, RRset

BATCH = 100
"""Record sets in one update message: with keys of 2048 bits about 45,000 bytes, and the format ends at 65,535."""


def as_json(records: t.Iterable[Record], wishes: t.Iterable[Record] = ()) -> str:
    """Every record with its reason, one a line; ``rdata`` is as a zone file has it, ``value`` a TXT's one string."""

    def rows(some: t.Iterable[Record]) -> str:
        return ",\n".join(f"    {json.dumps(_entry(record))}" for record in sorted(some))

    return f'{{\n  "records": [\n{rows(records)}\n  ],\n  "wishes": [\n{rows(wishes)}\n  ]\n}}\n'


def _entry(record: Record) -> dict[str, t.Any]:
    purpose = PURPOSES[record.purpose]
    return {
        "domain": record.domain,
        "name": record.name,
        "type": record.type,
        "ttl": record.ttl,
        "value": record.value,
        "rdata": rdata(record.type, record.value),
        "managed": record.managed,
        "purpose": record.purpose,
        "why": purpose.why,
        "rows": list(purpose.rows),
        "needed": purpose.needed,
    }


def terraform(records: t.Iterable[Record], zones: t.Container[str]) -> str:
    """``{zone: {"<label> <type>": {name, fqdn, type, ttl, values, rdata}}}``: keys that stay, so that ``for_each`` never
    makes a record anew because another one came. ``name`` is empty at the zone itself."""
    found = {
        zone: {
            f"{_label(rrset, zone) or '@'} {rrset.type}": {
                "name": _label(rrset, zone),
                "fqdn": f"{rrset.name}.",
                "type": rrset.type,
                "ttl": rrset.ttl,
                "values": sorted(rrset.values),
                "rdata": sorted(rdata(rrset.type, value) for value in rrset.values),
            }
            for rrset in sets.values()
        }
        for zone, sets in by_zone(record_sets(records), zones).items()
    }
    return json.dumps(found, indent=2) + "\n"


def _label(rrset: RRset, zone: str) -> str:
    return rrset.name.removesuffix(zone).rstrip(".")


def nsupdate(
    zone: str, sets: t.Mapping[Key, RRset], former: t.Mapping[Key, t.Collection[str]]
) -> str:
    """Input for nsupdate and knsupdate. Sets that are ours alone are replaced. The TXT records of a host or domain itself are
    everybody's: there only what an earlier run published (``former``) goes, value by value. The second time the server
    has nothing to do."""
    steps: dict[Key, list[str]] = {}
    for key, values in former.items():
        kept = sets[key].values if key in sets else frozenset()
        steps[key] = [
            f"del {key[0]}. {key[1]} {rdata(key[1], value)}" for value in sorted(set(values) - kept)
        ]
    for key, rrset in sets.items():
        if rrset.type != "TXT" or "_" in rrset.name:
            steps[key] = [f"del {rrset.name}. {rrset.type}"]
        steps.setdefault(key, []).extend(
            f"add {rrset.name}. {rrset.ttl} {rrset.type} {rdata(rrset.type, value)}"
            for value in sorted(rrset.values)
        )
    lines, filled = [f"zone {zone}."], [step for _key, step in sorted(steps.items()) if step]
    for start in range(0, len(filled), BATCH):
        lines += [line for step in filled[start : start + BATCH] for line in step]
        lines.append("send")
    return "".join(f"{line}\n" for line in lines)
