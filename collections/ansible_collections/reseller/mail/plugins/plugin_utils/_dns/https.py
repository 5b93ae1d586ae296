# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetch MTA-STS policies (RFC 8461 section 3.3) and settings of mail programs over HTTPS.

PRIVATE to the collection. Does input and output.

The requests are those that sending mail servers and mail programs make.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import typing as t
from dataclasses import dataclass

from .text_records import mta_sts_policy

PATH = "/.well-known/mta-sts.txt"
MOST = 65536
"""Bytes of an answer that are read. RFC 8461 section 3.3 suggests this limit."""

PATIENCE = 3
"""Timeouts of one address, after which it is not asked again."""
MOST_ADDRESSES = 4
"""Addresses of one name that are tried. A tenant could publish a thousand that do not answer."""
WHOLE = 20.0
"""Seconds for one whole answer.

Each timeout limits one wait only. A host that sends a byte before every timeout would never end.
"""


@dataclass(frozen=True, slots=True)
class Fetched:
    """The answer to one request, or the reason why there is none.

    Attributes:
        error: The reason, as TLS or the network reports it.
        status: The HTTP status.
        content_type: The header Content-Type.
        body: The text, at most ``MOST`` bytes of it.
        kind: What is wrong with the certificate: ``expired``, ``name`` or ``untrusted``.
        location: The header Location, where a redirect leads to.
    """

    error: str = ""
    status: int = 0
    content_type: str = ""
    body: str = ""
    kind: str = ""
    location: str = ""


_KINDS = {10: "expired", 62: "name"}
"""X509_V_ERR_CERT_HAS_EXPIRED and X509_V_ERR_HOSTNAME_MISMATCH of OpenSSL."""


def tls_context(ca_file: str = "") -> ssl.SSLContext:
    """Return a context for TLS 1.2 or newer that verifies certificates.

    Only the CAs in ``ca_file`` are trusted; without a file, those of the system.
    """
    context = ssl.create_default_context(cafile=ca_file or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


@contextlib.contextmanager
def _time_limit(connection: socket.socket) -> t.Iterator[None]:
    """Close the connection if it lasts longer than ``WHOLE``, and raise TimeoutError then."""
    end, late = connection.dup(), threading.Event()

    def cut() -> None:
        late.set()
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(WHOLE, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (OSError, http.client.HTTPException) as exc:
        if not late.is_set():
            raise
        raise TimeoutError(f"no whole answer within {WHOLE:g} s") from exc
    finally:
        timer.cancel()
        end.close()
    if late.is_set():
        raise TimeoutError(f"no whole answer within {WHOLE:g} s")


def fetch_policy(
    domain: str,
    addresses: t.Sequence[str],
    context: ssl.SSLContext,
    timeout: float = 8.0,
    port: int = 443,
    waits: t.Optional[t.Counter[str]] = None,
) -> Fetched:
    """Return the MTA-STS policy of a domain from the first address that answers.

    Redirects are not followed (RFC 8461 section 3.3). The other parameters are those of ``fetch``.
    """
    return fetch(
        f"mta-sts.{domain}", PATH, addresses, context, timeout=timeout, port=port, waits=waits
    )


def fetch(
    host: str,
    path: str,
    addresses: t.Sequence[str],
    context: ssl.SSLContext,
    *,
    post: bytes = b"",
    timeout: float = 8.0,
    port: int = 443,
    waits: t.Optional[t.Counter[str]] = None,
) -> Fetched:
    """Return the answer of the first address that answers, or the error of the last one.

    ``post`` is the body of a POST request, as Outlook sends it. Each wait ends after ``timeout``
    seconds. ``waits`` counts the timeouts of each address over several calls: a host that is down
    serves thousands of names, and after ``PATIENCE`` timeouts it is not asked again.
    """
    error, kind = f"{host} has no address", ""
    for address in addresses[:MOST_ADDRESSES]:
        if waits is not None and waits[address] >= PATIENCE:
            error, kind = f"{host} at {address}: timed out", ""
            continue
        try:
            with (
                socket.create_connection((address, port), timeout=timeout) as plain,
                _time_limit(plain),
                context.wrap_socket(plain, server_hostname=host) as tls,
            ):
                connection = http.client.HTTPConnection(host, timeout=timeout)
                connection.sock = tls
                return _answer(connection, path, post)
        except ssl.SSLCertVerificationError as exc:
            error, kind = (
                f"certificate of {host} at {address}: {exc.verify_message}",
                _KINDS.get(exc.verify_code, "untrusted"),
            )
        except (OSError, http.client.HTTPException) as exc:
            if waits is not None and isinstance(exc, TimeoutError):
                waits[address] += 1
            error, kind = f"{host} at {address}: {getattr(exc, 'strerror', None) or exc}", ""
    return Fetched(error, kind=kind)


def _answer(connection: http.client.HTTPConnection, path: str, post: bytes) -> Fetched:
    """Send the request over an open connection, and return the answer."""
    headers = {"Connection": "close", **({"Content-Type": "text/xml"} if post else {})}
    connection.request("POST" if post else "GET", path, post or None, headers)
    response = connection.getresponse()
    body = response.read(MOST).decode("utf-8", "replace")
    return Fetched(
        "",
        response.status,
        response.getheader("Content-Type") or "",
        body,
        location=response.getheader("Location") or "",
    )


def policy_fault(fetched: Fetched, policy: str) -> str:
    """Return what is wrong with the policy that senders get; an empty text if it is right.

    Lines may end with LF or CRLF.
    """
    if fetched.error:
        return fetched.error
    if fetched.status != 200:
        return f"HTTP status {fetched.status}"
    if fetched.content_type.partition(";")[0].strip().lower() != "text/plain":
        return f"Content-Type {fetched.content_type or 'is missing'}"
    if fetched.body.split() != policy.split():
        on_one_line = "; ".join(fetched.body.split("\n")).replace("\r", "")
        return f"another policy: {on_one_line.strip('; ')}"
    return ""


def allows_host(policy: str, host: str) -> bool:
    """Return whether an ``mx:`` line of the policy allows the host.

    A wildcard matches exactly one label (RFC 8461 section 4.1).
    """
    _fields, patterns = mta_sts_policy(policy)
    return any(
        pattern == host or (pattern.startswith("*.") and host.partition(".")[2] == pattern[2:])
        for pattern in patterns
    )
