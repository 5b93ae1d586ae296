# SPDX-License-Identifier: GPL-3.0-or-later
"""An account's text gets and loses suspensions, and nothing else in it changes."""

from __future__ import annotations

import difflib

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._change.rewrite import CannotEdit
from ansible_collections.reseller.mail.plugins.plugin_utils._change.suspend import resume, suspend

PLAIN = """\
# Acme
organisation:   "Acme"   # a comment
state: active
domains: [acme.example,
  shop.example]
"""
NEW = """\
suspensions:
  - of: jo@acme.example
    profile: abuse
    reason: 'it''s #1: spam'
"""
BLOCK = """\
suspensions:
- of: it@acme.example   # ticket 7
  reason: |
    long

# the plan
plan: business
"""
FLOW = "plan: business\nsuspensions: [ {of: it@acme.example} ]  # all\n"


def changed(before: str, after: bytes) -> tuple[list[str], list[str]]:
    """The lines that went and those that came."""
    found = list(
        difflib.ndiff(before.splitlines(keepends=True), after.decode().splitlines(keepends=True))
    )
    return [x[2:] for x in found if x[0] == "-"], [x[2:] for x in found if x[0] == "+"]


def jo(text: str) -> bytes:
    return suspend(text.encode(), "jo@acme.example", "abuse", "it's #1: spam")


def test_the_first_suspension_comes_at_the_end() -> None:
    assert jo(PLAIN).decode() == PLAIN + NEW
    assert jo(PLAIN.rstrip("\n")).decode() == PLAIN + NEW


def test_the_next_one_comes_behind_the_last_with_its_indent() -> None:
    gone, new = changed(BLOCK, jo(BLOCK))
    assert gone == []
    assert new == [
        "- of: jo@acme.example\n",
        "  profile: abuse\n",
        "  reason: 'it''s #1: spam'\n",
    ]
    text = FLOW.replace(
        "} ]", "} , {of: jo@acme.example, profile: abuse, reason: 'it''s #1: spam'}]"
    )
    assert jo(FLOW).decode() == text


def test_line_ends_and_a_byte_order_mark_stay() -> None:
    text = "\ufeff" + PLAIN.replace("\n", "\r\n")
    assert jo(text).decode() == text + NEW.replace("\n", "\r\n")


def test_a_second_suspension_of_the_same_object_replaces_the_first() -> None:
    once = jo(BLOCK)
    again = suspend(once, "jo@acme.example", "legal_hold", "")
    assert again.count(b"jo@acme.example") == 1
    assert b"profile: legal_hold" in again
    assert b"spam" not in again


@pytest.mark.parametrize("text", [PLAIN, BLOCK, FLOW.replace("[ ", "[").replace(" ]", "]")])
def test_resuming_gives_the_file_back_as_it_was(text: str) -> None:
    assert resume(jo(text), "jo@acme.example", "acme").decode() == text


def test_a_domain_leaves_both_lists_and_a_tenant_its_state() -> None:
    text = "state: suspended   # since May\nsuspended_domains: [shop.example, acme.example]\n"
    assert (
        resume(text.encode(), "acme.example", "acme") == text.replace(", acme.example", "").encode()
    )
    assert (
        resume(text.encode(), "shop.example", "acme") == text.replace("shop.example, ", "").encode()
    )
    assert (
        resume(text.encode(), "acme", "acme")
        == text.replace("state: suspended", "state: active").encode()
    )


def test_the_only_domain_takes_the_key_along() -> None:
    text = "plan: x\nsuspended_domains:\n  - acme.example   # why\nstate: active\n"
    assert resume(text.encode(), "acme.example", "acme") == b"plan: x\nstate: active\n"


@pytest.mark.parametrize("text", ["[]\n", "", "a: &x [{of: b}]\nsuspensions: *x\n"])
def test_a_layout_without_a_place_is_refused(text: str) -> None:
    with pytest.raises(CannotEdit):
        jo(text)
