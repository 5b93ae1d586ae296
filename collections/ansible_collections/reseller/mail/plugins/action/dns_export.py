# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import os
import typing as t
from pathlib import Path

from ansible_collections.reseller.mail.plugins.module_utils import _dns_book
from ansible_collections.reseller.mail.plugins.module_utils._compile import dns as compile_dns
from ansible_collections.reseller.mail.plugins.module_utils._compile.dns import (
    exports,
    octodns,
    sets,
)
from ansible_collections.reseller.mail.plugins.plugin_utils import _files
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import ControllerAction
from ansible_collections.reseller.mail.plugins.plugin_utils._dns import book_of, processor
from ansible_collections.reseller.mail.plugins.plugin_utils._estate import judged

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.module_utils._compile.dns import Record

FORMATS = ["bind", "json", "nsupdate", "octodns", "terraform"]


def _all(
    records: list[Record], wishes: list[Record], book: _dns_book.Book, args: dict[str, t.Any]
) -> dict[str, str]:
    """The files of every format that is asked for."""
    zones = sets.likely_zones(records, args["zones"])
    everything = sets.record_sets(records)
    former = {
        key: values
        for domain, places in _dns_book.former(book, everything).items()
        for key, values in places.items()
    }
    # nsupdate and octoDNS replace a whole MX set without looking, and the provider's domain may have its mail elsewhere.
    left = {(record.name, record.type) for record in records if record.purpose == "provider_mx"}
    wanted = {key: rrset for key, rrset in everything.items() if key not in left}
    texts: dict[str, str] = {}
    if "bind" in args["formats"]:
        texts.update(
            (f"{domain}.zone", text) for domain, text in compile_dns.zone_fragments(records).items()
        )
    if "json" in args["formats"]:
        texts["records.json"] = exports.as_json(records, wishes)
    if "terraform" in args["formats"]:
        texts["terraform.json"] = exports.terraform(records, zones)
    if "nsupdate" in args["formats"]:
        before = {
            key: values
            for places in book.values()
            for key, values in places.items()
            if key not in left
        }
        gone = sets.by_zone(
            {key: sets.RRset(*key, 0, values) for key, values in {**before, **former}.items()},
            zones,
        )
        for zone, inside in sets.by_zone(wanted, zones).items():
            texts[f"nsupdate/{zone}"] = exports.nsupdate(
                zone, inside, {key: rrset.values for key, rrset in gone.get(zone, {}).items()}
            )
    if "octodns" in args["formats"]:
        texts.update(
            (f"octodns/{path}", text)
            for path, text in octodns.files(wanted, former, zones, args["octodns_target"]).items()
        )
        texts[f"octodns/{octodns.PROCESSOR}.py"] = processor()
    return texts


class ActionModule(ControllerAction):
    """Runs on the controller: writes the records in the forms that people and other tools publish them from."""

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
        estate = judged(args["estate"])
        which = {"all": (True, False), "managed": (True,), "unmanaged": (False,)}[args["domains"]]
        records = [record for record in compile_dns.records(estate) if record.managed in which]
        texts = _all(records, compile_dns.wishes(estate), book_of(args["estate"]), args)
        diffs = _files.put_all(
            Path(args["dir"]),
            {name: text.encode() for name, text in texts.items()},
            bool(self._task.check_mode),
        )
        return {
            "changed": bool(diffs),
            "dir": os.path.abspath(args["dir"]),
            "files": sorted(texts),
            "domains": sorted({record.domain for record in records}),
            "wishes": [compile_dns.zone_line(wish) for wish in compile_dns.wishes(estate)],
            "diff": diffs,
        }
