# SPDX-License-Identifier: GPL-3.0-or-later
"""Postfix's own DANE client, on the stranger's host with a validating resolver, verifies both nodes
all the time while their keys change."""

from __future__ import annotations

import json
import re
import threading
import time
import typing as t

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.access import node_checks
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.connect import Connector
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.finding import Finding
from client import ESTATE, Host, Outside, Run, ansible, wait_until
from conftest import NODES, RESOLVER

MOMENT = "%Y-%m-%dT%H:%M:%SZ"
MATCHED = re.compile(r"Matched DANE EE certificate at depth 0: 3 1 1 ([0-9A-F]{64})")


def fqdn(node: str) -> str:
    return f"{node}.hosting.example"


def verified(outside: Outside, node: str) -> str:
    """The key that the client found in DNS and on the host; empty when it would not deliver."""
    said = outside.run(f"posttls-finger -c -l dane-only [{fqdn(node)}] 2>&1", check=False).stdout
    found = MATCHED.search(said)
    return found[1].lower() if found and "Verified TLS connection established" in said else ""


def reported(node: str) -> dict[str, str]:
    (keys,) = json.loads((ESTATE / "state" / f"{node}.json").read_text(encoding="utf-8"))["tls"]
    return t.cast("dict[str, str]", keys)


def in_dns(dns1: Host, node: str) -> list[str]:
    """The records at the authoritative server."""
    lines = dns1.output(f"kdig +short @10.97.0.2 _25._tcp.{fqdn(node)} TLSA").splitlines()
    return sorted("".join(line.split()[3:]).lower() for line in lines)


def publish(dns1: Host, node: str, *keys: str) -> None:
    name = f"_25._tcp.{fqdn(node)}."
    update = "".join(f"update add {name} 3600 TLSA 3 1 1 {key}\n" for key in keys)
    dns1.run(
        "knsupdate -k /etc/knot/update.key",
        stdin=(
            f"server 10.97.0.2\nzone hosting.example\nupdate delete {name}"
            f" TLSA\n{update}send\nquit\n"
        ),
    )


def rollover(*arguments: str, **options: t.Any) -> Run:
    return ansible(
        "ansible-playbook",
        "playbooks/tls_rollover.yml",
        "--diff",
        "--extra-vars",
        json.dumps(options),
        *arguments,
    )


def clock(at: t.Callable[[t.Iterable[int]], int], nodes: dict[str, Host], seconds: int) -> str:
    """So long after DNS showed the next key of the first, or of the last, node, as they noted it:
    this test, when it is repeated, has been ahead of the true time already."""
    notes = [
        json.loads(host.output(f"cat /var/lib/reseller-mail/tls/{fqdn(name)}/next.json"))
        for name, host in nodes.items()
    ]
    return time.strftime(MOMENT, time.gmtime(at(note["since"] for note in notes) + seconds))


class Watch:
    """Asks both nodes over and over."""

    def __init__(self, outside: Outside) -> None:
        self._outside, self._stop = outside, threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.seen: dict[str, list[str]] = {node: [] for node in NODES}

    def _run(self) -> None:
        while not self._stop.is_set():
            for node in NODES:
                self.seen[node].append(verified(self._outside, node))

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join(60)


@pytest.fixture(scope="module")
def dns1() -> Host:
    return Host("dns1")


def test_the_key_in_service_and_the_next_one_stand_in_dns(
    outside: Outside, nodes: dict[str, Host], dns1: Host
) -> None:
    for name, host in nodes.items():
        keys = reported(name)
        assert in_dns(dns1, name) == sorted([keys["current"], keys["next"]])
        assert verified(outside, name) == keys["current"]
        assert (
            host.output(f"stat -c '%U %a' /var/lib/reseller-mail/tls/{fqdn(name)}/next.pem")
            == "root 600"
        )


def test_no_key_changes_while_a_resolver_may_not_know_the_next_one(
    outside: Outside, nodes: dict[str, Host], dns1: Host
) -> None:
    before = {name: reported(name) for name in NODES}
    run = rollover(tls_now=clock(min, nodes, 7199))
    assert run.rc == 2
    for name in NODES:
        assert (
            f"The key of {fqdn(name)} was not changed: its next key has been in DNS since "
            in " ".join(run.output.split())
        )
    ready = clock(max, nodes, 7200)
    publish(dns1, "mx1", before["mx1"]["current"])
    try:
        run = rollover("--limit", "mx1,localhost", "--check", tls_now=ready)
    finally:
        publish(dns1, "mx1", before["mx1"]["current"], before["mx1"]["next"])
    assert "ns.hosting.example (10.97.0.2): other TLSA records only" in " ".join(run.output.split())
    assert {name: reported(name) for name in NODES} == before
    assert {name: verified(outside, name) for name in NODES} == {
        name: keys["current"] for name, keys in before.items()
    }


def test_senders_that_verify_never_notice_a_rollover(
    outside: Outside, nodes: dict[str, Host], dns1: Host
) -> None:
    before = {name: reported(name) for name in NODES}
    with Watch(outside) as watch:
        run = rollover(tls_now=clock(max, nodes, 7200))
        time.sleep(6)  # the resolver forgets
    assert run.rc == 0, run.output
    for name, host in nodes.items():
        after = reported(name)
        assert after["current"] == before[name]["next"]
        assert after["next"] not in before[name].values()
        assert in_dns(dns1, name) == sorted([after["current"], after["next"]])
        assert len(watch.seen[name]) > 5
        assert list(dict.fromkeys(watch.seen[name])) == [
            before[name]["current"],
            after["current"],
        ], "one key, then the other, and never none"
        renew = (
            "REQUESTS_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt certbot renew -n"
            f" --force-renewal --cert-name {fqdn(name)}"
        )
        host.run(renew)
        assert verified(outside, name) == after["current"], "a renewed certificate has the same key"
    assert "PRIVATE KEY" not in run.output


def test_an_emergency_does_not_wait_and_says_what_it_costs(outside: Outside) -> None:
    before = {name: reported(name) for name in NODES}
    run = rollover(tls_rollover_emergency=True)
    assert run.rc == 0, run.output
    for name in NODES:
        assert (
            f"{fqdn(name)} has a new key although its next key has been in DNS since "
            in " ".join(run.output.split())
        )
        assert verified(outside, name) == reported(name)["current"] == before[name]["next"]


def says(id_: str, host: str) -> Finding:
    """What verify says of a host's TLS."""
    found = [
        check()
        for check in node_checks(Connector(RESOLVER), host, "")
        if getattr(check, "args", ("",))[0] == id_
    ]
    assert len(found) == 1
    return found[0]


def test_a_wrong_record_stops_mail_and_verify_says_so(outside: Outside, dns1: Host) -> None:
    keys = reported("mx1")
    assert says("mail.dane", fqdn("mx1")).state == "ok"
    wrong = 32 * "ee"
    publish(dns1, "mx1", wrong)
    try:
        assert wait_until(lambda: not verified(outside, "mx1"))
        assert wait_until(lambda: says("mail.dane", fqdn("mx1")).state == "fail")
        assert (
            f"the host serves 3 1 1 {keys['current']}, DNS has 3 1 1 {wrong}"
            in says("mail.dane", fqdn("mx1")).found
        )
    finally:
        publish(dns1, "mx1", keys["current"], keys["next"])
    assert wait_until(lambda: verified(outside, "mx1")) == keys["current"]


@pytest.mark.parametrize("node", NODES)
def test_a_node_s_tls_is_of_today(node: str) -> None:
    found = says("mail.ciphers", fqdn(node))
    assert (found.state, found.found) == (
        "ok",
        "TLSv1.3 TLS_AES_256_GCM_SHA384, EC key of 256 bits",
    )


def test_tls_that_is_not_of_today_is_found() -> None:
    """The stranger's host has Postfix as Debian ships it."""
    found = says("mail.ciphers", "mail.stranger.example")
    assert found.state == "fail"
    assert "TLSv1.1 is spoken; the cipher " in found.found
    assert "handshakes are signed by ECDSA with SHA-1 (RFC 9155)" in found.found


OLD_SETTINGS = {"main.cf": ("postconf", ""), "port 587 in master.cf": ("postconf -P", "587/inet/")}


@pytest.mark.parametrize("place", OLD_SETTINGS)
@pytest.mark.parametrize("node", NODES)
def test_a_node_that_signs_with_sha_1_is_found(
    nodes: dict[str, Host], node: str, place: str
) -> None:
    """As it did before OpenSSL was told what to sign with: Postfix has no setting of its own for
    that."""
    host, (command, prefix) = nodes[node], OLD_SETTINGS[place]
    host.run("cp -a /etc/postfix/main.cf /etc/postfix/master.cf /run/")
    try:
        host.run(
            f"{command} {prefix}tls_config_file=default {prefix}tls_config_name= && postfix reload"
        )
        assert wait_until(lambda: says("mail.ciphers", fqdn(node)).state == "fail")
        found = says("mail.ciphers", fqdn(node)).found
        assert found.startswith(
            ("port 587: " if prefix else "")
            + "handshakes are signed by ECDSA with SHA-1 (RFC 9155)"
        )
    finally:
        host.run("mv /run/main.cf /run/master.cf /etc/postfix/ && postfix reload")
    assert wait_until(lambda: says("mail.ciphers", fqdn(node)).state == "ok")
