# SPDX-License-Identifier: GPL-3.0-or-later
"""The estate as a flat list of things with keys, and how two such lists differ.

PRIVATE to the collection. Pure. A thing is what has a name in the files: a tenant, an admin, a domain, a mailbox, a node.
Its keys and values are read off the model's dataclasses, so whatever the language learns is compared without a line here.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import re
import typing as t
from dataclasses import dataclass
from decimal import Decimal

from ansible_collections.reseller.mail.plugins.module_utils._model.domain import DomainLimits
from ansible_collections.reseller.mail.plugins.module_utils._model.estate import Estate
from ansible_collections.reseller.mail.plugins.module_utils._model.values import Position, Secret
from ansible_collections.reseller.mail.plugins.module_utils._printable import printable
from ansible_collections.reseller.mail.plugins.module_utils._sizes import size

ADDED, CHANGED, REMOVED = "added", "changed", "removed"

_NO_KEYS = frozenset(("at", "said", "files", "name", "domain", "address", "target"))
_SIZES = frozenset(
    ("quota", "storage", "mailbox_storage", "tranche", "capacity", "default", "min", "max")
)
_SPELT = {
    "mailbox_quota_": "mailbox_quota.",
    "tranche_price": "storage.price",
    "tranche": "storage.tranche",
    "tls_reports_to": "tls_rpt.reports_to",
}
_NOTHING_SAID = ("", (), "active", "local")
_OF_THINGS = re.compile(r"tuple\[[A-Z]")
"""The type of a field that holds things with names of their own, as the model writes it."""

_COUNTED = (
    "domains",
    "domain_aliases",
    "mailboxes",
    "aliases",
    "storage",
    "mailbox_storage",
    "domain_admins",
)
_USUALLY_TRUE = frozenset(("verified", "autodiscover", "resell", "forward.keep_copy"))
MAX_SHOWN = 120


class Subject(t.NamedTuple):
    """Whose thing it is (empty: the provider's), what it is, its name."""

    tenant: str
    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".strip()


@dataclass(slots=True)
class Thing:
    """One thing: ``item`` of the model, or its keys themselves. ``inherits`` is the thing whose keys stand in where this one
    says nothing. Most things of two revisions are equal, so keys are only made where they are asked for."""

    at: Position
    item: t.Any
    inherits: t.Optional[Subject] = None
    _keys: t.Optional[dict[str, t.Any]] = None

    @property
    def keys(self) -> dict[str, t.Any]:
        if self._keys is None:
            self._keys = self.item if isinstance(self.item, dict) else _keys(self.item)
        return self._keys


@dataclass(frozen=True, slots=True)
class KeyChange:
    """One key of a thing, before and after. None: it is not there."""

    key: str
    before: t.Any
    after: t.Any

    @property
    def texts(self) -> tuple[str, str]:
        """Both values as people read them; of a secret only that it changes."""
        return shown(self.key, self.before), shown(self.key, self.after)

    def __str__(self) -> str:
        old, new = self.texts
        if isinstance(self.before, Secret) or isinstance(self.after, Secret):
            return f"{self.key} {'set' if self.before is None else 'removed' if self.after is None else 'changes'}"
        return f"{self.key} {old} → {new}"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that comes, goes or differs. ``at`` is its place after the change, or before it when it goes."""

    subject: Subject
    action: str
    at: Position
    keys: tuple[KeyChange, ...] = ()


def changes(before: t.Mapping[Subject, Thing], after: t.Mapping[Subject, Thing]) -> list[Change]:
    """All changes: what comes and differs in the order of the files, then what goes."""
    found = []
    for subject, thing in after.items():
        old = before.get(subject)
        if old is None:
            found.append(Change(subject, ADDED, thing.at, tuple(_said(thing, after))))
        elif old.item != thing.item:
            keys = tuple(
                change
                for change in _differing(old, thing)
                if not _handed_down(change, old, thing, before, after)
            )
            if keys:
                at = thing.at.of(keys[0].key.split(".")[0])
                found.append(Change(subject, CHANGED, at, keys))
    found.extend(
        Change(subject, REMOVED, thing.at)
        for subject, thing in before.items()
        if subject not in after
    )
    return found


def _differing(old: Thing, new: Thing) -> t.Iterator[KeyChange]:
    for key in dict.fromkeys((*old.keys, *new.keys)):
        change = KeyChange(key, old.keys.get(key), new.keys.get(key))
        if change.before != change.after:
            yield change


def _handed_down(
    change: KeyChange,
    old: Thing,
    new: Thing,
    before: t.Mapping[Subject, Thing],
    after: t.Mapping[Subject, Thing],
) -> bool:
    """Whether the thing it inherits from changes in the very same way: that is told once."""
    if old.inherits is None or new.inherits != old.inherits:
        return False
    above = before.get(old.inherits), after.get(old.inherits)
    return all(above) and (change.before, change.after) == tuple(
        t.cast(Thing, side).keys.get(change.key) for side in above
    )


def _said(thing: Thing, after: t.Mapping[Subject, Thing]) -> t.Iterator[KeyChange]:
    """Of what comes, what is worth reading: neither empty nor what it inherits anyway."""
    above = after[thing.inherits].keys if thing.inherits is not None else {}
    for key, value in thing.keys.items():
        usual = (
            key in _USUALLY_TRUE
            if isinstance(value, bool) and value
            else value is None or value is False or value in _NOTHING_SAID
        )
        if not usual and above.get(key) != value:
            yield KeyChange(key, None, value)


def things(estate: Estate) -> dict[Subject, Thing]:
    """Everything in an estate that has a name."""
    provider = {
        **_keys(estate),
        "provider.name": estate.provider.name,
        "provider.domain": estate.provider.domain,
    }
    found = {Subject("", "provider", ""): Thing(estate.at, provider)}
    for kind, items in (("node", estate.nodes), ("plan", estate.plans), ("add-on", estate.addons)):
        found.update({Subject("", kind, item.name): Thing(item.at, item) for item in items})
    for mx in estate.backup_mx:
        found[Subject("", "backup MX", mx.hostname)] = Thing(mx.at, mx)
    for bundle in estate.addon_bundles:
        found[Subject("", "add-on bundle", " + ".join(bundle.addons))] = Thing(
            bundle.at, {"price": bundle.price}
        )
    for role in estate.roles:
        who = role.identity or f"group {role.group}"
        of = f" of {role.tenant}" if role.tenant else ""
        found[Subject("", "role", f"{role.role}{of} for {who}")] = Thing(
            role.at, {"address": role.address}
        )
    for state in estate.states:
        for key in state.dkim:
            where = Position(f"state/{state.node}.json", 1, 1)
            found[Subject("", "reported DKIM key", f"{key.selector}._domainkey.{key.domain}")] = (
                Thing(where, {"public": key.public})
            )
    for step in estate.steps:
        found[Subject(step.tenant, "promotion", f"of {step.policy} of {step.domain}")] = Thing(
            step.at, {"step": step.step}
        )
    for tenant in estate.tenants:
        home = Subject(tenant.name, "tenant", tenant.name)
        found[home] = Thing(tenant.at, tenant)
        found.update(
            {
                Subject(tenant.name, "admin", admin.address): Thing(admin.at, admin)
                for admin in tenant.admins
            }
        )
        found.update(
            {
                Subject(tenant.name, "domain limits", limits.name): Thing(limits.at, limits)
                for limits in tenant.domain_limits
            }
        )
        for domain in tenant.domains:
            place = Subject(tenant.name, "domain", domain.name)
            found[place] = Thing(domain.at, domain, home)
            for kind, boxes in (
                ("mailbox", domain.mailboxes),
                ("alias", domain.aliases),
                ("sender address", domain.sender_addresses),
            ):
                for box in boxes:
                    found[Subject(tenant.name, kind, box.address)] = Thing(box.at, box, place)
            for other in domain.domain_aliases:
                found[Subject(tenant.name, "domain alias", other.name)] = Thing(
                    other.at, {**_keys(other), "of": domain.name}, place
                )
    return found


def _keys(value: t.Any) -> dict[str, t.Any]:
    """A dataclass as flat keys; lists of tables are things of their own. Where less is published than the files want, theirs count:
    what evidence has carried is a thing of its own."""
    found: dict[str, t.Any] = {}
    for name, key in _fields(value.__class__):
        item = getattr(value, name)
        item = getattr(item, "target", None) or item
        if dataclasses.is_dataclass(item) and not isinstance(item, Secret):
            if not isinstance(item, DomainLimits):  # a thing of its own
                found.update(
                    {
                        f"{key}.{below}": inner
                        for below, inner in _keys(item).items()
                        if inner is not None or _is_limit(f"{key}.{below}")
                    }
                )
        elif item is not None or _is_limit(key):
            found[key] = sorted(item) if isinstance(item, frozenset) else item
    return found


@functools.cache
def _fields(cls: t.Any) -> tuple[tuple[str, str], ...]:
    """The fields of a class that are keys, and how the files spell them."""
    found = []
    for field in dataclasses.fields(cls):
        if field.name not in _NO_KEYS and not _OF_THINGS.match(str(field.type)):
            key = field.name
            for model, file in _SPELT.items():
                key = key.replace(model, file) if key == model or model.endswith("_") else key
            found.append((field.name, key))
    return tuple(found)


def _is_limit(key: str) -> bool:
    return key in ("quota", *_COUNTED) or key.startswith(("limits.", "mailbox_quota."))


def shown(key: str, value: t.Any) -> str:
    """A value as people write it, on one line, without anything that could be more than text."""
    last = key.rpartition(".")[2]
    if isinstance(value, Secret):
        return "(a secret)"
    if value is None:
        return "unlimited" if _is_limit(key) else "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return size(value) if last in _SIZES else f"{value}"
    if isinstance(value, Decimal):
        return f"{value}"
    if isinstance(value, (tuple, list)):
        parts = [
            f"{item[0]}: {shown('', item[1])}" if isinstance(item, tuple) else str(item)
            for item in value
        ]
        return line(", ".join(parts)) if parts else "nothing"
    text = str(value)
    if "\n" in text:
        return f"a text of {len(text.splitlines())} lines ({hashlib.sha256(text.encode()).hexdigest()[:8]})"
    return short(text) or "nothing"


def short(text: str) -> str:
    """A text on one line, its middle left out where it is long: of a key the end tells it from another."""
    half = MAX_SHOWN // 2
    return line(text if len(text) <= MAX_SHOWN else f"{text[:half]} … {text[-half:]}")


def line(text: str) -> str:
    """A text on one line. The loader lets no control character in; old revisions and file names never met it."""
    return printable(text.replace("\n", "\\n"))
