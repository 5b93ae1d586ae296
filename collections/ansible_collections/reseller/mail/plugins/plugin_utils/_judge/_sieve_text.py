# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a Sieve script, and say what in it cannot work (RFC 5228).

PRIVATE to this package. Pure.

It knows the grammar, the commands and the extensions that hosts allow. Arguments are checked by
sievec on the host, which refuses the generation. sievelib is not used: version 1.6.0 refuses
valid scripts (``foreverypart``, ``duplicate``, ``ihave``, ``:index``, the test ``string``).
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.reseller.mail.plugins.module_utils._host.sieve_rules import EXTENSIONS

MAX_NESTED = 24
"""Blocks and tests inside of each other; Pigeonhole allows 32."""


class Flaw(t.NamedTuple):
    """Something in a script that cannot work, or that scripts must not do, and its line."""

    line: int
    what: str
    allowed: str
    forbidden: bool = False


_COMMANDS = {
    **dict.fromkeys(("require", "if", "elsif", "else", "stop", "keep", "discard", "redirect"), ""),
    "fileinto": "fileinto",
    "reject": "reject",
    "vacation": "vacation",
    **dict.fromkeys(("setflag", "addflag", "removeflag"), "imap4flags"),
    "set": "variables",
    **dict.fromkeys(("foreverypart", "break"), "foreverypart"),
    "extracttext": "extracttext",
    "error": "ihave",
}
"""The commands, and the extension that each belongs to; none for those of RFC 5228."""

_TESTS = {
    **dict.fromkeys(
        ("address", "allof", "anyof", "exists", "false", "header", "not", "size", "true"), ""
    ),
    "body": "body",
    **dict.fromkeys(("date", "currentdate"), "date"),
    "duplicate": "duplicate",
    "envelope": "envelope",
    "hasflag": "imap4flags",
    "ihave": "ihave",
    "mailboxexists": "mailbox",
    "string": "variables",
}
"""The tests, and the extension that each belongs to."""

_TAGS = {
    ":copy": "copy",
    ":create": "mailbox",
    ":flags": "imap4flags",
    ":index": "index",
    ":mime": "mime",
    ":regex": "regex",
    **dict.fromkeys((":count", ":value"), "relational"),
    **dict.fromkeys((":user", ":detail"), "subaddress"),
}
"""The tags that only an extension has."""

_WITH_BLOCK = ("if", "elsif", "else", "foreverypart")
_WITH_TEST = ("if", "elsif", "not")
_WITH_TESTS = ("allof", "anyof")

_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r\n]+|\#[^\n]*|/\*.*?\*/)
    |(?P<lines>text:[ \t]*(?:\#[^\n]*)?\n(?:(?!\.\n)[^\n]*\n)*\.(?:\n|\Z))
    |(?P<string>"(?:\\.|[^"\\])*")
    |(?P<number>[0-9]+[KMGkmg]?(?![A-Za-z0-9_]))
    |(?P<tag>:[A-Za-z_][A-Za-z0-9_]*)
    |(?P<word>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<mark>[][(){},;])
    """,
    re.X | re.S,
)


class _Token(t.NamedTuple):
    kind: str
    text: str
    line: int


@dataclass(slots=True)
class _Word:
    """A command or a test with what belongs to it."""

    name: str
    line: int
    strings: list[tuple[str, int]] = field(default_factory=list)
    tags: list[tuple[str, int]] = field(default_factory=list)
    tests: list[_Word] = field(default_factory=list)
    block: t.Optional[list[_Word]] = None


class _Syntax(Exception):
    """The script does not follow the grammar."""

    def __init__(self, line: int, what: str, allowed: str) -> None:
        super().__init__(what)
        self.flaw = Flaw(line, what, allowed)


def flaws(script: str) -> list[Flaw]:
    """Return what in a script cannot work, in the order of its lines.

    After an error of the grammar the rest of the script is not read.
    """
    try:
        commands = _Reader(script).script()
    except _Syntax as error:
        return [error.flaw]
    return sorted(set(_Rules().script(commands)))


def _tokens(script: str) -> t.Iterator[_Token]:
    """Yield the tokens of a script, and a last one that is empty."""
    at, line = 0, 1
    while at < len(script):
        match = _TOKEN.match(script, at)
        if match is None:
            what = "a string or comment without its end" if script[at] in '"/' else repr(script[at])
            raise _Syntax(line, f"{what} cannot be here", "a Sieve script (RFC 5228)")
        if match.lastgroup != "space":
            yield _Token(str(match.lastgroup), match[0], line)
        line += match[0].count("\n")
        at = match.end()
    yield _Token("end", "", max(1, script.rstrip("\n").count("\n") + 1))


class _Reader:
    """The grammar of RFC 5228 section 8.2."""

    def __init__(self, script: str) -> None:
        self._rest = _tokens(script)
        self._now = next(self._rest)
        self._depth = 0

    def script(self) -> list[_Word]:
        """Return the commands of the script."""
        found = self._commands()
        if self._now.kind != "end":
            raise self._wrong("a command")
        return found

    def _commands(self) -> list[_Word]:
        found = []
        while self._now.kind == "word":
            command = self._word()
            if self._now.text == "{":
                command.block = self._block()
            else:
                self._take(";", f"';' after {command.name}, or a block")
            found.append(command)
        return found

    def _block(self) -> list[_Word]:
        """Return the commands between braces."""
        self._enter()
        self._take("{", "'{'")
        found = self._commands()
        self._take("}", "'}' or a command")
        self._depth -= 1
        return found

    def _word(self) -> _Word:
        """Return a command or test with its arguments."""
        word = _Word(self._now.text.lower(), self._now.line)
        self._step()
        while self._now.kind in ("tag", "number", "string", "lines") or self._now.text == "[":
            if self._now.kind == "tag":
                word.tags.append((self._now.text.lower(), self._now.line))
                self._step()
            elif self._now.kind == "number":
                self._step()
            else:
                word.strings += self._strings()
        if self._now.kind == "word":
            self._enter()
            word.tests.append(self._word())
            self._depth -= 1
        elif self._now.text == "(":
            word.tests += self._tests()
        return word

    def _tests(self) -> list[_Word]:
        """Return the tests between parentheses."""
        self._enter()
        found: list[_Word] = []
        while not found or self._now.text == ",":
            self._step()
            if self._now.kind != "word":
                raise self._wrong("a test")
            found.append(self._word())
        self._take(")", "',' or ')'")
        self._depth -= 1
        return found

    def _strings(self) -> list[tuple[str, int]]:
        """Return a string, or the strings between brackets."""
        if self._now.text != "[":
            return [self._string()]
        found: list[tuple[str, int]] = []
        while not found or self._now.text == ",":
            self._step()
            found.append(self._string())
        self._take("]", "',' or ']'")
        return found

    def _string(self) -> tuple[str, int]:
        kind, text, line = self._now
        if kind == "string":
            value = re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.S)
        elif kind == "lines":
            value = text.partition("\n")[2]
        else:
            raise self._wrong("a string")
        self._step()
        return value, line

    def _enter(self) -> None:
        """Count one level more; raise if there are too many."""
        self._depth += 1
        if self._depth > MAX_NESTED:
            raise _Syntax(
                self._now.line,
                f"more than {MAX_NESTED} blocks and tests are inside of each other",
                f"at most {MAX_NESTED}",
            )

    def _take(self, mark: str, allowed: str) -> None:
        if self._now.text != mark:
            raise self._wrong(allowed)
        self._step()

    def _step(self) -> None:
        self._now = next(self._rest)

    def _wrong(self, allowed: str) -> _Syntax:
        """Return the error that the present token is not what is allowed here."""
        found = repr(self._now.text[:40]) if self._now.text else "the end of the script"
        return _Syntax(self._now.line, f"{found} cannot be here", allowed)


class _Rules:
    """What a script that follows the grammar can still do wrong."""

    def __init__(self) -> None:
        self._required: set[str] = set()

    def script(self, commands: t.Sequence[_Word]) -> t.Iterator[Flaw]:
        """Yield the flaws of a script."""
        self._required = {
            name for word in _everything(commands) for name, _line in _extensions(word)
        }
        rest = list(commands)
        while rest and rest[0].name == "require":
            yield from self._extensions(rest.pop(0))
        yield from self._commands(rest)

    def _extensions(self, word: _Word) -> t.Iterator[Flaw]:
        """Yield the extensions of a ``require`` or ``ihave`` that are not allowed."""
        for name, line in word.strings:
            if name not in EXTENSIONS:
                yield Flaw(
                    line,
                    f"scripts cannot use the extension {name!r}",
                    ", ".join(EXTENSIONS),
                    forbidden=True,
                )

    def _commands(self, commands: t.Iterable[_Word]) -> t.Iterator[Flaw]:
        before = ""
        for command in commands:
            yield from self._name(command, _COMMANDS, "command")
            if command.name == "require":
                yield Flaw(
                    command.line,
                    "require comes after another command",
                    "require before all other commands",
                )
            if command.name in ("elsif", "else") and before not in ("if", "elsif"):
                yield Flaw(
                    command.line,
                    f"there is no if before {command.name}",
                    "elsif and else after if or elsif",
                )
            yield from self._form(command)
            if command.name == "redirect":
                yield from self._redirect(command)
            if command.block is not None:
                yield from self._commands(command.block)
            before = command.name

    def _form(self, command: _Word) -> t.Iterator[Flaw]:
        """Yield a block or test too many or too few, and the flaws of the tests."""
        if (command.block is not None) != (command.name in _WITH_BLOCK):
            what = "needs" if command.block is None else "cannot have"
            yield Flaw(
                command.line,
                f"{command.name} {what} a block",
                f"a block after {', '.join(_WITH_BLOCK)} only",
            )
        yield from self._tests(command)

    def _tests(self, word: _Word) -> t.Iterator[Flaw]:
        """Yield the flaws of the tests of a command or test."""
        for tag, line in word.tags:
            if tag in _TAGS:
                yield from self._unless_required(tag, _TAGS[tag], line)
        count = len(word.tests)
        wants_one, wants_many = word.name in _WITH_TEST, word.name in _WITH_TESTS
        if (wants_one and count != 1) or (wants_many and not count):
            yield Flaw(word.line, f"{word.name} needs a test", "a test")
        elif count and not wants_one and not wants_many:
            yield Flaw(
                word.tests[0].line,
                f"{word.tests[0].name!r} cannot be here",
                f"';' after {word.name}",
            )
            return
        for test in word.tests:
            yield from self._name(test, _TESTS, "test")
            if test.name == "ihave":
                yield from self._extensions(test)
            yield from self._tests(test)

    def _name(self, word: _Word, known: t.Mapping[str, str], kind: str) -> t.Iterator[Flaw]:
        """Yield that a command or test does not exist, or that its extension is not required."""
        if word.name not in known:
            yield Flaw(
                word.line,
                f"{word.name!r} is not a {kind} that scripts can use",
                ", ".join(sorted(known)),
            )
        else:
            yield from self._unless_required(word.name, known[word.name], word.line)

    def _unless_required(self, name: str, extension: str, line: int) -> t.Iterator[Flaw]:
        if extension and extension not in self._required:
            yield Flaw(
                line,
                f"{name} needs the extension {extension}",
                f'require ["{extension}"]; at the beginning',
            )

    def _redirect(self, command: _Word) -> t.Iterator[Flaw]:
        """Yield a variable in the address: who writes a message could then choose it."""
        for address, line in command.strings:
            if "${" in address:
                yield Flaw(
                    line,
                    f"redirect has a variable in its address: {address!r}",
                    "an address without variables",
                    forbidden=True,
                )


def _everything(words: t.Iterable[_Word]) -> t.Iterator[_Word]:
    """Yield all commands and tests."""
    for word in words:
        yield word
        yield from _everything(word.tests)
        yield from _everything(word.block or ())


def _extensions(word: _Word) -> list[tuple[str, int]]:
    """Return the extensions that a ``require`` or ``ihave`` names."""
    return word.strings if word.name in ("require", "ihave") else []
