# SPDX-License-Identifier: GPL-3.0-or-later
"""A host's guard against mass deletion over several runs."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host import generation
from ansible_collections.reseller.mail.plugins.modules.generation import (
    LacksArtefactError,
    guard,
    refuse_unsigned,
    uncertified,
    wanted,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._compile import Artefact

DOMAINS = [f"d{number:02}.example" for number in range(20)]
CURRENT = "000001-3f1c9a7be210"


def model(domains: t.Iterable[str]) -> str:
    return "".join(
        f"{line}\n" for line in ("tenant acme", *(f"domain {domain}" for domain in domains))
    )


@pytest.fixture
def store(tmp_path: Path) -> generation.Store:
    """A host that serves twenty domains and whose generation no run can replace: the check of the
    next one fails each time."""
    store = generation.Store(tmp_path)
    store.folder(CURRENT).mkdir(parents=True)
    (store.folder(CURRENT) / "model.txt").write_text(model(DOMAINS), encoding="utf-8")
    store.switch(CURRENT)
    return store


def run(
    store: generation.Store,
    left: int,
    accepted: int = 0,
    check_mode: bool = False,
    back: t.Sequence[str] = (),
) -> str:
    """The guard's word on a run that would leave so many domains, empty when it lets it pass."""
    content = generation.Content("mx1", 12, {"model.txt": model([*DOMAINS[:left], *back])}, "", b"")
    try:
        guard(
            store,
            content,
            {"deletion_guard": {"domains": 10}, "deletions_accepted": accepted},
            check_mode,
        )
    except generation.GenerationError as error:
        return str(error)
    return ""


def test_without_a_report_of_its_keys_a_host_that_signs_keeps_its_generation(
    store: generation.Store,
) -> None:
    """As on a clone without state/, where another role has not read the keys first."""
    table = store.folder(CURRENT) / "opendkim_node" / "signing_table"
    table.parent.mkdir()
    table.write_text("", encoding="utf-8")
    refuse_unsigned(store, "mx1")
    table.write_text("mx1.hosting.example\tmx1\n", encoding="utf-8")
    with pytest.raises(generation.GenerationError, match=r"no report of the DKIM keys of mx1"):
        refuse_unsigned(store, "mx1")


def test_a_host_without_a_generation_signs_nothing(tmp_path: Path) -> None:
    refuse_unsigned(generation.Store(tmp_path), "mx1")


def test_small_deletions_do_not_add_up_while_the_runs_that_make_them_fail(
    store: generation.Store,
) -> None:
    assert [run(store, left) for left in (18, 16, 14, 12, 12, 10)] == [""] * 6


def test_a_large_one_is_refused_each_time_and_nothing_of_it_is_noted(
    store: generation.Store,
) -> None:
    assert run(store, 18) == ""
    for _again in range(2):
        assert "removes 8 of 18 domains" in run(store, 10)


def test_the_number_that_the_refusal_names_lets_the_change_pass_and_less_does_not(
    store: generation.Store,
) -> None:
    assert run(store, 18) == ""
    told = re.search(r"-e mail_deletions_accepted=(\d+)$", run(store, 10))
    assert told
    assert run(store, 10, int(told[1]) - 1)
    assert run(store, 10, int(told[1])) == ""
    assert run(store, 10) == "", "what was accepted needs no second word while its run fails"


def test_what_came_back_counts_again(store: generation.Store) -> None:
    assert run(store, 18) == ""
    assert run(store, 16) == ""
    assert run(store, 20) == ""
    assert "removes 4 of 20 domains" in run(store, 16)


def test_check_mode_notes_nothing(store: generation.Store) -> None:
    assert run(store, 18, check_mode=True) == ""
    assert "removes 4 of 20 domains" in run(store, 16)


def test_another_generation_is_a_new_beginning(store: generation.Store) -> None:
    assert run(store, 18) == ""
    other = "000002-3f1c9a7be210"
    store.folder(other).mkdir()
    (store.folder(other) / "model.txt").write_text(model(DOMAINS), encoding="utf-8")
    store.switch(other)
    assert "removes 4 of 20 domains" in run(store, 16)


def test_a_note_that_somebody_spoilt_is_none(store: generation.Store) -> None:
    assert run(store, 18) == ""
    (store.root / "deletions.json").write_text('{"generation": 1, "gone": 2}', encoding="utf-8")
    assert "removes 4 of 20 domains" in run(store, 16)


def test_a_file_is_shipped_only_if_the_host_was_not_made_from_the_same(
    store: generation.Store, tmp_path: Path
) -> None:
    artefact = Artefact("mx1", 12, {"model.txt": "tenant acme\n", "tls/names": "a.example\n"})
    params = {"artefact": None, "digest": artefact.digest}
    with pytest.raises(LacksArtefactError):  # the generation has no manifest
        wanted(store, params)
    manifest = json.dumps({"digest": artefact.digest})
    (store.folder(CURRENT) / "manifest.json").write_text(manifest, encoding="utf-8")
    with pytest.raises(LacksArtefactError):  # it has no copy of its artefact
        wanted(store, params)
    (store.folder(CURRENT) / "artefact").write_bytes(artefact.pack())
    content = wanted(store, params)
    assert content.files == artefact.files
    with pytest.raises(LacksArtefactError):
        wanted(store, {**params, "digest": 64 * "0"})
    (store.folder(CURRENT) / "artefact").write_bytes(b"damaged")
    with pytest.raises(LacksArtefactError):
        wanted(store, params)
    shipped = tmp_path / "shipped"
    shipped.write_bytes(artefact.pack())
    assert wanted(store, {**params, "artefact": str(shipped)}) == content


def test_names_without_a_certificate_are_returned(store: generation.Store) -> None:
    names = ["autoconfig.acme.example", "mta-sts.acme.example"]
    content = generation.Content("mx1", 12, {"tls/names": "\n".join([*names, ""])}, "", b"")
    assert uncertified(store, content) == names
    folder = store.root / "tls" / names[0]
    folder.mkdir(parents=True)
    (folder / "fullchain.pem").touch()
    assert uncertified(store, content) == names[1:]
