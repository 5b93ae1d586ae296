# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the records in the formats that other tools read: JSON, Terraform, nsupdate.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import json
import typing as t

from ..._dns.record import PURPOSES
from ..._dns.rrset import by_zone, record_sets
from ..._dns.zone_text import rdata

if t.TYPE_CHECKING:
    from ..._dns.record import Record
    from ..._dns.rrset import Key, RRset

BATCH = 100
"""Record sets in one update message.

With DKIM keys of 2048 bits these are about 45,000 bytes. A message has at most 65,535 bytes.
"""


def as_json(records: t.Iterable[Record], reverse_records: t.Iterable[Record] = ()) -> str:
    """Return every record with the reason for it, one per line.

    ``rdata`` is the data as in a zone file. The ``value`` of a TXT record is one string.
    """

    def rows(some: t.Iterable[Record]) -> str:
        return ",\n".join(f"    {json.dumps(_entry(record))}" for record in sorted(some))

    return (
        f'{{\n  "records": [\n{rows(records)}\n  ],\n  "reverse_records":'
        f" [\n{rows(reverse_records)}\n  ]\n}}\n"
    )


def _entry(record: Record) -> dict[str, t.Any]:
    """Return one record as an object of the JSON file."""
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
    """Return ``{zone: {"<label> <type>": {name, fqdn, type, ttl, values, rdata}}}`` as JSON.

    A key does not change when other records are added, so ``for_each`` never replaces a record for
    that reason. ``name`` is empty, and the label is ``@``, at the zone itself.
    """
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
    """Return the set's name without the zone's; empty at the zone itself."""
    return rrset.name.removesuffix(zone).rstrip(".")


def nsupdate(
    zone: str, sets: t.Mapping[Key, RRset], former: t.Mapping[Key, t.Collection[str]]
) -> str:
    """Return the input for nsupdate and knsupdate that publishes the sets in one zone.

    Sets that belong to the estate alone are replaced. Other people have TXT records at a host or a
    domain itself too. There only values that an earlier run published (``former``) are deleted.
    A second run changes nothing on the server.
    """
    steps: dict[Key, list[str]] = {}
    for key, values in former.items():
        name, rdtype = key
        kept = sets[key].values if key in sets else frozenset()
        steps[key] = [
            f"del {name}. {rdtype} {rdata(rdtype, value)}" for value in sorted(set(values) - kept)
        ]
    for key, rrset in sets.items():
        if is_ours_alone(rrset):
            steps[key] = [f"del {rrset.name}. {rrset.type}"]
        steps.setdefault(key, []).extend(
            f"add {rrset.name}. {rrset.ttl} {rrset.type} {rdata(rrset.type, value)}"
            for value in sorted(rrset.values)
        )
    lines, filled = [f"zone {zone}."], [step for _key, step in sorted(steps.items()) if step]
    for start in range(0, len(filled), BATCH):
        for step in filled[start : start + BATCH]:
            lines += step
        lines.append("send")
    return "".join(f"{line}\n" for line in lines)


def is_ours_alone(rrset: RRset) -> bool:
    """Return whether no one else has records at the set's name and type.

    Other people put TXT records at hosts and domains. They do not at names with an underscore.
    """
    return rrset.type != "TXT" or "_" in rrset.name
