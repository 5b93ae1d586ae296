# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections to mail servers as senders and users make them, with verified TLS.

Host names are resolved by the resolver of the caller's choice. Does input and output; runs on the
controller only (needs dnspython).

PRIVATE to the collection.
"""

from __future__ import annotations

import imaplib
import ipaddress
import smtplib
import socket
import ssl
import threading
import typing as t

from .._dns.https import tls_context
from .._dns.query import system_resolver

try:
    import dns.exception
    import dns.flags
    import dns.resolver
except ImportError:  # the importer of _dns/query.py reports it
    pass


class ProbeFailure(Exception):
    """A server does not do what it should. The text is what it does instead. State ``fail``."""


class ProbeClosed(ProbeFailure):
    """No server answers at the port. State ``fail``."""


class ProbeDoubt(ProbeFailure):
    """The service works, but something is not as it should be. State ``warn``."""


class ProbeIdle(ProbeFailure):
    """The check does not apply here. State ``na``."""


class ProbeBlocked(ProbeFailure):
    """The check could not be made. Another finding has the cause. State ``blocked``."""


class ProbeDead(ProbeBlocked, ProbeClosed):
    """No server answers at the port, and another finding reports it. State ``blocked``."""


class Connector:
    """How to reach a host: a resolver, the trusted CAs and a timeout. Safe for many threads.

    Attributes:
        context: The TLS settings, which verify certificates.
        timeout: Seconds to wait for a connection or an answer.
        dead: The ports, as (host, port), that a finding reports as dead already. ``connect`` fails
            there at once, without waiting.
    """

    def __init__(self, resolver: str = "", ca_file: str = "", timeout: float = 10.0) -> None:
        self.context = tls_context(ca_file)
        self.timeout = timeout
        self._resolver = dns.resolver.Resolver(configure=False)
        self._resolver.nameservers = [resolver or system_resolver()]
        self._resolver.lifetime = min(timeout, 5.0)
        self._resolver.flags = dns.flags.RD | dns.flags.AD
        self._resolver.cache = dns.resolver.LRUCache()
        self._lock = threading.Lock()
        self.dead: set[tuple[str, int]] = set()

    def records(self, name: str, rdtype: str, *, secure: bool = False) -> list[t.Any]:
        """Return the record data of a name; empty when there is none.

        With ``secure``, return only data that the resolver has validated by DNSSEC (the AD bit).
        Raise ProbeBlocked when the resolver has no answer.
        """
        with self._lock:
            try:
                answer = self._resolver.resolve(name + ".", rdtype, raise_on_no_answer=False)
                return [] if secure and not answer.response.flags & dns.flags.AD else list(answer)
            except dns.resolver.NXDOMAIN:
                return []
            except dns.exception.DNSException as exc:
                raise ProbeBlocked(
                    f"{name} cannot be resolved: {type(exc).__name__} from"
                    f" {self._resolver.nameservers[0]}"
                ) from exc

    def addresses(self, host: str) -> list[str]:
        """Return every address of a host, IPv4 first; raise ProbeBlocked when it has none."""
        found = [
            str(rdata.address) for rdtype in ("A", "AAAA") for rdata in self.records(host, rdtype)
        ]
        if not found:
            raise ProbeBlocked(f"{host} has no address in DNS")
        return found

    def dial(self, address: str, port: int) -> socket.socket:
        """Return a TCP connection to this address; raise OSError when there is none."""
        return socket.create_connection((address, port), self.timeout)

    def connect(self, host: str, port: int) -> socket.socket:
        """Return a TCP connection to the first address of the host that accepts one.

        Raise ProbeClosed when no address does, ProbeDead when that is known already.
        """
        if (host, port) in self.dead:
            raise ProbeDead(f"not asked: port {port} of {host} does not answer")
        error: t.Union[OSError, str] = "no address"
        for address in self.addresses(host):
            try:
                return self.dial(address, port)
            except OSError as exc:
                error = exc
        raise ProbeClosed(f"{host} port {port}: {getattr(error, 'strerror', None) or error}")

    def secure(self, plain: socket.socket, host: str) -> ssl.SSLSocket:
        """Return the connection with TLS; raise ProbeFailure when the certificate is not valid for
        the host's name."""
        try:
            return self.context.wrap_socket(plain, server_hostname=host)
        except ssl.SSLCertVerificationError as exc:
            raise ProbeFailure(f"{host}: certificate: {exc.verify_message}") from exc


class Lines:
    """A connection with a line protocol, such as SMTP or IMAP, before or after STARTTLS."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._file = sock.makefile("rb")

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *dummy: object) -> None:
        self._file.close()
        self.sock.close()

    def read(self) -> str:
        """Return the next line without its end; raise ProbeFailure when there is none."""
        line = self._file.readline(65536)
        if not line:
            raise ProbeFailure("the server closed the connection")
        return line.decode("utf-8", "replace").rstrip("\r\n")

    def write(self, text: str) -> None:
        """Send a line."""
        self.sock.sendall(text.encode() + b"\r\n")

    def until(self, *starts: str) -> list[str]:
        """Return the lines up to the first one that has one of these beginnings, with that one."""
        lines = [self.read()]
        while not lines[-1].startswith(starts):
            lines.append(self.read())
        return lines

    def smtp(self, command: str = "") -> list[str]:
        """Send the command, if there is one; return all lines of the SMTP reply."""
        if command:
            self.write(command)
        lines = [self.read()]
        while lines[-1][3:4] == "-":
            lines.append(self.read())
        return lines


def has_route(address: str) -> bool:
    """Return whether this machine has a route to an address.

    connect(2) on a datagram socket finds out without sending a packet.
    """
    family = socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            return sock.connect_ex((address, 9)) == 0
    except OSError:  # a kernel without IPv6 has not even the socket
        return False


def literal(sock: socket.socket) -> str:
    """Return our own address as a name for EHLO (RFC 5321 section 4.1.3).

    A controller need not have a name in DNS.
    """
    address = sock.getsockname()[0]
    return f"[{'IPv6:' if ipaddress.ip_address(address).version == 6 else ''}{address}]"


class RcptReply(t.NamedTuple):
    """How a mail host replies to a sender and a recipient: the reply to RCPT TO, or to MAIL FROM
    where the host did not accept the sender.

    Attributes:
        command: The command that the reply belongs to, with the sender in MAIL FROM.
        code: The reply code (RFC 5321 section 4.2.1).
        text: The text after the code.
    """

    command: str
    code: int
    text: str

    @property
    def is_to_recipient(self) -> bool:
        """Return whether the host has replied to the recipient, not to the sender before it."""
        return self.command == "RCPT TO"


class Smtp(smtplib.SMTP):
    """An SMTP session over a connection of a ``Connector``."""

    def __init__(self, connector: Connector, host: str, port: int) -> None:
        self._connector = connector
        super().__init__(host, port, local_hostname="localhost", timeout=connector.timeout)
        self.local_hostname = literal(t.cast(socket.socket, self.sock))

    def ask_recipient(self, sender: str, recipient: str) -> RcptReply:
        """Return the reply to a sender and a recipient; send no message.

        RCPT TO is sent only after MAIL FROM was accepted: without a sender, every host replies
        503, whether or not it would accept the recipient.
        """
        code, text = self.mail(sender)
        if code >= 400:
            return RcptReply(f"MAIL FROM:<{sender}>", code, text.decode("utf-8", "replace"))
        code, text = self.rcpt(recipient)
        return RcptReply("RCPT TO", code, text.decode("utf-8", "replace"))

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self._connector.connect(host, port)


class Smtps(Smtp):
    """An SMTP session with TLS from the first byte."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self._connector.secure(super()._get_socket(host, port, timeout), host)


class Imaps(imaplib.IMAP4_SSL):
    """An IMAP session with TLS from the first byte, over a connection of a ``Connector``."""

    def __init__(self, connector: Connector, host: str, port: int = 993) -> None:
        self._connector = connector
        super().__init__(host, port, ssl_context=connector.context, timeout=connector.timeout)

    def _create_socket(self, timeout: t.Optional[float]) -> ssl.SSLSocket:
        return self._connector.secure(self._connector.connect(self.host, self.port), self.host)
