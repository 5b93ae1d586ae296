# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses
import hashlib
import json
import zlib

from ansible_collections.reseller.mail.plugins.module_utils._host.generation import lines
from ansible_collections.reseller.mail.plugins.plugin_utils import _compile
from ansible_collections.reseller.mail.plugins.plugin_utils._compile import (
    dovecot,
    mta_sts,
    opendkim,
    tls,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._compile.describe import describe
from ansible_collections.reseller.mail.plugins.plugin_utils._model.domain import Dkim, Forward
from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import (
    DkimKey,
    Estate,
    NodeState,
    OwnNames,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._model.services import SETTINGS
from ansible_collections.reseller.mail.plugins.plugin_utils._model.tenant import Tenant
from ansible_collections.reseller.mail.tests.unit.support.sample_estate import (
    ACME,
    ESTATE,
    MX1,
    MX2,
    SHOP,
    mailbox,
    with_domain,
    with_mailbox,
    with_tenant,
)

SERVICES = ("imap", "pop3", "smtp", "sieve")
NONPAYMENT = ", inbound accept, login refuse, submission refuse, queued send"


def test_dovecot_speaks_the_hosts_dialect() -> None:
    assert (
        dovecot.lookups(ESTATE, MX1)["dovecot/users/acme.example"]
        == "ex@acme.example:::::::userdb_quota_rule=*:storage=1G:messages=500000 userdb_sieve_env_spam_junk=60\n"
        "it@acme.example:::::::userdb_quota_rule=*:storage=0:messages=500000 userdb_sieve_env_spam_junk=60\n"
        "jo@acme.example:::::::userdb_quota_rule=*:storage=5G:messages=500000 userdb_sieve_env_spam_junk=60\n"
    )
    assert (
        dovecot.lookups(ESTATE, MX2)["dovecot/users/globex.example"]
        == "ann@globex.example:::::::userdb_quota_storage_size=1G userdb_quota_message_count=500000"
        " userdb_quota_mailbox_count=1000 userdb_sieve_environment/spam_junk=60\n"
    )


def test_dovecot_knows_mail_domains_placed_here() -> None:
    files = dovecot.lookups(ESTATE, MX2)
    assert set(files) == {
        "dovecot/users/globex.example",
        "dovecot/all_users",
        *(f"dovecot/logins/{name}" for name in ("imap", "pop3", "smtp", "sieve", "doveadm")),
        "dovecot/login_domains",
        "dovecot/mailboxes",
    }
    assert files["dovecot/all_users"] == "ann@globex.example\n"
    assert files["dovecot/mailboxes"] == "@:::::::\nann@globex.example:::::::\n"


def test_every_other_name_of_a_domain_leads_to_it_and_the_file_tells_that_it_was_read() -> None:
    assert (
        dovecot.lookups(ESTATE, MX1)["dovecot/login_domains"]
        == "@:::::::noauthenticate store=logins\n"
        "acme-mail.example:::::::noauthenticate domain=acme.example\n"
        "shop-alias.example:::::::noauthenticate domain=shop.example\n"
    )


def test_an_idn_leads_to_its_a_labels_however_it_is_typed() -> None:
    domain = dataclasses.replace(ACME, name="xn--strae-oqa.example")
    files = dovecot.lookups(with_tenant(ESTATE, "acme", domains=(domain,)), MX1)
    assert (
        files["dovecot/login_domains"] == "@:::::::noauthenticate store=logins\n"
        "acme-mail.example:::::::noauthenticate domain=xn--strae-oqa.example\n"
        "straße.example:::::::noauthenticate domain=xn--strae-oqa.example\n"
        "straẞe.example:::::::noauthenticate domain=xn--strae-oqa.example\n"
    )
    assert (
        list(lines.faults("dovecot/login_domains", files["dovecot/login_domains"].encode(), 12))
        == []
    )


def test_a_domain_without_mailboxes_has_no_names_to_log_in_with() -> None:
    files = dovecot.lookups(with_domain(ESTATE, "acme.example", mailboxes=()), MX1)
    assert "acme.example" not in files["dovecot/login_domains"]


def denied(files: dict[str, str], service: str = "doveadm") -> set[str]:
    """The mailboxes that may not log in."""
    everyone, logins = (
        {line.partition(":")[0] for line in files[f"dovecot/{name}"].splitlines()}
        for name in ("mailboxes", f"logins/{service}")
    )
    assert "@" in logins
    assert logins <= everyone
    return everyone - logins


def test_suspended_mailboxes_are_no_logins_and_stay_users() -> None:
    assert denied(dovecot.lookups(ESTATE, MX1)) == {"ex@acme.example"}
    files = dovecot.lookups(with_tenant(ESTATE, "acme", state="suspended"), MX1)
    assert denied(files) == set(files["dovecot/all_users"].split())


def test_a_suspended_domain_suspends_its_mailboxes_and_no_others() -> None:
    files = dovecot.lookups(with_domain(ESTATE, "shop.example", state="suspended"), MX1)
    assert denied(files) == {"ex@acme.example", "orders@shop.example"}


def test_who_has_a_password_elsewhere_is_denied_even_where_the_host_has_one_from_before() -> None:
    files = dovecot.lookups(with_mailbox(ESTATE, "jo@acme.example", credentials="external"), MX1)
    assert denied(files) == {"ex@acme.example", "jo@acme.example"}
    assert "jo@acme.example:" in files["dovecot/users/acme.example"]


def test_a_mailbox_logs_in_with_its_protocols_and_no_others() -> None:
    less = with_mailbox(ESTATE, "jo@acme.example", protocols=("imap", "submission"))
    files = dovecot.lookups(less, MX1)
    suspended = {"ex@acme.example"}
    assert {service: denied(files, service) - suspended for service in (*SERVICES, "doveadm")} == {
        "imap": set(),
        "pop3": {"jo@acme.example"},
        "smtp": set(),
        "sieve": {"jo@acme.example"},
        "doveadm": set(),
    }
    for path in files:
        assert list(lines.faults(path, files[path].encode(), 12)) == [], path


def test_a_mailbox_without_protocols_has_no_login_at_all() -> None:
    files = dovecot.lookups(with_mailbox(ESTATE, "jo@acme.example", protocols=()), MX1)
    for service in (*SERVICES, "doveadm"):
        assert "jo@acme.example" in denied(files, service)
    assert "jo@acme.example:" in files["dovecot/mailboxes"]


def test_a_domain_that_nobody_verified_is_no_file() -> None:
    assert "dovecot/users/shop.example" not in dovecot.lookups(
        with_domain(ESTATE, "shop.example", verified=False), MX1
    )


def test_a_quota_of_nothing_is_not_unlimited() -> None:
    domain = dataclasses.replace(ACME, mailboxes=(mailbox("jo@acme.example", 0),))
    estate = with_tenant(ESTATE, "acme", domains=(domain,))
    assert dovecot.lookups(estate, MX1)["dovecot/users/acme.example"].endswith(
        "storage=1B:messages=500000 userdb_sieve_env_spam_junk=60\n"
    )


def reporting(*keys: DkimKey) -> Estate:
    return dataclasses.replace(
        ESTATE,
        states=(NodeState("mx1", keys), NodeState("mx2", (DkimKey("acme.example", "mx2", "P"),))),
    )


def test_opendkim_signs_with_the_active_keys_of_its_node() -> None:
    states = ("generated", "published", "active", "retired", "revoked", "removed")
    keys = (
        *(DkimKey("acme.example", f"mx1-{state}", "P", "rsa", state) for state in states),
        DkimKey("acme-mail.example", "mx1", "P"),
    )
    files = opendkim.lookups(reporting(*keys), MX1, "/srv/root")
    assert (
        files["opendkim/signing_table"]
        == "acme-mail.example\tmx1._domainkey.acme-mail.example\nacme.example\tmx1-active._domainkey.acme.example\n"
    )
    assert (
        "mx1-active._domainkey.acme.example\tacme.example:mx1-active:/srv/root/dkim/acme.example/mx1-active.private\n"
        in files["opendkim/key_table"]
    )
    assert files["opendkim_ed25519/signing_table"] == files["opendkim_ed25519/key_table"] == ""


def test_opendkim_signs_with_what_the_domain_wants() -> None:
    keys = (
        DkimKey("acme.example", "mx1", "P"),
        DkimKey("acme.example", "mx1-ed25519", "P", "ed25519"),
        DkimKey("gone.example", "mx1", "P"),
    )
    assert opendkim.lookups(reporting(*keys), MX1, "/r")["opendkim_ed25519/signing_table"] == ""
    both = dataclasses.replace(ACME, dkim=Dkim(("rsa", "ed25519")))
    tenants = tuple(
        dataclasses.replace(
            tenant, domains=tuple(both if domain == ACME else domain for domain in tenant.domains)
        )
        for tenant in ESTATE.tenants
    )
    files = opendkim.lookups(dataclasses.replace(reporting(*keys), tenants=tenants), MX1, "/r")
    assert (
        files["opendkim_ed25519/signing_table"]
        == "acme.example\tmx1-ed25519._domainkey.acme.example\n"
    )
    assert files["opendkim/signing_table"] == "acme.example\tmx1._domainkey.acme.example\n"


def test_what_dns_says_of_a_key() -> None:
    assert [
        opendkim.txt(DkimKey("a.example", "s", "P", "ed25519", state))
        for state in ("generated", "retired", "revoked", "removed")
    ] == [
        "v=DKIM1; k=ed25519; p=P",
        "v=DKIM1; k=ed25519; p=P",
        "v=DKIM1; k=ed25519; p=",
        None,
    ]


def test_names_that_send_need_a_key_and_are_pending_until_one_is_reported() -> None:
    assert opendkim.names(ESTATE, MX1) == [
        "acme-mail.example",
        "acme.example",
        "mx1.hosting.example",
        "shop-alias.example",
        "shop.example",
    ]
    assert opendkim.names(ESTATE, MX2) == ["globex.example", "globex.test", "mx2.hosting.example"]
    left = opendkim.pending(
        reporting(DkimKey("acme.example", "mx1-2", "P"), DkimKey("shop.example", "mx1", "P"))
    )
    assert left == [
        ("acme-mail.example", "mx1"),
        ("globex.example", "mx2"),
        ("globex.test", "mx2"),
        ("mx1.hosting.example", "mx1"),
        ("mx2.hosting.example", "mx2"),
        ("shop-alias.example", "mx1"),
    ]


def test_what_a_node_itself_sends_is_signed_with_its_own_key_and_no_tenant_s() -> None:
    own, others = (
        DkimKey("mx1.hosting.example", "mx1", "P"),
        (DkimKey("acme.example", "mx1", "P"), DkimKey("mx2.hosting.example", "mx1", "P")),
    )
    files = opendkim.lookups(reporting(own, *others), MX1, "/r")
    assert (
        files["opendkim_node/signing_table"]
        == "mx1.hosting.example\tmx1._domainkey.mx1.hosting.example\n"
    )
    path = "/r/dkim/mx1.hosting.example/mx1.private"
    assert (
        files["opendkim_node/key_table"]
        == f"mx1._domainkey.mx1.hosting.example\tmx1.hosting.example:mx1:{path}\n"
    )
    assert files["opendkim/signing_table"] == "acme.example\tmx1._domainkey.acme.example\n", (
        "nobody submits as the node"
    )
    waiting = opendkim.lookups(
        reporting(dataclasses.replace(own, state="published"), *others), MX1, "/r"
    )
    assert waiting["opendkim_node/signing_table"] == waiting["opendkim_node/key_table"] == ""


def test_keys_are_changed_as_often_as_the_files_say() -> None:
    yearly = dataclasses.replace(ACME, dkim=Dkim(("rsa",), 365))
    estate = dataclasses.replace(
        with_tenant(ESTATE, "acme", domains=(yearly,)), own_names=OwnNames(rotate_days=30)
    )
    assert opendkim.rotate_days_of(estate, MX1) == {
        "mx1.hosting.example": 30,
        "acme.example": 365,
        "acme-mail.example": 365,
    }
    assert opendkim.rotate_days_of(ESTATE, MX2) == {
        "mx2.hosting.example": None,
        "globex.example": None,
        "globex.test": None,
        "legacy.example": None,
    }


def test_mta_sts_policy_and_its_id() -> None:
    files = mta_sts.lookups(ESTATE, MX1)
    text = "version: STSv1\r\nmode: testing\r\nmx: mx1.hosting.example\r\nmax_age: 86400\r\n"
    assert files == {"mta_sts/acme.example.txt": text, "mta_sts/acme-mail.example.txt": text}
    assert mta_sts.policy_id(text) == hashlib.sha256(text.encode()).hexdigest()[:20]
    assert mta_sts.policy_id(text) != mta_sts.policy_id(text.replace("testing", "enforce"))


def test_names_that_need_certificates() -> None:
    asked = [
        f"{label}.{name}"
        for label in SETTINGS
        for name in ("acme-mail.example", "acme.example", "shop-alias.example", "shop.example")
    ]
    assert tls.names(ESTATE, MX1) == [
        *asked,
        "mail.acme.example",
        "mta-sts.acme-mail.example",
        "mta-sts.acme.example",
    ]
    assert tls.lookups(ESTATE, MX1) == {
        "tls/names": "".join(f"{name}\n" for name in tls.names(ESTATE, MX1))
    }
    assert tls.names(ESTATE, MX2) == [
        f"{label}.{name}" for label in SETTINGS for name in ("globex.example", "globex.test")
    ], "relay domains have no mailboxes"


def test_certificates_are_promised_only_where_we_publish_the_address() -> None:
    assert set(tls.names(ESTATE, MX1)) - set(tls.names_in_managed_zones(ESTATE, MX1)) == {
        f"{label}.{name}" for label in SETTINGS for name in SHOP.names
    }
    elsewhere = dataclasses.replace(
        ESTATE, tenants=tuple(_unmanaged(tenant) for tenant in ESTATE.tenants)
    )
    assert tls.names_in_managed_zones(elsewhere, MX1) == [
        "autoconfig.acme-mail.example",
        "autodiscover.acme-mail.example",
        "mta-sts.acme-mail.example",
    ]


def _unmanaged(tenant: Tenant) -> Tenant:
    """The domains' own DNS is somebody else's, that of their aliases is not."""
    return dataclasses.replace(
        tenant,
        domains=tuple(dataclasses.replace(domain, managed=False) for domain in tenant.domains),
    )


def test_the_model_in_the_users_words() -> None:
    assert describe(ESTATE, MX1) == [
        "alias abuse@acme.example to it@acme.example, desk@elsewhere.example",
        "alias office@acme.example to team@acme.example, may send",
        "alias sales@acme.example to jo@acme.example, ann@globex.example",
        (
            "alias team@acme.example to jo@acme-mail.example, ex@acme.example, ann@globex.example,"
            " office@acme.example"
        ),
        "branding mail.acme.example of acme.example",
        "catch-all shop.example to orders@shop.example",
        "domain acme.example",
        "domain alias acme-mail.example of acme.example",
        "domain alias shop-alias.example of shop.example",
        "domain shop.example",
        f"mailbox ex@acme.example quota 1G suspended{NONPAYMENT}",
        "mailbox it@acme.example quota unlimited",
        "mailbox jo@acme.example quota 5G",
        "mailbox orders@shop.example quota 1536M",
        "mta-sts acme.example testing max_age 86400",
        "role address abuse@shop.example to it@acme.example",
        "role address postmaster@acme.example to it@acme.example",
        "role address postmaster@shop.example to it@acme.example",
        "sender address noreply@acme.example of jo@acme.example",
        "settings of acme.example as Acme Mail: imap, pop3, submission, sieve",
        "settings of shop.example as Example Hosting: imap, pop3, submission, sieve",
        "tenant acme",
    ]
    assert {line for line in describe(ESTATE, MX2) if "legacy" in line} == {
        "relay domain legacy.example via mail.stranger.example:25",
        "relay recipient peter@legacy.example",
        "relay recipient postmaster@legacy.example",
        "role address abuse@legacy.example to ann@globex.example",
    }
    assert f"tenant acme suspended{NONPAYMENT}" in describe(
        with_tenant(ESTATE, "acme", state="suspended"), MX1
    )


def test_how_forwards_and_states_of_domains_are_told() -> None:
    estate = with_mailbox(
        ESTATE, "jo@acme.example", forward=Forward(("ann@globex.example",)), credentials="external"
    )
    assert {
        line
        for line in describe(estate, MX1)
        if "jo@acme.example quota" in line or "forward" in line
    } == {
        "mailbox jo@acme.example quota 5G, credentials elsewhere",
        "forward of jo@acme.example to ann@globex.example, and keeps a copy",
    }
    gone = with_mailbox(
        ESTATE, "jo@acme.example", forward=Forward(("ann@globex.example",), keep_copy=False)
    )
    assert "forward of jo@acme.example to ann@globex.example" in describe(gone, MX1)
    assert f"domain shop.example suspended{NONPAYMENT}" in describe(
        with_domain(ESTATE, "shop.example", state="suspended"), MX1
    )
    assert not [
        line
        for line in describe(with_domain(ESTATE, "shop.example", verified=False), MX1)
        if "shop" in line
    ]


def test_artefact_is_the_same_bytes_for_the_same_model() -> None:
    turned = dataclasses.replace(ESTATE, tenants=tuple(reversed(ESTATE.tenants)))
    one, other = _compile.artefact(ESTATE, MX1), _compile.artefact(turned, MX1)
    assert one.pack() == other.pack()
    assert one.digest == hashlib.sha256(zlib.decompress(one.pack())).hexdigest()
    assert json.loads(one.canonical)["debian"] == 12
    assert _compile.artefact(ESTATE, MX2).digest != one.digest


def test_every_line_that_is_compiled_is_one_the_host_accepts() -> None:
    for node in (MX1, MX2):
        for path, text in _compile.artefact(ESTATE, node).files.items():
            assert not list(lines.faults(path, text.encode(), node.debian))
