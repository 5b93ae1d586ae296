# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._language.scalars import POOL
from ansible_collections.reseller.mail.plugins.plugin_utils._model.sizes import rounded, size
from hypothesis import given
from hypothesis import strategies as st


@given(st.none() | st.integers(0, 2**63 - 1))
def test_what_is_written_reads_as_the_same(number: int | None) -> None:
    assert POOL.read(size(number)) == number


@pytest.mark.parametrize(
    ("number", "exact", "short"),
    [
        (0, "0", "0"),
        (1, "1B", "1B"),
        (1023, "1023B", "1023B"),
        (1536, "1536B", "1.5K"),
        (2**20, "1M", "1M"),
        (5 * 2**30, "5G", "5G"),
        (2**40 + 2**39, "1536G", "1.5T"),
    ],
)
def test_sizes(number: int, exact: str, short: str) -> None:
    assert (size(number), rounded(number)) == (exact, short)
