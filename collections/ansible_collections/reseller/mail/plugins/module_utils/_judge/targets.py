# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets: what an address delivers to exists, comes to an end, and stays in bounds.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

from ansible_collections.reseller.mail.plugins.module_utils._judge._index import Index, fault
from ansible_collections.reseller.mail.plugins.module_utils._model import Alias, Domain, Fault, Mailbox, Tenant

MAX_RECIPIENTS = 500  # Postfix gives up at 1,000 (virtual_alias_expansion_limit); role addresses and catch-all come on top

_SOMEWHERE = "an existing mailbox or alias of the tenant, or an address elsewhere"


def judge(index: Index) -> t.Iterator[Fault]:
    """All faults in targets."""
    for tenant in index.estate.tenants:
        for domain in tenant.domains:
            yield from _targets(index, tenant, domain)
    yield from _Circles(index).judge()


def _targets(index: Index, tenant: Tenant, domain: Domain) -> t.Iterator[Fault]:
    for alias in domain.aliases:
        if not alias.to and not index.unsure(domain.at.file, "aliases"):
            yield fault(alias.at.of("to"), "no-target", f"the alias {alias.address} delivers to nobody", "at least one address")
        first: dict[str, int] = {}
        for nth, target in enumerate(alias.to):
            if index.lacks(tenant, target):
                what = f"the alias {alias.address} delivers to {target}, which does not exist"
                yield fault(alias.at.of("to", nth), "unknown-address", what, _SOMEWHERE)
            if first.setdefault(index.primary(target), nth) != nth:
                yield fault(alias.at.of("to", nth), "target-twice", f"the alias {alias.address} names {target} twice", "each target once")
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
            yield fault(domain.at.of(key, "reports_to"), "unknown-address", f"nobody has the address {address}", _SOMEWHERE)


def _lacks_without_catch_all(index: Index, tenant: Tenant, domain: Domain) -> bool:
    """A catch-all does not make its own target exist."""
    target = index.primary(domain.catch_all or "")
    if target.rpartition("@")[2] != domain.name:
        return index.lacks(tenant, target)
    return target not in index.things and not index.unsure(domain.at.file, "mailboxes", "aliases", "sender_addresses")


class _Circles:
    """Follows aliases through the whole estate: two tenants can make a circle together."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self.reach: dict[str, int] = {}  # how many recipients an address comes to; -1 while it is being followed

    def judge(self) -> t.Iterator[Fault]:
        for tenant in self.index.estate.tenants:
            for domain in tenant.domains:
                for alias in domain.aliases:
                    if alias.address not in self.reach:
                        yield from self._follow(alias)

    def _follow(self, start: Alias) -> t.Iterator[Fault]:
        # By hand, not by recursion: a chain may be longer than Python's stack.
        path: list[tuple[Alias, t.Iterator[str]]] = []

        def enter(alias: Alias) -> None:
            self.reach[alias.address] = -1
            path.append((alias, iter(alias.to)))

        sums: list[int] = [0]
        enter(start)
        while path:
            alias, targets = path[-1]
            target = next(targets, None)
            if target is None:
                path.pop()
                total = self.reach[alias.address] = sums.pop()
                if total > MAX_RECIPIENTS:
                    what = f"the alias {alias.address} comes to {total} recipients"
                    yield fault(alias.at.of("to"), "too-many-recipients", what, f"at most {MAX_RECIPIENTS}, aliases in aliases counted out")
                    self.reach[alias.address] = 1  # reported here; not once more for everyone who uses it
                if sums:
                    sums[-1] += self.reach[alias.address]
                continue
            name = self.index.primary(target)
            thing = self.index.things.get(name)
            if not isinstance(thing, Alias):
                sums[-1] += 1
            elif thing.address not in self.reach:
                sums.append(0)
                enter(thing)
            elif self.reach[thing.address] >= 0:
                sums[-1] += self.reach[thing.address]
            else:
                names = [entry.address for entry, dummy in path]
                circle = " -> ".join((*names[names.index(thing.address) :], thing.address))
                nth = alias.to.index(target)
                what = f"mail to {thing.address} would go round in a circle: {circle}"
                yield fault(alias.at.of("to", nth), "alias-circle", what, "aliases that end at mailboxes or elsewhere")
