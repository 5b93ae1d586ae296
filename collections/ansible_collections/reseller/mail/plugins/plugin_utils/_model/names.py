# SPDX-License-Identifier: GPL-3.0-or-later
"""Domain names and addresses: one spelling for each, and strict rules.

PRIVATE to the collection. Pure. Every reader returns the normal form, or raises ValueError and says
what is wrong. What it returns can be written unchanged into a Postfix table or a zone file.
"""

from __future__ import annotations

import functools
import re
import typing as t
import unicodedata
import urllib.parse

try:
    import idna
except ImportError as error:
    IDNA_IMPORT_ERROR: t.Optional[ImportError] = error
else:
    IDNA_IMPORT_ERROR = None

from .words import shown

MAX_DOMAIN = 253  # RFC 1035 section 2.3.4: 255 octets on the wire
# RFC 5321 section 4.5.3.1.3 allows 254 for an address, 64 of them before the @ and one for it
MAX_MAIL_DOMAIN = 189
MAX_SELECTOR = MAX_DOMAIN - MAX_MAIL_DOMAIN - len("._domainkey.")
"""So that <selector>._domainkey.<domain> fits into a name for every domain."""

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_OWNER_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_LOCAL = re.compile(r"(?=.{1,64}\Z)[a-z0-9][a-z0-9_-]*(?:\.[a-z0-9_-]+)*")
_TARGET_LOCAL = re.compile(r"(?=.{1,64}\Z)[a-z0-9_][a-z0-9_+=-]*(?:\.[a-z0-9_+=-]+)*")
# RFC 5321 section 4.1.2: a dot-string of atext (RFC 5322 section 3.2.3). Postfix takes no hyphen
# first (allow_min_user).
_ELSEWHERE_LOCAL = re.compile(
    r"(?=.{1,64}\Z)(?!-)[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
)
_WITH_A_LABELS = re.compile(r"(?<![\w/.-])(?:[a-z0-9-]+\.)*xn--[a-z0-9-]+(?:\.[a-z0-9-]+)+")
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")


# Owners and domains repeat: the cache saves two thirds of the time of reading them.
@functools.lru_cache(maxsize=2**14)
def domain(text: str, limit: int = MAX_DOMAIN, pattern: re.Pattern[str] = _LABEL) -> str:
    """Return a domain name as lower-case A-labels without a trailing dot.

    ``limit`` is the largest number of characters, ``pattern`` that of each label.
    """
    plain = text[:-1] if text.endswith(".") else text
    if ".." in f".{text}":
        raise ValueError(
            f"{shown(text)} is not a domain name: there is no label before one of its dots"
        )
    labels = [_label(label, text, pattern) for label in plain.split(".")] if plain else []
    name = ".".join(labels)
    if len(labels) < 2:
        raise ValueError(f"{shown(text)} is not a complete domain name")
    if labels[-1].isdigit():
        raise ValueError(f"{shown(text)} ends like an IP address, not like a domain name")
    if len(name) > limit:
        raise ValueError(f"{shown(text)} is longer than {limit} characters")
    return name


def _label(label: str, text: str, pattern: re.Pattern[str]) -> str:
    """Return a label of a name as lower-case A-label; ``text`` is the name for messages."""
    lower = label.lower()
    if not lower.isascii():
        lower = _a_label(lower, text)
    if not pattern.fullmatch(lower):
        raise ValueError(
            f"{shown(text)} is not a domain name: {shown(label)} cannot be a part of one"
        )
    if lower.startswith("xn--"):
        if not _is_a_label(lower):
            raise ValueError(
                f"{shown(text)} is not a domain name: {shown(label)} is not a valid A-label"
            )
    elif lower[2:4] == "--":
        # RFC 5891 section 4.2.3.1: reserved for labels with a special meaning.
        raise ValueError(
            f"{shown(text)} is not a domain name: {shown(label)} has two hyphens in the third place"
        )
    return lower


def _is_a_label(label: str) -> bool:
    try:
        return bool(_idna().encode(_idna().ulabel(label)) == label.encode("ascii"))
    except _idna().IDNAError:
        return False


def _a_label(label: str, text: str) -> str:
    """Return the A-label of IDNA 2008 (RFC 5891) after the mapping of browsers.

    The mapping is UTS 46, not transitional.
    """
    # Its A-label would be longer still, and making it takes time with the square of the length.
    if len(label) > 63:
        raise ValueError(
            f"{shown(text)} is not a domain name: {shown(label)} is longer than 63 characters"
        )
    try:
        return str(_idna().encode(label, uts46=True, std3_rules=True).decode("ascii"))
    except _idna().IDNAError:
        raise ValueError(
            f"{shown(text)} is not a domain name: {shown(label)} has no A-label"
        ) from None


def _idna() -> t.Any:
    if IDNA_IMPORT_ERROR is not None:
        raise ImportError(
            "names beyond ASCII need the Python package idna on the controller"
        ) from IDNA_IMPORT_ERROR
    return idna


def _in_labels(text: str) -> bool:
    return all(char == "-" or unicodedata.category(char)[0] in "LMN" for char in text)


def mail_domain(text: str) -> str:
    """Return a domain name that leaves room for every local part before it."""
    return domain(text, MAX_MAIL_DOMAIN)


def owner_name(text: str) -> str:
    """Return a name of DNS records, which can have underscores (RFC 8552): _spf.example.com."""
    return domain(text, pattern=_OWNER_LABEL)


@functools.lru_cache(maxsize=2**14)
def local_part(text: str) -> str:
    """Return the name of a mailbox, alias or sender address.

    It cannot have a ``+``, which is the recipient delimiter.
    """
    return _local(text, _LOCAL)


def _local(text: str, pattern: re.Pattern[str]) -> str:
    name = text.lower()
    if not text.isascii() or not pattern.fullmatch(name):  # the Kelvin sign's lower case is k
        raise ValueError(f"{shown(text)} cannot be the part before an @")
    return name


@functools.lru_cache(maxsize=2**14)
def address(text: str) -> str:
    """Return a complete address of any provider.

    The local part can be all that RFC 5321 allows without quotes.
    """
    local, at, host = text.rpartition("@")
    if not at or not local:
        raise ValueError(f"{shown(text)} is not an address")
    return f"{_local(local, _ELSEWHERE_LOCAL)}@{mail_domain(host)}"


def mailto(name: str) -> str:
    """Return an address as a URI (RFC 6068 section 2).

    A comma or ! is escaped, because it would end the URI in the list of DMARC (RFC 9989 section
    4.7).
    """
    local, _at, host = name.rpartition("@")
    plain_there = urllib.parse.quote(local, safe="$'*+")
    return f"mailto:{plain_there}@{host}"


@functools.lru_cache(maxsize=2**14)
def recipient(text: str) -> str:
    """Return a complete address, or the local part of one in the same domain."""
    return address(text) if "@" in text else _local(text, _TARGET_LOCAL)


def slug(text: str) -> str:
    """Return the name of a tenant, node or plan.

    It can also be a folder, a host of the inventory and a DNS label.
    """
    if not _SLUG.fullmatch(text):
        raise ValueError(f"{shown(text)} is not a name")
    return text


def without_extension(name: str) -> str:
    """Return an address without its plus extension: jo+lists@x -> jo@x."""
    local, at, host = name.rpartition("@")
    return f"{local.partition('+')[0]}@{host}" if at and "+" in local else name


def is_in(name: str, domain: str) -> bool:
    """Return whether a name is the domain or is below it."""
    return name == domain or name.endswith(f".{domain}")


def nearest(name: str, domains: t.Container[str]) -> t.Optional[str]:
    """Return the nearest of the domains above a name; None if there is none."""
    while name:
        name = name.partition(".")[2]
        if name in domains:
            return name
    return None


def spoken(text: str) -> str:
    """Return a text with U-labels after each name and address in A-labels.

    Example: xn--bcher-kva.example (bücher.example).
    """
    return _WITH_A_LABELS.sub(_with_u_labels, text) if "xn--" in text else text


def typed(name: str) -> frozenset[str]:
    """Return the forms in which people and programs write a domain, for code that compares bytes.

    ASCII letters are in lower case. An IDN is written in A-labels or U-labels (RFC 5890). U-labels
    are composed or decomposed (NFC and NFD of Unicode), in lower case, in upper case, or with
    capital first letters. A form that is also another domain is left out: the upper case of a
    dotless i is an I.
    """
    forms = {name}
    if "xn--" in name:
        labels = [
            label[4:].encode("ascii").decode("punycode") if label.startswith("xn--") else label
            for label in name.split(".")
        ]
        for cased in (
            labels,
            [_upper(label) for label in labels],
            [_upper(label[:1]) + label[1:] for label in labels],
        ):
            forms |= {
                _ascii_lower(unicodedata.normalize(form, ".".join(cased)))
                for form in ("NFC", "NFD")
            }
    return frozenset(form for form in forms if domain(form) == name)


def _upper(text: str) -> str:
    # For ß Python's upper case is SS, which is another name.
    return "".join("ẞ" if char == "ß" else char.upper() for char in text)


def _ascii_lower(text: str) -> str:
    return "".join(char.lower() if char.isascii() else char for char in text)


def _with_u_labels(found: re.Match[str]) -> str:
    name = found.group()
    try:
        labels = [
            label[4:].encode("ascii").decode("punycode") if label.startswith("xn--") else label
            for label in name.split(".")
        ]
    except ValueError:
        return name
    # A name with characters that could be confused with others is not shown in U-labels.
    return (
        f"{name} ({'.'.join(labels)})"
        if all(_in_labels(label) for label in labels if not label.isascii())
        else name
    )
