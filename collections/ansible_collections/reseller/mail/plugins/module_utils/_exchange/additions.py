# SPDX-License-Identifier: GPL-3.0-or-later
"""Adding to a file that a person wrote: new items and keys go into its text, all else in it stays as it is, comments too.

PRIVATE to the collection. Pure. The text is changed by lines, and then read again: unless it says exactly what it should,
nothing is added and the caller is told so.
"""

from __future__ import annotations

import json
import re
import typing as t

from ansible_collections.reseller.mail.plugins.module_utils import _schema
from ansible_collections.reseller.mail.plugins.module_utils._exchange import yaml_out
from ansible_collections.reseller.mail.plugins.module_utils._exchange.document import (
    Document,
    Path,
    documents,
    domain_of,
    table_of,
)
from ansible_collections.reseller.mail.plugins.module_utils._nodes import LIST, MAPPING, Node, parse


class Refused(Exception):
    """Why something cannot be added."""


def merged(
    path: str, there: Document, new: Document
) -> tuple[Document, list[tuple[Path, Path]], list[str]]:
    """Both documents in one; which part of the new one stands where in it; what contradicts what is there.

    An item that is there already, word for word, is not there twice.
    """
    table = table_of(path) or _schema.Table("")
    whole = dict(there)
    moved: list[tuple[Path, Path]] = []
    clashes: list[str] = []
    for name, value in new.items():
        key = table.keys.get(name)
        if name not in whole:
            whole[name] = value
            moved.append(((name,), (name,)))
        elif (
            key is not None
            and isinstance(key.type, _schema.Many)
            and isinstance(value, list)
            and isinstance(whole[name], list)
        ):
            items = list(whole[name])
            known = {json.dumps(item, sort_keys=True) for item in items}
            for index, item in enumerate(value):
                if json.dumps(item, sort_keys=True) not in known:
                    items.append(item)
                    moved.append(((name, index), (name, len(items) - 1)))
            whole[name] = items
        elif (
            key is not None
            and isinstance(key.type, _schema.Table)
            and key.type.free
            and isinstance(value, dict)
        ):
            clashes += [
                f"{name}.{step} is {whole[name][step]} there"
                for step in value
                if step in whole[name] and whole[name][step] != value[step]
            ]
            whole[name] = {**value, **whole[name]}
            moved += [((name, step), (name, step)) for step in value]
        elif whole[name] != value:
            clashes.append(
                f"{name} is {yaml_out.flow(whole[name], key.type if key else None, '') or 'another'} there"
            )
    return whole, moved, clashes


def with_secrets_of(there: Document, new: Document) -> Document:
    """The new document with the passwords of mailboxes that it does not speak about."""
    passwords = {
        box.get("name"): box["password"]
        for box in there.get("mailboxes", [])
        if isinstance(box, dict) and "password" in box
    }
    if not passwords or not isinstance(new.get("mailboxes"), list):
        return new
    boxes = [
        {**box, "password": passwords[box.get("name")]}
        if isinstance(box, dict) and "password" not in box and box.get("name") in passwords
        else box
        for box in new["mailboxes"]
    ]
    return {**new, "mailboxes": boxes}


def added(path: str, content: bytes, there: Document, whole: Document) -> bytes:
    """The file's text with what ``whole`` has beyond ``there``."""
    text = content.decode("utf-8-sig")
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = text.replace("\r\n", "\n").split("\n")
    if lines and lines[-1] == "":
        lines.pop()
    root, faults = parse(path, content)
    if faults or (root is not None and root.kind != MAPPING):
        raise Refused("this file cannot be read")
    table = table_of(path) or _schema.Table("")
    if root is None:
        lines = [line for line in lines if line.strip() != "{}"]
    # From the last key to the first, so that line numbers above stay true.
    for name in sorted(whole, key=lambda key: -_line(root, key)):
        if whole[name] != there.get(name):
            kind = table.keys[name].type if name in table.keys else None
            if name in there:
                _into(
                    lines,
                    t.cast(Node, root),
                    name,
                    whole[name][len(there[name]) :],
                    kind,
                    domain_of(path),
                )
            else:
                at = _place_for(lines, root, name, table)
                lines[at:at] = yaml_out.entry(name, whole[name], kind, domain_of(path))
                root = parse(path, "\n".join(lines).encode())[0]
    result = (newline.join(lines) + newline).encode()
    if not says(path, result, whole):
        raise Refused("nothing can be added to this file as it is laid out")
    return result


def says(path: str, content: bytes, whole: Document) -> bool:
    """Whether a text says what a document does, be it in other words: defaults may be left out."""
    _root, faults = parse(path, content)
    mine = documents({path: content})[path]
    yours = documents({path: yaml_out.text(path, whole).encode()})[path]
    return not faults and yaml_out.text(path, mine) == yaml_out.text(path, yours)


def _line(root: t.Optional[Node], key: str) -> int:
    return root.value[key][0] if root is not None and key in root.value else 0


def _place_for(lines: list[str], root: t.Optional[Node], name: str, table: _schema.Table) -> int:
    """Where a new key goes: before the first one that the schema has after it."""
    order = list(table.keys)
    later = (
        [_line(root, key) for key in order[order.index(name) + 1 :] if _line(root, key)]
        if name in order
        else []
    )
    return _above(lines, min(later) - 1) if later else len(lines)


def _above(lines: list[str], at: int) -> int:
    """Over the comments and empty lines that stand directly above a key: they are about it."""
    while at and (not lines[at - 1].strip() or lines[at - 1].startswith("#")):
        at -= 1
    return at


def _into(lines: list[str], root: Node, name: str, items: t.Any, kind: t.Any, domain: str) -> None:
    key_line, _column, node = root.value[name]
    if node.kind != LIST or not isinstance(kind, _schema.Many):
        raise Refused("nothing can be added to this file as it is laid out")
    first = node.value[0] if node.value else None
    # The list of a block begins where its first dash is; that of brackets at the bracket.
    dash = re.match(r"( *)- ", lines[node.line - 1]) if first is not None else None
    if dash is not None and len(dash[1]) == node.column - 1:
        below = [line for line, _column, _node in root.value.values() if line > key_line]
        end = _above(lines, min(below) - 1) if below else len(lines)
        while not lines[end - 1].strip():
            end -= 1
        lines[end:end] = [
            line for value in items for line in yaml_out.item(value, kind.of, domain, dash.group(1))
        ]
        return
    written = [yaml_out.flow(value, kind.of, domain) for value in items]
    if None in written:
        raise Refused("nothing can be added to this file as it is laid out")
    addition = ", ".join(t.cast("list[str]", written))
    if first is None:
        line, column = node.line - 1, node.column
        lines[line] = lines[line][:column] + addition + lines[line][column:]
        return
    last = node.value[-1]
    line = last.line - 1
    token = re.compile(
        r"""'[^']*'|"(?:[^"\\]|\\.)*"|\{[^{}]*\}|[^\s,\[\]{}]+(?: [^\s,\[\]{}#]+)*"""
    ).match(lines[line], last.column - 1)
    if token is None:
        raise Refused("nothing can be added to this file as it is laid out")
    lines[line] = f"{lines[line][: token.end()]}, {addition}{lines[line][token.end() :]}"
