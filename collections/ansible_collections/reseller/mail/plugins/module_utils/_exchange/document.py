# SPDX-License-Identifier: GPL-3.0-or-later
"""Files ↔ documents: what a file says, as plain values.

PRIVATE to the collection. Pure. A document holds what is written, not what follows from it: no defaults, nothing that
cascades. Only recipients are spelled out (``jo`` is ``jo@acme.example``), so that a row can be read without its file.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.reseller.mail.plugins.module_utils import _schema
from ansible_collections.reseller.mail.plugins.module_utils._nodes import LIST, MAPPING, Node, parse
from ansible_collections.reseller.mail.plugins.module_utils._scalars import (
    POOL,
    QUOTA,
    RECIPIENT,
    SIZE,
    Scalar,
)
from ansible_collections.reseller.mail.plugins.module_utils._sizes import size

Document = dict[str, t.Any]
Path = tuple[t.Union[str, int], ...]
"""Where something stands in a document: ``("mailboxes", 3, "quota")``."""

SIZES = (POOL, QUOTA, SIZE)
VAULT = "$ANSIBLE_VAULT;"
_DOMAIN_FILE = re.compile(r"tenants/([^/]+)/([^/]+)\.yml")


@dataclass
class Draft:
    """What was read from elsewhere: documents by the path of their file, and which row of the source each part came from.

    ``whole`` are those that say all that their file shall say; others only add to one.
    """

    documents: dict[str, Document] = field(default_factory=dict)
    origins: dict[str, dict[Path, str]] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)
    lost: list[Lost] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def at(self, path: str, place: Path, origin: str) -> None:
        """Notes where a part of a document came from."""
        self.origins.setdefault(path, {})[place] = origin


@dataclass(frozen=True)
class Lost:
    """Something of the source that could not be carried over: where it stands, what it is, and why."""

    source: str
    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.source}: {self.what}: {self.why}"

    @property
    def rank(self) -> tuple[str, int, str, str]:
        """Sorts by file and line."""
        file, _colon, line = self.source.rpartition(":")
        return (
            (file, int(line), self.what, self.why)
            if line.isdecimal()
            else (self.source, 0, self.what, self.why)
        )


def table_of(path: str) -> t.Optional[_schema.Table]:
    """What may stand in the file of that path; None for files that no person writes."""
    if path in ("estate.yml", "plans.yml"):
        return _schema.FILES[path]
    found = _DOMAIN_FILE.fullmatch(path)
    if found is None:
        return None
    return _schema.ACCOUNT if found[2] == "account" else _schema.DOMAIN_FILE


def domain_of(path: str) -> str:
    """The domain that a file is about; empty for the others."""
    found = _DOMAIN_FILE.fullmatch(path)
    return found[2] if found and found[2] != "account" else ""


def documents(files: t.Mapping[str, bytes]) -> dict[str, Document]:
    """What the files of an estate say, sorted by path; the nodes' reports are no part of it."""
    found = {}
    for path in sorted(files):
        table = table_of(path)
        if table is not None:
            root, _faults = parse(path, files[path])
            found[path] = (
                _table(root, table, domain_of(path))
                if root is not None and root.kind == MAPPING
                else {}
            )
    return found


def _table(node: Node, table: _schema.Table, domain: str) -> Document:
    if table.free is not None:
        return {name: _value(entry[2], table.free, domain) for name, entry in node.value.items()}
    # In the schema's order, which is the order that people read it in; then what the schema does not know.
    names = [
        *(name for name in table.keys if name in node.value),
        *(name for name in node.value if name not in table.keys),
    ]
    return {
        name: _value(
            node.value[name][2], table.keys[name].type if name in table.keys else None, domain
        )
        for name in names
    }


def _value(node: Node, kind: t.Optional[_schema.Type], domain: str) -> t.Any:
    """What a node says; what does not fit the schema is taken as it is written, for the judge to speak of."""
    if node.kind == MAPPING:
        return _table(node, kind if isinstance(kind, _schema.Table) else _schema.Table(""), domain)
    if node.kind == LIST:
        of = kind.of if isinstance(kind, _schema.Many) else None
        return [_value(item, of, domain) for item in node.value]
    if node.null:
        return None
    if not isinstance(kind, Scalar) or kind.secret:
        return node.value
    try:
        return completed(plain(node.value, kind), kind, domain)
    except ValueError:
        return node.value


def plain(text: str, kind: Scalar) -> t.Any:
    """What a text of the files means, in a form that is read again as the same: 5, true, "5G", "unlimited", "jo@acme.example"."""
    return shown_value(kind.read(text), kind)


def shown_value(value: t.Any, kind: Scalar) -> t.Any:
    """A value as ``Scalar.read`` returns it, as a document has it."""
    if kind in SIZES:
        return size(value)
    if value is None:
        return "unlimited"
    return value if isinstance(value, (bool, int, str)) else str(value)


def completed(value: t.Any, kind: Scalar, domain: str) -> t.Any:
    """A recipient with its domain. Outside a domain's file the word stays: there it stands for one in each domain."""
    return f"{value}@{domain}" if kind is RECIPIENT and domain and "@" not in value else value


def shortened(value: t.Any, kind: t.Any, domain: str) -> t.Any:
    """A recipient as people write it in a domain's file: without the domain, when it is that one."""
    if kind is RECIPIENT and domain and isinstance(value, str):
        return value.removesuffix(f"@{domain}")
    return value


def marks(path: str, content: bytes, origins: t.Mapping[Path, str]) -> dict[tuple[int, int], str]:
    """Which row each place of a file came from, so that a fault can say it: the nearest thing above that has an origin."""
    root, _faults = parse(path, content)
    found: dict[tuple[int, int], str] = {}
    waiting: list[tuple[Node, Path, str]] = [(root, (), "")] if root is not None else []
    found[1, 1] = origins.get((), "")
    while waiting:
        node, place, inherited = waiting.pop()
        origin = origins.get(place, inherited)
        found[node.line, node.column] = origin
        if node.kind == LIST:
            waiting += [(item, (*place, index), origin) for index, item in enumerate(node.value)]
        elif node.kind == MAPPING:
            for name, (line, column, value) in node.value.items():
                found.setdefault((line, column), origins.get((*place, name), origin))
                waiting.append((value, (*place, name), origin))
    return found


def is_default(key: _schema.Key, value: t.Any) -> bool:
    """Whether leaving the key out says the same. Never for what cascades: there a default hides what stands further away."""
    kind = key.type
    if key.rule or key.required or key.default is _schema.UNSAID:
        return False
    if isinstance(kind, Scalar):
        # Not "unlimited" either: in so many words it is refused inside something that has an end, and left out it is not.
        return key.default is not None and shown_value(key.default, kind) == value
    if isinstance(kind, _schema.Table):
        return value == {} and not kind.required
    return isinstance(value, list) and _same_items(value, key.default)


def _same_items(value: list[t.Any], default: t.Any) -> bool:
    return (
        default is not None
        and all(isinstance(item, str) for item in value)
        and tuple(value) == tuple(default)
    )


def of_tenants(whole: t.Mapping[str, Document], tenants: t.Sequence[str]) -> dict[str, Document]:
    """What is about some tenants alone; everything when none are named."""
    return {
        path: document
        for path, document in whole.items()
        if not tenants or (path.split("/")[0] == "tenants" and path.split("/")[1] in tenants)
    }


def without_secrets(whole: t.Mapping[str, Document]) -> tuple[dict[str, Document], int]:
    """The documents without passwords, hashed or vaulted, and how many there were."""
    left_out = 0

    def clean(value: t.Any, kind: t.Any) -> t.Any:
        nonlocal left_out
        if isinstance(kind, _schema.Many) and isinstance(kind.of, _schema.Table):
            return [clean(item, kind.of) for item in value]
        if not isinstance(kind, _schema.Table) or kind.free is not None:
            return value
        secret = {
            name
            for name, key in kind.keys.items()
            if isinstance(key.type, Scalar) and key.type.secret and name in value
        }
        left_out += len(secret)
        return {
            name: clean(inner, kind.keys[name].type)
            for name, inner in value.items()
            if name not in secret
        }

    return {path: clean(document, table_of(path)) for path, document in whole.items()}, left_out


def omissions(form: str, secrets: int, some_tenants: bool) -> list[str]:
    """What an export leaves out, in words."""
    omitted = []
    if form == "csv" or some_tenants:
        omitted.append(
            "estate.yml and plans.yml: nodes, plans and the provider's own; the JSON form of the whole estate has them"
        )
    if secrets:
        omitted.append(
            f"{secrets} password{'s' * (secrets != 1)} (hashes or vaulted values), which were not asked for"
        )
    omitted.append("state/: what nodes report of themselves, which they report again")
    omitted.append("comments and the layout of the files")
    return omitted
