# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of password hashes that are accepted, and how much work one may cause.

PRIVATE to the collection. Pure; standard library only. The schema, the importers and the store use
this file, and so does ``mail-passwd``, which is installed on the host. The mail host verifies a
hash at every attempt to log in, with the cost that is written in the hash. Without a bound, one
row of a tenant could keep a processor busy for hours.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass


class UnfitHash(ValueError):
    """A hash that is not accepted. The message gives the reason and never has the hash."""


@dataclass(frozen=True)
class Cost:
    """A number in a hash that decides how much work the hash causes, and its bounds."""

    name: str
    least: int
    most: int
    mark: str
    """The text before the number, for SQL."""
    skip: int
    """How many characters after the beginning of the mark the number begins."""
    default: bool = False
    """Whether the number may be missing; then its default is harmless."""


@dataclass(frozen=True)
class Scheme:
    """A scheme of hashes, in the form of crypt(3) or of Argon2's reference implementation.

    The costs are named groups of the form.
    """

    name: str
    begins: str
    form: str
    costs: tuple[Cost, ...]


def _argon2(name: str, begins: str) -> Scheme:
    """Return a variant of Argon2."""
    form = (
        re.escape(begins)
        + r"v=19\$m=(?P<m>[0-9]{1,10}),t=(?P<t>[0-9]{1,10}),p=(?P<p>[0-9]{1,10})"
        + r"\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{16,86}"
    )
    # m is in KiB. Dovecot's own hashes have m=65536,t=3,p=1; common libraries write up to m=102400,
    # t=4 and p=8.
    costs = (Cost("m", 8, 131072, "$m=", 3), Cost("t", 1, 6, ",t=", 3), Cost("p", 1, 8, ",p=", 3))
    return Scheme(name, begins, form, costs)


SCHEMES = (
    _argon2("ARGON2ID", "$argon2id$"),
    _argon2("ARGON2I", "$argon2i$"),
    Scheme(
        "BLF-CRYPT",
        "$2",
        r"\$2[aby]\$(?P<cost>[0-9]{2})\$[./A-Za-z0-9]{53}",
        (Cost("cost", 4, 13, "$2", 4),),
    ),
    Scheme(
        "SHA512-CRYPT",
        "$6$",
        r"\$6\$(?:rounds=(?P<rounds>[0-9]{1,10})\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{86}",
        (Cost("rounds", 1000, 1_000_000, "$rounds=", 8, default=True),),
    ),
)
"""Other schemes are plain, unsalted or fast: who steals the store would get the passwords."""

NAMES = tuple(scheme.name for scheme in SCHEMES)

# fmt: off
REFUSED = frozenset((
    "CLEARTEXT", "CRAM-MD5", "CRYPT", "DES-CRYPT", "LDAP-MD5", "MD5", "MD5-CRYPT", "PBKDF2",
    "PLAIN", "PLAIN-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "SHA", "SHA1", "SHA256", "SHA256-CRYPT",
    "SHA512", "SMD5", "SSHA", "SSHA256", "SSHA512",
))
# fmt: on
"""Other schemes of Dovecot. Messages show only known names: a text in braces could be a part of a
password."""


def _bounds(scheme: Scheme) -> str:
    """Return the bounds of a scheme's costs as text."""
    return ", ".join(f"{cost.name} {cost.least} to {cost.most}" for cost in scheme.costs)


ALLOWED = "a hash: " + "; ".join(f"{{{scheme.name}}} with {_bounds(scheme)}" for scheme in SCHEMES)
"""The part of a message that lists all schemes with their bounds."""


def canonical(text: str) -> t.Optional[str]:
    """Return a hash with its scheme before it, or None for a text that is no hash.

    Raise UnfitHash for a hash that is not accepted.
    """
    named = re.match(r"\{([A-Za-z0-9.-]+)\}", text)
    if named is not None:
        scheme, body = _named_scheme(named[1].upper()), text[named.end() :]
    else:
        found = next((known for known in SCHEMES if text.startswith(known.begins)), None)
        if found is None:
            return None
        scheme, body = found, text
    form = re.fullmatch(scheme.form, body)
    if form is None:
        raise UnfitHash(f"this is not a hash of the scheme {scheme.name}")
    for cost in scheme.costs:
        given = form.group(cost.name)
        if given is not None and not cost.least <= int(given) <= cost.most:
            raise UnfitHash(
                f"{cost.name} of this {scheme.name} hash is {given}, which is not {cost.least} to"
                f" {cost.most}"
            )
    return f"{{{scheme.name}}}{body}"


def _named_scheme(name: str) -> Scheme:
    """Return the scheme with a name, or raise UnfitHash."""
    for scheme in SCHEMES:
        if scheme.name == name:
            return scheme
    raise UnfitHash(
        f"the hash scheme{f' {name}' if name in REFUSED else ''} is not one of {', '.join(NAMES)}"
    )


def sql_usable(column: str) -> str:
    """Return the SQL condition that a stored hash has an accepted scheme and cost.

    It is for rows that other programs wrote into the store.
    """
    return " OR ".join(_sql(scheme, column) for scheme in SCHEMES)


def _sql(scheme: Scheme, column: str) -> str:
    """Return the SQL condition that a stored hash is of this scheme and within its bounds."""
    beginning = f"{{{scheme.name}}}{scheme.begins}"
    parts = [f"substr({column}, 1, {len(beginning)}) = '{beginning}'"]
    for cost in scheme.costs:
        # CAST reads the digits at the beginning of the text. For too large a number it returns the
        # largest integer.
        number = f"CAST(substr({column}, instr({column}, '{cost.mark}') + {cost.skip}) AS INTEGER)"
        part = f"{number} BETWEEN {cost.least} AND {cost.most}"
        parts.append(
            f"(instr({column}, '{cost.mark}') = 0 OR {part})"
            if cost.default
            else f"instr({column}, '{cost.mark}') > 0 AND {part}"
        )
    return f"({' AND '.join(parts)})"
