# SPDX-License-Identifier: GPL-3.0-or-later
"""The estates of the benchmark are sound, before and after the changes that it makes."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils import _load
from ansible_collections.reseller.mail.plugins.plugin_utils._compile import opendkim, tls
from ansible_collections.reseller.mail.plugins.plugin_utils._judge.placement import MAX_DOMAINS
from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import Estate
from ansible_collections.reseller.mail.tests.benchmark import estates, lab, process, targets, zones
from ansible_collections.reseller.mail.tests.benchmark.parts import dns, host, nodes


def _loaded(folder: Path) -> Estate:
    estate, faults = _load.load(str(folder))
    assert estate is not None, faults[:3]
    return estate


def _mailboxes(estate: Estate) -> int:
    return sum(len(domain.mailboxes) for tenant in estate.tenants for domain in tenant.domains)


def test_equal_numbers_give_equal_files_and_tenants_are_on_all_nodes_in_turn(
    tmp_path: Path,
) -> None:
    assert estates.files(4, 5) == estates.files(4, 5)
    estates.write(tmp_path, estates.files(4, 5, lab.NODES))
    estate = _loaded(tmp_path)
    assert Counter(tenant.placement for tenant in estate.tenants) == {"mx1": 2, "mx2": 2}
    assert _mailboxes(estate) == 20


def test_a_large_estate_has_as_many_nodes_as_its_domains_need(tmp_path: Path) -> None:
    assert estates.nodes_for(3_200) == estates.NODES
    assert list(estates.nodes_for(3_201)) == ["mx1", "mx2", "mx3"]
    estates.write(tmp_path, estates.files(3_201, 1, estates.nodes_for(3_201)))
    _loaded(tmp_path)


def test_a_change_touches_three_files_of_a_sound_estate(tmp_path: Path) -> None:
    before = estates.files(4, 5)
    estates.write(tmp_path, before)
    estates.change(tmp_path)
    changed = [path for path, text in before.items() if (tmp_path / path).read_text() != text]
    assert len(changed) == 3
    _loaded(tmp_path)


def test_the_mailboxes_that_are_added_fit_into_the_example_estate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(process.PROJECT / "estates" / "example", tmp_path / "estate")
    before = _mailboxes(_loaded(tmp_path / "estate"))
    monkeypatch.setattr(lab, "CHANGED", tmp_path / lab.CHANGED.relative_to(lab.ESTATE.parent))
    for number in range(8):
        lab.add_mailbox(number)
    assert _mailboxes(_loaded(tmp_path / "estate")) == before + 8


def test_a_changed_quota_is_one_line(tmp_path: Path) -> None:
    text = estates.files(1, 5)["tenants/tenant0/domain0.example.yml"]
    path = tmp_path / "domain.yml"
    path.write_text(text)
    host.change_quota(path, 7)
    assert path.read_text() == text.replace("quota: 1G", "quota: 7M", 1)


def test_each_of_eight_nodes_has_a_tenant_and_an_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nodes, "FOLDER", tmp_path)
    nodes.write()
    estate = _loaded(tmp_path / "estate")
    assert sorted(tenant.placement for tenant in estate.tenants) == sorted(nodes.ADDRESSES)
    assert {one.name: one.addresses[0] for one in estate.nodes} == nodes.ADDRESSES
    assert len(set(nodes.ADDRESSES.values())) == 8
    assert nodes.ADDRESSES["mx2"] in lab.NODES["mx2"]


def test_the_domains_of_part_dns_need_no_website_and_have_a_key_on_their_node(
    tmp_path: Path,
) -> None:
    assert dns.write(tmp_path, 12) == [f"domain{nth}.example" for nth in range(12)]
    estate = _loaded(tmp_path)
    assert all(tls.names(estate, node) == [] for node in estate.nodes)
    for node, state in zip(estate.nodes, estate.states, strict=True):
        keys = {key.domain for key in state.dkim}
        assert keys == {node.hostname, *opendkim.names(estate, node)}
    assert sum(domain.managed for one in estate.tenants for domain in one.domains) == 12


def test_ten_thousand_domains_fit_on_the_nodes_of_part_dns() -> None:
    texts = estates.quiet(estates.files(10_000, 0, dns.NODES))
    count: Counter[str] = Counter()
    for path, text in texts.items():
        if path.endswith("account.yml"):
            node, listed = re.findall(r"^(?:placement|domains): (.*)$", text, re.M)
            count[node] += len(listed.split(","))
    assert count.keys() == dns.NODES.keys()
    assert max(count.values()) <= MAX_DOMAINS


def test_the_large_node_needs_no_website_and_no_dns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lab, "ESTATE", tmp_path / "example")
    keys = [{"domain": name, "public": "AAAA" * 98} for name in ("mx1.hosting.example", "a.test")]
    keys = [{**key, "selector": "mx1"} for key in keys]
    report = json.dumps({"node": "mx1", "dkim": keys, "tls": []})
    estates.write(lab.ESTATE, {"state/mx1.json": report})
    host.write(tmp_path / "large", 12)
    estate = _loaded(tmp_path / "large")
    assert [key.domain for state in estate.states for key in state.dkim] == ["mx1.hosting.example"]
    assert [tls.names(estate, node) for node in estate.nodes] == [[]]
    assert not any(domain.managed for one in estate.tenants for domain in one.domains)
    assert _mailboxes(estate) == 12 * host.EACH
    assert host.EACH * host.KEYS == targets.LARGE


def test_records_are_added_in_messages_that_dns_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[str] = []
    monkeypatch.setattr(lab, "on_host", lambda _host, *found: commands.extend(found))
    zones.add("example.", [f"d{number}.example. 5 NS ns." for number in range(1_001)])
    written = [text for text in commands if text.startswith("cat >")]
    assert [text.count("\nadd ") for text in written] == [500, 500, 1]
    assert all("\nzone example.\n" in text and "\nsend\n" in text for text in written)
    assert [text.split()[-1] for text in commands[3:]] == [text[5:].split()[0] for text in written]
