# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses
import typing as t

import dns.rdatatype
import dns.zone
import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._compile import dns as compiled
from ansible_collections.reseller.mail.plugins.plugin_utils._compile import mta_sts, tls
from ansible_collections.reseller.mail.plugins.plugin_utils._dns.record import PURPOSES, Record
from ansible_collections.reseller.mail.plugins.plugin_utils._dns.zone_text import zone_fragments
from ansible_collections.reseller.mail.plugins.plugin_utils._model.domain import (
    Branding,
    Dmarc,
    Domain,
    Spf,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import (
    BackupMx,
    DkimKey,
    Estate,
    NodeState,
    OwnNames,
    PremiumRelay,
    TlsKey,
)
from ansible_collections.reseller.mail.tests.unit.support.sample_estate import (
    ACME,
    ESTATE,
    GLOBEX,
    LEGACY,
    MX1,
    SHOP,
    with_tenant,
)
from hypothesis import given
from hypothesis import strategies as st


def values(name: str, kind: str, estate: Estate = ESTATE) -> list[str]:
    return [
        record.value
        for record in compiled.records(estate)
        if (record.name, record.type) == (name, kind)
    ]


@pytest.mark.parametrize("name", ["acme.example", "acme-mail.example"])
def test_a_domain_and_its_alias_have_the_same_mail_records(name: str) -> None:
    identity = mta_sts.policy_id(mta_sts.policy(ACME.mta_sts, [MX1.hostname]))
    assert values(name, "MX") == ["10 mx1.hosting.example."]
    assert values(name, "TXT") == ["v=spf1 include:hosting.example -all"]
    assert values(f"_dmarc.{name}", "TXT") == [
        "v=DMARC1; p=quarantine; t=y; rua=mailto:it@acme.example"
    ]
    assert values(f"_smtp._tls.{name}", "TXT") == ["v=TLSRPTv1; rua=mailto:it@acme.example"]
    assert values(f"_mta-sts.{name}", "TXT") == [f"v=STSv1; id={identity};"]
    assert values(f"mta-sts.{name}", "A") == ["192.0.2.1"]
    assert values(f"mta-sts.{name}", "AAAA") == ["2001:db8::1"]
    assert values(f"_submissions._tcp.{name}", "SRV") == ["0 1 465 mail.acme.example."]
    assert values(f"_submission._tcp.{name}", "SRV") == ["10 1 587 mail.acme.example."]
    assert values(f"_imaps._tcp.{name}", "SRV") == ["0 1 993 mail.acme.example."]
    assert values(f"_pop3s._tcp.{name}", "SRV") == ["0 1 995 mail.acme.example."]
    assert values(f"_sieve._tcp.{name}", "SRV") == ["0 1 4190 mail.acme.example."]
    assert values(f"_imap._tcp.{name}", "SRV") == values(f"_pop3._tcp.{name}", "SRV") == ["0 0 0 ."]


def test_addresses_of_a_branded_host_never_a_cname() -> None:
    assert values("mail.acme.example", "A") == ["192.0.2.1"]
    assert values("mail.acme.example", "AAAA") == ["2001:db8::1"]
    assert {record.type for record in compiled.records(ESTATE)} == {"A", "AAAA", "MX", "SRV", "TXT"}


def test_a_branded_host_belongs_to_the_domain_that_it_lies_below() -> None:
    """acme.example and its alias are managed; shop.example and its alias are not."""
    below = {"mail.acme.example": ACME, "mail.shop-alias.example": SHOP}
    for hostname, domain in below.items():
        for host in below.values():
            branded = dataclasses.replace(host, branding=Branding(hostname))
            other = SHOP if host is ACME else dataclasses.replace(ACME, branding=Branding())
            estate = with_tenant(ESTATE, "acme", domains=(branded, other))
            found = {
                (record.domain, record.managed)
                for record in compiled.records(estate)
                if record.name == hostname
            }
            assert found == {(hostname.removeprefix("mail."), domain is ACME)}
            assert (hostname in tls.names_in_managed_zones(estate, MX1)) == (domain is ACME)


def test_an_unmanaged_domain_below_a_managed_one_decides_for_its_names() -> None:
    below = dataclasses.replace(
        SHOP, name="shop.acme.example", branding=Branding("mail.shop.acme.example")
    )
    estate = with_tenant(ESTATE, "acme", domains=(ACME, below))
    assert {
        record.managed
        for record in compiled.records(estate)
        if record.name == "mail.shop.acme.example"
    } == {False}
    assert "mail.shop.acme.example" not in tls.names_in_managed_zones(estate, MX1)


def test_provider_lists_its_nodes() -> None:
    assert values("hosting.example", "TXT") == [
        "v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 ip4:192.0.2.2 -all"
    ]


def test_a_node_has_an_spf_record_for_its_name_in_ehlo_and_managed_only_below_the_provider() -> (
    None
):
    elsewhere = dataclasses.replace(ESTATE.nodes[1], hostname="mx2.elsewhere.example")
    estate = dataclasses.replace(ESTATE, nodes=(MX1, elsewhere))
    found = {
        record.name: record.managed
        for record in compiled.records(estate)
        if record.value == "v=spf1 a -all"
    }
    assert found == {"mx1.hosting.example": True, "mx2.elsewhere.example": False}


def test_a_key_of_a_node_is_published_under_the_node_s_name() -> None:
    estate = dataclasses.replace(
        ESTATE, states=(NodeState("mx1", (DkimKey("mx1.hosting.example", "mx1", "A" * 400),)),)
    )
    assert values("mx1._domainkey.mx1.hosting.example", "TXT", estate) == [
        "v=DKIM1; k=rsa; p=" + "A" * 400
    ]


@pytest.mark.parametrize(
    ("own", "of_provider", "of_host"),
    [
        (OwnNames(), "p=reject; sp=none; np=reject", "p=reject"),
        (
            OwnNames(Dmarc("observe", "it@hosting.example")),
            "p=none; rua=mailto:it@hosting.example",
            "p=reject; rua=mailto:it@hosting.example",
        ),
    ],
)
def test_the_provider_and_its_hosts_have_dmarc_records(
    own: OwnNames, of_provider: str, of_host: str
) -> None:
    estate = dataclasses.replace(ESTATE, backup_mx=(BACKUP,), own_names=own)
    assert values("_dmarc.hosting.example", "TXT", estate) == [f"v=DMARC1; {of_provider}"]
    for host in ("mx1", "mx2", "alt"):
        assert values(f"_dmarc.{host}.hosting.example", "TXT", estate) == [f"v=DMARC1; {of_host}"]
    home = with_tenant(
        estate,
        "globex",
        domains=(dataclasses.replace(GLOBEX, name="hosting.example", dmarc=Dmarc("test")),),
    )
    assert values("_dmarc.hosting.example", "TXT", home) == ["v=DMARC1; p=quarantine; t=y"], (
        "then it is the tenant's"
    )
    assert values("_dmarc.mx1.hosting.example", "TXT", home) == [f"v=DMARC1; {of_host}"]


def test_the_provider_gets_reports_about_a_host_that_lies_elsewhere() -> None:
    nodes = (MX1, dataclasses.replace(ESTATE.nodes[1], hostname="mx2.elsewhere.example"))
    for receiver, granted in (
        ("hosting.example", True),
        ("dmarc.hosting.example", True),
        ("acme.example", False),
    ):
        estate = dataclasses.replace(
            ESTATE, nodes=nodes, own_names=OwnNames(Dmarc("reject", f"x@{receiver}"))
        )
        found = {
            record.name: record.domain
            for record in compiled.records(estate)
            if record.name.startswith("mx2.elsewhere.example._report.")
        }
        name = f"mx2.elsewhere.example._report._dmarc.{receiver}"
        assert found == ({name: "hosting.example"} if granted else {})


def test_a_node_of_the_providers_own_name_has_one_spf_record() -> None:
    only = dataclasses.replace(
        ESTATE, nodes=(dataclasses.replace(MX1, hostname="hosting.example"), ESTATE.nodes[1])
    )
    assert len(values("hosting.example", "TXT", only)) == 1


def test_dkim_as_reported_and_what_is_pending() -> None:
    assert values("mx1._domainkey.acme.example", "TXT") == ["v=DKIM1; k=rsa; p=" + "A" * 400]
    assert values("mx1._domainkey.acme-mail.example", "TXT") == []
    assert not any("gone.example" in record.name for record in compiled.records(ESTATE))
    assert compiled.pending(ESTATE) == [
        ("acme-mail.example", "mx1"),
        ("globex.example", "mx2"),
        ("globex.test", "mx2"),
        ("mx1.hosting.example", "mx1"),
        ("mx2.hosting.example", "mx2"),
        ("shop-alias.example", "mx1"),
        ("shop.example", "mx1"),
    ]


def test_a_moved_domains_old_key_stays_published() -> None:
    moved = with_tenant(ESTATE, "acme", placement="mx2")
    assert values("mx1._domainkey.acme.example", "TXT", moved) == ["v=DKIM1; k=rsa; p=" + "A" * 400]
    assert ("acme.example", "mx2") in compiled.pending(moved)


def test_relay_domain_has_mail_records_but_no_client_service() -> None:
    assert values("legacy.example", "MX") == ["10 mx2.hosting.example."]
    assert values("legacy.example", "TXT") == [
        "v=spf1 include:hosting.example a:mail.stranger.example -all"
    ]
    assert values("_dmarc.legacy.example", "TXT") == ["v=DMARC1; p=none"]
    assert not any(
        record.type == "SRV"
        for record in compiled.records(ESTATE)
        if record.domain == "legacy.example"
    )


@pytest.mark.parametrize(
    ("stage", "policy"),
    [
        ("observe", "p=none"),
        ("test", "p=quarantine; t=y"),
        ("quarantine", "p=quarantine"),
        ("reject", "p=reject"),
    ],
)
def test_dmarc_stages(stage: str, policy: str) -> None:
    estate = with_tenant(
        ESTATE, "globex", domains=(dataclasses.replace(LEGACY, dmarc=Dmarc(stage)),)
    )
    assert values("_dmarc.legacy.example", "TXT", estate) == [f"v=DMARC1; {policy}"]


def test_reports_to_another_domain_are_granted_in_that_domains_zone() -> None:
    grants = {
        record.name: record
        for record in compiled.records(ESTATE)
        if "_report._dmarc" in record.name
    }
    assert set(grants) == {
        "acme-mail.example._report._dmarc.acme.example",
        "globex.example._report._dmarc.hosting.example",
        "globex.test._report._dmarc.hosting.example",
    }
    assert all(record.value == "v=DMARC1" for record in grants.values())
    assert grants["acme-mail.example._report._dmarc.acme.example"].domain == "acme.example"
    outside = dataclasses.replace(GLOBEX, dmarc=Dmarc("observe", "x@elsewhere.example"))
    estate = with_tenant(ESTATE, "globex", domains=(outside,))
    assert not any("elsewhere" in record.name for record in compiled.records(estate))


def test_nobody_writes_a_grant_into_a_neighbours_zone() -> None:
    nosy = dataclasses.replace(GLOBEX, dmarc=Dmarc("observe", "jo@acme.example"))
    estate = with_tenant(ESTATE, "globex", domains=(nosy, LEGACY))
    assert not any(
        record.name.startswith("globex")
        for record in compiled.records(estate)
        if record.domain == "acme.example"
    )


def test_who_writes_the_zone() -> None:
    managed = {record.domain: record.managed for record in compiled.records(ESTATE)}
    assert managed == {
        "acme.example": True,
        "acme-mail.example": True,
        "shop.example": False,
        "shop-alias.example": False,
        "globex.example": False,
        "globex.test": False,
        "legacy.example": False,
        "hosting.example": True,
        "mx1.hosting.example": True,
        "mx2.hosting.example": True,
    }


def test_every_name_lies_in_its_domain_and_records_are_sorted_and_single() -> None:
    records = compiled.records(ESTATE, ttl=60)
    assert records == sorted(set(records))
    assert all(
        record.name == record.domain or record.name.endswith(f".{record.domain}")
        for record in records
    )
    assert {record.ttl for record in records} == {60}


def of(domain: Domain, **changes: t.Any) -> Estate:
    """The estate where globex has nothing but this domain."""
    return with_tenant(ESTATE, "globex", domains=(dataclasses.replace(domain, **changes),))


BACKUP = BackupMx("alt.hosting.example", ("192.0.2.9", "2001:DB8::9"), 30)
RELAY = PremiumRelay("smtp.relay.example", 587, "spf.relay.example")


def test_a_node_is_the_backup_mx_of_the_others_and_not_of_itself() -> None:
    mx2 = dataclasses.replace(ESTATE.nodes[1], backup_priority=40)
    estate = dataclasses.replace(ESTATE, nodes=(ESTATE.nodes[0], mx2), backup_mx=(BACKUP,))
    assert sorted(values("acme.example", "MX", estate)) == [
        "10 mx1.hosting.example.",
        "30 alt.hosting.example.",
        "40 mx2.hosting.example.",
    ]
    assert sorted(values("globex.example", "MX", estate)) == [
        "10 mx2.hosting.example.",
        "30 alt.hosting.example.",
    ]
    (tenant,) = (one for one in estate.tenants if one.name == "acme")
    assert mta_sts.hosts(estate, tenant) == [
        "mx1.hosting.example",
        "alt.hosting.example",
        "mx2.hosting.example",
    ]


def test_a_node_that_is_not_ready_is_no_backup_mx() -> None:
    mx2 = dataclasses.replace(ESTATE.nodes[1], backup_priority=40, lifecycle="planned")
    estate = dataclasses.replace(ESTATE, nodes=(ESTATE.nodes[0], mx2))
    assert not mx2.is_backup_mx
    assert values("acme.example", "MX", estate) == ["10 mx1.hosting.example."]


def test_backup_mx_stand_behind_the_node_and_in_the_policy() -> None:
    estate = dataclasses.replace(
        ESTATE, backup_mx=(BACKUP, BackupMx("mx1.hosting.example", ("192.0.2.1",), 20))
    )
    assert sorted(values("acme.example", "MX", estate)) == [
        "10 mx1.hosting.example.",
        "30 alt.hosting.example.",
    ]
    assert sorted(values("globex.example", "MX", estate)) == [
        "10 mx2.hosting.example.",
        "20 mx1.hosting.example.",
        "30 alt.hosting.example.",
    ]
    assert values("alt.hosting.example", "A", estate) == ["192.0.2.9"]
    assert values("alt.hosting.example", "AAAA", estate) == ["2001:db8::9"]
    assert values("alt.hosting.example", "TXT", estate) == ["v=spf1 a -all"]
    (tenant,) = (one for one in estate.tenants if one.name == "acme")
    text = mta_sts.policy(ACME.mta_sts, mta_sts.hosts(estate, tenant))
    assert [line for line in text.split("\r\n") if line.startswith("mx:")] == [
        "mx: mx1.hosting.example",
        "mx: alt.hosting.example",
    ]
    assert values("_mta-sts.acme.example", "TXT", estate) == [
        f"v=STSv1; id={mta_sts.policy_id(text)};"
    ]
    assert values("_mta-sts.acme.example", "TXT", estate) != values("_mta-sts.acme.example", "TXT")


@pytest.mark.parametrize(
    ("spf", "tenant", "expected"),
    [
        (Spf(), {}, "v=spf1 include:hosting.example -all"),
        (Spf(tail="~all"), {}, "v=spf1 include:hosting.example ~all"),
        (
            Spf(),
            {"premium_relay": True},
            "v=spf1 include:hosting.example include:spf.relay.example -all",
        ),
        (
            Spf(tail="~all"),
            {"premium_relay": True},
            "v=spf1 include:hosting.example include:spf.relay.example -all",
        ),
        (
            Spf(include=("spf.relay.example",)),
            {"premium_relay": True},
            "v=spf1 include:hosting.example include:spf.relay.example -all",
        ),
        (
            Spf(include=("a.example", "b.example")),
            {},
            "v=spf1 include:hosting.example include:a.example include:b.example -all",
        ),
        (Spf("mx"), {}, "v=spf1 mx -all"),
        (
            Spf("mx"),
            {"outbound_address": "192.0.2.7", "premium_relay": True},
            "v=spf1 mx ip4:192.0.2.7 include:spf.relay.example -all",
        ),
    ],
)
def test_spf_as_the_files_say(spf: Spf, tenant: dict[str, t.Any], expected: str) -> None:
    estate = dataclasses.replace(
        with_tenant(of(GLOBEX, spf=spf), "globex", **tenant), premium_relay=RELAY
    )
    assert values("globex.example", "TXT", estate) == [expected]
    assert values("acme.example", "TXT", estate) == ["v=spf1 include:hosting.example -all"], (
        "the relay sends for globex alone"
    )
    assert values("hosting.example", "TXT", estate) == [
        "v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 ip4:192.0.2.2 -all"
    ]


def test_addresses_that_mail_leaves_by_are_in_spf_and_lead_back() -> None:
    node = dataclasses.replace(ESTATE.nodes[1], outbound_addresses=("192.0.2.22", "192.0.2.2"))
    estate = dataclasses.replace(ESTATE, nodes=(MX1, node))
    assert values("hosting.example", "TXT", estate) == [
        "v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 ip4:192.0.2.2 ip4:192.0.2.22 -all"
    ]
    assert values("mx2.hosting.example", "A", estate) == ["192.0.2.2", "192.0.2.22"]
    reverse_records = {
        (wish.name, wish.value)
        for wish in compiled.reverse_records(dataclasses.replace(estate, backup_mx=(BACKUP,)))
    }
    assert ("22.2.0.192.in-addr.arpa", "mx2.hosting.example.") in reverse_records
    assert ("9.2.0.192.in-addr.arpa", "alt.hosting.example.") in reverse_records
    assert any(name.endswith(".8.b.d.0.1.0.0.2.ip6.arpa") for name, _value in reverse_records)
    assert not any(record.type == "PTR" for record in compiled.records(estate))


def test_the_providers_own_domain_has_one_spf_record_for_both() -> None:
    home = dataclasses.replace(
        GLOBEX, name="hosting.example", domain_aliases=(), spf=Spf(include=("letters.example",))
    )
    estate = with_tenant(ESTATE, "globex", domains=(home,))
    assert values("hosting.example", "TXT", estate) == [
        "v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 ip4:192.0.2.2 include:letters.example -all"
    ]
    assert values("hosting.example", "MX", estate) == ["10 mx2.hosting.example."]
    premium = dataclasses.replace(
        with_tenant(estate, "globex", premium_relay=True), premium_relay=RELAY
    )
    (spf,) = (
        value for value in values("hosting.example", "TXT", premium) if value.startswith("v=spf1")
    )
    assert (
        spf == "v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 ip4:192.0.2.2 include:spf.relay.example"
        " include:letters.example -all"
    )


def test_every_name_has_at_most_one_spf_record() -> None:
    node = dataclasses.replace(MX1, hostname="globex.example")
    for estate in (
        ESTATE,
        dataclasses.replace(ESTATE, nodes=(node, ESTATE.nodes[1]), backup_mx=(BACKUP,)),
    ):
        found = [
            record.name for record in compiled.records(estate) if record.value.startswith("v=spf1")
        ]
        assert len(found) == len(set(found))


@pytest.mark.parametrize(
    ("dmarc", "expected"),
    [
        (Dmarc("reject", None, subdomains="quarantine"), "p=reject; sp=quarantine"),
        (
            Dmarc("observe", None, subdomains="observe", nonexistent="reject"),
            "p=none; sp=none; np=reject",
        ),
        (Dmarc("test", None, subdomains="test"), "p=quarantine; sp=quarantine; t=y"),
        (
            Dmarc("reject", None, subdomains="test", nonexistent="test"),
            "p=reject; sp=none; np=none",
        ),
        (Dmarc("quarantine", "it@globex.example"), "p=quarantine; rua=mailto:it@globex.example"),
    ],
)
def test_dmarc_for_subdomains(dmarc: Dmarc, expected: str) -> None:
    assert values("_dmarc.globex.example", "TXT", of(GLOBEX, dmarc=dmarc)) == [
        f"v=DMARC1; {expected}"
    ]


def test_reports_to_a_host_of_the_provider_are_granted_in_its_zone() -> None:
    found = {
        record.name: record
        for record in compiled.records(
            of(GLOBEX, dmarc=Dmarc("observe", "x@reports.hosting.example"))
        )
        if "_report." in record.name
    }
    grant = found["globex.example._report._dmarc.reports.hosting.example"]
    assert (grant.domain, grant.managed) == ("hosting.example", True)


def test_a_domain_that_names_nobody_has_no_mail() -> None:
    empty = dataclasses.replace(
        ACME, mailboxes=(), aliases=(), sender_addresses=(), branding=Branding(), domain_aliases=()
    )
    estate = with_tenant(ESTATE, "acme", domains=(empty,))
    found = {
        (record.name, record.type): record.value
        for record in compiled.records(estate)
        if record.domain == "acme.example"
    }
    assert found == {
        ("acme.example", "MX"): "0 .",
        ("acme.example", "TXT"): "v=spf1 -all",
        ("_dmarc.acme.example", "TXT"): "v=DMARC1; p=reject; rua=mailto:it@acme.example",
        ("mx1._domainkey.acme.example", "TXT"): "v=DKIM1; k=rsa; p=" + "A" * 400,
    }, "a key that was reported stays: mail that it signed may still be on its way"
    assert not any(name == "acme.example" for name, _selector in compiled.pending(estate))
    assert values(
        "acme.example",
        "MX",
        with_tenant(
            ESTATE, "acme", domains=(dataclasses.replace(empty, aliases=ACME.aliases[:1]),)
        ),
    ) != ["0 ."]


def test_a_branded_host_says_that_it_has_no_mail_unless_it_is_something_else_besides() -> None:
    assert (values("mail.acme.example", "MX"), values("mail.acme.example", "TXT")) == (
        ["0 ."],
        ["v=spf1 -all"],
    )
    estate = dataclasses.replace(
        ESTATE, nodes=(dataclasses.replace(MX1, hostname="mail.acme.example"), ESTATE.nodes[1])
    )
    assert (
        values("mail.acme.example", "MX", estate),
        values("mail.acme.example", "TXT", estate),
    ) == ([], ["v=spf1 a -all"])


def test_services_that_the_domain_may_not_use_are_said_not_to_be_there() -> None:
    estate = of(GLOBEX, protocols=("imap", "submission"))
    assert (
        values("_pop3s._tcp.globex.example", "SRV", estate)
        == values("_sieve._tcp.globex.example", "SRV", estate)
        == ["0 0 0 ."]
    )
    assert values("_imaps._tcp.globex.example", "SRV", estate) == ["0 1 993 mx2.hosting.example."]


@pytest.mark.parametrize("name", ["autoconfig.acme.example", "autodiscover.acme-mail.example"])
def test_mail_programs_find_their_settings_unless_the_files_say_no(name: str) -> None:
    assert (values(name, "A"), values(name, "AAAA")) == (["192.0.2.1"], ["2001:db8::1"])
    assert values("_autodiscover._tcp.acme-mail.example", "SRV") == [
        "0 1 443 autodiscover.acme-mail.example."
    ], "a host that answers for this name alone"
    estate = with_tenant(ESTATE, "acme", domains=(dataclasses.replace(ACME, autodiscover=False),))
    assert not [
        record
        for record in compiled.records(estate)
        if "auto" in record.name and "acme" in record.name
    ]


def test_certificates_are_restricted_for_names_that_are_ours_alone() -> None:
    estate = dataclasses.replace(ESTATE, caa=("letsencrypt.org",))
    assert values("mta-sts.acme.example", "CAA", estate) == [
        '0 issue "letsencrypt.org"',
        '0 issuewild ";"',
    ]
    found = {record.name for record in compiled.records(estate) if record.type == "CAA"}
    assert {"mail.acme.example", "mx1.hosting.example", "autoconfig.globex.example"} <= found
    assert not found & {
        "acme.example",
        "acme-mail.example",
        "globex.example",
        "legacy.example",
        "hosting.example",
    }, "a website there is not ours"


def test_tls_keys_as_reported_for_the_nodes_own_name() -> None:
    keys = (
        TlsKey("mx1.hosting.example", "ab" * 32, "cd" * 32),
        TlsKey("mail.acme.example", "ef" * 32),
    )
    estate = dataclasses.replace(ESTATE, states=(NodeState("mx1", (), keys),))
    assert values("_25._tcp.mx1.hosting.example", "TLSA", estate) == [
        "3 1 1 " + "ab" * 32,
        "3 1 1 " + "cd" * 32,
    ]
    assert compiled.pending_tls(estate) == ["mx2.hosting.example"]
    assert [record.name for record in compiled.records(estate) if record.type == "TLSA"] == [
        "_25._tcp.mx1.hosting.example"
    ] * 2


def test_what_a_domain_that_hosts_do_not_serve_yet_will_need() -> None:
    (tenant,) = (one for one in ESTATE.tenants if one.name == "later")
    domain = dataclasses.replace(GLOBEX, name="later.example", domain_aliases=())
    found = {(record.name, record.type) for record in compiled.records_of(ESTATE, tenant, domain)}
    assert {
        ("later.example", "MX"),
        ("_dmarc.later.example", "TXT"),
        ("later.example._report._dmarc.hosting.example", "TXT"),
    } <= found
    assert not any("later" in record.name for record in compiled.records(ESTATE))


def test_every_record_says_what_it_is_for() -> None:
    provider = dataclasses.replace(ESTATE.provider, contact="jo@acme.example")
    states = (NodeState("mx1", (), (TlsKey(MX1.hostname, "ab" * 32),)),)
    estate = dataclasses.replace(
        ESTATE, provider=provider, caa=("letsencrypt.org",), backup_mx=(BACKUP,), states=states
    )
    parked = dataclasses.replace(GLOBEX, mailboxes=(), catch_all=None)
    some = (
        compiled.records(estate)
        + compiled.records(with_tenant(ESTATE, "globex", domains=(parked,)))
        + compiled.reverse_records(estate)
    )
    assert {record.purpose for record in some} == set(PURPOSES)


@pytest.mark.parametrize(
    "domain", ["acme.example", "acme-mail.example", "legacy.example", "hosting.example"]
)
def test_a_zone_file_says_what_the_records_say(domain: str) -> None:
    records = [record for record in compiled.records(ESTATE) if record.domain == domain]
    text = (
        f"{domain}. 60 IN SOA . . 1 1 1 1 1\n{domain}. 60 IN NS ns.hosting.example.\n"
        + zone_fragments(records)[domain]
    )
    zone = dns.zone.from_text(text, origin=f"{domain}.", relativize=False)
    found = set()
    for name, ttl, rdata in zone.iterate_rdatas():
        kind = dns.rdatatype.to_text(rdata.rdtype)
        if kind not in ("SOA", "NS"):
            value = b"".join(rdata.strings).decode() if kind == "TXT" else rdata.to_text()
            assert all(len(string) <= 255 for string in getattr(rdata, "strings", ()))
            found.add((name.to_text(omit_final_dot=True), kind, ttl, value))
    assert found == {(record.name, record.type, record.ttl, record.value) for record in records}


def test_a_zone_file_says_which_dkim_records_are_missing_and_what_to_do() -> None:
    new = dataclasses.replace(ESTATE, states=())
    records = compiled.records(new)
    texts = zone_fragments(records, compiled.missing_dkim(new))
    assert texts["acme.example"].splitlines()[:2] == [
        "; A DKIM record is missing: node mx1 has not reported a key of acme.example yet.",
        "; Run ansible-playbook reseller.mail.site, and write this file again.",
    ]
    assert texts["acme.example"].endswith(zone_fragments(records)["acme.example"])
    commented = {domain for domain, text in texts.items() if text.startswith(";")}
    assert commented == {name for name, _selector in compiled.pending(new)}
    dns.zone.from_text(
        "@ 60 IN SOA . . 1 1 1 1 1\n@ 60 IN NS ns.hosting.example.\n" + texts["acme.example"],
        origin="acme.example.",
        relativize=False,
    )
    assert "acme.example" not in compiled.missing_dkim(ESTATE), "its node has reported the key"


@given(st.text(max_size=600))
def test_any_text_survives_the_zone_file(text: str) -> None:
    line = zone_fragments([Record("a.example", "a.example", "TXT", 60, text, True)])["a.example"]
    assert line.count("\n") == 1
    zone = dns.zone.from_text(line, origin="a.example.", relativize=False, check_origin=False)
    ((_name, _ttl, rdata),) = zone.iterate_rdatas()
    assert b"".join(rdata.strings) == text.encode()
