# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether mail can leave by the ways that the generation names: relays, and addresses of tenants.

PRIVATE to the collection. Runs on the host, sends no message; standard library only. The host asks
itself: it has the relays' passwords, and its own way to them.
"""

from __future__ import annotations

import os
import re
import smtplib
import socket
import ssl
import typing as t

PASSWORDS = "/etc/postfix/relay_passwords"
PATIENCE = 10.0
"""Seconds for each answer of a relay."""

_RELAY = re.compile(r"(relay-[a-z0-9-]+):\[([^\]]+)\]:([0-9]+)")
_OUTBOUND = re.compile(r"(out-[0-9a-f-]+):")
_BIND = ("smtp_bind_address", "smtp_bind_address6")

Login = t.Optional[t.Tuple[str, str]]
"""A user name and a password; None to use no login."""


def ways(run: t.Callable[[list[str]], tuple[int, str, str]], root: str) -> list[dict[str, str]]:
    """Return each way that a tenant's mail takes, but directly: ``kind``, ``name`` and ``error``.

    ``kind`` is relay or address. ``error`` says why mail cannot leave, and is empty if it can.
    """
    found = _in_use(os.path.join(root, "current", "postfix", "sender_transport_maps"))
    if not found:
        return []
    _code, output, _errors = run(["postconf", "-P"])
    settings = dict(line.split(" =", 1) for line in output.splitlines() if " =" in line)
    logins = _logins(PASSWORDS)
    rows: list[dict[str, str]] = []
    for value in sorted(found):
        relay, outbound = _RELAY.fullmatch(value), _OUTBOUND.fullmatch(value)
        if relay:
            rows.append(_relay(relay[1], relay[2], int(relay[3]), settings, logins))
        elif outbound:
            rows += _addresses(outbound[1], settings)
    return rows


def _in_use(path: str) -> set[str]:
    """Return the transports that senders have, without those that send directly."""
    try:
        with open(path, encoding="utf-8") as lines:
            values = {line.rstrip("\n").partition("\t")[2] for line in lines}
    except OSError:
        return set()
    return values - {"smtp:", ""}


def _logins(path: str) -> dict[str, tuple[str, str]]:
    """Return user name and password of each relay."""
    try:
        with open(path, encoding="utf-8") as lines:
            pairs = [line.rstrip("\n").partition(" ")[::2] for line in lines]
    except OSError:
        return {}
    logins = {name: login.partition(":") for name, login in pairs}
    return {name: (user, word) for name, (user, colon, word) in logins.items() if colon}


def _relay(
    transport: str,
    host: str,
    port: int,
    settings: t.Mapping[str, str],
    logins: t.Mapping[str, tuple[str, str]],
) -> dict[str, str]:
    """Return the row of a relay."""
    row = {"kind": "relay", "name": f"{host}:{port}", "error": ""}
    name = transport.partition("-")[2]
    if f"{transport}/unix/smtp_tls_security_level" not in settings:
        return {**row, "error": f"Postfix has no transport {transport}"}
    needs = settings.get(f"{transport}/unix/smtp_sasl_auth_enable", "").strip() == "yes"
    if needs and name not in logins:
        return {**row, "error": f"{PASSWORDS} has no password for it"}
    return {**row, "error": reach(host, port, logins[name] if needs else None)}


def reach(host: str, port: int, login: Login, context: t.Optional[ssl.SSLContext] = None) -> str:
    """Connect to a relay, use verified TLS and log in; return why it failed, or an empty text.

    The first address that answers counts, as for Postfix. No text has the password.
    """
    context = context or ssl.create_default_context()
    try:
        if port == 465:
            with smtplib.SMTP_SSL(host, port, timeout=PATIENCE, context=context) as secure:
                _log_in(secure, login)
            return ""
        with smtplib.SMTP(host, port, timeout=PATIENCE) as plain:
            plain.starttls(context=context)
            _log_in(plain, login)
    except ssl.SSLCertVerificationError as error:
        return f"its certificate is not accepted: {error.verify_message}"
    except smtplib.SMTPNotSupportedError as error:
        return str(error).lower()
    except smtplib.SMTPAuthenticationError as error:
        return f"it refuses the login: {error.smtp_code} {_text(error.smtp_error)}"
    except smtplib.SMTPResponseException as error:
        return f"it answers {error.smtp_code} {_text(error.smtp_error)}"
    except (OSError, smtplib.SMTPException) as error:
        return (getattr(error, "strerror", None) or str(error) or "no answer").lower()
    return ""


def _log_in(smtp: smtplib.SMTP, login: Login) -> None:
    """Greet, and log in if there is a login."""
    smtp.ehlo()
    if login:
        smtp.login(*login)


def _text(answer: t.Union[bytes, str]) -> str:
    """Return an answer of a server in one line."""
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return " ".join(text.split())[:200]


def _addresses(transport: str, settings: t.Mapping[str, str]) -> list[dict[str, str]]:
    """Return a row for each address from which a transport sends."""
    found = [settings.get(f"{transport}/unix/{name}", "").strip() for name in _BIND]
    addresses = [one for one in found if one]
    if not addresses:
        error = f"Postfix has no transport {transport}"
        return [{"kind": "address", "name": transport, "error": error}]
    return [{"kind": "address", "name": one, "error": bind(one)} for one in addresses]


def bind(address: str) -> str:
    """Return why the host cannot send from an address, or an empty text."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as connection:
            connection.bind((address, 0))
    except OSError as error:
        return (error.strerror or str(error)).lower()
    return ""
