# SPDX-License-Identifier: GPL-3.0-or-later
"""Domain names and addresses: one spelling for each, and a strict idea of what may be one.

PRIVATE to the collection. Pure. Every reader returns the normal form or raises ValueError saying what is wrong;
whatever passes here may be written into a Postfix table or a zone file as it stands.
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

from ansible_collections.reseller.mail.plugins.module_utils._nodes import shown

MAX_DOMAIN = 253  # RFC 1035 section 2.3.4: 255 octets on the wire
MAX_MAIL_DOMAIN = 189  # RFC 5321 section 4.5.3.1.3 allows 254 for an address, 64 of them before the @ and one for it
MAX_SELECTOR = MAX_DOMAIN - MAX_MAIL_DOMAIN - len("._domainkey.")
"""So that <selector>._domainkey.<domain> is a name, whatever the domain."""

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_OWNER_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_LOCAL = re.compile(r"(?=.{1,64}\Z)[a-z0-9][a-z0-9_-]*(?:\.[a-z0-9_-]+)*")
_TARGET_LOCAL = re.compile(r"(?=.{1,64}\Z)[a-z0-9_][a-z0-9_+=-]*(?:\.[a-z0-9_+=-]+)*")
# RFC 5321 section 4.1.2: a dot-string of atext (RFC 5322 section 3.2.3). Postfix takes no hyphen first (allow_min_user).
_ELSEWHERE_LOCAL = re.compile(
    r"(?=.{1,64}\Z)(?!-)[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
)
_WITH_A_LABELS = re.compile(r"(?<![\w/.-])(?:[a-z0-9-]+\.)*xn--[a-z0-9-]+(?:\.[a-z0-9-]+)+")
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")


@functools.lru_cache(
    maxsize=2**14
)  # owners and domains repeat: a third of the time of reading them
def domain(text: str, limit: int = MAX_DOMAIN, pattern: re.Pattern[str] = _LABEL) -> str:
    """A domain name as lower-case A-labels without a trailing dot."""
    plain = text[:-1] if text.endswith(".") else text
    if ".." in f".{text}":
        raise ValueError(
            f"{shown(text)} is not a domain name: no label stands before one of its dots"
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
                f"{shown(text)} is not a domain name: {shown(label)} is no valid A-label"
            )
    elif lower[2:4] == "--":
        # RFC 5891 section 4.2.3.1: kept for labels with a special meaning
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
    """Return the A-label of IDNA 2008 (RFC 5891), after the mapping that browsers make (UTS 46, not transitional)."""
    if len(label) > 63:  # its A-label is longer still, and making it takes the square of the length
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
    """A domain short enough that every address in it fits."""
    return domain(text, MAX_MAIL_DOMAIN)


def owner_name(text: str) -> str:
    """A name that owns records and need not be a host's: underscores are letters in it (RFC 8552), as in _spf.example.com."""
    return domain(text, pattern=_OWNER_LABEL)


def local_part(text: str) -> str:
    """The name of a mailbox, alias or sender address. No ``+``: it is the recipient delimiter."""
    return _local(text, _LOCAL)


def _local(text: str, pattern: re.Pattern[str]) -> str:
    name = text.lower()
    if not text.isascii() or not pattern.fullmatch(name):  # the Kelvin sign's lower case is k
        raise ValueError(f"{shown(text)} cannot stand before an @")
    return name


@functools.lru_cache(maxsize=2**14)
def address(text: str) -> str:
    """A complete address, somebody's anywhere: what stands before the @ may be whatever RFC 5321 allows without quotes."""
    local, at, host = text.rpartition("@")
    if not at or not local:
        raise ValueError(f"{shown(text)} is not an address")
    return f"{_local(local, _ELSEWHERE_LOCAL)}@{mail_domain(host)}"


def mailto(name: str) -> str:
    """An address as a URI (RFC 6068 section 2). A comma or ! in one would end it in DMARC's list (RFC 9989 section 4.7)."""
    local, _at, host = name.rpartition("@")
    plain_there = urllib.parse.quote(local, safe="$'*+")
    return f"mailto:{plain_there}@{host}"


def recipient(text: str) -> str:
    """A complete address, or what stands before the @ of one in the same domain."""
    return address(text) if "@" in text else _local(text, _TARGET_LOCAL)


def slug(text: str) -> str:
    """The name of a tenant, node or plan: fit for a folder, a host of the inventory and a DNS label."""
    if not _SLUG.fullmatch(text):
        raise ValueError(f"{shown(text)} is not a name")
    return text


def without_extension(name: str) -> str:
    """An address without its plus extension: jo+lists@x -> jo@x."""
    local, at, host = name.rpartition("@")
    return f"{local.partition('+')[0]}@{host}" if at and "+" in local else name


def is_in(name: str, domain: str) -> bool:
    """Return whether a name is a domain or lies below it."""
    return name == domain or name.endswith(f".{domain}")


def nearest(name: str, domains: t.Container[str]) -> t.Optional[str]:
    """The domain that a name lies below, the closest of them; None when there is none."""
    while name:
        name = name.partition(".")[2]
        if name in domains:
            return name
    return None


def spoken(text: str) -> str:
    """A text with the U-labels behind the A-labeled names and addresses in it: xn--bcher-kva.example (bücher.example)."""
    return _WITH_A_LABELS.sub(_with_u_labels, text) if "xn--" in text else text


def typed(name: str) -> frozenset[str]:
    """Return the forms in which people and programs write a domain, ASCII letters in lower case: for what compares bytes.

    An IDN is written in A-labels or U-labels (RFC 5890), these composed or decomposed (Unicode's NFC and NFD), in lower case, in upper
    case, or with capital first letters. No form is given that another domain has: the upper case of a dotless i is an I.
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
    # Letter by letter: Python's upper case of ß is SS, which is another name.
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
    # What a reader could not tell from something else stays as it is.
    return (
        f"{name} ({'.'.join(labels)})"
        if all(_in_labels(label) for label in labels if not label.isascii())
        else name
    )
