# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema of the files → the tables of docs/language.md.

PRIVATE to the collection. Pure. What stands above MARK in the page is written by hand, what stands below it is made here.
"""

from __future__ import annotations

import json
import re
import typing as t

from ansible_collections.reseller.mail.plugins.module_utils import _json_schema
from ansible_collections.reseller.mail.plugins.module_utils._scalars import Scalar
from ansible_collections.reseller.mail.plugins.module_utils._schema import (
    CASCADES,
    FILES,
    LEVELS,
    NOT_YET,
    PARTS,
    Key,
    Many,
    Table,
    Type,
)

PAGE = "language.md"
MARK = "<!-- Below this line `make reference` writes. -->\n"

_HEAD = "| key | takes | default | meaning | effect | rows |\n|---|---|---|---|---|---|"
_SLUGS = {
    "<domain>.yml": "domain",
    "state/<node>.json": "state",
    "state/promoted_domains.json": "promoted",
}
_CODE = re.compile(r"[OV]\(([^)]*)\)")


def made(before: str) -> dict[str, str]:
    """Path below docs/ → text of everything that is made from the schema, given the page as it was."""
    page = before.partition(MARK)[0] + MARK + "\n" + "\n".join(_Tables().lines())
    schemas = {
        f"schema/{name}": json.dumps(schema, indent=1, ensure_ascii=False) + "\n"
        for name, schema in _json_schema.schemas().items()
    }
    return {PAGE: page, **schemas}


class _Tables:
    """Prints each table once, where it first stands, and links to it from elsewhere."""

    def __init__(self) -> None:
        self.anchors: dict[int, str] = {}  # id of a table → its anchor

    def lines(self) -> t.Iterator[str]:
        yield from self.cascades()
        for kind, table in FILES.items():
            slug = _SLUGS.get(kind, kind.removesuffix(".yml"))
            yield from (f'<a id="{slug}"></a>', "", f"## `{kind}`", "")
            yield from self.table(table, slug)

    def cascades(self) -> t.Iterator[str]:
        yield from ('<a id="levels"></a>', "", "## Keys of several levels", "")
        yield "| key | " + " | ".join(LEVELS) + " | rule |\n|---|" + ":-:|" * len(LEVELS) + "---|"
        for name, cascade in CASCADES.items():
            at = ("yes" if level in cascade.levels else "" for level in LEVELS)
            yield f"| [`{name}`](#levels.{name}) | " + " | ".join(at) + f" | {cascade.key.rule} |"
        yield ""
        yield from self.table(
            Table("levels", {name: cascade.key for name, cascade in CASCADES.items()}), "levels"
        )

    def table(self, table: Table, anchor: str, path: str = "") -> t.Iterator[str]:
        """A table, then those below it that stand nowhere yet."""
        below: list[tuple[Table, str, str]] = []
        yield _HEAD
        for name, key in table.keys.items():
            inner = key.type.of if isinstance(key.type, Many) else key.type
            if name == "defaults" and isinstance(inner, Table):
                takes = f"those of the [keys of several levels](#levels) that may stand here: {', '.join(f'`{one}`' for one in inner.keys)}"
            else:
                if isinstance(inner, Table) and not inner.free and id(inner) not in self.anchors:
                    self.anchors[id(inner)] = f"{anchor}.{name}.keys"  # the row has one of its own
                    below.append(
                        (inner, f"{anchor}.{name}", path + name + "[]" * isinstance(key.type, Many))
                    )
                takes = self.takes(key.type)
            yield _row(f"{anchor}.{name}", name, key, takes)
        yield ""
        for inner, deeper, title in below:
            yield from (f'<a id="{deeper}.keys"></a>', "", f"### `{title}`", "")
            yield from self.table(inner, deeper, f"{title}.")

    def takes(self, kind: Type) -> str:
        if isinstance(kind, Scalar):
            return ", ".join(f"`{word}`" for word in kind.words) or kind.allowed
        if isinstance(kind, Many):
            said = self.takes(kind.of)
            return (
                f"a list, each with {said}"
                if isinstance(kind.of, Table)
                else f"a list of {said}"
                if kind.of.words
                else f"a list, each {said}"
            )
        return (
            f"any keys; each value {kind.free.allowed}"
            if kind.free
            else f"[these keys](#{self.anchors[id(kind)]})"
        )


def _row(anchor: str, name: str, key: Key, takes: str) -> str:
    default = (
        "**required**"
        if key.required
        else f"`{said}`"
        if (said := _json_schema.default_said(key))
        else ""
    )
    effect = {PARTS: "", NOT_YET: "not yet"}.get(key.acts, key.acts)
    doc = _CODE.sub(lambda found: f"`{found[1].replace('=', ': ')}`", key.doc)
    cells = (f'<a id="{anchor}"></a>`{name}`', takes, default, doc, effect, " ".join(key.rows))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
