# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS handshakes byte by byte (RFC 5246, RFC 8446), with offers that no TLS library makes.

Python has no setting for signature algorithms, and the controller's own library refuses the weak
settings that verify looks for at others. Both sides' offers are not encrypted. Not for secrets: no
certificate is verified.

PRIVATE to the collection. Pure, but for ``Link``, which reads and writes records, and ``Session``,
which needs cryptography.
"""

from __future__ import annotations

import hashlib
import hmac
import socket
import struct
import time
import typing as t
from dataclasses import dataclass

try:
    from cryptography.hazmat.primitives.asymmetric import ec, x25519
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
except ImportError:  # Ansible itself needs it on a controller
    pass

TLS10, TLS11, TLS12, TLS13 = 0x0301, 0x0302, 0x0303, 0x0304
CHANGE_CIPHER, ALERT, HANDSHAKE = 20, 21, 22
(
    CLIENT_HELLO,
    SERVER_HELLO,
    NEW_TICKET,
    SERVER_KEY_EXCHANGE,
    SERVER_HELLO_DONE,
    CLIENT_KEY_EXCHANGE,
    FINISHED,
) = (
    1,
    2,
    4,
    12,
    14,
    16,
    20,
)
SERVER_NAME, SUPPORTED_GROUPS, POINT_FORMATS, SIGNATURES, EXTENDED_MASTER_SECRET = 0, 10, 11, 13, 23
EARLY_DATA, SUPPORTED_VERSIONS, KEY_SHARE, RENEGOTIATION = 42, 43, 51, 0xFF01

AES_128 = (0xC02B, 0xC02F)
AES_256 = (0xC02C, 0xC030)
CHACHA = (0xCCA9, 0xCCA8)
"""ECDHE with authenticated encryption in TLS 1.2: first with ECDSA, then with RSA."""
_BULK = ("NULL-SHA", "RC4-SHA", "DES-CBC3-SHA", "AES128-SHA", "AES256-SHA")
OLD_CIPHERS = {
    **{0x01: "NULL-MD5", 0x02: "NULL-SHA", 0x03: "EXP-RC4-MD5", 0x04: "RC4-MD5", 0x05: "RC4-SHA",
        0x06: "EXP-RC2-CBC-MD5", 0x07: "IDEA-CBC-SHA"},
    **{0x08: "EXP-DES-CBC-SHA", 0x09: "DES-CBC-SHA", 0x0A: "DES-CBC3-SHA", 0x2F: "AES128-SHA",
        0x35: "AES256-SHA", 0x3B: "NULL-SHA256"},
    **{0x3C: "AES128-SHA256", 0x3D: "AES256-SHA256", 0x41: "CAMELLIA128-SHA",
        0x84: "CAMELLIA256-SHA", 0x96: "SEED-SHA", 0x9C: "AES128-GCM-SHA256"},
    **{0x9D: "AES256-GCM-SHA384", 0xC09C: "AES128-CCM", 0xC09D: "AES256-CCM",
        0xC050: "ARIA128-GCM-SHA256", 0xC051: "ARIA256-GCM-SHA384"},
    **{0x14: "EXP-DHE-RSA-DES-CBC-SHA", 0x15: "DHE-RSA-DES-CBC-SHA", 0x16: "DHE-RSA-DES-CBC3-SHA",
        0x33: "DHE-RSA-AES128-SHA"},
    **{0x39: "DHE-RSA-AES256-SHA", 0x45: "DHE-RSA-CAMELLIA128-SHA", 0x67: "DHE-RSA-AES128-SHA256",
        0x6B: "DHE-RSA-AES256-SHA256"},
    **{0x88: "DHE-RSA-CAMELLIA256-SHA", 0x9E: "DHE-RSA-AES128-GCM-SHA256",
        0x9F: "DHE-RSA-AES256-GCM-SHA384", 0xC09E: "DHE-RSA-AES128-CCM"},
    **{0xC09F: "DHE-RSA-AES256-CCM", 0xC052: "DHE-RSA-ARIA128-GCM-SHA256",
        0xC053: "DHE-RSA-ARIA256-GCM-SHA384", 0xCCAA: "DHE-RSA-CHACHA20-POLY1305"},
    **{0x17: "EXP-ADH-RC4-MD5", 0x18: "ADH-RC4-MD5", 0x1A: "ADH-DES-CBC-SHA",
        0x1B: "ADH-DES-CBC3-SHA", 0x34: "ADH-AES128-SHA", 0x3A: "ADH-AES256-SHA"},
    **{0x6C: "ADH-AES128-SHA256", 0x6D: "ADH-AES256-SHA256", 0xA6: "ADH-AES128-GCM-SHA256",
        0xA7: "ADH-AES256-GCM-SHA384"},
    **{0xC001 + number: f"ECDH-ECDSA-{bulk}" for number, bulk in enumerate(_BULK)},
    **{0xC006 + number: f"ECDHE-ECDSA-{bulk}" for number, bulk in enumerate(_BULK)},
    **{0xC00B + number: f"ECDH-RSA-{bulk}" for number, bulk in enumerate(_BULK)},
    **{0xC010 + number: f"ECDHE-RSA-{bulk}" for number, bulk in enumerate(_BULK)},
    **{0xC015 + number: f"AECDH-{bulk}" for number, bulk in enumerate(_BULK)},
    **{0xC023: "ECDHE-ECDSA-AES128-SHA256", 0xC024: "ECDHE-ECDSA-AES256-SHA384",
        0xC025: "ECDH-ECDSA-AES128-SHA256"},
    **{0xC026: "ECDH-ECDSA-AES256-SHA384", 0xC027: "ECDHE-RSA-AES128-SHA256",
        0xC028: "ECDHE-RSA-AES256-SHA384", 0xC029: "ECDH-RSA-AES128-SHA256"},
    **{0xC02A: "ECDH-RSA-AES256-SHA384", 0xC02D: "ECDH-ECDSA-AES128-GCM-SHA256",
        0xC02E: "ECDH-ECDSA-AES256-GCM-SHA384"},
    **{0xC031: "ECDH-RSA-AES128-GCM-SHA256", 0xC032: "ECDH-RSA-AES256-GCM-SHA384",
        0xC05C: "ECDHE-ECDSA-ARIA128-GCM-SHA256"},
    **{0xC05D: "ECDHE-ECDSA-ARIA256-GCM-SHA384", 0xC060: "ECDHE-RSA-ARIA128-GCM-SHA256",
        0xC061: "ECDHE-RSA-ARIA256-GCM-SHA384"},
    **{0xC072: "ECDHE-ECDSA-CAMELLIA128-SHA256", 0xC073: "ECDHE-ECDSA-CAMELLIA256-SHA384",
        0xC076: "ECDHE-RSA-CAMELLIA128-SHA256"},
    **{0xC077: "ECDHE-RSA-CAMELLIA256-SHA384"},
}  # fmt: skip
"""All ciphers but ECDHE with authenticated encryption, by OpenSSL's names: CBC, stream ciphers,
finite fields, RSA key exchange, static keys, no encryption and no authentication."""
TLS13_CIPHERS = (0x1302, 0x1301, 0x1303)
X25519, P_256 = 29, 23
CURVES = {X25519: "X25519", P_256: "P-256", 24: "P-384", 25: "P-521", 30: "X448"}
FINITE_FIELDS = {
    256: "ffdhe2048",
    257: "ffdhe3072",
    258: "ffdhe4096",
    259: "ffdhe6144",
    260: "ffdhe8192",
}
SMALL_CURVES = {
    **{number: f"a curve of RFC 4492 (number {number})" for number in range(1, 19)}, 19: "P-192",
    20: "secp224k1", 21: "P-224", 22: "secp256k1",
}  # fmt: skip
BROKEN_SIGNATURES = {
    0x0203: "ECDSA with SHA-1",
    0x0201: "RSA with SHA-1",
    0x0202: "DSA with SHA-1",
    0x0101: "RSA with MD5",
    0x0103: "ECDSA with MD5",
}
GOOD_SIGNATURES = (
    0x0403,
    0x0503,
    0x0603,
    0x0807,
    0x0808,
    0x0804,
    0x0805,
    0x0806,
    0x0809,
    0x080A,
    0x080B,
    0x0401,
    0x0501,
    0x0601,
)


class Malformed(Exception):
    """The server's answer is not TLS."""


@dataclass(frozen=True, slots=True)
class Hello:
    """What a client offers. ``version`` is the newest one that it knows. Without ``signatures`` the
    extension is left out, which means SHA-1 in TLS 1.2 (RFC 5246 section 7.4.1.4.1)."""

    ciphers: tuple[int, ...] = (*AES_256, *AES_128, *CHACHA)
    groups: tuple[int, ...] = tuple(CURVES)
    signatures: tuple[int, ...] = GOOD_SIGNATURES
    version: int = TLS12


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server has agreed to, as far as it is not encrypted. ``version`` is 0 where the server
    refused with an alert."""

    version: int = 0
    cipher: int = 0
    group: int = 0
    signature: int = 0
    compressed: bool = False
    extended_master_secret: bool = False
    safe_renegotiation: bool = False


def _sized(data: bytes, width: int) -> bytes:
    """Return data after its length, which has ``width`` bytes."""
    return len(data).to_bytes(width, "big") + data


def _numbers(values: t.Iterable[int]) -> bytes:
    """Return numbers of two bytes each."""
    return b"".join(struct.pack("!H", value) for value in values)


def client_hello(hello: Hello, host: str, random: bytes, renegotiated: bytes = b"") -> bytes:
    """Return a ClientHello as a handshake message.

    ``random`` has 32 bytes. In a second handshake, ``renegotiated`` is the content of the client's
    last Finished (RFC 5746).
    """
    extensions = {
        SERVER_NAME: _sized(b"\0" + _sized(host.encode("ascii"), 2), 2),
        SUPPORTED_GROUPS: _sized(_numbers(hello.groups), 2),
        POINT_FORMATS: b"\1\0",
        EXTENDED_MASTER_SECRET: b"",
        RENEGOTIATION: _sized(renegotiated, 1),
    }
    if hello.signatures:
        extensions[SIGNATURES] = _sized(_numbers(hello.signatures), 2)
    if hello.version == TLS13:  # no key share: the server asks for the one it wants
        extensions |= {SUPPORTED_VERSIONS: _sized(_numbers([TLS13]), 1), KEY_SHARE: _sized(b"", 2)}
    body = (
        struct.pack("!H", min(hello.version, TLS12))
        + random
        + _sized(b"", 1)
        + _sized(_numbers(hello.ciphers), 2)
    )
    body += _sized(
        b"\0" if hello.version == TLS13 else b"\1\0", 1
    )  # DEFLATE and none; TLS 1.3 knows none only
    body += _sized(
        b"".join(struct.pack("!H", kind) + _sized(data, 2) for kind, data in extensions.items()), 2
    )
    return message(CLIENT_HELLO, body)


def message(kind: int, body: bytes) -> bytes:
    """Return a handshake message: its type, its length in three bytes, its body."""
    return bytes([kind]) + _sized(body, 3)


class _Reader:
    """A message whose fields are read from its start; Malformed when it is too short."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def take(self, size: int) -> bytes:
        """Return the next ``size`` bytes."""
        if size > len(self._data):
            raise Malformed("a message is shorter than its length field")
        taken, self._data = self._data[:size], self._data[size:]
        return taken

    def number(self, width: int) -> int:
        """Return a number of ``width`` bytes."""
        return int.from_bytes(self.take(width), "big")

    def sized(self, width: int) -> bytes:
        """Return a field after its length, which has ``width`` bytes."""
        return self.take(self.number(width))

    def __bool__(self) -> bool:
        return bool(self._data)


def extensions_of(data: bytes) -> dict[int, bytes]:
    """Return the extensions of a hello by their numbers."""
    reader, found = _Reader(data), {}
    while reader:
        kind = reader.number(2)
        found[kind] = reader.sized(2)
    return found


@dataclass(frozen=True, slots=True)
class ServerHello:
    """The fields of a ServerHello."""

    version: int
    random: bytes
    cipher: int
    compressed: bool
    extensions: t.Mapping[int, bytes]

    @classmethod
    def read(cls, body: bytes) -> ServerHello:
        """Return the hello in the body of a handshake message; raise Malformed if it is none."""
        reader = _Reader(body)
        version, random = reader.number(2), reader.take(32)
        reader.sized(1)
        cipher, compression = reader.number(2), reader.number(1)
        return cls(
            version,
            random,
            cipher,
            compression != 0,
            extensions_of(reader.sized(2)) if reader else {},
        )


@dataclass(frozen=True, slots=True)
class KeyExchange:
    """A ServerKeyExchange with an elliptic curve: the group, the server's point, and the signature
    algorithm."""

    group: int
    point: bytes
    signature: int

    @classmethod
    def read(cls, body: bytes) -> KeyExchange:
        """Return the key exchange in the body of a handshake message; raise Malformed if it is
        none, or has a curve without a number."""
        reader = _Reader(body)
        if reader.number(1) != 3:
            raise Malformed("the server's curve has no name")
        return cls(reader.number(2), reader.sized(1), reader.number(2))


def answer(messages: t.Sequence[tuple[int, bytes]]) -> Answer:
    """Return what a server's first messages agree to."""
    bodies = dict(messages)
    if SERVER_HELLO not in bodies:
        return Answer()
    hello = ServerHello.read(bodies[SERVER_HELLO])
    if hello.extensions.get(SUPPORTED_VERSIONS) == _numbers([TLS13]):
        share = hello.extensions.get(KEY_SHARE, b"")
        return Answer(TLS13, hello.cipher, int.from_bytes(share[:2], "big"))
    exchange = KeyExchange(0, b"", 0)
    if hello.version == TLS12 and hello.cipher in (*AES_128, *AES_256, *CHACHA):
        exchange = KeyExchange.read(bodies.get(SERVER_KEY_EXCHANGE, b""))
    extended, safe = EXTENDED_MASTER_SECRET in hello.extensions, RENEGOTIATION in hello.extensions
    return Answer(
        hello.version,
        hello.cipher,
        exchange.group,
        exchange.signature,
        hello.compressed,
        extended,
        safe,
    )


def allows_early_data(ticket: bytes) -> bool:
    """Return whether a ticket lets a client send data before the handshake.

    ``ticket`` is a NewSessionTicket of TLS 1.3 (RFC 8446 section 4.6.1) with its header.
    """
    reader = _Reader(ticket)
    reader.take(4 + 8)  # header; lifetime and age
    reader.sized(1)
    reader.sized(2)
    return any(extensions_of(reader.sized(2)).get(EARLY_DATA, b""))


class Link:
    """TLS records over a socket. A server may send ``MOST`` bytes within ``patience`` seconds."""

    MOST = 1 << 18

    def __init__(self, sock: socket.socket, patience: float) -> None:
        self._sock = sock
        self._deadline = time.monotonic() + patience
        self._read = 0

    def send(self, kind: int, payload: bytes) -> None:
        """Send one record."""
        self._sock.sendall(bytes([kind]) + struct.pack("!H", TLS12) + _sized(payload, 2))

    def record(self) -> tuple[int, bytes]:
        """Return the next record's type and payload.

        Raise ConnectionError when the server has closed the connection, Malformed when the record
        is none.
        """
        head = self._exactly(5)
        if head[0] not in (CHANGE_CIPHER, ALERT, HANDSHAKE, 23) or head[1] != 3:
            raise Malformed("the server's answer is no TLS record")
        return head[0], self._exactly(int.from_bytes(head[3:], "big"))

    def first_flight(self) -> list[tuple[int, bytes]]:
        """Return the server's messages, as types and bodies, up to the last one without encryption.

        Return none when the server refused with an alert.
        """
        pending, found = b"", []
        while True:
            kind, payload = self.record()
            if kind == ALERT and payload[:1] == b"\2":
                return []
            if kind == HANDSHAKE:
                pending += payload
            while len(pending) >= 4 and len(pending) >= 4 + int.from_bytes(pending[1:4], "big"):
                end = 4 + int.from_bytes(pending[1:4], "big")
                found.append((pending[0], pending[4:end]))
                if pending[0] == SERVER_HELLO_DONE or (
                    pending[0] == SERVER_HELLO
                    and SUPPORTED_VERSIONS in ServerHello.read(pending[4:end]).extensions
                ):
                    return found
                pending = pending[end:]

    def _exactly(self, size: int) -> bytes:
        """Return the next ``size`` bytes; raise Malformed at the limits of time or length."""
        self._read += size
        data = b""
        while len(data) < size:
            if time.monotonic() > self._deadline or self._read > self.MOST:
                raise Malformed("the server sends too much or too slowly")
            more = self._sock.recv(size - len(data))
            if not more:
                raise ConnectionResetError("the server closed the connection")
            data += more
        return data


def pseudo_random(secret: bytes, label: bytes, seed: bytes, size: int, digest: str) -> bytes:
    """Return ``size`` bytes of the pseudo-random function of TLS 1.2 (RFC 5246 section 5)."""
    seed, found, a = label + seed, b"", label + seed
    while len(found) < size:
        a = hmac.digest(secret, a, digest)
        found += hmac.digest(secret, a + seed, digest)
    return found[:size]


class Session:
    """A complete TLS 1.2 handshake with ECDHE and AES-GCM, and a request for a second one."""

    HELLO = Hello(ciphers=(*AES_128, *AES_256), groups=(X25519, P_256))

    def __init__(self, link: Link, host: str, random: bytes) -> None:
        self._link, self._host, self._random = link, host, random
        self._sent = 0
        self._finished = b""
        self._key = self._salt = b""

    def open(self) -> bool:
        """Make the handshake; return whether the server agreed.

        Raise ConnectionError when it agreed first and closed the connection then.
        """
        own = client_hello(self.HELLO, self._host, self._random)
        self._link.send(HANDSHAKE, own)
        messages = self._link.first_flight()
        bodies = dict(messages)
        if SERVER_KEY_EXCHANGE not in bodies:
            return False
        hello, exchange = (
            ServerHello.read(bodies[SERVER_HELLO]),
            KeyExchange.read(bodies[SERVER_KEY_EXCHANGE]),
        )
        size, digest = (16, "sha256") if hello.cipher in AES_128 else (32, "sha384")
        point, shared = _shared(exchange)
        reply = message(CLIENT_KEY_EXCHANGE, _sized(point, 1))
        talk = hashlib.new(
            digest, own + b"".join(message(kind, body) for kind, body in messages) + reply
        ).digest()
        if EXTENDED_MASTER_SECRET in hello.extensions:
            master = pseudo_random(shared, b"extended master secret", talk, 48, digest)
        else:
            master = pseudo_random(
                shared, b"master secret", self._random + hello.random, 48, digest
            )
        block = pseudo_random(
            master, b"key expansion", hello.random + self._random, 2 * size + 8, digest
        )
        self._key, self._salt = block[:size], block[2 * size : 2 * size + 4]
        self._finished = pseudo_random(master, b"client finished", talk, 12, digest)
        self._link.send(HANDSHAKE, reply)
        self._link.send(CHANGE_CIPHER, b"\1")
        self._seal(HANDSHAKE, message(FINISHED, self._finished))
        while (kind := self._link.record()[0]) != CHANGE_CIPHER:
            if kind == ALERT:
                return False
        return self._link.record()[0] == HANDSHAKE

    def renegotiates(self, random: bytes) -> bool:
        """Return whether the server begins a second handshake because the client asks for it.

        The types of its records are not encrypted. A server that does not renegotiate may send an
        alert, send nothing, or close the connection.
        """
        self._seal(HANDSHAKE, client_hello(self.HELLO, self._host, random, self._finished))
        try:
            return self._link.record()[0] == HANDSHAKE
        except (ConnectionError, TimeoutError):
            return False

    def _seal(self, kind: int, plain: bytes) -> None:
        """Send one encrypted record (RFC 5288 section 3)."""
        number = struct.pack("!Q", self._sent)
        head = number + bytes([kind]) + struct.pack("!HH", TLS12, len(plain))
        self._link.send(kind, number + AESGCM(self._key).encrypt(self._salt + number, plain, head))
        self._sent += 1


def _shared(exchange: KeyExchange) -> tuple[bytes, bytes]:
    """Return our own point, and the secret of it and the server's point."""
    try:
        if exchange.group == X25519:
            own = x25519.X25519PrivateKey.generate()
            shared = own.exchange(x25519.X25519PublicKey.from_public_bytes(exchange.point))
            return own.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw), shared
        key = ec.generate_private_key(ec.SECP256R1())
        shared = key.exchange(
            ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), exchange.point)
        )
        return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint), shared
    except ValueError as exc:
        raise Malformed("the server's key exchange is no point of its curve") from exc
