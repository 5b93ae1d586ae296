# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts that all pages have: head, choice of language, footer, and states.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._model.names import spoken
from .markup import Html, Part, document, join, tag
from .texts import LANGUAGES

SIGNS = {
    "ok": "M3 8.5l3.2 3.2L13 4.8",
    "warn": "M8 2.5v6.5M8 12.2v1.3",
    "suspended": "M4.5 3.5h7v9h-7z",
    "fail": "M4 4l8 8M12 4l-8 8",
    "blocked": "M5 4v8M11 4v8",
    "pending": "M8 4v4.3l2.8 1.9M8 1.8a6.2 6.2 0 1 0 6.2 6.2",
    "unchecked": "M5.4 6a2.6 2.6 0 1 1 3.6 2.4c-.7.3-1 .7-1 1.5M8 12.4v1.3",
    "na": "M3.5 8h9",
}

"""SVG path of the sign of each state."""


class Say(t.Protocol):
    """The function that returns a text in the page's language."""

    def __call__(self, key: str, /, **values: t.Any) -> str:
        """Return the text of a key with its values."""


@dataclass(frozen=True)
class Frame:
    """The language of a page and its links.

    ``checked`` is the time of the findings. ``files`` are the file names of the page by language.
    ``version`` changes with the style sheet and the script, ``up`` is the path to their folder.
    ``logo`` is the file of a picture, or empty.
    """

    language: str
    checked: str
    files: t.Mapping[str, str]
    version: str
    up: str = "../"
    logo: str = ""

    def say(self, key: str, /, **values: t.Any) -> str:
        """Return the text of a key with its values."""
        return LANGUAGES[self.language][key].format(**values)

    def shown(self, name: str) -> str:
        """Return a name for people: A-labels, then U-labels in brackets if they differ."""
        return spoken(name)

    def name(self, name: str) -> Html:
        """Return a name for a heading: U-labels first."""
        whole = spoken(name)
        if whole == name:
            return tag("bdi", name)
        return join(
            [tag("bdi", whole.partition(" (")[2].removesuffix(")")), " ", tag("small", name)]
        )

    def time(self) -> Html:
        """Return the time of the findings."""
        if not self.checked:
            return join(self.say("never"))
        return tag("time", shown_time(self.checked), datetime=self.checked)

    def check(self, finding_id: str) -> list[Part]:
        """Return the words for a question of verify, or those for its kind with its id."""
        words, shown_id = question_words(finding_id, self.language)
        return [words, [" ", tag("small", shown_id)] if shown_id else None]

    def section(self, key: str, parts: Part) -> Html:
        """Return a section of the page with its heading."""
        return tag("section", tag("h2", self.say(key), id=key), parts, aria_labelledby=key)

    def document(
        self, title: str, brand: str, body: Part, foot: Part, contents: t.Sequence[str] = ()
    ) -> bytes:
        """Return the whole page. ``contents`` are the keys of the sections to link to.

        The attributes of ``body`` are the words that the script needs.
        """
        say = self.say
        return document(
            self.language,
            self._head(title),
            tag(
                "body",
                tag("a", say("skip"), href="#main", class_="skip"),
                _signs(),
                self._top(brand),
                self._contents(contents) if contents else None,
                tag("main", body, id="main", tabindex="-1"),
                tag("footer", foot),
                tag("p", role="status", class_="status", id="status"),
                data_copy_what=say("copy_what", what="{}"),
                data_copy=say("copy"),
                data_copied=say("copied"),
                data_select=say("select"),
            ),
        )

    def _head(self, title: str) -> Html:
        """Return the head with the title, the style sheets and the script."""
        return tag(
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
        )

    def _top(self, brand: str) -> Html:
        """Return the logo or the brand's name, and the choice of language."""
        mark: Part = (
            tag("img", src=self.logo, alt=brand, class_="logo") if self.logo else tag("bdi", brand)
        )
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
        return tag(
            "header",
            tag("p", mark, class_="brand"),
            tag("nav", tag("ul", choices), aria_label=self.say("languages")),
            class_="top",
        )

    def _contents(self, sections: t.Sequence[str]) -> Html:
        """Return the links to the sections of the page."""
        links = [tag("li", tag("a", self.say(key), href=f"#{key}")) for key in sections]
        return tag("nav", tag("ul", links), aria_label=self.say("contents"), class_="contents")


def shown_time(checked: str) -> str:
    """Return a time such as 2026-11-21T14:00:00Z for people."""
    return f"{checked[:10]} {checked[11:16]} UTC"


def question_words(finding_id: str, language: str) -> tuple[str, str]:
    """Return the words for a question of verify.

    If it has no words of its own, return those for its kind, and its id.
    """
    texts = LANGUAGES[language]
    own = "check_" + finding_id.replace(".", "_")
    if own in texts:
        return texts[own], ""
    return texts.get(f"check_{finding_id.partition('.')[0]}", ""), finding_id


def copied(text: str, what: str) -> Html:
    """Return a value that the script gives a button to copy it. ``what`` is the value's name."""
    return tag("span", tag("code", text, data_copy=what), class_="copied")


def pill(state: str, say: Say) -> Html:
    """Return a state as a word with a sign and a colour."""
    sign = tag("svg", tag("use", href=f"#i-{state}"), aria_hidden="true", class_="sign")
    return tag("span", sign, say(f"state_{state}"), class_=f"pill is-{state}")


def _signs() -> Html:
    """Return the signs of all states as SVG symbols, which ``pill`` refers to."""
    symbols = [
        tag("symbol", tag("path", d=path), id=f"i-{state}", viewBox="0 0 16 16")
        for state, path in SIGNS.items()
    ]
    return tag("svg", symbols, aria_hidden="true", class_="sprite")
