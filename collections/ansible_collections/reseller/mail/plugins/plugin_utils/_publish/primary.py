# SPDX-License-Identifier: GPL-3.0-or-later
"""Describe the primary server, which accepts updates, and sign messages to it.

PRIVATE to the collection. Runs on the controller only (needs dnspython).
"""

from __future__ import annotations

import base64
import typing as t
from dataclasses import dataclass, field

try:
    import dns.exception
    import dns.name
    import dns.tsig
    import dns.tsigkeyring
except ImportError:  # Callers report `query.DNSPYTHON_IMPORT_ERROR`.
    pass

if t.TYPE_CHECKING:
    from .._dns.query import Server


class DnsFailure(Exception):
    """An error: a name server did not accept a message. The text is for users and has no secret.

    Attributes:
        everywhere: The cause is the TSIG key, so updates of other zones would fail, too.
        silent: The server did not answer. One large zone may be the cause.
    """

    def __init__(self, text: str, everywhere: bool = False, silent: bool = False) -> None:
        super().__init__(text)
        self.everywhere = everywhere
        self.silent = silent


@dataclass(frozen=True, slots=True)
class Primary:
    """The server that accepts updates, and the TSIG key for it.

    Attributes:
        server: The server.
        key_name: The name of the key. Updates are not signed without it.
        key_algorithm: The algorithm of the key.
        key_secret: The secret in base64.
        timeout: Seconds to wait for one answer.
    """

    server: Server
    key_name: str = ""
    key_algorithm: str = "hmac-sha256"
    key_secret: str = field(default="", repr=False)
    timeout: float = 10.0


def sign(message: t.Any, primary: Primary) -> None:
    """Sign a message with the primary server's key, if it has one (RFC 8945).

    Raise DnsFailure if the key's name or secret is not valid.
    """
    if primary.key_name:
        message.use_tsig(_keyring(primary), algorithm=dns.name.from_text(primary.key_algorithm))


def _keyring(primary: Primary) -> t.Any:
    """Return the key for the library. Raise DnsFailure if its name or secret is not valid."""
    try:
        base64.b64decode(primary.key_secret.encode("ascii"), validate=True)
    except ValueError:
        # Not `from exc`: the library's message may contain a part of the secret.
        raise DnsFailure(
            f"the secret of the TSIG key {primary.key_name} is not base64", everywhere=True
        ) from None
    try:
        return dns.tsigkeyring.from_text({primary.key_name: primary.key_secret})
    except (ValueError, dns.exception.DNSException):
        raise DnsFailure(
            f"{primary.key_name!r} cannot be the name of a TSIG key", everywhere=True
        ) from None


def about_key(error: Exception, primary: Primary) -> str:
    """Return why a server did not accept a signature, for users (RFC 8945 section 5.2)."""
    key = f"the TSIG key {primary.key_name}"
    if isinstance(error, dns.tsig.PeerBadKey):
        return f"it does not know {key} for {primary.key_algorithm}"
    if isinstance(error, dns.tsig.PeerBadSignature):
        return f"it has another secret for {key}"
    if isinstance(error, dns.tsig.PeerBadTime):
        return "its clock and the clock of this machine differ too much for TSIG"
    return f"{key} does not work: {error}"
