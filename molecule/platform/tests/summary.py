# SPDX-License-Identifier: GPL-3.0-or-later
"""Leaves the names of failed tests where scripts/test.sh finds them.

Molecule draws a box around what pytest prints and wraps its lines, so a long name is not in one
piece there.
"""

from __future__ import annotations

from pathlib import Path

import pytest

FAILED = Path(__file__).parents[3] / "build" / "platform" / "failed"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Write a line for each failed test, in the words of pytest's own summary."""
    lines = []
    for word in ("failed", "error"):
        for report in terminalreporter.getreports(word):
            crash = getattr(report.longrepr, "reprcrash", None)
            reason = f" - {crash.message.splitlines()[0]}" if crash and crash.message else ""
            lines.append(f"{word.upper()} {report.nodeid}{reason}\n")
    if lines:
        FAILED.parent.mkdir(parents=True, exist_ok=True)
        FAILED.write_text("".join(lines), encoding="utf-8")
