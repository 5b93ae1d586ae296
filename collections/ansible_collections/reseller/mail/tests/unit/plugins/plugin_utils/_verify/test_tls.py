# SPDX-License-Identifier: GPL-3.0-or-later
"""What verify reports about a host's TLS: about invented facts, and about servers on the loopback."""

from __future__ import annotations

import contextlib
import datetime
import os
import select
import socket
import ssl
import subprocess
import threading
import typing as t
import warnings
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._verify import tls
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.connect import (
    ProbeBlocked,
    ProbeClosed,
    ProbeDoubt,
    ProbeFailure,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.tls import (
    Spoken,
    TlsPort,
    shortcomings,
)
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
        ({"signature": "ECDSA with SHA-1"}, 1, 0),
        ({"curve": "P-192"}, 1, 0),
        ({"curve": "P-224"}, 0, 1),
        ({"field": "ffdhe2048"}, 0, 1),
        ({"client_decides": True}, 0, 1),
        ({"client_renegotiates": True}, 0, 1),
        ({"extended_master_secret": False}, 0, 1),
        ({"safe_renegotiation": False}, 1, 0),
        ({"early_data": True}, 1, 0),
    ],
    ids=str,
)
def test_what_is_bad_and_what_is_to_be_phased_out(
    change: dict[str, t.Any], bad: int, late: int
) -> None:
    assert tuple(map(len, shortcomings(replace(GOOD, **change)))) == (bad, late)


class Loopback:
    """A connector that knows one server only, at the ports of STARTTLS."""

    timeout = 10.0
    ports = (25, 587)

    def __init__(self, port: int, has_key: t.Any = None) -> None:
        self._port = port
        self.has_key = has_key

    def connect(self, _host: str, port: int) -> socket.socket:
        if port not in self.ports:
            raise ProbeClosed(f"port {port}")
        return socket.create_connection(("127.0.0.1", self._port), self.timeout)


def _serve(listener: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            plain, _peer = listener.accept()
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
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
    )
    made = made.not_valid_before(now - datetime.timedelta(1)).not_valid_after(
        now + datetime.timedelta(1)
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "pem").write_bytes(
        pem + made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers(ciphers)
    context.set_ecdh_curve("prime256v1")  # without a list OpenSSL offers finite fields, too
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = least
    context.load_cert_chain(folder / "pem")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve, args=(listener, context), daemon=True)
        thread.start()
        try:
            yield Loopback(listener.getsockname()[1])
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)


def submission_ports(there: Loopback) -> list[TlsPort]:
    """The ports for submission: one is open, the other is closed."""
    connector = t.cast(t.Any, there)
    return [
        TlsPort(connector, "post.example", 587),
        TlsPort(connector, "post.example", 465, implicit=True),
    ]


def test_a_host_of_today(tmp_path: Path) -> None:
    with server(
        tmp_path,
        ec.generate_private_key(ec.SECP256R1()),
        "ECDHE+AESGCM:ECDHE+CHACHA20",
        ssl.TLSVersion.TLSv1_2,
    ) as there:
        assert (
            tls.check(t.cast(t.Any, there), "post.example", submission_ports(there))
            == "TLSv1.3 TLS_AES_256_GCM_SHA384, EC key of 256 bits"
        )


def test_what_is_to_be_phased_out_is_doubted(tmp_path: Path) -> None:
    key = rsa.generate_private_key(65537, 2048)
    with (
        server(tmp_path, key, "ECDHE+AES", ssl.TLSVersion.TLSv1_2) as there,
        pytest.raises(ProbeDoubt) as error,
    ):
        tls.check(t.cast(t.Any, there), "post.example", submission_ports(there))
    assert "the cipher ECDHE-RSA-AES" in str(error.value)
    assert "RSA key has 2048 bits" in str(error.value)


def test_what_is_bad_fails(tmp_path: Path) -> None:
    key = rsa.generate_private_key(65537, 2048)
    with (
        server(tmp_path, key, "ALL:@SECLEVEL=0", ssl.TLSVersion.TLSv1) as there,
        pytest.raises(ProbeFailure) as error,
    ):
        tls.check(t.cast(t.Any, there), "post.example", submission_ports(there))
    assert not isinstance(error.value, ProbeDoubt)
    assert "TLSv1.1 is spoken" in str(error.value)


def test_what_cannot_be_seen_is_not_called_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "_CAN_WATCH", False)
    with (
        server(
            tmp_path,
            ec.generate_private_key(ec.SECP256R1()),
            "ECDHE+AESGCM",
            ssl.TLSVersion.TLSv1_2,
        ) as there,
        pytest.raises(ProbeBlocked),
    ):
        tls.check(t.cast(t.Any, there), "post.example", submission_ports(there))


def _relay(listener: socket.socket, port: int) -> None:
    """SMTP up to STARTTLS, and all that follows to and from another server."""
    while True:
        try:
            plain, _peer = listener.accept()
        except OSError:
            return
        with (
            contextlib.suppress(OSError),
            plain,
            socket.create_connection(("127.0.0.1", port), 10) as behind,
        ):
            plain.sendall(b"220 post.example\r\n")
            plain.recv(4096)
            plain.sendall(b"250-post.example\r\n250 STARTTLS\r\n")
            plain.recv(4096)
            plain.sendall(b"220 Go on\r\n")
            while ready := select.select([plain, behind], [], [], 10)[0]:
                for link in ready:
                    data = link.recv(65536)
                    (behind if link is plain else plain).sendall(data)
                    if not data:
                        raise ConnectionResetError


P_256 = ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")


@contextlib.contextmanager
def openssl_server(
    folder: Path, *options: str, key: tuple[str, ...] = P_256, starttls: bool = True
) -> t.Iterator[t.Any]:
    """OpenSSL's own server, behind STARTTLS or alone."""
    make = [
        "openssl",
        "req",
        "-x509",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=post.example",
        "-newkey",
        *key,
    ]
    subprocess.run(
        [*make, "-keyout", folder / "key", "-out", folder / "crt"], check=True, capture_output=True
    )
    command = [
        "openssl",
        "s_server",
        "-accept",
        "127.0.0.1:0",
        "-key",
        str(folder / "key"),
        "-cert",
        str(folder / "crt"),
        *options,
    ]
    environment = os.environ | (
        {"OPENSSL_CONF": str(folder / "conf")} if (folder / "conf").exists() else {}
    )
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    ) as process:
        assert process.stdout is not None
        port = next(
            (int(line.rpartition(":")[2]) for line in process.stdout if line.startswith("ACCEPT ")),
            0,
        )
        reader = threading.Thread(target=process.stdout.read, daemon=True)
        reader.start()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            thread = threading.Thread(target=_relay, args=(listener, port), daemon=True)
            thread.start()
            try:
                assert process.stdin is not None
                yield Loopback(listener.getsockname()[1] if starttls else port, process.stdin)
            finally:
                listener.shutdown(socket.SHUT_RDWR)
                thread.join(10)
                process.terminate()
                reader.join(10)


GOOD_SERVER = ("-serverpref", "-groups", "X25519:P-256", "-cipher", "ECDHE+AESGCM:@SECLEVEL=2")
AGREED = {
    "old": "", "weak": "", "compression": "", "signature": "", "curve": "", "field": "",
    "client_decides": False, "extended_master_secret": True,
    "safe_renegotiation": True, "client_renegotiates": False,
}  # fmt: skip


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (GOOD_SERVER, {}),
        ((*GOOD_SERVER[:-1], "ECDHE+AESGCM:@SECLEVEL=0"), {"signature": "ECDSA with SHA-1"}),
        ((*GOOD_SERVER[1:],), {"client_decides": True}),
        (
            ("-serverpref", "-groups", "P-256:ffdhe3072", "-cipher", "ECDHE+AESGCM:@SECLEVEL=2"),
            {"field": "ffdhe3072"},
        ),
        ((*GOOD_SERVER[:-1], "ECDHE+AES:@SECLEVEL=2"), {"weak": "ECDHE-ECDSA-AES256-SHA384"}),
        ((*GOOD_SERVER, "-client_renegotiation"), {"client_renegotiates": True}),
        (
            (*GOOD_SERVER[:-1], "ECDHE+AESGCM+AES256:@SECLEVEL=2", "-client_renegotiation"),
            {"client_renegotiates": True},
        ),
        ((*GOOD_SERVER[:-1], "ECDHE+AESGCM+AES256:@SECLEVEL=2"), {}),
    ],
    ids=str,
)
def test_openssl_s_server_is_seen_through(
    tmp_path: Path, options: tuple[str, ...], found: dict[str, t.Any]
) -> None:
    with openssl_server(tmp_path, *options) as there:
        assert tls._handshakes(TlsPort(there, "post.example", 25)) == AGREED | found


@pytest.mark.parametrize(
    ("group", "curve"), [("P-224", "P-224"), ("secp256k1", "secp256k1"), ("P-384", "")]
)
def test_small_curves_are_seen(tmp_path: Path, group: str, curve: str) -> None:
    """With an RSA key: one on P-256 keeps OpenSSL from any handshake with a client that does not
    know P-256."""
    options = ("-serverpref", "-groups", f"P-256:{group}", "-cipher", "ECDHE+AESGCM:@SECLEVEL=1")
    with openssl_server(tmp_path, *options, key=("rsa:2048",)) as there:
        assert tls._handshakes(TlsPort(there, "post.example", 25))["curve"] == curve


def test_a_server_that_signs_with_rsa_and_sha_1_is_bad(tmp_path: Path) -> None:
    with openssl_server(
        tmp_path, *GOOD_SERVER[:-1], "ECDHE+AESGCM:@SECLEVEL=0", key=("rsa:3072",)
    ) as there:
        found = tls._handshakes(TlsPort(there, "post.example", 25))
    assert found == AGREED | {"signature": "RSA with SHA-1"}
    assert shortcomings(replace(GOOD, **found)) == (
        ["handshakes are signed by RSA with SHA-1 (RFC 9155)"],
        [],
    )


def test_a_server_without_the_extended_master_secret_is_seen(tmp_path: Path) -> None:
    (tmp_path / "conf").write_text(
        "openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nOptions ="
        " -ExtendedMasterSecret\n"
    )
    with openssl_server(tmp_path, *GOOD_SERVER) as there:
        assert tls._handshakes(TlsPort(there, "post.example", 25)) == AGREED | {
            "extended_master_secret": False
        }


def test_a_port_with_tls_from_the_first_byte_is_asked_the_same(tmp_path: Path) -> None:
    with openssl_server(
        tmp_path, *GOOD_SERVER[:-1], "ECDHE+AESGCM:@SECLEVEL=0", starttls=False
    ) as there:
        there.ports = (465,)
        assert tls._handshakes(TlsPort(there, "post.example", 465, implicit=True)) == AGREED | {
            "signature": "ECDSA with SHA-1"
        }


def test_a_host_without_tls_1_2_is_asked_for_finite_fields_only(tmp_path: Path) -> None:
    with openssl_server(tmp_path, *GOOD_SERVER, "-tls1_3") as there:
        assert tls._handshakes(TlsPort(there, "post.example", 25)) == {"old": "", "field": ""}


@pytest.mark.parametrize(
    ("options", "allowed"), [((), False), (("-early_data", "-max_early_data", "1000"), True)]
)
def test_data_before_the_handshake_is_seen_in_tickets(
    tmp_path: Path, options: tuple[str, ...], allowed: bool
) -> None:
    early: list[bool] = []
    with openssl_server(tmp_path, *GOOD_SERVER, *options) as there:
        link = tls.talk(there, "post.example", tls.watching_tickets(early))
        there.has_key.write("250 OK\n")
        there.has_key.flush()
        link.noop()
        link.close()
    assert early
    assert set(early) == {allowed}


def test_a_host_that_hangs_up_is_not_called_good() -> None:
    """It may do so for any reason; a refusal is an alert."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_hang_up, args=(listener,), daemon=True)
        thread.start()
        with pytest.raises(ProbeBlocked, match="closed the connection during a handshake"):
            tls._handshakes(
                TlsPort(t.cast(t.Any, Loopback(listener.getsockname()[1])), "post.example", 25)
            )
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def _hang_up(listener: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            plain, _peer = listener.accept()
            with plain:
                plain.sendall(b"220 post.example\r\n")
                plain.recv(4096)
                plain.sendall(b"250-post.example\r\n250 STARTTLS\r\n")
                plain.recv(4096)
                plain.sendall(b"220 Go on\r\n")
                plain.recv(4096)
