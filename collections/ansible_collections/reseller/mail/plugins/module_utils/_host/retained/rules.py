# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide which mailboxes leave and which return, from the lookups of two generations.

PRIVATE to the collection. Pure; standard library only.
"""

from __future__ import annotations

import functools
import typing as t
from dataclasses import dataclass

RULES = "dovecot/retention"
"""The file of a generation that says what becomes of the mail of tenants and domains."""

NO_TENANT = "_"
"""In place of the tenant of mail that an earlier version of the collection served. No tenant can
have this name."""

DAYS = 30
"""For how many days mail is kept if no generation says it: the default of the language."""

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
    """A mailbox that no file has any more, and what becomes of its mail."""

    address: str
    tenant: str
    days: int
    purge: bool = False


def leaving(before: Known, after: Known) -> list[Leaving]:
    """Return the mailboxes that leave, sorted.

    A mailbox that another node serves now does not leave: its mail has to be moved. Neither does
    one that is only held back, because its tenant is pending or its domain is not verified.
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
    return Leaving(address, tenant, rule.days, rule.purge)


def returns(address: str, tenant: str, after: Known) -> bool:
    """Return whether retained mail returns to its mailbox.

    It returns only to the tenant that had it.
    """
    return address in after.mailboxes and tenant in (NO_TENANT, after.tenant(domain_of(address)))


def domain_of(address: str) -> str:
    """Return the domain of an address."""
    return address.rpartition("@")[2]
