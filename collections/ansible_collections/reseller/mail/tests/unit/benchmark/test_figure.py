# SPDX-License-Identifier: GPL-3.0-or-later
"""A figure meets its target, misses it, or is not measured."""

from __future__ import annotations

import pytest
from ansible_collections.reseller.mail.tests.benchmark import figure
from ansible_collections.reseller.mail.tests.benchmark.figure import Figure, Term
from ansible_collections.reseller.mail.tests.benchmark.measurement import Measurement, Part, Run

ADDED = Figure("added", "site", "Added", (Term(1, "add", 5),), (Term(6, "ping"), Term(1)))
EXTRA = Figure("extra", "site", "Extra", (Term(0.5, "add", 5), Term(-0.5, "ping")))


def _results(add: float) -> dict[str, Part]:
    ping = Measurement("ping", 0, (Run(1.5, 1, 70),))
    return {"site": Part({}, (ping, Measurement("add", 5, (Run(add, 1, 80),))))}


@pytest.mark.parametrize(("add", "result"), [(10, "met"), (10.1, "missed")])
def test_a_figure_meets_its_target_up_to_the_limit(add: float, result: str) -> None:
    [line] = figure.lines(_results(add), [ADDED])
    assert (line.value, line.limit, line.memory, line.result) == (add, 10, 80, result)


def test_a_figure_without_target_is_the_sum_of_its_terms() -> None:
    [line] = figure.lines(_results(10), [EXTRA])
    assert (line.value, line.memory, line.result) == (4.25, None, "no target")


def test_a_figure_is_not_measured_if_one_measurement_is_missing() -> None:
    without_ping = {"site": Part({}, _results(10)["site"].measurements[1:])}
    for results in ({}, without_ping):
        assert figure.lines(results, [ADDED])[0].result == "not measured yet"


def test_a_target_is_readable() -> None:
    assert figure.formula(ADDED.target, "s") == "6 × ping + 1 s"
    assert figure.formula(ADDED.value, "s") == "add (5)"
