# SPDX-License-Identifier: GPL-3.0-or-later
"""The file that says what becomes of mail that leaves the files."""

from __future__ import annotations

import typing as t

from ansible_collections.reseller.mail.plugins.module_utils._host.generation import lines
from ansible_collections.reseller.mail.plugins.plugin_utils._compile import retention
from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import Estate
from ansible_collections.reseller.mail.tests.unit.support.sample_estate import (
    ESTATE,
    MX1,
    MX2,
    with_tenant,
)

PATH = "dovecot/retention"


def rows(estate: Estate = ESTATE) -> list[str]:
    return retention.lookups(estate, MX1)[PATH].splitlines()


def acme(**changes: t.Any) -> Estate:
    return with_tenant(ESTATE, "acme", **changes)


def test_a_node_has_the_rules_of_its_own_tenants() -> None:
    assert "tenant acme\t30\tkeep" in rows()
    assert "domain acme.example\tacme\tserves" in rows()
    assert not any("globex" in row for row in rows())
    assert "domain globex.example\tglobex\tserves\n" in retention.lookups(ESTATE, MX2)[PATH]


def test_terminated_tenants_have_rules_and_pending_ones_wait() -> None:
    ended = rows(acme(state="terminated", purge=True, retention=7))
    assert "tenant acme\t7\tpurge" in ended
    assert "domain acme.example\tacme\tends" in ended
    assert "domain acme.example\tacme\twaits" in rows(acme(state="pending"))


def test_a_domain_of_a_terminated_tenant_without_a_file_ends_unless_another_has_it() -> None:
    names = ("former.example", "globex.example")
    found = rows(acme(state="terminated", approved_domains=names, domains=()))
    assert "domain former.example\tacme\tends" in found
    assert not any("globex.example" in row for row in found)


def test_the_host_accepts_every_line_and_no_other() -> None:
    for estate in (ESTATE, acme(state="terminated")):
        text = retention.lookups(estate, MX1)[PATH]
        assert list(lines.faults(PATH, text.encode(), 12)) == []
    for wrong in ("tenant acme\t30\tburn\n", "domain acme.example\tacme\n", "acme\t30\tkeep\n"):
        assert list(lines.faults(PATH, wrong.encode(), 12))
