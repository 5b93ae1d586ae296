# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that guess are refused, whom they attack is not, and one network cannot take all
connections.

The lab's own addresses are never banned. The attackers and the owner have addresses of the
documentation's networks, all of them on `outside`.
"""

from __future__ import annotations

import json
import re
import typing as t
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from client import Host, Outside, Run, ansible, site, wait_until
from conftest import NODES, OUTSIDE, Side
from test_verify_host import asked

GUESSER = "198.51.100.7"
GUESSERS = ("2001:db8:bad:1::7", "2001:db8:bad:1::8")
"""Two addresses of one /64."""
PREFIX = "2001:db8:bad:1::/64"
NEIGHBOUR = "2001:db8:bad:2::7"
OWNER = "203.0.113.9"
SCANNER = "198.51.100.25"
SCANNER_6 = "2001:db8:bad:25::25"
ADDRESSES = (GUESSER, SCANNER, OWNER, *GUESSERS, NEIGHBOUR, SCANNER_6)
MAIL = [25, 465, 587, 993, 995, 4190]
WEB = [443]
MANY = 1000
LOGIN = "reseller-mail-login"
LIMIT = "reseller-mail-login-limit"
ROUTES = (
    ("198.51.100.0/24", "10.97.0.5"),
    ("203.0.113.0/24", "10.97.0.5"),
    ("2001:db8::/32", "fd97::5"),
)


def bits(address: str) -> str:
    return f"{address}/{128 if ':' in address else 32}"


@pytest.fixture(scope="module", autouse=True)
def networks(outside: Outside, nodes: dict[str, Host]) -> t.Iterator[None]:
    """`outside` has addresses in other networks, and the nodes know the way to them."""

    def change(verb: str) -> None:
        outside.run(
            "; ".join(f"ip address {verb} {bits(one)} dev host0 nodad" for one in ADDRESSES)
            if verb == "add"
            else "; ".join(f"ip address {verb} {bits(one)} dev host0" for one in ADDRESSES),
            check=False,
        )
        for node in nodes.values():
            node.run(
                "; ".join(f"ip route {verb} {network} via {way}" for network, way in ROUTES),
                check=False,
            )
            forget(node)

    change("add")
    yield
    change("del")


def forget(node: Host) -> None:
    """End all bans, and let fail2ban and the login limit forget what they counted."""
    node.run(f"fail2ban-client unban --all; systemctl restart {LIMIT} fail2ban")


def elsewhere(outside: Outside, *sources: str, what: str, **arguments: t.Any) -> t.Any:
    return outside.call("connecting_from", sources=list(sources), what=what, **arguments)


def ports(outside: Outside, side: Side, source: str) -> list[int]:
    """The ports of mail and web that answer a host."""
    return elsewhere(outside, source, what="open_ports", host=side.host, ports=[*MAIL, *WEB])


def wrong(user: object, many: int) -> list[tuple[str, str]]:
    return [(str(user), f"wrong-{uuid.uuid4().hex}") for _attempt in range(many)]


def owner_logs_in(outside: Outside, side: Side, times: int = 1) -> list[t.Any]:
    pairs = [(side.user.name, side.user.password)] * times
    arguments = {"host": side.host, "protocol": "imap", "pairs": pairs, "at_once": 1}
    return elsewhere(outside, OWNER, what="logins", **arguments)


def banned(node: Host, jail: str = LOGIN) -> set[str]:
    return set(node.output(f"fail2ban-client get {jail} banip").split())


def refused(node: Host, name: str) -> str:
    """The set of the kernel."""
    return node.run(f"nft list set inet reseller_mail {name}", check=False).stdout


@dataclass
class Attack:
    """What an attack got, and what the owner got meanwhile."""

    guessed: dict[str, dict[str, int]] = field(default_factory=dict)
    owner: list[t.Any] = field(default_factory=list)


@pytest.fixture(scope="module")
def attacks(outside: Outside, sides: dict[str, Side]) -> dict[str, Attack]:
    """From two networks at the same time, and with two protocols, 1,000 wrong logins each."""
    found = {name: Attack() for name in NODES}

    def guess(side: Side, sources: tuple[str, ...], protocol: str, port: int) -> None:
        found[side.node].guessed[sources[0]] = elsewhere(
            outside,
            *sources,
            what="guesses",
            host=side.host,
            protocol=protocol,
            port=port,
            pairs=wrong(side.user, MANY),
        )

    def log_in(side: Side) -> None:
        found[side.node].owner = owner_logs_in(outside, side, 8)

    with ThreadPoolExecutor(6) as pool:
        tasks = []
        for side in sides.values():
            tasks.append(pool.submit(guess, side, (GUESSER,), "imap", 0))
            tasks.append(pool.submit(guess, side, GUESSERS, "submission", 465))
            tasks.append(pool.submit(log_in, side))
        for task in tasks:
            task.result()
    return found


def test_a_thousand_wrong_logins_are_banned_and_the_owner_logs_in_meanwhile_from_elsewhere(
    attacks: dict[str, Attack], outside: Outside, side: Side, node: Host
) -> None:
    attack = attacks[side.node]
    for source, found in attack.guessed.items():
        assert found.get("right", 0) == 0
        assert found["closed"] > MANY * 0.8, (source, found)
    assert [allowed for allowed, _why in attack.owner] == [True] * 8, attack.owner
    assert banned(node) == {GUESSER, PREFIX}
    assert owner_logs_in(outside, side) == [[True, ""]]


def test_who_is_banned_is_refused_at_every_port_of_mail_and_others_are_not(
    attacks: dict[str, Attack], outside: Outside, side: Side
) -> None:
    assert attacks
    for source in (GUESSER, *GUESSERS):
        assert ports(outside, side, source) == WEB, source
    for source in (OWNER, NEIGHBOUR, *OUTSIDE):
        assert ports(outside, side, source) == [*MAIL, *WEB], source


def test_verify_names_who_is_banned_and_what_is_not_in_force(
    attacks: dict[str, Attack], side: Side, node: Host
) -> None:
    assert attacks
    found = asked(side)["host.bans"]
    assert (found["state"], found["found"]) == ("ok", f"2 banned: {GUESSER}, {PREFIX}")
    node.run(f"nft delete element inet reseller_mail login4 '{{ {GUESSER} }}'")
    try:
        found = asked(side)["host.bans"]
        assert (found["state"], found["found"]) == ("fail", f"banned, but not refused: {GUESSER}")
        node.run(found["remedy"])  # as an operator does
        assert wait_until(lambda: asked(side)["host.bans"]["state"] == "ok")
    finally:
        node.run("systemctl restart reseller-mail-firewall")


FIREWALL = "systemctl start nftables; systemctl restart reseller-mail-firewall"
"""Debian's own firewall is there: it removes all tables when it starts."""
BREAKS = {
    "fail2ban restarts": "systemctl restart fail2ban",
    "the table is loaded again": "systemctl restart reseller-mail-firewall",
    "Debian's own firewall starts again": f"{FIREWALL}; nft flush ruleset; systemctl restart nftables",
    "Debian's own firewall is reloaded": f"{FIREWALL}; systemctl reload nftables",
}


def on_both(
    sides: dict[str, Side], nodes: dict[str, Host], claim: t.Callable[[Side, Host], None]
) -> None:
    """Prove a claim about both nodes at the same time: most of it is waiting."""
    with ThreadPoolExecutor(len(NODES)) as pool:
        tasks = [pool.submit(claim, sides[name], nodes[name]) for name in NODES]
    for task in tasks:
        task.result()


@pytest.mark.parametrize("what", BREAKS)
def test_a_ban_survives(
    what: str,
    attacks: dict[str, Attack],
    outside: Outside,
    sides: dict[str, Side],
    nodes: dict[str, Host],
) -> None:
    assert attacks

    def survives(side: Side, node: Host) -> None:
        try:
            node.run(BREAKS[what])
            assert wait_until(lambda: GUESSER in refused(node, "login4")), node.output(
                "nft list ruleset; journalctl -n 30 -u fail2ban -u reseller-mail-firewall"
            )
            assert wait_until(lambda: PREFIX in refused(node, "login6"))
            assert ports(outside, side, GUESSERS[1]) == WEB, side.node
        finally:
            if "nftables" in BREAKS[what]:  # Debian does not start it
                node.run("systemctl stop nftables; systemctl start reseller-mail-firewall fail2ban")
                wait_until(lambda: PREFIX in refused(node, "login6"))

    on_both(sides, nodes, survives)


def unban(subject: str, *arguments: str) -> Run:
    variables = json.dumps({"unban_subject": subject})
    return ansible("ansible-playbook", "reseller.mail.unban", "-e", variables, *arguments)


@pytest.mark.usefixtures("attacks")
def test_a_ban_ends_for_an_address_and_for_those_who_guessed_at_an_account(
    outside: Outside, sides: dict[str, Side], nodes: dict[str, Host]
) -> None:
    look = unban("all", "--check")
    assert look.rc == 0, look.output
    for word in (GUESSER, PREFIX, "wrong passwords", "until: '20"):
        assert look.output.count(word) >= len(NODES), (word, look.output)
    assert {name: banned(node) for name, node in nodes.items()} == {
        name: {GUESSER, PREFIX} for name in nodes
    }

    none = unban("192.0.2.77")
    assert none.rc != 0
    assert "192.0.2.77 is not banned; nothing was done" in none.output
    nonsense = unban("192.0.2.777")
    assert nonsense.rc != 0
    assert "'192.0.2.777' is no address, no network and no account" in nonsense.output

    only = sides["mx1"]
    assert unban(str(only.user)).rc == 0, "the networks that guessed at this account"
    assert {name: banned(node) for name, node in nodes.items()} == {
        "mx1": set(),
        "mx2": {GUESSER, PREFIX},
    }
    assert ports(outside, only, GUESSER) == [*MAIL, *WEB]

    address = unban(GUESSERS[1])  # an address of the /64
    assert address.rc == 0, address.output
    assert (address.changed("mx1"), address.changed("mx2")) == (0, 1)
    network = unban("198.51.100.0/24")
    assert network.rc == 0, network.output
    assert {name: banned(node) for name, node in nodes.items()} == {name: set() for name in nodes}
    assert ports(outside, sides["mx2"], GUESSER) == [*MAIL, *WEB]
    again = unban("all")
    assert again.rc != 0
    assert "all is not banned; nothing was done" in again.output


class Log:
    """What fail2ban wrote since now: a ban may be over before it is asked for."""

    def __init__(self, node: Host) -> None:
        self._node, self._path = node, "/var/log/fail2ban.log"
        self._begin = int(node.output(f"stat --format=%s {self._path}")) + 1

    def text(self) -> str:
        return self._node.output(f"tail --bytes=+{self._begin} {self._path}")

    def has(self, text: str, times: int = 1) -> bool:
        return bool(
            wait_until(lambda: len(re.findall(rf" {re.escape(text)}$", self.text(), re.M)) >= times)
        )


@pytest.fixture
def strict(nodes: dict[str, Host]) -> t.Iterator[dict[str, Log]]:
    """Three wrong passwords are enough, and the first ban lasts two seconds.

    fail2ban ignores a ban that is over before it acts on it. That happens if it lasts one second.
    """
    for node in nodes.values():
        forget(node)
        node.run(f"fail2ban-client set {LOGIN} maxretry 3; fail2ban-client set {LOGIN} bantime 2")
    yield {name: Log(node) for name, node in nodes.items()}
    for node in nodes.values():
        forget(node)


def guess(outside: Outside, side: Side, source: str, user: object, many: int = 4) -> None:
    pairs = wrong(user, many)
    arguments = {"host": side.host, "protocol": "imap", "pairs": pairs, "at_once": 4}
    elsewhere(outside, source, what="guesses", **arguments)


def test_the_owner_who_mistypes_where_a_login_was_right_bans_nobody_and_a_guesser_there_does(
    strict: dict[str, Log], outside: Outside, sides: dict[str, Side], nodes: dict[str, Host]
) -> None:
    def is_so(side: Side, _node: Host) -> None:
        log = strict[side.node]
        assert owner_logs_in(outside, side) == [[True, ""]]
        guess(outside, side, OWNER, side.user)
        guess(outside, side, OUTSIDE[0], side.colleague)  # an allowed network
        guess(outside, side, NEIGHBOUR, side.user)
        assert log.has("Ban 2001:db8:bad:2::/64"), "what came before has been read"
        assert log.text().count(" Ban ") == 1
        guess(outside, side, OWNER, side.colleague)
        assert log.has(f"Ban {OWNER}")

    on_both(sides, nodes, is_so)


def test_each_ban_is_longer_than_the_one_before_and_ends_by_itself(
    strict: dict[str, Log], outside: Outside, sides: dict[str, Side], nodes: dict[str, Host]
) -> None:
    def is_so(side: Side, node: Host) -> None:
        log = strict[side.node]
        for times in (1, 2, 3):
            guess(outside, side, GUESSER, side.colleague)
            assert log.has(f"Unban {GUESSER}", times)
            assert GUESSER not in refused(node, "login4")
        longer = re.findall(rf"Increase Ban {re.escape(GUESSER)} \((\d) # (\S+) ->", log.text())
        assert [(time, seconds.strip("0:s")) for time, seconds in longer] == [
            ("2", "4"),
            ("3", "8"),
        ]

    on_both(sides, nodes, is_so)


def test_hosts_that_are_no_mail_servers_lose_port_25_and_no_other(
    outside: Outside, sides: dict[str, Side], nodes: dict[str, Host]
) -> None:
    """Each of the four kinds of session counts: it takes all of them to reach 20."""

    def is_so(side: Side, node: Host) -> None:
        try:
            for source in (SCANNER, SCANNER_6):
                arguments = {"host": side.host, "domain": side.user.domain, "times": 5}
                elsewhere(outside, source, what="attacks_on_port_25", **arguments)
            scanners = {SCANNER, SCANNER_6}
            assert wait_until(lambda: banned(node, "reseller-mail-smtp") >= scanners, 15), (
                node.output(
                    "journalctl -n 60 -o short -t postfix/smtpd; journalctl -n 30 -u fail2ban"
                )
            )
            for source in scanners:
                assert ports(outside, side, source) == [*MAIL[1:], *WEB], side.node
            assert ports(outside, side, OWNER) == [*MAIL, *WEB]
        finally:
            node.run("fail2ban-client unban --all")

    on_both(sides, nodes, is_so)


@pytest.mark.parametrize(("port", "most"), [(25, 50), (993, 512)])
def test_one_network_cannot_take_all_connections(
    port: int, most: int, outside: Outside, sides: dict[str, Side], nodes: dict[str, Host]
) -> None:
    def is_so(side: Side, _node: Host) -> None:
        flood = f"/run/flood-{side.node}"
        arguments = {"host": side.host, "port": port, "many": most + 20, "running": flood}
        for sources in ((SCANNER,), GUESSERS):
            with ThreadPoolExecutor(1) as pool:
                try:
                    opened = pool.submit(elsewhere, outside, *sources, what="flood", **arguments)
                    found = wait_until(lambda: outside.output(f"cat {flood} 2>/dev/null || true"))
                    assert found == str(most), (side.node, sources)
                    assert ports(outside, side, OWNER) == [*MAIL, *WEB]
                    assert owner_logs_in(outside, side) == [[True, ""]]
                    assert port not in ports(outside, side, sources[0])
                finally:
                    outside.run(f"rm -f {flood}")
                opened.result()
        assert wait_until(lambda: port in ports(outside, side, SCANNER)), "they have ended"

    on_both(sides, nodes, is_so)


LISTEN = """\
import socket, sys, threading
for port in map(int, sys.argv[1:]):
    one = socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
    threading.Thread(target=lambda one=one: [one.accept() for _time in range(99)]).start()
"""
OPENED, OTHER = 8081, 8082


@pytest.fixture(scope="module")
def closed(nodes: dict[str, Host]) -> t.Iterator[Run]:
    """Hosts whose other ports are closed. Two of them have a listener, one is allowed.

    Return the second run, which had to connect anew.
    """
    tags = ("--tags", "firewall")
    values = json.dumps({"firewall_closed": True, "firewall_open": [f"{OPENED}/tcp"]})
    for node in nodes.values():
        node.run(f"systemd-run --quiet --unit=listens python3 -c '{LISTEN}' {OPENED} {OTHER}")
    try:
        run = site("-e", values, *tags)
        assert run.rc == 0, run.output
        yield site("-e", values, *tags, environment={"ANSIBLE_SSH_ARGS": "-o ControlMaster=no"})
    finally:
        for node in nodes.values():
            node.run("systemctl stop listens")
        run = site(*tags)
        assert run.rc == 0, run.output
        assert all(run.changed(name) > 0 for name in nodes)


def test_only_the_ports_of_the_node_s_duties_are_open_when_others_are_closed(
    closed: Run, outside: Outside, side: Side, node: Host
) -> None:
    assert (closed.rc, closed.changed(side.node)) == (0, 0), "SSH works, and nothing changes"
    asked_for = [22, *MAIL, 80, *WEB, OPENED, OTHER, 111]
    wanted = sorted({22, *MAIL, 80, *WEB, OPENED})
    for source in (OWNER, NEIGHBOUR, *OUTSIDE):
        arguments = {"host": side.host, "ports": asked_for}
        found = elsewhere(outside, source, what="open_ports", **arguments)
        assert sorted(found) == wanted, source
    for address in (OUTSIDE[0], OUTSIDE[1]):
        node.run(f"ping -c 1 -W 5 {address}")
    node.run("ip -6 neigh flush all")
    assert owner_logs_in(outside, side) == [[True, ""]], "neighbours are found again"
    node.run("getent hosts mail.stranger.example")
