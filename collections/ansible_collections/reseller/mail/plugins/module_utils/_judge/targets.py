# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets: what an address delivers to exists, comes to an end, and stays in bounds.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.reseller.mail.plugins.module_utils._cascade import chain_of, find
from ansible_collections.reseller.mail.plugins.module_utils._judge._index import Index, Thing, fault
from ansible_collections.reseller.mail.plugins.module_utils._model.domain import Alias, Domain, Mailbox
from ansible_collections.reseller.mail.plugins.module_utils._model.tenant import Tenant
from ansible_collections.reseller.mail.plugins.module_utils._model.values import Fault, Position

MAX_RECIPIENTS = 500  # Postfix gives up at 1,000 (virtual_alias_expansion_limit); role addresses and catch-all come on top

_SOMEWHERE = "an existing mailbox or alias of the tenant, or an address elsewhere"


@dataclass(frozen=True, slots=True)
class _Redirect:
    """What hands mail on: an alias, or a mailbox with ``forward``."""

    address: str
    who: str
    to: tuple[str, ...]
    at: Position
    path: tuple[str, ...]
    keeps: bool = False

    def place(self, *nth: int) -> Position:
        return self.at.of(*self.path, *nth)


def _redirect(thing: t.Optional[Thing]) -> t.Optional[_Redirect]:
    if isinstance(thing, Alias):
        return _Redirect(thing.address, f"the alias {thing.address}", thing.to, thing.at, ("to",))
    if isinstance(thing, Mailbox) and thing.forward:
        return _Redirect(thing.address, f"the mailbox {thing.address}", thing.forward.to, thing.at, ("forward", "to"), thing.forward.keep_copy)
    return None


def _redirects(domain: Domain) -> t.Iterator[_Redirect]:
    things: tuple[Thing, ...] = (*domain.aliases, *(mailbox for mailbox in domain.mailboxes if mailbox.forward))
    return (found for found in map(_redirect, things) if found)


def judge(index: Index) -> t.Iterator[Fault]:
    """All faults in targets."""
    for tenant in index.estate.tenants:
        for domain in tenant.domains:
            yield from _targets(index, tenant, domain)
    yield from _Circles(index).judge()


def _targets(index: Index, tenant: Tenant, domain: Domain) -> t.Iterator[Fault]:
    for each in _redirects(domain):
        if not each.to and each.place(0) == each.place():  # else somebody stands there who could not be read
            yield fault(each.place(), "no-target", f"{each.who} delivers to nobody", "at least one address")
        first: dict[str, int] = {}
        for nth, target in enumerate(each.to):
            if index.lacks(tenant, target):
                yield fault(each.place(nth), "unknown-address", f"{each.who} delivers to {target}, which does not exist", _SOMEWHERE)
            before = first.setdefault(index.primary(target), nth)
            if before != nth:
                again = "twice" if each.to[before] == target else f"besides {each.to[before]}, which is the same"
                yield fault(each.place(nth), "target-twice", f"{each.who} names {target} {again}", "each target once")
    for sender in domain.sender_addresses:
        thing = index.things.get(sender.mailbox)  # as it stands: it becomes the login that may send
        home = index.homes.get(sender.mailbox.rpartition("@")[2])
        if home is not None and home[0] is tenant and index.unsure(home[1].at.file, "mailboxes"):
            continue
        if not isinstance(thing, Mailbox) or home is None or home[0] is not tenant:
            what = f"{sender.mailbox} is no mailbox of tenant {tenant.name}"
            yield fault(sender.at.of("mailbox"), "unknown-mailbox", what, "an existing mailbox of the tenant")
    if domain.catch_all and _lacks_without_catch_all(index, tenant, domain):
        what = f"the catch-all {domain.catch_all} does not exist"
        yield fault(domain.at.of("catch_all"), "unknown-address", what, _SOMEWHERE)
    for key, address in (("dmarc", domain.dmarc.reports_to), ("tls_rpt", domain.tls_reports_to)):
        if address and index.lacks(tenant, address):
            at = find(chain_of(index.estate, tenant, domain), key, "reports_to").at
            yield fault(at, "unknown-address", f"nobody has the address {address}", _SOMEWHERE)


def _lacks_without_catch_all(index: Index, tenant: Tenant, domain: Domain) -> bool:
    """A catch-all does not make its own target exist."""
    target = index.primary(domain.catch_all or "")
    if target.rpartition("@")[2] != domain.name:
        return index.lacks(tenant, target)
    return target not in index.things and not index.unsure(domain.at.file, "mailboxes", "aliases", "sender_addresses")


class _Circles:
    """Follows aliases and forwards through the whole estate: two tenants can make a circle together."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self.reach: dict[str, int] = {}  # how many recipients an address comes to; -1 while it is being followed

    def judge(self) -> t.Iterator[Fault]:
        for tenant in self.index.estate.tenants:
            for domain in tenant.domains:
                for each in _redirects(domain):
                    if each.address not in self.reach:
                        yield from self._follow(each)

    def _follow(self, start: _Redirect) -> t.Iterator[Fault]:
        # By hand, not by recursion: a chain may be longer than Python's stack.
        path: list[tuple[_Redirect, t.Iterator[str]]] = []
        sums: list[int] = []

        def enter(each: _Redirect) -> None:
            self.reach[each.address] = -1
            path.append((each, iter(each.to)))
            sums.append(int(each.keeps))

        enter(start)
        while path:
            each, targets = path[-1]
            target = next(targets, None)
            if target is None:
                path.pop()
                total = self.reach[each.address] = sums.pop()
                if total > MAX_RECIPIENTS:
                    what = f"{each.who} comes to {total} recipients"
                    yield fault(each.place(), "too-many-recipients", what, f"at most {MAX_RECIPIENTS}, aliases in aliases counted out")
                    self.reach[each.address] = 1  # reported here; not once more for everyone who uses it
                if sums:
                    sums[-1] += self.reach[each.address]
                continue
            further = _redirect(self.index.things.get(self.index.primary(target)))
            if further is None:
                sums[-1] += 1
            elif further.address not in self.reach:
                enter(further)
            elif self.reach[further.address] >= 0:
                sums[-1] += self.reach[further.address]
            else:
                names = [entry.address for entry, dummy in path]
                circle = " -> ".join((*names[names.index(further.address) :], further.address))
                what = f"mail to {further.address} would go round in a circle: {circle}"
                yield fault(each.place(each.to.index(target)), "alias-circle", what, "aliases and forwards that end at mailboxes or elsewhere")
