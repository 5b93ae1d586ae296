# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of a host's TLS: of what was found, and of servers on the loopback that speak it."""

from __future__ import annotations

import contextlib
import datetime
import socket
import ssl
import threading
import typing as t
import warnings
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.module_utils import _verify_tls
from ansible_collections.reseller.mail.plugins.module_utils._mail_dial import ProbeDoubt, ProbeFailure
from ansible_collections.reseller.mail.plugins.module_utils._verify_tls import Spoken, shortcomings
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

GOOD = Spoken("TLSv1.3", "TLS_AES_256_GCM_SHA384", "EC", 256, "sha256")


@pytest.mark.parametrize(
    ("change", "bad", "late"),
    [
        ({}, 0, 0),
        ({"version": "TLSv1.2"}, 0, 0),
        ({"old": "TLSv1.1"}, 1, 0),
        ({"compression": "zlib"}, 1, 0),
        ({"weak": "ECDHE-RSA-AES128-SHA256"}, 0, 1),
        ({"weak": "DHE-RSA-AES256-GCM-SHA384"}, 0, 1),
        ({"weak": "AES128-GCM-SHA256"}, 1, 0),
        ({"weak": "ADH-AES256-GCM-SHA384"}, 1, 0),
        ({"signed_with": "sha1"}, 1, 0),
        ({"key": "RSA", "bits": 3072}, 0, 0),
        ({"key": "RSA", "bits": 2048}, 0, 1),
        ({"key": "RSA", "bits": 1024}, 1, 0),
        ({"bits": 192}, 1, 0),
        ({"key": "EdDSA", "bits": 0, "signed_with": ""}, 0, 0),
        ({"key": "", "bits": 0}, 1, 0),
        ({"old": "TLSv1", "weak": "ECDHE-RSA-AES128-SHA"}, 1, 1),
    ],
    ids=str,
)
def test_what_is_bad_and_what_is_to_be_phased_out(change: dict[str, t.Any], bad: int, late: int) -> None:
    assert tuple(map(len, shortcomings(replace(GOOD, **change)))) == (bad, late)


class Loopback:
    """A dialler that knows one server only."""

    timeout = 10.0

    def __init__(self, port: int) -> None:
        self._port = port

    def connect(self, _host: str, _port: int) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self._port), self.timeout)


def _serve(door: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            plain, _peer = door.accept()
        except OSError:
            return
        with contextlib.suppress(OSError), plain:
            plain.settimeout(10)
            plain.sendall(b"220 post.example\r\n")
            plain.recv(4096)
            plain.sendall(b"250-post.example\r\n250 STARTTLS\r\n")
            plain.recv(4096)
            plain.sendall(b"220 Go on\r\n")
            with context.wrap_socket(plain, server_side=True) as link:
                link.recv(4096)
                link.sendall(b"221 Bye\r\n")


@contextlib.contextmanager
def server(folder: Path, key: t.Any, ciphers: str, least: ssl.TLSVersion) -> t.Iterator[Loopback]:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "post.example")])
    now = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    made = made.not_valid_before(now - datetime.timedelta(1)).not_valid_after(now + datetime.timedelta(1))
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "pem").write_bytes(pem + made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers(ciphers)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = least
    context.load_cert_chain(folder / "pem")
    with socket.create_server(("127.0.0.1", 0)) as door:
        thread = threading.Thread(target=_serve, args=(door, context), daemon=True)
        thread.start()
        try:
            yield Loopback(door.getsockname()[1])
        finally:
            door.shutdown(socket.SHUT_RDWR)
            thread.join(10)


def test_a_host_of_today(tmp_path: Path) -> None:
    with server(tmp_path, ec.generate_private_key(ec.SECP256R1()), "ECDHE+AESGCM:ECDHE+CHACHA20", ssl.TLSVersion.TLSv1_2) as there:
        assert _verify_tls.check(t.cast(t.Any, there), "post.example") == "TLSv1.3 TLS_AES_256_GCM_SHA384, EC key of 256 bits"


def test_what_is_to_be_phased_out_is_doubted(tmp_path: Path) -> None:
    key = rsa.generate_private_key(65537, 2048)
    with server(tmp_path, key, "ECDHE+AES", ssl.TLSVersion.TLSv1_2) as there, pytest.raises(ProbeDoubt) as said:
        _verify_tls.check(t.cast(t.Any, there), "post.example")
    assert "the cipher ECDHE-RSA-AES" in str(said.value)
    assert "RSA key has 2048 bits" in str(said.value)


def test_what_is_bad_fails(tmp_path: Path) -> None:
    key = rsa.generate_private_key(65537, 2048)
    with server(tmp_path, key, "ALL:@SECLEVEL=0", ssl.TLSVersion.TLSv1) as there, pytest.raises(ProbeFailure) as said:
        _verify_tls.check(t.cast(t.Any, there), "post.example")
    assert not isinstance(said.value, ProbeDoubt)
    assert "TLSv1.1 is spoken" in str(said.value)
