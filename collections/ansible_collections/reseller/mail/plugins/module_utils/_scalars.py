# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of single values: what each takes, and how it is said.

PRIVATE to the collection. Pure. A reader gets the text as written and returns the value, or raises ValueError saying
what is wrong; ``allowed`` completes the fault.
"""

from __future__ import annotations

import base64
import datetime
import decimal
import ipaddress
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.reseller.mail.plugins.module_utils import _hashes, _names
from ansible_collections.reseller.mail.plugins.module_utils._model.values import Limit
from ansible_collections.reseller.mail.plugins.module_utils._nodes import meant, shown
from ansible_collections.reseller.mail.plugins.module_utils._sizes import UNITS

MAX_NUMBER = 2**63 - 1
MAX_SIEVE = 64 * 2**10


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value. ``secret`` ones may be vaulted and are never shown."""

    allowed: str
    read: t.Callable[[str], t.Any]
    secret: bool = False
    words: tuple[str, ...] = ()
    """All that it takes, where those are few."""
    also: tuple[str, ...] = ()
    """Other words for some of them."""


def _text(text: str) -> str:
    if not text.strip() or len(text) > 200 or not text.isprintable():
        raise ValueError(f"{shown(text)} cannot be used as a text")
    return text


def _number(text: str) -> int:
    if not re.fullmatch(r"0|[1-9][0-9]*", text):
        raise ValueError(f"{shown(text)} is not a whole number")
    if len(text) > 19 or int(text) > MAX_NUMBER:
        raise ValueError(f"{shown(text)} is too large a number")
    return int(text)


def _limit(text: str) -> Limit:
    if text == "unlimited":
        return None
    if text in ("-1", "none"):
        raise ValueError(f"{shown(text)} is not how a missing limit is written here")
    return _number(text)


def _size(text: str) -> Limit:
    if text == "unlimited":
        return None
    found = re.fullmatch(r"([1-9][0-9]{0,18})([BKMGT])", text)
    if text != "0" and not found:
        raise ValueError(f"{shown(text)} is not a size")
    size = int(found.group(1)) * UNITS[found.group(2)] if found else 0
    if size > MAX_NUMBER:
        raise ValueError(f"{shown(text)} is more than any disk holds")
    return size


def _one_size(text: str) -> int:
    size = _size(text)
    if not size:
        raise ValueError(f"{shown(text)} is not a size above 0 with an end")
    return size


def _quota(text: str) -> Limit:
    if text == "0":  # Dovecot would take it for unlimited
        raise ValueError("a mailbox of size 0 could hold no mail")
    return _size(text)


def _port(text: str) -> int:
    port = _number(text)
    if not 1 <= port <= 65535:
        raise ValueError(f"{shown(text)} is not a port")
    return port


def _max_age(text: str) -> int:
    seconds = _number(text)
    if not 86400 <= seconds <= 31557600:
        raise ValueError(f"{shown(text)} is not a fit max_age")
    return seconds


def _truth(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(f"{shown(text)} is neither true nor false")
    return text == "true"


def _ip(text: str) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise ValueError(f"{shown(text)} is not an IP address") from None
    if getattr(address, "scope_id", None):
        raise ValueError(f"{shown(text)} is an address of one link only")
    return str(address)


def _hash(text: str) -> str:
    if not text.startswith(
        "{"
    ):  # without a scheme it could be a password, which must not stand in a file
        raise ValueError("this is neither vaulted nor a hash")
    if _hashes.canonical(text) != text:
        raise ValueError("the scheme of this hash is not written in capital letters")
    return text


def _digest(text: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise ValueError(f"{shown(text)} is not a SHA-256 in hexadecimal digits")
    return text


def _public_key(text: str) -> str:
    try:
        base64.b64decode(text, validate=True)
    except ValueError:
        text = ""
    if not 40 <= len(text) <= 4000:
        raise ValueError("this is not a public key")
    return text


def _url(text: str) -> str:
    # What ends a header, an attribute or a JSON string early has no place in it.
    if len(text) > 300 or not re.fullmatch(
        r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~!$&()*+,;=:@%/?#-]*)?", text
    ):
        raise ValueError(f"{shown(text)} is no https:// address that can be used here")
    _names.domain(text[8:].partition("/")[0].partition(":")[0])
    return text


def _date(text: str) -> datetime.date:
    try:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            raise ValueError
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{shown(text)} is not a date") from None


def _decimal(text: str, places: int) -> decimal.Decimal:
    if not re.fullmatch(rf"(0|[1-9][0-9]{{0,8}})(\.[0-9]{{1,{places}}})?", text):
        raise ValueError(f"{shown(text)} is not a decimal number")
    return decimal.Decimal(text)


def _ratio(text: str) -> decimal.Decimal:
    ratio = _decimal(text, 2)
    if not 0 < ratio <= 100:
        raise ValueError(f"{shown(text)} is not a ratio")
    return ratio


def _whole(text: str, least: int, most: int, what: str) -> int:
    number = _number(text)
    if not least <= number <= most:
        raise ValueError(f"{shown(text)} is not {what}")
    return number


def _matching(text: str, pattern: str, what: str) -> str:
    if not re.fullmatch(pattern, text):
        raise ValueError(f"{shown(text)} is not {what}")
    return text


def _certificate(text: str) -> str:
    body = re.fullmatch(
        r"\s*-----BEGIN CERTIFICATE-----\n([A-Za-z0-9+/=\n]+)-----END CERTIFICATE-----\s*", text
    )
    if "PRIVATE KEY" in text:
        raise ValueError("this is a private key, which nobody may give away")
    try:
        # DER: a SEQUENCE whose length takes two octets
        if (
            body is None
            or len(text) > 16384
            or not base64.b64decode(body.group(1).replace("\n", ""), validate=True).startswith(
                b"\x30\x82"
            )
        ):
            raise ValueError
    except ValueError:
        raise ValueError("this is not one certificate in PEM") from None
    return text.strip() + "\n"


def _sieve(text: str) -> str:
    if len(text.encode()) > MAX_SIEVE:
        raise ValueError(f"this script has more than {MAX_SIEVE:,} bytes")
    if not text.strip() or not text.replace("\n", "").replace("\t", "").isprintable():
        raise ValueError("this is not a script: printable lines")
    return text


def renamed(kind: Scalar, **others: str) -> Scalar:
    """A kind that takes other words for some of its values."""
    return Scalar(
        kind.allowed,
        lambda text: kind.read(others.get(text, text)),
        words=kind.words,
        also=tuple(others),
    )


def choice(*words: str) -> Scalar:
    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"{shown(text)} is not known here{meant(text, words)}")
        return text

    return Scalar(", ".join(words), read, words=words)


TEXT = Scalar("1 to 200 printable characters in one line", _text)
SLUG = Scalar("1 to 32 of a-z, 0-9 and hyphens, neither first nor last a hyphen", _names.slug)
DOMAIN = Scalar("a domain name such as acme.example", _names.domain)
OWNER_NAME = Scalar("a name in DNS such as _spf.acme.example", _names.owner_name)
MAIL_DOMAIN = Scalar(
    f"a domain name such as acme.example, at most {_names.MAX_MAIL_DOMAIN} characters",
    _names.mail_domain,
)
LOCAL = Scalar(
    "1 to 64 of a-z, 0-9, dot, hyphen and underscore, beginning with a letter or digit",
    _names.local_part,
)
ADDRESS = Scalar("an address such as jo@acme.example", _names.address)
RECIPIENT = Scalar(
    "an address such as jo@acme.example, or jo for one in the same domain", _names.recipient
)
LIMIT = Scalar("a whole number (0 allows none) or unlimited", _limit)
POOL = Scalar(
    "a size such as 500M or 20G (units B, K, M, G, T; 1K is 1024B), 0 or unlimited", _size
)
QUOTA = Scalar("a size such as 500M or 20G (units B, K, M, G, T; 1K is 1024B) or unlimited", _quota)
SIZE = Scalar("a size such as 500M or 20G (units B, K, M, G, T; 1K is 1024B)", _one_size)
IP = Scalar("an IPv4 or IPv6 address", _ip)
TRUTH = Scalar("true or false", _truth)
PORT = Scalar("1 to 65535", _port)
MAX_AGE = Scalar("86400 to 31557600 seconds (RFC 8461 section 3.2)", _max_age)
PASSWORD = Scalar(
    f"a value encrypted with ansible-vault (!vault), or {_hashes.ALLOWED}", _hash, secret=True
)
PUBLIC_KEY = Scalar("base64, as in the p= tag of RFC 6376", _public_key)
DIGEST = Scalar("64 hexadecimal digits, the SHA-256 of a public key", _digest)
DEBIAN = Scalar("12 or 13", lambda text: int(choice("12", "13").read(text)), words=("12", "13"))
URL = Scalar("an address that begins with https://", _url)
SELECTOR = Scalar(
    f"a DKIM selector such as mx1-2, at most {_names.MAX_SELECTOR} characters",
    lambda text: _matching(
        text, f"(?=.{{1,{_names.MAX_SELECTOR}}}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?", "a selector"
    ),
)
MOMENT = Scalar(
    "a time such as 2026-03-31T09:30:00Z",
    lambda text: _matching(
        text, "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", "a time in UTC"
    ),
)
DATE = Scalar("a date such as 2026-03-31", _date)
MONEY = Scalar("an amount such as 4.90, at most four decimals", lambda text: _decimal(text, 4))
RATIO = Scalar("a ratio such as 1.5, above 0 and at most 100", _ratio)
PERCENT = Scalar("0 to 100", lambda text: _whole(text, 0, 100, "a percentage"))
PRIORITY = Scalar(
    "11 to 65535", lambda text: _whole(text, 11, 65535, "a preference behind the nodes' 10")
)
COUNT = Scalar("a whole number from 1", lambda text: _whole(text, 1, 10**9, "a number above 0"))
DAYS = Scalar("1 to 3650 days", lambda text: _whole(text, 1, 3650, "a fit number of days"))
EVIDENCE_DAYS = Scalar(
    "1 to 45 days",
    lambda text: _whole(text, 1, 45, "a fit number of days: evidence is kept for 60"),
)
COLOUR = Scalar(
    "a colour such as '#1a6b3c' (in quotes)",
    lambda text: _matching(text, "#[0-9a-f]{6}", "a colour"),
)
LOCALE = Scalar(
    "a language such as en, de or fr-CH",
    lambda text: _matching(text, "[a-z]{2,3}(-[A-Z]{2})?", "a language"),
)
CURRENCY = Scalar(
    "a currency such as EUR (ISO 4217)", lambda text: _matching(text, "[A-Z]{3}", "a currency")
)
CERTIFICATE = Scalar("one certificate in PEM, as a block (certificate: |)", _certificate)
SIEVE = Scalar("a Sieve script of at most 64 KiB, as a block (sieve: |)", _sieve)
LINES = (CERTIFICATE, SIEVE)
"""The kinds of more than one line."""
