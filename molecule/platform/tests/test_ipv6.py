# SPDX-License-Identifier: GPL-3.0-or-later
"""Whoever has IPv6 only is served like everybody else, and verify says when an address does not
answer."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.access import client_checks
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.connect import Connector
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.finding import Finding
from client import Host, Message, Outside
from conftest import OUTSIDE, RESOLVER, STRANGER, Address, Side
from test_delivery import received, submit

IPV4 = {"mx1": ("10.97.0.3",), "mx2": ("10.97.0.4", "10.97.0.14")}
"""All that lead to each node."""
IPV6 = {"mx1": "fd97::3", "mx2": "fd97::4"}
"""What each node sends from."""


@contextlib.contextmanager
def without(host: Host, *addresses: str) -> t.Iterator[None]:
    """A host that has no way to these addresses."""
    host.run(" && ".join(f"ip route add unreachable {one}" for one in addresses))
    try:
        yield
    finally:
        host.run("; ".join(f"ip route del unreachable {one}" for one in addresses))


def only_ipv6(outside: Outside, what: str, **arguments: t.Any) -> t.Any:
    return outside.call("over_ipv6", what=what, **arguments)


def login(user: Address) -> dict[str, str]:
    return {"host": user.host, "user": user.name, "password": user.password}


def trace(raw: bytes, by: str) -> str:
    """Who handed a message to a host, in that host's own words."""
    found = re.search(
        rf"^Received: from (\S+ \(\S+ \[\S+\]\))(?:(?!^\S).)*?by {re.escape(by)} ",
        raw.decode(),
        re.M | re.S,
    )
    assert found, raw.decode()
    return found[1]


def test_a_stranger_s_host_that_has_ipv6_only_delivers(outside: Outside, side: Side) -> None:
    message = Message.new(STRANGER, side.user.name)
    with without(outside, *IPV4[side.node]):
        assert outside.send("127.0.0.1", 25, STRANGER, [side.user.name], message)["data"][0] == 250
        raw = received(outside, side.user, message)
    assert (
        trace(raw, side.host)
        == f"mail.stranger.example (mail.stranger.example [IPv6:{OUTSIDE[1]}])"
    )


def test_mail_leaves_over_ipv6_from_the_node_s_own_address(
    outside: Outside, side: Side, node: Host
) -> None:
    """Its name in EHLO and its reverse name agree, and SPF lists the address."""
    own = IPV6[side.node]
    with without(node, OUTSIDE[0]):
        message = submit(outside, side.user, STRANGER)
        (raw,) = outside.stored(message.token)
    assert trace(raw, "mail.stranger.example") == f"{side.host} ({side.host} [IPv6:{own}])"
    assert f"ip6:{own}" in outside.call("txt_now", name="hosting.example").split()
    assert "include:hosting.example" in outside.call("txt_now", name=side.user.domain).split()


def test_nodes_know_each_other_over_ipv6(outside: Outside, side: Side, node: Host) -> None:
    other = next(one for one in IPV6 if one != side.node)
    with without(node, *IPV4[other]):
        message = submit(outside, side.user, side.other_user.name)
        raw = received(outside, side.other_user, message)
    assert trace(raw, side.other_user.host) == f"{side.host} ({side.host} [IPv6:{IPV6[side.node]}])"


def test_a_user_who_has_ipv6_only_sends_and_reads(outside: Outside, side: Side) -> None:
    user = side.user
    for port in (587, 465):
        message = Message.new(user.name, user.name)
        arguments = {
            "sender": user.name,
            "recipients": [user.name],
            "message": message.text,
            "login": user.name,
            "password": user.password,
        }
        assert only_ipv6(outside, "send", host=side.host, port=port, **arguments)["data"][0] == 250
        assert len(only_ipv6(outside, "fetch", token=message.token, **login(user))) == 1
    assert only_ipv6(outside, "login", protocol="pop3", **login(user))[0]
    assert only_ipv6(outside, "managesieve", commands=["LISTSCRIPTS"], **login(user))[0].startswith(
        "OK"
    )


@pytest.mark.parametrize(
    "page", ["mta-sts.{}/.well-known/mta-sts.txt", "autoconfig.{}/mail/config-v1.1.xml"]
)
def test_pages_come_over_ipv6(outside: Outside, side: Side, page: str) -> None:
    assert only_ipv6(outside, "get", url=f"https://{page.format(side.user.domain)}")[0] == 200


def test_verify_warns_of_an_address_that_does_not_answer(side: Side) -> None:
    """A firewall on the way that knows IPv4 only: to the tester it is the host that refuses."""
    address = IPV6[side.node]

    def asked() -> Finding:
        authority = Path(os.environ.get("LAB_HOSTS_DIR", "/var/lib/reseller-mail-lab")) / "ca.pem"
        (found,) = [
            one
            for one in (
                check() for check in client_checks(Connector(RESOLVER, str(authority)), side.host)
            )
            if one.id == "access.addresses"
        ]
        return found

    assert asked().state == "ok"
    rule = f"ip6 daddr {address} tcp dport {{ 587, 993 }} reject with tcp reset"
    rules = f"table ip6 closed {{\nchain out {{\ntype filter hook output priority 0\n{rule}\n}}\n}}"
    subprocess.run(["nft", rules], check=True)
    try:
        found = asked()
    finally:
        subprocess.run(["nft", "delete table ip6 closed"], check=True)
    assert found.state == "warn"
    assert (
        found.found
        == f"{address} port 993: Connection refused; {address} port 587: Connection refused"
    )
