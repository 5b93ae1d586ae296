# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of single values: which texts each kind accepts, and the value of each text.

PRIVATE to the collection. Pure. A reader gets the text as it is written and returns the value. It
raises ValueError with what is wrong; ``allowed`` completes the fault.
"""

from __future__ import annotations

import base64
import datetime
import decimal
import functools
import ipaddress
import re
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.reseller.mail.plugins.module_utils._host import hashes

from .._model import mx, names
from .._model.sizes import UNITS
from .._model.spam import NEVER, is_network, tenths
from .._model.values import Limit
from .._model.words import meant, shown

LANGUAGES = (1,)
"""The versions of the language that this version of the collection reads, oldest first.

docs/language.md has the rule: a change after which files mean something else needs a new one.
"""
MAX_NUMBER = 2**63 - 1
MAX_SIEVE = 64 * 2**10


@dataclass(frozen=True, slots=True)
class Scalar:
    """One kind of single value: what it accepts, in words and as a reader.

    Attributes:
        allowed: What is accepted, for messages and pages.
        read: Returns the value of a text, or raises ValueError.
        secret: Whether values may be vaulted. They are never shown.
        words: All accepted words, if there are few.
        also: Other words for some of them.
        least: The smallest value of a whole number; None for other kinds.
        most: The largest value of a whole number; None for other kinds.
        pattern: A regular expression that the whole text must match; empty for other kinds.
    """

    allowed: str
    read: t.Callable[[str], t.Any]
    secret: bool = False
    words: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    least: t.Optional[int] = None
    most: t.Optional[int] = None
    pattern: str = ""


def _text(text: str) -> str:
    """Return a text of one line."""
    if not text.strip() or len(text) > 200 or not text.isprintable():
        raise ValueError(f"{shown(text)} cannot be used as a text")
    return text


def _number(text: str) -> int:
    """Return a whole number of at most 63 bits."""
    if not re.fullmatch(r"0|[1-9][0-9]*", text):
        raise ValueError(f"{shown(text)} is not a whole number")
    if len(text) > 19 or int(text) > MAX_NUMBER:
        raise ValueError(f"{shown(text)} is too large a number")
    return int(text)


def _language(text: str) -> int:
    """Return the version of the language of the files."""
    if text not in map(str, LANGUAGES):
        raise ValueError(
            f"the installed version of reseller.mail does not know version {shown(text)} of the"
            " language: install the version of reseller.mail that the files are for"
            " (docs/language.md#versions-of-the-language)"
        )
    return int(text)


def _limit(text: str) -> Limit:
    """Return a limit; None is unlimited."""
    if text == "unlimited":
        return None
    if text in ("-1", "none"):
        raise ValueError(f"{shown(text)} does not mean unlimited here")
    return _number(text)


@functools.lru_cache(maxsize=2**12)
def _size(text: str) -> Limit:
    """Return a size in bytes; None is unlimited."""
    if text == "unlimited":
        return None
    found = re.fullmatch(r"([1-9][0-9]{0,18})([BKMGT])", text)
    if text != "0" and not found:
        raise ValueError(f"{shown(text)} is not a size")
    size = int(found.group(1)) * UNITS[found.group(2)] if found else 0
    if size > MAX_NUMBER:
        raise ValueError(f"{shown(text)} is larger than any disk")
    return size


def _positive_size(text: str) -> int:
    """Return a size in bytes that is above 0 and limited."""
    size = _size(text)
    if not size:
        raise ValueError(f"{shown(text)} is not a limited size above 0")
    return size


def _quota(text: str) -> Limit:
    """Return the size of a mailbox in bytes; None is unlimited."""
    if text == "0":  # Dovecot reads it as unlimited
        raise ValueError("a mailbox of size 0 cannot hold mail")
    return _size(text)


def _truth(text: str) -> bool:
    """Return a truth value."""
    if text not in ("true", "false"):
        raise ValueError(f"{shown(text)} is neither true nor false")
    return text == "true"


def _ip(text: str) -> str:
    """Return an IP address in its normal form."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise ValueError(f"{shown(text)} is not an IP address") from None
    if getattr(address, "scope_id", None):
        raise ValueError(f"{shown(text)} is an address of a single link")
    return str(address)


def _hash(text: str) -> str:
    """Return a password hash of an accepted scheme."""
    # Without a scheme the text could be a password, which must not be in a file.
    if not text.startswith("{"):
        raise ValueError("this is neither vaulted nor a hash")
    if hashes.canonical(text) != text:
        raise ValueError("the scheme of this hash is not written in capital letters")
    return text


def _digest(text: str) -> str:
    """Return a SHA-256 in hexadecimal digits."""
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise ValueError(f"{shown(text)} is not a SHA-256 in hexadecimal digits")
    return text


def _public_key(text: str) -> str:
    """Return a public key in base64."""
    try:
        base64.b64decode(text, validate=True)
    except ValueError:
        text = ""
    if not 40 <= len(text) <= 4000:
        raise ValueError("this is not a public key")
    return text


def _url(text: str) -> str:
    """Return an https:// address."""
    # Characters that could end a header, an attribute or a JSON string early are refused.
    if len(text) > 300 or not re.fullmatch(
        r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~!$&()*+,;=:@%/?#-]*)?", text
    ):
        raise ValueError(f"{shown(text)} is not a usable https:// address")
    names.domain(text[8:].partition("/")[0].partition(":")[0])
    return text


def _date(text: str) -> datetime.date:
    """Return a date."""
    try:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            raise ValueError
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{shown(text)} is not a date") from None


def _decimal(text: str, places: int) -> decimal.Decimal:
    """Return a decimal number below 10^9, with at most so many places."""
    if not re.fullmatch(rf"(0|[1-9][0-9]{{0,8}})(\.[0-9]{{1,{places}}})?", text):
        raise ValueError(f"{shown(text)} is not a decimal number")
    return decimal.Decimal(text)


def _ratio(text: str) -> decimal.Decimal:
    """Return a ratio above 0, at most 100."""
    ratio = _decimal(text, 2)
    if not 0 < ratio <= 100:
        raise ValueError(f"{shown(text)} is not a ratio")
    return ratio


def _subject(text: str) -> str:
    """Return the name of a tenant, a domain or the address of a mailbox."""
    if "@" in text:
        return names.address(text)
    return names.mail_domain(text) if "." in text else names.slug(text)


def _certificate(text: str) -> str:
    """Return a certificate in PEM that ends with a line break."""
    body = re.fullmatch(
        r"\s*-----BEGIN CERTIFICATE-----\n([A-Za-z0-9+/=\n]+)-----END CERTIFICATE-----\s*", text
    )
    if "PRIVATE KEY" in text:
        raise ValueError("this is a private key, which must stay secret")
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
    """Return a Sieve script."""
    if len(text.encode()) > MAX_SIEVE:
        raise ValueError(f"this script has more than {MAX_SIEVE:,} bytes")
    if not text.strip() or not text.replace("\n", "").replace("\t", "").isprintable():
        raise ValueError("this is not a script of printable lines")
    return text


def _score(text: str) -> str:
    """Return a score without a needless zero at its end, or the word for no score."""
    if text == NEVER:
        return text
    if not re.fullmatch(r"(?:0|[1-9][0-9]{0,2})(?:\.[0-9])?", text) or not tenths(text):
        raise ValueError(f"{shown(text)} is not a score")
    return text.removesuffix(".0")


def _sender(text: str) -> str:
    """Return the address of a sender, a domain, or a domain with a dot before it."""
    if "@" in text:
        return names.address(text)
    return f".{names.domain(text[1:])}" if text.startswith(".") else names.domain(text)


def _sender_or_network(text: str) -> str:
    """Return a sender, or a network in its normal form."""
    if not is_network(text):
        return _sender(text)
    try:
        return str(ipaddress.ip_network(text))
    except ValueError:
        raise ValueError(
            f"{shown(text)} is not a network, or it has bits behind its prefix"
        ) from None


def renamed(kind: Scalar, **others: str) -> Scalar:
    """Return the kind, which then also accepts other words for some of its values."""
    return Scalar(
        kind.allowed,
        lambda text: kind.read(others.get(text, text)),
        words=kind.words,
        also=tuple(others),
    )


def choice(*words: str) -> Scalar:
    """Return the kind that accepts these words."""

    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"{shown(text)} is not an allowed word{meant(text, words)}")
        return text

    return Scalar(", ".join(words), read, words=words)


def whole(least: int, most: int, what: str, unit: str = "") -> Scalar:
    """Return the kind that accepts whole numbers from ``least`` to ``most``. ``what`` names one."""

    def read(text: str) -> int:
        number = _number(text)
        if not least <= number <= most:
            raise ValueError(f"{shown(text)} is not {what}")
        return number

    return Scalar(f"{least} to {most} {unit}".rstrip(), read, least=least, most=most)


def matching(pattern: str, what: str, allowed: str) -> Scalar:
    """Return the kind that accepts texts which match the pattern. ``what`` names one."""

    def read(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"{shown(text)} is not {what}")
        return text

    return Scalar(allowed, read, pattern=pattern)


TEXT = Scalar("1 to 200 printable characters in one line", _text)
SLUG = Scalar("1 to 32 of a-z, 0-9 and hyphens, neither first nor last a hyphen", names.slug)
DOMAIN = Scalar("a domain name such as acme.example", names.domain)
OWNER_NAME = Scalar("a name in DNS such as _spf.acme.example", names.owner_name)
MAIL_DOMAIN = Scalar(
    f"a domain name such as acme.example, at most {names.MAX_MAIL_DOMAIN} characters",
    names.mail_domain,
)
LOCAL = Scalar(
    "1 to 64 of a-z, 0-9, dot, hyphen and underscore, beginning with a letter or digit",
    names.local_part,
)
ADDRESS = Scalar("an address such as jo@acme.example", names.address)
RECIPIENT = Scalar(
    "an address such as jo@acme.example, or jo for one in the same domain", names.recipient
)
SUBJECT = Scalar(
    "the name of the tenant, a domain such as acme.example, or an address such as jo@acme.example",
    _subject,
)
PROFILE = matching(
    "[a-z][a-z0-9_]{0,31}",
    "the name of a profile",
    "1 to 32 of a-z, 0-9 and underscores, beginning with a letter",
)
REPLY = matching(
    "[!-~](?:[ -~]{0,148}[!-~])?",
    "a reply to senders",
    "1 to 150 printable ASCII characters in one line",
)
LIMIT = Scalar("a whole number (0 allows none) or unlimited", _limit)
POOL = Scalar(
    "a size such as 500M or 20G (units B, K, M, G, T; 1K is 1024B), 0 or unlimited", _size
)
QUOTA = Scalar("a size such as 500M or 20G (units B, K, M, G, T; 1K is 1024B) or unlimited", _quota)
SIZE = Scalar("a size such as 500M or 20G (units B, K, M, G, T; 1K is 1024B)", _positive_size)
IP = Scalar("an IPv4 or IPv6 address", _ip)
TRUTH = Scalar("true or false", _truth)
PORT = whole(1, 65535, "a port")
MAX_AGE = whole(86400, 31557600, "an allowed max_age", "seconds (RFC 8461 section 3.2)")
PASSWORD = Scalar(
    f"a value encrypted with ansible-vault (!vault), or {hashes.ALLOWED}", _hash, secret=True
)
USERNAME = matching(
    "[!-9;-~]{1,255}", "a user name", "1 to 255 printable ASCII characters without space and colon"
)
PUBLIC_KEY = Scalar("base64, as in the p= tag of RFC 6376", _public_key)
DIGEST = Scalar("64 hexadecimal digits, the SHA-256 of a public key", _digest)
LANGUAGE = Scalar(", ".join(map(str, LANGUAGES)), _language, words=tuple(map(str, LANGUAGES)))
DEBIAN = Scalar("12 or 13", lambda text: int(choice("12", "13").read(text)), words=("12", "13"))
URL = Scalar("an address that begins with https://", _url)
SELECTOR = matching(
    f"(?=.{{1,{names.MAX_SELECTOR}}}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?",
    "a selector",
    f"a DKIM selector such as mx1-2, at most {names.MAX_SELECTOR} characters",
)
TIMESTAMP = matching(
    "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z",
    "a time in UTC",
    "a time such as 2026-03-31T09:30:00Z",
)
DATE = Scalar("a date such as 2026-03-31", _date)
MONEY = Scalar("an amount such as 4.90, at most four decimals", lambda text: _decimal(text, 4))
RATIO = Scalar("a ratio such as 1.5, above 0 and at most 100", _ratio)
PERCENT = whole(0, 100, "a percentage")
PRIORITY = whole(mx.PRIORITY + 1, 65535, f"a preference above {mx.PRIORITY}, that of the nodes")
SCORE = Scalar("a score from 0.1 to 999.9, at most one decimal, or never", _score)
SENDER = Scalar(
    "an address such as jo@shop.example, a domain such as shop.example, or .shop.example for the"
    " domain and all below it",
    _sender,
)
SENDER_OR_NETWORK = Scalar(
    "an address such as jo@shop.example, a domain such as shop.example, .shop.example for the"
    " domain and all below it, or a network such as 192.0.2.0/24",
    _sender_or_network,
)
COUNT = replace(whole(1, 10**9, "a number above 0"), allowed="a whole number from 1")
DAYS = whole(1, 3650, "an allowed number of days", "days")
EVIDENCE_DAYS = whole(1, 45, "an allowed number of days: evidence is kept for 60 days", "days")
COLOUR = matching("#[0-9a-f]{6}", "a colour", "a colour such as '#1a6b3c' (in quotes)")
LOCALE = matching("[a-z]{2,3}(?:-[A-Z]{2})?", "a language", "a language such as en, de or fr-CH")
CURRENCY = matching("[A-Z]{3}", "a currency", "a currency such as EUR (ISO 4217)")
CERTIFICATE = Scalar("one certificate in PEM, as a block (certificate: |)", _certificate)
SIEVE = Scalar("a Sieve script of at most 64 KiB, as a block (sieve: |)", _sieve)
LINES = (CERTIFICATE, SIEVE)
"""The kinds whose values have several lines."""
