# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import shutil
import typing as t
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible_collections.reseller.mail.plugins.action.tls_keys import ActionModule
from ansible_collections.reseller.mail.plugins.plugin_utils import _terminal

FIXTURE = Path(__file__).parents[2] / "fixtures" / "estate"
HOST = "mx1.hosting.example"


def ran(
    monkeypatch: pytest.MonkeyPatch, estate: Path, current: str
) -> tuple[dict[str, t.Any], list[str]]:
    """Run the action on a host that serves this key; return its result and its warnings."""
    warnings: list[str] = []
    answer = {"changed": False, "tls": [{"name": HOST, "current": current}]}
    action = ActionModule(
        task=None,
        connection=None,
        play_context=None,
        loader=DataLoader(),
        templar=None,
        shared_loader_obj=None,
    )
    arguments = {"estate": str(estate), "node": "mx1", "now": "", "resolver": "", "rollover": False}
    monkeypatch.setattr(action, "validate_argument_spec", lambda argument_spec: ({}, arguments))
    monkeypatch.setattr(action, "_execute_module", lambda **given: answer)
    monkeypatch.setattr(action, "_task", SimpleNamespace(check_mode=False))
    monkeypatch.setattr("ansible.plugins.action.ActionBase.run", lambda *_arguments: {})
    monkeypatch.setattr(_terminal.display, "warning", lambda text, **_given: warnings.append(text))
    return action.run(None, {}), warnings


@pytest.mark.parametrize(("current", "warned"), [("a" * 64, False), ("b" * 64, True)])
def test_a_key_that_came_into_service_before_dns_showed_it_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, current: str, warned: bool
) -> None:
    estate = Path(shutil.copytree(FIXTURE, tmp_path / "estate"))
    (estate / "state").mkdir()
    state = {"node": "mx1", "tls": [{"name": HOST, "current": "a" * 64}]}
    (estate / "state/mx1.json").write_text(json.dumps(state), encoding="utf-8")
    result, warnings = ran(monkeypatch, estate, current)
    assert "failed" not in result
    assert [HOST in text and "DANE" in text for text in warnings] == [True] * warned
    assert json.loads((estate / "state/mx1.json").read_text())["tls"][0]["current"] == current
