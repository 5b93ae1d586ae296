# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import os
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.reseller.mail.plugins.plugin_utils._compile import dns as compile_dns
from ansible_collections.reseller.mail.plugins.plugin_utils._compile.dns import exports, octodns
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import files
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.action import (
    ControllerAction,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.estate import judged
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.published import (
    processor,
    read_published,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._dns import rrset as dns_rrset
from ansible_collections.reseller.mail.plugins.plugin_utils._dns.zone_text import (
    zone_fragments,
    zone_line,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._publish import published_records

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.plugin_utils._dns.record import Record

FORMATS = ["bind", "json", "nsupdate", "octodns", "terraform"]


@dataclass(frozen=True, slots=True)
class _Export:
    """What the files of every format are written from.

    Attributes:
        records: The chosen records.
        published: The list of published records.
        missing: The sentences about DKIM records that cannot be written yet, by domain.
        args: The task's options.
    """

    records: list[Record]
    published: published_records.Published
    missing: t.Mapping[str, t.Sequence[str]]
    args: t.Mapping[str, t.Any]

    def files(self, reverse_records: list[Record]) -> dict[str, str]:
        """Return the files of every requested format, by path."""
        texts: dict[str, str] = {}
        formats = self.args["formats"]
        if "bind" in formats:
            for domain, text in zone_fragments(self.records, self.missing).items():
                texts[f"{domain}.zone"] = text
        if "json" in formats:
            texts["records.json"] = exports.as_json(self.records, reverse_records)
        if "terraform" in formats:
            texts["terraform.json"] = exports.terraform(self.records, self._zones())
        if "nsupdate" in formats:
            texts.update(self._nsupdate())
        if "octodns" in formats:
            texts.update(self._octodns())
        return texts

    def _nsupdate(self) -> dict[str, str]:
        """Return the input for nsupdate of each zone, by path."""
        zones, yielding = self._zones(), dns_rrset.yielding(self.records)
        published = {
            key: values
            for places in self.published.values()
            for key, values in places.items()
            if key not in yielding
        }
        before = {
            key: dns_rrset.RRset(*key, 0, values)
            for key, values in {**published, **self._former()}.items()
        }
        gone = dns_rrset.by_zone(before, zones)
        texts = {}
        for zone, inside in dns_rrset.by_zone(self._replaced(), zones).items():
            former = {key: rrset.values for key, rrset in gone.get(zone, {}).items()}
            texts[f"nsupdate/{zone}"] = exports.nsupdate(zone, inside, former)
        return texts

    def _octodns(self) -> dict[str, str]:
        """Return the files for octoDNS, by path."""
        files = octodns.files(
            self._replaced(), self._former(), self._zones(), self.args["octodns_target"]
        )
        texts = {f"octodns/{path}": text for path, text in files.items()}
        texts[f"octodns/{octodns.PROCESSOR}.py"] = processor()
        return texts

    def _zones(self) -> set[str]:
        """Return the names that are taken for zones."""
        return dns_rrset.likely_zones(self.records, self.args["zones"])

    def _replaced(self) -> dict[dns_rrset.Key, dns_rrset.RRset]:
        """Return the record sets that nsupdate and octoDNS may replace.

        These tools cannot see whether a set of other people is there, so the sets that yield to one
        are left out.
        """
        yielding = dns_rrset.yielding(self.records)
        sets = dns_rrset.record_sets(self.records)
        return {key: rrset for key, rrset in sets.items() if key not in yielding}

    def _former(self) -> dict[dns_rrset.Key, frozenset[str]]:
        """Return the published values of record sets that are no longer wanted."""
        sets = dns_rrset.record_sets(self.records)
        return {
            key: values
            for places in published_records.former(self.published, sets).values()
            for key, values in places.items()
        }


class ActionModule(ControllerAction):
    """The action of dns_export. It runs on the controller and writes the records into files."""

    ARGUMENTS = {
        "estate": {"type": "path"},
        "dir": {"type": "path", "default": "build/dns"},
        "domains": {
            "type": "str",
            "default": "unmanaged",
            "choices": ["unmanaged", "managed", "all"],
        },
        "formats": {"type": "list", "elements": "str", "default": ["bind"], "choices": FORMATS},
        "zones": {"type": "list", "elements": "str", "default": []},
        "octodns_target": {
            "type": "dict",
            "default": {"class": "octodns_bind.ZoneFileProvider", "directory": "out"},
        },
    }

    def work(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        """Write the files; return their names, the domains and the reverse records."""
        estate = judged(args["estate"])
        which = {"all": (True, False), "managed": (True,), "unmanaged": (False,)}[args["domains"]]
        records = [record for record in compile_dns.records(estate) if record.managed in which]
        reverse_records = compile_dns.reverse_records(estate)
        missing = compile_dns.missing_dkim(estate)
        export = _Export(records, read_published(args["estate"]), missing, args)
        texts = export.files(reverse_records)
        diffs = files.put_all(
            Path(args["dir"]),
            {name: text.encode() for name, text in texts.items()},
            bool(self._task.check_mode),
        )
        return {
            "changed": bool(diffs),
            "dir": os.path.abspath(args["dir"]),
            "files": sorted(texts),
            "domains": sorted({record.domain for record in records}),
            "reverse_records": [zone_line(record) for record in reverse_records],
            "diff": diffs,
        }
