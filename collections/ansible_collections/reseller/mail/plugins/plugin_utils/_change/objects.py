# SPDX-License-Identifier: GPL-3.0-or-later
"""The estate as a flat list of objects with keys, and how two such lists differ.

PRIVATE to the collection. Pure. An object is what has a name in the files: a tenant, an admin, a
domain, a mailbox, a node. Its keys and values are the fields of the model's dataclasses. So a new
key of the language is compared without a change here.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import re
import typing as t
from dataclasses import dataclass
from decimal import Decimal

from .._model.domain import DomainLimits
from .._model.estate import Estate
from .._model.printable import printable
from .._model.sizes import size
from .._model.values import Position, Secret

if t.TYPE_CHECKING:
    from .._model.domain import Domain
    from .._model.tenant import Tenant

ADDED, CHANGED, REMOVED = "added", "changed", "removed"

_NO_KEYS = frozenset(
    (
        "at",
        "own_settings",
        "own_sending_limits",
        "unused_keys",
        "unlimited",
        "name",
        "domain",
        "address",
        "target",
    )
)
_SIZES = frozenset(
    ("quota", "storage", "mailbox_storage", "tranche", "capacity", "default", "min", "max")
)
_NAMES_IN_FILES = {
    "mailbox_quota_": "mailbox_quota.",
    "tranche_price": "storage.price",
    "tranche": "storage.tranche",
    "tls_reports_to": "tls_rpt.reports_to",
}
"""Fields of the model whose key has another name in the files. An ending ``_`` means a prefix."""
_USUAL = ("", (), "active", "local")
"""Values of a new object that are not worth a line."""
_USUALLY_TRUE = frozenset(("verified", "autodiscover", "resell", "forward.keep_copy"))
_OF_OBJECTS = re.compile(r"tuple\[[A-Z]")
"""The type of a field that holds objects with names of their own, as the model writes it."""

_COUNTED = (
    "domains",
    "domain_aliases",
    "mailboxes",
    "aliases",
    "storage",
    "mailbox_storage",
    "domain_admins",
)
MAX_SHOWN = 120
"""Characters of a value that are shown at most."""


class Subject(t.NamedTuple):
    """The name of an object: its tenant (empty for the provider's), its kind, its own name."""

    tenant: str
    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".strip()


@dataclass(slots=True)
class EstateObject:
    """One object of an estate.

    Keys are made when somebody asks for them: most objects of two revisions are equal.

    Attributes:
        at: Its place in the files.
        item: A dataclass of the model, or the keys themselves.
        inherits: The object whose keys count where this one sets none.
    """

    at: Position
    item: t.Any
    inherits: t.Optional[Subject] = None
    _keys: t.Optional[dict[str, t.Any]] = None

    @property
    def keys(self) -> dict[str, t.Any]:
        """Return the object's keys and their effective values."""
        if self._keys is None:
            self._keys = self.item if isinstance(self.item, dict) else _keys(self.item)
        return self._keys


Objects = t.Mapping[Subject, EstateObject]


@dataclass(frozen=True, slots=True)
class KeyChange:
    """One key of an object, before and after. None: the key is not set."""

    key: str
    before: t.Any
    after: t.Any

    @property
    def texts(self) -> tuple[str, str]:
        """Return both values as people read them. A secret is not shown."""
        return shown(self.key, self.before), shown(self.key, self.after)

    def __str__(self) -> str:
        old, new = self.texts
        if isinstance(self.before, Secret) or isinstance(self.after, Secret):
            done = "changes"
            if self.before is None:
                done = "set"
            elif self.after is None:
                done = "removed"
            return f"{self.key} {done}"
        return f"{self.key} {old} → {new}"


@dataclass(frozen=True, slots=True)
class Change:
    """One object that is added, removed or changed.

    ``at`` is its place after the change, and before the change if it is removed.
    """

    subject: Subject
    action: str
    at: Position
    keys: tuple[KeyChange, ...] = ()


def changes(before: Objects, after: Objects) -> list[Change]:
    """Return all changes: new and changed objects in the order of the files, then removed ones."""
    found = []
    for subject, item in after.items():
        old = before.get(subject)
        if old is None:
            found.append(Change(subject, ADDED, item.at, tuple(_keys_of_new(item, after))))
        elif old.item != item.item:
            keys = tuple(
                change
                for change in _differing_keys(old, item)
                if not _is_inherited(change, old, item, before, after)
            )
            if keys:
                at = item.at.of(keys[0].key.split(".")[0])
                found.append(Change(subject, CHANGED, at, keys))
    found.extend(
        Change(subject, REMOVED, item.at)
        for subject, item in before.items()
        if subject not in after
    )
    return found


def _differing_keys(old: EstateObject, new: EstateObject) -> t.Iterator[KeyChange]:
    """Yield every key whose value differs."""
    for key in dict.fromkeys((*old.keys, *new.keys)):
        change = KeyChange(key, old.keys.get(key), new.keys.get(key))
        if change.before != change.after:
            yield change


def _is_inherited(
    change: KeyChange, old: EstateObject, new: EstateObject, before: Objects, after: Objects
) -> bool:
    """Return whether the object inherits this change: then it is shown only where it is made."""
    if old.inherits is None or new.inherits != old.inherits:
        return False
    above = before.get(old.inherits), after.get(old.inherits)
    return all(above) and (change.before, change.after) == tuple(
        t.cast(EstateObject, side).keys.get(change.key) for side in above
    )


def _keys_of_new(item: EstateObject, after: Objects) -> t.Iterator[KeyChange]:
    """Yield the keys of a new object that are neither usual nor inherited."""
    above = after[item.inherits].keys if item.inherits is not None else {}
    for key, value in item.keys.items():
        if not _is_usual(key, value) and above.get(key) != value:
            yield KeyChange(key, None, value)


def _is_usual(key: str, value: t.Any) -> bool:
    """Return whether a new object is expected to have this value."""
    if isinstance(value, bool) and value:
        return key in _USUALLY_TRUE
    return value is None or value is False or value in _USUAL


def estate_objects(estate: Estate) -> dict[Subject, EstateObject]:
    """Return every object of an estate."""
    found = dict(_objects_of_provider(estate))
    for tenant in estate.tenants:
        found.update(_objects_of_tenant(tenant))
    return found


def _objects_of_provider(estate: Estate) -> t.Iterator[tuple[Subject, EstateObject]]:
    """Yield what is in the provider's own files and in ``state/``."""
    provider = {
        **_keys(estate),
        "provider.name": estate.provider.name,
        "provider.domain": estate.provider.domain,
    }
    yield Subject("", "provider", ""), EstateObject(estate.at, provider)
    for kind, items in (("node", estate.nodes), ("plan", estate.plans), ("add-on", estate.addons)):
        for item in items:
            yield Subject("", kind, item.name), EstateObject(item.at, item)
    for profile in estate.suspension_profiles:
        yield (
            Subject("", "suspension profile", profile.name),
            EstateObject(profile.at, _keys(profile.suspension)),
        )
    for mx in estate.backup_mx:
        yield Subject("", "backup MX", mx.hostname), EstateObject(mx.at, mx)
    for bundle in estate.addon_bundles:
        name = " + ".join(bundle.addons)
        yield (
            Subject("", "add-on bundle", name),
            EstateObject(bundle.at, {"price": bundle.price}),
        )
    for role in estate.roles:
        who = role.identity or f"group {role.group}"
        of = f" of {role.tenant}" if role.tenant else ""
        yield (
            Subject("", "role", f"{role.role}{of} for {who}"),
            EstateObject(role.at, {"address": role.address}),
        )
    yield from _objects_of_state(estate)


def _objects_of_state(estate: Estate) -> t.Iterator[tuple[Subject, EstateObject]]:
    """Yield the DKIM keys that nodes report, and the steps of promotions."""
    for state in estate.states:
        at = Position(f"state/{state.node}.json", 1, 1)
        for key in state.dkim:
            yield (
                Subject("", "reported DKIM key", f"{key.selector}._domainkey.{key.domain}"),
                EstateObject(at, {"public": key.public}),
            )
    for step in estate.steps:
        yield (
            Subject(step.tenant, "promotion", f"of {step.policy} of {step.domain}"),
            EstateObject(step.at, {"step": step.step}),
        )


def _objects_of_tenant(tenant: Tenant) -> t.Iterator[tuple[Subject, EstateObject]]:
    """Yield a tenant, and what is in its folder."""
    home = Subject(tenant.name, "tenant", tenant.name)
    yield home, EstateObject(tenant.at, tenant)
    for admin in tenant.admins:
        yield Subject(tenant.name, "admin", admin.address), EstateObject(admin.at, admin)
    for one in tenant.suspensions:
        # Without the reason: people of the tenant read plans.
        yield (
            Subject(tenant.name, "suspension", f"of {one.of}"),
            EstateObject(one.at, {"profile": one.profile, **_keys(one.suspension)}),
        )
    for limits in tenant.domain_limits:
        yield Subject(tenant.name, "domain limits", limits.name), EstateObject(limits.at, limits)
    for domain in tenant.domains:
        yield from _objects_of_domain(domain, home)


def _objects_of_domain(domain: Domain, home: Subject) -> t.Iterator[tuple[Subject, EstateObject]]:
    """Yield a domain, and what is in its file. ``home`` is its tenant."""
    place = Subject(home.tenant, "domain", domain.name)
    yield place, EstateObject(domain.at, domain, home)
    for kind, items in (
        ("mailbox", domain.mailboxes),
        ("alias", domain.aliases),
        ("sender address", domain.sender_addresses),
    ):
        for item in items:
            yield Subject(home.tenant, kind, item.address), EstateObject(item.at, item, place)
    for other in domain.domain_aliases:
        yield (
            Subject(home.tenant, "domain alias", other.name),
            EstateObject(other.at, {**_keys(other), "of": domain.name}, place),
        )


def _keys(value: t.Any) -> dict[str, t.Any]:
    """Return a dataclass as flat keys, without the lists of objects that have their own names.

    Of a policy that is promoted in steps, the target counts, which the files set. The step that is
    published is an object of its own.
    """
    found: dict[str, t.Any] = {}
    for name, key in _fields(value.__class__):
        item = getattr(value, name)
        item = getattr(item, "target", None) or item
        if isinstance(item, DomainLimits):  # an object of its own
            continue
        if dataclasses.is_dataclass(item) and not isinstance(item, Secret):
            for below, inner in _keys(item).items():
                if inner is not None or _is_limit(f"{key}.{below}"):
                    found[f"{key}.{below}"] = inner
        elif item is not None or _is_limit(key):
            found[key] = sorted(item) if isinstance(item, frozenset) else item
    return found


@functools.cache
def _fields(cls: t.Any) -> tuple[tuple[str, str], ...]:
    """Return the fields of a class that are keys, each with the key's name in the files."""
    found = []
    for field in dataclasses.fields(cls):
        if field.name not in _NO_KEYS and not _OF_OBJECTS.match(str(field.type)):
            key = field.name
            for model, file in _NAMES_IN_FILES.items():
                key = key.replace(model, file) if key == model or model.endswith("_") else key
            found.append((field.name, key))
    return tuple(found)


def _is_limit(key: str) -> bool:
    """Return whether the key is a limit: then None means unlimited."""
    return key in ("quota", "messages_per_hour", *_COUNTED) or key.startswith(
        ("limits.", "mailbox_quota.", "sending_limits.")
    )


def shown(key: str, value: t.Any) -> str:
    """Return a value as people write it, on one line, without control characters."""
    if isinstance(value, Secret):
        return "(a secret)"
    if value is None:
        return "unlimited" if _is_limit(key) else "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return size(value) if key.rpartition(".")[2] in _SIZES else f"{value}"
    if isinstance(value, Decimal):
        return f"{value}"
    if isinstance(value, (tuple, list)):
        return line(", ".join(_shown_item(item) for item in value)) if value else "nothing"
    return _shown_text(str(value))


def _shown_item(item: t.Any) -> str:
    """Return one item of a list. A pair is a key and its value."""
    return f"{item[0]}: {shown('', item[1])}" if isinstance(item, tuple) else str(item)


def _shown_text(text: str) -> str:
    """Return a text; of one with several lines, their number and the start of its SHA-256."""
    if "\n" in text:
        digest = hashlib.sha256(text.encode()).hexdigest()[:8]
        return f"a text of {len(text.splitlines())} lines ({digest})"
    return short(text) or "nothing"


def short(text: str) -> str:
    """Return a text on one line, without its middle if it is long.

    The end stays, because it is what differs between two public keys.
    """
    half = MAX_SHOWN // 2
    return line(text if len(text) <= MAX_SHOWN else f"{text[:half]} … {text[-half:]}")


def line(text: str) -> str:
    """Return a text on one line, without control characters.

    The loader refuses control characters. File names and old revisions can have them anyway.
    """
    return printable(text.replace("\n", "\\n"))
