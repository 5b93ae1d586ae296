# SPDX-License-Identifier: GPL-3.0-or-later
"""An estate of two tenants as text, and revisions of it, for the tests of plan and rights."""

from __future__ import annotations

import hashlib
import typing as t

from ansible_collections.reseller.mail.plugins.plugin_utils._change.revision import (
    FILE,
    Entry,
    Revision,
)

Files = dict[str, str]

INTAKE = (
    "intake: {expected_mailboxes: 5, dns_contact: it@acme.example, clients: local, smime: false}\n"
)

FILES: Files = {
    "estate.yml": (
        """\
provider: {name: Example Hosting, domain: hosting.example}
nodes:
  - {name: mx1, hostname: mx1.hosting.example, debian: 12, addresses: [192.0.2.1]}
  - {name: mx2, hostname: mx2.hosting.example, debian: 13, addresses: [192.0.2.2]}
approved_hosts: [mail.stranger.example]
billing: {currency: EUR}
roles:
  - {identity: boss, role: super_admin, address: root@hosting.example}
  - {identity: ops, role: operator}
  - {group: hosting/operators, role: operator}
  - {identity: it-acme, role: tenant_admin, tenant: acme, address: it@acme.example}
"""
    ),
    "plans.yml": (
        """\
plans:
  - name: business
    features: [catch_all, relay_domains, branding]
    limits: {mailboxes: 100, storage: 500G, aliases: 50, domains: 5, domain_aliases: 5, domain_admins: 5}
    mailbox_quota: {default: 2G, max: 20G}
    addons: [eas, mapi]
    prices: {monthly: 10, mailbox: "1.50", storage: {tranche: 10G, price: 2}}
addons: [{name: eas, price: 3}, {name: mapi, price: "4.50"}]
addon_bundles: [{addons: [eas, mapi], price: 6}]
"""
    ),
    "tenants/acme/account.yml": (
        f"""\
organisation: Acme Corporation
plan: business
state: active
placement: mx1
default_owner: it@acme.example
admins:
  - address: it@acme.example
  - address: ann@acme.example
  - {{address: dom@acme.example, role: domain_admin, domains: [acme.example]}}
domains: [acme.example, acme-mail.example, acme-shop.example, acme-new.example]
{INTAKE}"""
    ),
    "tenants/acme/acme.example.yml": (
        """\
mailboxes:
  - name: it
  - name: ann
    owner: ann@acme.example
  - name: dom
  - name: jo
    quota: 5G
  - name: del
    domain_admin: true
  - name: small
aliases:
  - name: sales
    to: [jo]
dmarc: {stage: observe}
"""
    ),
    "tenants/acme/acme-shop.example.yml": "mailboxes:\n  - name: orders\n",
    "tenants/globex/account.yml": (
        f"""\
organisation: Globex
plan: business
state: active
placement: mx2
default_owner: ann@globex.example
admins: [{{address: ann@globex.example}}]
domains: [globex.example]
{INTAKE}"""
    ),
    "tenants/globex/globex.example.yml": "mailboxes:\n  - name: ann\n  - name: bob\n",
    "state/mx1.json": '{"node": "mx1", "dkim": []}\n',
}
ACME = "tenants/acme/acme.example.yml"
SHOP = "tenants/acme/acme-shop.example.yml"
ACCOUNT = "tenants/acme/account.yml"
GLOBEX = "tenants/globex/globex.example.yml"


def changed(files: Files, path: str, *replacements: tuple[str, str]) -> Files:
    """The files with texts in one of them replaced; each has to be there."""
    text = files.get(path, "")
    for old, new in replacements:
        assert old in text, f"{path} does not hold {old!r}"
        text = text.replace(old, new, 1)
    return {**files, path: text}


def without(files: Files, *paths: str) -> Files:
    return {path: text for path, text in files.items() if path not in paths}


def revision(
    files: Files, name: str = "now", prefix: str = "", around: t.Optional[dict[str, Entry]] = None
) -> Revision:
    """Return a revision without a folder; ``around`` are entries without files."""
    read = {path: text.encode() for path, text in files.items() if path.endswith((".yml", ".json"))}
    entries = {
        f"{prefix}{path}": Entry(FILE, hashlib.sha256(text.encode()).hexdigest())
        for path, text in files.items()
    }
    return Revision(name, read, [], {**entries, **(around or {})}, prefix)
