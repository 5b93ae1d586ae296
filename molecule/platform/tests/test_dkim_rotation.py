# SPDX-License-Identifier: GPL-3.0-or-later
"""DKIM keys change while mail flows, and every message verifies, when it arrives, with what DNS
says then."""

from __future__ import annotations

import calendar
import contextlib
import json
import re
import threading
import time
import typing as t
import uuid

import pytest
from client import ESTATE, PROJECT, Host, Message, Outside, Run, ansible
from conftest import STRANGER, Side
from test_delivery import submit

DKIM = "/var/lib/reseller-mail/dkim"
DAY = 86400
MOMENT = "%Y-%m-%dT%H:%M:%SZ"
# Markers alone are no key: the log of the run shows, as a difference, the engine's file that names them.
A_KEY = re.compile(rb"PRIVATE KEY-----.{0,20}?[A-Za-z0-9+/]{60}", re.DOTALL)


class SignedFlow:
    """Both nodes' people write to a stranger all the time; `outside` verifies each message the moment
    it arrives."""

    def __init__(self, outside: Outside, sides: dict[str, Side]) -> None:
        self._outside, self._running = outside, f"/run/{uuid.uuid4().hex}"
        people = [person for side in sides.values() for person in (side.user, side.catch_all_to)]
        self._senders = [[person.host, person.name, person.password] for person in people]
        self._thread = threading.Thread(target=self._run)
        self.sent: list[t.Any] = []

    def _run(self) -> None:
        self.sent = self._outside.call(
            "signed_flow", senders=self._senders, recipient=STRANGER, running=self._running
        )

    def __enter__(self) -> SignedFlow:
        self._outside.run(f"touch {self._running}")
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._outside.run(f"rm -f {self._running}")
        self._thread.join(180)

    def faults(self) -> list[t.Any]:
        """Messages that were refused, did not arrive, or bear a signature that was not good when
        they arrived."""
        return [
            one
            for one in self.sent
            if one[2][0] != 250 or one[3] is None or not all(good for *_which, good in one[3])
        ]

    def signers(self, domain: str) -> list[tuple[str, ...]]:
        """The selectors that signed a domain's messages, each combination once, in the order in
        which they came into use."""
        found = (
            tuple(sorted(selector for _domain, selector, _algorithm, _good in one[3]))
            for one in self.sent
            if one[1].endswith(f"@{domain}") and one[3]
        )
        return list(dict.fromkeys(found))

    def goes_over(self, domain: str, old: tuple[str, ...], new: tuple[str, ...]) -> None:
        """Each algorithm changes its key once. They are signers of their own, switched one after
        the other: a message may meet either between."""
        found = self.signers(domain)
        assert (found[0], found[-1]) == (old, new)
        assert [list(dict.fromkeys(lane)) for lane in zip(*found, strict=True)] == [
            list(change) for change in zip(old, new, strict=True)
        ]


def clock(days: int) -> str:
    """Other tests, and this one when it is repeated, may have been ahead of the true time
    already."""
    reported = [
        key["since"]
        for path in (ESTATE / "state").glob("mx*.json")
        for key in json.loads(path.read_text(encoding="utf-8"))["dkim"]
    ]
    last = max(
        (calendar.timegm(time.strptime(timestamp, MOMENT)) for timestamp in reported), default=0
    )
    return time.strftime(MOMENT, time.gmtime(max(time.time(), last) + days * DAY))


def rotate(*domains: str, days: int = 0, **options: t.Any) -> Run:
    """The playbook, as if it were `days` later than the last change that nodes reported."""
    told = {"dkim_rotate_domains": domains, "opendkim_now": clock(days), **options}
    run = ansible(
        "ansible-playbook", "playbooks/dkim_rotate.yml", "--diff", "--extra-vars", json.dumps(told)
    )
    assert run.rc == 0, run.output
    return run


def keys(node: str, domain: str, algorithm: str = "rsa") -> dict[str, str]:
    """What the node reported: selector and state."""
    report = json.loads((ESTATE / "state" / f"{node}.json").read_text(encoding="utf-8"))
    return {
        key["selector"]: key["state"]
        for key in report["dkim"]
        if (key["domain"], key["algorithm"]) == (domain, algorithm)
    }


def signing(node: str, domain: str, algorithm: str = "rsa") -> str:
    (selector,) = [
        selector for selector, state in keys(node, domain, algorithm).items() if state == "active"
    ]
    return selector


def in_dns(outside: Outside, selector: str, domain: str) -> str | None:
    """The record as the authoritative server has it; an empty p= is a revoked key."""
    return outside.call("txt_now", name=f"{selector}._domainkey.{domain}")


def as_the_tenant_publishes(dns1: Host, domain: str) -> None:
    """A tenant that has its own DNS adds what the provider wrote down for it."""
    lines = [
        line
        for line in (PROJECT / "build" / "dns" / f"{domain}.zone").read_text().splitlines()
        if "._domainkey." in line
    ]
    assert lines
    update = "".join(f"update delete {line.split()[0]} TXT\nupdate add {line}\n" for line in lines)
    dns1.run(
        "knsupdate -k /etc/knot/update.key",
        stdin=f"server 10.97.0.2\nzone example\n{update}send\nquit\n",
    )


@pytest.fixture(scope="module")
def dns1() -> Host:
    return Host("dns1")


@pytest.fixture(scope="module", autouse=True)
def everybody_signs(dns1: Host) -> None:
    """Also the tenant whose DNS is its own."""
    rotate()
    as_the_tenant_publishes(dns1, "initech-shop.example")
    rotate()


@contextlib.contextmanager
def flow(outside: Outside, sides: dict[str, Side]) -> t.Iterator[SignedFlow]:
    with SignedFlow(outside, sides) as running:
        yield running
        time.sleep(2)  # mail after what was done
    assert len(running.sent) > 40
    print(f"{len(running.sent)} messages, each verified on arrival")
    assert running.faults() == []


def test_a_key_does_not_sign_before_dns_shows_it(outside: Outside, sides: dict[str, Side]) -> None:
    domains = {name: side.user.domain for name, side in sides.items()}
    old = {name: signing(name, domain) for name, domain in domains.items()}
    with flow(outside, sides) as before:
        run = rotate(*domains.values(), dns_publish_driver="manual")
    assert all(before.signers(domain) == [(old[name],)] for name, domain in domains.items())
    for name, domain in domains.items():
        (new,) = [
            selector for selector, state in keys(name, domain).items() if state == "generated"
        ]
        assert (
            f"{name} does not sign yet with {new}._domainkey.{domain}: ns.hosting.example"
            " (10.97.0.2): no such record" in run.output
        )
        assert in_dns(outside, new, domain) is None
    with flow(outside, sides) as after:
        rotate()
    for name, domain in domains.items():
        assert keys(name, domain)[old[name]] == "retired"
        assert after.signers(domain) == [(old[name],), (signing(name, domain),)]


def test_what_is_due_is_rotated_and_nobody_waits_for_a_tenant_that_does_nothing(
    outside: Outside, sides: dict[str, Side], nodes: dict[str, Host], dns1: Host
) -> None:
    """acme-shop (Debian 12) and initech-shop (Debian 13) want both algorithms, new keys every 180
    days; the latter has its own DNS."""
    shops = {name: side.catch_all_to.domain for name, side in sides.items()}
    old = {
        name: tuple(signing(name, shop, algorithm) for algorithm in ("rsa", "ed25519"))
        for name, shop in shops.items()
    }
    with flow(outside, sides) as first:
        rotate(days=181)
    new = {
        name: tuple(signing(name, shop, algorithm) for algorithm in ("rsa", "ed25519"))
        for name, shop in shops.items()
    }
    assert new["mx2"] == old["mx2"], "a tenant that did nothing"
    first.goes_over(shops["mx1"], old["mx1"], new["mx1"])
    assert first.signers(shops["mx2"]) == [old["mx2"]]
    algorithms = {
        algorithm
        for one in first.sent
        for _domain, selector, algorithm, _good in one[3]
        if selector in (*old["mx1"], *new["mx1"])
    }
    assert algorithms == {"rsa-sha256", "ed25519-sha256"}
    as_the_tenant_publishes(dns1, shops["mx2"])
    with flow(outside, sides) as second:
        rotate(days=1)
    new["mx2"] = tuple(signing("mx2", shops["mx2"], algorithm) for algorithm in ("rsa", "ed25519"))
    second.goes_over(shops["mx2"], old["mx2"], new["mx2"])
    for name, shop in shops.items():
        assert all(in_dns(outside, selector, shop) for selector in old[name]), (
            "mail that they signed is still under way"
        )
    rotate(days=8)
    for name, shop in shops.items():
        for selector in old[name]:
            assert (
                nodes[name].run(f"test -e {DKIM}/{shop}/{selector}.private", check=False).returncode
                == 1
            )
    assert [in_dns(outside, selector, shops["mx1"]) for selector in old["mx1"]] == [None, None]


def test_compromised_keys_are_replaced_and_revoked_under_way(
    outside: Outside, sides: dict[str, Side], nodes: dict[str, Host]
) -> None:
    domains = {name: side.user.domain for name, side in sides.items()}
    old = {name: signing(name, domain) for name, domain in domains.items()}
    with flow(outside, sides) as running:
        run = rotate(*domains.values(), dkim_rotate_emergency=True)
    for name, domain in domains.items():
        new = signing(name, domain)
        assert running.signers(domain) == [(old[name],), (new,)]
        assert keys(name, domain)[old[name]] == "revoked"
        assert in_dns(outside, old[name], domain) == "v=DKIM1; k=rsa; p="
        assert in_dns(outside, new, domain)
        assert (
            nodes[name].run(f"test -e {DKIM}/{domain}/{old[name]}.private", check=False).returncode
            == 1
        )
        assert (
            nodes[name].output(f"stat -c '%U %a' {DKIM}/{domain}/{new}.private") == "opendkim 600"
        )
    again = rotate()
    assert {host: figures["changed"] for host, figures in again.recap.items()} == dict.fromkeys(
        again.recap, 0
    ), again.output
    assert "PRIVATE KEY" not in run.output
    left = [
        path
        for path in (PROJECT / "build").rglob("*")
        if path.is_file() and A_KEY.search(path.read_bytes())
    ]
    assert left == [], "a private half left its host"


def test_a_lost_key_gets_a_successor_which_signs_when_dns_shows_it(
    outside: Outside, sides: dict[str, Side], nodes: dict[str, Host]
) -> None:
    """On Debian 12 the file is gone, on Debian 13 another key lies there. Beside it a file that
    lost its owner is mended."""
    domains = {name: side.user.domain for name, side in sides.items()}
    shops = {name: side.catch_all_to.domain for name, side in sides.items()}
    old = {name: signing(name, domain) for name, domain in domains.items()}
    files = {name: f"{DKIM}/{domain}/{old[name]}.private" for name, domain in domains.items()}
    nodes["mx1"].run(f"rm {files['mx1']}")
    nodes["mx2"].run(
        f"cat {DKIM}/{shops['mx2']}/{signing('mx2', shops['mx2'])}.private >{files['mx2']}"
    )
    for name, shop in shops.items():
        nodes[name].run(
            f"chown root:root {DKIM}/{shop} {DKIM}/{shop}/{signing(name, shop)}.private"
        )
    told = ansible(
        "ansible-playbook",
        "playbooks/dkim_rotate.yml",
        "--diff",
        "-e",
        json.dumps({"opendkim_now": clock(0), "dns_publish_driver": "manual"}),
    )
    assert told.rc == 2, told.output
    said = " ".join(told.output.split())
    for name, domain in domains.items():
        assert (
            f"{domain} is not signed: the private half of {old[name]}._domainkey.{domain}" in said
        )
        assert (
            f"~ dkim key {signing(name, shops[name])}._domainkey.{shops[name]} owner and mode"
            in said
        )
        assert sorted(keys(name, domain).values())[:2] == ["active", "generated"]
    with SignedFlow(outside, sides) as unsigned:
        time.sleep(2)
    assert [one for one in unsigned.sent if one[2][0] != 250] == []
    for name, domain in domains.items():
        assert {str(one[3]) for one in unsigned.sent if one[1].endswith(f"@{domain}")} == {"[]"}, (
            "it arrives, and unsigned"
        )
        assert all(
            all(good for *_which, good in one[3]) and one[3]
            for one in unsigned.sent
            if one[1].endswith(f"@{shops[name]}")
        )
    rotate()
    with SignedFlow(outside, sides) as signed:
        time.sleep(2)
    assert signed.faults() == []
    for name, domain in domains.items():
        new = signing(name, domain)
        assert new != old[name]
        assert signed.signers(domain) == [(new,)]
        assert keys(name, domain)[old[name]] == "retired"


def test_both_signatures_satisfy_the_filters_of_both_nodes(
    outside: Outside, sides: dict[str, Side]
) -> None:
    """A second verifier besides dkimpy, on both releases: the external host sends the message on."""
    for side in sides.values():
        reader = side.other_user
        message = submit(outside, side.catch_all_to, STRANGER)
        (sent,) = outside.stored(message.token)
        message = Message(message.token, "\r\n".join(sent.decode().splitlines()) + "\r\n")
        answers = outside.send(reader.host, 25, STRANGER, [reader.name], message)
        assert answers["data"][0] == 250, answers
        (raw,) = outside.fetch(reader.host, reader.name, reader.password, message.token)
        results = raw.decode().partition("Authentication-Results:")[2].partition("\r\n\r\n")[0]
        assert results.count("dkim=pass") == 2, results
        for algorithm in ("rsa", "ed25519"):
            selector = signing(side.node, side.catch_all_to.domain, algorithm)
            assert f"header.s={selector}" in results, results
