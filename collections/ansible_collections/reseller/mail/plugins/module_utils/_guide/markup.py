# SPDX-License-Identifier: GPL-3.0-or-later
"""HTML from parts. Whatever is not ``Html`` is text and is escaped: a tenant's words cannot become markup.

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
"""Control characters, those among them that turn the text behind them around, and what is no character."""


class Html(str):
    """Text that is HTML already. Only ``tag`` and ``join`` make it."""

    __slots__ = ()


Part = t.Union[str, None, t.Iterable["Part"]]


def text(value: str) -> Html:
    """A text as HTML; what no document may hold is shown as U+FFFD."""
    return Html(html.escape(_CONTROL.sub("\ufffd", value)))


def join(parts: Part) -> Html:
    """Parts one after the other."""
    if parts is None:
        return Html("")
    if isinstance(parts, Html):
        return parts
    if isinstance(parts, str):
        return text(parts)
    return Html("".join(map(join, parts)))


def tag(element: str, /, *parts: Part, **attributes: t.Union[str, bool, None]) -> Html:
    """An element. ``class_`` is ``class``, ``aria_label`` is ``aria-label``; None and False leave an attribute out."""
    said = "".join(
        f" {key.rstrip('_').replace('_', '-')}"
        + ("" if value is True else f'="{text(str(value))}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    return Html(
        f"<{element}{said}>" if element in _VOID else f"<{element}{said}>{join(parts)}</{element}>"
    )


def document(language: str, *parts: Part) -> bytes:
    """A whole page."""
    return f"<!doctype html>\n{tag('html', *parts, lang=language)}\n".encode()
