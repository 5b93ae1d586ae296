# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs become medians, results.json keeps them, and commands run in turn."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.reseller.mail.tests.benchmark import measurement
from ansible_collections.reseller.mail.tests.benchmark.measurement import (
    Measurement,
    Part,
    Run,
    from_json,
    rounds,
    to_json,
)

RUNS = (Run(3, 1, 40), Run(1, 2, 60), Run(8, 9, 50))
RESULTS = {"site": Part({"cores": 2}, (Measurement("ping", 0, RUNS), Measurement("add", 5, ())))}


def test_the_median_is_of_one_quantity() -> None:
    one = Measurement("ping", 0, RUNS)
    assert [one.median(), one.median("processor_seconds"), one.median("memory_mb")] == [3, 2, 50]


def test_a_quantity_that_one_run_does_not_have_has_no_median() -> None:
    assert Measurement("ping", 0, (*RUNS, Run(3))).median("memory_mb") is None


def test_a_measurement_is_found_by_its_name_and_size() -> None:
    part = Part({}, (Measurement("add", 5, RUNS[:1]), Measurement("add", 6, RUNS[1:2])))
    assert [part.median("add", 5), part.median("add", 6), part.median("add", 7)] == [3, 1, None]


def test_results_are_the_same_after_they_were_written_and_read() -> None:
    assert from_json(to_json(RESULTS)) == RESULTS


def test_results_keep_four_significant_digits() -> None:
    text = to_json({"site": Part({}, (Measurement("ping", 0, (Run(1.234567),)),))})
    assert from_json(text)["site"].median("ping", 0) == 1.235


@pytest.mark.parametrize(("most", "budget", "expected"), [(2, 100, "abab"), (5, 7, "abab")])
def test_commands_run_in_turn_until_there_are_enough_rounds_or_time_is_up(
    most: int, budget: float, expected: str
) -> None:
    order = []

    def command(name: str) -> t.Callable[[], Run]:
        return lambda: order.append(name) or Run(2)

    found = rounds({("a", 1): command("a"), ("b", 0): command("b")}, most, budget)
    assert "".join(order) == expected
    assert found == [Measurement("a", 1, (Run(2),) * 2), Measurement("b", 0, (Run(2),) * 2)]


def test_a_trial_has_one_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measurement, "TRIAL", True)
    (one,) = rounds({("a", 1): lambda: Run(2)})
    assert one.runs == (Run(2),)
