# SPDX-License-Identifier: GPL-3.0-or-later
"""An export that is imported again is the same estate, whatever the schema allows."""

from __future__ import annotations

import csv
import io
import json
import re
import typing as t
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils import _load
from ansible_collections.reseller.mail.plugins.plugin_utils._exchange import (
    csv_form,
    importing,
    json_form,
    yaml_out,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._exchange.document import (
    Draft,
    documents,
    without_secrets,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._model.values import Fault
from ansible_collections.reseller.mail.tests.unit.support.exchange_estates import estates
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

EXAMPLE = Path(__file__).parents[9] / "estates" / "example"
_OF_SYNTAX = {
    "unfit-value",
    "unknown-key",
    "foreign-key",
    "wrong-type",
    "no-value",
    "missing-key",
    "unfit-tag",
    "not-yaml",
    "duplicate-key",
    "unfit-character",
}


def _through_json(files: dict[str, bytes]) -> Draft:
    return json_form.read("estate.json", json_form.write(documents(files), [], True).encode())


def _through_csv(files: dict[str, bytes]) -> Draft:
    draft = csv_form.read(
        {name: text.encode() for name, text in csv_form.write(documents(files), True).items()}
    )
    for path in ("estate.yml", "plans.yml"):  # which tenants' sheets do not speak of
        draft.documents[path] = documents(files)[path]
        draft.whole.add(path)
    return draft


_PLACE = r":\d+:\d+| \(line \d+ of the script\)|line \d+"
"""Where a fault is. The line of a script is named only if the place in the file does not say it."""


def _without_places(faults: list[Fault]) -> list[tuple[str, str, str]]:
    """Where something stands is another matter in files that were written anew."""
    return sorted(
        (fault.position.file, fault.id, re.sub(_PLACE, "", fault.what)) for fault in faults
    )


def _same(files: dict[str, bytes], draft: Draft) -> None:
    assert draft.errors == []
    before, faults = _load.build(files)
    assert not {fault.id for fault in faults} & _OF_SYNTAX, (
        "the generator writes what the schema does not take"
    )
    outcome = importing.result({}, [], draft, "refuse")
    assert outcome.errors == []
    after, again = _load.build(outcome.files)
    assert after == before
    assert _without_places(again) == _without_places(faults)
    # Whoever imports over what is there already changes nothing, however that was written.
    assert importing.result(files, [], draft, "refuse").files == {}


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(estates())
def test_json_gives_the_same_estate(files: dict[str, bytes]) -> None:
    _same(files, _through_json(files))


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(estates())
def test_csv_gives_the_same_estate(files: dict[str, bytes]) -> None:
    _same(files, _through_csv(files))


@pytest.mark.skipif(
    not EXAMPLE.is_dir(), reason="the collection is tested without the repository around it"
)
@pytest.mark.parametrize("through", [_through_json, _through_csv])
def test_the_example_estate(through: t.Callable[[dict[str, bytes]], Draft]) -> None:
    files = {
        path: content
        for path, content in _load.read_files(str(EXAMPLE))[0].items()
        if not path.startswith("state/")
    }
    _same(files, through(files))


@pytest.mark.parametrize("through", [_through_json, _through_csv])
def test_unlimited_in_so_many_words_stays(through: t.Callable[[dict[str, bytes]], Draft]) -> None:
    """Inside something that has an end it is refused, and what is left out is not."""
    files = {
        "estate.yml": b"provider: {name: P, domain: hosting.example}\n",
        "plans.yml": b"plans: [{name: p, limits: {domains: 5}, mailbox_quota: {default: 1G}}]\n",
        "tenants/acme/account.yml": b"plan: p\nlimits: {domains: unlimited}\n",
    }
    outcome = importing.result({}, [], through(files), "refuse")
    assert "limits: {domains: unlimited}\n" in outcome.files["tenants/acme/account.yml"].decode()


@given(st.text())
def test_a_guard_can_be_taken_away(text: str) -> None:
    cell = csv_form.guarded(text)
    assert csv_form.unguarded(cell) == text
    assert not re.match(r"\s*[=+\-@＝＋－＠]|[\t\r\n]", cell)


def test_an_apostrophe_of_ones_own_stays() -> None:
    assert csv_form.unguarded("'s-Hertogenbosch") == "'s-Hertogenbosch"
    assert csv_form.unguarded("'=1") == "=1"


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(estates())
def test_no_cell_is_a_formula(files: dict[str, bytes]) -> None:
    for text in csv_form.write(documents(files), True).values():
        for row in csv.reader(io.StringIO(text, newline=""), strict=True):
            assert not [cell for cell in row if re.match(r"\s*[=+\-@＝＋－＠]|[\t\r\n]", cell)]


def test_columns_are_the_same_whatever_the_estate_says() -> None:
    empty = csv_form.write({}, True)
    assert {name: text.count("\r\n") for name, text in empty.items()} == dict.fromkeys(empty, 1)
    assert empty["mailboxes.csv"].startswith(
        "tenant,domain,name,display_name,quota,owner,state,password,credentials,forward.to,forward.keep_copy,"
    )
    assert sorted(empty) == sorted(
        f"{name}.csv"
        for name in (
            "tenants",
            "admins",
            "domain_limits",
            "external_ids",
            "domains",
            "mailboxes",
            "aliases",
            "sender_addresses",
            "suspensions",
        )
    )


def test_every_item_of_a_list_is_one_word() -> None:
    """Items are separated by spaces, so no column may hold a list of texts."""
    from ansible_collections.reseller.mail.plugins.plugin_utils._language import schema
    from ansible_collections.reseller.mail.plugins.plugin_utils._language.scalars import LINES, TEXT

    columns = [column for sheet in csv_form.SHEETS.values() for column in sheet.columns]
    assert not [
        column.name
        for column in columns
        if isinstance(column.kind, schema.Many) and column.kind.of in (TEXT, *LINES)
    ]


VAULTED = b"""mailboxes:
  - name: jo
    password: !vault |
      $ANSIBLE_VAULT;1.1;AES256
      6162636465666768
      31323334
"""


@pytest.mark.parametrize("through", [_through_json, _through_csv])
def test_vaulted_values_go_through_as_they_are(
    through: t.Callable[[dict[str, bytes]], Draft],
) -> None:
    files = {"tenants/acme/acme.example.yml": VAULTED, "estate.yml": b"{}", "plans.yml": b"{}"}
    assert (
        importing.result({}, [], through(files), "refuse").files["tenants/acme/acme.example.yml"]
        == VAULTED
    )


def test_secrets_are_left_out_unless_asked_for() -> None:
    whole = documents({"tenants/acme/acme.example.yml": VAULTED})
    shared, left_out = without_secrets(whole)
    assert left_out == 1
    assert shared == {"tenants/acme/acme.example.yml": {"mailboxes": [{"name": "jo"}]}}
    assert "password" not in csv_form.write(shared, False)["mailboxes.csv"]
    assert "VAULT" not in json_form.write(shared, [], False)


def test_what_is_written_is_as_a_person_writes_it() -> None:
    document = json.loads(
        """{"mta_sts": {"mode": "testing"},
        "aliases": [{"name": "sales", "to": ["jo@acme.example", "ann@globex.example"], "may_send": false}],
        "type": "mail", "domain_aliases": ["acme.test"], "sender_addresses": [{"mailbox": "jo@acme.example", "name": "noreply"}],
        "mailboxes": [{"quota": "5G", "name": "jo", "state": "active", "display_name": "Jo: Doe"}]}"""
    )
    assert (
        yaml_out.text("tenants/acme/acme.example.yml", document)
        == """mailboxes:
  - name: jo
    display_name: "Jo: Doe"
    quota: 5G
aliases:
  - name: sales
    to: [jo, ann@globex.example]
sender_addresses:
  - {name: noreply, mailbox: jo}
domain_aliases: [acme.test]
mta_sts: {mode: testing}
"""
    )
