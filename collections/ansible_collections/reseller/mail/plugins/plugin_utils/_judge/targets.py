# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets: what an address delivers to exists, has no loop, and is not too much.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._language.cascade import chain_of, find
from .._model import contact
from .._model.addresses import Redirect, redirects, written_redirects
from .._model.domain import Domain, Mailbox, SenderAddress
from .._model.services import SETTINGS
from .._model.tenant import Tenant
from .._model.values import Fault
from ._index import Index, fault

MAX_RECIPIENTS = 500
"""Of one address. Postfix stops at 1,000 in one expansion (virtual_alias_expansion_limit)."""

MAX_BY_SCRIPT = 4
"""Of a forward with skip_spam. Dovecot redirects a message to so many addresses
(``dovecot_sieve_redirects`` of role ``dovecot``)."""

MAX_CHAIN = 10
"""Redirects in a row. Each can hand a message to another node, which costs a hop. The postfix
role's hopcount_limit leaves room for these, and for the hops before the first node."""

_WRITTEN = (("to",), ("forward", "to"))
_OWNER = ("default_owner",)
_FALLING_BACK = (_OWNER, ("catch_all",))
"""Keys of redirects' targets: lists of one address, and keys for addresses that do not exist."""

_EXISTING = "an existing mailbox or alias of the tenant, or an address outside its domains"
_ENDING = "aliases and forwards that end at a mailbox or outside the estate"


def judge(index: Index) -> t.Iterator[Fault]:
    """Yield all faults in targets."""
    for tenant in index.estate.tenants:
        for domain in tenant.domains:
            for redirect in written_redirects(domain):
                yield from _targets_of(index, tenant, redirect)
            for sender in domain.sender_addresses:
                yield from _mailbox_of_sender(index, tenant, sender)
            yield from _catch_all(index, tenant, domain)
            yield from _reports_to(index, tenant, domain)
    yield from _relays_to_own_hosts(index)
    yield from _Chains(index).judge()


def _targets_of(index: Index, tenant: Tenant, redirect: Redirect) -> t.Iterator[Fault]:
    """Yield the faults of an alias or forward: no target, unknown targets, and duplicates."""
    # If the first target has a place of its own, it is there and could not be read.
    if not redirect.to and redirect.place(0) == redirect.place():
        yield fault(
            redirect.place(), "no-target", f"{redirect.who} has no target", "at least one address"
        )
    if redirect.skips_spam and len(redirect.to) > MAX_BY_SCRIPT:
        yield fault(
            redirect.place(MAX_BY_SCRIPT),
            "too-many-recipients",
            f"{redirect.who} has skip_spam and {len(redirect.to)} targets",
            f"at most {MAX_BY_SCRIPT} with skip_spam, or one alias with more of them",
        )
    first: dict[str, int] = {}
    for nth, target in enumerate(redirect.to):
        if index.lacks(tenant, target):
            yield fault(
                redirect.place(nth),
                "unknown-address",
                f"{redirect.who} delivers to {target}, which does not exist",
                _EXISTING,
            )
        before = first.setdefault(index.primary(target), nth)
        if before != nth:
            other = redirect.to[before]
            yield fault(
                redirect.place(nth),
                "duplicate-target",
                f"{redirect.who} names {target} twice"
                if other == target
                else f"{redirect.who} names {target} and {other}, which are the same address",
                "each target once",
            )


def _mailbox_of_sender(index: Index, tenant: Tenant, sender: SenderAddress) -> t.Iterator[Fault]:
    # As it is written: this address becomes the login that may send.
    thing = index.things.get(sender.mailbox)
    home = index.homes.get(sender.mailbox.rpartition("@")[2])
    if home is not None and home[0] is tenant and index.unsure(home[1].at.file, "mailboxes"):
        return
    if not isinstance(thing, Mailbox) or home is None or home[0] is not tenant:
        yield fault(
            sender.at.of("mailbox"),
            "unknown-mailbox",
            f"{sender.mailbox} is not a mailbox of tenant {tenant.name}",
            "an existing mailbox of the tenant",
        )


def _catch_all(index: Index, tenant: Tenant, domain: Domain) -> t.Iterator[Fault]:
    if domain.catch_all and _lacks_without_catch_all(index, tenant, domain):
        what = f"the catch-all {domain.catch_all} does not exist"
        yield fault(domain.at.of("catch_all"), "unknown-address", what, _EXISTING)


def _reports_to(index: Index, tenant: Tenant, domain: Domain) -> t.Iterator[Fault]:
    for key, address in (("dmarc", domain.dmarc.reports_to), ("tls_rpt", domain.tls_reports_to)):
        if address and index.lacks(tenant, address):
            yield fault(
                find(chain_of(index.estate, tenant, domain), key, "reports_to").at,
                "unknown-address",
                f"the address {address} does not exist",
                _EXISTING,
            )


def _lacks_without_catch_all(index: Index, tenant: Tenant, domain: Domain) -> bool:
    """Return whether a catch-all's target does not exist; the catch-all itself does not count."""
    target = index.primary(domain.catch_all or "")
    if target.rpartition("@")[2] != domain.name:
        return index.lacks(tenant, target)
    return target not in index.things and not index.unsure(
        domain.at.file, "mailboxes", "aliases", "sender_addresses"
    )


def _own_hosts(index: Index) -> set[str]:
    """Return the names of nodes and backup MX, and the tenants' own names of nodes."""
    hosts = {node.hostname for node in index.estate.nodes}
    hosts |= {backup.hostname for backup in index.estate.backup_mx}
    for tenant in index.estate.tenants:
        for domain in tenant.domains:
            if domain.branding.hostname:
                hosts.add(domain.branding.hostname)
    return hosts


def _relays_to_own_hosts(index: Index) -> t.Iterator[Fault]:
    """Yield a fault for each relay host that is a host of the estate and would return the mail."""
    hosts = _own_hosts(index)
    labels = ("mta-sts", *SETTINGS)
    for tenant in index.estate.tenants:
        for domain in tenant.domains:
            host = domain.relay.host if domain.relay else ""
            label, _dot, parent = host.partition(".")
            if host in hosts or (label in labels and parent in index.homes):
                yield fault(
                    domain.at.of("relay", "host"),
                    "relay-to-own-host",
                    f"{host} is a host of this estate, so mail for {domain.name} would come back",
                    "a host outside the estate, which has the mailboxes of the domain",
                )


@dataclass(slots=True)
class _Step:
    """A redirect that is being followed.

    Attributes:
        shown: the address as it was reached.
        left: the targets that are not followed yet, with their numbers.
        recipients: the number of recipients so far.
        chain: the number of redirects in a row so far.
    """

    one: Redirect
    shown: str
    left: t.Iterator[tuple[int, str]]
    recipients: int
    chain: int = 1


@dataclass(frozen=True, slots=True)
class _End:
    """The result of a redirect: the numbers of its recipients and of its redirects in a row."""

    recipients: int
    chain: int


@dataclass(slots=True)
class _Chains:
    """The search for loops and long chains in the future virtual_alias_maps of the whole estate.

    It covers all tenants, because two tenants can make a loop together.

    Attributes:
        lines: redirects by address under the domain's own name; the catch-all by ``@domain``.
        ends: results by the same keys; None while a redirect is being followed.
    """

    index: Index
    lines: dict[str, Redirect] = field(default_factory=dict)
    ends: dict[str, t.Optional[_End]] = field(default_factory=dict)

    def judge(self) -> t.Iterator[Fault]:
        """Yield all faults of loops and chains.

        Aliases and forwards go first, so that the fault of a loop is at a line that somebody wrote.
        """
        self.lines.update(self._lines())
        # Most lines lead nowhere: with a catch-all, each mailbox has one.
        self.ends.update(
            (key, _End(int(one.keeps), 1)) for key, one in self.lines.items() if not one.to
        )
        for key in sorted(self.lines, key=lambda key: self.lines[key].path not in _WRITTEN):
            if key not in self.ends and not self._ends_at_once(key):
                yield from self._follow(key)

    def _ends_at_once(self, key: str) -> bool:
        """Return whether the few targets of a line lead no further, and then note its end."""
        one = self.lines[key]
        if len(one.to) >= MAX_RECIPIENTS or any(self._key(target) for target in one.to):
            return False
        self.ends[key] = _End(len(one.to) + one.keeps, 1)
        return True

    def _lines(self) -> t.Iterator[tuple[str, Redirect]]:
        for tenant in self.index.estate.tenants:
            for domain in tenant.domains:
                if self.index.homes[domain.name][1] is domain:
                    # What could not be read may be the missing address, or the owner who gets its
                    # mail.
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
        for name, one in contact.redirects(self.index.estate):
            yield f"{one.local}@{name}", one

    def _key(self, address: str) -> str:
        """Return the key of the line that Postfix finds for an address.

        Empty if there is none: then the mail ends at this address.
        """
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
        # A loop, not recursion: a chain may be longer than Python's stack.
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
            elif step.one.local or further != key:
                # A catch-all whose target does not exist leads to itself. It has its own fault.
                shown = [each.shown for each in path.values()][list(path).index(further) :]
                way = " -> ".join((*shown, self.index.primary(target)))
                what = f"mail to {shown[0]} would loop: {way}"
                yield fault(step.one.place(nth), "alias-loop", what, _ENDING)

    def _add(self, step: _Step, key: str) -> None:
        end = self.ends[key]
        if end is not None:
            step.recipients += end.recipients
            step.chain = max(step.chain, 1 + end.chain if self.lines[key].to else 1)

    def _leave(self, key: str, step: _Step) -> t.Iterator[Fault]:
        recipients = step.recipients
        if recipients > MAX_RECIPIENTS:
            yield fault(
                step.one.place(),
                "too-many-recipients",
                f"{step.one.who} has {recipients} recipients",
                f"at most {MAX_RECIPIENTS}, including those of aliases in aliases",
            )
            recipients = 1  # It is reported here, not again for each alias that uses this one.
        if step.chain == MAX_CHAIN + 1:  # Longer chains lead through this one.
            yield fault(
                step.one.place(),
                "alias-chain-too-long",
                f"{step.one.who} leads through {step.chain} addresses in a row",
                f"at most {MAX_CHAIN} before a mailbox or an address outside the estate",
            )
        self.ends[key] = _End(recipients, step.chain)
