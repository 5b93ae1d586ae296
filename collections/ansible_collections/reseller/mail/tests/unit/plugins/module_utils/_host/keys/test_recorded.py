# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told when the file of a node is not what the node has."""

from __future__ import annotations

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host.keys.dkim import Key, KeyName
from ansible_collections.reseller.mail.plugins.module_utils._host.keys.recorded import (
    MOST,
    dkim_differences,
    tls_differences,
)
from ansible_collections.reseller.mail.plugins.module_utils._host.keys.tls import Keys


def key(selector: str = "mx1", state: str = "active", public: str = "AAAA") -> Key:
    return Key(KeyName("acme.example", selector), "rsa", public, state, 1, 1)


NAME = "mx1._domainkey.acme.example"


@pytest.mark.parametrize(
    ("host", "file", "told"),
    [
        ([key()], [key()], []),
        ([key()], [], [f"{NAME} is active on the host, and not in the file"]),
        ([], [key()], [f"{NAME} is active in the file, and not on the host"]),
        (
            [key()],
            [key(state="generated")],
            [f"{NAME} is active on the host, and generated in the file"],
        ),
        ([key()], [key(public="BBBB")], [f"{NAME} is another key on the host than in the file"]),
        ([key(state="removed")], [], []),
        ([], [key(state="removed")], []),
        ([key(state="generated", public="")], [], []),
    ],
)
def test_a_dkim_key_that_is_recorded_otherwise_is_told(
    host: list[Key], file: list[Key], told: list[str]
) -> None:
    assert dkim_differences({one.name: one for one in host}, file) == told


def test_of_many_differences_the_first_are_told_and_the_others_counted() -> None:
    keys = [key(f"mx1-{number}") for number in range(2, MOST + 5)]
    told = dkim_differences({one.name: one for one in keys}, [])
    assert (len(told), told[-1]) == (MOST + 1, "and 3 more")


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([{"name": "mx1.x", "current": "a", "next": "b"}], []),
        ([], []),
        ([{"name": "mx2.x", "current": "c", "next": "d"}], []),
        (
            [{"name": "mx1.x", "current": "c", "next": "b"}],
            ["the TLS key of mx1.x is another on the host than in the file"],
        ),
        (
            [{"name": "mx1.x", "current": "a", "next": ""}],
            ["the next TLS key of mx1.x is another on the host than in the file"],
        ),
        # The announced key came into service, and the file does not have its successor yet.
        (
            [{"name": "mx1.x", "current": "c", "next": "a"}],
            ["the next TLS key of mx1.x is another on the host than in the file"],
        ),
    ],
)
def test_a_tls_key_that_is_recorded_otherwise_is_told(
    rows: list[dict[str, str]], told: list[str]
) -> None:
    assert tls_differences({"mx1.x": Keys("mx1.x", "a", "b")}, rows) == told
