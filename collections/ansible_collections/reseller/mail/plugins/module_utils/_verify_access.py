# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the doors of the mail hosts are open to those who may and shut to those who may not. Does input and output: it knocks.

PRIVATE to the collection. Credentials used here are made up, so that a server that takes them in the clear learns nothing.
"""

from __future__ import annotations

import base64
import functools
import secrets
import smtplib
import typing as t

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
    literal,
)
from ansible_collections.reseller.mail.plugins.module_utils._verify_dns.mail_hosts import tlsa_text

Check = t.Callable[[], Finding]
IMPLICIT = (("access.submissions", 465, "220 "), ("access.imap", 993, "* OK"), ("access.pop3", 995, "+OK"))
MADE_UP = base64.b64encode(b"\0verify\0not-a-password").decode()


def finding(id_: str, subject: str, expected: str, remedy: str, work: t.Callable[[], str]) -> Finding:
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
            raise ProbeFailure("no AUTH is offered after STARTTLS" if needs_auth else "AUTH is offered where strangers deliver")
        return str(server.sock.version())  # type: ignore[union-attr]


def _dane(dialler: Dialler, host: str) -> str:
    """The key itself, as a sender sees it that verifies by DNSSEC: neither the name nor the dates count (RFC 7671 section 5.1)."""
    records = {tlsa_text(rdata.to_text()) for rdata in dialler.records(f"_25._tcp.{host}", "TLSA", secure=True)}
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
            if not any(line.upper().startswith('"SASL"') and "PLAIN" in line.upper() for line in safe.until("OK", "NO", "BYE")):
                raise ProbeFailure("no login is offered after STARTTLS")
            return str(safe.sock.version())  # type: ignore[attr-defined]


def _plaintext(dialler: Dialler, host: str) -> str:
    """Every door that could take a password in the clear; a closed one is as good as one that refuses."""
    doors = {587: _smtp_plain, 25: _smtp_plain, 143: _imap_plain, 110: _pop3_plain, 4190: _sieve_plain}
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
    return "" if answer.startswith("5") and not answer.startswith("535") else f"AUTH before TLS is answered {answer!r}"


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
                raise ProbeFailure(f"RCPT TO a foreign domain from <{origin}> is answered {code} {text.decode('utf-8', 'replace')}")
            if code < 500:
                raise ProbeFailure(f"RCPT TO a foreign domain from <{origin}> is only deferred: {code} {text.decode('utf-8', 'replace')}")
        return f"{code} {text.decode('utf-8', 'replace')}"


def _unknown(dialler: Dialler, host: str, domain: str) -> str:
    with Smtp(dialler, host, 25) as server:
        server.ehlo()
        server.mail("")
        code, text = server.rcpt(f"nobody-{secrets.token_hex(6)}@{domain}")
        if code != 550:
            raise ProbeFailure(f"{code} {text.decode('utf-8', 'replace')}")
        return f"550 {text.decode('utf-8', 'replace')}"


def client_checks(dialler: Dialler, host: str) -> list[Check]:
    """The doors for users, by a name that users are told."""
    remedy = f"look at the service and the certificate on {host}; converge the node"
    ask = functools.partial(functools.partial, finding)
    checks: list[Check] = [
        ask(id_, host, f"port {port} greets over TLS with a certificate for {host}", remedy, functools.partial(_implicit, dialler, host, port, greeting))
        for id_, port, greeting in IMPLICIT
    ]
    submission = functools.partial(_starttls, dialler, host, 587, True)
    checks.append(ask("access.submission", host, f"port 587 offers STARTTLS with a certificate for {host}, then AUTH", remedy, submission))
    checks.append(ask("access.sieve", host, f"port 4190 offers STARTTLS with a certificate for {host}", remedy, functools.partial(_sieve, dialler, host)))
    return checks


def node_checks(dialler: Dialler, host: str, sender: str) -> list[Check]:
    """What concerns a node as a whole: the door for the world's mail, and what must be refused."""
    ask = functools.partial(functools.partial, finding)
    repair = f"converge the node; nothing but its own roles may set what {host} accepts"
    return [
        ask("mail.tls", host, f"port 25 offers STARTTLS with a certificate for {host}, and no AUTH", f"look at Postfix and the certificate on {host}",
            functools.partial(_starttls, dialler, host, 25, False)),
        ask("mail.ciphers", host, "ports 25, 465 and 587 speak TLS 1.2 and newer, with ECDHE and AEAD only, and have a key and signatures of today",
            f"converge the node; a supplied certificate for {host} should have a P-256 key", functools.partial(_verify_tls.check, dialler, host)),
        ask("mail.dane", host, f"port 25 serves a key that a TLSA record of {host} names",
            f"converge the node, which reports the key that {host} serves, and publish its records: reseller.mail.site does both",
            functools.partial(_dane, dialler, host)),
        ask("mail.relay_refused", host, "mail from a stranger to a stranger is refused", repair, functools.partial(_relay, dialler, host, sender)),
        ask("access.plaintext_refused", host, "no password is taken before TLS", repair, functools.partial(_plaintext, dialler, host)),
    ]


def unknown_check(dialler: Dialler, host: str, domain: str) -> Check:
    """An address that does not exist is refused at the door, never bounced later."""
    return functools.partial(
        finding, "mail.unknown_refused", domain, "RCPT TO an unknown address: 550", f"converge {host}; look at its recipient tables",
        functools.partial(_unknown, dialler, host, domain),
    )
