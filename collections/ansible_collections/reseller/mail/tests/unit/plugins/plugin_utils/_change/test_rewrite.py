# SPDX-License-Identifier: GPL-3.0-or-later
"""Owners are rewritten in place: everything else in the file stays as it is, byte for byte."""

from __future__ import annotations

import pytest
import yaml
from ansible_collections.reseller.mail.plugins.plugin_utils._change import rewrite
from ansible_collections.reseller.mail.plugins.plugin_utils._change.rewrite import (
    CannotEdit,
    hand_over,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._change.transfer import transfer
from ansible_collections.reseller.mail.plugins.plugin_utils._load import build
from hypothesis import given, settings
from hypothesis import strategies as st

IT, JO, ANN = "it@people.example", "jo@people.example", "ann@people.example"

AWKWARD = """\
# Acme's people.

# Who works here; "it@people.example" is the boss.
mailboxes:
- name: it      # not indented
  owner:   it@people.example     # aligned
- {name: jo, display_name: "Jo Doe", quota: 5G, owner: 'it@people.example', state: active, protocols: [imap, pop3, submission, sieve]}   # a long line
- {owner: "IT@People.example", name: ann}
- name: bob
  owner: >-
    it@people.example
  display_name: 'it@people.example'
aliases:
    -   name: sales
        to:
          - jo


        owner: &it it@people.example
    - { name: x, to: [ jo, *it ], owner: *it }
    - {name: "y", to: [jo], owner: ann@people.example}
sender_addresses: [ {name: noreply, mailbox: jo, owner: "\\x69t@people.example"},
                    {name: b,       mailbox: jo} ]
sieve: |
    keep;   
    # owner: it@people.example
tls_rpt: {reports_to: it@people.example}
"""  # noqa: W291 - the white space is the point
ADDED = "owner: jo@people.example"
REWRITTEN = {
    "  owner:   it@people.example     # aligned": "  owner:   jo@people.example     # aligned",
    "- {name: jo, display_name: \"Jo Doe\", quota: 5G, owner: 'it@people.example', state: active, protocols: [imap, pop3, submission, sieve]}   # a long line":
    "- {name: jo, display_name: \"Jo Doe\", quota: 5G, owner: 'jo@people.example', state: active, protocols: [imap, pop3, submission, sieve]}   # a long line",
    '- {owner: "IT@People.example", name: ann}': '- {owner: "jo@people.example", name: ann}',
    "    it@people.example": "    jo@people.example",
    "        owner: &it it@people.example": "        owner: &it jo@people.example",
    "    - { name: x, to: [ jo, *it ], owner: *it }": "    - { name: x, to: [ jo, it@people.example ], owner: *it }",
    'sender_addresses: [ {name: noreply, mailbox: jo, owner: "\\x69t@people.example"},':
    'sender_addresses: [ {name: noreply, mailbox: jo, owner: "jo@people.example"},',
}  # fmt: skip


@pytest.mark.parametrize("parser", ["CSafeLoader", "SafeLoader"])
@pytest.mark.parametrize("around", ["", "\ufeff", "\r\n", "\U0001f600"])
def test_an_awkward_file(around: str, parser: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if parser == "SafeLoader":
        monkeypatch.setattr(rewrite.yaml, "CSafeLoader", yaml.SafeLoader)
    before = AWKWARD
    if around == "\ufeff":
        before = around + before
    elif around == "\r\n":
        before = before.replace("\n", around)
    elif around:
        before = before.replace("Acme's", f"ü {around} Acme's")  # two bytes, four bytes
    after = hand_over(before.encode("utf-8"), IT, JO, True).decode("utf-8")
    assert after.count("\r\n") == (after.count("\n") if around == "\r\n" else 0)
    lines = before.replace("\r", "").split("\n")
    assert set(REWRITTEN) <= set(lines)
    expected = [REWRITTEN.get(line, line) for line in lines]
    expected.insert(2, ADDED)
    assert after.replace("\r", "").split("\n") == expected
    assert after.startswith("\ufeff") == (around == "\ufeff")


def test_what_others_own_stays() -> None:
    assert hand_over(AWKWARD.encode(), "bob@people.example", JO, False) == AWKWARD.encode()
    one = '{name: "y", to: [jo], owner: %s}'
    assert hand_over(AWKWARD.encode(), ANN, JO, False).decode() == AWKWARD.replace(
        one % ANN, one % JO
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "owner: {jo}\n"),
        ("# only words\n", "# only words\nowner: {jo}\n"),
        ("# no line end", "# no line end\nowner: {jo}\n"),
        ("---\n", "---\nowner: {jo}\n"),
        ("---\n# words\n...\n", "---\n# words\nowner: {jo}\n...\n"),
        ("--- {}\n", "--- {owner: {jo}}\n"),
        ("{mailboxes: [{name: a}]}", "{owner: {jo}, mailboxes: [{name: a}]}"),
        ("%YAML 1.1\n---\nmailboxes: []\n", "%YAML 1.1\n---\nowner: {jo}\nmailboxes: []\n"),
        (
            "  type: relay   # far away\n  x: 1\n",
            "  type: relay   # far away\n  owner: {jo}\n  x: 1\n",
        ),
        ("x: 1\ntype: mail", "x: 1\ntype: mail\nowner: {jo}"),
        ("# The file.\nmailboxes: []\n", "# The file.\nowner: {jo}\nmailboxes: []\n"),
        (
            "# The file.\n\n# People.\n#\nmailboxes: []\n",
            "# The file.\n\nowner: {jo}\n# People.\n#\nmailboxes: []\n",
        ),
        (
            "# The file.\r\n\r\n# People.\r\nmailboxes: []\r\n",
            "# The file.\r\n\r\nowner: {jo}\r\n# People.\r\nmailboxes: []\r\n",
        ),
        ("mailboxes: []\nowner: it@people.example # her\n", "mailboxes: []\nowner: {jo} # her\n"),
        (
            "catch_all: &o it@people.example\nowner: *o\n",
            "catch_all: &o it@people.example\nowner: {jo}\n",
        ),
    ],
)
def test_where_an_inherited_owner_is_written_down(before: str, after: str) -> None:
    assert hand_over(before.encode(), IT, JO, True).decode() == after.replace("{jo}", JO)


@pytest.mark.parametrize("text", ["~\n", "null\n"])
def test_a_file_without_a_place_is_not_guessed_at(text: str) -> None:
    with pytest.raises(CannotEdit):
        hand_over(text.encode(), IT, JO, True)


ESTATE = b"""
provider: {name: P, domain: hosting.example}
nodes: [{name: mx1, hostname: mx1.hosting.example, debian: 12, addresses: [192.0.2.1]}]
"""
PLANS = b"plans: [{name: p, mailbox_quota: {default: 1G}, features: [relay_domains]}]"
ACCOUNT = """
organisation: Acme
plan: p
placement: mx1
default_owner: it@people.example
admins: [{address: it@people.example}, {address: jo@people.example}, {address: ann@people.example}]
domains: [acme.example, acme-mail.example]
"""


@st.composite
def files(draw: st.DrawFn) -> str:
    """A domain's file in one of many layouts."""

    def owner() -> str | None:
        return draw(st.sampled_from([None, IT, JO, ANN]))

    def written_as(address: str) -> str:
        return draw(st.sampled_from(["{}", "'{}'", '"{}"', "{}  # who"])).format(address)

    parts = []
    for kind, letter, more in (
        ("mailboxes", "m", ""),
        ("aliases", "a", "to: [x@stranger.example]"),
        ("sender_addresses", "s", "mailbox: m0"),
    ):
        lines = []
        for nth in range(draw(st.integers(1 if letter == "m" else 0, 3))):
            whose = owner()
            if draw(st.booleans()):
                lines.append(
                    "  - {name:"
                    f" {letter}{nth}{f', owner: {whose}' if whose else ''}{', ' + more if more else ''}}}\n"
                )
            else:
                entries = [
                    f"name: {letter}{nth}",
                    *([more] if more else []),
                    *([f"owner: {written_as(whose)}"] if whose else []),
                ]
                lines.append("  - " + "\n    ".join(draw(st.permutations(entries))) + "\n")
        if lines:
            parts.append(
                draw(st.sampled_from(["", "\n", "\n# Next.\n", "# Near.\n"]))
                + f"{kind}:\n{''.join(lines)}"
            )
    if draw(st.booleans()):
        parts.append("domain_aliases: [acme-mail.example]\n")
    its = owner()
    if its:
        parts.append(f"owner: {written_as(its)}\n")
    text = draw(st.sampled_from(["", "# The file.\n", "---\n"])) + "".join(
        draw(st.permutations(parts))
    )
    return text.replace("\n", "\r\n") if draw(st.booleans()) else text


@settings(max_examples=150)
@given(files(), st.sampled_from([(IT, JO), (JO, IT), (ANN, IT)]))
def test_the_rewritten_file_means_exactly_the_transfer(text: str, who: tuple[str, str]) -> None:
    tree = {
        "estate.yml": ESTATE,
        "plans.yml": PLANS,
        "tenants/acme/account.yml": ACCOUNT.encode(),
        "tenants/acme/acme.example.yml": text.encode(),
    }
    before, faults = build(tree)
    assert faults == []
    meant = transfer(before, "acme", *who).estate
    domain_too = before.tenants[0].domains[0].owner == who[0]
    written = hand_over(text.encode(), *who, domain_too)
    got, faults = build({**tree, "tenants/acme/acme.example.yml": written})
    assert faults == []
    assert got.tenants == meant.tenants
    # Nothing but addresses in existing lines, and one line more at the most.
    shorter, longer = text.split("\n"), written.decode().split("\n")
    assert len(longer) - len(shorter) in (0, 1)
    alike = [
        " ".join(words.replace(who[1], who[0]).replace(f"owner: {who[0]}", "").split())
        for words in (text, written.decode())
    ]
    assert alike[0] == alike[1]
    assert hand_over(written, *who, False) == written
