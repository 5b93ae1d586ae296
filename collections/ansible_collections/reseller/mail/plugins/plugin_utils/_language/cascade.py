# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys that several levels can set → the value that applies, with its level and its place.

PRIVATE to the collection. Pure. A chain has the own settings of the levels, the outermost first:
estate, plan, account, domain, mailbox. Each key of a table is looked up on its own: an account can
set ``dmarc.reports_to`` and leave the stage to its domains.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._model.domain import Domain, Mailbox
from .._model.estate import Estate
from .._model.tenant import Plan, Tenant
from .._model.values import NOWHERE, OwnSettings, Position
from .schema import CASCADES, LEVELS, Key, Table
from .schema.kinds import TIGHTER, TOGETHER
from .schema.policy import standing_at

Chain = tuple[tuple[str, OwnSettings], ...]

_STANDING = {level: standing_at(level) for level in LEVELS}
_NOTHING: t.Final[OwnSettings] = {}


@dataclass(frozen=True, slots=True)
class Effective:
    """A value that applies, and where it comes from.

    Attributes:
        key: The key, such as ``dmarc.stage``.
        value: The value.
        level: estate, plan, account, domain or mailbox; ``default`` if no level sets the key;
            ``promotion`` for a published step.
        at: The place in the files; NOWHERE for a default.
    """

    key: str
    value: t.Any
    level: str
    at: Position


def own_settings(level: str, values: t.Optional[t.Mapping[str, t.Any]]) -> OwnSettings:
    """Return the cascading keys that a level sets. The entry ``at`` is the place of their table."""
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
    """Return the levels above an object, and its own."""
    plan = plan_of(estate, tenant)
    levels: list[tuple[str, OwnSettings]] = [
        ("estate", estate.own_settings),
        ("plan", plan.own_settings if plan else _NOTHING),
        ("account", tenant.own_settings),
    ]
    if domain is not None:
        levels.append(("domain", domain.own_settings))
    if mailbox is not None:
        levels.append(("mailbox", mailbox.own_settings))
    return tuple(levels)


def plan_of(estate: Estate, tenant: Tenant) -> t.Optional[Plan]:
    """Return the tenant's plan; None if the estate has no plan with that name."""
    return next((plan for plan in estate.plans if plan.name == tenant.plan), None)


def find(chain: Chain, name: str, sub: str = "") -> Effective:
    """Return the value that applies to a key, or to the key ``sub`` of its table, and its place."""
    path = f"{name}.{sub}" if sub else name
    value, level, own = _pick(chain, name, sub)
    if own is None:
        return Effective(path, value, level, NOWHERE)
    return Effective(path, value, level, own[name]["at"].of(sub) if sub else own["at"].of(name))


def place_of_item(chain: Chain, name: str, sub: str, nth: int) -> Position:
    """Return the place of an item of the list ``name.sub``; NOWHERE for a default."""
    own = _pick(chain, name, sub)[2]
    return NOWHERE if own is None else own[name]["at"].of(sub, nth)


def value_of(chain: Chain, name: str, sub: str = "") -> t.Any:
    """Return the value that applies, without its place."""
    return _pick(chain, name, sub)[0]


def is_set(chain: Chain, name: str) -> bool:
    """Return whether any level sets the key."""
    return any(name in own for _level, own in chain)


def _pick(chain: Chain, name: str, sub: str) -> tuple[t.Any, str, t.Optional[OwnSettings]]:
    """Return the value that applies, its level, and all own settings of that level.

    The settings are None for a default. The caller looks up the place, if it needs it: a large
    estate has 50,000 values.
    """
    found = []
    for level, own in _from_profile(chain, sub) if name == "suspension" else chain:
        value = own.get(name)
        if value is not None and sub:
            value = value.get(sub)
            if value is not None and sub == "override":
                value = value["reason"]
        if value is not None:
            found.append((value, level, own))
    key = _key(name, sub)
    if not found:
        return (() if key.rule == TOGETHER else key.default), "default", None
    if key.rule == TOGETHER:
        return tuple((level, value) for value, level, _own in found), found[-1][1], found[-1][2]
    return min(found, key=lambda each: t.cast(int, each[0])) if key.rule == TIGHTER else found[-1]


def _from_profile(chain: Chain, sub: str) -> Chain:
    """Return the levels that count for a key of ``suspension``.

    A level with a profile leaves nothing of the levels above it.
    """
    with_profile = [
        nth for nth, (_level, own) in enumerate(chain) if own.get("suspension", {}).get("profile")
    ]
    return chain[with_profile[-1] :] if with_profile and sub != "profile" else chain


def _key(name: str, sub: str) -> Key:
    """Return a cascading key, or the key ``sub`` of its table."""
    key = CASCADES[name].key
    return t.cast(Table, key.type).keys[sub] if sub else key


def table(chain: Chain, name: str) -> tuple[Effective, ...]:
    """Return the effective values of a table's keys, or of a key that has no table."""
    return tuple(find(chain, name, sub) for sub in _subs(name))


def values(chain: Chain, name: str) -> dict[str, t.Any]:
    """Return the values of a table's keys, without their places."""
    setting = tuple([each for each in chain if name in each[1]])
    if not setting:  # true nearly always
        return _DEFAULTS[name]
    if name not in _TIGHTER:
        return {sub: value_of(setting, name, sub) for sub in _subs(name)}
    return _merged([own[name] for _level, own in setting], name)


def _merged(levels: t.Iterable[t.Mapping[str, t.Any]], name: str) -> dict[str, t.Any]:
    """Return what ``_pick`` returns for each key of a table, in one go.

    A large estate has a few tables for each domain.
    """
    found: dict[str, t.Any] = {}
    defaults, tighter = _DEFAULTS[name], _TIGHTER[name]
    for own in levels:
        for sub, value in own.items():
            if value is None or sub not in defaults:  # a domain has more keys in some tables
                continue
            if sub == "override":
                value = value["reason"]
            if sub in found and sub in tighter:
                value = min(found[sub], value, key=int)
            found[sub] = value
    return {**defaults, **found}


def _subs(name: str) -> t.Iterable[str]:
    """Return the keys of a key's table; one empty name if it has no table."""
    kind = CASCADES[name].key.type
    return kind.keys if isinstance(kind, Table) else ("",)


_DEFAULTS = {name: {sub: value_of((), name, sub) for sub in _subs(name)} for name in CASCADES}
_TIGHTER = {
    name: frozenset(sub for sub, key in cascade.key.type.keys.items() if key.rule == TIGHTER)
    for name, cascade in CASCADES.items()
    if isinstance(cascade.key.type, Table)
    and all(key.rule != TOGETHER for key in cascade.key.type.keys.values())
}
"""The keys of each table of which the tightest value wins. Tables with a key of which all values
apply are left out."""
