# SPDX-License-Identifier: GPL-3.0-or-later
"""Sound estates that are close to wrong ones. The wrong ones are in tests/unit/corpus."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils import _load
from ansible_collections.reseller.mail.plugins.plugin_utils._judge import placement, targets

BASE = Path(__file__).parents[3] / "fixtures" / "estate"
ACCOUNT = "tenants/acme/account.yml"
ACME = "tenants/acme/acme.example.yml"
OLD = "tenants/acme/old.acme.example.yml"
GLOBEX = "tenants/globex/globex.example.yml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(BASE, tmp_path / "estate"))


def write(folder: Path, path: str, text: str) -> None:
    """Append to a file, which need not exist."""
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    with (folder / path).open("a", encoding="utf-8") as stream:
        stream.write(text)


def replace(folder: Path, path: str, old: str, new: str) -> None:
    text = (folder / path).read_text(encoding="utf-8")
    assert old in text
    (folder / path).write_text(text.replace(old, new, 1), encoding="utf-8")


def faults(folder: Path) -> list[str]:
    return [str(fault) for fault in _load.load(str(folder))[1]]


def tenant(folder: Path, name: str, domain: str) -> None:
    """Add a tenant with one domain and one mailbox on node mx2."""
    write(
        folder,
        f"tenants/{name}/account.yml",
        "organisation: X\nplan: starter\nstate: active\nplacement: mx2\n"
        f"default_owner: boss@{domain}\nadmins: [{{address: boss@{domain}}}]\n"
        f"intake: {{expected_mailboxes: 1, dns_contact: boss@{domain}, clients: local,"
        f" smime: false}}\ndomains: [{domain}]\n",
    )
    write(folder, f"tenants/{name}/{domain}.yml", "mailboxes: [{name: boss}]\n")


def give(folder: Path, *domains: str) -> None:
    """Give domains to the tenant acme."""
    replace(folder, ACCOUNT, "\ndomains: [", f"\ndomains: [{', '.join(domains)}, ")


def test_a_tenant_has_the_domains_and_domain_aliases_that_it_was_given(folder: Path) -> None:
    give(folder, "gmail.com", "outlook.com")
    replace(folder, "plans.yml", "domain_aliases: 1", "domain_aliases: 2")
    write(folder, "tenants/acme/gmail.com.yml", "mailboxes: []\n")
    write(folder, ACME, "domain_aliases: [acme-mail.example, outlook.com]\n")
    assert faults(folder) == []


def test_a_tenant_has_domains_deep_below_its_own(folder: Path) -> None:
    give(folder, "deep.shop.acme.example")
    write(folder, "tenants/acme/deep.shop.acme.example.yml", "mailboxes: []\n")
    assert faults(folder) == []


def test_the_provider_may_give_its_own_names_away(folder: Path) -> None:
    tenant(folder, "zzz", "zzz.hosting.example")
    write(folder, "tenants/zzz/account.yml", "managed_domains: [zzz.hosting.example]\n")
    assert faults(folder) == []


def test_external_ids_of_two_systems_may_be_equal(folder: Path) -> None:
    write(folder, "tenants/globex/account.yml", 'external_ids: {whmcs: 1043, crm: "1042"}\n')
    assert faults(folder) == []


def test_an_admin_may_have_an_address_outside_the_estate(folder: Path) -> None:
    replace(
        folder,
        ACCOUNT,
        "- address: it@acme.example",
        "- address: it@acme.example\n  - address: jo@gmail.example",
    )
    assert faults(folder) == []


@pytest.mark.parametrize(
    "target",
    ["postmaster", "abuse", "jo+x", "jo@acme-mail.example", "sales", "n", "gone@globex.example"],
)
def test_targets_that_exist_or_are_not_looked_up(folder: Path, target: str) -> None:
    write(
        folder,
        ACME,
        f"  - {{name: new, to: [{target}]}}\nsender_addresses: [{{name: n, mailbox:"
        " jo}]\ndomain_aliases: [acme-mail.example]\n",
    )
    assert faults(folder) == []


def test_an_alias_to_a_recipient_of_a_relay_domain(folder: Path) -> None:
    write(folder, OLD, "type: relay\nrelay: {host: mail.stranger.example, recipients: [peter]}\n")
    write(folder, ACME, "  - {name: new, to: [peter@old.acme.example]}\n")
    assert faults(folder) == []


def test_an_alias_to_any_address_of_a_domain_with_catch_all(folder: Path) -> None:
    write(folder, OLD, "catch_all: it@acme.example\n")
    write(folder, ACME, "  - {name: new, to: [peter@old.acme.example]}\n")
    assert faults(folder) == []


def test_as_many_addresses_in_a_row_as_are_allowed(folder: Path) -> None:
    last = targets.MAX_CHAIN - 1
    replace(folder, "plans.yml", "aliases: 20", "aliases: 50")
    chain = "".join(f"  - {{name: a{nth}, to: [a{nth + 1}]}}\n" for nth in range(last))
    write(folder, GLOBEX, f"aliases:\n{chain}  - {{name: a{last}, to: [ann]}}\n")
    assert faults(folder) == []


def test_as_many_recipients_as_are_allowed_and_an_alias_to_them(folder: Path) -> None:
    fan = ", ".join(f"x{nth}@stranger.example" for nth in range(targets.MAX_RECIPIENTS - 1))
    write(
        folder,
        GLOBEX,
        f"aliases:\n  - {{name: fan, to: [{fan}, ann]}}\n  - {{name: fans, to: [fan]}}\n",
    )
    assert faults(folder) == []


@pytest.mark.parametrize("keep", ["true", "false"])
def test_a_forward_to_an_alias_of_another_mailbox(folder: Path, keep: str) -> None:
    replace(
        folder,
        ACME,
        "  - name: it\n",
        f"  - {{name: it, forward: {{to: [sales], keep_copy: {keep}}}}}\n",
    )
    assert faults(folder) == []


def test_pending_tenants_do_not_count_towards_what_a_node_can_serve(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(placement, "MAX_DOMAINS", 2)
    tenant(folder, "aaa", "aaa.example")
    assert faults(folder) == []
    tenant(folder, "zzz", "zzz.example")
    assert len(faults(folder)) == 1
    replace(folder, "tenants/zzz/account.yml", "state: active", "state: pending")
    assert faults(folder) == []


@pytest.mark.parametrize("state", ["pending", "terminated"])
def test_tenants_that_are_not_served_may_be_on_a_planned_node(folder: Path, state: str) -> None:
    replace(folder, "estate.yml", "debian: 12, ", "debian: 12, lifecycle: planned, ")
    replace(folder, ACCOUNT, "state: active", f"state: {state}")
    assert faults(folder) == []


def test_a_terminated_tenant_may_be_on_a_node_that_is_not_for_resale(folder: Path) -> None:
    replace(folder, "estate.yml", "debian: 12, ", "debian: 12, resell: false, ")
    replace(folder, ACCOUNT, "state: active", "state: terminated")
    assert faults(folder) == []


def test_a_mailbox_as_large_as_its_domain_allows(folder: Path) -> None:
    write(folder, ACCOUNT, "domain_limits: [{name: acme.example, mailbox_storage: 5G}]\n")
    assert faults(folder) == []


def test_a_hostname_for_mail_programs_below_a_domain_alias(folder: Path) -> None:
    write(
        folder,
        ACME,
        "branding: {hostname: mail.acme-mail.example}\ndomain_aliases: [acme-mail.example]\n",
    )
    assert faults(folder) == []


@pytest.mark.parametrize("state", ["pending", "suspended", "terminated"])
def test_only_active_tenants_need_a_complete_intake(folder: Path, state: str) -> None:
    replace(folder, ACCOUNT, "intake: {expected_mailboxes: 5, ", "intake: {")
    replace(folder, ACCOUNT, "state: active", f"state: {state}")
    assert faults(folder) == []


def test_a_requested_host_that_is_not_used_and_one_that_is_approved(folder: Path) -> None:
    write(folder, ACCOUNT, "requested_hosts: [mx.new.example, mx.newer.example]\n")
    write(folder, OLD, "type: relay\nrelay: {host: mx.new.example, recipients: [jo]}\n")
    replace(folder, "estate.yml", "approved_hosts: [", "approved_hosts: [mx.new.example, ")
    assert faults(folder) == []


def test_a_soft_spf_tail_without_the_premium_relay(folder: Path) -> None:
    write(folder, ACCOUNT, "defaults: {premium_relay: false}\n")
    write(folder, ACME, "spf: {tail: ~all}\n")
    assert faults(folder) == []


def test_a_plan_may_have_fewer_protocols_than_the_estate_if_it_sets_its_own(folder: Path) -> None:
    replace(folder, "estate.yml", "defaults: {", "defaults: {protocols: [imap, pop3], ")
    replace(
        folder,
        "plans.yml",
        "    protocols: [imap, submission]\n",
        "    protocols: [imap, submission]\n    defaults: {protocols: [imap]}\n",
    )
    assert faults(folder) == []


def test_a_rate_may_equal_the_providers(folder: Path) -> None:
    write(folder, ACME, "rate_limits: {messages_per_hour: 200, recipients_per_message: 5000}\n")
    assert faults(folder) == []


def test_a_mailbox_may_send_more_than_its_domain_and_a_domain_more_than_its_tenant(
    folder: Path,
) -> None:
    """The limits of domains and tenants are shared: the default of a mailbox may be above them."""
    write(
        folder,
        ACCOUNT,
        "sending_limits: {messages_per_hour: 10, domain_messages_per_hour: 20}\n"
        "domain_limits: [{name: acme.example, messages_per_hour: 20}]\n",
    )
    write(folder, ACME, "rate_limits: {messages_per_hour: 100}\n")
    assert faults(folder) == []


@pytest.mark.parametrize(
    ("by", "whom"),
    [
        pytest.param("root@hosting.example", "jo", id="a super_admin, for a user"),
        pytest.param("root@hosting.example", "it", id="a super_admin, for an admin"),
        pytest.param("it@acme.example", "it", id="a tenant_admin, for itself"),
        pytest.param("it@acme.example", "jo", id="a tenant_admin, for a user"),
    ],
)
def test_who_may_upload_whose_certificate(folder: Path, by: str, whom: str) -> None:
    body = "MIIB" + "A" * 60
    pem = f"-----BEGIN CERTIFICATE-----\\n{body}\\n-----END CERTIFICATE-----\\n"
    smime = f'smime: {{uploaded_by: {by}, certificate: "{pem}"}}'
    replace(folder, ACME, f"  - name: {whom}\n", f"  - name: {whom}\n    {smime}\n")
    assert faults(folder) == []


def test_a_mailbox_that_is_a_domain_admin_owns_things_in_its_own_domain(folder: Path) -> None:
    replace(
        folder,
        ACME,
        "    quota: 5G\n",
        "    quota: 5G\n    domain_admin: true\n    owner: jo@acme.example\n",
    )
    assert faults(folder) == []


def test_an_admin_of_the_account_counts_once_if_its_mailbox_is_a_domain_admin(folder: Path) -> None:
    replace(
        folder,
        ACME,
        "  - name: it\n",
        "  - name: it\n    domain_admin: true\n  - {name: head, domain_admin: true}\n",
    )
    assert faults(folder) == []
