# SPDX-License-Identifier: GPL-3.0-or-later
"""What may stand at several levels → the value that counts, with the level and the place that it comes from.

PRIVATE to the collection. Pure. A chain is what the levels say, outermost first: estate, plan, account, domain, mailbox.
Sub-keys resolve one by one: an account may set ``dmarc.reports_to`` and leave the stage to its domains.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.reseller.mail.plugins.module_utils._model.domain import Domain, Mailbox
from ansible_collections.reseller.mail.plugins.module_utils._model.estate import Estate
from ansible_collections.reseller.mail.plugins.module_utils._model.tenant import Plan, Tenant
from ansible_collections.reseller.mail.plugins.module_utils._model.values import (
    NOWHERE,
    Position,
    Said,
)
from ansible_collections.reseller.mail.plugins.module_utils._schema import (
    CASCADES,
    LEVELS,
    Key,
    Table,
)
from ansible_collections.reseller.mail.plugins.module_utils._schema.kinds import TIGHTER, TOGETHER
from ansible_collections.reseller.mail.plugins.module_utils._schema.policy import standing_at

Chain = tuple[tuple[str, Said], ...]

_STANDING = {level: standing_at(level) for level in LEVELS}
_NOTHING: t.Final[Said] = {}


@dataclass(frozen=True, slots=True)
class Effective:
    """A value that counts. ``level`` is where it was said: estate, plan, account, domain or mailbox, default, or
    promotion for what evidence has carried."""

    key: str
    value: t.Any
    level: str
    at: Position


def said(level: str, values: t.Optional[t.Mapping[str, t.Any]]) -> Said:
    """Of a level's values, the keys that cascade and are said; ``at`` is their table's place."""
    if not values:
        return _NOTHING
    found = {name: values[name] for name in _STANDING[level] if values[name] is not None}
    return {**found, "at": values["at"]} if found else _NOTHING


def chain_of(
    estate: Estate,
    tenant: Tenant,
    domain: t.Optional[Domain] = None,
    mailbox: t.Optional[Mailbox] = None,
) -> Chain:
    """The levels above an object, and its own."""
    plan = plan_of(estate, tenant)
    levels: list[tuple[str, Said]] = [
        ("estate", estate.said),
        ("plan", plan.said if plan else _NOTHING),
        ("account", tenant.said),
    ]
    if domain is not None:
        levels.append(("domain", domain.said))
    if mailbox is not None:
        levels.append(("mailbox", mailbox.said))
    return tuple(levels)


def plan_of(estate: Estate, tenant: Tenant) -> t.Optional[Plan]:
    """The tenant's plan; None when there is none of that name."""
    return next((plan for plan in estate.plans if plan.name == tenant.plan), None)


def find(chain: Chain, name: str, sub: str = "") -> Effective:
    """The value of a key, or of a key of its table."""
    path = f"{name}.{sub}" if sub else name
    value, level, says = _pick(chain, name, sub)
    if says is None:
        return Effective(path, value, level, NOWHERE)
    return Effective(path, value, level, says[name]["at"].of(sub) if sub else says["at"].of(name))


def place_of_item(chain: Chain, name: str, sub: str, nth: int) -> Position:
    """Where an item of a list stands that is the value of a table's key; nowhere for a default."""
    says = _pick(chain, name, sub)[2]
    return NOWHERE if says is None else says[name]["at"].of(sub, nth)


def value_of(chain: Chain, name: str, sub: str = "") -> t.Any:
    """Only the value."""
    return _pick(chain, name, sub)[0]


def is_said(chain: Chain, name: str) -> bool:
    """Whether any level has the key."""
    return any(name in says for _level, says in chain)


def _pick(chain: Chain, name: str, sub: str) -> tuple[t.Any, str, t.Optional[Said]]:
    """The value, the level that says it, and what else that level says. Looking up its place is left to who wants it: a large
    estate has 50,000 of them."""
    found = []
    for level, says in chain:
        value = says.get(name)
        if value is not None and sub:
            value = value.get(sub)
            if value is not None and sub == "override":
                value = value["reason"]
        if value is not None:
            found.append((value, level, says))
    key = _key(name, sub)
    if not found:
        return (() if key.rule == TOGETHER else key.default), "default", None
    if key.rule == TOGETHER:
        return tuple((level, value) for value, level, _says in found), found[-1][1], found[-1][2]
    return min(found, key=lambda each: t.cast(int, each[0])) if key.rule == TIGHTER else found[-1]


def _key(name: str, sub: str) -> Key:
    key = CASCADES[name].key
    return t.cast(Table, key.type).keys[sub] if sub else key


def table(chain: Chain, name: str) -> tuple[Effective, ...]:
    """The values of a table's keys, or the one of a key without."""
    return tuple(find(chain, name, sub) for sub in _subs(name))


def values(chain: Chain, name: str) -> dict[str, t.Any]:
    """Only the values of a table's keys."""
    if not is_said(chain, name):  # nearly always
        return _DEFAULTS[name]
    return {sub: value_of(chain, name, sub) for sub in _subs(name)}


def _subs(name: str) -> t.Iterable[str]:
    kind = CASCADES[name].key.type
    return kind.keys if isinstance(kind, Table) else ("",)


_DEFAULTS = {name: {sub: value_of((), name, sub) for sub in _subs(name)} for name in CASCADES}
