# SPDX-License-Identifier: GPL-3.0-or-later
"""Read files as documents: their content as plain values.

PRIVATE to the collection. Pure. A document has what is written in its file, without defaults and
without inherited values. Only recipients are complete (``jo`` is ``jo@acme.example``), so that a
row can be read without its file.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from .._language import schema
from .._language.scalars import POOL, QUOTA, RECIPIENT, SIZE, Scalar
from .._language.yaml_nodes import LIST, MAPPING, YamlNode, parse
from .._model.sizes import size

Document = dict[str, t.Any]
Path = tuple[t.Union[str, int], ...]
"""A path in a document: ``("mailboxes", 3, "quota")``."""

SIZES = (POOL, QUOTA, SIZE)
VAULT = "$ANSIBLE_VAULT;"
_DOMAIN_FILE = re.compile(r"tenants/([^/]+)/([^/]+)\.yml")


@dataclass
class Draft:
    """What was read from a source.

    Attributes:
        documents: The documents, by the path of their file.
        origins: The row of each part of a document.
        whole: Documents with the whole content of their file. The others only add to a file.
        lost: What could not be imported.
        errors: Why nothing can be imported.
    """

    documents: dict[str, Document] = field(default_factory=dict)
    origins: dict[str, dict[Path, str]] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)
    lost: list[Lost] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def at(self, path: str, place: Path, origin: str) -> None:
        """Note the row of a part of a document."""
        self.origins.setdefault(path, {})[place] = origin


@dataclass(frozen=True)
class Lost:
    """Something of the source that could not be imported: its row, what it is, and the reason."""

    source: str
    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.source}: {self.what}: {self.why}"

    @property
    def rank(self) -> tuple[str, int, str, str]:
        """Return what sorts it by file and line."""
        file, _colon, line = self.source.rpartition(":")
        return (
            (file, int(line), self.what, self.why)
            if line.isdecimal()
            else (self.source, 0, self.what, self.why)
        )


def table_of(path: str) -> t.Optional[schema.Table]:
    """Return the schema of the file of that path; None for a file that no person writes."""
    if path in ("estate.yml", "plans.yml"):
        return schema.FILES[path]
    found = _DOMAIN_FILE.fullmatch(path)
    if found is None:
        return None
    return schema.ACCOUNT if found[2] == "account" else schema.DOMAIN_FILE


def domain_of(path: str) -> str:
    """Return the domain of a domain's file; empty for other files."""
    found = _DOMAIN_FILE.fullmatch(path)
    return found[2] if found and found[2] != "account" else ""


def documents(files: t.Mapping[str, bytes]) -> dict[str, Document]:
    """Return the documents of an estate, sorted by path, without the reports of nodes."""
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


def _table(node: YamlNode, table: schema.Table, domain: str) -> Document:
    """Return the values of a table."""
    if table.free is not None:
        return {name: _value(entry[2], table.free, domain) for name, entry in node.value.items()}
    # First the keys of the schema, in its order, which people are used to; then unknown keys.
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


def _value(node: YamlNode, kind: t.Optional[schema.Type], domain: str) -> t.Any:
    """Return the value of a node. A value that the schema refuses stays as it is written.

    It becomes a fault when the files are validated.
    """
    if node.kind == MAPPING:
        return _table(node, kind if isinstance(kind, schema.Table) else schema.Table(""), domain)
    if node.kind == LIST:
        of = kind.of if isinstance(kind, schema.Many) else None
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
    """Return the value of a text, in a form that is read again as the same value.

    Examples: 5, true, "5G", "unlimited", "jo@acme.example". Raise ValueError for a wrong text.
    """
    return shown_value(kind.read(text), kind)


def shown_value(value: t.Any, kind: Scalar) -> t.Any:
    """Return a value of ``Scalar.read`` in the form that a document has."""
    if kind in SIZES:
        return size(value)
    if value is None:
        return "unlimited"
    return value if isinstance(value, (bool, int, str)) else str(value)


def completed(value: t.Any, kind: Scalar, domain: str) -> t.Any:
    """Return a recipient with its domain. Other values are returned unchanged.

    Outside a domain's file a recipient without a domain means one in each domain.
    """
    return f"{value}@{domain}" if kind is RECIPIENT and domain and "@" not in value else value


def shortened(value: t.Any, kind: t.Any, domain: str) -> t.Any:
    """Return a recipient as people write it in a domain's file: without the same domain."""
    if kind is RECIPIENT and domain and isinstance(value, str):
        return value.removesuffix(f"@{domain}")
    return value


def marks(path: str, content: bytes, origins: t.Mapping[Path, str]) -> dict[tuple[int, int], str]:
    """Return the row of each place (line, column) of a file, so that a fault can name its row.

    It is the row of the nearest level above that has one.
    """
    root, _faults = parse(path, content)
    found: dict[tuple[int, int], str] = {}
    waiting: list[tuple[YamlNode, Path, str]] = [(root, (), "")] if root is not None else []
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


def is_default(key: schema.Key, value: t.Any) -> bool:
    """Return whether the value means the same as a key that is left out.

    A key that is inherited has no such value: the default would override the level above.
    """
    kind = key.type
    if key.rule or key.required or key.default is schema.UNSET:
        return False
    if isinstance(kind, Scalar):
        # "unlimited" is no default: the word is refused below a finite limit, a missing key is not.
        return key.default is not None and shown_value(key.default, kind) == value
    if isinstance(kind, schema.Table):
        return value == {} and not kind.required
    return isinstance(value, list) and _same_items(value, key.default)


def _same_items(value: list[t.Any], default: t.Any) -> bool:
    """Return whether a list of texts has the items of the default."""
    return (
        default is not None
        and all(isinstance(item, str) for item in value)
        and tuple(value) == tuple(default)
    )


def of_tenants(whole: t.Mapping[str, Document], tenants: t.Sequence[str]) -> dict[str, Document]:
    """Return the documents of some tenants; all documents if no tenant is named."""
    return {
        path: document
        for path, document in whole.items()
        if not tenants or (path.split("/")[0] == "tenants" and path.split("/")[1] in tenants)
    }


def without_secrets(whole: t.Mapping[str, Document]) -> tuple[dict[str, Document], int]:
    """Return the documents without passwords, hashed or vaulted, and how many there were."""
    left_out = 0

    def clean(value: t.Any, kind: t.Any) -> t.Any:
        """Return a value without its passwords, and count them."""
        nonlocal left_out
        if isinstance(kind, schema.Many) and isinstance(kind.of, schema.Table):
            return [clean(item, kind.of) for item in value]
        if not isinstance(kind, schema.Table) or kind.free is not None:
            return value
        secrets = {name for name, key in kind.keys.items() if _is_secret(key) and name in value}
        left_out += len(secrets)
        return {
            name: clean(inner, kind.keys[name].type)
            for name, inner in value.items()
            if name not in secrets
        }

    return {path: clean(document, table_of(path)) for path, document in whole.items()}, left_out


def _is_secret(key: schema.Key) -> bool:
    """Return whether the key is a password."""
    return isinstance(key.type, Scalar) and key.type.secret


def omissions(form: str, secrets: int, some_tenants: bool) -> list[str]:
    """Return what an export leaves out, one sentence each."""
    omitted = []
    if form == "csv" or some_tenants:
        omitted.append(
            "estate.yml and plans.yml, with nodes and plans: export the whole estate as JSON to"
            " have them"
        )
    if secrets:
        omitted.append(
            f"{secrets} password{'s' * (secrets != 1)} (hashes or vaulted values): export them"
            " with export_secrets=true"
        )
    omitted.append("state/: what nodes report of themselves, which they report again")
    omitted.append("comments and the layout of the files")
    return omitted
