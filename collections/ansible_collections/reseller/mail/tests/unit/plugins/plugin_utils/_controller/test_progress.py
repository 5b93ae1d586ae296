# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.reseller.mail.plugins.plugin_utils._controller.progress import (
    EVERY,
    Progress,
)


def test_a_line_is_printed_every_few_seconds_and_none_at_the_end() -> None:
    times = iter([0.0, 1.0, EVERY, EVERY + 1, 2 * EVERY, 3 * EVERY])
    lines: list[str] = []
    show = Progress("passwords hashed", lambda: next(times), lines.append)
    for done in (10, 20, 30, 40, 50):
        show(done, 50)
    assert lines == ["passwords hashed: 20 of 50", "passwords hashed: 40 of 50"]
