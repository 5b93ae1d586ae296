# SPDX-License-Identifier: GPL-3.0-or-later
"""What is remembered of names without a certificate. That it asks for them is proved with
certbot, in molecule/platform."""

from __future__ import annotations

import json
import socket
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host.keys.certbot import (
    Attempts,
    HookError,
    Reach,
    give_up,
    run_hook,
)


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


def answering(monkeypatch: pytest.MonkeyPatch, answers: t.Iterator[t.Any]) -> None:
    def resolve(*_given: object, **_named: object) -> t.Any:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return [(0, 0, 0, "", (answer, 80))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)


NO_NAME = socket.gaierror(socket.EAI_NONAME, "Name or service not known")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("192.0.2.1", ""),
        ("192.0.2.9", "its DNS points to 192.0.2.9, not to this node (192.0.2.1)"),
        (NO_NAME, "it has no address in DNS"),
        (socket.gaierror(socket.EAI_AGAIN, "try again"), "its DNS does not answer"),
        (UnicodeError(), "it is no name of a host"),
    ],
)
def test_a_name_that_does_not_lead_here_is_not_asked_for(
    monkeypatch: pytest.MonkeyPatch, answer: t.Any, reason: str
) -> None:
    answering(monkeypatch, iter([answer]))
    reach = Reach(["192.0.2.1"], [], check_mode=True, deadline=time.monotonic() + 60)
    assert reach.obstacle("a.example") == reason


def test_a_name_that_was_just_published_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, iter([NO_NAME, NO_NAME, "192.0.2.1"]))
    reach = Reach(["192.0.2.1"], ["a.example"], check_mode=False, deadline=time.monotonic() + 60)
    assert reach.obstacle("a.example") == ""
    answering(monkeypatch, iter([NO_NAME]))
    assert Reach([], ["a.example"], False, 0).obstacle("a.example") == "it has no address in DNS"


def test_in_check_mode_a_name_that_would_be_published_counts_as_published(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answering(monkeypatch, iter([NO_NAME]))
    assert Reach([], ["a.example"], True, 0).obstacle("a.example") == ""


def test_an_answer_of_the_hook_that_cannot_be_read_is_an_error() -> None:
    with pytest.raises(HookError, match="failed with status 1: Traceback"):
        run_hook(lambda *_given: (1, "", "Traceback\n"), ["a.example"], check_mode=False)
    assert run_hook(lambda *_given: (1, '{"refused": {}}', ""), [], False) == {"refused": {}}


def test_a_certificate_that_certbot_keeps_is_a_warning() -> None:
    assert give_up(lambda *_given: (0, "", ""), "a.example") == ""
    assert "still renewed: it is locked" in give_up(
        lambda *_given: (1, "", "it is locked"), "a.example"
    )
