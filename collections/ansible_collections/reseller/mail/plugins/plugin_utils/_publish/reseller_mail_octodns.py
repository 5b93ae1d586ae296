# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep octoDNS from changing records that the collection does not own.

This is a processor for octoDNS. Without it, octoDNS makes whole zones equal to its files.
C(dns_export) and C(dns_publish) write this file beside the configuration that names it. It needs
no other file of the collection. Run octoDNS in that folder, with C(PYTHONPATH=.).
"""

from __future__ import annotations

import json
import re
import typing as t

try:
    from octodns.processor.base import BaseProcessor
except ImportError:  # octoDNS is not needed to copy this file.
    BaseProcessor = object


def _text(rdtype: str, value: t.Any) -> str:
    """Return a value as C(ours.json) has it: a TXT is one string, other data as in a zone file."""
    if rdtype == "TXT":
        return str(value).replace("\\;", ";")
    return str(value.to_rdata_text() if hasattr(value, "to_rdata_text") else value.rdata_text)


def _values(record: t.Any) -> list[t.Any]:
    """Return the values of a record set of octoDNS."""
    return list(record.values) if hasattr(record, "values") else [record.value]


class Ours(BaseProcessor):
    """A processor that shows octoDNS only the record sets in C(wanted) and C(former).

    In a wanted TXT set, values of other kinds stay. From a former set, only the values that were
    published are removed.
    """

    def __init__(self, name: str, path: str, **kwargs: t.Any) -> None:
        super().__init__(name, **kwargs)
        with open(path, encoding="utf-8") as file:
            ours = json.load(file)
        self.wanted = {
            (name, rdtype): re.compile(pattern, re.I | re.S)
            for name, rdtype, pattern in ours["wanted"]
        }
        self.former = {(name, rdtype): set(values) for name, rdtype, values in ours["former"]}

    def process_source_and_target_zones(
        self, desired: t.Any, existing: t.Any, target: t.Any, lenient: bool = False
    ) -> tuple[t.Any, t.Any]:
        """Add values of other people to the desired zone, and hide their sets in the existing one.

        Return both zones. octoDNS calls this method before it plans.
        """
        wanted = {(record.name, record._type): record for record in desired.records}
        for record in list(existing.records):
            key = (record.fqdn.rstrip(".").lower(), record._type)
            if key in self.wanted and (record.name, record._type) in wanted:
                others = [
                    value
                    for value in _values(record)
                    if not self.wanted[key].match(_text(record._type, value))
                ]
                if others:
                    new = wanted[record.name, record._type]
                    self._put(desired, record, [*new.values, *others])
                continue
            others = [
                value
                for value in _values(record)
                if _text(record._type, value) not in self.former.get(key, ())
            ]
            if len(others) == len(_values(record)):
                existing.remove_record(record)
            elif others:
                self._put(desired, record, others)
        return desired, existing

    @staticmethod
    def _put(zone: t.Any, record: t.Any, values: list[t.Any]) -> None:
        """Put an existing record set with these values into the zone.

        Some values are other people's, so the set keeps the time to live that it has now.
        """
        new = record.copy(zone=zone)
        new.values = sorted(values)
        zone.add_record(new, replace=True, lenient=True)
