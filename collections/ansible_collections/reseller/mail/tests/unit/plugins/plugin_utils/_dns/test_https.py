# SPDX-License-Identifier: GPL-3.0-or-later
"""The fetch itself speaks TLS on a socket of this machine."""

from __future__ import annotations

import collections
import contextlib
import datetime
import ipaddress
import re
import socket
import ssl
import threading
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._dns import https
from ansible_collections.reseller.mail.plugins.plugin_utils._dns.https import (
    PATIENCE,
    Fetched,
    allows_host,
    fetch,
    fetch_policy,
    policy_fault,
    tls_context,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

POLICY = "version: STSv1\nmode: enforce\nmx: mx1.hosting.example\nmax_age: 86400\n"


@pytest.mark.parametrize(
    ("fetched", "fault"),
    [
        (Fetched("", 200, "text/plain", POLICY), ""),
        (Fetched("", 200, "Text/Plain; charset=utf-8", POLICY.replace("\n", "\r\n")), ""),
        (Fetched("", 200, "text/html", POLICY), "Content-Type text/html"),
        (Fetched("", 200, "", POLICY), "Content-Type is missing"),
        (Fetched("", 301, "text/plain", POLICY), "HTTP status 301"),
        (Fetched("no address"), "no address"),
        (
            Fetched("", 200, "text/plain", "version: STSv1\nmode: none\n"),
            "another policy: version: STSv1; mode: none",
        ),
    ],
)
def test_a_policy_is_what_the_files_say_or_it_is_not(fetched: Fetched, fault: str) -> None:
    assert policy_fault(fetched, POLICY) == fault


@pytest.mark.parametrize(
    ("host", "covered"), [("mx1.hosting.example", True), ("mx2.hosting.example", False)]
)
def test_a_policy_names_the_mx(host: str, covered: bool) -> None:
    assert allows_host(POLICY, host) is covered


def test_a_wildcard_stands_for_one_label() -> None:
    policy = POLICY.replace("mx1.", "*.")
    assert allows_host(policy, "mx1.hosting.example")
    assert not allows_host(policy, "a.mx1.hosting.example")
    assert not allows_host(policy, "hosting.example")


def _certificate(name: str, folder: Path) -> tuple[str, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            ),
            False,
        )
        .add_extension(x509.BasicConstraints(True, 0), True)
        .sign(key, hashes.SHA256())
    )
    chain, secret = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return str(chain), str(secret)


def _request(tls: ssl.SSLSocket) -> str:
    """All of it: who closes with something unread takes the answer back."""
    text = ""
    while "\r\n\r\n" not in text or len(text.partition("\r\n\r\n")[2]) < int(
        (re.findall(r"(?i)content-length: (\d+)", text) or ["0"])[0]
    ):
        text += tls.recv(4096).decode()
    return text


@pytest.fixture
def policy_host(tmp_path: Path) -> t.Iterator[tuple[int, str, list[str]]]:
    """A policy host on a free port: the port, its CA, what it was asked."""
    chain, secret = _certificate("mta-sts.acme.example", tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, secret)
    asked: list[str] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                plain, _peer = listener.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(plain, server_side=True) as tls:
                    asked.append(_request(tls))
                    tls.sendall(
                        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length:"
                        b" %d\r\n\r\n%s" % (len(POLICY), POLICY.encode())
                    )
            except OSError:
                plain.close()

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()[1], chain, asked
    listener.close()


def test_a_policy_is_fetched_over_verified_tls(policy_host: tuple[int, str, list[str]]) -> None:
    port, ca_file, asked = policy_host
    assert fetch_policy("acme.example", ["127.0.0.1"], tls_context(ca_file), port=port) == Fetched(
        "", 200, "text/plain", POLICY
    )
    assert asked[0].startswith(
        "GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: mta-sts.acme.example\r\n"
    )


def test_a_strangers_certificate_is_named(policy_host: tuple[int, str, list[str]]) -> None:
    port, ca_file, asked = policy_host
    assert (
        "certificate of mta-sts.acme.example at 127.0.0.1: "
        in fetch_policy("acme.example", ["127.0.0.1"], tls_context(), port=port).error
    )
    assert (
        "ostname mismatch"
        in fetch_policy("globex.example", ["127.0.0.1"], tls_context(ca_file), port=port).error
    )
    assert asked == []


def test_a_closed_port_is_named_and_the_next_address_is_tried(
    policy_host: tuple[int, str, list[str]],
) -> None:
    port, ca_file, _asked = policy_host
    assert (
        fetch_policy(
            "acme.example", ["127.0.0.2", "127.0.0.1"], tls_context(ca_file), port=port
        ).status
        == 200
    )
    assert (
        fetch_policy("acme.example", ["127.0.0.2"], tls_context(ca_file), port=port).error
        == "mta-sts.acme.example at 127.0.0.2: Connection refused"
    )
    assert (
        fetch_policy("acme.example", [], tls_context(ca_file)).error
        == "mta-sts.acme.example has no address"
    )


def test_a_question_is_posted_as_outlook_does(policy_host: tuple[int, str, list[str]]) -> None:
    port, ca_file, asked = policy_host
    answer = fetch(
        "mta-sts.acme.example",
        "/autodiscover/autodiscover.xml",
        ["127.0.0.1"],
        tls_context(ca_file),
        post=b"<who/>",
        port=port,
    )
    assert answer.status == 200
    head, _blank, body = asked[0].partition("\r\n\r\n")
    assert head.startswith("POST /autodiscover/autodiscover.xml HTTP/1.1\r\n")
    assert "\r\nContent-Type: text/xml" in head
    assert body in ("<who/>", ""), "the body may come in a packet of its own"


def test_a_host_that_lets_everybody_wait_is_not_waited_for_thousands_of_times() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        waits: t.Counter[str] = collections.Counter()
        for _time in range(PATIENCE + 2):
            answer = fetch_policy(
                "acme.example",
                ["127.0.0.1"],
                tls_context(),
                timeout=0.1,
                port=mute.getsockname()[1],
                waits=waits,
            )
            assert answer.error.startswith("mta-sts.acme.example at 127.0.0.1: ")
        assert waits == {"127.0.0.1": PATIENCE}


def test_a_host_that_sends_a_byte_now_and_then_is_not_read_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain, secret = _certificate("mta-sts.acme.example", tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, secret)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        plain, _peer = listener.accept()
        with contextlib.suppress(OSError), context.wrap_socket(plain, server_side=True) as tls:
            tls.sendall(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 60000\r\n\r\n"
            )
            while True:
                tls.sendall(b"x")
                time.sleep(0.1)

    threading.Thread(target=serve, daemon=True).start()
    monkeypatch.setattr(https, "WHOLE", 1.0)
    begun = time.monotonic()
    found = fetch_policy(
        "acme.example", ["127.0.0.1"], tls_context(chain), port=listener.getsockname()[1]
    )
    assert (found.error, found.body) == (
        "mta-sts.acme.example at 127.0.0.1: no whole answer within 1 s",
        "",
    )
    assert time.monotonic() - begun < 10


def test_a_thousand_addresses_are_not_all_tried() -> None:
    tried = https.fetch(
        "a.example", "/", [f"127.0.0.{number}" for number in range(2, 250)], tls_context(), port=1
    )
    assert tried.error.startswith(f"a.example at 127.0.0.{1 + https.MOST_ADDRESSES}: ")
