# SPDX-License-Identifier: GPL-3.0-or-later
"""What counts where several levels speak, and where it is said to come from."""

from __future__ import annotations

import datetime
import shutil
import typing as t
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils import _load
from ansible_collections.reseller.mail.plugins.plugin_utils._language import cascade, schema
from ansible_collections.reseller.mail.plugins.plugin_utils._model.domain import Dmarc
from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import Estate, OwnNames
from ansible_collections.reseller.mail.plugins.plugin_utils._report import explain_table
from ansible_collections.reseller.mail.plugins.plugin_utils._report.explain import explain

BASE = Path(__file__).parents[3] / "fixtures" / "estate"
FILES = {
    "estate": "estate.yml",
    "account": "tenants/acme/account.yml",
    "domain": "tenants/acme/acme.example.yml",
}


class Place:
    """An estate whose levels say what a test wants: a line at the end of a level's file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        path = folder / "estate.yml"
        path.write_text(
            path.read_text(encoding="utf-8").replace(
                "defaults: {rate_limits: {messages_per_hour: 200}}\n", ""
            ),
            encoding="utf-8",
        )

    def says(self, level: str, text: str) -> None:
        if level == "plan":
            self.replace(
                "plans.yml",
                "    addons: [archive]\n",
                f"    addons: [archive]\n    defaults: {{{text}}}\n",
            )
        elif level == "mailbox":
            self.replace(FILES["domain"], "quota: 5G\n", f"quota: 5G\n    {text}\n")
        else:
            with (self.folder / FILES[level]).open("a", encoding="utf-8") as stream:
                stream.write(f"{text}\n" if level == "domain" else f"defaults: {{{text}}}\n")

    def replace(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    def estate(self) -> Estate:
        estate, faults = _load.load(str(self.folder))
        assert estate is not None, faults
        return estate

    def explained(self, subject: str) -> dict[str, tuple[str, str, str]]:
        return {
            found.key: (explain_table.shown(found), found.level, str(found.at))
            for found in explain(self.estate(), subject)
        }


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(Path(shutil.copytree(BASE, tmp_path / "estate")))


def parts(estate: Estate) -> tuple[t.Any, t.Any, t.Any]:
    tenant = estate.tenants[0]
    domain = tenant.domains[0]
    return tenant, domain, next(box for box in domain.mailboxes if box.name == "jo")


def test_the_nearest_level_wins(place: Place) -> None:
    for level, locale in zip(schema.LEVELS, ("en", "de", "fr", "it", "pl"), strict=True):
        place.says(level, f"locale: {locale}")
        assert parts(place.estate())[2].locale == locale
        assert place.explained("jo@acme.example")["locale"][:2] == (locale, level)
    assert parts(place.estate())[1].locale == "it"
    assert place.explained("acme.example")["locale"][:2] == ("it", "domain")
    assert place.explained("acme")["locale"] == ("fr", "account", "tenants/acme/account.yml:12:20")


def test_a_domain_s_own_limits_are_told_and_no_others(place: Place) -> None:
    with (place.folder / FILES["account"]).open("a", encoding="utf-8") as stream:
        stream.write("domain_limits: [{name: acme.example, mailboxes: 9, mailbox_storage: 9G}]\n")
    limits = {
        key: found[:2]
        for key, found in place.explained("acme.example").items()
        if key.startswith("limits.")
    }
    assert limits == {
        "limits.mailboxes": ("9", "account"),
        "limits.mailbox_storage": ("9G", "account"),
    }


def test_the_tighter_rate_wins_whatever_level_it_is_of(place: Place) -> None:
    place.says("estate", "rate_limits: {messages_per_hour: 100, recipients_per_message: 10}")
    place.says("plan", "rate_limits: {messages_per_hour: 50}")
    place.says("account", "rate_limits: {messages_per_hour: 40}")
    place.says("mailbox", "rate_limits: {messages_per_hour: 20}")
    _tenant, domain, jo = parts(place.estate())
    assert (domain.rate_limits.messages_per_hour, domain.rate_limits.recipients_per_message) == (
        40,
        10,
    )
    assert (jo.rate_limits.messages_per_hour, jo.rate_limits.recipients_per_message) == (20, 10)
    explained = place.explained("jo@acme.example")
    assert explained["rate_limits.messages_per_hour"][:2] == ("20", "mailbox")
    assert explained["rate_limits.recipients_per_message"][:2] == ("10", "estate")


def test_scripts_of_all_levels_run_outermost_first(place: Place) -> None:
    for level in ("estate", "account"):
        place.says(level, f'sieve: "# {level}"')
    for level in ("domain", "mailbox"):
        place.says(level, f'sieve: "# {level}"')
    _tenant, domain, jo = parts(place.estate())
    assert domain.sieve == (
        ("estate", "# estate"),
        ("account", "# account"),
        ("domain", "# domain"),
    )
    assert jo.sieve == (*domain.sieve, ("mailbox", "# mailbox"))
    it = next(box for box in domain.mailboxes if box.name == "it")
    assert it.sieve == domain.sieve


def test_keys_of_a_table_are_taken_one_by_one(place: Place) -> None:
    place.says("estate", "dmarc: {stage: reject, reports_to: postmaster}")
    place.says("account", "dmarc: {subdomains: quarantine}")
    place.says("domain", "dmarc: {stage: test, since: 2026-03-01, override: {reason: why not}}")
    dmarc = parts(place.estate())[1].dmarc
    assert (dmarc.stage, dmarc.reports_to, dmarc.subdomains, dmarc.nonexistent) == (
        "test",
        "postmaster@acme.example",
        "quarantine",
        None,
    )
    assert (dmarc.since, dmarc.override) == (datetime.date(2026, 3, 1), "why not")
    explained = place.explained("acme.example")
    assert explained["dmarc.stage"][:2] == ("test", "domain")
    assert explained["dmarc.reports_to"][:2] == ("postmaster@acme.example", "estate")
    assert explained["dmarc.subdomains"][:2] == ("quarantine", "account")
    assert explained["dmarc.nonexistent"] == ("-", "default", ":0:0")


def test_no_policy_is_published_where_no_level_has_it(place: Place) -> None:
    domain = parts(place.estate())[1]
    assert (domain.mta_sts, domain.tls_reports_to) == (None, None)
    assert place.explained("acme.example")["mta_sts"][0] == "-"
    place.says("estate", "mta_sts: {max_age: 604800}")
    mta_sts = parts(place.estate())[1].mta_sts
    assert (mta_sts.mode, mta_sts.max_age) == ("testing", 604800)


def test_what_only_the_provider_decides_stops_at_the_account(place: Place) -> None:
    tenant = parts(place.estate())[0]
    assert (tenant.retention, tenant.premium_relay, tenant.suspension.inbound) == (
        30,
        False,
        "accept",
    )
    place.says("estate", "retention: 60, suspension: {inbound: hold}")
    place.says("plan", "premium_relay: true")
    place.says("account", "suspension: {login: allow}")
    tenant = parts(place.estate())[0]
    assert (tenant.retention, tenant.premium_relay) == (60, True)
    assert (tenant.suspension.inbound, tenant.suspension.login, tenant.suspension.submission) == (
        "hold",
        "allow",
        "refuse",
    )


def test_protocols_are_the_plans_where_nobody_says_less(place: Place) -> None:
    place.replace(
        "plans.yml",
        "    addons: [archive]\n",
        "    addons: [archive]\n    protocols: [imap, submission]\n",
    )
    assert parts(place.estate())[2].protocols == ("imap", "submission")
    assert place.explained("jo@acme.example")["protocols"][:2] == ("imap, submission", "plan")
    place.says("domain", "protocols: [imap]")
    assert parts(place.estate())[2].protocols == ("imap",)


def test_where_other_values_come_from(place: Place) -> None:
    explained = place.explained("jo@acme.example")
    assert explained["quota"] == ("5G", "mailbox", "tenants/acme/acme.example.yml:5:12")
    assert explained["owner"] == ("it@acme.example", "account", "tenants/acme/account.yml:6:16")
    assert explained["state"][:2] == ("active", "default")
    assert place.explained("it@acme.example")["quota"] == ("2G", "plan", "plans.yml:7:30")
    assert place.explained("acme")["limits.storage"] == (
        "20G",
        "account",
        "tenants/acme/account.yml:9:19",
    )
    assert place.explained("acme")["limits.mailboxes"][1] == "plan"
    assert place.explained("globex")["limits.storage"][:2] == ("unlimited", "default")
    place.replace(
        FILES["account"],
        "limits: {storage",
        "domain_limits: [{name: acme.example, mailbox_storage: 1G}]\nlimits: {storage",
    )
    place.replace(FILES["domain"], "quota: 5G", "quota: 1G")
    assert place.explained("it@acme.example")["quota"] == (
        "1G",
        "account",
        "tenants/acme/account.yml:9:55",
    )


def test_the_strictest_state_counts(place: Place) -> None:
    place.says("mailbox", "state: suspended")
    assert place.explained("jo@acme.example")["state"][:2] == ("suspended", "mailbox")
    place.says("domain", "state: suspended")
    assert place.explained("jo@acme.example")["state"][:2] == ("suspended", "domain")
    place.replace(
        FILES["account"], "limits: {storage", "suspended_domains: [acme.example]\nlimits: {storage"
    )
    assert place.explained("jo@acme.example")["state"][:2] == ("suspended", "account")
    assert parts(place.estate())[1].state == "suspended"
    place.replace(FILES["account"], "state: active", "state: terminated")
    assert place.explained("jo@acme.example")["state"][:2] == ("terminated", "account")


def test_what_is_unverified_is_in_the_model_and_not_served(place: Place) -> None:
    place.replace(
        FILES["account"], "limits: {storage", "unverified_domains: [acme.example]\nlimits: {storage"
    )
    estate = place.estate()
    assert [domain.name for domain in estate.tenants[0].domains] == ["acme.example"]
    assert [domain.name for _tenant, domain in estate.served_domains()] == ["globex.example"]
    assert place.explained("acme.example")["verified"][:2] == ("false", "account")


@pytest.mark.parametrize(
    "subject", ["nobody@acme.example", "acme.test", "acne", "", "@acme.example"]
)
def test_nothing_is_said_of_what_is_not_there(place: Place, subject: str) -> None:
    with pytest.raises(LookupError):
        explain(place.estate(), subject)


def test_keys_without_effect_are_counted_by_their_path(place: Place) -> None:
    idle = {path for path, _times in place.estate().unused_keys}
    place.replace(
        FILES["domain"],
        "display_name: Jo Doe\n",
        "smime: {uploaded_by: it@acme.example, certificate: x}\n",
    )
    place.says("estate", "retention: 60")
    estate = _load.draft(str(place.folder))[0]
    assert "estate.yml: defaults.retention" not in idle
    if schema.CASCADES["retention"].key.acts == schema.NOT_YET:
        assert ("estate.yml: defaults.retention", 1) in estate.unused_keys
    assert ("<domain>.yml: mailboxes.smime.certificate", 1) in estate.unused_keys


def test_the_table_reads_well(place: Place) -> None:
    pytest.importorskip("rich")
    text = explain_table.as_table("jo@acme.example", explain(place.estate(), "jo@acme.example"))
    lines = text.splitlines()
    assert lines[0] == "jo@acme.example"
    assert lines[1].split() == ["key", "value", "from", "at"]
    assert any(
        line.split() == ["quota", "5G", "mailbox", "tenants/acme/acme.example.yml:5:12"]
        for line in lines
    )


def test_values_as_data(place: Place) -> None:
    data = {
        entry["key"]: entry
        for entry in explain_table.as_data(explain(place.estate(), "acme.example"))
    }
    assert data["dmarc.stage"] == {
        "key": "dmarc.stage",
        "value": "observe",
        "level": "default",
        "file": None,
        "line": None,
        "column": None,
        "acts": True,
    }
    assert data["spf.include"]["value"] == []


def test_what_the_files_want_and_what_is_published_are_both_told(place: Place) -> None:
    place.says("domain", "mta_sts: {mode: enforce}")
    explained = place.explained("acme.example")
    assert explained["mta_sts.mode"][:2] == ("enforce", "domain")
    assert explained["mta_sts.published"] == (
        "testing",
        "promotion",
        ":0:0",
    ), "nothing was promoted yet"
    (place.folder / "state").mkdir(exist_ok=True)
    step = (
        '{"promoted": [{"domain": "acme.example", "tenant": "acme", "policy": "mta_sts", "step":'
        ' "enforce", "since": "2026-03-31"}]}'
    )
    (place.folder / "state" / "promoted_domains.json").write_text(step, encoding="utf-8")
    assert "mta_sts.published" not in place.explained("acme.example")


@pytest.mark.parametrize(
    ("defaults", "expected"),
    [
        ("", OwnNames()),
        ("locale: de", OwnNames()),
        ("dkim: {rotate_days: 90}", OwnNames(rotate_days=90)),
        (
            "dmarc: {reports_to: it@hosting.example}",
            OwnNames(Dmarc("reject", "it@hosting.example", "observe", "reject")),
        ),
        ("dmarc: {reports_to: it}", OwnNames()),
        (
            "dmarc: {stage: observe, subdomains: reject}",
            OwnNames(Dmarc("observe", None, "reject", "reject")),
        ),
    ],
)
def test_what_the_estate_says_counts_for_names_that_are_no_tenant_s(
    place: Place, defaults: str, expected: OwnNames
) -> None:
    place.replace(
        "tenants/globex/globex.example.yml", "  - name: ann", "  - name: it\n  - name: ann"
    )
    if defaults:
        place.says("estate", defaults)
    assert place.estate().own_names == expected


def test_a_table_that_is_read_in_one_go_has_the_values_of_its_keys() -> None:
    """The tightest limit wins, the nearest value else; an override is its reason; a domain has a
    host name beside what cascades."""
    chain: cascade.Chain = (
        ("estate", {"rate_limits": {"messages_per_hour": 200, "recipients_per_message": 50}}),
        ("plan", {"dmarc": {"stage": "test", "reports_to": "a@a.example", "override": None}}),
        ("account", {"branding": {"name": "Acme", "logo": "logo.svg"}}),
        ("domain", {"rate_limits": {"messages_per_hour": 300, "recipients_per_message": 5}}),
        ("domain", {"dmarc": {"stage": "reject", "override": {"reason": "no mail", "at": None}}}),
        ("domain", {"branding": {"name": "Shop", "hostname": "mail.acme.example", "logo": None}}),
    )
    for name, one in schema.CASCADES.items():
        if isinstance(one.key.type, schema.Table):
            expected = {sub: cascade.value_of(chain, name, sub) for sub in one.key.type.keys}
            assert cascade.values(chain, name) == expected
    assert cascade.values(chain, "rate_limits") == {
        "messages_per_hour": 200,
        "recipients_per_message": 5,
    }
    assert cascade.values(chain, "dmarc")["override"] == "no mail"
    assert cascade.values(chain, "branding")["name"] == "Shop"
