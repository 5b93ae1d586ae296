# SPDX-License-Identifier: GPL-3.0-or-later
"""A mailbox trains the spam filter with so many messages an hour, whatever it sends."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.reseller.mail.tests.unit.support.programs import program
from hypothesis import given
from hypothesis import strategies as st

learn = program("dovecot/files/learn.py")
NOW = 1_796_028_755.5


@given(st.lists(st.floats(NOW - 2 * learn.SECONDS, NOW + learn.SECONDS), max_size=150))
def test_never_more_than_the_limit_counts_and_what_is_old_or_of_the_future_does_not(
    times: list[float],
) -> None:
    after = learn.admitted(times, NOW)
    recent = [one for one in times if NOW - learn.SECONDS < one <= NOW]
    assert after == [*recent, NOW] if len(recent) < learn.MOST else after == recent


def test_the_record_of_a_mailbox_ends_its_training_for_an_hour(tmp_path: Path) -> None:
    record = tmp_path / ".learned"
    answers = [learn.is_admitted(record, NOW + step) for step in range(learn.MOST + 5)]
    assert answers == [True] * learn.MOST + [False] * 5
    assert learn.is_admitted(record, NOW + learn.SECONDS)
    assert record.stat().st_mode & 0o777 == 0o600
