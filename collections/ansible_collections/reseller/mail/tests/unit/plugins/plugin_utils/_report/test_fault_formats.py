# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults for programs: each form is what its readers document, and the same fault keeps its
fingerprint when lines move."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import jsonschema
import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._load import load, read_files
from ansible_collections.reseller.mail.plugins.plugin_utils._model.printable import (
    printable,
    without_commands,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._model.values import Fault, Position
from ansible_collections.reseller.mail.plugins.plugin_utils._report import fault_formats as reports
from ansible_collections.reseller.mail.plugins.plugin_utils._report.fault_text import Sources
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).parents[5]
FIXTURES = ROOT / "tests" / "unit" / "fixtures"
PAGE = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
HASH = "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$c29tZXNhbHQ$aGFzaGhhc2hoYXNo"


def schema_of(name: str) -> dict[str, t.Any]:
    return t.cast("dict[str, t.Any]", json.loads((ROOT / name).read_text(encoding="utf-8")))


def report(*faults: Fault, **more: t.Any) -> reports.Report:
    return reports.Report(
        faults, Sources({}, "estates/example"), help=reports.sections(PAGE), **more
    )


def fault(
    line: int = 3,
    column: int = 5,
    file: str = "tenants/acme/acme.example.yml",
    fault_id: str = "unknown-key",
    what: str = "no",
) -> Fault:
    return Fault(Position(file, line, column), fault_id, what, "name, quota")


def bad_estate() -> reports.Report:
    folder = str(FIXTURES / "bad_estate")
    faults = load(folder)[1]
    assert len(faults) > 30
    return reports.Report(
        faults, Sources(read_files(folder)[0], "estates/bad"), help=reports.sections(PAGE)
    )


def test_json_is_as_its_schema_says() -> None:
    validator = jsonschema.Draft202012Validator(schema_of("docs/schema/validate.json"))
    for one in (
        bad_estate(),
        report(
            counts={"nodes": 2, "mailboxes": 3},
            without_effect=[("account.yml: defaults.retention", 2)],
            warnings=[fault(what="probably not meant")],
        ),
    ):
        validator.validate(json.loads(reports.as_json(one)))
    told = json.loads(reports.as_json(bad_estate()))
    assert told["version"] == reports.VERSION == 1
    assert told["ok"] is False
    assert (
        told["summary"]["faults"] == len(told["faults"]) == sum(told["summary"]["by_id"].values())
    )
    meant = next(one for one in told["faults"] if one["id"] == "unknown-key")
    assert (meant["file"], meant["path"]) == (
        "tenants/acme/acme.example.yml",
        "estates/bad/tenants/acme/acme.example.yml",
    )
    assert (meant["line"], meant["column"], meant["what"]) == (
        4,
        5,
        "'qouta' is no key of a mailbox; did you mean quota?",
    )
    assert validator.is_valid({**told, "version": 2}) is False
    assert validator.is_valid({**told, "faults": [{"id": "x"}]}) is False


def test_an_estate_without_fault_is_ok_in_every_form() -> None:
    assert json.loads(reports.as_json(report(counts={"nodes": 2})))["ok"] is True
    assert reports.github(report()) == ""
    assert json.loads(reports.gitlab(report())) == []
    assert json.loads(reports.sarif(report()))["runs"][0]["results"] == []


def test_a_warning_is_in_every_form_and_is_no_fault() -> None:
    one = report(counts={"nodes": 2}, warnings=[fault(what="probably not meant")])
    told = json.loads(reports.as_json(one))
    assert told["ok"] is True
    assert told["faults"] == []
    assert [row["what"] for row in told["warnings"]] == ["probably not meant"]
    assert reports.github(one).startswith("::warning file=")
    assert [row["severity"] for row in json.loads(reports.gitlab(one))] == ["minor"]
    (run,) = json.loads(reports.sarif(one))["runs"]
    assert [(row["level"], row["ruleIndex"]) for row in run["results"]] == [("warning", 0)]
    assert len(run["tool"]["driver"]["rules"]) == 1


@pytest.mark.parametrize("form", reports.FORMS)
def test_the_near_miss_and_the_place_are_in_every_form(form: str) -> None:
    told = reports.FORMS[form](bad_estate())
    assert "did you mean quota?" in told
    assert "estates/bad/tenants/acme/acme.example.yml" in told


@pytest.mark.parametrize("form", reports.FORMS)
def test_no_form_shows_a_secret(form: str) -> None:
    told = reports.FORMS[form](
        report(
            fault(what=f"'{HASH}' cannot be used"),
            fault(what="'jo password: hunter2' cannot stand"),
        )
    )
    assert "argon2id" not in told
    assert "hunter2" not in told
    assert told.count("…") == 2


def unescaped(text: str) -> str:
    for code, char in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        text = text.replace(code, char)
    return text


@given(st.text(min_size=1, max_size=60), st.text(max_size=60))
def test_github_reads_back_what_was_meant(file: str, what: str) -> None:
    told = reports.github(
        reports.Report(
            [
                fault(
                    7,
                    9,
                    "tenants/" + file.replace("/", "") + "x",
                    what=what.replace("'", "").replace('"', ""),
                )
            ],
            Sources({}),
        )
    )
    assert told.count("\n") == 1
    match = re.fullmatch(
        r"::error file=([^,:]*),line=7,col=9,title=unknown-key::(.*)\n", told, re.DOTALL
    )
    assert match
    assert "\r" not in told
    assert unescaped(match[1]) == without_commands(
        printable("tenants/" + file.replace("/", "") + "x")
    )


def test_github_escapes_as_the_runner_unescapes() -> None:
    assert (
        reports.github(report(fault(file="a,b:c%.yml", what="50% of\r\n::x")))
        == "::error file=estates/example/a%2Cb%3Ac%25.yml,line=3,col=5,title=unknown-key::50%25"
        " of\\r%0A\u2060::x; allowed: name, quota\n"
    )


def test_gitlab_has_what_its_documentation_asks_for() -> None:
    told = json.loads(reports.gitlab(bad_estate()))
    for row in told:
        assert set(row) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert row["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert not row["location"]["path"].startswith(("/", "./"))
        assert row["location"]["lines"]["begin"] >= 1
        assert re.fullmatch("[0-9a-f]{64}", row["fingerprint"])
    assert len({row["fingerprint"] for row in told}) == len(told)


def fingerprints(*faults: Fault) -> list[str]:
    told = json.loads(reports.gitlab(report(*faults)))
    hashes = [
        result["partialFingerprints"]["primaryLocationLineHash"]
        for result in json.loads(reports.sarif(report(*faults)))["runs"][0]["results"]
    ]
    assert len(set(hashes)) == len(hashes)
    return [row["fingerprint"] for row in told]


def test_a_fingerprint_stays_when_lines_move_and_differs_where_faults_do() -> None:
    (was,) = fingerprints(fault(3, what="it@acme.example is a mailbox already (line 2)"))
    assert fingerprints(fault(30, 7, what="it@acme.example is a mailbox already (line 29)")) == [
        was
    ]
    assert (
        fingerprints(fault(3, what="a"), fault(9, what="b"))[0]
        == fingerprints(fault(9, what="a"))[0]
    )
    twice = fingerprints(fault(3), fault(4), fault(5))
    assert len(set(twice)) == 3
    others = fingerprints(
        fault(), fault(file="plans.yml"), fault(fault_id="foreign-key"), fault(what="yes")
    )
    assert len(set(others)) == 4


def test_sarif_is_as_the_standard_says() -> None:
    validator = jsonschema.Draft4Validator(schema_of("tests/unit/fixtures/sarif-2.1.0.json"))
    for one in (bad_estate(), report(), report(fault(file="a b/ü%.yml"))):
        validator.validate(json.loads(reports.sarif(one)))
    assert not validator.is_valid({"version": "2.1.0"})
    run = json.loads(reports.sarif(bad_estate()))["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == sorted({fault.id for fault in bad_estate().faults})
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    for rule in rules:
        assert rule["help"]["markdown"] == reports.sections(PAGE)[rule["id"]]
        assert "`" not in rule["help"]["text"]
    uri = json.loads(reports.sarif(report(fault(file="a b/ü%.yml"))))["runs"][0]["results"][0][
        "locations"
    ][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "estates/example/a%20b/%C3%BC%25.yml"


def test_every_section_of_the_page_is_found() -> None:
    assert set(reports.sections(PAGE)) == set(re.findall(r"^### `([\w-]+)`$", PAGE, re.MULTILINE))
