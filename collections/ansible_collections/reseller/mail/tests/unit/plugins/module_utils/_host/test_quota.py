# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import zlib
from base64 import b64encode

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host import one_text, quota
from ansible_collections.reseller.mail.plugins.module_utils._host.quota import Quota

JO = Quota("jo@acme.example", 1048576, 887808, None, 9)
ANN = Quota("ann@acme.example", None, 0, 500000, 0)
TEXT = """Username\tQuota name\tType\tValue\tLimit\t%
jo@acme.example\tUser quota\tSTORAGE\t867\t1024\t84
jo@acme.example\tUser quota\tMESSAGE\t9\t-\t0
ann@acme.example\tUser quota\tSTORAGE\t0\t-\t0
ann@acme.example\tUser quota\tMESSAGE\t0\t500000\t0
"""


def test_doveadm_counts_in_kib_and_writes_text() -> None:
    assert quota.parse(TEXT) == [JO, ANN]
    assert quota.parse("") == []


@pytest.mark.parametrize(
    "text",
    ["header\nError: no such user\n", TEXT.replace("867", "much"), TEXT.rpartition("ann")[0]],
)
def test_another_output_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"unpack|invalid literal|does not name"):
        quota.parse(text)


def test_what_is_packed_is_unpacked() -> None:
    assert quota.unpacked(quota.packed([JO, ANN])) == [JO, ANN]
    assert quota.unpacked(quota.packed([])) == []
    on_disk = JO._replace(disk=887000, disk_messages=9)
    assert quota.unpacked(quota.packed([on_disk])) == [on_disk]


def sent(data: object) -> str:
    return b64encode(zlib.compress(json.dumps(data).encode())).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no base64!",
        "bm8gemxpYg==",
        sent({"address": 1}),
        sent([["jo@acme.example"]]),
        sent(3),
        sent([[*JO[:2], "much", *JO[3:]]]),
        sent([[["jo"], *JO[1:]]]),
        sent([[*JO[:5], "much", 9]]),
    ],
)
def test_an_answer_that_the_module_did_not_make_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        quota.unpacked(text)


def test_an_answer_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_text, "MAX_SIZE", 1000)
    with pytest.raises(ValueError, match=r"."):
        quota.unpacked(sent([JO] * 1000))
