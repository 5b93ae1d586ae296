# SPDX-License-Identifier: GPL-3.0-or-later
"""Every missed target has a reason, and every figure has a part that measures it."""

from __future__ import annotations

import importlib

from ansible_collections.reseller.mail.tests.benchmark import page, run, targets
from ansible_collections.reseller.mail.tests.benchmark.measurement import Measurement, Part, Run


def test_a_missed_target_without_a_heading_is_named() -> None:
    large = Measurement(targets.JUDGE, targets.MAILBOXES, (Run(1, 1, 101),))
    results = {"engine": Part({}, (large,))}
    assert targets.without_reason(results, "## judge\n") == ["judge-memory"]
    assert targets.without_reason(results, "text\n## judge-memory\n") == []


def test_every_missed_target_has_a_reason() -> None:
    reasons = (run.DOCS / "reasons.md").read_text(encoding="utf-8")
    assert targets.without_reason(run.results(), reasons) == []


def test_every_figure_has_its_own_id_and_a_part_that_can_be_run() -> None:
    ids = [figure.id for figure in targets.FIGURES]
    assert sorted(set(ids)) == sorted(ids)
    assert {figure.part for figure in targets.FIGURES} == set(page.PARTS)
    for part in page.PARTS:
        module = importlib.import_module(f"{run.__package__}.parts.{part}")
        assert callable(module.measure)
