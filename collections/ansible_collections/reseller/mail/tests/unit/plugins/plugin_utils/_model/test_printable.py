# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing of somebody else's text is obeyed by a terminal, a browser or a forge's runner, in
whatever form it is told."""

from __future__ import annotations

import json
import re
import unicodedata
from xml.etree import ElementTree

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._change.markdown import markdown
from ansible_collections.reseller.mail.plugins.plugin_utils._change.summary import ChangeSummary
from ansible_collections.reseller.mail.plugins.plugin_utils._change.text import text as plan_text
from ansible_collections.reseller.mail.plugins.plugin_utils._diagnose.story import as_text
from ansible_collections.reseller.mail.plugins.plugin_utils._diagnose.subject import Step, Trail
from ansible_collections.reseller.mail.plugins.plugin_utils._guide import markup
from ansible_collections.reseller.mail.plugins.plugin_utils._model.printable import (
    json_text,
    printable,
    without_commands,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._model.values import Fault, Position
from ansible_collections.reseller.mail.plugins.plugin_utils._report import fault_formats, fault_text
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.finding import (
    Finding,
    as_json,
    as_junit,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.finding_table import as_table
from hypothesis import given
from hypothesis import strategies as st

BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
HOSTILE = (
    "\x1b[2J\x9b31m\x07\r\x1b]0;x\x07\u202e::error::x ##[stop-commands]x\n::set-output"
    " name=a::b\n\t ::stop-commands::x\x1b[0Ksection_start:1:a\r\x1b[0K"
)
# As GitHub's runner reads a line (ActionCommand.cs): :: behind white space, or ##[ anywhere.
OBEYED = re.compile(r"^\s*::|##\[", re.MULTILINE)
texts = st.text(st.one_of(st.characters(), st.sampled_from([*"#[:\n\r\t\x1b\x9b ", *BIDI])))


def controls(text: str) -> list[str]:
    return [
        char
        for char in text
        if char != "\n" and (unicodedata.category(char) == "Cc" or char in BIDI)
    ]


@given(texts)
def test_printable_text_has_no_control_but_line_feeds(text: str) -> None:
    assert controls(printable(text)) == []
    assert printable(printable(text)) == printable(text)


@given(st.text(st.characters(categories=["L", "M", "N", "P", "S"])))
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert printable(text) == text


@given(texts)
def test_no_command_is_left_and_people_read_the_same(text: str) -> None:
    calm = without_commands(text)
    assert OBEYED.search(calm) is None
    assert calm.replace("\u2060", "") == text.replace("\u2060", "")
    assert OBEYED.search(text) or calm == text


@given(st.recursive(texts, lambda inner: st.lists(inner) | st.dictionaries(texts, inner)))
def test_json_reads_as_the_same_value_and_can_be_printed(value: object) -> None:
    made = json_text(value)
    assert json.loads(made) == value
    assert controls(made) == []
    assert "##[" not in made


def told(text: str) -> dict[str, str]:
    """Every form in which somebody else's text is told."""
    finding = Finding("mail.fetch", f"a{text}.example", "fail", text, text, text)
    fault = Fault(Position("tenants/acme/acme.example.yml", 1, 1), "unreadable", text, text)
    report = fault_formats.Report(
        [fault],
        fault_text.Sources({fault.position.file: f"a: {text}".encode("utf-8", "surrogatepass")}),
    )
    plan = ChangeSummary(
        "before", "after", faults=(fault,), refusals=(fault,), deletions=text, actor=text
    )
    return {
        "table": as_table([finding]),
        "json": as_json([finding]),
        "junit": as_junit([finding]),
        "story": as_text(text, [Trail("inbound", (Step("x", "asks", "fail", "DNS", text, text),))]),
        "guide": markup.tag("pre", text, title=text),
        "plan": plan_text(plan),
        "markdown": markdown(plan),
        **{name: form(report) for name, form in fault_formats.FORMS.items()},
    }


@pytest.mark.parametrize("form", list(told("x")))
def test_every_form_has_no_control_but_line_feeds(form: str) -> None:
    assert (
        controls(told(HOSTILE)[form].replace("\t", " ") if form == "guide" else told(HOSTILE)[form])
        == []
    )


@pytest.mark.parametrize("form", ["github", "markdown", "json", "gitlab", "sarif"])
def test_a_form_that_pipelines_print_has_only_our_own_commands(form: str) -> None:
    lines = told(HOSTILE)[form].splitlines()
    assert [
        line
        for line in lines
        if OBEYED.search(line.removeprefix("::error file=") if form == "github" else line)
    ] == []


def test_junit_still_reads() -> None:
    suite = ElementTree.fromstring(
        as_junit([Finding("dns.spf", "a.example", "fail", HOSTILE, HOSTILE, HOSTILE)])
    )
    assert "\\x1b[2J" in str(suite[0][0].text)
