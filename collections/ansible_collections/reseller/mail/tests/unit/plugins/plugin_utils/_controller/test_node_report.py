# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of a node's report on the controller."""

from __future__ import annotations

import json
import shutil
import typing as t
from pathlib import Path

import pytest
from ansible import constants
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import (
    node_report,
    terminal,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.estate import (
    judged_node,
)

FIXTURE = Path(__file__).parents[3] / "fixtures" / "estate"
PUBLIC = "MIIB" + 97 * "abcd"


def row(selector: str = "mx1", state: str = "active") -> dict[str, str]:
    return {
        "domain": "mx1.hosting.example",
        "selector": selector,
        "algorithm": "rsa",
        "state": state,
        "since": "2026-11-21T14:00:00Z",
        "public": PUBLIC,
    }


class Controller:
    """An estate, and what is printed while reports are written into it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.estate = Path(shutil.copytree(FIXTURE, folder / "estate"))
        self.file = self.estate / "state" / "mx1.json"
        self.warnings: list[str] = []
        self.sentences: list[str] = []
        (folder / "run").mkdir()
        monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(folder / "run"))
        monkeypatch.setattr(terminal, "warn", self.warnings.append)
        monkeypatch.setattr(terminal, "say", self.sentences.append)

    def take(
        self, *rows: dict[str, str], check_mode: bool = False, differences: t.Any = ()
    ) -> dict[str, t.Any]:
        """Write a report of mx1 as an action does; return the result of the task."""
        estate, node = judged_node(str(self.estate), "mx1")
        result: dict[str, t.Any] = {"dkim": list(rows), "differences": list(differences)}
        node_report.write(result, str(self.estate), estate, node, "dkim", check_mode)
        return result

    def signing(self) -> list[str]:
        """The selectors that sign in the estate, as the next task of the run reads it."""
        estate, _node = judged_node(str(self.estate), "mx1")
        return [
            key.selector for state in estate.states for key in state.dkim if key.state == "active"
        ]


@pytest.fixture(name="controller")
def _controller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Controller:
    return Controller(tmp_path, monkeypatch)


def test_in_check_mode_later_tasks_of_the_run_know_the_report_and_the_estate_stays(
    controller: Controller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = controller.take(row(), check_mode=True)
    assert "changed" not in result
    assert not controller.file.exists()
    assert controller.signing() == ["mx1"]
    (tmp_path / "another").mkdir()
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path / "another"))
    assert controller.signing() == [], "another run does not know it"


def test_in_check_mode_a_report_counts_instead_of_the_file(controller: Controller) -> None:
    controller.take(row())
    before = controller.file.read_bytes()
    controller.take(row(state="retired"), row("mx1-2"), check_mode=True)
    assert controller.signing() == ["mx1-2"]
    assert controller.file.read_bytes() == before
    # A task of the run without check mode writes the file, and the file counts again.
    controller.take(row())
    assert controller.signing() == ["mx1"]


def test_what_the_file_records_otherwise_is_told_and_the_node_s_word_counts(
    controller: Controller,
) -> None:
    controller.take(row())
    line = "mx1-2._domainkey.mx1.hosting.example is active on the host, and not in the file"
    result = controller.take(row(state="retired"), row("mx1-2"), differences=[line, 7])
    assert result["differences"] == [line]
    (warning,) = controller.warnings
    assert warning.startswith(f"state/mx1.json is not what the host has: {line}. ")
    assert controller.signing() == ["mx1-2"]
    states = [key["state"] for key in json.loads(controller.file.read_text("utf-8"))["dkim"]]
    assert states == ["retired", "active"]


def test_a_missing_file_is_made_from_the_report_and_that_is_said_once(
    controller: Controller,
) -> None:
    controller.take(row())
    controller.take(row())
    assert controller.sentences == [
        "state/mx1.json has no dkim keys yet: they are what the host reports"
    ]
    assert controller.warnings == []


def test_what_check_mode_itself_planned_is_no_difference(controller: Controller) -> None:
    controller.take(row(state="published"))
    controller.take(row(), check_mode=True)
    line = "mx1._domainkey.mx1.hosting.example is published on the host, and active in the file"
    assert controller.take(row(), check_mode=True, differences=[line])["differences"] == []
    assert controller.warnings == []
