# SPDX-License-Identifier: GPL-3.0-or-later
"""What all pages have in common: head, languages, footer, pills.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._names import spoken
from .markup import Html, Part, document, join, tag
from .texts import LANGUAGES

ICONS = {
    "ok": "M3 8.5l3.2 3.2L13 4.8",
    "warn": "M8 2.5v6.5M8 12.2v1.3",
    "fail": "M4 4l8 8M12 4l-8 8",
    "blocked": "M5 4v8M11 4v8",
    "pending": "M8 4v4.3l2.8 1.9M8 1.8a6.2 6.2 0 1 0 6.2 6.2",
    "unchecked": "M5.4 6a2.6 2.6 0 1 1 3.6 2.4c-.7.3-1 .7-1 1.5M8 12.4v1.3",
    "na": "M3.5 8h9",
}

_SECTIONS = ("golive", "records", "clients")


class Say(t.Protocol):
    """Gives a text in the page's language."""

    def __call__(self, key: str, /, **values: t.Any) -> str: ...


@dataclass(frozen=True)
class Frame:
    """One page's surroundings. ``up`` leads to the folder of style and script, ``files`` are the page's own names by language,
    ``version`` changes with style and script."""

    language: str
    checked: str
    files: t.Mapping[str, str]
    version: str
    up: str = "../"
    logo: str = ""

    def say(self, key: str, /, **values: t.Any) -> str:
        """A text with its values."""
        return LANGUAGES[self.language][key].format(**values)

    def shown(self, name: str) -> str:
        """A name as people read it, U-labels behind A-labels."""
        return spoken(name)

    def name(self, name: str) -> Html:
        """A name as a heading."""
        whole = spoken(name)
        if whole == name:
            return tag("bdi", name)
        return join(
            [tag("bdi", whole.partition(" (")[2].removesuffix(")")), " ", tag("small", name)]
        )

    def time(self) -> Html:
        """When was asked."""
        if not self.checked:
            return join(self.say("never"))
        return tag("time", f"{self.checked[:10]} {self.checked[11:16]} UTC", datetime=self.checked)

    def check(self, finding_id: str) -> list[Part]:
        """What a finding is about: its own words, or those for its kind and the id."""
        own = "check_" + finding_id.replace(".", "_")
        if own in LANGUAGES[self.language]:
            return [self.say(own)]
        kind = f"check_{finding_id.partition('.')[0]}"
        return [
            self.say(kind) if kind in LANGUAGES[self.language] else None,
            " ",
            tag("small", finding_id),
        ]

    def section(self, key: str, parts: Part) -> Html:
        """A part of the page with its heading."""
        return tag("section", tag("h2", self.say(key), id=key), parts, aria_labelledby=key)

    def document(
        self, title: str, brand: str, body: Part, foot: Part, contents: bool = True
    ) -> bytes:
        """The whole page."""
        say = self.say
        choices = [
            tag(
                "li",
                tag(
                    "a",
                    texts["language"],
                    href=self.files[language],
                    hreflang=language,
                    lang=language,
                    aria_current="page" if language == self.language else None,
                ),
            )
            for language, texts in LANGUAGES.items()
        ]
        mark: Part = (
            tag("img", src=self.logo, alt=brand, class_="logo") if self.logo else tag("bdi", brand)
        )
        return document(
            self.language,
            tag(
                "head",
                tag("meta", charset="utf-8"),
                tag("title", title),
                tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
                tag("meta", name="robots", content="noindex"),
                tag("meta", name="referrer", content="no-referrer"),
                tag("meta", name="color-scheme", content="light dark"),
                tag("link", rel="stylesheet", href=f"{self.up}guide.css?{self.version}"),
                tag("link", rel="stylesheet", href="brand.css"),
                tag("script", src=f"{self.up}guide.js?{self.version}", defer=True),
            ),
            tag(
                "body",
                tag("a", say("skip"), href="#main", class_="skip"),
                _sprite(),
                tag(
                    "header",
                    tag("p", mark, class_="brand"),
                    tag("nav", tag("ul", choices), aria_label=say("languages")),
                    class_="top",
                ),
                tag(
                    "nav",
                    tag("ul", (tag("li", tag("a", say(key), href=f"#{key}")) for key in _SECTIONS)),
                    aria_label=say("contents"),
                    class_="contents",
                )
                if contents
                else None,
                tag("main", body, id="main", tabindex="-1"),
                tag("footer", foot),
                tag("p", role="status", class_="said", id="said"),
                data_copy_what=say("copy_what", what="{}"),
                data_copy=say("copy"),
                data_copied=say("copied"),
                data_select=say("select"),
            ),
        )


def pill(state: str, say: Say) -> Html:
    """A state as word, sign and colour."""
    sign = tag("svg", tag("use", href=f"#i-{state}"), aria_hidden="true", class_="sign")
    return tag("span", sign, say(f"state_{state}"), class_=f"pill is-{state}")


def _sprite() -> Html:
    symbols = [
        tag("symbol", tag("path", d=path), id=f"i-{state}", viewBox="0 0 16 16")
        for state, path in ICONS.items()
    ]
    return tag("svg", symbols, aria_hidden="true", class_="sprite")
