# SPDX-License-Identifier: GPL-3.0-or-later
"""Typed values → what suspended tenants, domains and mailboxes can still do.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import dataclasses
import typing as t

from .._model.estate import Estate, SuspensionProfile
from .._model.suspension import DEFAULT, PROFILES, ProviderSuspension, Suspension, strictest
from .._model.values import OwnSettings
from . import cascade
from .typed_values import Values

Profiles = t.Mapping[str, Suspension]

_CELLS = tuple(each.name for each in dataclasses.fields(Suspension))


def profiles(items: t.Iterable[Values]) -> Profiles:
    """Return all profiles of an estate by name. ``items`` are those of its file."""
    return {**PROFILES, **{item["name"]: profile(item).suspension for item in items}}


def profile(item: Values) -> SuspensionProfile:
    """Return a profile of the estate."""
    return SuspensionProfile(item["name"], Suspension(**_cells(item)), item["at"])


def _cells(values: OwnSettings) -> dict[str, str]:
    """Return the cells that a table sets."""
    return {name: values[name] for name in _CELLS if values.get(name) is not None}


def combined(levels: t.Iterable[OwnSettings], known: Profiles) -> Suspension:
    """Return what a suspended object can still do.

    ``levels`` are the tables of the levels, the outermost first. A level with a profile leaves
    nothing of those before it. A profile that does not exist has a fault, and is ignored here.
    """
    found = DEFAULT
    for values in levels:
        found = known.get(values.get("profile") or "", found)
        cells = _cells(values)
        if cells:
            found = dataclasses.replace(found, **cells)
    return found


def effective(estate: Estate, chain: cascade.Chain) -> t.Iterator[cascade.Effective]:
    """Yield what an object can still do while it is suspended, with the levels and places.

    A key that no level sets has the value and the place of the profile.
    """
    profile = cascade.find(chain, "suspension", "profile")
    yield profile
    known = {**PROFILES, **{one.name: one.suspension for one in estate.suspension_profiles}}
    of_profile = known.get(profile.value, DEFAULT)
    for name in _CELLS:
        found = cascade.find(chain, "suspension", name)
        if found.value is None:
            found = dataclasses.replace(
                profile, key=f"suspension.{name}", value=getattr(of_profile, name)
            )
        yield found


def of_chain(chain: cascade.Chain, known: Profiles) -> Suspension:
    """Return what the levels of a chain say together."""
    return combined((own["suspension"] for _level, own in chain if "suspension" in own), known)


class Suspensions:
    """What is suspended in one tenant, and what it can still do."""

    def __init__(self, tenant: str, account: Values, chain: cascade.Chain, known: Profiles) -> None:
        self.of_tenant = of_chain(chain, known)
        self._known = known
        above = [own["suspension"] for _level, own in chain if "suspension" in own]
        self.items = tuple(
            ProviderSuspension(
                item["of"],
                combined((*above, item), known),
                item["profile"] or "",
                item["reason"] or "",
                item["at"],
            )
            for item in account["suspensions"]
        )
        self._of_provider: dict[str, list[Suspension]] = {}
        for name in account["suspended_domains"]:
            self._of_provider.setdefault(name, []).append(self.of_tenant)
        for item in self.items:
            self._of_provider.setdefault(item.of, []).append(item.suspension)
        self.tenant = self.of(tenant, account["state"], self.of_tenant)

    def of_levels(self, chain: cascade.Chain) -> Suspension:
        """Return what the levels down to a domain or mailbox say together."""
        return of_chain(chain, self._known)

    def of(self, name: str, state: str, own: Suspension) -> tuple[str, Suspension]:
        """Return the state of an object, and the strictest of what its file and the provider say.

        ``state`` is that of its file, and ``own`` is what its levels say together.
        """
        found = self._of_provider.get(name)
        if found is None:  # true nearly always
            return state, own
        if state == "suspended":
            found = [*found, own]
        return "suspended" if state == "active" else state, strictest(found) or own
