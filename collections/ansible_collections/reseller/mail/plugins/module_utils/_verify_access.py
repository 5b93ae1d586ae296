# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the doors of the mail hosts are open to those who may and shut to those who may not. Does input and output: it knocks.

PRIVATE to the collection. Credentials used here are made up, so that a server that takes them in the clear learns nothing.
"""

from __future__ import annotations

import base64
import functools
import ipaddress
import secrets
import smtplib
import typing as t
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.reseller.mail.plugins.module_utils import _verify_tls
from ansible_collections.reseller.mail.plugins.module_utils._finding import Finding
from ansible_collections.reseller.mail.plugins.module_utils._mail_dial import (
    Dialler,
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
from ansible_collections.reseller.mail.plugins.module_utils._verify_dns.mail_hosts import tlsa_text

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.module_utils._model.estate import BackupMx, Node

Check = t.Callable[[], Finding]
IMPLICIT = (
    ("access.submissions", 465, "220 "),
    ("access.imap", 993, "* OK"),
    ("access.pop3", 995, "+OK"),
)
CLIENT_PORTS = (*(port for _id, port, _greeting in IMPLICIT), 587, 4190)
_TLS = "port 25 offers STARTTLS with a certificate for {}, and no AUTH"
_CIPHERS = "{} TLS 1.2 and newer, with ECDHE and AEAD only, with a key and signatures of today"
_DANE = "port 25 serves a key that a TLSA record of {} names"
_RELAY = "mail from a stranger to a stranger is refused"
_PLAINTEXT = "no password is taken before TLS"
MADE_UP = base64.b64encode(b"\0verify\0not-a-password").decode()


def finding(
    id_: str, subject: str, expected: str, remedy: str, work: t.Callable[[], str]
) -> Finding:
    """The answer of one check: what it returns is what was found; what it raises is what is wrong."""
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
        found = f"{exc.smtp_code} {exc.smtp_error.decode('utf-8', 'replace') if isinstance(exc.smtp_error, bytes) else exc.smtp_error}"
    except (OSError, smtplib.SMTPException, EOFError) as exc:
        found = str(exc) or type(exc).__name__
    return Finding(id_, subject, "fail", expected, found, remedy)


def _implicit(dialler: Dialler, host: str, port: int, greeting: str) -> str:
    with Lines(dialler.secure(dialler.connect(host, port), host)) as talk:
        line = talk.read()
        if not line.startswith(greeting):
            raise ProbeFailure(f"the greeting is {line!r}")
        return str(talk.sock.version())  # type: ignore[attr-defined]


def _starttls(dialler: Dialler, host: str, port: int, needs_auth: bool) -> str:
    with Smtp(dialler, host, port) as server:
        server.starttls(context=dialler.context)
        server.ehlo()
        if server.has_extn("auth") != needs_auth:
            raise ProbeFailure(
                "no AUTH is offered after STARTTLS"
                if needs_auth
                else "AUTH is offered where strangers deliver"
            )
        return str(server.sock.version())  # type: ignore[union-attr]


def _dane(dialler: Dialler, host: str) -> str:
    """The key itself, as a sender sees it that verifies by DNSSEC: neither the name nor the dates count (RFC 7671 section 5.1)."""
    records = {
        tlsa_text(rdata.to_text())
        for rdata in dialler.records(f"_25._tcp.{host}", "TLSA", secure=True)
    }
    ours = sorted(text for text in records if text.startswith("3 1 1 "))
    if not ours:
        raise ProbeIdle("no TLSA record 3 1 1 in a signed zone")
    with _verify_tls.talk(dialler, host, _verify_tls.unverified()) as server:
        served = f"3 1 1 {_verify_tls.key_digest(server)}"
    if served not in ours:
        raise ProbeFailure(f"the host serves {served}, DNS has {', '.join(ours)}")
    return served


def _sieve(dialler: Dialler, host: str) -> str:
    with Lines(dialler.connect(host, 4190)) as talk:
        talk.until("OK", "NO", "BYE")
        talk.write("STARTTLS")
        line = talk.until("OK", "NO", "BYE")[-1]
        if not line.startswith("OK"):
            raise ProbeFailure(f"STARTTLS is answered {line!r}")
        with Lines(dialler.secure(talk.sock, host)) as safe:
            if not any(
                line.upper().startswith('"SASL"') and "PLAIN" in line.upper()
                for line in safe.until("OK", "NO", "BYE")
            ):
                raise ProbeFailure("no login is offered after STARTTLS")
            return str(safe.sock.version())  # type: ignore[attr-defined]


def _port(dialler: Dialler, host: str, addresses: t.Sequence[str]) -> str:
    """Every address for itself: senders take one by chance, and a dead one costs each of them a wait."""
    faults = {}
    asked = [address for address in addresses if has_route(address)]
    for address in asked:
        try:
            with Lines(dialler.dial(address, 25)) as talk:
                greeting = talk.smtp()[-1]
                if greeting.startswith("220"):
                    talk.write("QUIT")
                else:
                    faults[address] = f"greets with {greeting!r}"
        except (OSError, ProbeFailure) as exc:
            faults[address] = getattr(exc, "strerror", None) or str(exc) or type(exc).__name__
    what = "; ".join(f"{address}: {fault}" for address, fault in faults.items())
    if asked and len(faults) == len(asked):
        dialler.dead.add((host, 25))
        raise ProbeFailure(what)
    if faults:
        raise _dead(faults)(what)
    if asked != list(addresses):
        raise _no_way(one for one in addresses if one not in asked)
    return ", ".join(asked)


def _dead(addresses: t.Iterable[str]) -> type[ProbeFailure]:
    """What dead addresses are while others answer. Whoever has both families takes IPv4, after a wait (RFC 8305)."""
    ipv6 = all(ipaddress.ip_address(address).version == 6 for address in addresses)
    return ProbeDoubt if ipv6 else ProbeFailure


def _no_way(addresses: t.Iterable[str]) -> ProbeBlocked:
    return ProbeBlocked(f"there is no way from here to {', '.join(addresses)}")


def _addresses(dialler: Dialler, host: str) -> str:
    """Whether the doors for users open at every address of the name, of which the other checks take the first. A port that is closed
    at all of them is another finding's."""
    addresses = dialler.addresses(host)
    asked = [address for address in addresses if has_route(address)]
    if not asked:
        raise _no_way(addresses)
    pairs = [(address, port) for address in asked for port in CLIENT_PORTS]
    with ThreadPoolExecutor(len(pairs)) as pool:
        refusals = pool.map(lambda pair: _refusal(dialler, *pair), pairs)
        answers = dict(zip(pairs, refusals, strict=True))
    known = {port for port in CLIENT_PORTS if all(answers[address, port] for address in asked)}
    if known == set(CLIENT_PORTS):
        raise ProbeBlocked("no port answers")
    faults = {pair: why for pair, why in answers.items() if why and pair[1] not in known}
    if faults:
        what = "; ".join(f"{address} port {port}: {why}" for (address, port), why in faults.items())
        raise _dead(address for address, _port in faults)(what)
    if asked != addresses:
        raise _no_way(one for one in addresses if one not in asked)
    return ", ".join(addresses)


def _refusal(dialler: Dialler, address: str, port: int) -> str:
    """Why an address takes no connection; empty when it does."""
    try:
        dialler.dial(address, port).close()
    except OSError as exc:
        return exc.strerror or str(exc)
    return ""


def _plaintext(dialler: Dialler, host: str, ports: t.Container[int]) -> str:
    """Every door that could take a password in the clear; a closed one is as good as one that refuses."""
    doors = {port: door for port, door in _PLAIN.items() if port in ports}
    closed, wrong = [], []
    for port, door in doors.items():
        try:
            talk = Lines(dialler.connect(host, port))
        except ProbeClosed:
            closed.append(str(port))
            continue
        with talk:
            wrong += [f"port {port}: {fault}" for fault in [door(talk)] if fault]
    if wrong:
        raise ProbeFailure("; ".join(wrong))
    if len(closed) == len(doors):
        raise ProbeBlocked("no port answers")
    return "refused" + (f"; closed: {', '.join(closed)}" if closed else "")


def _smtp_plain(talk: Lines) -> str:
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
    talk.until("* OK", "* BYE")
    talk.write("a CAPABILITY")
    return "" if "LOGINDISABLED" in " ".join(talk.until("a ")) else "LOGIN is allowed before TLS"


def _pop3_plain(talk: Lines) -> str:
    talk.read()
    talk.write("USER verify")
    answer = talk.read()
    return "" if answer.startswith("-ERR") else f"USER before TLS is answered {answer!r}"


def _sieve_plain(talk: Lines) -> str:
    offered = [line for line in talk.until("OK", "NO", "BYE") if line.upper().startswith('"SASL"')]
    return "LOGIN is offered before TLS" if any("PLAIN" in line.upper() for line in offered) else ""


_PLAIN: t.Final[dict[int, t.Callable[[Lines], str]]] = {
    587: _smtp_plain,
    25: _smtp_plain,
    143: _imap_plain,
    110: _pop3_plain,
    4190: _sieve_plain,
}


def _relay(dialler: Dialler, host: str, sender: str) -> str:
    """A stranger asks to hand mail on to a stranger, without a sender and in the name of somebody here. ``.invalid`` never exists
    (RFC 2606), so that nothing could ever leave."""
    recipient = f"{secrets.token_hex(6)}@relay-probe.invalid"
    with Smtp(dialler, host, 25) as server:
        server.ehlo()
        for origin in dict.fromkeys(("", sender)):
            server.rset()
            server.mail(origin)
            code, text = server.rcpt(recipient)
            if code < 400:
                raise ProbeFailure(
                    f"RCPT TO a foreign domain from <{origin}> is answered {code} {text.decode('utf-8', 'replace')}"
                )
            if code < 500:
                raise ProbeFailure(
                    f"RCPT TO a foreign domain from <{origin}> is only deferred: {code} {text.decode('utf-8', 'replace')}"
                )
        return f"{code} {text.decode('utf-8', 'replace')}"


def _unknown(dialler: Dialler, host: str, domain: str) -> str:
    with Smtp(dialler, host, 25) as server:
        server.ehlo()
        server.mail("")
        code, text = server.rcpt(f"nobody-{secrets.token_hex(6)}@{domain}")
        if code != 550:
            raise ProbeFailure(f"{code} {text.decode('utf-8', 'replace')}")
        return f"550 {text.decode('utf-8', 'replace')}"


def _recipients(dialler: Dialler, host: str, name: str, catch_all: bool) -> str:
    """A backup MX that does not know a domain is none, and one that takes whatever comes sends bounces to forged senders later. The
    role address exists in every domain (RFC 2142)."""
    if host not in {
        str(rdata.exchange).rstrip(".").lower() for rdata in dialler.records(name, "MX")
    }:
        raise ProbeBlocked(f"not asked: DNS does not name it as an MX of {name}")
    with Smtp(dialler, host, 25) as server:
        server.ehlo()
        server.mail("")
        known, why = server.rcpt(f"postmaster@{name}")
        if known != 250:
            raise ProbeFailure(
                f"RCPT TO postmaster@{name} is answered {known} {why.decode('utf-8', 'replace')}"
            )
        if catch_all:
            return "250; every address exists here"
        code, text = server.rcpt(f"nobody-{secrets.token_hex(6)}@{name}")
        found = f"RCPT TO an unknown address is answered {code} {text.decode('utf-8', 'replace')}"
        if code < 400 or (code >= 500 and code != 550):
            raise ProbeFailure(found)
        if code < 500:
            raise ProbeDoubt(found)
        return f"250 and 550 {text.decode('utf-8', 'replace')}"


def client_checks(dialler: Dialler, host: str) -> list[Check]:
    """The doors for users, by a name that users are told."""
    remedy = f"look at the service and the certificate on {host}; converge the node"
    ask = functools.partial(functools.partial, finding)
    checks: list[Check] = [
        ask(
            id_,
            host,
            f"port {port} greets over TLS with a certificate for {host}",
            remedy,
            functools.partial(_implicit, dialler, host, port, greeting),
        )
        for id_, port, greeting in IMPLICIT
    ]
    submission = functools.partial(_starttls, dialler, host, 587, True)
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
            functools.partial(_sieve, dialler, host),
        )
    )
    checks.append(
        ask(
            "access.addresses",
            host,
            f"ports {', '.join(map(str, CLIENT_PORTS))} answer at every address of {host}",
            f"let the services and the firewall of {host} answer there, or take the address out of DNS and estate.yml",
            functools.partial(_addresses, dialler, host),
        )
    )
    return checks


def _port_check(dialler: Dialler, host: str, addresses: t.Sequence[str], remedy: str) -> Check:
    """The door for the world's mail. It comes before all others: where it does not open at all, nobody knocks there again."""
    return functools.partial(
        finding,
        "mail.port",
        host,
        "port 25 greets at each address that the files name",
        remedy,
        functools.partial(_port, dialler, host, addresses),
    )


def node_port_check(dialler: Dialler, node: Node) -> Check:
    """The door of a node."""
    remedy = f"look at Postfix and the firewall on {node.hostname}"
    return _port_check(dialler, node.hostname, node.addresses, remedy)


def backup_port_check(dialler: Dialler, backup: BackupMx) -> Check:
    """The door of a backup MX, and what it means that it is shut."""
    remedy = (
        f"no mail is lost, it waits with its senders while a node is away; {_tell(backup.hostname)}"
    )
    return _port_check(dialler, backup.hostname, backup.addresses, remedy)


def _tell(host: str) -> str:
    return f"tell whoever runs {host}; until it is mended, take it out of backup_mx in estate.yml"


def node_checks(dialler: Dialler, host: str, sender: str) -> list[Check]:
    """What concerns a node as a whole: the door for the world's mail, and what must be refused."""
    ask = functools.partial(functools.partial, finding)
    repair = f"converge the node; nothing but its own roles may set what {host} accepts"
    doors = (
        _verify_tls.Door(dialler, host, 587),
        _verify_tls.Door(dialler, host, 465, implicit=True),
    )
    return [
        ask(
            "mail.tls",
            host,
            _TLS.format(host),
            f"look at Postfix and the certificate on {host}",
            functools.partial(_starttls, dialler, host, 25, False),
        ),
        ask(
            "mail.ciphers",
            host,
            _CIPHERS.format("ports 25, 465 and 587 speak"),
            f"converge the node; a supplied certificate for {host} should have a P-256 key",
            functools.partial(_verify_tls.check, dialler, host, doors),
        ),
        ask(
            "mail.dane",
            host,
            _DANE.format(host),
            f"converge the node, which reports the key that {host} serves, and publish its records: reseller.mail.site does both",
            functools.partial(_dane, dialler, host),
        ),
        ask(
            "mail.relay_refused",
            host,
            _RELAY,
            repair,
            functools.partial(_relay, dialler, host, sender),
        ),
        ask(
            "access.plaintext_refused",
            host,
            _PLAINTEXT,
            repair,
            functools.partial(_plaintext, dialler, host, _PLAIN),
        ),
    ]


def backup_checks(dialler: Dialler, host: str, sender: str) -> list[Check]:
    """What concerns a backup MX as a whole: the same at its only door. It is somebody else's, whose other doors are not our affair."""
    works = {
        "mail.tls": (_TLS.format(host), functools.partial(_starttls, dialler, host, 25, False)),
        "mail.ciphers": (
            _CIPHERS.format("port 25 speaks"),
            functools.partial(_verify_tls.check, dialler, host, ()),
        ),
        "mail.dane": (_DANE.format(host), functools.partial(_dane, dialler, host)),
        "mail.relay_refused": (_RELAY, functools.partial(_relay, dialler, host, sender)),
        "access.plaintext_refused": (
            _PLAINTEXT,
            functools.partial(_plaintext, dialler, host, (25,)),
        ),
    }
    return [
        functools.partial(finding, id_, host, expected, _tell(host), work)
        for id_, (expected, work) in works.items()
    ]


def backup_check(dialler: Dialler, host: str, name: str, catch_all: bool) -> Check:
    """A backup MX takes the mail of a domain or domain alias, and none that it would have to bounce."""
    expected = "RCPT TO a known address: 250" + ("" if catch_all else "; an unknown one: 550")
    remedy = f"which domains and addresses there are is for its operator to know: {_tell(host)}"
    return functools.partial(
        finding,
        "mail.backup",
        f"{host} → {name}",
        expected,
        remedy,
        functools.partial(_recipients, dialler, host, name, catch_all),
    )


def unknown_check(dialler: Dialler, host: str, domain: str) -> Check:
    """An address that does not exist is refused at the door, never bounced later."""
    return functools.partial(
        finding,
        "mail.unknown_refused",
        domain,
        "RCPT TO an unknown address: 550",
        f"converge {host}; look at its recipient tables",
        functools.partial(_unknown, dialler, host, domain),
    )
