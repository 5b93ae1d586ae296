# SPDX-License-Identifier: GPL-3.0-or-later
"""Each mailbox of a node has a line with every limit that counts for it, in the generation's form."""

from __future__ import annotations

import typing as t

from ansible_collections.reseller.mail.plugins.module_utils._host.generation import lines
from ansible_collections.reseller.mail.plugins.plugin_utils._compile import sending
from ansible_collections.reseller.mail.plugins.plugin_utils._load import build
from ansible_collections.reseller.mail.plugins.plugin_utils._report.explain import explain

ESTATE = """\
provider: {name: Example Hosting, domain: hosting.example}
nodes:
  - {name: mx1, hostname: mx1.hosting.example, debian: 12, addresses: [192.0.2.1]}
  - {name: mx2, hostname: mx2.hosting.example, debian: 13, addresses: [192.0.2.2]}
defaults: {rate_limits: {messages_per_hour: 500}}
"""
PLANS = """\
plans:
  - name: business
    sending_limits: {messages_per_hour: 1000, domain_messages_per_hour: 700}
    mailbox_quota: {default: 2G}
  - {name: free, mailbox_quota: {default: 2G}}
"""
ACCOUNT = """\
organisation: %(name)s
plan: %(plan)s
state: active
placement: %(node)s
default_owner: it@%(name)s.example
admins: [{address: it@%(name)s.example}]
domains: [%(name)s.example, %(name)s-shop.example]
intake: {expected_mailboxes: 5, dns_contact: it@%(name)s.example, clients: local, smime: false}
%(more)s
"""


def estate(of_acme: str = "") -> t.Any:
    acme = {"name": "acme", "plan": "business", "node": "mx1", "more": of_acme}
    globex = {"name": "globex", "plan": "free", "node": "mx2", "more": ""}
    files = {
        "estate.yml": ESTATE,
        "plans.yml": PLANS,
        "tenants/acme/account.yml": ACCOUNT % acme,
        "tenants/acme/acme.example.yml": (
            "mailboxes:\n  - name: it\n"
            "  - {name: jo, rate_limits: {messages_per_hour: 20, recipients_per_message: 5}}\n"
        ),
        "tenants/acme/acme-shop.example.yml": "mailboxes: [{name: orders}]\n",
        "tenants/globex/account.yml": ACCOUNT % globex,
        "tenants/globex/globex.example.yml": "mailboxes: [{name: it}]\n",
    }
    found, faults = build({name: text.encode() for name, text in files.items()}, [])
    assert not faults, faults
    assert found is not None
    return found


def limits(of_acme: str = "", node: int = 0) -> dict[str, str]:
    whole = estate(of_acme)
    (path, text), *others = sending.lookups(whole, whole.nodes[node]).items()
    assert (path, others) == ("sending/mailboxes", [])
    assert not list(lines.faults(path, text.encode(), 12))
    return dict(line.split("\t") for line in text.splitlines())


def test_a_line_has_the_tenant_and_the_tightest_limits_and_of_this_node_only() -> None:
    assert limits() == {
        "it@acme.example": "acme mailbox=500 domain=700 tenant=1000",
        "jo@acme.example": "acme recipients=5 mailbox=20 domain=700 tenant=1000",
        "orders@acme-shop.example": "acme mailbox=500 domain=700 tenant=1000",
    }
    assert limits(node=1) == {"it@globex.example": "globex mailbox=500"}


def test_the_account_tightens_the_plan_and_one_domain_more_than_the_others() -> None:
    found = limits(
        "sending_limits: {messages_per_hour: 900}\n"
        "domain_limits: [{name: acme.example, messages_per_hour: 300}]"
    )
    assert found["it@acme.example"] == "acme mailbox=500 domain=300 tenant=900"
    assert found["orders@acme-shop.example"] == "acme mailbox=500 domain=700 tenant=900"


def test_explain_names_where_the_limits_of_a_tenant_and_a_domain_are_from() -> None:
    whole = estate(
        "sending_limits: {messages_per_hour: 900}\n"
        "domain_limits: [{name: acme.example, messages_per_hour: 300}]"
    )
    found = {
        (subject, one.key): (one.value, one.level, str(one.at))
        for subject in ("acme", "globex", "acme.example", "acme-shop.example", "globex.example")
        for one in explain(whole, subject)
        if "sending_limits" in one.key or one.key == "limits.messages_per_hour"
    }
    account, plan = "tenants/acme/account.yml", "plans.yml:3"
    assert found == {
        ("acme", "sending_limits.messages_per_hour"): (900, "account", f"{account}:9:37"),
        ("acme", "sending_limits.domain_messages_per_hour"): (700, "plan", f"{plan}:73"),
        ("globex", "sending_limits.messages_per_hour"): (None, "default", ":0:0"),
        ("globex", "sending_limits.domain_messages_per_hour"): (None, "default", ":0:0"),
        ("acme.example", "limits.messages_per_hour"): (300, "account", f"{account}:10:57"),
        ("acme-shop.example", "limits.messages_per_hour"): (700, "plan", f"{plan}:73"),
    }


def test_lines_of_another_form_are_faults() -> None:
    for line in ("jo@acme.example\tacme mailbox=-1", "jo@acme.example\t", "jo\tacme"):
        assert list(lines.faults("sending/mailboxes", f"{line}\n".encode(), 13)), line
