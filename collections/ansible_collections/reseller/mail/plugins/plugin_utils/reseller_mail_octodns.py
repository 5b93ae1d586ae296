# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps octoDNS, which otherwise makes whole zones what its files say, from touching what is not ours.

A processor for octoDNS; C(dns_export) and C(dns_publish) write this file beside the configuration that names it. It needs nothing else of
the collection: run octoDNS in that folder, with C(PYTHONPATH=.).
"""

from __future__ import annotations

import json
import re
import typing as t

try:
    from octodns.processor.base import BaseProcessor
except ImportError:  # the collection only copies this file
    BaseProcessor = object


def _text(rdtype: str, value: t.Any) -> str:
    """A value as C(ours.json) has it: a TXT is one string, everything else as in a zone file."""
    if rdtype == "TXT":
        return str(value).replace("\\;", ";")
    return str(value.to_rdata_text() if hasattr(value, "to_rdata_text") else value.rdata_text)


def _values(record: t.Any) -> list[t.Any]:
    return list(record.values) if hasattr(record, "values") else [record.value]


class Ours(BaseProcessor):
    """Sees of a zone the record sets in C(wanted) and C(former) only. In a wanted TXT set, what does not look like ours stays; of a
    former set, only the values that were published go."""

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
        """The record set with these values; where somebody else's stand beside ours, the time to live is theirs."""
        new = record.copy(zone=zone)
        new.values = sorted(values)
        zone.add_record(new, replace=True, lenient=True)
