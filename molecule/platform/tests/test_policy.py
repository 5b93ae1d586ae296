# SPDX-License-Identifier: GPL-3.0-or-later
"""What everyone can read about the domain of a tenant."""

from __future__ import annotations

import hashlib

import dns.resolver
import pytest
from client import Outside
from conftest import RESOLVER


def ask(name: str, kind: str) -> list[str]:
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = [RESOLVER]
    return sorted(record.to_text() for record in resolver.resolve(name, kind, lifetime=10))


@pytest.mark.parametrize(
    ("domain", "mode"),
    [("acme.example", "testing"), ("globex.example", "enforce")],
    ids=["mx1 (Debian 12)", "mx2 (Debian 13)"],
)
def test_the_mta_sts_policy_that_a_stranger_fetches_matches_the_mx(
    outside: Outside, domain: str, mode: str
) -> None:
    status, kind, text = outside.call(
        "get", url=f"https://mta-sts.{domain}/.well-known/mta-sts.txt"
    )
    assert (status, kind) == (200, "text/plain")
    lines = [line.partition(": ")[::2] for line in text.split("\r\n") if line]
    assert lines[0] == ("version", "STSv1")
    assert ("mode", mode) in lines
    exchangers = {record.split()[1].rstrip(".") for record in ask(domain, "MX")}
    assert {value for key, value in lines if key == "mx"} == exchangers, "the backups too"
    (announced,) = ask(f"_mta-sts.{domain}", "TXT")
    assert "v=STSv1" in announced


def test_the_policy_s_id_follows_from_its_content(outside: Outside) -> None:
    ids = {}
    for domain in ("acme.example", "acme-shop.example", "globex.example"):
        text = outside.call("get", url=f"https://mta-sts.{domain}/.well-known/mta-sts.txt")[2]
        (announced,) = ask(f"_mta-sts.{domain}", "TXT")
        ids[hashlib.sha256(text.encode()).hexdigest()] = announced.partition("id=")[2].strip('; "')
    assert len(set(ids.values())) == len(ids), ids


@pytest.mark.parametrize("domain", ["acme.example", "globex.example"])
def test_dns_says_what_the_files_say(domain: str) -> None:
    assert any("v=spf1" in record and record.endswith('-all"') for record in ask(domain, "TXT"))
    assert any("v=DMARC1" in record for record in ask(f"_dmarc.{domain}", "TXT"))
    assert ask(f"_imaps._tcp.{domain}", "SRV")
