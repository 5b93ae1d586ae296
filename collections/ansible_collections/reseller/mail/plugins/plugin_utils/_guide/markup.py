# SPDX-License-Identifier: GPL-3.0-or-later
"""HTML made of parts.

A part that is not ``Html`` is text and is escaped, so a tenant's words cannot become markup.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import html
import re
import typing as t

_VOID = frozenset({"link", "meta", "img", "use"})
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
"""Control characters, also those that change the direction of text, and code points that are no
characters."""


class Html(str):
    """Text that is HTML. Only the functions of this file make it."""

    __slots__ = ()


Part = t.Union[str, None, t.Iterable["Part"]]


def clean(value: str) -> str:
    """Return a text with U+FFFD instead of each character that a document may not have."""
    return _CONTROL.sub("\ufffd", value)


def text(value: str) -> Html:
    """Return a text as HTML, without the characters that a document may not have."""
    return Html(html.escape(clean(value)))


def join(parts: Part) -> Html:
    """Return the parts one after the other."""
    if parts is None:
        return Html("")
    if isinstance(parts, Html):
        return parts
    if isinstance(parts, str):
        return text(parts)
    return Html("".join(map(join, parts)))


def tag(element: str, /, *parts: Part, **attributes: t.Union[str, bool, None]) -> Html:
    """Return an element.

    ``class_`` is the attribute ``class``, ``aria_label`` is ``aria-label``. None and False leave an
    attribute out.
    """
    written = "".join(
        f" {key.rstrip('_').replace('_', '-')}"
        + ("" if value is True else f'="{text(str(value))}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if element in _VOID:
        return Html(f"<{element}{written}>")
    return Html(f"<{element}{written}>{join(parts)}</{element}>")


def document(language: str, *parts: Part) -> bytes:
    """Return a whole page in UTF-8."""
    return f"<!doctype html>\n{tag('html', *parts, lang=language)}\n".encode()
