# SPDX-License-Identifier: GPL-3.0-or-later
"""How good the TLS of a mail host is, by internet.nl's three classes and by RFC 9155 and RFC 9325.

internet.nl calls a setting good, to be phased out, or bad. ``shortcomings`` is pure. ``spoken``
does input and output: it makes handshakes. The certificate's name and chain belong to ``mail.tls``.

PRIVATE to the collection.
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

from . import tls_hello
from .connect import Connector, ProbeBlocked, ProbeClosed, ProbeDoubt, ProbeFailure, Smtp

try:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
    from cryptography.x509 import Certificate, load_der_x509_certificate
except ImportError:  # Ansible itself needs it on a controller
    pass

_PHASED_OUT = ("ECDHE-", "DHE-")
"""Old ciphers that still have forward secrecy: to be phased out, not bad."""
GOOD_RSA = 3072
OLD_RSA = 2048
GOOD_CURVE = 256
_VERSIONS = {0x0300: "SSLv3", tls_hello.TLS10: "TLSv1", tls_hello.TLS11: "TLSv1.1"}
_ANY_SIGNATURE = (*tls_hello.GOOD_SIGNATURES, *tls_hello.BROKEN_SIGNATURES)
_OLD_CURVES = ("P-224",)
_BROKEN_HASHES = ("md5", "sha1")


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a mail host has agreed to with clients of different abilities; "" where it refused.

    Attributes:
        version: The TLS version with a current client; likewise ``cipher`` and ``compression``.
        key: The type of the certificate's key: RSA, EC, EdDSA, or "" for another one.
        bits: The size of the key.
        signed_with: The hash in the certificate's signature.
        old: The version with a client that knows TLS 1.1 and older only.
        weak: The cipher with a client that knows weak ciphers only.
        signature: The signature with a client that knows broken ones only.
        curve: The curve with a client that knows small ones only.
        field: The finite field with a client that knows no curves.
        client_decides: Whether the client's order of ciphers counts.
        extended_master_secret: Whether TLS 1.2 has it (RFC 7627).
        safe_renegotiation: Whether renegotiation is bound to its connection (RFC 5746).
        client_renegotiates: Whether a client may begin a second handshake.
        early_data: Whether 0-RTT data is accepted; None if this Python cannot see it.
    """

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
    """Return what is bad, and what is to be phased out."""
    bad: list[str] = []
    late: list[str] = []
    if spoken.old:
        bad.append(f"{spoken.old} is spoken")
    if spoken.compression:
        bad.append(f"{spoken.compression} compression is used")
    if spoken.weak:
        (late if spoken.weak.startswith(_PHASED_OUT) else bad).append(
            f"the cipher {spoken.weak} is accepted"
        )
    bad_keys, late_keys = _key_shortcomings(spoken)
    return (
        bad + bad_keys + _bad_handshakes(spoken),
        late + late_keys + _late_handshakes(spoken),
    )


def _key_shortcomings(spoken: Spoken) -> tuple[list[str], list[str]]:
    """Return what is bad and what is to be phased out about the certificate's key and signature."""
    bad: list[str] = []
    late: list[str] = []
    if spoken.signed_with in _BROKEN_HASHES:
        bad.append(f"the certificate is signed with {spoken.signed_with}")
    if spoken.key == "RSA" and spoken.bits < GOOD_RSA:
        (late if spoken.bits >= OLD_RSA else bad).append(
            f"the certificate's RSA key has {spoken.bits} bits; use {GOOD_RSA} bits or P-256"
        )
    if spoken.key == "EC" and spoken.bits < GOOD_CURVE:
        bad.append(f"the certificate's curve has {spoken.bits} bits")
    if spoken.key == "":
        bad.append("the certificate's key is of a type that senders do not support")
    return bad, late


def _bad_handshakes(spoken: Spoken) -> list[str]:
    """Return what is bad about handshakes."""
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
        *(["0-RTT data is accepted, which an attacker can replay"] if spoken.early_data else []),
    ]


def _late_handshakes(spoken: Spoken) -> list[str]:
    """Return what is to be phased out about handshakes."""
    return [
        *([f"keys are exchanged over {spoken.curve}"] if spoken.curve in _OLD_CURVES else []),
        *([f"keys are exchanged over {spoken.field}"] if spoken.field else []),
        *(["the client's order of ciphers counts"] if spoken.client_decides else []),
        *(["clients may renegotiate"] if spoken.client_renegotiates else []),
        *(
            []
            if spoken.extended_master_secret
            else ["the extended master secret is not supported (RFC 7627)"]
        ),
    ]


def spoken(connector: Connector, host: str) -> Spoken:
    """Return what port 25 of a host agrees to. This takes a dozen connections."""
    early: list[bool] = []
    with talk(connector, host, watching_tickets(early)) as server:
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
        found,
        early_data=any(early) if _CAN_WATCH else None,
        **_handshakes(TlsPort(connector, host, 25)),
    )


@dataclass(frozen=True, slots=True)
class TlsPort:
    """A port of a mail host with SMTP over TLS, from the first byte (``implicit``) or after
    STARTTLS."""

    connector: Connector
    host: str
    number: int
    implicit: bool = False

    @contextlib.contextmanager
    def before_tls(self) -> t.Iterator[socket.socket]:
        """Yield a connection just before its TLS handshake.

        Raise ProbeFailure when the host answers with something that is not TLS, ProbeBlocked when
        it closes the connection during a handshake.
        """
        with contextlib.ExitStack() as stack:
            try:
                yield (
                    stack.enter_context(self.connector.connect(self.host, self.number))
                    if self.implicit
                    else self._starttls(stack)
                )
            except tls_hello.Malformed as exc:
                raise ProbeFailure(f"TLS: {exc}") from exc
            except ConnectionError as exc:  # for whatever reason; a refusal is an alert
                raise ProbeBlocked(
                    "the host closed the connection during a handshake without an alert"
                ) from exc

    def ask(self, hello: tls_hello.Hello) -> tls_hello.Answer:
        """Return what the host answers to a client that knows only what is in ``hello``."""
        with self.before_tls() as sock:
            link = tls_hello.Link(sock, self.connector.timeout)
            link.send(tls_hello.HANDSHAKE, tls_hello.client_hello(hello, self.host, os.urandom(32)))
            return tls_hello.answer(link.first_flight())

    def renegotiates(self) -> bool:
        """Return whether a client may begin a second handshake."""
        with self.before_tls() as sock:
            session = tls_hello.Session(
                tls_hello.Link(sock, self.connector.timeout), self.host, os.urandom(32)
            )
            if not session.open():
                raise ProbeBlocked(
                    "it is not known whether clients may renegotiate: there was no handshake with"
                    " AES-GCM"
                )
            return session.renegotiates(os.urandom(32))

    def _starttls(self, stack: contextlib.ExitStack) -> socket.socket:
        """Return a connection after STARTTLS, before its handshake; ``stack`` closes it."""
        server = Smtp(self.connector, self.host, self.number)
        stack.callback(server.close)
        server.ehlo_or_helo_if_needed()
        code, text = server.docmd("STARTTLS")
        if code != 220:
            raise smtplib.SMTPResponseException(code, text)
        return t.cast(socket.socket, server.sock)


def _handshakes(port: TlsPort) -> dict[str, t.Any]:
    """Return the fields of ``Spoken`` that need handshakes which no TLS library offers."""
    # Before TLS 1.2 every signature has SHA-1, and every cipher is old.
    old = port.ask(
        tls_hello.Hello(
            ciphers=tuple(tls_hello.OLD_CIPHERS), signatures=(), version=tls_hello.TLS11
        )
    ).version
    new = {"old": _VERSIONS.get(old, ""), "field": _field(port)}
    today = port.ask(tls_hello.Hello())
    weak = port.ask(
        tls_hello.Hello(ciphers=tuple(tls_hello.OLD_CIPHERS), signatures=_ANY_SIGNATURE)
    ).cipher
    if today.version == 0 and weak == 0:
        return new  # no TLS 1.2
    broken = [
        port.ask(tls_hello.Hello(signatures=signatures))
        for signatures in (tuple(tls_hello.BROKEN_SIGNATURES), ())
    ]
    small = port.ask(tls_hello.Hello(groups=tuple(tls_hello.SMALL_CURVES)))
    orders = [(*tls_hello.AES_128, *tls_hello.AES_256), (*tls_hello.AES_256, *tls_hello.AES_128)]
    chosen = [port.ask(tls_hello.Hello(ciphers=order)).cipher in order[:2] for order in orders]
    return new | {
        "weak": tls_hello.OLD_CIPHERS.get(weak, ""),
        "compression": "DEFLATE" if today.compressed else "",
        "signature": next(
            (
                tls_hello.BROKEN_SIGNATURES[one.signature]
                for one in broken
                if one.signature in tls_hello.BROKEN_SIGNATURES
            ),
            "",
        ),
        "curve": tls_hello.SMALL_CURVES.get(small.group, ""),
        "client_decides": all(chosen),
        "extended_master_secret": today.extended_master_secret,
        "safe_renegotiation": today.safe_renegotiation,
        "client_renegotiates": port.renegotiates(),
    }


def _field(port: TlsPort) -> str:
    """Return the finite field that a host accepts in TLS 1.3; in TLS 1.2 its ciphers show it."""
    hello = tls_hello.Hello(
        tls_hello.TLS13_CIPHERS, tuple(tls_hello.FINITE_FIELDS), version=tls_hello.TLS13
    )
    return tls_hello.FINITE_FIELDS.get(port.ask(hello).group, "")


_CAN_WATCH = hasattr(ssl.SSLContext, "_msg_callback")
"""CPython shows handshake messages since 3.8, in an undocumented attribute."""


def watching_tickets(early: list[bool]) -> ssl.SSLContext:
    """Return TLS settings that accept any certificate and note 0-RTT (RFC 8446 section 4.6.1).

    For each ticket, they append to ``early`` whether it allows 0-RTT.
    """
    context = unverified()

    def note_ticket(
        _link: object, direction: str, _version: int, content: int, kind: int, data: bytes
    ) -> None:
        if (direction, content, kind) == ("read", tls_hello.HANDSHAKE, tls_hello.NEW_TICKET):
            with contextlib.suppress(tls_hello.Malformed):  # OpenSSL itself ends the connection
                early.append(tls_hello.allows_early_data(data))

    if _CAN_WATCH:
        context._msg_callback = note_ticket  # type: ignore[attr-defined]
    return context


def check(connector: Connector, host: str, ports: t.Iterable[TlsPort]) -> str:
    """Return the version, cipher and key of port 25, where it and the further ports are good.

    Raise ProbeFailure when something is bad, ProbeDoubt when something is to be phased out,
    ProbeBlocked when this Python cannot see 0-RTT.
    """
    found = spoken(connector, host)
    bad, late = shortcomings(found)
    for port in ports:
        with contextlib.suppress(ProbeClosed):  # another finding reports a closed port
            there = Spoken(
                found.version,
                found.cipher,
                found.key,
                found.bits,
                found.signed_with,
                **_handshakes(port),
            )
            more_bad, more_late = shortcomings(there)
            bad += [f"port {port.number}: {fault}" for fault in more_bad if fault not in bad]
            late += [f"port {port.number}: {fault}" for fault in more_late if fault not in late]
    if bad:
        raise ProbeFailure("; ".join([*bad, *late]))
    if late:
        raise ProbeDoubt("; ".join(late))
    if found.early_data is None:
        raise ProbeBlocked("this Python cannot see whether 0-RTT data is accepted")
    return (
        f"{found.version} {found.cipher}, {found.key}"
        f" key{f' of {found.bits} bits' if found.bits else ''}"
    )


def unverified() -> ssl.SSLContext:
    """Return TLS settings of a client that accepts any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def certificate(server: Smtp) -> Certificate:
    """Return the certificate of a server, from a session with TLS."""
    return load_der_x509_certificate(
        t.cast(bytes, t.cast(ssl.SSLSocket, server.sock).getpeercert(binary_form=True))
    )


def key_digest(server: Smtp) -> str:
    """Return the digest of a server's key, as TLSA 3 1 1 has it (RFC 6698 section 2.1)."""
    key = certificate(server).public_key()
    return hashlib.sha256(
        key.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    ).hexdigest()


def talk(connector: Connector, host: str, context: ssl.SSLContext) -> Smtp:
    """Return a session on port 25 after STARTTLS."""
    server = Smtp(connector, host, 25)
    try:
        server.starttls(context=context)
    except BaseException:
        server.close()
        raise
    return server
