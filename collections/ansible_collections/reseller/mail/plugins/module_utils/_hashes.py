# SPDX-License-Identifier: GPL-3.0-or-later
"""Which password hashes are accepted, and how much work one may cause: the one list.

PRIVATE to the collection. Pure; standard library only: the same file serves the schema, the importers, the store, and,
installed on the host, ``mail-passwd``. A hash is verified by the mail host whenever somebody tries to log in, with the cost that
stands in it: without a bound one tenant's row would keep a processor busy for hours.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass


class UnfitHash(ValueError):
    """A hash that is not accepted; the message says why and never shows it."""


@dataclass(frozen=True)
class Cost:
    """A number in a hash that decides how much work it causes."""

    name: str
    least: int
    most: int
    mark: str
    """What stands before it, for SQL."""
    skip: int
    """How many characters after the beginning of the mark it begins."""
    default: bool = False
    """Whether it may be missing, for a harmless one."""


@dataclass(frozen=True)
class Scheme:
    """A way of hashing, as crypt(3) or Argon2's reference writes it; the costs are groups of the form."""

    name: str
    begins: str
    form: str
    costs: tuple[Cost, ...]


def _argon2(name: str, begins: str) -> Scheme:
    form = (
        re.escape(begins)
        + r"v=19\$m=(?P<m>[0-9]{1,10}),t=(?P<t>[0-9]{1,10}),p=(?P<p>[0-9]{1,10})\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{16,86}"
    )
    # m in KiB. Dovecot's own are m=65536,t=3,p=1; common libraries write up to m=102400, t=4 and p=8.
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
"""Plain, unsalted or fast ones would make the store worth stealing."""

NAMES = tuple(scheme.name for scheme in SCHEMES)

# fmt: off
REFUSED = frozenset((
    "CLEARTEXT", "CRAM-MD5", "CRYPT", "DES-CRYPT", "LDAP-MD5", "MD5", "MD5-CRYPT", "PBKDF2",
    "PLAIN", "PLAIN-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "SHA", "SHA1", "SHA256", "SHA256-CRYPT",
    "SHA512", "SMD5", "SSHA", "SSHA256", "SSHA512",
))
# fmt: on
"""Other schemes of Dovecot: only known names are shown, since a text in braces could be part of a password."""


def _bounds(scheme: Scheme) -> str:
    return ", ".join(f"{cost.name} {cost.least} to {cost.most}" for cost in scheme.costs)


ALLOWED = "a hash: " + "; ".join(f"{{{scheme.name}}} with {_bounds(scheme)}" for scheme in SCHEMES)
"""For people: every scheme with its bounds."""


def canonical(text: str) -> t.Optional[str]:
    """Return the hash with its scheme before it, None for a text that is no hash; UnfitHash for one that is not accepted."""
    named = re.match(r"\{([A-Za-z0-9.-]+)\}", text)
    if named is not None:
        name, body = named.group(1).upper(), text[named.end() :]
        scheme = next((known for known in SCHEMES if known.name == name), None)
        if scheme is None:
            raise UnfitHash(
                f"the hash scheme{f' {name}' if name in REFUSED else ''} is not one of {', '.join(NAMES)}"
            )
    else:
        body = text
        scheme = next((known for known in SCHEMES if text.startswith(known.begins)), None)
        if scheme is None:
            return None
    form = re.fullmatch(scheme.form, body)
    if form is None:
        raise UnfitHash(f"this is not a hash of the scheme {scheme.name}")
    for cost in scheme.costs:
        given = form.group(cost.name)
        if given is not None and not cost.least <= int(given) <= cost.most:
            raise UnfitHash(
                f"{cost.name} of this {scheme.name} hash is {given}, which is not {cost.least} to {cost.most}"
            )
    return f"{{{scheme.name}}}{body}"


def sql_usable(column: str) -> str:
    """Return the condition that a stored hash is of an accepted scheme and cost, for rows that came into the store some other way."""
    return " OR ".join(_sql(scheme, column) for scheme in SCHEMES)


def _sql(scheme: Scheme, column: str) -> str:
    beginning = f"{{{scheme.name}}}{scheme.begins}"
    parts = [f"substr({column}, 1, {len(beginning)}) = '{beginning}'"]
    for cost in scheme.costs:
        # CAST takes the digits that the text begins with, and the largest integer for more than fit.
        number = f"CAST(substr({column}, instr({column}, '{cost.mark}') + {cost.skip}) AS INTEGER)"
        part = f"{number} BETWEEN {cost.least} AND {cost.most}"
        parts.append(
            f"(instr({column}, '{cost.mark}') = 0 OR {part})"
            if cost.default
            else f"instr({column}, '{cost.mark}') > 0 AND {part}"
        )
    return f"({' AND '.join(parts)})"
