# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML text → nodes that know their line and column.

PRIVATE to the collection. Pure. Built from PyYAML's *events*: they carry marks, and nothing in a file can choose a
Python type, because scalars stay the text they are written as; what a text means is decided by the schema.
"""

from __future__ import annotations

import difflib
import re
import typing as t
import unicodedata

from ansible_collections.reseller.mail.plugins.module_utils._model.values import Fault, Position

try:
    import yaml
    from yaml.events import (
        AliasEvent,
        DocumentStartEvent,
        MappingEndEvent,
        MappingStartEvent,
        ScalarEvent,
        SequenceEndEvent,
        SequenceStartEvent,
        StreamEndEvent,
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
_BRACKET = re.compile(r"[][{}]")
_CONFLICT = re.compile(r"^(?:<{7}|={7}|>{7})(?:[ \r]|$)", re.MULTILINE)
_FIT_ASCII = bytes((0x09, 0x0A, *range(0x20, 0x7F)))
_CONTROLS = {
    "\0": "NUL",
    "\r": "CARRIAGE RETURN without LINE FEED",
    "\x1b": "ESCAPE",
    "\x85": "NEXT LINE",
}
_NULL = frozenset(("", "~", "null", "Null", "NULL"))


class Node:
    """One value of a file. ``value`` is text, a list of nodes, or ``{key: (line, column, node)}``."""

    __slots__ = ("column", "kind", "line", "null", "tag", "value")

    def __init__(
        self,
        kind: str,
        value: t.Any,
        line: int,
        column: int,
        tag: t.Optional[str] = None,
        null: bool = False,
    ) -> None:
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
                node = node.value[step][2]
            elif isinstance(step, int) and node.kind == LIST and step < len(node.value):
                node = node.value[step]
            else:
                break
        return node.line, node.column

    def has(self, name: str) -> bool:
        """Whether this mapping has that key."""
        return self.kind == MAPPING and name in self.value


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
        refused = _refused_before_a_bracket(file, text, pure)
        if refused:
            return None, refused
        line, column, what, allowed = _told(error, text)
        reader.fault(line, column, "not-yaml", what, allowed)
        return None, reader.faults
    return root, reader.faults


def _refused_before_a_bracket(file: str, text: str, pure: bool) -> list[Fault]:
    """Return what is refused in the beginning of a text that the parser gave up; nothing when that is sound.

    A parser looks up to 1,024 characters ahead before it gives its first event, because a bracket may begin a key. On the
    way some releases meet a limit of their own on depth, and what they say then is about them. So a text with many open
    brackets is read again up to one of them. Brackets in quotes and comments are counted, too: hence several tries.
    """
    depth, enough = 0, 2 * MAX_DEPTH
    for bracket in _BRACKET.finditer(text):
        depth += 1 if bracket.group() in "[{" else -1
        if depth < enough:
            continue
        beginning = _Reader(file)
        try:
            beginning.read(_parser(text[: bracket.end()], pure))
        except _Stop:
            return beginning.faults
        except yaml.YAMLError:
            enough *= 2
    return []


def _decode(file: str, content: bytes) -> tuple[str, t.Optional[Fault]]:
    if content.isascii() and not content.translate(
        None, _FIT_ASCII
    ):  # nearly every file; ten times as fast
        return content.decode("ascii"), None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8", "replace")
        utf16 = content[:2] in (b"\xff\xfe", b"\xfe\xff")
        what = (
            "this file is UTF-16, not UTF-8"
            if utf16
            else f"byte 0x{content[error.start]:02x} is not UTF-8"
        )
        return "", Fault(_place(file, before), "not-utf8", what, "UTF-8 text")
    found = _UNFIT.search(text)
    if found:
        name = unicodedata.name(found.group(), _CONTROLS.get(found.group(), "a control character"))
        what = f"the character U+{ord(found.group()):04X} ({name}) may not stand in a file"
        fault = Fault(
            _place(file, text[: found.start()]),
            "unfit-character",
            what,
            "printable text and line breaks (LF)",
        )
        return "", fault
    return text, None


def _told(error: yaml.YAMLError, text: str) -> tuple[int, int, str, str]:
    """Line, column, what is wrong and what is allowed: in words for who wrote the file, where the parser's are for its makers."""
    conflict = _CONFLICT.search(text)
    if conflict:
        return (
            text.count("\n", 0, conflict.start()) + 1,
            1,
            "the marks of an unfinished merge stand here",
            "what remains once both sides are merged",
        )
    lines = text.split("\n")
    problem = (
        getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read"
    )
    context, mark = getattr(error, "context_mark", None), getattr(error, "problem_mark", None)
    opened, here = _character(lines, context), _character(lines, mark)
    if context and opened in tuple("[{'\"") and (mark is None or mark.line > context.line):
        return (
            context.line + 1,
            context.column + 1,
            f"this {opened} is not closed",
            "its counterpart, before the next key begins",
        )
    mark = mark or context
    if mark is None:
        return 1, 1, f"this is not YAML: {problem}", "one YAML document"
    if "expected ':'" in problem and context:
        return (
            context.line + 1,
            context.column + 1,
            "no colon follows this word",
            "a key, a colon and a space",
        )
    what, allowed = _in_words(problem, here, at_end=not any(lines[mark.line + 1 :]))
    if mark.line >= len(
        lines
    ):  # libyaml counts a line that does not exist, where the last one has no end
        return len(lines), len(lines[-1]) + 1, what, allowed
    return mark.line + 1, mark.column + 1, what, allowed


def _in_words(problem: str, here: str, at_end: bool) -> tuple[str, str]:
    """What is wrong and what is allowed, from the parser's words and the character where it stopped."""
    if "node content" in problem and not here and at_end:
        return "the file ends in the middle of a value", "every [, { and quote closed"
    if here == "\t":
        return "a tab stands here", "spaces to indent with"
    if "cannot start any token" in problem:
        return f"no value begins with {here}", "the value in quotes"
    if "mapping values are not allowed" in problem:
        return (
            "this colon makes a key where none can stand",
            "quotes around a value with a colon in it, or keys indented alike",
        )
    if "'-' indicator" in problem or "expected key" in problem or "<block end>" in problem:
        return (
            "this line is not indented like those it belongs to, or has no key",
            "items and keys that belong together indented alike",
        )
    return f"this is not YAML: {problem}", "one YAML document"


def _character(lines: list[str], mark: t.Any) -> str:
    return (
        lines[mark.line][mark.column : mark.column + 1] if mark and mark.line < len(lines) else ""
    )


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
        self.anchors: dict[str, Node] = {}
        self.aliased = 0
        self.documents = 0

    def fault(self, line: int, column: int, fault_id: str, what: str, allowed: str) -> None:
        self.faults.append(Fault(Position(self.file, line, column), fault_id, what, allowed))

    def read(self, parser: t.Any) -> t.Optional[Node]:
        """The root, or None for an empty file. A third of a large estate's time goes here: hence the flat loop."""
        top = Node(LIST, [], 1, 1)
        open_nodes: list[tuple[Node, t.Optional[str], t.Optional[tuple[str, int, int]]]] = []
        parent, items, is_mapping = top, top.value, False
        key: t.Optional[tuple[str, int, int]] = (
            None  # of a mapping: the key that waits for its value
        )
        anchors = self.anchors
        get_event = parser.get_event
        while True:
            event = get_event()
            kind = type(event)
            if kind is ScalarEvent:
                mark = event.start_mark
                text, tag = event.value, event.tag
                if is_mapping and key is None and tag is None:
                    key = (text, mark.line + 1, mark.column + 1)
                    continue
                node = Node(
                    SCALAR,
                    text,
                    mark.line + 1,
                    mark.column + 1,
                    tag,
                    text in _NULL and not event.style and tag is None,
                )
                if event.anchor is not None:
                    anchors[event.anchor] = node
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                mark = event.start_mark
                self._may_open(is_mapping and key is None, len(open_nodes), event, parent)
                open_nodes.append((parent, event.anchor, key))
                is_mapping, key = kind is MappingStartEvent, None
                items = {} if is_mapping else []
                parent = Node(
                    MAPPING if is_mapping else LIST, items, mark.line + 1, mark.column + 1
                )
                continue
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                node = parent
                parent, anchor, key = open_nodes.pop()
                items, is_mapping = parent.value, parent.kind is MAPPING
                if anchor is not None:
                    anchors[anchor] = node
            elif kind is StreamEndEvent:
                return next((root for root in items if not root.null), None)
            else:
                aliased = self._rare(event, kind)
                if aliased is None:
                    continue
                node = aliased
            if not is_mapping:
                items.append(node)
            elif key is None:
                self._not_a_key(node.kind, event.start_mark.line + 1, event.start_mark.column + 1)
            else:
                name, line, column = key
                key = None
                if name in items:
                    what = f"{shown(name)} stands here and already in line {items[name][0]}"
                    self.fault(line, column, "duplicate-key", what, "each key once")
                else:
                    items[name] = (line, column, node)

    def _rare(self, event: t.Any, kind: type) -> t.Optional[Node]:
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        if kind is AliasEvent:
            node = self.anchors.get(event.anchor)
            if node is None:  # also an anchor that is still open, which would be a circle
                what = f"*{event.anchor} refers to nothing above it"
                self.fault(line, column, "unknown-anchor", what, "a finished &anchor of this file")
                raise _Stop
            self.aliased += _size(node, MAX_ALIASED)
            if self.aliased > MAX_ALIASED:
                what = "the aliases of this file stand for too many values"
                self.fault(line, column, "alias-bomb", what, f"{MAX_ALIASED:,} values in all")
                raise _Stop
            return node
        if kind is DocumentStartEvent:
            self.documents += 1
            if self.documents == 2:
                self.fault(
                    line,
                    column,
                    "two-documents",
                    "a second document starts here",
                    "one document a file",
                )
                raise _Stop
        return None

    def _may_open(self, as_key: bool, depth: int, event: t.Any, parent: Node) -> None:
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        kind = MAPPING if isinstance(event, MappingStartEvent) else LIST
        if (
            as_key and kind == MAPPING and (parent.line, parent.column) == (line, column - 1)
        ):  # what a template looks like
            self.fault(
                line,
                column - 1,
                "not-a-key",
                "{{ opens no expression: these files are no templates",
                "a value; in quotes where it begins with {",
            )
            raise _Stop
        if as_key:
            self._not_a_key(kind, line, column)
        if event.tag is not None:
            self.fault(
                line,
                column,
                "unfit-tag",
                f"the tag {shown(event.tag)} may not stand here",
                f"a {kind} without a tag",
            )
        if depth == MAX_DEPTH:
            self.fault(
                line, column, "too-deep", "values are nested too deeply", f"{MAX_DEPTH} levels"
            )
            raise _Stop

    def _not_a_key(self, kind: str, line: int, column: int) -> t.NoReturn:
        self.fault(
            line,
            column,
            "not-a-key",
            f"this {kind} cannot be a key",
            "a plain word without tag or *alias as key",
        )
        raise _Stop


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
            waiting.extend(entry[2] for entry in node.value.values())
    return size


def meant(text: str, known: t.Iterable[str], alike: float = 0.7) -> str:
    """A question to put behind a misspelt word, with the known word that is nearest; empty when none is ``alike``."""
    near = difflib.get_close_matches(text[:40], known, n=1, cutoff=alike)
    return f"; did you mean {near[0]}?" if near else ""


def shown(text: str) -> str:
    """A text from a file as it may be printed: quoted, short, and without anything that moves a terminal's cursor."""
    return repr(text if len(text) <= 60 else f"{text[:57]}...")
