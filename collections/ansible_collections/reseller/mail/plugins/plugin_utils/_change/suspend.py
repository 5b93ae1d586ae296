# SPDX-License-Identifier: GPL-3.0-or-later
"""Add a suspension to the text of an account, or remove what suspends an object there.

PRIVATE to the collection. Pure. Everything else in the file stays as it is: comments, order,
quotes, layout and line ends. The caller must load the result and compare it with what it wants,
before it writes the file.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .rewrite import CannotEdit, decoded

try:
    import yaml
    from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
except ImportError:  # pragma: no cover - on hosts; the controller has it, as ansible-core needs it
    pass

_PLAIN = re.compile(r"[a-z0-9][a-z0-9_+-]*(?:[.@][a-z0-9_+-]+)+")
"""Names that YAML reads as text without quotes."""


@dataclass(frozen=True)
class _Text:
    """The text of a file, and its mapping. ``mark`` is a byte order mark or empty."""

    mark: str
    text: str
    root: MappingNode

    @property
    def line_end(self) -> str:
        """Return how lines of the file end."""
        return "\r\n" if "\r\n" in self.text else "\n"

    def value(self, name: str) -> t.Optional[Node]:
        """Return the value of a key of the file; None if the file does not have it."""
        return next((value for key, value in self.root.value if key.value == name), None)

    def key(self, name: str) -> Node:
        """Return the node of a key that the file has."""
        return t.cast(Node, next(key for key, _value in self.root.value if key.value == name))

    def edited(self, start: int, end: int, new: str) -> bytes:
        """Return the content of the file with other text between two places."""
        return f"{self.mark}{self.text[:start]}{new}{self.text[end:]}".encode()


def _read(content: bytes) -> _Text:
    """Return the text of a file; raise CannotEdit if it is no mapping."""
    mark, text = decoded(content)
    root = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    if not isinstance(root, MappingNode) or not root.value:
        raise CannotEdit
    return _Text(mark, text, root)


def suspend(content: bytes, of: str, profile: str, reason: str) -> bytes:
    """Return the account with one suspension more; an older one of the same object goes.

    Raise CannotEdit if the layout of the file has no place for it.
    """
    item = {"of": of, "profile": profile, "reason": reason}
    wanted = _values(content)
    wanted["suspensions"] = [
        *(one for one in wanted.get("suspensions", []) if one.get("of") != of),
        {key: value for key, value in item.items() if value},
    ]
    return _proved(_with_item(content, of, profile, reason), wanted)


def _values(content: bytes) -> dict[str, t.Any]:
    """Return the values of a file as texts, lists and mappings."""
    values = yaml.load(content, Loader=yaml.BaseLoader)
    if not isinstance(values, dict):
        raise CannotEdit
    return values


def _proved(content: bytes, wanted: dict[str, t.Any]) -> bytes:
    """Return the content if it has the wanted values; raise CannotEdit if it has others."""
    try:
        found = _values(content)
    except yaml.YAMLError:
        raise CannotEdit from None
    if found != wanted:
        raise CannotEdit
    return content


def _with_item(content: bytes, of: str, profile: str, reason: str) -> bytes:
    """Return the account with the item as the last one of ``suspensions``."""
    file = _read(_without_item(content, of))
    entries = [("of", _scalar(of)), ("profile", profile), ("reason", _quoted(reason))]
    pairs = [f"{key}: {value}" for key, value in entries if value]
    items = file.value("suspensions")
    if isinstance(items, SequenceNode) and not items.flow_style:
        first = _dash(file, items.value[0])
        indent = " " * (first - file.text.rfind("\n", 0, first) - 1)
        return _after_line(
            file, _end(items), [f"{indent}- {pairs[0]}", *(f"{indent}  {one}" for one in pairs[1:])]
        )
    if isinstance(items, SequenceNode):
        at = items.end_mark.index - 1
        comma = ", " if items.value else ""
        return file.edited(at, at, f"{comma}{{{', '.join(pairs)}}}")
    if items is not None:
        raise CannotEdit
    if file.root.flow_style:
        at = file.root.start_mark.index + 1
        return file.edited(at, at, f"suspensions: [{{{', '.join(pairs)}}}], ")
    key = file.root.value[0][0]
    indent = " " * key.start_mark.column
    lines = ["suspensions:", f"  - {pairs[0]}", *(f"    {one}" for one in pairs[1:])]
    return _after_line(file, _end(file.root), [indent + one for one in lines])


def resume(content: bytes, of: str, tenant: str) -> bytes:
    """Return the account without what suspends the object there.

    That is its item of ``suspensions``, its item of ``suspended_domains``, and for the tenant
    ``state: suspended``. Raise CannotEdit if the layout of the file does not allow it.
    """
    wanted = _values(content)
    for name in ("suspensions", "suspended_domains"):
        items = wanted.get(name, [])
        left = [one for one in items if (one.get("of") if isinstance(one, dict) else one) != of]
        if items and not left:
            del wanted[name]
        elif items:
            wanted[name] = left
    if of == tenant and wanted.get("state") == "suspended":
        wanted["state"] = "active"
    return _proved(_resumed(content, of, tenant), wanted)


def _resumed(content: bytes, of: str, tenant: str) -> bytes:
    """Return the account without what suspends the object."""
    file = _read(_without_item(content, of))
    domains = file.value("suspended_domains")
    if isinstance(domains, SequenceNode):
        nth = next((n for n, one in enumerate(domains.value) if one.value == of), None)
        if nth is not None:
            file = _read(_without(file, "suspended_domains", domains, nth))
    state = file.value("state")
    if of == tenant and isinstance(state, ScalarNode) and state.value == "suspended":
        return file.edited(state.start_mark.index, state.end_mark.index, "active")
    return f"{file.mark}{file.text}".encode()


def _without_item(content: bytes, of: str) -> bytes:
    """Return the account without the object's item of ``suspensions``."""
    file = _read(content)
    items = file.value("suspensions")
    if not isinstance(items, SequenceNode):
        return content
    for nth, item in enumerate(items.value):
        if isinstance(item, MappingNode) and any(
            key.value == "of" and value.value == of for key, value in item.value
        ):
            return _without(file, "suspensions", items, nth)
    return content


def _without(file: _Text, name: str, items: SequenceNode, nth: int) -> bytes:
    """Return the file without an item of a list; without the key if it was the only one."""
    if len(items.value) == 1:
        if file.root.flow_style:
            raise CannotEdit
        start = file.text.rfind("\n", 0, file.key(name).start_mark.index) + 1
        return file.edited(start, _line_after(file, _end(items)), "")
    item = items.value[nth]
    if items.flow_style:
        if nth:
            return file.edited(_end(items.value[nth - 1]), _end(item), "")
        return file.edited(item.start_mark.index, items.value[1].start_mark.index, "")
    start = file.text.rfind("\n", 0, _dash(file, item)) + 1
    return file.edited(start, _line_after(file, _end(item)), "")


def _dash(file: _Text, item: Node) -> int:
    """Return where the hyphen of an item of a block list is."""
    return file.text.rindex("-", 0, item.start_mark.index)


def _end(node: Node) -> int:
    """Return the place behind a value. For a block, the parser's mark is where the next begins."""
    if isinstance(node, ScalarNode) or t.cast(SequenceNode, node).flow_style:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _end(last[1] if isinstance(last, tuple) else last)


def _line_after(file: _Text, at: int) -> int:
    """Return where the next line begins."""
    found = file.text.find("\n", max(at - 1, 0)) if file.text[at - 1 : at] == "\n" else -1
    if found >= 0:  # a block scalar ends behind its last line
        return at
    found = file.text.find("\n", at)
    return len(file.text) if found < 0 else found + 1


def _after_line(file: _Text, at: int, lines: t.Iterable[str]) -> bytes:
    """Return the file with more lines behind the one that a value ends in."""
    place = _line_after(file, at)
    text = "".join(line + file.line_end for line in lines)
    before = file.text[:place]
    return file.edited(place, place, text if before.endswith("\n") else file.line_end + text)


def _scalar(text: str) -> str:
    """Return a name as YAML."""
    return text if _PLAIN.fullmatch(text) else _quoted(text)


def _quoted(text: str) -> str:
    """Return a text in single quotes; nothing for an empty one."""
    return "'" + text.replace("'", "''") + "'" if text else ""
