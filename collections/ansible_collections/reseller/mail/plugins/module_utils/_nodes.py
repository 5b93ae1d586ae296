# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML text → nodes that know their line and column.

PRIVATE to the collection. Pure. Built from PyYAML's *events*: they carry marks, and nothing in a file can choose a
Python type, because scalars stay the text they are written as; what a text means is decided by the schema.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.reseller.mail.plugins.module_utils._model import Fault, Position

try:
    import yaml
    from yaml.events import (
        AliasEvent,
        DocumentEndEvent,
        DocumentStartEvent,
        MappingEndEvent,
        MappingStartEvent,
        ScalarEvent,
        SequenceEndEvent,
        SequenceStartEvent,
        StreamEndEvent,
        StreamStartEvent,
    )
except ImportError:  # pragma: no cover - on hosts; the controller has it, as ansible-core needs it
    pass

try:
    from yaml._yaml import CParser
except ImportError:  # pragma: no cover - PyYAML without libyaml
    CParser = None  # type: ignore[assignment,misc]

MAX_DEPTH = 16
"""The schema needs six. libyaml's time grows with the square of the depth: 100,000 brackets take it 20 seconds."""

MAX_ALIASED = 10_000
"""How many nodes a file's aliases may stand for in all: enough to share limits, too few for a bomb."""

SCALAR, LIST, MAPPING = "text", "list", "mapping"

# What YAML allows (section 5.1 of YAML 1.2), without what a reviewer cannot see: other line breaks than LF and CR LF
# (NEL, LS, PS start a new YAML line inside what looks like one) and the controls that reorder text.
_UNFIT = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202f-\u2065\u206a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]|\r(?!\n)"
)
_NULL = frozenset(("", "~", "null", "Null", "NULL"))


class Node:
    """One value of a file. ``value`` is text, a list of nodes, or ``{key: (key node, value node)}``."""

    __slots__ = ("column", "kind", "line", "null", "tag", "value")

    def __init__(self, kind: str, value: t.Any, line: int, column: int, tag: t.Optional[str], null: bool) -> None:
        self.kind = kind
        self.value = value
        self.line = line
        self.column = column
        self.tag = tag
        self.null = null

    def mark(self, *path: t.Union[str, int]) -> tuple[int, int]:
        """Line and column of what stands at the path below this node, or of the nearest thing above it."""
        node = self
        for step in path:
            if isinstance(step, str) and node.kind == MAPPING and step in node.value:
                node = node.value[step][1]
            elif isinstance(step, int) and node.kind == LIST and step < len(node.value):
                node = node.value[step]
            else:
                break
        return node.line, node.column


def parse(file: str, content: bytes, *, pure: bool = False) -> tuple[t.Optional[Node], list[Fault]]:
    """The root node of a file (None when it is empty or beyond reading) and what is wrong with its YAML.

    ``pure`` forces PyYAML's Python parser, which gives the same marks and is about thirty times slower.
    """
    text, fault = _decode(file, content)
    if fault is not None:
        return None, [fault]
    reader = _Reader(file)
    try:
        root = reader.read(_parser(text, pure))
    except _Stop:
        return None, reader.faults
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read"
        reader.fault(line, column, "not-yaml", f"this is not YAML: {problem}", "one YAML document")
        return None, reader.faults
    return root, reader.faults


def _decode(file: str, content: bytes) -> tuple[str, t.Optional[Fault]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8", "replace")
        what = f"byte 0x{content[error.start]:02x} is not UTF-8"
        return "", Fault(_place(file, before), "not-utf8", what, "UTF-8 text")
    found = _UNFIT.search(text)
    if found:
        what = f"the character U+{ord(found.group()[0]):04X} may not stand in a file"
        fault = Fault(_place(file, text[: found.start()]), "unfit-character", what, "printable text and line breaks (LF)")
        return "", fault
    return text, None


def _place(file: str, before: str) -> Position:
    return Position(file, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)


def _parser(text: str, pure: bool) -> t.Any:
    return yaml.SafeLoader(text) if pure or CParser is None else CParser(text)


class _Stop(Exception):
    """What follows cannot be understood, or should not be read at all."""


class _Reader:
    """Turns events into nodes without recursion, so that no file can exhaust the stack."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.faults: list[Fault] = []

    def fault(self, line: int, column: int, fault_id: str, what: str, allowed: str) -> None:
        self.faults.append(Fault(Position(self.file, line, column), fault_id, what, allowed))

    def read(self, parser: t.Any) -> t.Optional[Node]:
        root: t.Optional[Node] = None
        documents = 0
        stack: list[tuple[Node, t.Optional[str]]] = []
        keys: list[t.Optional[Node]] = []  # per open collection: the key that waits for its value
        anchors: dict[str, Node] = {}
        aliased = 0
        get_event = parser.get_event
        while True:
            event = get_event()
            kind = type(event)
            mark = event.start_mark
            if kind is ScalarEvent:
                tag = event.tag if event.tag not in (None, "!") else None
                null = event.style is None and tag is None and event.value in _NULL
                node = Node(SCALAR, event.value, mark.line + 1, mark.column + 1, tag, null)
                if event.anchor is not None:
                    anchors[event.anchor] = node
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                node = Node(
                    MAPPING if kind is MappingStartEvent else LIST,
                    {} if kind is MappingStartEvent else [],
                    mark.line + 1,
                    mark.column + 1,
                    event.tag,
                    False,
                )
                if len(stack) == MAX_DEPTH:
                    self.fault(node.line, node.column, "too-deep", "values are nested too deeply", f"{MAX_DEPTH} levels")
                    raise _Stop
                stack.append((node, event.anchor))
                keys.append(None)
                continue
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                node, anchor = stack.pop()
                keys.pop()
                if anchor is not None:
                    anchors[anchor] = node
            elif kind is AliasEvent:
                target = anchors.get(event.anchor)
                if target is None:  # also an anchor that is still open, which would be a circle
                    what = f"*{event.anchor} refers to nothing above it"
                    self.fault(mark.line + 1, mark.column + 1, "unknown-anchor", what, "a finished &anchor of this file")
                    raise _Stop
                node = target
                aliased += _size(node, MAX_ALIASED)
                if aliased > MAX_ALIASED:
                    what = "the aliases of this file stand for too many values"
                    self.fault(mark.line + 1, mark.column + 1, "alias-bomb", what, f"{MAX_ALIASED:,} values in all")
                    raise _Stop
            elif kind is DocumentStartEvent:
                documents += 1
                if documents == 2:
                    what = "a second document starts here"
                    self.fault(mark.line + 1, mark.column + 1, "two-documents", what, "one document a file")
                    raise _Stop
                continue
            elif kind is StreamEndEvent:
                return None if root is None or root.null else root
            elif kind is StreamStartEvent or kind is DocumentEndEvent:
                continue
            else:  # pragma: no cover - there are no other events
                raise _Stop
            if not stack:
                root = node
                continue
            parent = stack[-1][0]
            if parent.kind == LIST:
                parent.value.append(node)
            elif keys[-1] is None:
                keys[-1] = self._key(node)
            else:
                self._enter(parent, keys[-1], node)
                keys[-1] = None

    def _key(self, node: Node) -> Node:
        if node.kind != SCALAR or node.tag is not None:
            self.fault(node.line, node.column, "not-a-key", f"a {node.kind} cannot be a key here", "a plain word as key")
            raise _Stop
        return node

    def _enter(self, mapping: Node, key: Node, value: Node) -> None:
        if key.value in mapping.value:
            first = mapping.value[key.value][0]
            what = f"{shown(key.value)} stands here and already in line {first.line}"
            self.fault(key.line, key.column, "duplicate-key", what, "each key once")
        else:
            mapping.value[key.value] = (key, value)


def _size(node: Node, limit: int) -> int:
    """How many nodes a node stands for, counted no further than the limit."""
    size = 0
    waiting = [node]
    while waiting and size <= limit:
        node = waiting.pop()
        size += 1
        if node.kind == LIST:
            waiting.extend(node.value)
        elif node.kind == MAPPING:
            waiting.extend(value for dummy, value in node.value.values())
    return size


def shown(text: str) -> str:
    """A text from a file as it may be printed: quoted, short, and without anything that moves a terminal's cursor."""
    return repr(text if len(text) <= 60 else f"{text[:57]}...")
