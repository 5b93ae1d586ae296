# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections to mail servers as the world makes them: names through a resolver of choice, TLS verified. Does input and output; runs on
the controller only (needs dnspython).

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

from ansible_collections.reseller.mail.plugins.module_utils._dns_query import system_resolver
from ansible_collections.reseller.mail.plugins.module_utils._https_policy import tls_context

try:
    import dns.exception
    import dns.flags
    import dns.resolver
except ImportError:  # the importer of _dns_query reports it
    pass


class ProbeFailure(Exception):
    """A server did not do what it should; the text says what it did."""


class ProbeClosed(ProbeFailure):
    """Nobody answers at the port."""


class ProbeDoubt(ProbeFailure):
    """It works, but it is not as it should be."""


class ProbeIdle(ProbeFailure):
    """There is nothing to ask about."""


class ProbeBlocked(ProbeFailure):
    """The question could not even be asked; what kept us from it is a finding elsewhere."""


class ProbeDead(ProbeBlocked, ProbeClosed):
    """Nobody answers at the port, which another finding says."""


class Dialler:
    """Connects to host names, as many threads as like at once. ``dead`` are the doors (host, port) that a finding tells of already:
    nobody knocks there and waits in vain."""

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
        """The record data of a name; none when there is none, or none that the resolver vouches for (DNSSEC) where that is asked."""
        with self._lock:
            try:
                answer = self._resolver.resolve(name + ".", rdtype, raise_on_no_answer=False)
                return [] if secure and not answer.response.flags & dns.flags.AD else list(answer)
            except dns.resolver.NXDOMAIN:
                return []
            except dns.exception.DNSException as exc:
                raise ProbeBlocked(
                    f"{name} cannot be resolved: {type(exc).__name__} from {self._resolver.nameservers[0]}"
                ) from exc

    def addresses(self, host: str) -> list[str]:
        """Every address of a host."""
        found = [
            str(rdata.address) for rdtype in ("A", "AAAA") for rdata in self.records(host, rdtype)
        ]
        if not found:
            raise ProbeBlocked(f"{host} has no address in DNS")
        return found

    def dial(self, address: str, port: int) -> socket.socket:
        """A TCP connection to this address."""
        return socket.create_connection((address, port), self.timeout)

    def connect(self, host: str, port: int) -> socket.socket:
        """A TCP connection to the first address that takes one."""
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
        """TLS on a connection, the certificate verified against the host's name."""
        try:
            return self.context.wrap_socket(plain, server_hostname=host)
        except ssl.SSLCertVerificationError as exc:
            raise ProbeFailure(f"{host}: certificate: {exc.verify_message}") from exc


class Lines:
    """A line protocol, before and after STARTTLS."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._file = sock.makefile("rb")

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *dummy: object) -> None:
        self._file.close()
        self.sock.close()

    def read(self) -> str:
        line = self._file.readline(65536)
        if not line:
            raise ProbeFailure("the server closed the connection")
        return line.decode("utf-8", "replace").rstrip("\r\n")

    def write(self, text: str) -> None:
        self.sock.sendall(text.encode() + b"\r\n")

    def until(self, *starts: str) -> list[str]:
        """Lines up to and with the first one that begins so."""
        lines = [self.read()]
        while not lines[-1].startswith(starts):
            lines.append(self.read())
        return lines

    def smtp(self, command: str = "") -> list[str]:
        """An SMTP reply, all its lines, after the command if there is one."""
        if command:
            self.write(command)
        lines = [self.read()]
        while lines[-1][3:4] == "-":
            lines.append(self.read())
        return lines


def has_route(address: str) -> bool:
    """Whether this machine knows a way to an address. The kernel says so without a packet: connect(2) of a datagram socket."""
    family = socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            return sock.connect_ex((address, 9)) == 0
    except OSError:  # a kernel without IPv6 has not even the socket
        return False


def literal(sock: socket.socket) -> str:
    """Our own address as a name for EHLO (RFC 5321 section 4.1.3): a controller need not have a name in DNS."""
    address = sock.getsockname()[0]
    return f"[{'IPv6:' if ipaddress.ip_address(address).version == 6 else ''}{address}]"


class Smtp(smtplib.SMTP):
    """SMTP to a host that is dialled our way."""

    def __init__(self, dialler: Dialler, host: str, port: int) -> None:
        self._dialler = dialler
        super().__init__(host, port, local_hostname="localhost", timeout=dialler.timeout)
        self.local_hostname = literal(t.cast(socket.socket, self.sock))

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self._dialler.connect(host, port)


class Smtps(Smtp):
    """SMTP with TLS from the first byte."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self._dialler.secure(super()._get_socket(host, port, timeout), host)


class Imaps(imaplib.IMAP4_SSL):
    """IMAP with TLS from the first byte, to a host that is dialled our way."""

    def __init__(self, dialler: Dialler, host: str, port: int = 993) -> None:
        self._dialler = dialler
        super().__init__(host, port, ssl_context=dialler.context, timeout=dialler.timeout)

    def _create_socket(self, timeout: t.Optional[float]) -> ssl.SSLSocket:
        return self._dialler.secure(self._dialler.connect(self.host, self.port), self.host)
