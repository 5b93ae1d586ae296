# SPDX-License-Identifier: GPL-3.0-or-later
"""Records are read as strictly as receivers read them. Expected values are those of the RFCs'
grammars."""

from __future__ import annotations

import contextlib

import dkim
import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._dns import text_records as records
from ansible_collections.reseller.mail.plugins.plugin_utils._dns.text_records import Malformed
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    "text",
    ["v=DMARC1; p=none", "V=DMARC1;p=none;", "v = DMARC1 ; P = none ;", "v\t=\tDMARC1\t;\tp=none"],
)
def test_dmarc_has_a_case_in_its_version_alone(text: str) -> None:
    assert records.dmarc(text)["p"] == "none"


@pytest.mark.parametrize(
    "text",
    [
        " v=DMARC1; p=none", "v=dmarc1; p=none", "v=DMARC1p=none", "v=DMARC12; p=none",
        "p=none; v=DMARC1",
        "v=DMARC1; p=none; P=reject", "v=DMARC1; v=DMARC1; p=none", "v=DMARC1; p",
        "v=DMARC1;; p=none", "v=DMARC1, p=none",
    ],
)  # fmt: skip
def test_what_is_no_dmarc_record(text: str) -> None:
    with pytest.raises(Malformed):
        records.dmarc(text)


@pytest.mark.parametrize("text", ["v=STSv1; id=1", "v=STSv1;id=1;", "v=STSv1 ; id=1 ; ext=x"])
def test_the_announcement_of_a_policy(text: str) -> None:
    assert records.mta_sts(text)["id"] == "1"


@pytest.mark.parametrize(
    "text",
    [
        "v=stsv1; id=1", "V=STSv1; id=1", "v = STSv1; id=1", " v=STSv1; id=1", "v=STSv1 id=1",
        "v=STSv2; id=1", "id=1; v=STSv1",
        "v=STSv1; id = 1", "v=STSv1; id=1; id=2",
    ],
)  # fmt: skip
def test_what_announces_no_policy(text: str) -> None:
    with pytest.raises(Malformed):
        records.mta_sts(text)


def test_an_announcement_with_another_case_has_no_id() -> None:
    assert "id" not in records.mta_sts("v=STSv1; ID=1")
    assert "rua" not in records.tls_rpt("v=TLSRPTv1; RUA=mailto:x@y.example")


@pytest.mark.parametrize(
    "text",
    [
        "v=tlsrptv1; rua=mailto:x@y.example",
        " v=TLSRPTv1; rua=mailto:x@y.example",
        "v=TLSRPTv1; rua= mailto:x@y.example",
    ],
)
def test_what_is_no_tls_rpt_record(text: str) -> None:
    with pytest.raises(Malformed):
        records.tls_rpt(text)


def test_the_first_field_of_a_policy_counts_and_every_mx() -> None:
    text = "version: STSv1\r\nmode: none\r\nmode: enforce\r\nmax_age: 1\r\nmax_age: 2\r\n"
    text += "mx: a.example\r\nMX: no.example\r\nmx : no.example\r\nmx:*.B.example \r\n"
    assert records.mta_sts_policy(text) == (
        {"version": "STSv1", "mode": "none", "MX": "no.example", "max_age": "1"},
        ["a.example", "*.b.example"],
    )


TAGS = st.lists(
    st.tuples(
        st.sampled_from(["v", "p", "k", "V", "P", "n", "t", ""]),
        st.sampled_from(["DKIM1", "AAAA", "rsa", "A A", ""]),
    ),
    max_size=4,
)
TEXTS = st.tuples(TAGS, st.sampled_from([";", "; ", " ;", ";;"]), st.sampled_from(["=", " = ", ""]))


@given(TEXTS)
def test_a_list_that_dkimpy_refuses_is_no_key(
    parts: tuple[list[tuple[str, str]], str, str],
) -> None:
    tags, semicolon, equals = parts
    text = semicolon.join(f"{name}{equals}{value}" for name, value in tags)
    with contextlib.suppress(Malformed):
        found = records.dkim_key(text)
        assert (
            dkim.util.parse_tag_value(text.encode())[b"p"].decode().replace(" ", "") == found["p"]
        )
