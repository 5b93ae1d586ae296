# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import os
import zlib
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host.generation import (
    install,
    store,
)
from ansible_collections.reseller.mail.plugins.module_utils._host.generation.install import prune
from ansible_collections.reseller.mail.plugins.module_utils._host.generation.store import (
    GenerationError,
    Store,
    unpack,
)
from ansible_collections.reseller.mail.plugins.plugin_utils import _compile


def make(root: Path, *ids: str, current: str = "", previous: str = "") -> Store:
    found = Store(root)
    for generation in ids:
        found.folder(generation).mkdir(parents=True)
        (found.folder(generation) / "manifest.json").write_text(json.dumps({"previous": previous}))
    if current:
        found.switch(current)
    return found


A, B, C, D = (f"{number:06d}-{'a' * 12}" for number in (1, 2, 3, 1000000))


def test_what_is_packed_is_unpacked() -> None:
    made = _compile.Artefact("mx1", 12, {"model.txt": "domain ä.example\ntenant a\n"})
    content = unpack(made.pack())
    assert (content.node, content.debian, content.files, content.digest) == (
        "mx1",
        12,
        made.files,
        made.digest,
    )
    assert content.model == ["domain ä.example", "tenant a"]
    assert store.FORMAT == _compile.FORMAT


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"garbage",
        zlib.compress(b"[]"),
        zlib.compress(b'{"format": 1}'),
        zlib.compress(b'{"format": 99}'),
    ],
)
def test_an_unreadable_artefact_is_refused(data: bytes) -> None:
    with pytest.raises(GenerationError, match="artefact"):
        unpack(data)


def test_generations_are_ordered_by_number_and_strangers_are_none(tmp_path: Path) -> None:
    found = make(tmp_path, D, B, A)
    (found.generations / ".staging").mkdir()
    (found.generations / "notes").mkdir()
    assert found.ids() == [A, B, D]
    assert Store(tmp_path / "nowhere").ids() == []


def test_switching_replaces_the_link_and_leaves_nothing_behind(tmp_path: Path) -> None:
    found = make(tmp_path, A, B)
    assert found.current() is None
    (tmp_path / ".current.new").symlink_to("left by a run that died")
    found.switch(A)
    found.switch(B)
    assert found.current() == B
    assert (tmp_path / "current").resolve() == found.folder(B)
    assert not os.path.lexists(tmp_path / ".current.new")


def test_activated(tmp_path: Path) -> None:
    found = Store(tmp_path)
    assert found.activated() is None
    found.mark_activated(A)
    assert json.loads((tmp_path / "activated.json").read_text()) == {"generation": A}
    assert found.activated() == A
    (tmp_path / "activated.json").write_text("cut o")
    assert found.activated() is None


def test_a_lost_manifest_or_artefact_is_named(tmp_path: Path) -> None:
    found = make(tmp_path, A)
    with pytest.raises(GenerationError, match=f"{A}/artefact"):
        found.content(A)
    (found.folder(A) / "manifest.json").unlink()
    with pytest.raises(GenerationError, match=r"manifest\.json"):
        found.manifest(A)


def test_only_one_run_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "LOCK_PATIENCE", 0.0)
    found = Store(tmp_path / "new")
    with (
        found.lock(),
        pytest.raises(GenerationError, match="has been locked for 0 s"),
        found.lock(),
    ):
        pass
    with found.lock():
        pass


def test_pruning_keeps_the_current_one_and_the_one_to_roll_back_to(tmp_path: Path) -> None:
    found = make(tmp_path, A, B, C, D, current=B, previous=A)
    found.mark_activated(B)
    prune(found, 1)
    assert found.ids() == [A, B, D]
    assert sorted(os.listdir(found.generations)) == [A, B, D]
    prune(found, 10)
    assert found.ids() == [A, B, D]


def test_a_generation_that_is_half_removed_is_no_rollback_and_goes_in_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder keeps its name: overlayfs does not rename one of a lower layer."""
    found = make(tmp_path, A, B, current=B, previous="")

    def killed(_folder: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(install.shutil, "rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            prune(found, 1)
    with pytest.raises(GenerationError, match=f"{A}/manifest.json"):
        found.manifest(A)
    prune(found, 1)
    assert sorted(os.listdir(found.generations)) == [B]
