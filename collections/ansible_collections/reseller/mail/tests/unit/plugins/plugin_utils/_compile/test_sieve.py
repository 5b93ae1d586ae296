# SPDX-License-Identifier: GPL-3.0-or-later
"""Each script of the files is one file on the node that serves its mailboxes."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from ansible_collections.reseller.mail.plugins.plugin_utils import _load
from ansible_collections.reseller.mail.plugins.plugin_utils._compile import artefact, sieve
from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import Estate

BASE = Path(__file__).parents[3] / "corpus" / "base"


def an_estate(folder: Path) -> Estate:
    """The sound estate of the corpus."""
    shutil.copytree(BASE, folder / "estate")
    estate, faults = _load.load(str(folder / "estate"))
    assert estate is not None, faults
    return estate


def test_a_level_without_a_script_has_no_file(tmp_path: Path) -> None:
    estate = an_estate(tmp_path)
    assert [sieve.lookups(estate, node) for node in estate.nodes] == [{} for _node in estate.nodes]


def test_scripts_are_found_by_estate_domain_and_address(tmp_path: Path) -> None:
    estate = an_estate(tmp_path)
    tenant, domain = next(estate.served_domains())
    node = next(node for node in estate.nodes if node.name == tenant.placement)
    outer = (("estate", "keep;"), ("account", "stop;\n"), ("domain", "discard;\n"))
    first, *others = domain.mailboxes
    own = replace(first, sieve=(*outer, ("mailbox", 'redirect "a@b.example";\n')))
    changed = replace(
        domain,
        sieve=outer,
        mailboxes=(own, *(replace(one, sieve=outer) for one in others)),
    )
    tenants = [
        replace(one, domains=tuple(changed if each is domain else each for each in one.domains))
        for one in estate.tenants
    ]
    made = artefact(replace(estate, tenants=tuple(tenants)), node)
    assert {path: text for path, text in made.files.items() if path.startswith("sieve/")} == {
        "sieve/estate/estate.sieve": "keep;\n",
        f"sieve/account/{domain.name}.sieve": "stop;\n",
        f"sieve/domain/{domain.name}.sieve": "discard;\n",
        f"sieve/mailbox/{first.address}.sieve": 'redirect "a@b.example";\n',
    }
    described = [line for line in made.files["model.txt"].splitlines() if "sieve script" in line]
    assert [line.rpartition(" ")[0] for line in described] == [
        f"sieve script of account {domain.name} 1 line",
        f"sieve script of domain {domain.name} 1 line",
        "sieve script of estate 1 line",
        f"sieve script of mailbox {first.address} 1 line",
    ]
