# SPDX-License-Identifier: GPL-3.0-or-later
"""What two nodes look up while a tenant moves from mx1 to mx2."""

from __future__ import annotations

import itertools

from ansible_collections.reseller.mail.plugins.module_utils._host.generation import lines, probes
from ansible_collections.reseller.mail.plugins.module_utils._host.retained.rules import Known, moves
from ansible_collections.reseller.mail.plugins.plugin_utils import _compile
from ansible_collections.reseller.mail.plugins.plugin_utils._compile import moving
from ansible_collections.reseller.mail.plugins.plugin_utils._model.addresses import local_parts
from ansible_collections.reseller.mail.tests.unit.support.sample_estate import (
    ESTATE,
    MX1,
    MX2,
    with_tenant,
)

AFTER = with_tenant(ESTATE, "acme", placement="mx2")
ROOT = _compile.ROOT


def table(files: dict[str, str], name: str) -> dict[str, str]:
    rows = (line.partition("\t") for line in files[f"postfix/{name}"].splitlines())
    return {key: value for key, _tab, value in rows}


def test_the_new_node_defers_each_address_of_the_tenant_and_no_other() -> None:
    files = moving.arriving(AFTER, MX2, ROOT, "acme", "mx1").files
    access = table(files, "recipient_access")
    acme = {key for key in access if key.rpartition("@")[2] == "acme.example"}
    assert {"acme.example", "jo@acme.example"} <= acme
    assert {access[key] for key in acme} == {moving.REPLY}
    assert table(files, "transport_maps")["acme.example"] == "nodes:[mx1.hosting.example]:25"
    other = _compile.artefact(ESTATE, MX2, ROOT).files
    changed = {path for path in files if files[path] != other[path]}
    assert changed == {
        "postfix/recipient_access",
        "postfix/virtual_alias_maps",
        "postfix/virtual_mailbox_maps",
    }
    path = "postfix/recipient_access"
    assert list(lines.faults(path, files[path].encode(), 13)) == []
    rows = files[path].splitlines(keepends=True)
    few = "".join(row for row in rows if row.partition("\t")[0].endswith("acme.example"))
    questions = probes.postfix_questions({**files, path: few})
    assert probes.DEFER in {code for one, code in questions.items() if "@acme.example" in one}
    assert "acme.example" not in questions


def test_the_former_node_passes_mail_on_and_still_has_the_mailboxes() -> None:
    files = moving.leaving(AFTER, MX1, ROOT, "acme", "mx1").files
    before = _compile.artefact(ESTATE, MX1, ROOT).files
    after = _compile.artefact(AFTER, MX1, ROOT).files
    assert files["dovecot/mailboxes"] == before["dovecot/mailboxes"]
    assert table(files, "transport_maps")["acme.example"] == "nodes:[mx2.hosting.example]:25"
    assert "acme.example" not in table(files, "virtual_mailbox_domains")
    both = ("postfix/virtual_alias_maps", "postfix/virtual_mailbox_maps")
    for path in files:
        if path.startswith("postfix/") and path not in both:
            assert files[path] == after[path]


def test_generations_that_follow_each_other_know_the_recipients_in_both_classes() -> None:
    """The tables that Postfix asks about a recipient of a class, before and after each switch."""
    asked = {
        "virtual_mailbox_domains": ("virtual_mailbox_maps", "virtual_alias_maps"),
        "virtual_alias_domains": ("virtual_alias_maps",),
        "relay_domains": ("relay_recipient_maps", "virtual_alias_maps"),
    }
    steps = {
        "former": [
            _compile.artefact(ESTATE, MX1, ROOT),
            moving.arriving(AFTER, MX1, ROOT, "acme", "mx1"),
            moving.leaving(AFTER, MX1, ROOT, "acme", "mx1"),
            moving.moved(AFTER, MX1, ROOT, "acme", "mx1"),
            _compile.artefact(AFTER, MX1, ROOT),
        ],
        "new": [
            _compile.artefact(ESTATE, MX2, ROOT),
            moving.arriving(AFTER, MX2, ROOT, "acme", "mx1"),
            moving.arrived(AFTER, MX2, ROOT, "acme", "mx1"),
            _compile.artefact(AFTER, MX2, ROOT),
        ],
    }
    (acme,) = (one for one in ESTATE.tenants if one.name == "acme")
    addresses = [
        f"{local}@{name}"
        for domain in acme.served_domains()
        for name in domain.names
        for local in local_parts(acme, domain)
    ]
    assert "jo@acme.example" in addresses
    for generations in steps.values():
        steps_back = [(new, old) for old, new in itertools.pairwise(generations)]
        same = [(one, one) for one in generations]
        *of_the_move, _of_the_next_run = generations
        remembered = [*itertools.pairwise(generations), *itertools.combinations(of_the_move, 2)]
        for classes, tables in (*remembered, *steps_back, *same):
            for address in addresses:
                domain = address.rpartition("@")[2]
                (kind,) = (one for one in asked if domain in table(classes.files, one))
                known = {key for one in asked[kind] for key in table(tables.files, one)}
                assert not known.isdisjoint({address, f"@{domain}"}), (kind, address)


def test_hosts_see_in_the_lookups_that_a_tenant_moves() -> None:
    def known(estate: _compile.Artefact) -> Known:
        return Known(estate.files.get)

    before, after = (known(_compile.artefact(one, MX1, ROOT)) for one in (ESTATE, AFTER))
    leaving = known(moving.leaving(AFTER, MX1, ROOT, "acme", "mx1"))
    assert moves(before, after) == moves(leaving, after) == {"acme": "mx2.hosting.example"}
    assert moves(before, leaving) == {}
    arriving = known(moving.arriving(AFTER, MX2, ROOT, "acme", "mx1"))
    assert moves(arriving, known(_compile.artefact(AFTER, MX2, ROOT))) == {
        "acme": "mx1.hosting.example"
    }
