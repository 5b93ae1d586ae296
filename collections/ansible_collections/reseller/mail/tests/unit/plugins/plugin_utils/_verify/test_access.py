# SPDX-License-Identifier: GPL-3.0-or-later
"""What verify asks hosts of MX sets; servers on the loopback speak SMTP."""

from __future__ import annotations

import contextlib
import dataclasses
import socket
import threading
import types
import typing as t

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._model.domain import Domain, DomainAlias
from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import (
    BackupMx,
    Estate,
    Node,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._verify import access
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.connect import (
    Connector,
    has_route,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.finding import Finding
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.round_trip import (
    access_findings,
)
from ansible_collections.reseller.mail.tests.unit.support import estates

ALT, OTHER = "alt.hosting.example", "mx.external.example"
ADDRESSES = {"mx1.hosting.example": "192.0.2.3", ALT: "192.0.2.9", OTHER: "198.51.100.1"}
Answers = t.Mapping[str, str]


class Loopback(Connector):
    """A connector whose names and addresses lead to the loopback. ``dialled`` lists its attempts."""

    def __init__(self, ports: t.Mapping[str, int], mx: t.Sequence[str] = (ALT, OTHER)) -> None:
        super().__init__("127.0.0.1", timeout=5)
        self._ports, self._mx = ports, mx
        self.dialled: list[tuple[str, int]] = []

    def records(self, name: str, rdtype: str, *, secure: bool = False) -> list[t.Any]:
        if rdtype == "MX":
            return [types.SimpleNamespace(exchange=f"{host}.", preference=10) for host in self._mx]
        return (
            [types.SimpleNamespace(address=ADDRESSES[name])]
            if rdtype == "A" and name in ADDRESSES
            else []
        )

    def dial(self, address: str, port: int) -> socket.socket:
        self.dialled.append((address, port))
        if port != 25 or address not in self._ports:
            raise ConnectionRefusedError(111, "Connection refused")
        return socket.create_connection(("127.0.0.1", self._ports[address]), self.timeout)


def _talk(plain: socket.socket, answers: Answers) -> None:
    with contextlib.suppress(OSError), plain, plain.makefile("rb") as lines:
        plain.sendall(answers.get("greeting", "220 post.example").encode() + b"\r\n")
        answers = {"QUIT": "221 Bye", **answers}
        for line in lines:
            command = line.decode().strip().upper()
            given = next(
                (answer for start, answer in answers.items() if command.startswith(start)), "250 Ok"
            )
            plain.sendall(given.encode() + b"\r\n")


def _serve(listener: socket.socket, answers: Answers) -> None:
    with contextlib.suppress(OSError):
        while True:
            plain, _peer = listener.accept()
            threading.Thread(target=_talk, args=(plain, answers), daemon=True).start()


@contextlib.contextmanager
def server(answers: Answers) -> t.Iterator[int]:
    """Give the port of a server that answers what begins so with that, and anything else with
    250."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_serve, args=(listener, answers), daemon=True).start()
        yield listener.getsockname()[1]


POSTMASTER, UNKNOWN = "RCPT TO:<POSTMASTER@", "RCPT TO:<UNKNOWN-"


@pytest.mark.parametrize(
    ("answers", "catch_all", "state", "text"),
    [
        (
            {POSTMASTER: "250 Ok", UNKNOWN: "550 5.1.1 unknown"},
            False,
            "ok",
            "250 and 550 5.1.1 unknown",
        ),
        (
            {POSTMASTER: "250 Ok", UNKNOWN: "250 Ok"},
            False,
            "fail",
            "RCPT TO an unknown address is answered 250 Ok",
        ),
        ({POSTMASTER: "250 Ok", UNKNOWN: "250 Ok"}, True, "ok", "250; every address exists here"),
        (
            {POSTMASTER: "250 Ok", UNKNOWN: "450 4.1.1 later"},
            False,
            "warn",
            "RCPT TO an unknown address is answered 450 4.1.1 later",
        ),
        (
            {POSTMASTER: "250 Ok", UNKNOWN: "554 5.7.1 no"},
            False,
            "fail",
            "RCPT TO an unknown address is answered 554 5.7.1 no",
        ),
        (
            {POSTMASTER: "554 5.7.1 denied", UNKNOWN: "554 5.7.1 denied"},
            True,
            "fail",
            "RCPT TO postmaster@acme.example is answered 554 5.7.1 denied",
        ),
        (
            {POSTMASTER: "450 4.1.1 later"},
            False,
            "fail",
            "RCPT TO postmaster@acme.example is answered 450 4.1.1 later",
        ),
    ],
)
def test_a_backup_mx_takes_what_exists_and_nothing_else(
    answers: Answers, catch_all: bool, state: str, text: str
) -> None:
    with server(answers) as port:
        found = access.backup_check(Loopback({"192.0.2.9": port}), ALT, "acme.example", catch_all)()
    assert (found.id, found.subject, found.state, found.found) == (
        "mail.backup",
        f"{ALT} → acme.example",
        state,
        text,
    )


DEFERS_AT_MAIL = {"MAIL": "450 4.7.1 later", "RCPT": "503 5.5.1 need MAIL"}


def relay_refused(answers: Answers) -> Finding:
    with server(answers) as port:
        checks = access.backup_checks(Loopback({"192.0.2.9": port}), ALT, "ann@acme.example")
        return next(one for one in (check() for check in checks) if one.id == "mail.relay_refused")


@pytest.mark.parametrize(
    ("answers", "state", "found"),
    [
        ({"RCPT": "554 5.7.1 no relay"}, "ok", "554 5.7.1 no relay"),
        ({"MAIL": "550 5.7.1 not you", "RCPT": "503 5.5.1 need MAIL"}, "ok", "550 5.7.1 not you"),
        ({}, "fail", "RCPT TO a foreign domain from <> is answered 250 Ok"),
        (
            {"RCPT": "450 4.1.1 later"},
            "fail",
            "RCPT TO a foreign domain from <> is only deferred: 450 4.1.1 later",
        ),
        (DEFERS_AT_MAIL, "fail", "MAIL FROM:<> is only deferred: 450 4.7.1 later"),
        (
            {"MAIL FROM:<ANN@": "450 4.7.1 later", "RCPT": "554 5.7.1 no relay"},
            "fail",
            "MAIL FROM:<ann@acme.example> is only deferred: 450 4.7.1 later",
        ),
    ],
)
def test_relaying_has_to_be_refused_for_good(answers: Answers, state: str, found: str) -> None:
    finding = relay_refused(answers)
    assert (finding.state, finding.found) == (state, found)


@pytest.mark.parametrize(
    ("answers", "state", "found"),
    [
        ({"RCPT": "550 5.1.1 unknown"}, "ok", "550 5.1.1 unknown"),
        ({"RCPT": "450 4.1.1 later"}, "fail", "RCPT TO is answered 450 4.1.1 later"),
        (DEFERS_AT_MAIL, "fail", "MAIL FROM:<> is answered 450 4.7.1 later"),
        ({"MAIL": "550 5.7.1 no bounces"}, "fail", "MAIL FROM:<> is answered 550 5.7.1 no bounces"),
    ],
)
def test_an_unknown_recipient_has_to_be_refused_at_rcpt(
    answers: Answers, state: str, found: str
) -> None:
    with server(answers) as port:
        finding = access.unknown_check(Loopback({"192.0.2.9": port}), ALT, "acme.example")()
    assert (finding.state, finding.found) == (state, found)


def test_a_backup_mx_that_defers_the_sender_takes_nothing() -> None:
    with server(DEFERS_AT_MAIL) as port:
        found = access.backup_check(Loopback({"192.0.2.9": port}), ALT, "acme.example", False)()
    assert (found.state, found.found) == ("fail", "MAIL FROM:<> is answered 450 4.7.1 later")


def test_a_backup_mx_that_dns_does_not_name_is_not_asked() -> None:
    loopback = Loopback({}, mx=[OTHER])
    found = access.backup_check(loopback, ALT, "acme.example", False)()
    assert (found.state, found.found) == (
        "blocked",
        "not asked: DNS does not name it as an MX of acme.example",
    )
    assert loopback.dialled == []


def port(loopback: Loopback, *addresses: str) -> Finding:
    return access.backup_port_check(loopback, BackupMx(ALT, addresses))()


def test_each_address_of_the_files_has_to_answer() -> None:
    with server({}) as good, server({"greeting": "554 5.7.1 go away"}) as bad:
        assert (
            port(Loopback({"192.0.2.9": good, "192.0.2.10": good}), "192.0.2.9", "192.0.2.10").state
            == "ok"
        )
        loopback = Loopback({"192.0.2.9": good, "192.0.2.10": bad})
        found = port(loopback, "192.0.2.9", "192.0.2.10", "192.0.2.11")
        assert (found.state, found.found) == (
            "fail",
            "192.0.2.10: greets with '554 5.7.1 go away'; 192.0.2.11: Connection refused",
        )
        assert loopback.dead == set(), "one address answers"


def test_an_address_without_a_way_to_it_is_not_called_dead() -> None:
    away = "255.255.255.255"  # no socket may be connected there unless it asks for that
    assert (has_route("127.0.0.1"), has_route(away)) == (True, False)
    with server({}) as good:
        found = port(Loopback({"192.0.2.9": good}), "192.0.2.9", away)
    assert (found.state, found.found) == ("blocked", f"there is no route from here to {away}")


def estate() -> Estate:
    domain = Domain(
        "acme.example", "mail", "o", domain_aliases=(DomainAlias("acme-mail.example", "o"),)
    )
    tenant = estates.tenant("acme", domain)
    held = estates.tenant("held", Domain("held.example", "mail", "o"), state="suspended")
    node, backup = (
        Node("mx1", "mx1.hosting.example", 12, ("192.0.2.3",)),
        BackupMx(ALT, ("192.0.2.9",)),
    )
    return estates.estate(tenant, held, nodes=(node,), backup_mx=(backup,))


def test_strangers_in_an_mx_set_are_left_alone_and_of_a_backup_mx_only_port_25_is_asked() -> None:
    with server({POSTMASTER: "250 Ok", "RCPT": "550 no"}) as good:
        loopback = Loopback({"192.0.2.3": good, "192.0.2.9": good})
        found = {(one.id, one.subject): one.state for one in access_findings(loopback, estate())}
    assert {address for address, _port in loopback.dialled} == {"192.0.2.3", "192.0.2.9"}
    assert {number for address, number in loopback.dialled if address == "192.0.2.9"} == {25}
    about = {subject for id_, subject in found if id_ == "mail.backup"}
    assert about == {
        f"{ALT} → acme.example",
        f"{ALT} → acme-mail.example",
    }, "it is not known what a suspended tenant's domain answers"
    assert {found[id_, ALT] for id_ in ("mail.port", "mail.relay_refused")} == {"ok"}
    assert found["mail.tls", ALT] == "fail", "it has no STARTTLS"


def test_a_node_is_asked_as_the_backup_mx_of_the_others_domains_alone() -> None:
    backup = Node("mx2", ALT, 13, ("192.0.2.9",), backup_priority=20)
    here = estates.tenant("here", Domain("here.example", "mail", "o"), placement="mx2")
    its = dataclasses.replace(
        estate(),
        nodes=(*estate().nodes, backup),
        backup_mx=(),
        tenants=(*estate().tenants, here),
    )
    with server({POSTMASTER: "250 Ok", "RCPT": "450 no"}) as port:
        found = access_findings(Loopback({"192.0.2.3": port, "192.0.2.9": port}), its)
    asked = {one.subject: one for one in found if one.id == "mail.backup"}
    assert asked.keys() == {f"{ALT} → acme.example", f"{ALT} → acme-mail.example"}
    assert {one.state for one in asked.values()} == {"warn"}
    assert {one.remedy for one in asked.values()} == {
        f"converge {ALT}; look at its recipient tables"
    }


def test_a_dead_host_is_dialled_once_and_is_one_failure() -> None:
    with server({"RCPT": "550 no"}) as good:
        loopback = Loopback({"192.0.2.3": good})
        found = access_findings(loopback, estate())
    assert loopback.dialled.count(("192.0.2.9", 25)) == 1
    states = {one.id: one.state for one in found if one.subject.startswith(ALT)}
    assert states.pop("mail.port") == "fail"
    assert set(states.values()) <= {"blocked", "na"}
    assert states["mail.backup"] == states["mail.tls"] == states["mail.relay_refused"] == "blocked"


def test_a_backup_mx_that_takes_passwords_in_the_clear_is_found() -> None:
    with server({"EHLO": "250-post.example\r\n250 AUTH PLAIN"}) as open_:
        checks = access.backup_checks(Loopback({"192.0.2.9": open_}), ALT, "")
        found = next(
            one for one in (check() for check in checks) if one.id == "access.plaintext_refused"
        )
    assert (found.state, found.found) == ("fail", "port 25: AUTH is offered before TLS")


FOUR, SIX = "192.0.2.1", "2001:db8::1"
REFUSED = "Connection refused"
Closed = t.Callable[[str, int], bool]


class OneName(Connector):
    """A connector to one name; ``closed`` decides at which of its addresses a port refuses."""

    def __init__(self, closed: Closed, *addresses: str) -> None:
        super().__init__("127.0.0.1", timeout=5)
        self._closed, self._addresses = closed, addresses

    def addresses(self, _host: str) -> list[str]:
        return list(self._addresses)

    def dial(self, address: str, port: int) -> socket.socket:
        if self._closed(address, port):
            raise ConnectionRefusedError(111, REFUSED)
        return socket.socketpair()[0]


def at_every_address(loopback: OneName) -> tuple[str, str]:
    name = "mx1.hosting.example"
    findings = (check() for check in access.client_checks(loopback, name)[-1:])
    return next((one.state, one.found) for one in findings if one.id == "access.addresses")


@pytest.mark.parametrize(
    ("closed", "expected"),
    [
        (lambda _address, _port: False, ("ok", f"{FOUR}, {SIX}")),
        (lambda *pair: pair == (SIX, 993), ("warn", f"{SIX} port 993: {REFUSED}")),
        (lambda *pair: pair == (FOUR, 993), ("fail", f"{FOUR} port 993: {REFUSED}")),
        (lambda _address, port: port == 995, ("ok", f"{FOUR}, {SIX}")),
        (
            lambda address, port: port == 995 or (address, port) == (SIX, 587),
            ("warn", f"{SIX} port 587: {REFUSED}"),
        ),
        (lambda _address, _port: True, ("blocked", "no port answers")),
    ],
    ids=["all", "IPv4 only", "IPv6 only", "nowhere one port", "that as well", "nowhere"],
)
def test_ports_for_users_answer_at_every_address(
    monkeypatch: pytest.MonkeyPatch, closed: Closed, expected: tuple[str, str]
) -> None:
    monkeypatch.setattr(access, "has_route", lambda _address: True)
    assert at_every_address(OneName(closed, FOUR, SIX)) == expected


@pytest.mark.parametrize(
    ("closed", "addresses", "expected"),
    [
        (False, (FOUR, SIX), ("blocked", f"there is no route from here to {SIX}")),
        (True, (FOUR, SIX), ("blocked", "no port answers")),
        (False, (SIX,), ("blocked", f"there is no route from here to {SIX}")),
        (False, (FOUR,), ("ok", FOUR)),
    ],
)
def test_a_controller_without_ipv6_accuses_nobody(
    monkeypatch: pytest.MonkeyPatch,
    closed: bool,
    addresses: tuple[str, ...],
    expected: tuple[str, str],
) -> None:
    monkeypatch.setattr(access, "has_route", lambda address: ":" not in address)
    assert at_every_address(OneName(lambda _address, _port: closed, *addresses)) == expected


def test_a_kernel_without_ipv6_has_no_way_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_arguments: object) -> t.NoReturn:
        raise OSError(97, "Address family not supported by protocol")

    monkeypatch.setattr(socket, "socket", refused)
    assert not has_route(SIX)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((FOUR, SIX), ("ok", f"{FOUR}, {SIX}")),
        ((FOUR,), ("warn", f"{SIX}: {REFUSED}")),
        ((SIX,), ("fail", f"{FOUR}: {REFUSED}")),
        ((), ("fail", f"{FOUR}: {REFUSED}; {SIX}: {REFUSED}")),
    ],
)
def test_a_mail_host_that_lacks_only_ipv6_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, answer: tuple[str, ...], expected: tuple[str, str]
) -> None:
    monkeypatch.setattr(access, "has_route", lambda _address: True)
    with server({}) as good:
        found = port(Loopback(dict.fromkeys(answer, good)), FOUR, SIX)
    assert (found.state, found.found) == expected
