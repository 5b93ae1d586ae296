# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide which mailboxes leave and which return, from the lookups of two generations.

PRIVATE to the collection. Pure; standard library only.
"""

from __future__ import annotations

import functools
import re
import typing as t
from dataclasses import dataclass

RULES = "dovecot/retention"
"""The file of a generation that says what becomes of the mail of tenants and domains."""

NO_TENANT = "_"
"""In place of the tenant of mail that an earlier version of the collection served. No tenant can
have this name."""

DAYS = 30
"""For how many days mail is kept if no generation says it: the default of the language."""

NEXT_HOP = re.compile(r"nodes:\[([^]]+)\]:25")
"""How a table of transports names another node (``_compile/postfix.py``)."""

Read = t.Callable[[str], t.Optional[str]]
"""Returns the text of a file of a generation by its path, or None if it has no such file."""


@dataclass(frozen=True)
class Rule:
    """What becomes of a tenant's mail: it is kept for ``days``, or deleted at once (``purge``)."""

    days: int = DAYS
    purge: bool = False


class Known:
    """What a generation knows about mailboxes. The files are read when they are needed.

    A node has the rules of the tenants that are placed on it, in every state.
    """

    def __init__(self, read: Read) -> None:
        self._read = read

    @functools.cached_property
    def text(self) -> str:
        """Return the file with all mailboxes that the node serves."""
        return self._read("dovecot/mailboxes") or ""

    @functools.cached_property
    def mailboxes(self) -> frozenset[str]:
        """Return the addresses of all mailboxes that the node serves."""
        lines = self.text.splitlines()
        return frozenset(line.partition(":")[0] for line in lines) - {"@"}

    @functools.cached_property
    def relayed(self) -> frozenset[str]:
        """Return the addresses whose mail goes on to another host, such as another node."""
        lines = (self._read("postfix/relay_recipient_maps") or "").splitlines()
        return frozenset(line.partition("\t")[0] for line in lines)

    @functools.cached_property
    def elsewhere(self) -> dict[str, tuple[str, str]]:
        """Return the tenant of each domain that another node serves, and that node's host name."""
        tenants = dict(self._lines("postfix/relay_domains"))
        hops = (
            (domain, NEXT_HOP.fullmatch(hop))
            for domain, hop in self._lines("postfix/transport_maps")
        )
        return {
            domain: (tenants[domain], hop[1]) for domain, hop in hops if hop and domain in tenants
        }

    @functools.cached_property
    def served_elsewhere(self) -> dict[str, str]:
        """Return the tenants that another node serves, each with that node's host name."""
        return dict(self.elsewhere.values())

    @functools.cached_property
    def served_here(self) -> frozenset[str]:
        """Return the tenants that the node serves."""
        return frozenset(
            row[0]
            for key, row in self._rows.items()
            if key.startswith("domain ") and row[1] == "serves"
        )

    def _lines(self, path: str) -> t.Iterator[tuple[str, str]]:
        """Yield key and value of each line of a table of Postfix."""
        for line in (self._read(path) or "").splitlines():
            key, _tab, value = line.partition("\t")
            yield key, value

    @functools.cached_property
    def _rows(self) -> dict[str, list[str]]:
        """Return the fields of each tenant and domain."""
        rows = (line.split("\t") for line in (self._read(RULES) or "").splitlines())
        return {row[0]: row[1:] for row in rows if len(row) == 3}

    def tenant(self, domain: str) -> t.Optional[str]:
        """Return the tenant of a domain; None if the node has no rule for it."""
        row = self._rows.get(f"domain {domain}")
        return row[0] if row else None

    def state(self, domain: str) -> str:
        """Return ``serves``, ``waits`` (the files have it, and no host serves it yet or for now),
        ``ends`` (its tenant is terminated), or nothing for an unknown domain."""
        row = self._rows.get(f"domain {domain}")
        return row[1] if row else ""

    def rule(self, tenant: str) -> t.Optional[Rule]:
        """Return the rule of a tenant; None if the node has none."""
        row = self._rows.get(f"tenant {tenant}")
        return Rule(int(row[0]), row[1] == "purge") if row else None

    def purged(self) -> frozenset[str]:
        """Return the tenants whose mail shall be deleted at once."""
        return frozenset(
            key.removeprefix("tenant ")
            for key, row in self._rows.items()
            if key.startswith("tenant ") and row[1] == "purge"
        )

    def ended(self) -> t.Iterator[str]:
        """Yield the domains of terminated tenants."""
        for key, row in self._rows.items():
            if key.startswith("domain ") and row[1] == "ends":
                yield key.removeprefix("domain ")


@dataclass(frozen=True, order=True)
class Leaving:
    """A mailbox that the node serves no more, and what becomes of its mail.

    ``moved_to`` is the host name of the node that serves it now. What is left here is a copy then.
    """

    address: str
    tenant: str
    days: int
    purge: bool = False
    moved_to: str = ""


def leaving(before: Known, after: Known) -> list[Leaving]:
    """Return the mailboxes that leave, sorted.

    A mailbox does not leave if its mail goes on to another host now, or if it is only held back,
    because its tenant is pending or its domain is not verified. With its tenant it may have moved
    to another node.
    """
    if before.text == after.text:  # true nearly always, and there may be 100,000
        return []
    gone = before.mailboxes - after.mailboxes
    return sorted(
        _leaving(address, before, after)
        for address in gone - after.relayed
        if after.state(domain_of(address)) != "waits"
    )


def _leaving(address: str, before: Known, after: Known) -> Leaving:
    """Return what becomes of one mailbox. The rule is the newest that a generation has."""
    domain = domain_of(address)
    tenant = before.tenant(domain) or after.tenant(domain) or NO_TENANT
    rule = after.rule(tenant) or before.rule(tenant) or Rule()
    owner, host = after.elsewhere.get(domain, ("", ""))
    if owner == tenant:
        return Leaving(address, tenant, rule.days, moved_to=host)
    return Leaving(address, tenant, rule.days, rule.purge)


def moves(before: Known, after: Known) -> dict[str, str]:
    """Return the tenants that one of two generations serves and another node the other way round.

    Each has the host name of the other node.
    """
    if before.served_here == after.served_here:  # true nearly always
        return {}
    come = {
        tenant: host
        for tenant, host in before.served_elsewhere.items()
        if tenant in after.served_here - before.served_here
    }
    go = {
        tenant: host
        for tenant, host in after.served_elsewhere.items()
        if tenant in before.served_here - after.served_here
    }
    return {**come, **go}


def returns(address: str, tenant: str, after: Known) -> bool:
    """Return whether retained mail returns to its mailbox.

    It returns only to the tenant that had it.
    """
    return address in after.mailboxes and tenant in (NO_TENANT, after.tenant(domain_of(address)))


def domain_of(address: str) -> str:
    """Return the domain of an address."""
    return address.rpartition("@")[2]
