# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the files for octoDNS: one per zone, the list of our records, the configuration.

PRIVATE to the collection. Pure.

JSON is also YAML: a zone file has one record set per line, in octoDNS's order.
"""

from __future__ import annotations

import json
import re
import typing as t

from ..._dns.rrset import by_zone, replaced_pattern

if t.TYPE_CHECKING:
    from ..._dns.rrset import Key, RRset

PROCESSOR = "reseller_mail_octodns"
"""The module beside the configuration that keeps octoDNS from changing other people's records."""
_FIELDS: dict[str, tuple[str, ...]] = {
    "MX": ("preference", "exchange"),
    "SRV": ("priority", "weight", "port", "target"),
    "CAA": ("flags", "tag", "value"),
    "TLSA": ("certificate_usage", "selector", "matching_type", "certificate_association_data"),
}
"""octoDNS's names for the parts of a value, by type. Values of other types are one string."""
_TEXT_FIELDS = ("tag", "value", "certificate_association_data")
"""Fields that are text even if they consist of digits."""


def files(
    sets: t.Mapping[Key, RRset],
    former: t.Mapping[Key, t.Collection[str]],
    zones: t.Collection[str],
    target: t.Mapping[str, t.Any],
) -> dict[str, str]:
    """Return the text of each file by its path.

    ``former`` are values that earlier runs published. ``target`` is the part of octoDNS's
    configuration for the provider of DNS.
    """
    placed = by_zone(sets, zones)
    left = {key: sorted(values) for key, values in sorted(former.items())}
    texts = {f"zones/{zone}.yaml": _zone(zone, placed.get(zone, {})) for zone in sorted(zones)}
    texts["ours.json"] = _ours(sets, left)
    texts["config.yaml"] = _config(zones, target)
    return texts


def _zone(zone: str, sets: t.Mapping[Key, RRset]) -> str:
    """Return the file of one zone."""
    names: dict[str, list[str]] = {}
    for rrset in sets.values():
        entry = {
            "type": rrset.type,
            "ttl": rrset.ttl,
            "values": [_value(rrset.type, value) for value in sorted(rrset.values)],
        }
        names.setdefault(rrset.name.removesuffix(zone).rstrip("."), []).append(
            json.dumps(entry, sort_keys=True)
        )
    if not names:
        return "--- {}\n"
    return "---\n" + "".join(
        f"{json.dumps(name)}:\n" + "".join(f"- {line}\n" for line in names[name])
        for name in sorted(names, key=_natural)
    )


def _natural(name: str) -> list[t.Union[str, int]]:
    """Return the sort key for octoDNS's order, in which numbers within names count by value."""
    return [
        int(part) if number % 2 else part for number, part in enumerate(re.split(r"(\d+)", name))
    ]


def _value(rdtype: str, value: str) -> t.Any:
    """Return a value as octoDNS has it: a string, or a mapping of fields to parts."""
    fields = _FIELDS.get(rdtype)
    if fields is None:
        return value
    parts = [part.strip('"') for part in value.split(None, len(fields) - 1)]
    return {
        field: int(part) if part.isdigit() and field not in _TEXT_FIELDS else part
        for field, part in zip(fields, parts, strict=True)
    }


def _ours(sets: t.Mapping[Key, RRset], former: t.Mapping[Key, list[str]]) -> str:
    """Return the file by which the processor recognises our records, wanted and former ones."""

    def rows(keys: t.Iterable[Key], what: t.Callable[[Key], t.Any]) -> str:
        return ",\n".join(f"    {json.dumps([*key, what(key)])}" for key in sorted(keys))

    wanted, gone = (
        rows(sets, lambda key: replaced_pattern(key, sets[key].values)),
        rows(former, lambda key: former[key]),
    )
    return f'{{\n  "wanted": [\n{wanted}\n  ],\n  "former": [\n{gone}\n  ]\n}}\n'


def _config(zones: t.Collection[str], target: t.Mapping[str, t.Any]) -> str:
    """Return octoDNS's configuration: it reads our files, and publishes to ``target``."""
    config = {
        "providers": {
            "records": {
                "class": "octodns.provider.yaml.YamlProvider",
                "directory": "zones",
                "default_ttl": 3600,
                "enforce_order": True,
                "escaped_semicolons": False,
                "supports_root_ns": False,
            },
            "target": dict(target),
        },
        "processors": {"ours": {"class": f"{PROCESSOR}.Ours", "path": "ours.json"}},
        "zones": {
            f"{zone}.": {"sources": ["records"], "processors": ["ours"], "targets": ["target"]}
            for zone in sorted(zones)
        },
    }
    return json.dumps(config, indent=2) + "\n"
