# SPDX-License-Identifier: GPL-3.0-or-later
"""Things as other systems know them, and what the operator decides about them.

PRIVATE to the collection. Data.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.reseller.mail.plugins.module_utils._exchange.document import Document

ZERO_MEANS = ("unlimited", "none", "default")


@dataclass(frozen=True)
class Choice:
    """What the operator decides: who gets the domains, what every account says, what 0 means in the source (S2-20)."""

    tenant: str = ""
    tenants: t.Mapping[str, t.Sequence[str]] = field(default_factory=dict)
    account: t.Mapping[str, t.Any] = field(default_factory=dict)
    zero_means: str = "unlimited"
    secrets: bool = True
    known: frozenset[str] = frozenset()
    """Tenants that have an account: of theirs only what is new is said."""


@dataclass
class Box:
    """A mailbox of another system."""

    origin: str
    entry: Document


@dataclass
class Other:
    """An alias of another system, or a catch-all. ``to`` are complete addresses."""

    origin: str
    to: list[str]
    active: bool = True


@dataclass
class Place:
    """A domain of another system. Limits are in documents' terms."""

    origin: str
    active: bool = True
    relay: t.Optional[Document] = None
    boxes: dict[str, Box] = field(default_factory=dict)
    others: dict[str, Other] = field(default_factory=dict)
    catch_all: t.Optional[Other] = None
    aliases: dict[str, str] = field(default_factory=dict)
    limits: Document = field(default_factory=dict)


@dataclass
class Manager:
    """An admin of another system; ``domains`` None: of whatever the tenant has."""

    origin: str
    address: str
    domains: t.Optional[list[str]]
