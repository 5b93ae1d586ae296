# SPDX-License-Identifier: GPL-3.0-or-later
"""Owners in the text of a domain's file: only the words that name them change; comments, order, quotes, layout and line ends stay.

PRIVATE to the collection. Pure. Works by the places of the parser's events. A round trip through a YAML library would be shorter here
and longer for the reviewer: it indents lists anew, wraps flow mappings and mixes LF into CR LF. Whoever calls this loads the result
and compares: an edit that came out otherwise than meant must not be written.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.reseller.mail.plugins.module_utils import _names

try:
    import yaml
    from yaml.events import (
        AliasEvent,
        CollectionEndEvent,
        DocumentEndEvent,
        Event,
        MappingStartEvent,
        ScalarEvent,
        SequenceStartEvent,
    )
except ImportError:  # pragma: no cover - on hosts; the controller has it, as ansible-core needs it
    pass

_BOM = "\ufeff"

Path = tuple[t.Union[str, int], ...]
Edit = tuple[int, int, str]
"""From, to, what stands there instead."""


class CannotEdit(Exception):
    """The file is written in a way that has no place for the change."""


def hand_over(content: bytes, source: str, target: str, domain_too: bool) -> bytes:
    """A file in which all that ``source`` owns is ``target``'s. ``domain_too``: the domain itself is among it, so an owner
    that it only inherits from the account has to be written down."""
    text = content.decode("utf-8")
    mark, text = (_BOM, text[1:]) if text.startswith(_BOM) else ("", text)
    events = list(yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    places = list(_places(events))
    edits = list(_replaced(text, places, source, target))
    if domain_too and not any(path == ("owner",) for path, _event in places):
        edits.append(_added(text, events, places, target))
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return (mark + text).encode("utf-8")


def _at(event: Event) -> int:
    """Where it begins. Types say that a mark may be missing; those of a parser never are."""
    return event.start_mark.index  # type: ignore[union-attr]


def _behind(event: Event) -> int:
    return event.end_mark.index  # type: ignore[union-attr]


def _places(events: t.Iterable[Event]) -> t.Iterator[tuple[Path, Event]]:
    """Every value with its path; keys are left out."""
    open_nodes: list[tuple[Path, bool]] = []
    path: Path = ()
    key: t.Optional[str] = None
    index, is_mapping = 0, False
    counts: list[int] = []
    for event in events:
        if isinstance(event, CollectionEndEvent):
            path, is_mapping = open_nodes.pop()
            index = counts.pop()
            key = None
            continue
        if not isinstance(event, (ScalarEvent, AliasEvent, MappingStartEvent, SequenceStartEvent)):
            continue
        if is_mapping and key is None:
            key = event.value if isinstance(event, ScalarEvent) else ""
            continue
        here: Path = (*path, key or "") if is_mapping else (*path, index) if open_nodes else ()
        yield here, event
        index, key = index + 1, None
        if not isinstance(event, (ScalarEvent, AliasEvent)):
            open_nodes.append((path, is_mapping))
            counts.append(index)
            path, is_mapping, index = here, isinstance(event, MappingStartEvent), 0


def _is_owner(path: Path) -> bool:
    """In a domain's file nothing else is called that."""
    return path[-1:] == ("owner",)


def _is(value: str, address: str) -> bool:
    try:
        return _names.address(value) == address
    except ValueError:
        return False


def _replaced(
    text: str, places: t.Iterable[tuple[Path, Event]], source: str, target: str
) -> t.Iterator[Edit]:
    """An anchor moves with the owner it stands at; what shares its value and is no owner keeps the old one."""
    anchors: dict[str, tuple[str, bool]] = {}
    for path, event in places:
        start, end = _at(event), _behind(event)
        if isinstance(event, AliasEvent):
            value, moved = anchors.get(event.anchor or "", ("", False))
            if moved and not _is_owner(path):
                yield start, end, value
            elif not moved and _is_owner(path) and _is(value, source):
                yield start, end, target
        elif isinstance(event, ScalarEvent):
            moved = _is_owner(path) and _is(event.value, source)
            if event.anchor is not None:
                anchors[event.anchor] = (event.value, moved)
            if moved:
                yield start, end, _with(text[start:end], event.value, target)


def _with(written: str, value: str, target: str) -> str:
    """The same anchor, quotes and line break around another value."""
    if written.count(value) == 1:
        return written.replace(value, target)
    before, quote, _escaped = written.partition('"')
    if not quote:
        raise CannotEdit
    return f'{before}"{target}"'


def _added(
    text: str, events: t.Sequence[Event], places: t.Sequence[tuple[Path, Event]], target: str
) -> Edit:
    """The line ``owner: ...``: behind the domain's type, else before the first key and what is said about that."""
    line_end = "\r\n" if "\r\n" in text else "\n"
    new = f"owner: {target}"
    root = next((event for path, event in places if not path), None)
    if root is None or isinstance(root, ScalarEvent):  # nothing but comments
        end = next((event for event in events if isinstance(event, DocumentEndEvent)), None)
        at = _at(end) if end is not None and end.explicit else len(text)
        if root is not None and _at(root) != _behind(root):
            raise CannotEdit
        broken = line_end if text[:at] and not text[:at].endswith("\n") else ""
        return at, at, broken + new + line_end
    if getattr(root, "flow_style", False):
        at = _at(root) + text[_at(root) :].index("{") + 1
        return at, at, f"{new}{'' if len(places) == 1 else ', '}"
    first = _at(events[events.index(root) + 1])
    begin = text.rfind("\n", 0, first) + 1
    indent = first - begin
    kind = next((event for path, event in places if path == ("type",)), None)
    if isinstance(kind, ScalarEvent):
        line = text.find("\n", _behind(kind)) + 1
        if not line:
            return len(text), len(text), line_end + " " * indent + new
    else:
        line = _above(text, begin)
    return line, line, " " * indent + new + line_end


def _above(text: str, line: int) -> int:
    """Where a paragraph of comments begins that speaks about the line; the file's own heading is none."""
    found = re.search(r"\r?\n[ \t]*\r?\n((?:[ \t]*#[^\n]*\n)+)\Z", text[:line])
    return found.start(1) if found else line
