# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module remembers of names without a certificate. That it asks for them is proved with certbot, in molecule/platform."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.modules.certificates import Attempts


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "tls").mkdir()
    return tmp_path


def test_names_that_still_have_no_certificate_are_remembered(root: Path) -> None:
    Attempts(root).keep({"a.example": 1.0, "b.example": 2.0}, {"a.example", "b.example"})
    Attempts(root).keep({"b.example": 3.0, "c.example": 4.0}, {"a.example", "b.example"})
    assert Attempts(root).times == {"a.example": 1.0, "b.example": 3.0}
    Attempts(root).keep({}, set())
    assert Attempts(root).times == {}


def test_nothing_is_written_where_nothing_is_new(root: Path) -> None:
    Attempts(root).keep({}, {"a.example"})
    assert list((root / "tls").iterdir()) == []


@pytest.mark.parametrize("content", ["", "[]", '{"a.example": "soon"}', '{"a.example": null}', "{"])
def test_a_damaged_memory_makes_all_names_new(root: Path, content: str) -> None:
    (root / "tls/attempts.json").write_text(content, encoding="utf-8")
    assert Attempts(root).times == {}
    Attempts(root).keep({"a.example": 1.0}, {"a.example"})
    assert json.loads((root / "tls/attempts.json").read_text(encoding="utf-8")) == {
        "a.example": 1.0
    }
