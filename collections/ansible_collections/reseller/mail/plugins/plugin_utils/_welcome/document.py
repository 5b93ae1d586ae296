# SPDX-License-Identifier: GPL-3.0-or-later
"""A document made of blocks, which ``html_form`` and ``text_form`` write.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._guide.texts import LANGUAGES as GUIDE
from .texts import LANGUAGES

if t.TYPE_CHECKING:
    from .._guide.frame import Say


class Exact(str):
    """A value that people copy: it has a font of its own, and no form breaks or changes it."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Words:
    """A paragraph. ``kind`` is empty, ``quiet`` or ``note``."""

    text: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of level 2 or 3."""

    text: str
    level: int = 2


@dataclass(frozen=True, slots=True)
class Items:
    """A list of sentences."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """An address with its words."""

    words: str
    url: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Rows of (label, value)."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """A table with a head."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of a file, as they are."""

    lines: tuple[str, ...]


Block = t.Union[Words, Heading, Items, Link, Facts, Grid, Lines]


@dataclass(frozen=True, slots=True)
class Look:
    """What all documents for the users of one domain have in common.

    Attributes:
        brand: the name of the service.
        foot: the last line.
        links: the links below it.
        style: the style sheet with the colour of the brand.
        logo: a picture as an address ``data:``, or empty.
    """

    brand: str
    foot: str
    links: tuple[Link, ...] = ()
    style: str = ""
    logo: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """One document in one language."""

    language: str
    title: str
    blocks: tuple[Block, ...]
    look: Look


def words_of(language: str) -> Say:
    """Return the function that returns texts of a language: of these documents, or of the guide."""
    texts = {**GUIDE[language], **LANGUAGES[language]}
    return lambda key, /, **values: texts[key].format(**values)
