# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of a schema: tables, keys and lists, and where a key takes effect.

PRIVATE to the collection. Data. The kinds of single values are in ``scalars``.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ..scalars import Scalar

UNSET: t.Final = object()
"""The default of quotas and limits that the files tell from ``unlimited``, which is None."""

# Where a key takes effect.
HOSTS: t.Final = "hosts"
DNS: t.Final = "dns"
LEDGER: t.Final = "ledger"
VALIDATE: t.Final = "validate"
BILL: t.Final = "bill"
PAGES: t.Final = "pages"
PARTS: t.Final = "as its keys do"
NOT_YET: t.Final = "declared and validated; hosts do not act on it yet"

ACTS: t.Final = (HOSTS, DNS, LEDGER, VALIDATE, BILL, PAGES, PARTS, NOT_YET)

# Which value counts if several levels set the key.
NEAREST: t.Final = "the nearest level wins"
TIGHTER: t.Final = "the tightest value wins"
TOGETHER: t.Final = "all apply, in the order of the levels"


@dataclass(frozen=True, slots=True)
class Many:
    """A list of single values or tables. If it is ``placed``, single values have their places."""

    of: t.Union[Scalar, Table]
    placed: bool = False


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a table, with its documentation.

    ``rows`` are the requirements that it serves. ``acts`` is one of ACTS. ``rule`` is set if
    several levels can set the key: it is the rule by which one value wins. ``default`` is then the
    value that holds if no level sets the key.
    """

    type: Type
    doc: str
    rows: tuple[str, ...]
    acts: str
    default: t.Any = None
    required: bool = False
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping with known keys, or with ``free`` set, with any keys and values of that kind.

    ``readers`` read the keys with single values that are no secrets. Hosts do not act on the keys
    ``unused`` yet. The values of the keys ``placed`` have places in them.
    """

    name: str
    keys: dict[str, Key] = field(default_factory=dict)
    free: t.Optional[Scalar] = None
    defaults: dict[str, t.Any] = field(init=False)
    required: tuple[str, ...] = field(init=False)
    readers: dict[str, t.Callable[[str], t.Any]] = field(init=False)
    unused: frozenset[str] = field(init=False)
    placed: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        # The cascade fills in the defaults of its keys later, when all levels are known.
        object.__setattr__(
            self,
            "defaults",
            {name: None if key.rule else key.default for name, key in self.keys.items()},
        )
        object.__setattr__(
            self, "required", tuple(name for name, key in self.keys.items() if key.required)
        )
        readers = {
            name: key.type.read
            for name, key in self.keys.items()
            if isinstance(key.type, Scalar) and not key.type.secret
        }
        object.__setattr__(self, "readers", readers)
        unused = frozenset(name for name, key in self.keys.items() if key.acts == NOT_YET)
        object.__setattr__(self, "unused", unused)
        placed = frozenset(name for name, key in self.keys.items() if _has_places(key.type))
        object.__setattr__(self, "placed", placed)


def _has_places(kind: Type) -> bool:
    """Return whether values of a kind have places in them."""
    if isinstance(kind, Many):
        return kind.placed or isinstance(kind.of, Table)
    return isinstance(kind, Table) and kind.free is None


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
    """Return a key. ``rows`` are its requirements, separated by spaces."""
    return Key(type_, doc, tuple(rows.split()), acts, default, required, rule)


def item_type(kind: Type) -> t.Union[Scalar, Table]:
    """Return the type of a list's items, and of anything else the type itself."""
    return kind.of if isinstance(kind, Many) else kind
