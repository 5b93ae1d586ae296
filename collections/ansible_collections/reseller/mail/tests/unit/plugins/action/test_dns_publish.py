# SPDX-License-Identifier: GPL-3.0-or-later
"""octoDNS itself, with folders for providers: it does all zones or none, and one tenant's zone must
not be everybody's."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.action import dns_publish
from ansible_collections.reseller.mail.plugins.plugin_utils._compile.dns import octodns
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.published import processor
from ansible_collections.reseller.mail.plugins.plugin_utils._dns.rrset import RRset

ZONES = ("a.example", "b.example", "c.example", "d.example", "e.example")
PROGRAM = str(Path(sys.executable).parent / "octodns-sync")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    sets = {(zone, "A"): RRset(zone, "A", 3600, frozenset(("192.0.2.1",))) for zone in ZONES}
    target = {
        "class": "octodns.provider.yaml.YamlProvider",
        "directory": "target",
        "default_ttl": 3600,
        "supports_root_ns": False,
    }
    for name, text in {
        **octodns.files(sets, {}, ZONES, target),
        f"{octodns.PROCESSOR}.py": processor(),
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "target").mkdir()
    for zone in ZONES:
        (tmp_path / "target" / f"{zone}.yaml").write_text("--- {}\n", encoding="utf-8")
    return tmp_path


def published(folder: Path) -> list[str]:
    return [
        zone
        for zone in ZONES
        if "192.0.2.1" in (folder / "target" / f"{zone}.yaml").read_text(encoding="utf-8")
    ]


def sync(folder: Path) -> tuple[list[str], dict[str, str]]:
    return object.__new__(dns_publish.ActionModule)._sync_apart(
        PROGRAM, str(folder), list(ZONES), doit=True
    )


def test_all_zones_take_one_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns_publish, "RUNS", 1)
    changes, faults = sync(folder)
    assert (len(changes), faults, published(folder)) == (len(ZONES), {}, list(ZONES))


@pytest.mark.parametrize("broken", [("a.example",), ("c.example",), ("b.example", "e.example")])
def test_a_zone_that_octodns_cannot_do_stops_no_other(
    folder: Path, broken: tuple[str, ...]
) -> None:
    for zone in broken:
        (folder / "target" / f"{zone}.yaml").write_text(
            "---\n'': {type: A, value: no address}\n", encoding="utf-8"
        )
    changes, faults = sync(folder)
    assert sorted(faults) == sorted(broken)
    assert published(folder) == [zone for zone in ZONES if zone not in broken]
    assert len(changes) == len(ZONES) - len(broken)
    for zone in broken:
        assert faults[zone].startswith(f"{zone}: octodns-sync ended with "), faults


def test_when_no_zone_can_be_done_it_ends_and_says_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dns_publish, "RUNS", 3)
    (folder / "config.yaml").write_text("{}\n", encoding="utf-8")
    changes, faults = sync(folder)
    assert (changes, set(faults)) == ([], set(ZONES))
    told = [text for text in faults.values() if text]
    assert sum(text.count(zone) for text in told for zone in ZONES) == len(ZONES)
