# SPDX-License-Identifier: GPL-3.0-or-later
"""What the examples of docs/faults.md do not show: boundaries, neighbours, and the good cases next to the bad ones."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.module_utils import _load
from ansible_collections.reseller.mail.plugins.module_utils._judge import placement, targets

BASE = Path(__file__).parents[2] / "fixtures" / "estate"
ACME = "tenants/acme/acme.example.yml"
GLOBEX = "tenants/globex/globex.example.yml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(BASE, tmp_path / "estate"))


def write(folder: Path, path: str, text: str, mode: str = "a") -> None:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    with (folder / path).open(mode, encoding="utf-8") as stream:
        stream.write(text)


def faults(folder: Path) -> list[str]:
    return [f"{fault.position} {fault.id}" for fault in _load.load(str(folder))[1]]


def tenant(
    folder: Path,
    name: str,
    domain: str,
    text: str = "mailboxes: [{name: boss}]\n",
    placement: str = "mx2",
    plan: str = "starter",
    given: bool = True,
) -> None:
    account = f"organisation: X\nplan: {plan}\nstate: active\nplacement: {placement}\ndefault_owner: boss@{domain}\nadmins: [{{address: boss@{domain}}}]\n"
    account += f"intake: {{expected_mailboxes: 1, dns_contact: boss@{domain}, clients: local, smime: false}}\n"
    if given:
        account += f"domains: [{domain}]\n"
    write(folder, f"tenants/{name}/account.yml", account)
    write(folder, f"tenants/{name}/{domain}.yml", text)


def give(folder: Path, name: str, *domains: str) -> None:
    path = folder / f"tenants/{name}/account.yml"
    path.write_text(
        path.read_text(encoding="utf-8").replace(
            "\ndomains: [", f"\ndomains: [{', '.join(domains)}, "
        ),
        encoding="utf-8",
    )


def test_a_tenant_has_only_the_domains_that_it_was_given(folder: Path) -> None:
    write(folder, "tenants/acme/gmail.com.yml", "mailboxes: []\n")
    write(folder, ACME, "domain_aliases: [acme-mail.example, outlook.com]\n")
    path = folder / "plans.yml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("domain_aliases: 1", "domain_aliases: 2"),
        encoding="utf-8",
    )
    given = "acme-hosting.example, acme-mail.example, acme.example, globex.acme.example, old.acme.example"
    assert [str(fault) for fault in _load.load(str(folder))[1]] == [
        f"{ACME}:9:37: domain-not-approved: outlook.com was not given to tenant acme; allowed: domains of tenants/acme/account.yml: {given}",
        f"tenants/acme/gmail.com.yml:1:1: domain-not-approved: gmail.com was not given to tenant acme; allowed: domains of tenants/acme/account.yml: {given}",
    ]
    give(folder, "acme", "gmail.com", "outlook.com")
    assert faults(folder) == []


def test_who_was_not_given_a_domain_is_at_fault_whatever_the_order(folder: Path) -> None:
    tenant(folder, "aaa", "aaa.example", plan="business")
    write(folder, "tenants/aaa/acme.example.yml", "")
    assert faults(folder) == ["tenants/aaa/acme.example.yml:1:1 domain-twice"]


def test_who_takes_the_name_above_does_not_spoil_those_below(folder: Path) -> None:
    tenant(folder, "aaa", "shop.example", given=False)
    tenant(folder, "zzz", "zzz.shop.example")
    assert faults(folder) == ["tenants/aaa/shop.example.yml:1:1 domain-not-approved"]


def test_a_list_of_domains_that_cannot_be_read_refuses_none(folder: Path) -> None:
    give(folder, "acme", "not a name")
    write(folder, "tenants/acme/account.yml", "managed_domains: [new.example]\n")
    write(folder, "tenants/acme/new.example.yml", "")
    assert faults(folder) == ["tenants/acme/account.yml:10:11 unfit-value"]


def test_a_domain_is_given_once_and_managed_only_where_it_was_given(folder: Path) -> None:
    give(folder, "acme", "globex.example")
    write(folder, "tenants/globex/account.yml", "managed_domains: [globex.example, new.example]\n")
    assert faults(folder) == [
        "tenants/globex/account.yml:8:11 name-twice",
        "tenants/globex/account.yml:10:35 unknown-domain",
    ]


def test_two_tenants_with_one_domain(folder: Path) -> None:
    tenant(folder, "zzz", "acme.example", given=False)
    (fault,) = _load.load(str(folder))[1]
    assert str(fault) == (
        f"tenants/zzz/acme.example.yml:1:1: domain-twice: acme.example is tenant acme's already ({ACME}:1:1); "
        "allowed: each domain and domain alias once in the estate"
    )


def test_an_alias_that_is_a_domain_elsewhere_is_the_one_at_fault(folder: Path) -> None:
    tenant(
        folder,
        "aaa",
        "aaa.example",
        "mailboxes: [{name: boss}]\ndomain_aliases: [acme.example]\n",
        plan="business",
    )
    assert faults(folder) == ["tenants/aaa/aaa.example.yml:2:18 domain-twice"]


def test_subdomains_belong_to_the_tenant_above(folder: Path) -> None:
    give(folder, "acme", "deep.shop.acme.example")
    write(folder, "tenants/acme/deep.shop.acme.example.yml", "mailboxes: []\n")
    assert faults(folder) == []
    tenant(folder, "zzz", "more.deep.shop.acme.example")
    assert faults(folder) == ["tenants/zzz/more.deep.shop.acme.example.yml:1:1 foreign-subdomain"]


def test_the_provider_may_give_its_own_names_away_but_no_nodes(folder: Path) -> None:
    tenant(folder, "zzz", "zzz.hosting.example")
    assert faults(folder) == ["tenants/zzz/zzz.hosting.example.yml:1:1 reserved-domain"]
    write(folder, "tenants/zzz/account.yml", "managed_domains: [zzz.hosting.example]\n")
    assert faults(folder) == []
    write(folder, "tenants/acme/account.yml", "managed_domains: [mx1.hosting.example]\n")
    give(folder, "acme", "mx1.hosting.example")
    write(folder, "tenants/acme/mx1.hosting.example.yml", "")
    assert faults(folder) == ["tenants/acme/mx1.hosting.example.yml:1:1 reserved-domain"]


def test_names_of_nodes_and_plans(folder: Path) -> None:
    write(folder, "estate.yml", "provider: {name: P, domain: p.example}\nnodes:\n", "w")
    for name, host, ip in (
        ("mx1", "a", "192.0.2.1"),
        ("mx1", "b", "192.0.2.1"),
        ("mx2", "a", "2001:DB8::0"),
        ("all", "c", "2001:db8::"),
    ):
        write(
            folder,
            "estate.yml",
            f'  - {{name: {name}, hostname: {host}.p.example, debian: 13, addresses: ["{ip}"]}}\n',
        )
    write(folder, "plans.yml", "  - {name: starter, mailbox_quota: {default: 1G}}\n")
    assert faults(folder) == [
        "estate.yml:4:12 name-twice",
        "estate.yml:4:64 name-twice",
        "estate.yml:5:27 name-twice",
        "estate.yml:6:12 reserved-name",
        "estate.yml:6:64 name-twice",
        "plans.yml:12:12 name-twice",
    ]


def test_external_ids_are_unique_in_the_estate(folder: Path) -> None:
    write(folder, "tenants/globex/account.yml", 'external_ids: {whmcs: 1043, crm: "1042"}\n')
    assert faults(folder) == []
    tenant(folder, "zzz", "zzz.example")
    write(
        folder,
        "tenants/zzz/account.yml",
        'external_ids: {whmcs: "1042", "bad\\nkey": x, list: []}\n',
    )
    assert faults(folder) == [
        "tenants/zzz/account.yml:9:23 name-twice",
        "tenants/zzz/account.yml:9:31 unfit-value",
        "tenants/zzz/account.yml:9:52 wrong-type",
    ]


def test_an_owner_is_judged_where_it_is_written(folder: Path) -> None:
    write(
        folder,
        ACME,
        "owner: x@stranger.example\nsender_addresses: [{name: n, mailbox: jo, owner: y@stranger.example}]\n",
    )
    assert faults(folder) == [f"{ACME}:9:8 unknown-owner", f"{ACME}:10:50 unknown-owner"]


def test_an_admin_elsewhere_is_well_and_one_that_nobody_reads_is_not(folder: Path) -> None:
    write(folder, "tenants/acme/account.yml", "", "a")
    path = folder / "tenants/acme/account.yml"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace(
            "- address: it@acme.example",
            "- address: it@acme.example\n  - address: jo@gmail.example",
        ),
        encoding="utf-8",
    )
    assert faults(folder) == []
    path.write_text(
        text.replace(
            "- address: it@acme.example",
            "- address: it@acme.example\n  - address: gone@acme.example",
        ),
        encoding="utf-8",
    )
    assert faults(folder) == ["tenants/acme/account.yml:9:14 unknown-address"]


@pytest.mark.parametrize(
    "target",
    ["postmaster", "abuse", "jo+x", "jo@acme-mail.example", "sales", "n", "gone@globex.example"],
)
def test_targets_that_exist(folder: Path, target: str) -> None:
    write(
        folder,
        ACME,
        f"  - {{name: new, to: [{target}]}}\nsender_addresses: [{{name: n, mailbox: jo}}]\ndomain_aliases: [acme-mail.example]\n",
    )
    assert faults(folder) == []


def test_targets_in_a_domain_with_catch_all_or_relay(folder: Path) -> None:
    write(
        folder,
        "tenants/acme/old.acme.example.yml",
        "type: relay\nrelay: {host: mail.stranger.example, recipients: [peter]}\n",
    )
    write(folder, ACME, "  - {name: new, to: [peter@old.acme.example]}\n")
    assert faults(folder) == []
    write(folder, ACME, "  - {name: newer, to: [paul@old.acme.example]}\n")
    assert faults(folder) == [f"{ACME}:10:24 unknown-address"]
    write(folder, "tenants/acme/old.acme.example.yml", "catch_all: it@acme.example\n", "w")
    assert faults(folder) == []


def test_a_catch_all_does_not_make_its_own_target_exist(folder: Path) -> None:
    write(folder, ACME, "catch_all: nobody\ndmarc: {reports_to: any}\ntls_rpt: {reports_to: any}\n")
    assert faults(folder) == [f"{ACME}:9:12 unknown-address"]
    write(folder, "tenants/acme/old.acme.example.yml", "catch_all: jo@acme.example\n")
    path = folder / ACME
    path.write_text(
        path.read_text(encoding="utf-8").replace("catch_all: nobody\n", ""), encoding="utf-8"
    )
    assert faults(folder) == [f"{ACME}:9:21 unknown-address", f"{ACME}:10:23 unknown-address"]


@pytest.mark.parametrize(
    "mailbox",
    ["sales", "gone", "ann@globex.example", "x@stranger.example", "jo+x", "jo@acme-mail.example"],
)
def test_a_sender_address_needs_a_mailbox_of_the_tenant(folder: Path, mailbox: str) -> None:
    write(
        folder,
        ACME,
        f"sender_addresses: [{{name: noreply, mailbox: {mailbox}}}]\ndomain_aliases: [acme-mail.example]\n",
    )
    assert faults(folder) == [f"{ACME}:9:45 unknown-mailbox"]


def test_a_circle_through_two_tenants(folder: Path) -> None:
    write(
        folder, ACME, "  - {name: a, to: [b@globex.example]}\ndomain_aliases: [acme-mail.example]\n"
    )
    write(
        folder,
        GLOBEX,
        "aliases: [{name: b, to: [c, ann]}, {name: c, to: [a+x@acme-mail.example]}]\n",
    )
    assert faults(folder) == [f"{GLOBEX}:3:51 alias-circle"]


def test_a_chain_may_be_longer_than_the_stack_and_a_fan_is_bounded(folder: Path) -> None:
    chain = (
        "aliases:\n"
        + "".join(f"  - {{name: a{nth}, to: [a{nth + 1}]}}\n" for nth in range(3000))
        + "  - {name: a3000, to: [ann]}\n"
    )
    path = folder / "plans.yml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("aliases: 20", "aliases: 5000"), encoding="utf-8"
    )
    write(folder, GLOBEX, chain)
    too_long = [f"{GLOBEX}:{3 + 1 + 3000 - targets.MAX_CHAIN}:23 alias-chain-too-long"]
    assert faults(folder) == too_long
    fan = ", ".join(f"x{nth}@stranger.example" for nth in range(targets.MAX_RECIPIENTS - 1))
    write(folder, GLOBEX, f"  - {{name: fan, to: [{fan}, ann]}}\n  - {{name: fans, to: [fan]}}\n")
    assert faults(folder) == too_long
    write(
        folder,
        GLOBEX,
        "  - {name: many, to: [fan, fans]}\n  - {name: more, to: [fan, a0]}\n  - {name: use, to: [more]}\n",
    )
    assert [line.split()[1] for line in faults(folder)] == [
        "alias-chain-too-long",
        *["too-many-recipients"] * 2,
    ]


def test_a_chain_that_is_just_short_enough(folder: Path) -> None:
    last = targets.MAX_CHAIN - 1
    path = folder / "plans.yml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("aliases: 20", "aliases: 50"), encoding="utf-8"
    )
    write(
        folder,
        GLOBEX,
        "aliases:\n"
        + "".join(f"  - {{name: a{nth}, to: [a{nth + 1}]}}\n" for nth in range(last))
        + f"  - {{name: a{last}, to: [ann]}}\n",
    )
    assert faults(folder) == []
    write(folder, GLOBEX, "sender_addresses: [{name: one, mailbox: ann}]\ncatch_all: a0\n")
    path.write_text(
        path.read_text(encoding="utf-8").replace(
            "    protocols:", "    features: [catch_all]\n    protocols:"
        ),
        encoding="utf-8",
    )
    assert [line.split()[1] for line in faults(folder)] == ["alias-chain-too-long"]


def test_a_node_has_room_for_so_many_domains(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placement, "MAX_DOMAINS", 2)
    tenant(folder, "aaa", "aaa.example")
    assert faults(folder) == []
    tenant(folder, "zzz", "zzz.example")
    assert faults(folder) == ["tenants/zzz/account.yml:4:12 node-full"]
    path = folder / "tenants/zzz/account.yml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("state: active", "state: pending"),
        encoding="utf-8",
    )
    assert faults(folder) == []


def test_domain_limits_and_states_speak_of_what_is_there(folder: Path) -> None:
    write(
        folder,
        "tenants/acme/account.yml",
        "domain_limits: [{name: acme.example}, {name: gone.example}, {name: acme.example}]\n",
    )
    write(folder, "state/mx9.json", '{"dkim": []}')
    assert faults(folder) == [
        "state/mx9.json:1:1 unknown-node",
        "tenants/acme/account.yml:12:46 unknown-domain",
        "tenants/acme/account.yml:12:68 name-twice",
    ]


@pytest.mark.parametrize(
    "text",
    [
        '{"node": "mx1", "dkim": [{"domain": "a.example", "selector": "mx1", "public": "not base64!"}]}',
        '{"keys": []}',
        "[]",
    ],
)
def test_a_state_that_no_node_wrote(folder: Path, text: str) -> None:
    write(folder, "state/mx1.json", text)
    assert len(faults(folder)) == 1


def test_mailbox_bounds_are_the_tighter_of_plan_and_domain(folder: Path) -> None:
    write(
        folder,
        "tenants/acme/account.yml",
        "domain_limits: [{name: acme.example, mailbox_storage: 5G}]\n",
    )
    assert faults(folder) == []
    path = folder / ACME
    path.write_text(path.read_text(encoding="utf-8").replace("5G", "5121M"), encoding="utf-8")
    (fault,) = _load.load(str(folder))[1]
    assert str(fault) == (
        f"{ACME}:5:12: quota-out-of-bounds: the mailbox jo@acme.example has quota 5121M; allowed: 1M to 5G (mailbox_storage of acme.example and plan business)"
    )


def test_a_plan_within_its_own_bounds(folder: Path) -> None:
    write(
        folder,
        "plans.yml",
        "  - {name: odd, mailbox_quota: {default: 2G, min: 3G}}\n  - {name: even, mailbox_quota: {default: unlimited, max: 3G}}\n",
    )
    assert faults(folder) == [
        "plans.yml:12:42 quota-out-of-bounds",
        "plans.yml:13:43 quota-out-of-bounds",
    ]


def test_a_mail_programs_hostname_is_of_the_tenants_own(folder: Path) -> None:
    write(
        folder,
        ACME,
        "branding: {hostname: mail.acme-mail.example}\ndomain_aliases: [acme-mail.example]\n",
    )
    assert faults(folder) == []


@pytest.mark.parametrize(
    "name", ["acme.example", "acme-mail.example", "old.acme.example", "example"]
)
def test_a_mail_programs_hostname_is_no_domain_itself(folder: Path, name: str) -> None:
    write(folder, "tenants/acme/old.acme.example.yml", "")
    write(folder, ACME, f"branding: {{hostname: {name}}}\ndomain_aliases: [acme-mail.example]\n")
    assert [line.split()[1] for line in faults(folder)] in (["foreign-hostname"], ["unfit-value"])


ACCOUNT = "tenants/acme/account.yml"


def replace(folder: Path, path: str, old: str, new: str) -> None:
    text = (folder / path).read_text(encoding="utf-8")
    assert old in text
    (folder / path).write_text(text.replace(old, new, 1), encoding="utf-8")


def said(folder: Path) -> list[str]:
    return [f"{fault.id}: {fault.what}" for fault in _load.load(str(folder))[1]]


def test_an_intake_names_all_that_is_missing_and_only_active_tenants_need_one(folder: Path) -> None:
    replace(
        folder,
        ACCOUNT,
        "intake: {expected_mailboxes: 5, dns_contact: it@acme.example, clients: local, smime: false}",
        "intake: {clients: external}",
    )
    assert said(folder) == [
        "intake-incomplete: tenant acme is active, but its intake lacks expected_mailboxes, dns_contact, smime"
    ]
    for before, state in (
        ("active", "pending"),
        ("pending", "suspended"),
        ("suspended", "terminated"),
    ):
        replace(folder, ACCOUNT, f"state: {before}", f"state: {state}")
        assert said(folder) == []


def test_a_requested_host_may_not_be_used_and_the_fault_says_that_it_was_asked_for(
    folder: Path,
) -> None:
    write(folder, ACCOUNT, "requested_hosts: [mx.new.example]\n")
    assert faults(folder) == []
    write(
        folder,
        "tenants/acme/old.acme.example.yml",
        "type: relay\nrelay: {host: mx.new.example, recipients: [jo]}\n",
    )
    assert said(folder) == [
        "host-not-approved: mx.new.example is requested (tenants/acme/account.yml:12:19), but the provider has not approved it yet"
    ]
    replace(folder, "estate.yml", "approved_hosts: [", "approved_hosts: [mx.new.example, ")
    assert faults(folder) == []


def test_pending_tenants_may_wait_for_a_node_and_nobody_is_placed_on_one_that_is_not_for_resale(
    folder: Path,
) -> None:
    replace(folder, "estate.yml", "debian: 12, ", "debian: 12, lifecycle: planned, ")
    assert faults(folder) == ["tenants/acme/account.yml:4:12 node-not-ready"]
    replace(folder, ACCOUNT, "state: active", "state: pending")
    assert faults(folder) == []
    replace(folder, "estate.yml", "lifecycle: planned", "resell: false")
    assert said(folder) == [
        "node-not-for-resale: node mx1 is not for resale, and tenant acme is placed on it"
    ]
    replace(folder, ACCOUNT, "state: pending", "state: terminated")
    assert faults(folder) == []


def test_the_premium_relay_exists_where_tenants_use_it_and_hardens_spf(folder: Path) -> None:
    write(folder, ACCOUNT, "defaults: {premium_relay: true}\n")
    write(folder, ACME, "spf: {tail: ~all}\n")
    assert faults(folder) == ["tenants/acme/acme.example.yml:9:13 open-spf-tail"]
    replace(
        folder,
        "estate.yml",
        "premium_relay: {host: smtp.relay.example, spf_include: spf.relay.example}\n",
        "",
    )
    assert faults(folder) == [
        "tenants/acme/account.yml:12:27 no-premium-relay",
        "tenants/acme/acme.example.yml:9:13 open-spf-tail",
    ]
    replace(folder, ACCOUNT, "premium_relay: true", "premium_relay: false")
    assert faults(folder) == []


def test_protocols_are_within_the_plans_wherever_they_stand(folder: Path) -> None:
    replace(
        folder,
        "plans.yml",
        "    addons: [archive]\n",
        "    addons: [archive]\n    protocols: [imap, sieve]\n    defaults: {protocols: [imap, pop3]}\n",
    )
    write(folder, ACCOUNT, "defaults: {protocols: [sieve, submission]}\n")
    write(folder, ACME, "protocols: [pop3]\n")
    replace(folder, ACME, "  - name: it\n", "  - {name: it, protocols: [imap, submission, pop3]}\n")
    assert faults(folder) == [
        "plans.yml:8:34 protocol-not-in-plan",
        "tenants/acme/account.yml:12:31 protocol-not-in-plan",
        "tenants/acme/acme.example.yml:2:34 protocol-not-in-plan",
        "tenants/acme/acme.example.yml:2:46 protocol-not-in-plan",
        "tenants/acme/acme.example.yml:9:13 protocol-not-in-plan",
    ]


def test_the_estates_protocols_are_within_each_plans_that_says_nothing_itself(folder: Path) -> None:
    replace(folder, "estate.yml", "defaults: {", "defaults: {protocols: [imap, pop3], ")
    assert said(folder) == ["protocol-not-in-plan: pop3 is not among the protocols of plan starter"]
    replace(
        folder,
        "plans.yml",
        "    protocols: [imap, submission]\n",
        "    protocols: [imap, submission]\n    defaults: {protocols: [imap]}\n",
    )
    assert faults(folder) == []


def test_a_rate_may_equal_the_providers_and_not_exceed_it(folder: Path) -> None:
    write(folder, ACME, "rate_limits: {messages_per_hour: 200, recipients_per_message: 5000}\n")
    assert faults(folder) == []
    replace(
        folder, ACME, "  - name: it\n", "  - {name: it, rate_limits: {messages_per_hour: 201}}\n"
    )
    assert said(folder) == ["rate-above-limit: it@acme.example is to send 201 messages_per_hour"]


def test_forwards_end_somewhere(folder: Path) -> None:
    replace(
        folder,
        ACME,
        "  - name: it\n",
        "  - {name: it, forward: {to: [jo, joe, jo@acme.example]}}\n  - {name: none, forward: {to: []}}\n",
    )
    assert faults(folder) == [
        "tenants/acme/acme.example.yml:2:35 unknown-address",
        "tenants/acme/acme.example.yml:2:40 target-twice",
        "tenants/acme/acme.example.yml:3:32 no-target",
    ]


@pytest.mark.parametrize("keep", ["true", "false"])
def test_forwards_and_aliases_make_circles_together(folder: Path, keep: str) -> None:
    replace(
        folder,
        ACME,
        "  - name: it\n",
        f"  - {{name: it, forward: {{to: [sales], keep_copy: {keep}}}}}\n",
    )
    assert faults(folder) == []  # sales is jo
    replace(folder, ACME, "    to: [jo]\n", "    to: [jo, ann@globex.example]\n")
    write(folder, GLOBEX, "    forward: {to: [it@acme.example]}\n")
    assert said(folder) == [
        "alias-circle: mail to sales@acme.example would go round in a circle: sales@acme.example -> ann@globex.example -> it@acme.example -> sales@acme.example"
    ]


def test_a_forward_to_itself_is_a_circle(folder: Path) -> None:
    replace(folder, ACME, "  - name: it\n", "  - {name: it, forward: {to: [it]}}\n")
    assert faults(folder) == ["tenants/acme/acme.example.yml:2:31 alias-circle"]


@pytest.mark.parametrize(
    ("by", "whom", "fit"),
    [
        ("root@hosting.example", "jo", True),  # the super_admin, for anybody
        ("root@hosting.example", "it", True),
        ("it@acme.example", "it", True),  # the tenant_admin, for itself
        ("it@acme.example", "jo", True),  # for a user
        ("it@acme.example", "boss", False),  # not for another admin
        ("it@acme.example", "head", False),  # nor for a domain_admin mailbox
        ("jo@acme.example", "jo", False),  # users bring none, not their own either
        ("boss@acme.example", "jo", False),  # a domain_admin neither
        ("ops@hosting.example", "jo", False),  # an operator neither
        ("ann@globex.example", "jo", False),  # nor another tenant's admin
    ],
)
def test_who_brings_whose_certificate(folder: Path, by: str, whom: str, fit: bool) -> None:
    replace(
        folder,
        "estate.yml",
        "roles:\n",
        "roles:\n  - {group: ops, role: operator, address: ops@hosting.example}\n",
    )
    replace(folder, "plans.yml", "domain_admins: 2", "domain_admins: 3")
    replace(
        folder,
        ACCOUNT,
        "admins:\n",
        "admins:\n  - {address: boss@acme.example, role: domain_admin, domains: [acme.example]}\n",
    )
    replace(
        folder,
        ACME,
        "  - name: it\n",
        "  - name: it\n  - name: boss\n  - {name: head, domain_admin: true}\n",
    )
    body = "MIIB" + "A" * 60
    pem = f"-----BEGIN CERTIFICATE-----\\n{body}\\n-----END CERTIFICATE-----\\n"
    smime = f'smime: {{uploaded_by: {by}, certificate: "{pem}"}}'
    old = {
        "jo": "    display_name: Jo Doe\n",
        "it": "  - name: it\n",
        "boss": "  - name: boss\n",
        "head": "  - {name: head, domain_admin: true}\n",
    }[whom]
    new = old.replace("}", f", {smime}}}") if whom == "head" else f"{old}    {smime}\n"
    replace(folder, ACME, old, new)
    assert [fault.rpartition(" ")[2] for fault in faults(folder)] == (
        [] if fit else ["smime-not-allowed"]
    )


def test_a_domain_admin_mailbox_owns_things_in_its_own_domain_only(folder: Path) -> None:
    replace(
        folder,
        ACME,
        "    quota: 5G\n",
        "    quota: 5G\n    domain_admin: true\n    owner: jo@acme.example\n",
    )
    assert faults(folder) == []
    write(
        folder,
        "tenants/acme/old.acme.example.yml",
        "mailboxes: [{name: x, owner: jo@acme.example}]\n",
    )
    assert faults(folder) == ["tenants/acme/old.acme.example.yml:1:30 unknown-owner"]


def test_every_tenant_has_an_admin_for_all_of_it(folder: Path) -> None:
    replace(
        folder,
        ACCOUNT,
        "  - address: it@acme.example\n",
        "  - {address: it@acme.example, role: domain_admin, domains: [acme.example, gone.example]}\n",
    )
    assert faults(folder) == [
        "tenants/acme/account.yml:8:3 no-admin",
        "tenants/acme/account.yml:8:76 unknown-domain",
    ]


def test_roles_speak_of_tenants_and_admins_that_exist(folder: Path) -> None:
    replace(
        folder,
        "estate.yml",
        "roles:\n",
        "roles:\n"
        "  - {identity: a, role: tenant_admin, tenant: acme, address: jo@acme.example}\n"
        "  - {identity: b, role: operator, tenant: acme}\n"
        "  - {identity: c, group: d, role: operator}\n"
        "  - {identity: e, role: operator}\n"
        "  - {identity: e, role: operator}\n",
    )
    assert faults(folder) == [
        "estate.yml:7:62 unknown-owner",
        "estate.yml:8:43 role-scope",
        "estate.yml:9:5 role-without-person",
        "estate.yml:11:5 name-twice",
    ]


def test_a_backup_mx_has_a_name_and_addresses_of_its_own(folder: Path) -> None:
    write(
        folder,
        "estate.yml",
        "backup_mx: [{hostname: mx1.hosting.example, addresses: [192.0.2.2]}, {hostname: old.acme.example, addresses: []}]\n",
    )
    write(folder, "tenants/acme/old.acme.example.yml", "")
    assert faults(folder) == [
        "estate.yml:10:24 name-twice",
        "estate.yml:10:57 name-twice",
        "estate.yml:10:110 no-address",
        "tenants/acme/old.acme.example.yml:1:1 reserved-domain",
    ]


def test_messages_say_how_an_idn_reads(folder: Path) -> None:
    write(folder, ACME, "domain_aliases: [b\u00fccher.example]\n")
    assert said(folder) == [
        "domain-not-approved: xn--bcher-kva.example (b\u00fccher.example) was not given to tenant acme"
    ]
    write(folder, ACCOUNT, "suspended_domains: [B\u00dcCHER.example]\n")
    assert (
        "unknown-domain: xn--bcher-kva.example (b\u00fccher.example) is none of the domains of tenant acme"
        in said(folder)
    )


@pytest.mark.parametrize("key", ["unverified_domains", "suspended_domains", "managed_domains"])
def test_lists_of_domains_name_the_tenants_own_and_each_once(folder: Path, key: str) -> None:
    write(folder, ACCOUNT, f"{key}: [acme.example, globex.example, acme.example]\n")
    assert [fault.rpartition(" ")[2] for fault in faults(folder)] == [
        "unknown-domain",
        "name-twice",
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            'aliases: [{name: "jo+x", to: [it]}]\n',
            "8:18 unfit-value",
        ),  # what follows a + is an extension of the recipient
        ("aliases: [{name: '\"jo doe\"', to: [it]}]\n", "8:18 unfit-value"),  # a quoted local part
        (
            "aliases: [{name: JO, to: [it]}]\n",
            "8:18 address-twice",
        ),  # case does not make two of one
        (
            'aliases: [{name: "x\\nroot", to: [it]}]\n',
            "8:18 unfit-value",
        ),  # a line of its own in a Postfix table
        ("aliases: [{name: x\x07, to: [it]}]\n", "8:19 unfit-character"),
        (f"aliases: [{{name: {'x' * 65}, to: [it]}}]\n", "8:18 unfit-value"),
        (f"domain_aliases: [{'x' * 64}.example]\n", "8:18 unfit-value"),
        (
            "domain_aliases: [ACME.example.]\n",
            "8:18 domain-twice",
        ),  # both the primary and an alias of it
        ("domain_aliases: [globex.example.]\n", "8:18 domain-twice"),  # another tenant's
        ("domain_aliases: [x.globex.example]\n", "8:18 foreign-subdomain"),
        (
            "domain_aliases: [fa\u00df.example]\n",
            "8:18 domain-not-approved",
        ),  # a name of its own (IDNA 2008)
        ("domain_aliases: [xn--zzzz.example]\n", "8:18 unfit-value"),
    ],
)
def test_names_that_cannot_be(folder: Path, text: str, fault: str) -> None:
    replace(folder, ACME, "aliases:\n  - name: sales\n    to: [jo]\n", "\n\n")
    write(folder, ACME, text)
    assert faults(folder) == [f"{ACME}:{fault}"]


def test_a_mailbox_that_is_a_domain_admin_counts_as_one(folder: Path) -> None:
    replace(
        folder,
        ACME,
        "  - name: it\n",
        "  - name: it\n    domain_admin: true\n  - {name: head, domain_admin: true}\n",
    )
    assert faults(folder) == []  # "it" is one of the account's anyway
    replace(
        folder, ACME, "  - {name: head", "  - {name: neck, domain_admin: true}\n  - {name: head"
    )
    assert faults(folder) == [f"{ACME}:5:32 over-limit"]


def test_rates_of_an_account_are_within_the_provider_s(folder: Path) -> None:
    replace(
        folder,
        ACCOUNT,
        "plan: business\n",
        "plan: business\ndefaults: {rate_limits: {messages_per_hour: 300}}\n",
    )
    assert faults(folder) == [f"{ACCOUNT}:3:45 rate-above-limit"]


def test_one_set_of_add_ons_has_one_price(folder: Path) -> None:
    bundles = "addon_bundles: [{addons: [archive, mobile], price: 2}, {addons: [mobile, archive], price: 3}]\n"
    replace(folder, "plans.yml", "plans:\n", f"{bundles}plans:\n")
    assert faults(folder) == ["plans.yml:2:65 name-twice"]
