# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify that the ports of the mail hosts serve users and senders, and refuse everything else.

Does input and output: it connects to the hosts. Credentials used here are invented, so that a
server that accepts them without TLS learns nothing.

PRIVATE to the collection.
"""

from __future__ import annotations

import base64
import functools
import ipaddress
import secrets
import smtplib
import typing as t
from concurrent.futures import ThreadPoolExecutor

from . import tls
from .connect import (
    Connector,
    Lines,
    ProbeBlocked,
    ProbeClosed,
    ProbeDoubt,
    ProbeFailure,
    ProbeIdle,
    Smtp,
    has_route,
    literal,
)
from .dns.mail_hosts import tlsa_text
from .finding import Finding

if t.TYPE_CHECKING:
    from .._model.estate import BackupMx, Node

Check = t.Callable[[], Finding]
IMPLICIT = (
    ("access.submissions", 465, "220 "),
    ("access.imap", 993, "* OK"),
    ("access.pop3", 995, "+OK"),
)
CLIENT_PORTS = (*(port for _id, port, _greeting in IMPLICIT), 587, 4190)
_TLS = "port 25 offers STARTTLS with a certificate for {}, and no AUTH"
_CIPHERS = "{} TLS 1.2 and newer, with ECDHE and AEAD only, with current keys and signatures"
_DANE = "port 25 serves a key that a TLSA record of {} names"
_RELAY = "mail from an external sender to an external recipient is refused"
_PLAINTEXT = "no password is accepted before TLS"
MADE_UP = base64.b64encode(b"\0verify\0not-a-password").decode()


def finding(
    id_: str, subject: str, expected: str, remedy: str, work: t.Callable[[], str]
) -> Finding:
    """Run a check and return its finding.

    ``work`` returns what was found, or raises what is wrong: the exception sets the state.
    """
    try:
        return Finding(id_, subject, "ok", expected, work())
    except ProbeIdle as exc:
        return Finding(id_, subject, "na", expected, str(exc))
    except ProbeBlocked as exc:
        return Finding(id_, subject, "blocked", expected, str(exc))
    except ProbeDoubt as exc:
        return Finding(id_, subject, "warn", expected, str(exc), remedy)
    except ProbeFailure as exc:
        found = str(exc)
    except smtplib.SMTPResponseException as exc:
        answer = exc.smtp_error
        if isinstance(answer, bytes):
            answer = answer.decode("utf-8", "replace")
        found = f"{exc.smtp_code} {answer}"
    except (OSError, smtplib.SMTPException, EOFError) as exc:
        found = str(exc) or type(exc).__name__
    return Finding(id_, subject, "fail", expected, found, remedy)


def _implicit(connector: Connector, host: str, port: int, greeting: str) -> str:
    """Return the TLS version of a port with TLS from the first byte; raise ProbeFailure when its
    greeting is another one."""
    with Lines(connector.secure(connector.connect(host, port), host)) as talk:
        line = talk.read()
        if not line.startswith(greeting):
            raise ProbeFailure(f"the greeting is {line!r}")
        return str(talk.sock.version())  # type: ignore[attr-defined]


def _starttls(connector: Connector, host: str, port: int, needs_auth: bool) -> str:
    """Return the TLS version after STARTTLS; raise ProbeFailure unless AUTH is offered on ports for
    users only."""
    with Smtp(connector, host, port) as server:
        server.starttls(context=connector.context)
        server.ehlo()
        if server.has_extn("auth") != needs_auth:
            raise ProbeFailure(
                "no AUTH is offered after STARTTLS"
                if needs_auth
                else "AUTH is offered on the port for external senders"
            )
        return str(server.sock.version())  # type: ignore[union-attr]


def _dane(connector: Connector, host: str) -> str:
    """Return the TLSA data of the key that port 25 serves; raise ProbeFailure when DNS has others
    only.

    A sender that verifies by DNSSEC compares the key alone. The certificate's names and dates do
    not count (RFC 7671 section 5.1).
    """
    records = {
        tlsa_text(rdata.to_text())
        for rdata in connector.records(f"_25._tcp.{host}", "TLSA", secure=True)
    }
    ours = sorted(text for text in records if text.startswith("3 1 1 "))
    if not ours:
        raise ProbeIdle("no TLSA record 3 1 1 in a signed zone")
    with tls.talk(connector, host, tls.unverified()) as server:
        served = f"3 1 1 {tls.key_digest(server)}"
    if served not in ours:
        raise ProbeFailure(f"the host serves {served}, DNS has {', '.join(ours)}")
    return served


def _sieve(connector: Connector, host: str) -> str:
    """Return the TLS version of ManageSieve after STARTTLS; raise ProbeFailure unless it offers a
    login then."""
    with Lines(connector.connect(host, 4190)) as talk:
        talk.until("OK", "NO", "BYE")
        talk.write("STARTTLS")
        line = talk.until("OK", "NO", "BYE")[-1]
        if not line.startswith("OK"):
            raise ProbeFailure(f"STARTTLS is answered {line!r}")
        with Lines(connector.secure(talk.sock, host)) as safe:
            if not any(
                line.upper().startswith('"SASL"') and "PLAIN" in line.upper()
                for line in safe.until("OK", "NO", "BYE")
            ):
                raise ProbeFailure("no login is offered after STARTTLS")
            return str(safe.sock.version())  # type: ignore[attr-defined]


def _port(connector: Connector, host: str, addresses: t.Sequence[str]) -> str:
    """Return the addresses at which port 25 greets; raise what is wrong with the others.

    Each address is asked: senders choose one at random, and a dead one makes each of them wait.
    """
    faults = {}
    asked = [address for address in addresses if has_route(address)]
    for address in asked:
        try:
            with Lines(connector.dial(address, 25)) as talk:
                greeting = talk.smtp()[-1]
                if greeting.startswith("220"):
                    talk.write("QUIT")
                else:
                    faults[address] = f"greets with {greeting!r}"
        except (OSError, ProbeFailure) as exc:
            faults[address] = getattr(exc, "strerror", None) or str(exc) or type(exc).__name__
    what = "; ".join(f"{address}: {fault}" for address, fault in faults.items())
    if asked and len(faults) == len(asked):
        connector.dead.add((host, 25))
        raise ProbeFailure(what)
    if faults:
        raise _dead(faults)(what)
    if asked != list(addresses):
        raise _no_route(one for one in addresses if one not in asked)
    return ", ".join(asked)


def _dead(addresses: t.Iterable[str]) -> type[ProbeFailure]:
    """Return how serious dead addresses are while other ones answer.

    If only IPv6 is dead, it is a warning: clients with both families use IPv4 after a short wait
    (RFC 8305).
    """
    ipv6 = all(ipaddress.ip_address(address).version == 6 for address in addresses)
    return ProbeDoubt if ipv6 else ProbeFailure


def _no_route(addresses: t.Iterable[str]) -> ProbeBlocked:
    """Return the error about addresses that this machine cannot reach."""
    return ProbeBlocked(f"there is no route from here to {', '.join(addresses)}")


def _addresses(connector: Connector, host: str) -> str:
    """Return the addresses of the name; raise ProbeFailure or ProbeDoubt when a port for users is
    closed at some of them.

    The other checks use the first address alone. A port that is closed at every address is a
    finding of those checks, not of this one.
    """
    addresses = connector.addresses(host)
    asked = [address for address in addresses if has_route(address)]
    if not asked:
        raise _no_route(addresses)
    faults = _closed_at_some(_refusals(connector, asked))
    if faults:
        what = "; ".join(f"{address} port {port}: {why}" for (address, port), why in faults.items())
        raise _dead(address for address, _port in faults)(what)
    if asked != addresses:
        raise _no_route(one for one in addresses if one not in asked)
    return ", ".join(addresses)


def _refusals(connector: Connector, addresses: t.Sequence[str]) -> dict[tuple[str, int], str]:
    """Return by address and port for users why it accepts no connection; empty when it does."""
    pairs = [(address, port) for address in addresses for port in CLIENT_PORTS]
    with ThreadPoolExecutor(len(pairs)) as pool:
        refusals = pool.map(lambda pair: _refusal(connector, *pair), pairs)
        return dict(zip(pairs, refusals, strict=True))


def _closed_at_some(refusals: t.Mapping[tuple[str, int], str]) -> dict[tuple[str, int], str]:
    """Return the refusals of ports that another address accepts; raise ProbeBlocked when every port
    is closed at every address."""
    accepting = {port for (_address, port), why in refusals.items() if not why}
    if not accepting:
        raise ProbeBlocked("no port answers")
    return {pair: why for pair, why in refusals.items() if why and pair[1] in accepting}


def _refusal(connector: Connector, address: str, port: int) -> str:
    """Return why an address accepts no connection; empty when it does."""
    try:
        connector.dial(address, port).close()
    except OSError as exc:
        return exc.strerror or str(exc)
    return ""


def _plaintext(connector: Connector, host: str, ports: t.Container[int]) -> str:
    """Return which ports are closed; raise ProbeFailure when a port accepts a password before TLS.

    A closed port is as good as one that refuses.
    """
    checks = {port: check for port, check in _PLAIN.items() if port in ports}
    closed, wrong = [], []
    for port, check in checks.items():
        try:
            talk = Lines(connector.connect(host, port))
        except ProbeClosed:
            closed.append(str(port))
            continue
        with talk:
            fault = check(talk)
        if fault:
            wrong.append(f"port {port}: {fault}")
    if wrong:
        raise ProbeFailure("; ".join(wrong))
    if len(closed) == len(checks):
        raise ProbeBlocked("no port answers")
    return "refused" + (f"; closed: {', '.join(closed)}" if closed else "")


def _smtp_plain(talk: Lines) -> str:
    """Return how SMTP accepts a login before TLS; empty when it does not.

    535 means that the server has looked at the invented password. Only another 5xx is a refusal.
    """
    talk.smtp()
    offered = talk.smtp(f"EHLO {literal(talk.sock)}")
    if any(line[4:].upper().startswith("AUTH") for line in offered):
        return "AUTH is offered before TLS"
    answer = talk.smtp(f"AUTH PLAIN {MADE_UP}")[-1]
    return (
        ""
        if answer.startswith("5") and not answer.startswith("535")
        else f"AUTH before TLS is answered {answer!r}"
    )


def _imap_plain(talk: Lines) -> str:
    """Return how IMAP accepts a login before TLS; empty when it does not."""
    talk.until("* OK", "* BYE")
    talk.write("a CAPABILITY")
    return "" if "LOGINDISABLED" in " ".join(talk.until("a ")) else "LOGIN is allowed before TLS"


def _pop3_plain(talk: Lines) -> str:
    """Return how POP3 accepts a login before TLS; empty when it does not."""
    talk.read()
    talk.write("USER verify")
    answer = talk.read()
    return "" if answer.startswith("-ERR") else f"USER before TLS is answered {answer!r}"


def _sieve_plain(talk: Lines) -> str:
    """Return how ManageSieve offers a login before TLS; empty when it does not."""
    offered = [line for line in talk.until("OK", "NO", "BYE") if line.upper().startswith('"SASL"')]
    return "LOGIN is offered before TLS" if any("PLAIN" in line.upper() for line in offered) else ""


_PLAIN: t.Final[dict[int, t.Callable[[Lines], str]]] = {
    587: _smtp_plain,
    25: _smtp_plain,
    143: _imap_plain,
    110: _pop3_plain,
    4190: _sieve_plain,
}


def _relay(connector: Connector, host: str, sender: str) -> str:
    """Return the reply to an external sender that asks to relay; raise ProbeFailure unless it is a
    permanent refusal.

    The host is asked twice, with the null sender and with a sender of the estate. The recipient is
    below ``.invalid``, which never exists (RFC 2606 section 2), so that no message could leave.
    """
    recipient = f"{secrets.token_hex(6)}@relay-probe.invalid"
    with Smtp(connector, host, 25) as server:
        server.ehlo()
        for origin in dict.fromkeys(("", sender)):
            server.rset()
            reply = server.ask_recipient(origin, recipient)
            if reply.code < 500:
                asked = reply.command
                if reply.is_to_recipient:
                    asked += f" a foreign domain from <{origin}>"
                answer = "answered" if reply.code < 400 else "only deferred:"
                raise ProbeFailure(f"{asked} is {answer} {reply.code} {reply.text}")
        return f"{reply.code} {reply.text}"


def _unknown_address(domain: str) -> str:
    """Return an address that does not exist, another one at each call."""
    return f"unknown-{secrets.token_hex(6)}@{domain}"


def _unknown(connector: Connector, host: str, domain: str) -> str:
    """Return the reply to a recipient that does not exist; raise ProbeFailure unless RCPT TO is
    answered with 550."""
    with Smtp(connector, host, 25) as server:
        server.ehlo()
        reply = server.ask_recipient("", _unknown_address(domain))
        if not reply.is_to_recipient or reply.code != 550:
            raise ProbeFailure(f"{reply.command} is answered {reply.code} {reply.text}")
        return f"550 {reply.text}"


def _recipients(connector: Connector, host: str, name: str, catch_all: bool) -> str:
    """Return the replies of a backup MX to a known and to an unknown recipient.

    Raise ProbeFailure or ProbeDoubt for other replies than these.

    It must accept the known one, or it is no backup. It must refuse the unknown one with 550, or it
    sends bounces to forged senders later. The role address exists in every domain (RFC 2142).
    """
    if host not in {
        str(rdata.exchange).rstrip(".").lower() for rdata in connector.records(name, "MX")
    }:
        raise ProbeBlocked(f"not asked: DNS does not name it as an MX of {name}")
    with Smtp(connector, host, 25) as server:
        server.ehlo()
        known = server.ask_recipient("", f"postmaster@{name}")
        if known.code != 250:
            asked = known.command + (f" postmaster@{name}" if known.is_to_recipient else "")
            raise ProbeFailure(f"{asked} is answered {known.code} {known.text}")
        if catch_all:
            return "250; every address exists here"
        code, text = server.rcpt(_unknown_address(name))
        found = f"RCPT TO an unknown address is answered {code} {text.decode('utf-8', 'replace')}"
        if code < 400 or (code >= 500 and code != 550):
            raise ProbeFailure(found)
        if code < 500:
            raise ProbeDoubt(found)
        return f"250 and 550 {text.decode('utf-8', 'replace')}"


def client_checks(connector: Connector, host: str) -> list[Check]:
    """Return the checks of the ports for users, at a name that users have in their settings."""
    remedy = f"look at the service and the certificate on {host}; converge the node"
    ask = functools.partial(functools.partial, finding)
    checks: list[Check] = [
        ask(
            id_,
            host,
            f"port {port} greets over TLS with a certificate for {host}",
            remedy,
            functools.partial(_implicit, connector, host, port, greeting),
        )
        for id_, port, greeting in IMPLICIT
    ]
    submission = functools.partial(_starttls, connector, host, 587, True)
    checks.append(
        ask(
            "access.submission",
            host,
            f"port 587 offers STARTTLS with a certificate for {host}, then AUTH",
            remedy,
            submission,
        )
    )
    checks.append(
        ask(
            "access.sieve",
            host,
            f"port 4190 offers STARTTLS with a certificate for {host}",
            remedy,
            functools.partial(_sieve, connector, host),
        )
    )
    checks.append(
        ask(
            "access.addresses",
            host,
            f"ports {', '.join(map(str, CLIENT_PORTS))} answer at every address of {host}",
            f"let the services and the firewall of {host} answer there, or remove the address from"
            " DNS and estate.yml",
            functools.partial(_addresses, connector, host),
        )
    )
    return checks


def _port_check(connector: Connector, host: str, addresses: t.Sequence[str], remedy: str) -> Check:
    """Return the check of port 25 at each address.

    It runs before all others: if no address answers, ``Connector.dead`` gets the port, and no other
    check waits for it.
    """
    return functools.partial(
        finding,
        "mail.port",
        host,
        "port 25 greets at each address that the files name",
        remedy,
        functools.partial(_port, connector, host, addresses),
    )


def node_port_check(connector: Connector, node: Node) -> Check:
    """Return the check of port 25 of a node."""
    remedy = f"look at Postfix and the firewall on {node.hostname}"
    return _port_check(connector, node.hostname, node.addresses, remedy)


def backup_port_check(connector: Connector, backup: BackupMx) -> Check:
    """Return the check of port 25 of a backup MX; its remedy explains what a dead one means."""
    remedy = (
        "no mail is lost, it waits with its senders while a node is away;"
        f" {_ask_operator(backup.hostname)}"
    )
    return _port_check(connector, backup.hostname, backup.addresses, remedy)


def _ask_operator(host: str) -> str:
    """Return the remedy for a backup MX, which another provider may run."""
    return (
        f"ask the operator of {host} to repair it; until then, remove it from backup_mx in"
        " estate.yml"
    )


def node_checks(connector: Connector, host: str, sender: str) -> list[Check]:
    """Return the checks of a node as a whole: TLS of port 25, and what must be refused."""
    ask = functools.partial(functools.partial, finding)
    repair = f"converge the node; only its roles may set what {host} accepts"
    submission_ports = (
        tls.TlsPort(connector, host, 587),
        tls.TlsPort(connector, host, 465, implicit=True),
    )
    return [
        ask(
            "mail.tls",
            host,
            _TLS.format(host),
            f"look at Postfix and the certificate on {host}",
            functools.partial(_starttls, connector, host, 25, False),
        ),
        ask(
            "mail.ciphers",
            host,
            _CIPHERS.format("ports 25, 465 and 587 speak"),
            f"converge the node; a supplied certificate for {host} should have a P-256 key",
            functools.partial(tls.check, connector, host, submission_ports),
        ),
        ask(
            "mail.dane",
            host,
            _DANE.format(host),
            f"converge the node, which reports the key that {host} serves, and publish its records:"
            " reseller.mail.site does both",
            functools.partial(_dane, connector, host),
        ),
        ask(
            "mail.relay_refused",
            host,
            _RELAY,
            repair,
            functools.partial(_relay, connector, host, sender),
        ),
        ask(
            "access.plaintext_refused",
            host,
            _PLAINTEXT,
            repair,
            functools.partial(_plaintext, connector, host, _PLAIN),
        ),
    ]


def backup_checks(connector: Connector, host: str, sender: str) -> list[Check]:
    """Return the checks of a backup MX as a whole: the same at port 25 alone.

    Another provider may run the host. Its other ports are not ours to verify.
    """
    works = {
        "mail.tls": (_TLS.format(host), functools.partial(_starttls, connector, host, 25, False)),
        "mail.ciphers": (
            _CIPHERS.format("port 25 speaks"),
            functools.partial(tls.check, connector, host, ()),
        ),
        "mail.dane": (_DANE.format(host), functools.partial(_dane, connector, host)),
        "mail.relay_refused": (_RELAY, functools.partial(_relay, connector, host, sender)),
        "access.plaintext_refused": (
            _PLAINTEXT,
            functools.partial(_plaintext, connector, host, (25,)),
        ),
    }
    return [
        functools.partial(finding, id_, host, expected, _ask_operator(host), work)
        for id_, (expected, work) in works.items()
    ]


def backup_check(
    connector: Connector, host: str, name: str, catch_all: bool, ours: bool = False
) -> Check:
    """Return the check that a backup MX accepts the mail of a domain or domain alias, and no mail
    that it would have to bounce. ``ours`` means that it is a node."""
    expected = "RCPT TO a known address: 250" + ("" if catch_all else "; an unknown one: 550")
    remedy = (
        f"converge {host}; look at its recipient tables"
        if ours
        else f"its operator must configure our domains and addresses there: {_ask_operator(host)}"
    )
    return functools.partial(
        finding,
        "mail.backup",
        f"{host} → {name}",
        expected,
        remedy,
        functools.partial(_recipients, connector, host, name, catch_all),
    )


def unknown_check(connector: Connector, host: str, domain: str) -> Check:
    """Return the check that a node refuses an unknown address at RCPT, with 550."""
    return functools.partial(
        finding,
        "mail.unknown_refused",
        domain,
        "RCPT TO an unknown address: 550",
        f"converge {host}; look at its recipient tables",
        functools.partial(_unknown, connector, host, domain),
    )
