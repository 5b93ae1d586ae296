# SPDX-License-Identifier: GPL-3.0-or-later
"""Sound estates of any size, that use the language as providers do. The benchmark measures them, and
the fuzzer changes them.

Nothing is random: equal numbers give equal bytes.
"""

from __future__ import annotations

import re
import typing as t
from pathlib import Path
from types import MappingProxyType

Nodes = t.Mapping[str, str]
"""The settings of each node, other than its host name, by its name."""
NODES: t.Final[Nodes] = MappingProxyType(
    {
        "mx1": "debian: 12, addresses: [192.0.2.1], outbound_addresses: [192.0.2.11], capacity: 900T",
        "mx2": 'debian: 13, addresses: [192.0.2.2, "2001:db8::2"], outbound_addresses: [192.0.2.12],'
        " capacity: 900T",
    }
)
TENANTS_OF_A_NODE: t.Final = 1_600
"""They have three domains at most, and a node serves 5,000."""
PROVIDER = """\
provider:
  name: Example Hosting
  domain: hosting.example
  support_url: https://help.hosting.example/
nodes:
NODESbackup_mx:
  - {hostname: backup.hosting.example, addresses: [192.0.2.3]}
premium_relay: {host: relay.premium.example, spf_include: spf.premium.example}
approved_hosts: [mail.stranger.example]
quota_policy: {oversell_ratio: 1.5, warn_at: 80}
deletion_guard: {tenants: 10, domains: 10, mailboxes: 10}
roles:
  - {group: operators, role: operator}
billing: {currency: EUR}
caa: [letsencrypt.org]
defaults:
  locale: en
  rate_limits: {messages_per_hour: 500, recipients_per_message: 100}
  dkim: {algorithms: [rsa], rotate_days: 180}
  retention: 30
"""
PLANS = """\
addons:
  - {name: archive, price: 1.50}
  - {name: mobile, price: 3.00}
addon_bundles:
  - {addons: [archive, mobile], price: 4.00}
plans:
  - name: business
    limits: {domains: 5, domain_aliases: 5, mailboxes: 5000, aliases: 5000, storage: 100T, domain_admins: 5}
    features: [catch_all, relay_domains, branding, outbound_address]
    addons: [archive, mobile]
    mailbox_quota: {default: 2G, min: 1M, max: 20G}
    prices: {monthly: 19.90, mailbox: 2.50, storage: {tranche: 100G, price: 5.00}}
    defaults: {rate_limits: {messages_per_hour: 300}}
  - name: starter
    limits: {domains: 1, domain_aliases: 0, mailboxes: 5000, aliases: 5000, storage: 100T, domain_admins: 1}
    protocols: [imap, submission]
    mailbox_quota: {default: 1G, min: 1M, max: 20G}
    prices: {monthly: 4.90, mailbox: 1.50}
"""
ACCOUNT = """\
organisation: Tenant {nth}
plan: {plan}
state: active
placement: {node}
external_ids: {{whmcs: "{nth}"}}
default_owner: box0@{domain}
admins:
  - address: box0@{domain}
    limits: {{storage: 50T}}
domains: [{domains}]
managed_domains: [{domain}]
intake: {{expected_mailboxes: {mailboxes}, dns_contact: box0@{domain}, clients: local, smime: false}}
"""
BUSINESS_ACCOUNT = """\
limits: {{storage: 50T}}
domain_limits:
  - {{name: {domain}, mailboxes: 2000, mailbox_storage: 10G}}
defaults: {{locale: de, suspension: {{inbound: defer, login: refuse, submission: refuse}}}}
"""
POLICIES = """\
dmarc: {{stage: observe, reports_to: box0@{domain}}}
mta_sts: {{mode: testing}}
tls_rpt: {{reports_to: box0}}
"""
BUSINESS_DOMAIN = """\
domain_aliases: [www-{domain}]
catch_all: box0
branding: {{hostname: mail.{domain}, name: Tenant {nth} Mail}}
sender_addresses:
  - {{name: noreply, mailbox: box0}}
"""
QUIET: t.Final = MappingProxyType(
    {
        "  locale: en\n": "  locale: en\n  autodiscover: false\n",
        "mta_sts: {mode: testing}\n": "",
        "catch_all: box0\n": "",
    }
)
"""What is replaced in the files, and by what, so that no name needs a website or a certificate.
Branding and domain aliases are left out, too."""
RELAY = """\
type: relay
relay: {host: mail.stranger.example, recipients: [peter, archive, info]}
"""


def nodes_for(tenants: int) -> Nodes:
    """Return ``NODES``, and more nodes for more tenants."""
    more = range(len(NODES) + 1, -(-tenants // TENANTS_OF_A_NODE) + 1)
    settings = "debian: 13, addresses: [198.51.100.{}], capacity: 900T"
    return {**NODES, **{f"mx{nth}": settings.format(nth) for nth in more}}


def files(tenants: int, mailboxes: int, nodes: Nodes = NODES) -> dict[str, str]:
    """Return the files of an estate with so many tenants of so many mailboxes, by path.

    Every third tenant has the small plan, every tenth a relay domain. The tenants are placed on
    ``nodes`` in turn.
    """
    names_of_nodes = list(nodes)
    texts = {"estate.yml": PROVIDER.replace("NODES", _nodes(nodes)), "plans.yml": PLANS}
    for nth in range(tenants):
        domain, folder = f"domain{nth}.example", f"tenants/tenant{nth}"
        small, relay = nth % 3 == 2, nth % 10 == 0
        names = [
            domain,
            *([] if small else [f"www-{domain}"]),
            *([f"legacy.{domain}"] if relay and not small else []),
        ]
        words = {
            "nth": nth,
            "domain": domain,
            "domains": ", ".join(names),
            "node": names_of_nodes[nth % len(nodes)],
            "mailboxes": max(mailboxes, 1),
            "plan": "business",
        }
        texts[f"{folder}/account.yml"] = (
            ACCOUNT.format(**words | {"plan": "starter"})
            if small
            else ACCOUNT.format(**words) + BUSINESS_ACCOUNT.format(**words)
        )
        boxes = "".join(_mailbox(box, domain, small) for box in range(mailboxes))
        texts[f"{folder}/{domain}.yml"] = (
            f"mailboxes:\n{boxes}{_aliases(mailboxes)}{POLICIES.format(**words)}{'' if small else BUSINESS_DOMAIN.format(**words)}"
        )
        if f"legacy.{domain}" in names:
            texts[f"{folder}/legacy.{domain}.yml"] = RELAY
    return texts


def _nodes(nodes: Nodes) -> str:
    return "".join(
        f"  - {{name: {name}, hostname: {name}.hosting.example, {settings}}}\n"
        for name, settings in nodes.items()
    )


def _mailbox(nth: int, domain: str, small: bool) -> str:
    lines = [
        f"  - name: box{nth}",
        f"    display_name: Box Number {nth}",
        f"    quota: {nth % 9 + 1}G",
    ]
    if nth % 4 == 1:
        lines.append(f"    owner: box0@{domain}")
    if nth % 10 == 3:
        lines.append(
            f"    forward: {{to: [box0, someone{nth}@elsewhere.example], keep_copy: true}}"
        )
    if nth % 5 == 2 and not small:
        lines.append("    addons: [archive]")
    if nth % 20 == 7:
        lines.append("    protocols: [imap]")
    if nth % 20 == 9:
        lines.append("    state: suspended")
    return "\n".join(lines) + "\n"


def _aliases(mailboxes: int) -> str:
    """Return five aliases of a domain, as many as domains have: most lead to one or two people."""
    to = [f"box{min(nth, mailboxes - 1)}" for nth in range(4)]
    return (
        f"aliases:\n  - name: sales\n    to: [{to[0]}, ann@elsewhere.example]\n  - name: info\n   "
        f" to: [{to[1]}]\n    may_send: true\n  - {{name: support, to: [sales, {to[2]}+support]}}\n"
        f"  - {{name: jobs, to: [{to[3]}]}}\n  - name: all\n    to: [info, support]\n"
    )


def quiet(texts: t.Mapping[str, str], managed: bool = True) -> dict[str, str]:
    """Return the files of an estate in which no name of a tenant needs a website or a certificate.

    Args:
        texts: The files, from ``files``.
        managed: Whether the provider publishes the DNS records of the domains.
    """
    found = {}
    for path, text in texts.items():
        for old, new in QUIET.items():
            text = text.replace(old, new)
        dropped = ("branding:", "domain_aliases:", *([] if managed else ["managed_domains:"]))
        lines = re.sub(r", www-[^],]*", "", text).splitlines(keepends=True)
        found[path] = "".join(line for line in lines if not line.startswith(dropped))
    return found


def write(root: Path, texts: t.Mapping[str, str]) -> None:
    """Write the files of an estate below a folder."""
    for path, text in texts.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")


def change(root: Path) -> None:
    """Change an estate of at least three tenants: a mailbox grows, an alias gets another name, and
    DMARC of a domain becomes stricter."""
    for nth, (old, new) in enumerate(
        (
            ("quota: 1G", "quota: 2G"),
            ("  - name: all\n", "  - name: everybody\n"),
            ("stage: observe", "stage: test"),
        )
    ):
        path = root / f"tenants/tenant{nth}/domain{nth}.example.yml"
        path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
