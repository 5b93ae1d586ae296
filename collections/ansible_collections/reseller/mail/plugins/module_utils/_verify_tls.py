# SPDX-License-Identifier: GPL-3.0-or-later
"""How good the TLS of a mail host is, by what internet.nl counts as good, as to be phased out, and as bad. ``shortcomings`` is pure;
``spoken`` does input and output: it shakes hands.

PRIVATE to the collection. The certificate's name and chain are ``mail.tls``'s affair.
"""

from __future__ import annotations

import hashlib
import ssl
import typing as t
import warnings
from dataclasses import dataclass

from ansible_collections.reseller.mail.plugins.module_utils._mail_dial import Dialler, ProbeDoubt, ProbeFailure, Smtp

try:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
    from cryptography.x509 import Certificate, load_der_x509_certificate
except ImportError:  # Ansible itself needs it on a controller
    pass

_OLD = "ALL:@SECLEVEL=0"
_WEAK = "ALL:COMPLEMENTOFALL:!ECDHE+AESGCM:!ECDHE+AESCCM:!ECDHE+CHACHA20:@SECLEVEL=0"
"""All that OpenSSL knows for TLS 1.2 but ephemeral elliptic curves with authenticated encryption: CBC, finite fields, RSA key
exchange, Camellia, ARIA, no encryption or no authentication. The level lets this client ask for what it would refuse itself."""
_PHASED_OUT = ("ECDHE-", "DHE-")
"""Forward secrecy all the same: old, but no danger yet."""
GOOD_RSA = 3072
OLD_RSA = 2048
GOOD_CURVE = 256
_BROKEN_HASHES = ("md5", "sha1")


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a host agreed to: with a client of today (version, cipher, compression, and the certificate's key and hash), with one
    that knows TLS 1.1 and older only, and with one that knows weak ciphers only; "" where it refused."""

    version: str
    cipher: str
    key: str
    bits: int
    signed_with: str
    compression: str = ""
    old: str = ""
    weak: str = ""


def shortcomings(spoken: Spoken) -> tuple[list[str], list[str]]:
    """What is bad, and what is to be phased out."""
    bad: list[str] = []
    late: list[str] = []
    if spoken.old:
        bad.append(f"{spoken.old} is spoken")
    if spoken.compression:
        bad.append(f"{spoken.compression} compression is used")
    if spoken.weak:
        (late if spoken.weak.startswith(_PHASED_OUT) else bad).append(f"the cipher {spoken.weak} is taken")
    if spoken.signed_with in _BROKEN_HASHES:
        bad.append(f"the certificate is signed with {spoken.signed_with}")
    if spoken.key == "RSA" and spoken.bits < GOOD_RSA:
        (late if spoken.bits >= OLD_RSA else bad).append(f"the certificate's RSA key has {spoken.bits} bits, {GOOD_RSA} would be good, or P-256")
    if spoken.key == "EC" and spoken.bits < GOOD_CURVE:
        bad.append(f"the certificate's curve has {spoken.bits} bits")
    if spoken.key == "":
        bad.append("the certificate's key is of a kind that senders do not take")
    return bad, late


def spoken(dialler: Dialler, host: str) -> Spoken:
    """Three connections to port 25."""
    with talk(dialler, host, unverified()) as server:
        sock, made = t.cast(ssl.SSLSocket, server.sock), certificate(server)
        version, cipher, compression = sock.version() or "", (sock.cipher() or ("",))[0], sock.compression() or ""
    key = made.public_key()
    kind, bits = "", 0
    if isinstance(key, rsa.RSAPublicKey):
        kind, bits = "RSA", key.key_size
    elif isinstance(key, ec.EllipticCurvePublicKey):
        kind, bits = "EC", key.key_size
    elif isinstance(key, (ed25519.Ed25519PublicKey, ed448.Ed448PublicKey)):
        kind = "EdDSA"
    hashed = made.signature_hash_algorithm
    old = _agreed(dialler, host, unverified(ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1, _OLD))
    weak = _agreed(dialler, host, unverified(ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2, _WEAK))
    return Spoken(version, cipher, kind, bits, hashed.name if hashed else "", compression, old[0], weak[1])


def check(dialler: Dialler, host: str) -> str:
    """What was found; ProbeFailure where it is bad, ProbeDoubt where it is to be phased out."""
    found = spoken(dialler, host)
    bad, late = shortcomings(found)
    if bad:
        raise ProbeFailure("; ".join([*bad, *late]))
    if late:
        raise ProbeDoubt("; ".join(late))
    return f"{found.version} {found.cipher}, {found.key} key{f' of {found.bits} bits' if found.bits else ''}"


def unverified(
    least: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2, most: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED, ciphers: str = ""
) -> ssl.SSLContext:
    """A client that takes any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)    # asking for what is deprecated is the point
        context.minimum_version, context.maximum_version = least, most
    if ciphers:
        context.set_ciphers(ciphers)
    return context


def certificate(server: Smtp) -> Certificate:
    """What a server that TLS is spoken with has shown of itself."""
    return load_der_x509_certificate(t.cast(bytes, t.cast(ssl.SSLSocket, server.sock).getpeercert(binary_form=True)))


def key_digest(server: Smtp) -> str:
    """What TLSA 3 1 1 holds of the key that a server has shown (RFC 6698 section 2.1)."""
    key = certificate(server).public_key()
    return hashlib.sha256(key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def talk(dialler: Dialler, host: str, context: ssl.SSLContext) -> Smtp:
    """Port 25, after STARTTLS."""
    server = Smtp(dialler, host, 25)
    try:
        server.starttls(context=context)
    except BaseException:
        server.close()
        raise
    return server


def _agreed(dialler: Dialler, host: str, context: ssl.SSLContext) -> tuple[str, str]:
    """The version and the cipher that a host agreed to; empty when it refused, as it should."""
    try:
        with talk(dialler, host, context) as server:
            sock = t.cast(ssl.SSLSocket, server.sock)
            return sock.version() or "", (sock.cipher() or ("",))[0]
    except (ssl.SSLError, ConnectionError):
        return "", ""
