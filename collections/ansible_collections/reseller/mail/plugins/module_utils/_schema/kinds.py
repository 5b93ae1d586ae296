# SPDX-License-Identifier: GPL-3.0-or-later
"""What a schema is made of.

PRIVATE to the collection. Data.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.reseller.mail.plugins.module_utils._scalars import Scalar

UNSAID: t.Final = object()
"""The default of a quota, for which None means something: unlimited."""

# Where a key takes effect.
HOSTS: t.Final = "hosts"
DNS: t.Final = "dns"
LEDGER: t.Final = "ledger"
JUDGE: t.Final = "judge"
BILL: t.Final = "bill"
PAGES: t.Final = "pages"
PARTS: t.Final = "as its keys do"
NOT_YET: t.Final = "declared and judged; hosts do not act on it yet"

ACTS: t.Final = (HOSTS, DNS, LEDGER, JUDGE, BILL, PAGES, PARTS, NOT_YET)

NEAREST: t.Final = "nearest wins"
TIGHTER: t.Final = "the tighter wins"
TOGETHER: t.Final = "all apply, in this order"


@dataclass(frozen=True, slots=True)
class Many:
    """A list of single values or tables."""

    of: t.Union[Scalar, Table]


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a table: ``rows`` are the requirements it serves, ``acts`` where it takes effect. ``rule`` is set where the key may stand at
    several levels and tells how they combine; its default then is the effective one, when no level says anything."""

    type: Type
    doc: str
    rows: tuple[str, ...]
    acts: str
    default: t.Any = None
    required: bool = False
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping with known keys. ``free`` ones take any key, with values of that type."""

    name: str
    keys: dict[str, Key] = field(default_factory=dict)
    free: t.Optional[Scalar] = None
    defaults: dict[str, t.Any] = field(init=False)
    required: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        # What cascades is filled in when all levels are known, not where it was left out.
        object.__setattr__(
            self,
            "defaults",
            {name: None if key.rule else key.default for name, key in self.keys.items()},
        )
        object.__setattr__(
            self, "required", tuple(name for name, key in self.keys.items() if key.required)
        )


Type = t.Union[Scalar, Many, Table]


def key(
    type_: Type,
    doc: str,
    rows: str,
    acts: str,
    default: t.Any = None,
    *,
    required: bool = False,
    rule: str = "",
) -> Key:
    """A key, its rows in one string."""
    return Key(type_, doc, tuple(rows.split()), acts, default, required, rule)
