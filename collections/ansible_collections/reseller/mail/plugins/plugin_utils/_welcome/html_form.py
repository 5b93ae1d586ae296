# SPDX-License-Identifier: GPL-3.0-or-later
"""A document as a page that needs no other file, so that it can be sent and printed.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

from .._guide.markup import Html, Part, document, tag
from .document import Exact, Facts, Grid, Heading, Items, Lines, Link, Words, words_of

if t.TYPE_CHECKING:
    from .document import Block, Document

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""A page loads nothing and runs no script, even if a text in it were taken for markup."""


def page(made: Document) -> bytes:
    """Return the page."""
    look = made.look
    mark: Part = (
        tag("img", src=look.logo, alt=look.brand, class_="logo")
        if look.logo
        else tag("bdi", look.brand)
    )
    return document(
        made.language,
        tag(
            "head",
            tag("meta", charset="utf-8"),
            tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
            tag("title", made.title),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("meta", name="robots", content="noindex"),
            tag("meta", name="referrer", content="no-referrer"),
            tag("meta", name="color-scheme", content="light dark"),
            tag("style", Html(look.style)),
        ),
        tag(
            "body",
            tag("header", tag("p", mark, class_="brand")),
            tag(
                "main",
                tag("h1", made.title),
                [_block(block, made.language) for block in made.blocks],
            ),
            tag(
                "footer",
                tag("p", look.foot),
                [_block(link, made.language) for link in look.links],
            ),
        ),
    )


def _value(value: str) -> Html:
    """Return a value within its line. Its direction does not change that of the line."""
    return tag("code", value) if isinstance(value, Exact) else tag("bdi", value)


def _block(block: Block, language: str) -> Html:
    """Return one block of a document in a language."""
    if isinstance(block, Words):
        return tag("p", block.text, class_=block.kind or None)
    if isinstance(block, Heading):
        return tag(f"h{block.level}", block.text)
    if isinstance(block, Items):
        return tag("ul", [tag("li", item) for item in block.items])
    if isinstance(block, Link):
        return tag("p", tag("a", block.words, href=block.url, rel="noreferrer"))
    if isinstance(block, Lines):
        return tag("pre", "\n".join(block.lines), tabindex="0")
    if isinstance(block, Facts):
        return tag(
            "dl", [[tag("dt", label), tag("dd", _value(value))] for label, value in block.rows]
        )
    return _table(block, language)


def _table(grid: Grid, language: str) -> Html:
    """Return a table. Each cell has its heading, which a narrow screen shows before it."""
    say = words_of(language)
    rows = [
        tag(
            "tr",
            tag("th", _value(row[0]), scope="row"),
            [
                tag("td", _value(cell), data_label=say("label", name=head))
                for head, cell in zip(grid.head[1:], row[1:], strict=True)
            ],
        )
        for row in grid.rows
    ]
    head = tag("tr", [tag("th", words, scope="col") for words in grid.head])
    return tag("table", tag("thead", head), tag("tbody", rows))
