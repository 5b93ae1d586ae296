# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets: what an address delivers to exists, comes to an end, and stays in bounds.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.reseller.mail.plugins.module_utils._cascade import chain_of, find
from ansible_collections.reseller.mail.plugins.module_utils._compile import _contact
from ansible_collections.reseller.mail.plugins.module_utils._compile._addresses import (
    Redirect,
    redirects,
    written_redirects,
)
from ansible_collections.reseller.mail.plugins.module_utils._compile._services import SETTINGS
from ansible_collections.reseller.mail.plugins.module_utils._judge._index import Index, fault
from ansible_collections.reseller.mail.plugins.module_utils._model.domain import Domain, Mailbox
from ansible_collections.reseller.mail.plugins.module_utils._model.tenant import Tenant
from ansible_collections.reseller.mail.plugins.module_utils._model.values import Fault

MAX_RECIPIENTS = 500
"""Postfix gives up at 1,000 in one expansion (virtual_alias_expansion_limit)."""

MAX_CHAIN = 10
"""Redirects in a row. Each may hand a message to another node, which costs a hop: the postfix role's hopcount_limit leaves room for
these and for the hops before the first of our nodes."""

_WRITTEN = (("to",), ("forward", "to"))
_OWNER = ("default_owner",)
_FALLING_BACK = (_OWNER, ("catch_all",))
"""Where a redirect's targets stand in the files: lists that somebody wrote, and what holds for addresses that do not exist otherwise."""

_SOMEWHERE = "an existing mailbox or alias of the tenant, or an address elsewhere"
_ENDING = "aliases and forwards that end at mailboxes or elsewhere"


def judge(index: Index) -> t.Iterator[Fault]:
    """All faults in targets."""
    for tenant in index.estate.tenants:
        for domain in tenant.domains:
            yield from _targets(index, tenant, domain)
    yield from _relays(index)
    yield from _Chains(index).judge()


def _targets(index: Index, tenant: Tenant, domain: Domain) -> t.Iterator[Fault]:
    for each in written_redirects(domain):
        if (
            not each.to and each.place(0) == each.place()
        ):  # else somebody stands there who could not be read
            yield fault(
                each.place(), "no-target", f"{each.who} delivers to nobody", "at least one address"
            )
        first: dict[str, int] = {}
        for nth, target in enumerate(each.to):
            if index.lacks(tenant, target):
                yield fault(
                    each.place(nth),
                    "unknown-address",
                    f"{each.who} delivers to {target}, which does not exist",
                    _SOMEWHERE,
                )
            before = first.setdefault(index.primary(target), nth)
            if before != nth:
                again = (
                    "twice"
                    if each.to[before] == target
                    else f"besides {each.to[before]}, which is the same"
                )
                yield fault(
                    each.place(nth),
                    "target-twice",
                    f"{each.who} names {target} {again}",
                    "each target once",
                )
    for sender in domain.sender_addresses:
        thing = index.things.get(sender.mailbox)  # as it stands: it becomes the login that may send
        home = index.homes.get(sender.mailbox.rpartition("@")[2])
        if home is not None and home[0] is tenant and index.unsure(home[1].at.file, "mailboxes"):
            continue
        if not isinstance(thing, Mailbox) or home is None or home[0] is not tenant:
            what = f"{sender.mailbox} is no mailbox of tenant {tenant.name}"
            yield fault(
                sender.at.of("mailbox"),
                "unknown-mailbox",
                what,
                "an existing mailbox of the tenant",
            )
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
    return target not in index.things and not index.unsure(
        domain.at.file, "mailboxes", "aliases", "sender_addresses"
    )


def _relays(index: Index) -> t.Iterator[Fault]:
    """A relay host that is one of our own hosts would hand the mail back to us."""
    hosts = {node.hostname for node in index.estate.nodes} | {
        backup.hostname for backup in index.estate.backup_mx
    }
    labels = ("mta-sts", *SETTINGS)
    for tenant in index.estate.tenants:
        for domain in tenant.domains:
            hosts.update(filter(None, (domain.branding.hostname,)))
    for tenant in index.estate.tenants:
        for domain in tenant.domains:
            host = domain.relay.host if domain.relay else ""
            label, _dot, parent = host.partition(".")
            if host in hosts or (label in labels and parent in index.homes):
                what = f"{host} leads to the provider's own hosts, which would hand mail for {domain.name} back to each other"
                yield fault(
                    domain.at.of("relay", "host"),
                    "relay-to-own-host",
                    what,
                    "a host of somebody else",
                )


@dataclass(slots=True)
class _Step:
    """A redirect that is being followed: the address as it was reached, the targets that are left, what was found so far."""

    one: Redirect
    shown: str
    left: t.Iterator[tuple[int, str]]
    recipients: int
    chain: int = 1


@dataclass(frozen=True, slots=True)
class _End:
    """What a redirect comes to: recipients, and redirects in a row."""

    recipients: int
    chain: int


@dataclass(slots=True)
class _Chains:
    """Follows all that virtual_alias_maps will say, through the whole estate: two tenants can make a circle together."""

    index: Index
    lines: dict[str, Redirect] = field(default_factory=dict)
    """By address in the domain's own name; by @domain what is addressed to nobody known there."""
    ends: dict[str, t.Optional[_End]] = field(default_factory=dict)
    """None while it is being followed."""

    def judge(self) -> t.Iterator[Fault]:
        """All faults of what is followed. Aliases and forwards go first, so that a circle is shown at what somebody wrote to make it."""
        self.lines.update(self._lines())
        for key in sorted(self.lines, key=lambda key: self.lines[key].path not in _WRITTEN):
            if key not in self.ends:
                yield from self._follow(key)

    def _lines(self) -> t.Iterator[tuple[str, Redirect]]:
        for tenant in self.index.estate.tenants:
            for domain in tenant.domains:
                if self.index.homes[domain.name][1] is domain:
                    # What could not be read may be the address that is missing, or the owner who gets its mail.
                    unsure = self.index.unsure(
                        domain.at.file, "mailboxes", "aliases", "sender_addresses"
                    )
                    ownerless = not tenant.default_owner or self.index.unsure(
                        tenant.at.file, "default_owner"
                    )
                    for one in redirects(tenant, domain).values():
                        if not (one.path in _FALLING_BACK and unsure) and not (
                            one.path == _OWNER and ownerless
                        ):
                            yield f"{one.local}@{domain.name}", one
        for name, one in _contact.redirects(self.index.estate):
            yield f"{one.local}@{name}", one

    def _key(self, address: str) -> str:
        """The line that Postfix finds for an address; empty when there is none, and mail ends there."""
        primary = self.index.primary(address)
        if primary in self.lines:
            return primary
        catch_all = f"@{primary.rpartition('@')[2]}"
        return catch_all if catch_all in self.lines else ""

    def _enter(self, key: str, shown: str) -> _Step:
        one = self.lines[key]
        self.ends[key] = None
        return _Step(one, shown, iter(enumerate(one.to)), int(one.keeps))

    def _follow(self, start: str) -> t.Iterator[Fault]:
        # By hand, not by recursion: a chain may be longer than Python's stack.
        path = {start: self._enter(start, f"*{start}" if start[0] == "@" else start)}
        while path:
            key = next(reversed(path), "")
            step = path[key]
            nth, target = next(step.left, (0, ""))
            if not target:
                del path[key]
                yield from self._leave(key, step)
                if path:
                    self._add(path[next(reversed(path), "")], key)
                continue
            further = self._key(target)
            if not further:
                step.recipients += 1
            elif further not in self.ends:
                path[further] = self._enter(further, self.index.primary(target))
            elif self.ends[further] is not None:
                self._add(step, further)
            elif not (
                further == key and not step.one.local
            ):  # else the catch-all's target exists nowhere, which is told already
                shown = [each.shown for each in path.values()][list(path).index(further) :]
                what = f"mail to {shown[0]} would go round in a circle: {' -> '.join((*shown, self.index.primary(target)))}"
                yield fault(step.one.place(nth), "alias-circle", what, _ENDING)

    def _add(self, step: _Step, key: str) -> None:
        end = self.ends[key]
        if end is not None:
            step.recipients += end.recipients
            step.chain = max(step.chain, 1 + end.chain if self.lines[key].to else 1)

    def _leave(self, key: str, step: _Step) -> t.Iterator[Fault]:
        recipients = step.recipients
        if recipients > MAX_RECIPIENTS:
            what = f"{step.one.who} comes to {recipients} recipients"
            yield fault(
                step.one.place(),
                "too-many-recipients",
                what,
                f"at most {MAX_RECIPIENTS}, aliases in aliases counted out",
            )
            recipients = 1  # reported here; not once more for everyone who uses it
        if step.chain == MAX_CHAIN + 1:  # longer ones lead through this one
            what = f"{step.one.who} leads through {step.chain} addresses, one behind the other"
            yield fault(
                step.one.place(),
                "alias-chain-too-long",
                what,
                f"at most {MAX_CHAIN} before a mailbox or an address elsewhere",
            )
        self.ends[key] = _End(recipients, step.chain)
