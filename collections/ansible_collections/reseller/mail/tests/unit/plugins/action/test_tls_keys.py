# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import shutil
import typing as t
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible import constants
from ansible.parsing.dataloader import DataLoader
from ansible_collections.reseller.mail.plugins.action import tls_keys
from ansible_collections.reseller.mail.plugins.action.tls_keys import ActionModule
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import run_reports, terminal

FIXTURE = Path(__file__).parents[2] / "fixtures" / "estate"
HOST = "mx1.hosting.example"


def action_on(
    monkeypatch: pytest.MonkeyPatch,
    estate: Path,
    on_host: t.Callable[..., dict[str, t.Any]],
    rollover: bool = False,
    check_mode: bool = False,
) -> ActionModule:
    """Return the action, with a host that answers so."""
    action = ActionModule(
        task=None,
        connection=None,
        play_context=None,
        loader=DataLoader(),
        templar=None,
        shared_loader_obj=None,
    )
    arguments = {
        "estate": str(estate),
        "node": "mx1",
        "now": "",
        "resolver": "",
        "rollover": rollover,
    }
    monkeypatch.setattr(action, "validate_argument_spec", lambda argument_spec: ({}, arguments))
    monkeypatch.setattr(action, "_execute_module", on_host)
    monkeypatch.setattr(action, "_task", SimpleNamespace(check_mode=check_mode))
    monkeypatch.setattr("ansible.plugins.action.ActionBase.run", lambda *_arguments: {})
    return action


def ran(
    monkeypatch: pytest.MonkeyPatch, estate: Path, current: str, check_mode: bool = False
) -> tuple[dict[str, t.Any], list[str]]:
    """Run the action on a host that serves this key; return its result and its warnings."""
    warnings: list[str] = []
    answer = {"changed": False, "tls": [{"name": HOST, "current": current}]}
    action = action_on(monkeypatch, estate, lambda **_given: answer, check_mode=check_mode)
    monkeypatch.setattr(terminal.display, "warning", lambda text, **_given: warnings.append(text))
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


def test_a_dry_run_of_a_rollover_does_not_warn_of_the_key_that_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run keeps what the rollover would report. The host still has the former key."""
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path / "run"))
    estate = Path(shutil.copytree(FIXTURE, tmp_path / "estate"))
    planned = {"node": "mx1", "tls": [{"name": HOST, "current": "b" * 64}]}
    run_reports.keep(estate / "state/mx1.json", json.dumps(planned))
    _result, warnings = ran(monkeypatch, estate, "a" * 64, check_mode=True)
    assert [text for text in warnings if "DANE" in text] == []


def test_a_rollover_asks_the_host_for_its_keys_and_needs_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clone without state/ looks in DNS for the next key that the host has."""
    estate = Path(shutil.copytree(FIXTURE, tmp_path / "estate"))
    asked: list[tuple[bool, bool]] = []
    looked_up: list[dict[str, str]] = []

    def on_host(**given: t.Any) -> dict[str, t.Any]:
        asked.append((given["module_args"]["rollover"], action._task.check_mode))
        current, following = ("b", "c") if given["module_args"]["rollover"] else ("a", "b")
        return {"tls": [{"name": HOST, "current": current * 64, "next": following * 64}]}

    action = action_on(monkeypatch, estate, on_host, rollover=True)
    monkeypatch.setattr(tls_keys, "_evidence", lambda _resolver, keys: looked_up.append(keys) or {})
    action.run(None, {})
    assert asked == [(False, True), (True, False)]
    assert looked_up == [{HOST: "b" * 64}]
    assert json.loads((estate / "state/mx1.json").read_text("utf-8"))["tls"] == [
        {"name": HOST, "current": "b" * 64, "next": "c" * 64}
    ]
