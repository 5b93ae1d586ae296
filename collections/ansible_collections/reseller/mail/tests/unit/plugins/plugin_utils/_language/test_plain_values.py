# SPDX-License-Identifier: GPL-3.0-or-later
"""The reader of usual texts gives what the general reader gives, or gives up."""

from __future__ import annotations

import marshal
import typing as t
from random import Random

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._language import (
    plain_values,
    schema,
    written,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._language.source import Source
from ansible_collections.reseller.mail.plugins.plugin_utils._language.typed_values import Walker
from ansible_collections.reseller.mail.plugins.plugin_utils._language.yaml_nodes import parse
from ansible_collections.reseller.mail.plugins.plugin_utils._model.values import Position

FILE = "f.yml"
TEXTS = 3000


def usual(text: str, table: schema.Table) -> t.Any:
    content = text.encode()
    found = plain_values.read(content, table)
    if found is None:
        return None
    own, unused = marshal.loads(marshal.dumps(found)) if "password" not in text else found
    return written.filled(own, table, FILE, Source(FILE, content)), unused


def general(text: str, table: schema.Table) -> tuple[t.Any, list[str], list[t.Any]]:
    content = text.encode()
    root, faults = parse(FILE, content)
    if root is None and faults:
        return None, [], faults
    walker = Walker(FILE, Source(FILE, content))
    values = walker.file_values(root, table)
    return values, walker.unused, [*faults, *walker.faults, *walker.holes]


def comparable(value: t.Any) -> t.Any:
    """The value with everything that counts: types, order, places, and who can be asked below."""
    if isinstance(value, dict):
        return {name: comparable(one) for name, one in value.items()}
    if isinstance(value, tuple):
        return [comparable(one) for one in value]
    if isinstance(value, Position):
        return (str(value), value.source is not None)
    return (type(value), value)


def assert_same(text: str, table: schema.Table) -> bool:
    """Compare both readers. Return whether the reader of usual texts read the text."""
    found = usual(text, table)
    if found is not None:
        values, unused, faults = general(text, table)
        assert not faults, text
        assert comparable(found[0]) == comparable(values), text
        assert sorted(found[1]) == sorted(unused), text
        plain = written.stripped(values, table)
        again = written.filled(plain, table, FILE, Source(FILE, text.encode()))
        assert comparable(again) == comparable(values), text
    return found is not None


DOMAIN = """\
---
# A comment.
mailboxes:
  - name: jo   # another one
    display_name: Jo Müller-Doe, Dr.
    quota: 5G
    forward: {to: [ann, "x@globex.example"], keep_copy: true}
    password: '{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$c29tZXNhbHQ$aGFzaGhhc2hoYXNo'

  - {name: ann, addons: [archive, mobile]}
  - name: it
    protocols: [imap]
aliases:
- name: sales
  to: [jo, ann@globex.example]
- name: all
  to:
    - jo
    - 'it'
domain_aliases: [acme-mail.example, "acme.test"]  # places
sender_addresses: []
dmarc:
  stage: observe
  reports_to: it@acme.example
spf: {include: [_spf.stranger.example], tail: -all}
"""
ACCOUNT = """\
organisation: Acme & Sons - Mail
plan: business
external_ids: {whmcs: "1"}
placement: mx1
default_owner: it@acme.example
admins:
  - address: it@acme.example
    limits: {storage: 50T, mailboxes: unlimited}
domains: [acme.example]
domain_limits:
  - {name: acme.example, mailboxes: 20, mailbox_storage: unlimited}
intake: {expected_mailboxes: 2, dns_contact: it@acme.example, clients: local, smime: false}
defaults: {locale: de, retention: 60, branding: {name: Acme Mail, support_url: https://x.example/}}
"""


@pytest.mark.parametrize(
    ("text", "table"),
    [
        pytest.param(DOMAIN, schema.DOMAIN_FILE, id="domain"),
        pytest.param(ACCOUNT, schema.ACCOUNT, id="account"),
        pytest.param("domain_aliases:\n  - a.example\n  - 'b.example'\n", schema.DOMAIN_FILE),
        pytest.param("mailboxes:\n- name: jo\n- name: ann\ncatch_all: jo", schema.DOMAIN_FILE),
    ],
)
def test_usual_texts_are_read(text: str, table: schema.Table) -> None:
    assert assert_same(text, table)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing\n",
        "mailboxes:\n",
        "mailboxes: null\n",
        "mailboxes: [{name: jo}\n",
        "mailboxes:\n  - name: jo\n   quota: 5G\n",
        "mailboxes:\n  - name: jo\n    name: ann\n",
        "mailboxes:\n  - name: jo\n    display_name: Jo\n      Doe\n",
        "mailboxes:\n  - display_name: Jo\n",
        "mailboxes:\n  - name: jo\n    quota: 5 GB\n",
        "mailboxes:\n  - jo\n",
        "mailboxes:\n    name: jo\n",
        "catch_all: jo: ann\n",
        "catch_all: jo #ann\n  it\n",
        "catch_all: *jo\n",
        "catch_all: !vault jo\n",
        "catch_all: |\n  jo\n",
        "catch_all: jo\n---\ncatch_all: ann\n",
        "catch_all: jo\n- x\n",
        "catch_all: 'jo' x\n",
        "catch_all: [jo]\n",
        "colour: #1a6b3c\n",
        "domain_aliases: [a.example,, b.example]\n",
        "domain_aliases:\n  - a.example\n - b.example\n",
        "domain_aliases:\n  - - a.example\n",
        "\tcatch_all: jo\n",
        "catch_all: jo\r\n",
    ],
)
def test_it_gives_up_at_what_is_not_usual_or_wrong(text: str) -> None:
    assert usual(text, schema.DOMAIN_FILE) is None


NAMES = (
    *("mailboxes", "aliases", "name", "name", "to", "quota", "display_name", "owner", "catch_all"),
    *("domain_aliases", "forward", "keep_copy", "dmarc", "stage", "spf", "include", "tail"),
    *("state", "password", "addons", "hidden", "smime", "sieve", "mta_sts", "nonsense", "relay"),
)
WORDS = (
    *("jo", "ann", "it@acme.example", "5G", "Jo Doe", "true", "observe", "-all", "~all", "null"),
    *("a.example", "x, y", "a: b", "a #b", "a # b", "a b ", "http://x", "- x", "-", "&a", "*a"),
    *('"jo"', "'jo'", '"a\\n"', "''", "'it''s'", '"a" b', "[]", "[jo]", "[jo, ann]", "[jo,ann]"),
    *("[ jo , 'ann' ]", "[jo, ]", "[jo", "[[jo]]", "{}", "{name: jo}", "{to: [jo], keep_copy: x}"),
    *("{to: [jo, ann]}", "{stage: test}", "{stage: observe, reports_to: jo}", "{a: {b: c}}", "|"),
    *("{name: jo, name: ann}", "{name:jo}", "{name: }", "{name: jo quota}", "[a:b, c]", "#x", "ä"),
    *("[{name: jo}, {name: ann, quota: 1G}]", "[{name: ä, to: [jo]}]", "? x", "!t x", "{ARGON2ID}$"),
    *("2026-01-01", "[jo] # x", "{name: jo}#x", "'jo' # x", "unlimited", "0", "", "", "", ""),
)  # fmt: skip


BLOCKS = (
    ("mailboxes:", "  - name: {}", "    quota: {}", "    state: {}", "    forward: {}"),
    ("aliases:", "  - name: {}", "    to: {}", "    hidden: {}"),
    ("aliases:", "- name: {}", "  to:", "    - {}", "    - {}"),
    ("domain_aliases:", "  - {}", "  - {}"),
    ("dmarc:", "  stage: {}", "  reports_to: {}"),
    ("catch_all: {}",),
    ("domain_aliases: {}",),
    ("mailboxes: {}",),
    ("spf: {}",),
)
FIT = ("jo", "ann", "it@acme.example", "5G", "active", "true", "observe", "a.example", "[jo, ann]")


def drawn(random: Random) -> str:
    """A text of blocks of the language with drawn words, often with one line moved."""
    lines: list[str] = []
    for block in random.sample(BLOCKS, random.randrange(1, 4)):
        for line in block:
            word = random.choice(FIT if random.random() < 0.8 else WORDS)
            comment = random.choice(("", "", "", "", " ", " # a", "# a", "\n", "\n  # a"))
            lines.append(line.format(word) + comment)
    if random.random() < 0.3:
        at = random.randrange(len(lines))
        lines[at] = random.choice((f" {lines[at]}", lines[at][1:], f"  {lines[at]}", ""))
    return "\n".join(lines) + random.choice(("\n", "\n", ""))


def rewritten(random: Random) -> str:
    """A usual text with a few lines replaced, moved or left out."""
    lines = DOMAIN.splitlines()
    for _change in range(random.randrange(4)):
        at = random.randrange(len(lines))
        line = lines[at]
        space = line[: len(line) - len(line.lstrip(" -"))]
        name = line.strip(" -").partition(":")[0]
        lines[at : at + random.randrange(2)] = random.choice(
            (
                [],
                [f"{space}{name}: {random.choice(WORDS)}"],
                [f"{space}{random.choice(NAMES)}: {random.choice(WORDS)}"],
                [f" {line}"],
                [f"  {line}"],
                [line, line],
                [f"{line} {random.choice(WORDS)}"],
            )
        )
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("make", [drawn, rewritten])
def test_both_readers_agree(make: t.Callable[[Random], str]) -> None:
    read = sum(assert_same(make(Random(seed)), schema.DOMAIN_FILE) for seed in range(TEXTS))
    assert read > TEXTS / 100, "too few texts are usual, so the test shows nothing"
