# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages show each figure with its target and result, and the committed pages are the newest."""

from __future__ import annotations

from ansible_collections.reseller.mail.tests.benchmark import page, run, targets
from ansible_collections.reseller.mail.tests.benchmark.measurement import Measurement, Part, Run


def _row(text: str, id_: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(f"| `{id_}` "))


def test_a_figure_that_is_not_measured_has_its_target_and_no_value() -> None:
    text = page.page({})
    assert _row(text, "judge-warm") == (
        "| `judge-warm` | Validate 20,000 mailboxes, no file changed | – | – |"
        " ≤ libyaml's events (20,000) | not measured yet |"
    )
    assert text.count(page.NOT_MEASURED) == len(page.PARTS)
    assert "cost.svg" not in text


def test_a_figure_has_its_median_memory_limit_and_result() -> None:
    size = targets.MAILBOXES
    events = Measurement(targets.EVENTS, size, (Run(1.5, 1, 70), Run(1.2, 1, 70), Run(9, 9, 90)))
    warm = Measurement(targets.JUDGE_WARM, size, (Run(1.6, 1, 90),))
    text = page.page({"engine": Part({"cores": 2, "load before": 0.1}, (events, warm))})
    assert "Measured with: cores 2, load before 0.1." in text
    assert _row(text, "judge-warm") == (
        "| `judge-warm` | Validate 20,000 mailboxes, no file changed | 1.60 s | 90.0 MB |"
        " ≤ libyaml's events (20,000) = 1.50 s | **missed, 1.07 of the target** |"
    )


def test_the_chart_is_shown_when_the_engine_was_measured() -> None:
    assert "![Cost against size](cost.svg)" in page.page({"engine": Part({}, ())})


def test_amounts_have_three_significant_digits() -> None:
    values = (0.02345, 1.2345, 12.345, 123.45, 12345.6)
    assert [page.amount(one) for one in values] == ["0.023", "1.23", "12.3", "123", "12,346"]


def test_the_page_about_speed_has_the_figures_below_its_mark() -> None:
    few = Measurement(targets.UNCHANGED, targets.FEW_NODES, (Run(3.2, 4, 70),))
    many = Measurement(targets.UNCHANGED, targets.MANY_NODES, (Run(6.4, 13, 70),))
    before = f"# Speed\n\n{page.BELOW}old\n"
    text = page.speed(before, {"nodes": Part({}, (few, many))})
    assert text.startswith(f"# Speed\n\n{page.BELOW}\n## Figures\n")
    assert "old" not in text
    assert "| 2 | 3.20 s | 4.00 s |" in text
    assert "| 4 | not measured yet | not measured yet |" in text
    assert "| each more | – | 1.50 s |" in text
    assert page.speed(text, {}) == page.speed(before, {})


def test_the_page_about_speed_has_the_rates_of_mail_and_their_ratio() -> None:
    names = (targets.INCOMING, targets.INCOMING_FILTERED, targets.SUBMITTED)
    found = tuple(
        Measurement(name, targets.MESSAGES, (Run(seconds),))
        for name, seconds in zip(names, (2.0, 8.0, 4.0), strict=True)
    )
    text = page.speed(page.BELOW, {"filter": Part({}, found)})
    assert "| from outside | 500 | 125 | 0.250 |" in text
    assert "| submitted and signed | not measured yet | not measured yet | – |" in text


def test_the_committed_page_and_chart_are_those_of_the_results() -> None:
    results = run.results()
    assert (run.DOCS / "README.md").read_text(encoding="utf-8") == page.page(results)
    speed = run.SPEED.read_text(encoding="utf-8")
    assert speed == page.speed(speed, results)
    chart = run.DOCS / "cost.svg"
    assert chart.exists() == ("engine" in results)
    if "engine" in results:
        assert chart.read_text(encoding="utf-8") == run.picture(results["engine"])
