# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.estate import (
    judged,
    judged_node,
)

EXAMPLE = Path(__file__).parents[9] / "estates" / "example"


def test_a_fit_estate_and_its_node() -> None:
    estate, node = judged_node(str(EXAMPLE), "mx1")
    assert (estate.provider, node.name) == (judged(str(EXAMPLE)).provider, "mx1")


def test_an_unknown_node_is_told_which_there_are() -> None:
    with pytest.raises(AnsibleActionFail, match=r"has no node mx9; allowed: mx1, mx2$"):
        judged_node(str(EXAMPLE), "mx9")


def test_no_directory_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(
        AnsibleActionFail, match=r"there is no estate at .*/nowhere: it is no directory$"
    ):
        judged(str(tmp_path / "nowhere"))


def test_faults_are_counted_and_the_first_is_named_in_one_line(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "estate")
    with (tmp_path / "estate/tenants/acme/acme.example.yml").open("a", encoding="utf-8") as file:
        file.write("surprise: 1\nanother: 2\n")
    with pytest.raises(AnsibleActionFail) as caught:
        judged(str(tmp_path / "estate"))
    said = str(caught.value)
    assert (
        "has 2 faults; ansible-playbook reseller.mail.validate names them; the first is"
        " tenants/acme/acme.example.yml:" in said
    )
    assert "\n" not in said
