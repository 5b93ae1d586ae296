# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML text → nodes that know their line and column.

PRIVATE to the collection. Pure. The nodes are built from PyYAML's *events*, which have positions.
Scalars stay the text that is written, so nothing in a file can choose a Python type. The schema
decides what a text means.
"""

from __future__ import annotations

import re
import typing as t
import unicodedata

from .._model.values import Fault, Position
from .._model.words import shown

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
else:
    _STARTS = frozenset((MappingStartEvent, SequenceStartEvent))
    _ENDS = frozenset((MappingEndEvent, SequenceEndEvent))

try:
    from yaml._yaml import CParser
except ImportError:  # pragma: no cover - PyYAML without libyaml
    CParser = None  # type: ignore[assignment,misc]

MAX_DEPTH = 16
"""The schema needs six levels. The time of libyaml grows with the square of the depth: it needs 20
seconds for 100,000 brackets."""

MAX_ALIASED = 10_000
"""How many nodes all aliases of a file may repeat: enough to share limits, too few for an alias
bomb."""

SCALAR, LIST, MAPPING = "text", "list", "mapping"

# All characters but those that YAML 1.2 allows (section 5.1). Also refused is what a reviewer
# cannot see: line breaks other than LF and CR LF (NEL, LS and PS start a new YAML line, and editors
# show none) and the control characters that reorder text.
_UNFIT = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202f-\u2065\u206a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]|\r(?!\n)"
)
_BRACKET = re.compile(r"[][{}]")
_COMMENTED_VALUE = re.compile(r"(?:[:,\[{-][ \t]+|[,\[{])(#)[0-9A-Za-z]")
"""A # where a value can begin, with a character that a comment seldom begins with."""
_MOST_TRIED, _LONGEST_TRIED = 5, 2**18
"""How many of them are tried as the cause of a fault, and in a text of how many characters."""
_CONFLICT = re.compile(r"^(?:<{7}|={7}|>{7})(?:[ \r]|$)", re.MULTILINE)
_FIT_ASCII = bytes((0x09, 0x0A, *range(0x20, 0x7F)))
_CONTROLS = {
    "\0": "NUL",
    "\r": "CARRIAGE RETURN without LINE FEED",
    "\x1b": "ESCAPE",
    "\x85": "NEXT LINE",
}
_NULL = frozenset(("", "~", "null", "Null", "NULL"))


Place = tuple[str, int, int]
"""A key with its line and column."""


NO_VALUE = "there is no value"
COMMENTED_OUT = "# begins a comment here, so there is no value"
QUOTED = "quotes around a value that begins with #, such as '#1a6b3c'"


class YamlNode:
    """One value of a file, with its place.

    Attributes:
        kind: SCALAR, LIST or MAPPING.
        value: The text, a list of nodes, or ``{key: (line, column, node)}``.
        line: The line, counted from 1.
        column: The column in characters, counted from 1.
        tag: The tag that is written, such as ``!vault``.
        null: Whether no value is written (empty, ``~`` or ``null``, without quotes).
    """

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
        """Return line and column of what is at the path below this node.

        If there is no such node, they are those of the last node of the path that exists.
        """
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
        """Return whether this mapping has that key."""
        return self.kind == MAPPING and name in self.value

    def why_null(self) -> str:
        """Return the message for a node that has no value."""
        return NO_VALUE


class _CommentedOut(YamlNode):
    """A node without a value, because the text in the value's place begins with #."""

    __slots__ = ()

    def why_null(self) -> str:
        """Return the message for a node that has no value."""
        return COMMENTED_OUT


def parse(
    file: str, content: bytes, *, pure: bool = False
) -> tuple[t.Optional[YamlNode], list[Fault]]:
    """Return the root node of a file, and the faults in its YAML.

    The root is None if the file is empty or cannot be read. ``pure`` forces PyYAML's Python parser,
    which gives the same positions and is about thirty times slower.
    """
    text, fault = decoded(file, content)
    if fault is not None:
        return None, [fault]
    reader = _Reader(file, text)
    try:
        root = reader.read(_parser(text, pure))
    except _Stop:
        return None, reader.faults
    except yaml.YAMLError as error:
        found = _faults_before_a_bracket(file, text, pure)
        if found:
            return None, found
        line, column, what, allowed = _commented_out(error, text, pure) or _syntax_fault(
            error, text
        )
        reader.fault(line, column, "not-yaml", what, allowed)
        return None, reader.faults
    return root, reader.faults


def _faults_before_a_bracket(file: str, text: str, pure: bool) -> list[Fault]:
    """Return the faults at the beginning of a text that the parser could not read.

    A parser reads up to 1,024 characters ahead before it gives its first event, because a bracket
    can begin a key. Some releases have a limit of depth and reach it meanwhile. Their message is
    then about that limit. So a text with many open brackets is read again up to one of them.
    Brackets in quotes and comments are counted, too, so there are several attempts.
    """
    depth, enough = 0, 2 * MAX_DEPTH
    for bracket in _BRACKET.finditer(text):
        depth += 1 if bracket.group() in "[{" else -1
        if depth < enough:
            continue
        beginning = _Reader(file, text)
        try:
            beginning.read(_parser(text[: bracket.end()], pure))
        except _Stop:
            return beginning.faults
        except yaml.YAMLError:
            enough *= 2
    return []


def decoded(file: str, content: bytes) -> tuple[str, t.Optional[Fault]]:
    """Return the text of a file. Also return a fault for other bytes, or a refused character."""
    # True for nearly every file, and ten times as fast as the rest.
    if content.isascii() and not content.translate(None, _FIT_ASCII):
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
        what = f"the character U+{ord(found.group()):04X} ({name}) is not allowed in a file"
        fault = Fault(
            _place(file, text[: found.start()]),
            "unfit-character",
            what,
            "printable text and line breaks (LF)",
        )
        return "", fault
    return text, None


def _commented_out(
    error: yaml.YAMLError, text: str, pure: bool
) -> t.Optional[tuple[int, int, str, str]]:
    """Return the fault of a value that begins with #, if it is why the text is not YAML.

    In {colour: #1a6b3c} the comment hides the bracket. None if the parser stops at the same place
    without this comment.
    """
    stopped = _stopped_at(error)
    if stopped is None or len(text) > _LONGEST_TRIED:
        return None
    lines = text.split("\n")
    end = sum(len(line) + 1 for line in lines[: stopped[0] + 1])
    candidates = list(_COMMENTED_VALUE.finditer(text, 0, min(end, len(text))))[-_MOST_TRIED:]
    for found in reversed(candidates):
        place = found.start(1)
        corrected = f"{text[:place]}x{text[place + 1 :]}"
        try:
            _Reader("", corrected).read(_parser(corrected, pure))
        except _Stop:
            continue
        except yaml.YAMLError as other:
            further = _stopped_at(other)
            if further is None or further <= stopped:
                continue
        at = _place("", text[:place])
        return at.line, at.column, COMMENTED_OUT, QUOTED
    return None


def _stopped_at(error: yaml.YAMLError) -> t.Optional[tuple[int, int]]:
    """Return line and column where the parser stopped, counted from 0; None if it is not known."""
    mark = getattr(error, "problem_mark", None)
    return (mark.line, mark.column) if mark else None


def _syntax_fault(error: yaml.YAMLError, text: str) -> tuple[int, int, str, str]:
    """Return line, column, what is wrong and what is allowed, in words for the file's author.

    The words of the parser are for its developers.
    """
    conflict = _CONFLICT.search(text)
    if conflict:
        return (
            text.count("\n", 0, conflict.start()) + 1,
            1,
            "this is a conflict mark of an unfinished merge",
            "the merged text without conflict marks",
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
            "the character that closes it, before the next key",
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
    what, allowed = _problem_in_words(problem, here, at_end=not any(lines[mark.line + 1 :]))
    # If the last line has no line break, libyaml counts a line that does not exist.
    if mark.line >= len(lines):
        return len(lines), len(lines[-1]) + 1, what, allowed
    return mark.line + 1, mark.column + 1, what, allowed


def _problem_in_words(problem: str, here: str, at_end: bool) -> tuple[str, str]:
    """Return what is wrong and what is allowed.

    ``problem`` is the parser's message, ``here`` the character at which it stopped.
    """
    if "node content" in problem and not here and at_end:
        return "the file ends in the middle of a value", "every [, { and quote closed"
    if here == "\t":
        return "this is a tab", "spaces for indentation"
    if "cannot start any token" in problem:
        return f"no value can begin with {here}", "the value in quotes"
    if "mapping values are not allowed" in problem:
        return (
            "this colon makes a key, and no key can be here",
            "quotes around a value that has a colon, or the same indentation for all keys",
        )
    if "'-' indicator" in problem or "expected key" in problem or "<block end>" in problem:
        return (
            "this line has no key, or another indentation than the lines that it belongs to",
            "the same indentation for items and keys that belong together",
        )
    return f"this is not YAML: {problem}", "one YAML document"


def _character(lines: list[str], mark: t.Any) -> str:
    """Return the character at a mark of the parser; nothing beyond the end."""
    return (
        lines[mark.line][mark.column : mark.column + 1] if mark and mark.line < len(lines) else ""
    )


def _place(file: str, before: str) -> Position:
    """Return the place that comes after the text ``before``."""
    return Position(file, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)


def _parser(text: str, pure: bool) -> t.Any:
    """Return a parser: libyaml's if there is one, else PyYAML's own."""
    return yaml.SafeLoader(text) if pure or CParser is None else CParser(text)


class _Stop(Exception):
    """Ends the reading of a file, because the rest cannot be understood or must not be read."""


def _root(documents: list[YamlNode]) -> t.Optional[YamlNode]:
    """Return the first document that is not empty."""
    return next((root for root in documents if not root.null), None)


def _opened(event: t.Any) -> YamlNode:
    """Return the empty list or mapping that begins with the event."""
    mark = event.start_mark
    if isinstance(event, MappingStartEvent):
        return YamlNode(MAPPING, {}, mark.line + 1, mark.column + 1)
    return YamlNode(LIST, [], mark.line + 1, mark.column + 1)


class _Reader:
    """Turns events into nodes, without recursion: no file can exhaust the stack.

    ``faults`` has what was found. ``lines`` are those of the text, once they are
    needed. ``aliased`` counts the nodes that aliases repeated so far.
    """

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        self.lines: list[str] = []
        self.faults: list[Fault] = []
        # By name. The entry None is for nodes without an anchor, and is never read: that is faster
        # than a test for each node.
        self.anchors: dict[t.Optional[str], YamlNode] = {}
        self.aliased = 0
        self.documents = 0

    def fault(self, line: int, column: int, fault_id: str, what: str, allowed: str) -> None:
        """Note a fault."""
        self.faults.append(Fault(Position(self.file, line, column), fault_id, what, allowed))

    def read(self, parser: t.Any) -> t.Optional[YamlNode]:
        """Return the root, or None for an empty file. Raise _Stop after a fault that ends reading.

        A third of the time for a large estate is spent here: hence one flat loop with local names.
        """
        top = YamlNode(LIST, [], 1, 1)
        # Each node that is not finished, with its anchor and the key that it is the value of.
        open_nodes: list[tuple[YamlNode, t.Optional[str], t.Optional[Place]]] = []
        parent, items, is_mapping = top, top.value, False
        key: t.Optional[Place] = None  # in a mapping: the key whose value comes next
        anchors = self.anchors
        get_event = parser.get_event
        while (kind := type(event := get_event())) is not StreamEndEvent:
            if kind is ScalarEvent:
                mark, text, tag = event.start_mark, event.value, event.tag
                if is_mapping and key is None and tag is None:
                    key = (text, mark.line + 1, mark.column + 1)
                    continue
                null = text in _NULL and not event.style and tag is None
                make = self._null_node if null else YamlNode
                node = make(SCALAR, text, mark.line + 1, mark.column + 1, tag, null)
                anchors[event.anchor] = node
            elif kind in _STARTS:
                self._may_open(is_mapping and key is None, len(open_nodes), event, parent)
                open_nodes.append((parent, event.anchor, key))
                parent = _opened(event)
                items, is_mapping, key = parent.value, parent.kind is MAPPING, None
                continue
            elif kind in _ENDS:
                node = parent
                parent, anchor, key = open_nodes.pop()
                items, is_mapping = parent.value, parent.kind is MAPPING
                anchors[anchor] = node
            elif kind is AliasEvent:
                node = self._aliased(event)
            else:
                self._document(event, kind)
                continue
            if not is_mapping:
                items.append(node)
            elif key is None:
                self._not_a_key(node.kind, event.start_mark.line + 1, event.start_mark.column + 1)
            elif key[0] in items:
                self._duplicate(key, items[key[0]][0])
                key = None
            else:
                items[key[0]] = (key[1], key[2], node)
                key = None
        return _root(items)

    def _null_node(self, *values: t.Any) -> YamlNode:
        """Return a node without a value; it knows whether the value was taken for a comment."""
        node = YamlNode(*values)
        if node.value:
            return node
        if not self.lines:
            self.lines = self.text.split("\n")
        # If the last line has no line break, libyaml counts a line that does not exist.
        line = "".join(self.lines[node.line - 1 : node.line])
        is_comment = _COMMENTED_VALUE.match(line, max(node.column - 2, 0))
        return _CommentedOut(*values) if is_comment else node

    def _duplicate(self, key: Place, first_line: int) -> None:
        """Note that a key is in its mapping twice."""
        name, line, column = key
        what = f"{shown(name)} is already in line {first_line}"
        self.fault(line, column, "duplicate-key", what, "each key once")

    def _aliased(self, event: t.Any) -> YamlNode:
        """Return the node that an alias repeats."""
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        node = self.anchors.get(event.anchor)
        if node is None:  # also if the anchor is not finished, which would be a loop
            what = f"*{event.anchor} refers to no finished &anchor above it"
            self.fault(
                line, column, "unknown-anchor", what, "an &anchor of this file that ends above it"
            )
            raise _Stop
        self.aliased += _size(node, MAX_ALIASED)
        if self.aliased > MAX_ALIASED:
            what = "the *aliases of this file repeat too many values"
            self.fault(line, column, "alias-bomb", what, f"{MAX_ALIASED:,} values in all")
            raise _Stop
        return node

    def _document(self, event: t.Any, kind: type) -> None:
        """Refuse a second document. The other events without a node mean nothing here."""
        if kind is not DocumentStartEvent:
            return
        self.documents += 1
        if self.documents == 2:
            line, column = event.start_mark.line + 1, event.start_mark.column + 1
            what = "a second document starts here"
            self.fault(line, column, "two-documents", what, "one document in each file")
            raise _Stop

    def _may_open(self, as_key: bool, depth: int, event: t.Any, parent: YamlNode) -> None:
        """Note a fault if no list or mapping may begin here; raise _Stop if reading must end."""
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        kind = MAPPING if isinstance(event, MappingStartEvent) else LIST
        # A mapping as the first key of a mapping: {{, as in a template.
        if as_key and kind == MAPPING and (parent.line, parent.column) == (line, column - 1):
            what = "{{ does not begin an expression: these files are not templates"
            allowed = "a value, in quotes if it begins with {"
            self.fault(line, column - 1, "not-a-key", what, allowed)
            raise _Stop
        if as_key:
            self._not_a_key(kind, line, column)
        if event.tag is not None:
            self.fault(
                line,
                column,
                "unfit-tag",
                f"the tag {shown(event.tag)} is not allowed here",
                f"a {kind} without a tag",
            )
        if depth == MAX_DEPTH:
            self.fault(
                line, column, "too-deep", "values are nested too deeply", f"{MAX_DEPTH} levels"
            )
            raise _Stop

    def _not_a_key(self, kind: str, line: int, column: int) -> t.NoReturn:
        """Note that a value cannot be a key, and raise _Stop."""
        self.fault(
            line,
            column,
            "not-a-key",
            f"this {kind} cannot be a key",
            "a plain word as key, without a tag or *alias",
        )
        raise _Stop


def _size(node: YamlNode, limit: int) -> int:
    """Return how many nodes there are in a node, itself included. Stop counting above the limit."""
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
