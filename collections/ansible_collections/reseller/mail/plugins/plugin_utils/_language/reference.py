# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema of the files → the tables of docs/language.md, and the editors' schemas.

PRIVATE to the collection. Pure. People write the part of the page above MARK. The part below it is
generated here.
"""

from __future__ import annotations

import json
import re
import typing as t

from . import json_schema
from .scalars import Scalar
from .schema import CASCADES, FILES, LEVELS, NOT_YET, PARTS, Key, Many, Table, Type, item_type

PAGE = "language.md"
MARK = "<!-- Below this line `make reference` writes. -->\n"

_HEAD = "| key | allowed | default | meaning | effect |\n|---|---|---|---|---|"
_SLUGS = {
    "<domain>.yml": "domain",
    "state/<node>.json": "state",
    "state/promoted_domains.json": "promoted",
}
_CODE = re.compile(r"[OV]\(([^)]*)\)")
_OTHER_PAGE = re.compile(r"docs/(\w+)\.md")


def generated(before: str) -> dict[str, str]:
    """Return everything that is generated from the schema, by its path below docs/.

    ``before`` is the present text of the page, whose upper part is kept.
    """
    page = before.partition(MARK)[0] + MARK + "\n" + "\n".join(_Tables().lines())
    schemas = {
        f"schema/{name}": json.dumps(schema, indent=1, ensure_ascii=False) + "\n"
        for name, schema in json_schema.schemas().items()
    }
    return {PAGE: page, **schemas}


class _Tables:
    """The tables of the page. Each is written once; later uses of a table are links to it."""

    def __init__(self) -> None:
        self.anchors: dict[int, str] = {}  # id() of a table → its anchor

    def lines(self) -> t.Iterator[str]:
        """Yield the lines of the generated part."""
        yield from self.cascades()
        for kind, table in FILES.items():
            slug = _SLUGS.get(kind, kind.removesuffix(".yml"))
            yield from (f'<a id="{slug}"></a>', "", f"## `{kind}`", "")
            yield from self.table(table, slug)

    def cascades(self) -> t.Iterator[str]:
        """Yield the section about keys of several levels."""
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
        """Yield a table, then the tables of its keys that are not on the page yet."""
        below: list[tuple[Table, str, str]] = []
        yield _HEAD
        for name, key in table.keys.items():
            inner = item_type(key.type)
            if name == "defaults" and isinstance(inner, Table):
                allowed = _keys_of_several_levels(inner)
            else:
                if isinstance(inner, Table) and not inner.free and id(inner) not in self.anchors:
                    self.anchors[id(inner)] = f"{anchor}.{name}.keys"  # the row has its own anchor
                    title = path + name + ("[]" if isinstance(key.type, Many) else "")
                    below.append((inner, f"{anchor}.{name}", title))
                allowed = self.allowed(key.type)
            yield _row(f"{anchor}.{name}", name, key, allowed)
        yield ""
        for inner, deeper, title in below:
            yield from (f'<a id="{deeper}.keys"></a>', "", f"### `{title}`", "")
            yield from self.table(inner, deeper, f"{title}.")

    def allowed(self, kind: Type) -> str:
        """Return the cell that says which values a type accepts."""
        if isinstance(kind, Scalar):
            return ", ".join(f"`{word}`" for word in kind.words) or kind.allowed
        if isinstance(kind, Many):
            items = self.allowed(kind.of)
            if isinstance(kind.of, Table):
                return f"a list, each with {items}"
            return f"a list of {items}" if kind.of.words else f"a list, each {items}"
        if kind.free:
            return f"any keys; each value {kind.free.allowed}"
        return f"[these keys](#{self.anchors[id(kind)]})"


def _keys_of_several_levels(table: Table) -> str:
    """Return the cell for the key ``defaults``."""
    names = ", ".join(f"`{name}`" for name in table.keys)
    return f"these [keys of several levels](#levels): {names}"


def _row(anchor: str, name: str, key: Key, allowed: str) -> str:
    """Return the row of a key."""
    default = json_schema.default_text(key)
    shown = "**required**" if key.required else f"`{default}`" if default else ""
    effect = {PARTS: "", NOT_YET: "not yet"}.get(key.acts, key.acts)
    doc = _CODE.sub(lambda found: f"`{found[1].replace('=', ': ')}`", key.doc)
    doc = _OTHER_PAGE.sub(r"[\1](\1.md)", doc)
    cells = (f'<a id="{anchor}"></a>`{name}`', allowed, shown, doc, effect)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
