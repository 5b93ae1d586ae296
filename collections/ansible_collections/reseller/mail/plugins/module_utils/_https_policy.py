# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetches what nodes serve over HTTPS as strangers do: an MTA-STS policy as a sending mail server (RFC 8461 section 3.3), settings as a
mail program. Does input and output.

PRIVATE to the collection.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import typing as t
from dataclasses import dataclass

from ansible_collections.reseller.mail.plugins.module_utils._text_records import mta_sts_policy

PATH = "/.well-known/mta-sts.txt"
MOST = 65536
"""RFC 8461 section 3.3 suggests to limit the size; this is its figure."""

PATIENCE = 3
"""Times that one address is waited for in vain."""
MOST_ADDRESSES = 4
"""Addresses of one name that are tried: anybody may publish a thousand where nobody answers."""
WHOLE = 20.0
"""Seconds for one answer as a whole: each time-out is one of a single wait, and a host may send a byte before every one of them for ever."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What HTTPS gave; ``error`` says why nothing came, in the words of TLS or the network, and ``kind`` what about the certificate is
    wrong: ``expired``, ``name`` or ``untrusted``."""

    error: str = ""
    status: int = 0
    content_type: str = ""
    body: str = ""
    kind: str = ""
    location: str = ""


_KINDS = {10: "expired", 62: "name"}
"""X509_V_ERR_CERT_HAS_EXPIRED and X509_V_ERR_HOSTNAME_MISMATCH of OpenSSL."""


def tls_context(ca_file: str = "") -> ssl.SSLContext:
    """Verified TLS 1.2 or newer, by the given CAs alone, or by the system's."""
    context = ssl.create_default_context(cafile=ca_file or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


@contextlib.contextmanager
def _ends(connection: socket.socket) -> t.Iterator[None]:
    """Cuts a connection that lasts too long; what came until then is no answer."""
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


def fetch(
    domain: str,
    addresses: t.Sequence[str],
    context: ssl.SSLContext,
    timeout: float = 8.0,
    port: int = 443,
    waits: t.Optional[t.Counter[str]] = None,
) -> Fetched:
    """The policy of a domain from the first address that answers. Redirects are not followed, as the RFC demands."""
    return ask(
        f"mta-sts.{domain}", PATH, addresses, context, timeout=timeout, port=port, waits=waits
    )


def ask(
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
    """What the first address that answers says; with ``post`` the question is sent as Outlook sends it. ``waits`` counts how often an
    address let somebody wait in vain: a host that is away serves thousands of names, and after a few of them nobody waits any more."""
    error, kind = f"{host} has no address", ""
    for address in addresses[:MOST_ADDRESSES]:
        if waits is not None and waits[address] >= PATIENCE:
            error, kind = f"{host} at {address}: timed out", ""
            continue
        try:
            with (
                socket.create_connection((address, port), timeout=timeout) as plain,
                _ends(plain),
                context.wrap_socket(plain, server_hostname=host) as tls,
            ):
                connection = http.client.HTTPConnection(host, timeout=timeout)
                connection.sock = tls
                connection.request(
                    "POST" if post else "GET",
                    path,
                    post or None,
                    {"Connection": "close", **({"Content-Type": "text/xml"} if post else {})},
                )
                response = connection.getresponse()
                body = response.read(MOST).decode("utf-8", "replace")
                return Fetched(
                    "",
                    response.status,
                    response.getheader("Content-Type") or "",
                    body,
                    location=response.getheader("Location") or "",
                )
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


def judge(fetched: Fetched, policy: str) -> str:
    """What is wrong with the policy that a stranger gets; empty when nothing is. Line ends may be LF or CRLF."""
    if fetched.error:
        return fetched.error
    if fetched.status != 200:
        return f"HTTP status {fetched.status}"
    if fetched.content_type.partition(";")[0].strip().lower() != "text/plain":
        return f"Content-Type {fetched.content_type or 'is missing'}"
    if fetched.body.split() != policy.split():
        return "another policy: " + "; ".join(fetched.body.split("\n")).replace("\r", "").strip(
            "; "
        )
    return ""


def covers(policy: str, host: str) -> bool:
    """Whether an ``mx:`` line of the policy allows the host; a wildcard stands for exactly one label (RFC 8461 section 4.1)."""
    _fields, patterns = mta_sts_policy(policy)
    return any(
        pattern == host or (pattern.startswith("*.") and host.partition(".")[2] == pattern[2:])
        for pattern in patterns
    )
