# SPDX-License-Identifier: GPL-3.0-or-later
"""Add new items and keys to the text of a file that a person wrote.

PRIVATE to the collection. Pure. Everything else in the file stays as it is, also comments. The text
is changed by lines and then read again. If its content is not exactly what it should be, nothing is
added and ``Refused`` is raised.
"""

from __future__ import annotations

import json
import re
import typing as t

from .._language import schema
from .._language.yaml_nodes import LIST, MAPPING, YamlNode, parse
from . import yaml_out
from .document import Document, Path, documents, domain_of, table_of

_LAYOUT = "nothing can be added to this file because of its layout: add the rows by hand"
_FLOW_ITEM = re.compile(
    r"""'[^']*'|"(?:[^"\\]|\\.)*"|\{[^{}]*\}|[^\s,\[\]{}]+(?: [^\s,\[\]{}#]+)*"""
)
"""One item of a list in brackets: a text, a table in braces, or words."""


class Refused(Exception):
    """Why something cannot be added."""


class Merged(t.NamedTuple):
    """Two documents as one.

    Attributes:
        whole: The document with the content of both.
        moved: Each added part: its path in the new document, and its path in ``whole``.
        clashes: What in the new document contradicts the file.
    """

    whole: Document
    moved: list[tuple[Path, Path]]
    clashes: list[str]


def merged(path: str, there: Document, new: Document) -> Merged:
    """Return the document of a file with a new document added to it.

    An item that is in the file already is not added a second time.
    """
    table = table_of(path) or schema.Table("")
    found = Merged(dict(there), [], [])
    for name, value in new.items():
        kind = table.keys[name].type if name in table.keys else None
        if name not in there:
            found.whole[name] = value
            found.moved.append(((name,), (name,)))
        elif _are_lists(kind, value, there[name]):
            _merge_items(found, name, value)
        elif isinstance(kind, schema.Table) and kind.free and isinstance(value, dict):
            _merge_entries(found, name, value)
        elif there[name] != value:
            written = yaml_out.flow(there[name], kind, "") or "another value"
            found.clashes.append(f"{name} is {written} there")
    return found


def _are_lists(kind: t.Any, *values: t.Any) -> bool:
    """Return whether the schema has a list here and all values are lists."""
    return isinstance(kind, schema.Many) and all(isinstance(value, list) for value in values)


def _merge_items(found: Merged, name: str, value: list[t.Any]) -> None:
    """Add the items of a list that are not in the file."""
    items = list(found.whole[name])
    known = {json.dumps(item, sort_keys=True) for item in items}
    for index, item in enumerate(value):
        if json.dumps(item, sort_keys=True) not in known:
            items.append(item)
            found.moved.append(((name, index), (name, len(items) - 1)))
    found.whole[name] = items


def _merge_entries(found: Merged, name: str, value: Document) -> None:
    """Add the entries of a table whose names are free. An entry with another value is a clash."""
    before = found.whole[name]
    for step, entry in value.items():
        if step in before and before[step] != entry:
            found.clashes.append(f"{name}.{step} is {before[step]} there")
        found.moved.append(((name, step), (name, step)))
    found.whole[name] = {**value, **before}


def with_secrets_of(there: Document, new: Document) -> Document:
    """Return the new document, with the passwords of the file for mailboxes without one."""
    passwords = {
        box.get("name"): box["password"]
        for box in there.get("mailboxes", [])
        if isinstance(box, dict) and "password" in box
    }
    if not passwords or not isinstance(new.get("mailboxes"), list):
        return new
    boxes = [
        (
            {**box, "password": passwords[box.get("name")]}
            if isinstance(box, dict) and "password" not in box and box.get("name") in passwords
            else box
        )
        for box in new["mailboxes"]
    ]
    return {**new, "mailboxes": boxes}


def added(path: str, content: bytes, there: Document, whole: Document) -> bytes:
    """Return the file with what is in ``whole`` and not in ``there``, which is its content now.

    Raise ``Refused`` if the file cannot be read, or if its layout has no place for an addition.
    """
    text = content.decode("utf-8-sig")
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = text.replace("\r\n", "\n").split("\n")
    if lines and lines[-1] == "":
        lines.pop()
    root, faults = parse(path, content)
    if faults or (root is not None and root.kind != MAPPING):
        raise Refused("this file cannot be read")
    if root is None:
        lines = [line for line in lines if line.strip() != "{}"]
    # From the last key to the first, so that the line numbers above stay right.
    for name in sorted(whole, key=lambda key: -_line(root, key)):
        if whole[name] == there.get(name):
            continue
        if name not in there:
            _add_key(lines, root, path, name, whole[name])
            root = parse(path, "\n".join(lines).encode())[0]
        else:
            items = whole[name][len(there[name]) :]
            _add_items(lines, t.cast(YamlNode, root), path, name, items)
    result = (newline.join(lines) + newline).encode()
    if not holds(path, result, whole):
        raise Refused(_LAYOUT)
    return result


def holds(path: str, content: bytes, whole: Document) -> bool:
    """Return whether a text has the content of a document. Defaults can be written or left out."""
    _root, faults = parse(path, content)
    mine = documents({path: content})[path]
    yours = documents({path: yaml_out.text(path, whole).encode()})[path]
    return not faults and yaml_out.text(path, mine) == yaml_out.text(path, yours)


def _line(root: t.Optional[YamlNode], key: str) -> int:
    """Return the line of a key; 0 if it is not in the file."""
    return root.value[key][0] if root is not None and key in root.value else 0


def _add_key(
    lines: list[str], root: t.Optional[YamlNode], path: str, name: str, value: t.Any
) -> None:
    """Add a key to the lines."""
    table = table_of(path) or schema.Table("")
    kind = table.keys[name].type if name in table.keys else None
    at = _line_for_key(lines, root, name, table)
    lines[at:at] = yaml_out.entry(name, value, kind, domain_of(path))


def _line_for_key(
    lines: list[str], root: t.Optional[YamlNode], name: str, table: schema.Table
) -> int:
    """Return where a new key goes: before the first key that follows it in the schema."""
    order = list(table.keys)
    following = order[order.index(name) + 1 :] if name in order else []
    later = [_line(root, key) for key in following if _line(root, key)]
    return _above_comments(lines, min(later) - 1) if later else len(lines)


def _above_comments(lines: list[str], at: int) -> int:
    """Return the line above the comments and empty lines that belong to the key at ``at``."""
    while at and (not lines[at - 1].strip() or lines[at - 1].startswith("#")):
        at -= 1
    return at


def _add_items(lines: list[str], root: YamlNode, path: str, name: str, items: t.Any) -> None:
    """Add items to a list of the lines."""
    table = table_of(path) or schema.Table("")
    kind = table.keys[name].type if name in table.keys else None
    key_line, _column, node = root.value[name]
    if node.kind != LIST or not isinstance(kind, schema.Many):
        raise Refused(_LAYOUT)
    domain = domain_of(path)
    indent = _indent_of_dashes(lines, node)
    if indent is None:
        _add_in_brackets(lines, node, [yaml_out.flow(item, kind.of, domain) for item in items])
        return
    below = [line for line, _column, _node in root.value.values() if line > key_line]
    end = _above_comments(lines, min(below) - 1) if below else len(lines)
    while not lines[end - 1].strip():
        end -= 1
    lines[end:end] = [
        line for item in items for line in yaml_out.item(item, kind.of, domain, indent)
    ]


def _indent_of_dashes(lines: list[str], node: YamlNode) -> t.Optional[str]:
    """Return the spaces before the dashes of a list; None for a list in brackets.

    The position of a list is its first dash or its bracket.
    """
    dash = re.match(r"( *)- ", lines[node.line - 1]) if node.value else None
    return dash[1] if dash is not None and len(dash[1]) == node.column - 1 else None


def _add_in_brackets(
    lines: list[str], node: YamlNode, written: t.Sequence[t.Optional[str]]
) -> None:
    """Add items to a list in brackets: behind the bracket if it is empty, else behind the last."""
    if None in written:
        raise Refused(_LAYOUT)
    addition = ", ".join(t.cast("list[str]", written))
    if not node.value:
        line, at = node.line - 1, node.column
    else:
        last = node.value[-1]
        line = last.line - 1
        token = _FLOW_ITEM.match(lines[line], last.column - 1)
        if token is None:
            raise Refused(_LAYOUT)
        at, addition = token.end(), f", {addition}"
    lines[line] = lines[line][:at] + addition + lines[line][at:]
