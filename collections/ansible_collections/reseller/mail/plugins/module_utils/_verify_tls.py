# SPDX-License-Identifier: GPL-3.0-or-later
"""How good the TLS of a mail host is, by what internet.nl counts as good, as to be phased out, and as bad, and by RFC 9155 and RFC 9325.
``shortcomings`` is pure; ``spoken`` does input and output: it shakes hands.

PRIVATE to the collection. The certificate's name and chain are ``mail.tls``'s affair.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import smtplib
import socket
import ssl
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.reseller.mail.plugins.module_utils import _tls_hello
from ansible_collections.reseller.mail.plugins.module_utils._mail_dial import (
    Dialler,
    ProbeBlocked,
    ProbeClosed,
    ProbeDoubt,
    ProbeFailure,
    Smtp,
)

try:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
    from cryptography.x509 import Certificate, load_der_x509_certificate
except ImportError:  # Ansible itself needs it on a controller
    pass

_PHASED_OUT = ("ECDHE-", "DHE-")
"""Forward secrecy all the same: old, but no danger yet."""
GOOD_RSA = 3072
OLD_RSA = 2048
GOOD_CURVE = 256
_VERSIONS = {0x0300: "SSLv3", _tls_hello.TLS10: "TLSv1", _tls_hello.TLS11: "TLSv1.1"}
_ANY_SIGNATURE = (*_tls_hello.GOOD_SIGNATURES, *_tls_hello.BROKEN_SIGNATURES)
_OLD_CURVES = ("P-224",)
_BROKEN_HASHES = ("md5", "sha1")


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a host agreed to: with a client of today (version, cipher, compression, and the certificate's key and hash), with one
    that knows TLS 1.1 and older only, and with one that knows weak ciphers only; "" where it refused.

    Then what it agreed to with clients that know broken signatures only (``signature``), small curves only, or finite fields only,
    and how it behaves in TLS 1.2. ``early_data`` is None where nobody could look."""

    version: str
    cipher: str
    key: str
    bits: int
    signed_with: str
    compression: str = ""
    old: str = ""
    weak: str = ""
    signature: str = ""
    curve: str = ""
    field: str = ""
    client_decides: bool = False
    extended_master_secret: bool = True
    safe_renegotiation: bool = True
    client_renegotiates: bool = False
    early_data: t.Optional[bool] = False


def shortcomings(spoken: Spoken) -> tuple[list[str], list[str]]:
    """What is bad, and what is to be phased out."""
    bad: list[str] = []
    late: list[str] = []
    if spoken.old:
        bad.append(f"{spoken.old} is spoken")
    if spoken.compression:
        bad.append(f"{spoken.compression} compression is used")
    if spoken.weak:
        (late if spoken.weak.startswith(_PHASED_OUT) else bad).append(
            f"the cipher {spoken.weak} is taken"
        )
    if spoken.signed_with in _BROKEN_HASHES:
        bad.append(f"the certificate is signed with {spoken.signed_with}")
    if spoken.key == "RSA" and spoken.bits < GOOD_RSA:
        (late if spoken.bits >= OLD_RSA else bad).append(
            f"the certificate's RSA key has {spoken.bits} bits, {GOOD_RSA} would be good, or P-256"
        )
    if spoken.key == "EC" and spoken.bits < GOOD_CURVE:
        bad.append(f"the certificate's curve has {spoken.bits} bits")
    if spoken.key == "":
        bad.append("the certificate's key is of a kind that senders do not take")
    return bad + _bad_handshakes(spoken), late + _late_handshakes(spoken)


def _bad_handshakes(spoken: Spoken) -> list[str]:
    return [
        *([f"handshakes are signed by {spoken.signature} (RFC 9155)"] if spoken.signature else []),
        *(
            [f"keys are exchanged over {spoken.curve}"]
            if spoken.curve not in ("", *_OLD_CURVES)
            else []
        ),
        *(
            []
            if spoken.safe_renegotiation
            else ["renegotiation is not bound to its connection (RFC 5746)"]
        ),
        *(["0-RTT data is taken, which anybody may repeat"] if spoken.early_data else []),
    ]


def _late_handshakes(spoken: Spoken) -> list[str]:
    return [
        *([f"keys are exchanged over {spoken.curve}"] if spoken.curve in _OLD_CURVES else []),
        *([f"keys are exchanged over {spoken.field}"] if spoken.field else []),
        *(["the client's order of ciphers counts"] if spoken.client_decides else []),
        *(["clients may renegotiate"] if spoken.client_renegotiates else []),
        *(
            []
            if spoken.extended_master_secret
            else ["the extended master secret is not known (RFC 7627)"]
        ),
    ]


def spoken(dialler: Dialler, host: str) -> Spoken:
    """A dozen connections to port 25."""
    early: list[bool] = []
    with talk(dialler, host, watching_tickets(early)) as server:
        server.noop()  # tickets come before this answer
        sock, made = t.cast(ssl.SSLSocket, server.sock), certificate(server)
        version, cipher, compression = (
            sock.version() or "",
            (sock.cipher() or ("",))[0],
            sock.compression() or "",
        )
    key = made.public_key()
    kind, bits = "", 0
    if isinstance(key, rsa.RSAPublicKey):
        kind, bits = "RSA", key.key_size
    elif isinstance(key, ec.EllipticCurvePublicKey):
        kind, bits = "EC", key.key_size
    elif isinstance(key, (ed25519.Ed25519PublicKey, ed448.Ed448PublicKey)):
        kind = "EdDSA"
    hashed = made.signature_hash_algorithm
    found = Spoken(version, cipher, kind, bits, hashed.name if hashed else "", compression)
    return replace(
        found, early_data=any(early) if _CAN_WATCH else None, **_handshakes(Door(dialler, host, 25))
    )


@dataclass(frozen=True, slots=True)
class Door:
    """A port of a mail host where SMTP is spoken over TLS, from the first byte or after STARTTLS."""

    dialler: Dialler
    host: str
    port: int
    implicit: bool = False

    @contextlib.contextmanager
    def before_tls(self) -> t.Iterator[socket.socket]:
        """Give a connection before the first word of TLS."""
        with contextlib.ExitStack() as stack:
            try:
                yield (
                    stack.enter_context(self.dialler.connect(self.host, self.port))
                    if self.implicit
                    else self._starttls(stack)
                )
            except _tls_hello.Malformed as exc:
                raise ProbeFailure(f"TLS: {exc}") from exc
            except ConnectionError as exc:  # for whatever reason; a refusal is an alert
                raise ProbeBlocked(
                    "the host hung up during a handshake, without an alert that says why"
                ) from exc

    def ask(self, hello: _tls_hello.Hello) -> _tls_hello.Answer:
        """Return what the host answers to a client that knows nothing but what ``hello`` says."""
        with self.before_tls() as sock:
            link = _tls_hello.Link(sock, self.dialler.timeout)
            link.send(
                _tls_hello.HANDSHAKE, _tls_hello.client_hello(hello, self.host, os.urandom(32))
            )
            return _tls_hello.answer(link.first_flight())

    def renegotiates(self) -> bool:
        """Return whether a client may begin a second handshake."""
        with self.before_tls() as sock:
            session = _tls_hello.Session(
                _tls_hello.Link(sock, self.dialler.timeout), self.host, os.urandom(32)
            )
            if not session.open():
                raise ProbeBlocked(
                    "whether clients may renegotiate cannot be seen: there was no handshake with AES-GCM"
                )
            return session.renegotiates(os.urandom(32))

    def _starttls(self, stack: contextlib.ExitStack) -> socket.socket:
        server = Smtp(self.dialler, self.host, self.port)
        stack.callback(server.close)
        server.ehlo_or_helo_if_needed()
        code, text = server.docmd("STARTTLS")
        if code != 220:
            raise smtplib.SMTPResponseException(code, text)
        return t.cast(socket.socket, server.sock)


def _handshakes(door: Door) -> dict[str, t.Any]:
    """What only handshakes show that no library asks for."""
    # Before TLS 1.2 every signature has SHA-1, and every cipher is old.
    old = door.ask(
        _tls_hello.Hello(
            ciphers=tuple(_tls_hello.OLD_CIPHERS), signatures=(), version=_tls_hello.TLS11
        )
    ).version
    new = {"old": _VERSIONS.get(old, ""), "field": _field(door)}
    today = door.ask(_tls_hello.Hello())
    weak = door.ask(
        _tls_hello.Hello(ciphers=tuple(_tls_hello.OLD_CIPHERS), signatures=_ANY_SIGNATURE)
    ).cipher
    if today.version == 0 and weak == 0:
        return new  # no TLS 1.2
    broken = [
        door.ask(_tls_hello.Hello(signatures=signatures))
        for signatures in (tuple(_tls_hello.BROKEN_SIGNATURES), ())
    ]
    small = door.ask(_tls_hello.Hello(groups=tuple(_tls_hello.SMALL_CURVES)))
    orders = [
        (*_tls_hello.AES_128, *_tls_hello.AES_256),
        (*_tls_hello.AES_256, *_tls_hello.AES_128),
    ]
    chosen = [door.ask(_tls_hello.Hello(ciphers=order)).cipher in order[:2] for order in orders]
    return new | {
        "weak": _tls_hello.OLD_CIPHERS.get(weak, ""),
        "compression": "DEFLATE" if today.compressed else "",
        "signature": next(
            (
                _tls_hello.BROKEN_SIGNATURES[one.signature]
                for one in broken
                if one.signature in _tls_hello.BROKEN_SIGNATURES
            ),
            "",
        ),
        "curve": _tls_hello.SMALL_CURVES.get(small.group, ""),
        "client_decides": all(chosen),
        "extended_master_secret": today.extended_master_secret,
        "safe_renegotiation": today.safe_renegotiation,
        "client_renegotiates": door.renegotiates(),
    }


def _field(door: Door) -> str:
    """Return the finite field that a host takes in TLS 1.3; for TLS 1.2 its ciphers say it."""
    hello = _tls_hello.Hello(
        _tls_hello.TLS13_CIPHERS, tuple(_tls_hello.FINITE_FIELDS), version=_tls_hello.TLS13
    )
    return _tls_hello.FINITE_FIELDS.get(door.ask(hello).group, "")


_CAN_WATCH = hasattr(ssl.SSLContext, "_msg_callback")
"""CPython shows handshake messages since 3.8, in an attribute that is not documented."""


def watching_tickets(early: list[bool]) -> ssl.SSLContext:
    """A client that takes any certificate and notes for each ticket whether it allows 0-RTT (RFC 8446 section 4.6.1)."""
    context = unverified()

    def look(
        _link: object, direction: str, _version: int, content: int, kind: int, data: bytes
    ) -> None:
        if (direction, content, kind) == ("read", _tls_hello.HANDSHAKE, _tls_hello.NEW_TICKET):
            with contextlib.suppress(_tls_hello.Malformed):  # OpenSSL itself ends the connection
                early.append(_tls_hello.allows_early_data(data))

    if _CAN_WATCH:
        context._msg_callback = look  # type: ignore[attr-defined]
    return context


def check(dialler: Dialler, host: str, doors: t.Iterable[Door]) -> str:
    """What was found at port 25 and at further doors; ProbeFailure where it is bad, ProbeDoubt where it is to be phased out."""
    found = spoken(dialler, host)
    bad, late = shortcomings(found)
    for door in doors:
        with contextlib.suppress(ProbeClosed):  # that is another finding
            there = Spoken(
                found.version,
                found.cipher,
                found.key,
                found.bits,
                found.signed_with,
                **_handshakes(door),
            )
            more_bad, more_late = shortcomings(there)
            bad += [f"port {door.port}: {fault}" for fault in more_bad if fault not in bad]
            late += [f"port {door.port}: {fault}" for fault in more_late if fault not in late]
    if bad:
        raise ProbeFailure("; ".join([*bad, *late]))
    if late:
        raise ProbeDoubt("; ".join(late))
    if found.early_data is None:
        raise ProbeBlocked("whether 0-RTT data is taken cannot be seen with this Python")
    return f"{found.version} {found.cipher}, {found.key} key{f' of {found.bits} bits' if found.bits else ''}"


def unverified() -> ssl.SSLContext:
    """A client that takes any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def certificate(server: Smtp) -> Certificate:
    """What a server that TLS is spoken with has shown of itself."""
    return load_der_x509_certificate(
        t.cast(bytes, t.cast(ssl.SSLSocket, server.sock).getpeercert(binary_form=True))
    )


def key_digest(server: Smtp) -> str:
    """What TLSA 3 1 1 holds of the key that a server has shown (RFC 6698 section 2.1)."""
    key = certificate(server).public_key()
    return hashlib.sha256(
        key.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    ).hexdigest()


def talk(dialler: Dialler, host: str, context: ssl.SSLContext) -> Smtp:
    """Port 25, after STARTTLS."""
    server = Smtp(dialler, host, 25)
    try:
        server.starttls(context=context)
    except BaseException:
        server.close()
        raise
    return server
