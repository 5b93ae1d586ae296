# SPDX-License-Identifier: GPL-3.0-or-later
"""A part that is measured alone replaces its own results, and a trial replaces none."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.reseller.mail.tests.benchmark import run
from ansible_collections.reseller.mail.tests.benchmark.measurement import (
    Measurement,
    Part,
    Run,
    to_json,
)
from ansible_collections.reseller.mail.tests.benchmark.process import Failed

BEFORE = {
    name: Part({"date": "2026-01-02", "commit": "old"}, (Measurement("ping", 0, (Run(1),)),))
    for name in ("site", "peers")
}


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of results with two parts; a part that is run takes two seconds."""
    path = tmp_path / "results.json"
    path.write_text(to_json(BEFORE), encoding="utf-8")
    monkeypatch.setattr(run, "RESULTS", path)
    monkeypatch.setattr(run, "SCRATCH", tmp_path / "scratch")
    monkeypatch.setattr(run, "measure", _part)
    return path


def _part(name: str) -> Part:
    if name == "dns":
        raise Failed("no lab")
    return Part({"commit": "new"}, (Measurement("ping", 0, (Run(2),)),))


def test_a_part_replaces_its_own_results_and_keeps_the_others(results: Path) -> None:
    run.main(["peers"])
    assert run.results() == BEFORE | {"peers": _part("peers")}


def test_a_part_that_fails_stops_no_other_and_ends_the_run_with_its_name(results: Path) -> None:
    with pytest.raises(SystemExit, match="dns: not measured"):
        run.main(["dns", "mail"])
    assert run.results() == BEFORE | {"mail": _part("mail")}


def test_a_trial_prints_its_figures_and_keeps_none(
    results: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "TRIAL", True)
    run.main(["site"])
    assert run.results() == BEFORE
    assert "Measured with: commit new." in capfd.readouterr().out


def test_an_unknown_part_is_named(results: Path) -> None:
    with pytest.raises(SystemExit, match=r"disk: no such part\. usage"):
        run.main(["site", "disk"])
    assert run.results() == BEFORE


def test_the_figures_of_a_part_say_where_and_when_they_were_measured() -> None:
    assert {"processor", "cores", "commit", "date", "load before"} <= run.environment().keys()
    assert run.environment()["processor"]
