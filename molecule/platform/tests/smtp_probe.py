#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A hostile SMTP client. Standard library only, so that it runs on any machine: ``python3 -
mx1.hosting.example jo@acme.example < smtp_probe.py``.

Prints one JSON object a line, ``{"probe", "ok", "said"}``; ok means that the server withstood. Exit
status 1 when it did not once. The recipient must exist; a few harmless messages do reach it (their
subject begins with the word probe).
"""

from __future__ import annotations

import argparse
import json
import socket
import ssl
import sys
import typing as t
import warnings

SENDER = "probe@stranger.example"
HELO = "mail.stranger.example"
SECONDS = 20.0


class Session:
    """A raw socket: what smtplib would repair is sent as it is."""

    def __init__(self, host: str, port: int, greet: bool = True) -> None:
        self.link: socket.socket = socket.create_connection((host, port), SECONDS)
        self.unread = b""
        if greet:
            self.reply()

    def reply(self) -> str:
        """One reply, its lines joined; empty when the server hung up."""
        lines: list[str] = []
        while True:
            while b"\n" not in self.unread:
                try:
                    more = self.link.recv(65536)
                except (OSError, ssl.SSLError):
                    more = b""
                if not more:
                    return " ".join(lines)
                self.unread += more
            line, self.unread = self.unread.split(b"\n", 1)
            lines.append(line.decode("utf-8", "replace").rstrip("\r"))
            if lines[-1][3:4] != "-":
                return " ".join(lines)

    def replies(self) -> list[str]:
        """All that is still to come, until the server hangs up."""
        found: list[str] = []
        while said := self.reply():
            found.append(said)
        return found

    def send(self, data: bytes) -> None:
        self.link.sendall(data)

    def say(self, command: str) -> str:
        self.send(command.encode() + b"\r\n")
        return self.reply()

    def hello(self) -> str:
        return self.say(f"EHLO {HELO}")

    def start_tls(self) -> str:
        said = self.say("STARTTLS")
        if said.startswith("220"):
            self.link = _context().wrap_socket(self.link)
        return said

    def data(self, recipient: str) -> str:
        self.hello()
        self.say(f"MAIL FROM:<{SENDER}>")
        said = self.say(f"RCPT TO:<{recipient}>")
        return self.say("DATA") if said.startswith("250") else said

    def quit(self) -> None:
        self.link.close()


def _context() -> ssl.SSLContext:
    """Verifies nothing: names and chains are not what is probed here."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


Answer = t.Tuple[str, bool, str]


def smuggling(host: str, recipient: str) -> t.Iterator[Answer]:
    """A second message hidden behind an end of data that only some servers see (SMTP smuggling,
    2023)."""
    ends = [
        b"\n.\n",
        b"\n.\r\n",
        b"\r\n.\n",
        b"\n.\r",
        b"\r.\r",
        b"\r.\r\n",
        b"\r\n.\r",
        b"\r\n\x00.\r\n",
        b"\r\n.\x00\r\n",
    ]
    for end in ends:
        session = Session(host, 25)
        if not (said := session.data(recipient)).startswith("354"):
            yield f"smuggling {end!r}", False, f"DATA was not possible: {said}"
            continue
        inner = f"MAIL FROM:<admin@{recipient.partition('@')[2]}>\r\nRCPT TO:<{recipient}>\r\nDATA\r\n".encode()
        session.send(
            b"From: %s\r\nSubject: probe outer\r\n\r\nouter" % SENDER.encode() + end + inner
        )
        session.send(b"Subject: probe smuggled\r\n\r\ninner\r\n.\r\nQUIT\r\n")
        replies = session.replies()
        queued = [said for said in replies if "queued" in said]
        bare = b"\n" in end.replace(b"\r\n", b"")
        refused = bool(replies) and replies[0].startswith("5")
        yield (
            f"smuggling {end!r}",
            len(queued) <= (0 if bare else 1) and (refused or not bare),
            " | ".join(replies),
        )


def bare_newlines(host: str, recipient: str) -> t.Iterator[Answer]:
    """Lines that end in LF alone (RFC 5321 section 2.3.8 forbids them)."""
    session = Session(host, 25)
    session.hello()
    session.send(f"MAIL FROM:<{SENDER}>\n".encode())
    said = session.reply()
    yield "bare LF after a command", not said.startswith("2"), said
    session = Session(host, 25)
    session.data(recipient)
    session.send(b"From: %s\nSubject: probe bare\r\n\r\nx\r\n.\r\n" % SENDER.encode())
    said = session.reply()
    yield "bare LF in a header", said.startswith("5"), said
    session = Session(host, 25)
    session.data(recipient)
    session.send(b"From: %s\r\nSubject: probe nul\x00 hidden\r\n\r\nx\r\n.\r\n" % SENDER.encode())
    said = session.reply()
    yield "NUL in a header", said.startswith("5"), said


def chunking(host: str, recipient: str) -> t.Iterator[Answer]:
    session = Session(host, 25)
    offered = session.hello()
    yield "BDAT is not offered", "CHUNKING" not in offered, offered
    session.say(f"MAIL FROM:<{SENDER}>")
    session.say(f"RCPT TO:<{recipient}>")
    said = session.say("BDAT 2 LAST")
    yield "BDAT is not known", said.startswith("5"), said


def pipelining(host: str, recipient: str) -> t.Iterator[Answer]:
    """Commands sent before their turn (RFC 2920 section 3.1)."""
    session = Session(host, 25, greet=False)
    session.send(
        f"EHLO {HELO}\r\nMAIL FROM:<{SENDER}>\r\nRCPT TO:<{recipient}>\r\nDATA\r\nSubject: probe"
        " early\r\n\r\nx\r\n.\r\nQUIT\r\n".encode()
    )
    replies = session.replies()
    yield "everything at once", not any("queued" in said for said in replies), " | ".join(replies)
    session = Session(host, 25)
    session.send(f"HELO {HELO}\r\nMAIL FROM:<{SENDER}>\r\n".encode())
    first, second = session.reply(), session.reply()
    yield "commands behind HELO", not second.startswith("250"), f"{first} | {second}"


def relaying(host: str, recipient: str) -> t.Iterator[Answer]:
    """Every way to name a stranger that servers have fallen for."""
    here = recipient.partition("@")[2]
    there = "victim@elsewhere.stranger.example"
    names = [
        there,
        f"victim%stranger.example@{here}",
        f"victim%stranger.example@{host}",
        f"@{here}:{there}",
        f'"{there}"@{here}',
        f'"{there}"@{host}',
        f'"{there}"',
        f"stranger.example!victim@{here}",
        "stranger.example!victim",
        f"{there}@{host}",
        f"{there}@{here}",
        f"victim@[{socket.gethostbyname(host)}]",
        "victim@[127.0.0.1]",
        f"{there}%00@{here}",
        f"victim@sub.{here}",
        f"victim@{here}.stranger.example",
        "victim@localhost",
        "root%stranger.example",
        f"no-such-address@{here}",
        f"no-such-address@{host}",
        "www-data",
        "vmail@localhost",
    ]
    for sender in (SENDER, "", recipient, "root@localhost"):
        session = Session(host, 25)
        session.hello()
        said = session.say(f"MAIL FROM:<{sender}>")
        for name in names if said.startswith("250") else []:
            said = session.say(f"RCPT TO:<{name}>")
            if said.startswith("421"):
                session = Session(host, 25)
                session.hello()
                session.say(f"MAIL FROM:<{sender}>")
                said = session.say(f"RCPT TO:<{name}>")
            yield f"relay from <{sender}> to <{name}>", said.startswith("5"), said


def manners(host: str, recipient: str) -> t.Iterator[Answer]:
    session = Session(host, 25)
    said = session.say(f"MAIL FROM:<{SENDER}>")
    yield "MAIL before HELO", said.startswith("5"), said
    offered = session.hello()
    yield "no login on 25", "AUTH" not in offered, offered
    for command in (
        f"VRFY {recipient}",
        f"EXPN {recipient}",
        f"ETRN {host}",
        "AUTH PLAIN AHgAeA==",
        f"MAIL FROM: {SENDER}",
    ):
        said = session.say(command)
        yield command, said.startswith("5"), said
    for command in (f"MAIL FROM:<{SENDER}>", f"RCPT TO:<{recipient}>"):
        said = session.say(command)
    yield "a known recipient", said.startswith("250"), said


def submission(host: str, recipient: str) -> t.Iterator[Answer]:
    session = Session(host, 587)
    offered = session.hello()
    yield "no login on 587 before TLS", "AUTH" not in offered, offered
    for command in (f"MAIL FROM:<{SENDER}>", "AUTH PLAIN AHgAeA=="):
        said = session.say(command)
        yield f"587 before TLS: {command}", said.startswith("5"), said
    session = Session(host, 587)
    session.hello()
    session.send(b"STARTTLS\r\nRSET\r\nNOOP\r\n")
    session.reply()
    try:
        session.link = _context().wrap_socket(session.link)
        session.unread = b""
        said = session.hello()
    except OSError as error:
        said = f"hung up: {error}"
    # An executed RSET would have put its one-line answer before EHLO's.
    yield (
        "commands smuggled before the handshake (CVE-2011-0411)",
        said.startswith(("250-", "hung up")),
        said,
    )
    for port in (587, 465):
        session = Session(host, port, greet=port == 587)
        if port == 465:
            session.link = _context().wrap_socket(session.link)
            session.reply()
        else:
            session.hello()
            session.start_tls()
        session.hello()
        session.say(f"MAIL FROM:<{recipient}>")
        said = session.say(f"RCPT TO:<{recipient}>")
        yield f"{port} without a login", said.startswith("5"), said


def tls(host: str, _recipient: str) -> t.Iterator[Answer]:
    """What internet.nl counts as bad or to be phased out must not be spoken; TLS 1.2 with ECDHE and
    AEAD must be."""
    old = [(ssl.TLSVersion.TLSv1, "ALL:@SECLEVEL=0"), (ssl.TLSVersion.TLSv1_1, "ALL:@SECLEVEL=0")]
    weak = [
        "AES128-GCM-SHA256",
        "ECDHE+SHA1",
        "ECDHE+SHA256:!AESGCM:!CHACHA20",
        "DHE+AESGCM",
        "aNULL:@SECLEVEL=0",
        "CAMELLIA",
        "ARIA",
    ]
    cases = [(version, ciphers, False) for version, ciphers in old]
    cases += [(ssl.TLSVersion.TLSv1_2, ciphers, False) for ciphers in weak]
    cases += [(ssl.TLSVersion.TLSv1_2, "ECDHE+AESGCM", True), (ssl.TLSVersion.TLSv1_3, "", True)]
    for version, ciphers, wanted in cases:
        context = _context()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = context.maximum_version = version
        try:
            if ciphers:
                context.set_ciphers(ciphers)
        except ssl.SSLError:
            continue  # this client cannot even ask for it
        session = Session(host, 25)
        session.hello()
        session.say("STARTTLS")
        try:
            cipher = context.wrap_socket(session.link).cipher()
            said = " ".join(map(str, cipher or ()))
        except OSError as error:
            said = "" if wanted else f"refused: {error}"
        spoken = bool(said) and not said.startswith("refused")
        yield f"{version.name} {ciphers}", spoken is wanted, said


PROBES = (manners, relaying, pipelining, chunking, bare_newlines, smuggling, submission, tls)


def run(host: str, recipient: str, names: t.Container[str] = ()) -> t.Iterator[Answer]:
    for probe in PROBES:
        if not names or probe.__name__ in names:
            yield from probe(host, recipient)


def main() -> int:
    parser = argparse.ArgumentParser(description="Attack a mail host and say what it withstood.")
    parser.add_argument("host")
    parser.add_argument("recipient", help="an address that exists there")
    parser.add_argument(
        "probes", nargs="*", help="only these: " + " ".join(probe.__name__ for probe in PROBES)
    )
    options = parser.parse_args()
    withstood = True
    for name, good, said in run(options.host, options.recipient, options.probes):
        print(json.dumps({"probe": name, "ok": good, "said": said}), flush=True)
        withstood = withstood and good
    return 0 if withstood else 1


if __name__ == "__main__":
    sys.exit(main())
