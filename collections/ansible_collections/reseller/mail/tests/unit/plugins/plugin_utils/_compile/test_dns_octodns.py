# SPDX-License-Identifier: GPL-3.0-or-later
"""The files for octoDNS, read by octoDNS itself; against a real name server they are tried on the
lab's hosts."""

from __future__ import annotations

import dataclasses
import json
import sys
import typing as t
from pathlib import Path

import dns.rdatatype
import dns.zone
import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._compile import dns as compiled
from ansible_collections.reseller.mail.plugins.plugin_utils._compile.dns import octodns as writer
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.published import processor
from ansible_collections.reseller.mail.plugins.plugin_utils._dns.rrset import (
    by_zone,
    likely_zones,
    record_sets,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import NodeState, TlsKey
from ansible_collections.reseller.mail.tests.unit.support.sample_estate import ESTATE

pytest.importorskip("octodns.manager", reason="octoDNS is not here")

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning"
)  # octoDNS and its provider for zone files are in between two ways

ALL = dataclasses.replace(
    ESTATE,
    caa=("letsencrypt.org",),
    states=(*ESTATE.states, NodeState("mx2", (), (TlsKey("mx2.hosting.example", "ab" * 32),))),
)
RECORDS = compiled.records(ALL)
ZONES = likely_zones(RECORDS)
TARGET = {"class": "octodns_bind.ZoneFileProvider", "directory": "out", "file_extension": "zone"}
FORMER = {
    ("old.acme.example", "A"): frozenset({"192.0.2.9"}),
    ("note.acme.example", "TXT"): frozenset({"v=spf1 a -all"}),
}
THEIRS = """
acme.example. 60 IN SOA ns.acme.example. h.acme.example. 1 600 300 86400 60
acme.example. 60 IN NS ns.hosting.example.
acme.example. 60 IN A 192.0.2.80
acme.example. 60 IN TXT "verification=1; x" "y"
acme.example. 60 IN TXT "v=spf1 include:old.example ~all"
www.acme.example. 60 IN CNAME acme.example.
old.acme.example. 60 IN A 192.0.2.9
old.acme.example. 60 IN A 192.0.2.10
note.acme.example. 60 IN TXT "v=spf1 a -all"
_dmarc.acme.example. 60 IN TXT "v=DMARC1; p=none"
other._domainkey.acme.example. 60 IN TXT "v=DKIM1; p=AAAA"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[Path]:
    for name, text in {
        **writer.files(record_sets(RECORDS), FORMER, ZONES, TARGET),
        f"{writer.PROCESSOR}.py": processor(),
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop(writer.PROCESSOR, None)


def test_octodns_writes_the_zone_that_the_records_make(folder: Path) -> None:
    from octodns.manager import Manager

    manager = Manager("config.yaml")
    manager.validate_configs()
    manager.sync(dry_run=False)
    for zone in ZONES:
        made = dns.zone.from_file(
            str(folder / "out" / f"{zone}zone"), f"{zone}.", relativize=False, check_origin=False
        )
        found = set()
        for name, _ttl, rdata in made.iterate_rdatas():
            kind = dns.rdatatype.to_text(rdata.rdtype)
            value = b"".join(rdata.strings).decode() if kind == "TXT" else rdata.to_text()
            if kind != "SOA":
                found.add((name.to_text(omit_final_dot=True), kind, value))
        assert found == {
            (*key, value)
            for key, rrset in by_zone(record_sets(RECORDS), ZONES)[zone].items()
            for value in rrset.values
        }


def _existing(name: str, text: str) -> t.Any:
    from octodns.record import Record, Rr
    from octodns.zone import Zone

    zone = Zone(f"{name}.", [])
    source = dns.zone.from_text(text, origin=f"{name}.", relativize=False)
    rows = [
        Rr(owner.to_text(), dns.rdatatype.to_text(rdata.rdtype), ttl, rdata.to_text())
        for owner, ttl, rdata in source.iterate_rdatas()
    ]
    for record in Record.from_rrs(zone, [row for row in rows if row._type != "SOA"], lenient=True):
        zone.add_record(record, lenient=True)
    return zone


def test_octodns_sees_of_a_zone_only_what_is_ours(folder: Path) -> None:
    from octodns.manager import Manager
    from octodns.provider.yaml import YamlProvider
    from octodns.zone import Zone

    manager = Manager("config.yaml")
    desired = Zone("acme.example.", [])
    manager.providers["records"].populate(desired)
    existing = _existing("acme.example", THEIRS)
    desired, existing = manager.processors["ours"].process_source_and_target_zones(
        desired, existing, None
    )
    changes = {
        (change.record.name, change.record._type): change
        for change in existing.changes(desired, YamlProvider("all", str(folder)))
    }
    by_kind = {key: type(change).__name__ for key, change in changes.items()}
    assert {
        kind for key, kind in by_kind.items() if key[0] not in ("", "old", "note", "_dmarc")
    } == {"Create"}
    assert (
        by_kind["old", "A"],
        by_kind["note", "TXT"],
        by_kind["", "TXT"],
        by_kind["_dmarc", "TXT"],
    ) == ("Update", "Delete", "Update", "Update")
    assert changes["old", "A"].new.values == ["192.0.2.10"]
    apex = changes["", "TXT"].new
    assert (apex.ttl, apex.values) == (
        60,
        ["v=spf1 include:hosting.example -all", "verification=1\\; xy"],
    )
    assert not set(by_kind) & {("", "A"), ("", "NS"), ("www", "CNAME"), ("other._domainkey", "TXT")}


def test_secrets_stay_names_of_variables(folder: Path) -> None:
    target = {
        "class": "octodns_bind.Rfc2136Provider",
        "host": "192.0.2.53",
        "key_secret": "env/SECRET",
    }
    config = json.loads(writer.files(record_sets(RECORDS), {}, ZONES, target)["config.yaml"])
    assert config["providers"]["target"] == target


def test_a_zone_that_holds_nothing_any_more_is_there_and_empty() -> None:
    texts = writer.files({}, FORMER, ["acme.example"], TARGET)
    assert texts["zones/acme.example.yaml"] == "--- {}\n"
    assert json.loads(texts["ours.json"])["former"] == [
        ["note.acme.example", "TXT", ["v=spf1 a -all"]],
        ["old.acme.example", "A", ["192.0.2.9"]],
    ]
