# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects that the rows of another panel are read into, and what the operator chose for them.

PRIVATE to the collection. Data.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .document import Document

ZERO_MEANS = ("unlimited", "none", "default")


@dataclass(frozen=True)
class Choice:
    """What the operator chose (S2-20).

    Attributes:
        tenant: The tenant that gets all domains that ``tenants`` does not name.
        tenants: Domains by tenant.
        account: The keys of every new account.yml.
        zero_means: What 0 means as a limit in the source, one of ``ZERO_MEANS``.
        secrets: Whether hashes of passwords are imported.
        known: Tenants that have an account.yml already. Only what is new is added to it.
    """

    tenant: str = ""
    tenants: t.Mapping[str, t.Sequence[str]] = field(default_factory=dict)
    account: t.Mapping[str, t.Any] = field(default_factory=dict)
    zero_means: str = "unlimited"
    secrets: bool = True
    known: frozenset[str] = frozenset()


@dataclass
class PanelMailbox:
    """One mailbox of another panel: its row, and its keys in the estate's files."""

    origin: str
    entry: Document


@dataclass
class PanelAlias:
    """One alias or catch-all of another panel. ``to`` are complete addresses."""

    origin: str
    to: list[str]
    active: bool = True


@dataclass
class PanelDomain:
    """One domain of another panel, with everything in it. Limits are as in the estate's files."""

    origin: str
    active: bool = True
    relay: t.Optional[Document] = None
    mailboxes: dict[str, PanelMailbox] = field(default_factory=dict)
    aliases: dict[str, PanelAlias] = field(default_factory=dict)
    catch_all: t.Optional[PanelAlias] = None
    domain_aliases: dict[str, str] = field(default_factory=dict)
    """Domain aliases, each with its row."""
    limits: Document = field(default_factory=dict)


@dataclass
class PanelAdmin:
    """One admin of another panel. ``domains`` of None are all domains of the tenant."""

    origin: str
    address: str
    domains: t.Optional[list[str]]
