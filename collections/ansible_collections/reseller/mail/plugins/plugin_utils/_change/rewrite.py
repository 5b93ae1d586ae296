# SPDX-License-Identifier: GPL-3.0-or-later
"""Change the owners in the text of a domain's file, and nothing else in it.

PRIVATE to the collection. Pure. Comments, order, quotes, layout and line ends stay. The code uses
the positions of the YAML parser's events. To parse and write the file with a YAML library would be
shorter here, but the diff would be longer: a library indents lists again, wraps flow mappings, and
writes LF into files with CR LF. The caller must load the result and compare it with what it wants,
before it writes the file.
"""

from __future__ import annotations

import re
import typing as t

from .._model import names

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
"""The first character that is replaced, the one behind the last, and the new text."""


class CannotEdit(Exception):
    """The layout of the file has no place for the new owner."""


def decoded(content: bytes) -> tuple[str, str]:
    """Return the byte order mark of a file, or nothing, and its text."""
    text = content.decode("utf-8")
    return (_BOM, text[1:]) if text.startswith(_BOM) else ("", text)


def hand_over(content: bytes, source: str, target: str, domain_too: bool) -> bytes:
    """Return a file in which ``target`` owns everything that ``source`` owned.

    ``domain_too`` means that ``source`` also owns the domain itself. If the domain inherits its
    owner from the account, then a line ``owner`` is added. Raise ``CannotEdit`` if the layout of
    the file has no place for it.
    """
    mark, text = decoded(content)
    events = list(yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    places = list(_values_with_paths(events))
    edits = list(_edits_of_owners(text, places, source, target))
    if domain_too and not any(path == ("owner",) for path, _event in places):
        edits.append(_new_owner_line(text, events, places, target))
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return (mark + text).encode("utf-8")


def _start(event: Event) -> int:
    """Return where the event begins. The type allows no mark, but a parser always sets one."""
    return event.start_mark.index  # type: ignore[union-attr]


def _end(event: Event) -> int:
    """Return the position behind the event."""
    return event.end_mark.index  # type: ignore[union-attr]


def _values_with_paths(events: t.Iterable[Event]) -> t.Iterator[tuple[Path, Event]]:
    """Yield the event of every value with its path. Keys are left out."""
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
    """Return whether the path is an owner. In a domain's file no other key has this name."""
    return path[-1:] == ("owner",)


def _is_address(value: str, address: str) -> bool:
    """Return whether a text of the file is this address."""
    try:
        return names.address(value) == address
    except ValueError:
        return False


def _edits_of_owners(
    text: str, places: t.Iterable[tuple[Path, Event]], source: str, target: str
) -> t.Iterator[Edit]:
    """Yield the edits that replace the owner ``source``.

    An anchor at a replaced owner gets the new value. An alias of it that is no owner gets the old
    value as text.
    """
    anchors: dict[str, tuple[str, bool]] = {}
    for path, event in places:
        if isinstance(event, AliasEvent):
            value, is_replaced = anchors.get(event.anchor or "", ("", False))
            if is_replaced and not _is_owner(path):
                yield _start(event), _end(event), value
            elif not is_replaced and _is_owner(path) and _is_address(value, source):
                yield _start(event), _end(event), target
        elif isinstance(event, ScalarEvent):
            replace = _is_owner(path) and _is_address(event.value, source)
            if event.anchor is not None:
                anchors[event.anchor] = (event.value, replace)
            if replace:
                start, end = _start(event), _end(event)
                yield start, end, _with_new_value(text[start:end], event.value, target)


def _with_new_value(written: str, value: str, target: str) -> str:
    """Return the text of a scalar with another value, and the same anchor, quotes, line break."""
    if written.count(value) == 1:
        return written.replace(value, target)
    before, quote, _escaped = written.partition('"')
    if not quote:
        raise CannotEdit
    return f'{before}"{target}"'


def _new_owner_line(
    text: str, events: t.Sequence[Event], places: t.Sequence[tuple[Path, Event]], target: str
) -> Edit:
    """Return the edit that adds the owner of the domain.

    The line goes behind ``type``. Without ``type`` it goes before the first key and its comments.
    """
    line_end = "\r\n" if "\r\n" in text else "\n"
    new = f"owner: {target}"
    root = next((event for path, event in places if not path), None)
    if root is None or isinstance(root, ScalarEvent):
        return _in_empty_file(text, events, root, new, line_end)
    if getattr(root, "flow_style", False):
        at = _start(root) + text[_start(root) :].index("{") + 1
        return at, at, f"{new}{'' if len(places) == 1 else ', '}"
    first_key = _start(events[events.index(root) + 1])
    begin = text.rfind("\n", 0, first_key) + 1
    indent = " " * (first_key - begin)
    kind = next((event for path, event in places if path == ("type",)), None)
    if isinstance(kind, ScalarEvent):
        line = text.find("\n", _end(kind)) + 1
        if not line:  # the last line of the file has no end
            return len(text), len(text), line_end + indent + new
    else:
        line = _start_of_comments(text, begin)
    return line, line, indent + new + line_end


def _in_empty_file(
    text: str, events: t.Sequence[Event], root: t.Optional[Event], new: str, line_end: str
) -> Edit:
    """Return the edit that adds the first key to a file that has only comments."""
    end = next((event for event in events if isinstance(event, DocumentEndEvent)), None)
    at = _start(end) if end is not None and end.explicit else len(text)
    if root is not None and _start(root) != _end(root):
        raise CannotEdit
    line_break = line_end if text[:at] and not text[:at].endswith("\n") else ""
    return at, at, line_break + new + line_end


def _start_of_comments(text: str, line: int) -> int:
    """Return where the comments begin that belong to the line.

    Comments belong to it if an empty line is above them. Otherwise they are the heading of the
    file, and the line itself is returned.
    """
    found = re.search(r"\r?\n[ \t]*\r?\n((?:[ \t]*#[^\n]*\n)+)\Z", text[:line])
    return found.start(1) if found else line
