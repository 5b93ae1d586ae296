# SPDX-License-Identifier: GPL-3.0-or-later
"""The faults of each domain of the fault zones: edits of the records that the model asks for, and
what verify must find.

An edit is ``+ NAME TYPE VALUE`` (add), ``- NAME TYPE`` (take away all) or ``= NAME TYPE VALUE``
(put this in their place). ``@`` is the domain; a TXT's value is one string. ``{d}`` is the domain,
``{key}`` a public key of 2048 bits, ``{other}`` another one, ``{short}`` one of 1024 bits.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

MAIL = {
    "mailboxes": [{"name": "jo"}],
    "dmarc": {"stage": "observe", "reports_to": "jo"},
    "tls_rpt": {"reports_to": "jo"},
}
STS = MAIL | {"mta_sts": {"mode": "testing"}}
NAMED = MAIL | {"branding": {"hostname": "mail.{d}"}}
PARKED: dict[str, t.Any] = {"owner": "admin@good.example"}
OUTSIDE = MAIL | {"dmarc": {"stage": "observe", "reports_to": "dmarc@stranger.example"}}
ED25519 = MAIL | {"dkim": {"algorithms": ["rsa", "ed25519"]}}
NS = ("ns1", "ns2")


@dataclass(frozen=True)
class Case:
    """One domain. ``finds`` is everything that is not well, blocked questions left out; ``remedy``
    is a part of the first one's; ``keys`` are reported besides the one in use: selector →
    (algorithm, state)."""

    name: str
    finds: tuple[str, ...]
    edits: tuple[str, ...] = ()
    remedy: str = ""
    domain: t.Mapping[str, t.Any] = field(default_factory=lambda: MAIL)
    servers: tuple[str, ...] = NS
    signing: str = "signed"
    policy: str = "good"
    settings: str = "good"
    keys: t.Mapping[str, tuple[str, str]] = field(default_factory=dict)
    premium: bool = False
    reported: bool = True
    ipv6: bool = True
    second: tuple[str, ...] | None = None
    """What ns2 has besides, where it disagrees; its own edits."""


def case(id_: str, *edits: str, name: str = "", **more: t.Any) -> Case:
    return Case(
        name or id_.removeprefix("dns.").replace("_", "-").replace(".", "-"), (id_,), edits, **more
    )


MX = "10 post.hoster.example."
SPF = "v=spf1 include:hoster.example -all"
FOREIGN = "10 mx.elsewhere.example."
DKIM = "post._domainkey"
DMARC = "v=DMARC1; p=none; rua=mailto:jo@{d}"
DNS: tuple[Case, ...] = (
    # the zone and its servers
    Case("servers-none", ("dns.servers_none",), remedy="register servers-none.example", servers=()),
    case(
        "dns.servers_silent",
        servers=(*NS, "silent"),
        remedy="make silent.hoster.example (10.97.0.11)",
    ),
    case(
        "dns.servers_silent",
        name="servers-all-silent",
        servers=("silent", "silent2"),
        remedy="remove it from the NS records of servers-all-silent.example",
    ),
    case("dns.servers_lame", servers=NS, second=(), remedy="make ns2.hoster.example (10.97.0.7)"),
    case(
        "dns.servers_lame",
        name="servers-all-lame",
        servers=("lame", "lame2"),
        remedy="serve servers-all-lame.example",
    ),
    case(
        "dns.servers_few",
        servers=("ns1",),
        remedy="add a second name server for servers-few.example",
    ),
    case(
        "dns.servers_no_ipv6",
        servers=("old1", "old2"),
        remedy="give the name servers of servers-no-ipv6.example AAAA records",
    ),
    case(
        "dns.servers_no_tcp",
        "+ @ TXT {long}",
        servers=("udp1", "udp2"),
        remedy="open TCP port 53 on udp1.hoster.example (10.97.0.9)",
    ),
    case(
        "dns.propagating",
        second=("= _smtp._tls TXT v=TLSRPTv1; rua=ftp:old",),
        remedy="wait 300 s, then verify again",
    ),
    case(
        "dns.dnssec_unsigned",
        signing="unsigned",
        remedy="sign dnssec-unsigned.example at its DNS host",
    ),
    case("dns.dnssec_no_ds", signing="no_ds", remedy="have the registrar publish the DS record: "),
    case("dns.dnssec_no_key", signing="no_key", remedy="have the registrar remove its DS record"),
    case(
        "dns.dnssec_expired", signing="expired", remedy="have dnssec-expired.example signed again"
    ),
    case(
        "dns.dnssec_bogus",
        signing="bogus",
        remedy="have the registrar publish the DS record of the key in use: ",
    ),
    case(
        "dns.wildcard",
        "+ * A 192.0.2.80",
        remedy="remove the wildcard: remove *.wildcard.example. 300 IN A 192.0.2.80",
    ),
    Case(
        "cname-apex",
        ("dns.cname_apex",),
        remedy="remove cname-apex.example. 300 IN CNAME good.example.",
        servers=(),
    ),
    case(
        "dns.cname_loop",
        "- autoconfig A",
        "- autoconfig AAAA",
        "- autoconfig CAA",
        "+ autoconfig CNAME loop.{d}.",
        "+ loop CNAME autoconfig.{d}.",
        remedy="remove autoconfig.cname-loop.example. 300 IN CNAME loop.cname-loop.example.",
    ),
    # where mail goes
    case(
        "dns.mx_missing",
        "- @ MX",
        remedy="publish mx-missing.example. 3600 IN MX 10 post.hoster.example.",
    ),
    case(
        "dns.mx_foreign",
        f"= @ MX {FOREIGN}",
        remedy="remove mx-foreign.example. 300 IN MX 10 mx.elsewhere.example.",
    ),
    case(
        "dns.mx_extra",
        "+ @ MX 5 mx.elsewhere.example.",
        remedy="remove mx-extra.example. 300 IN MX 5 mx.elsewhere.example.",
    ),
    case(
        "dns.mx_leftover",
        "+ @ MX 1 aspmx.l.google.com.",
        remedy="remove mx-leftover.example. 300 IN MX 1 aspmx.l.google.com.",
    ),
    case(
        "dns.mx_priority",
        "= @ MX 30 post.hoster.example.",
        "+ @ MX 20 alt.hoster.example.",
        remedy="publish mx-priority.example. 3600 IN MX 10 post.hoster.example.",
    ),
    case(
        "dns.mx_backup",
        f"= @ MX {MX}",
        remedy="publish mx-backup.example. 3600 IN MX 20 alt.hoster.example.",
    ),
    case("dns.mx_null", "= @ MX 0 .", remedy="remove mx-null.example. 300 IN MX 0 ."),
    case("dns.mx_null_mixed", "+ @ MX 0 .", remedy="remove mx-null-mixed.example. 300 IN MX 0 ."),
    case(
        "dns.mx_cname",
        "= @ MX 10 mail.{d}.",
        "+ mail CNAME post.hoster.example.",
        remedy="remove mx-cname.example. 300 IN MX 10 mail.mx-cname.example.",
    ),
    case(
        "dns.mx_address",
        "= @ MX 10 10.97.0.8.",
        remedy="remove mx-address.example. 300 IN MX 10 10.97.0.8.",
    ),
    case(
        "dns.mx_unresolved",
        "= @ MX 10 gone.{d}.",
        remedy="remove mx-unresolved.example. 300 IN MX 10 gone.mx-unresolved.example.",
    ),
    case(
        "dns.null_mx_missing",
        "- @ MX",
        domain=PARKED,
        remedy="publish null-mx-missing.example. 3600 IN MX 0 .",
    ),
    case(
        "dns.null_mx_other",
        f"= @ MX {FOREIGN}",
        domain=PARKED,
        remedy="remove null-mx-other.example. 300 IN MX 10 mx.elsewhere.example.",
    ),
    # who may send
    case("dns.spf_missing", "- @ TXT", remedy=f'publish spf-missing.example. 3600 IN TXT "{SPF}"'),
    case(
        "dns.spf_two",
        "+ @ TXT v=spf1 mx ~all",
        remedy='remove spf-two.example. 300 IN TXT "v=spf1 mx ~all"',
    ),
    case(
        "dns.spf_type99",
        '+ @ SPF "v=spf1 mx -all"',
        remedy='remove spf-type99.example. 300 IN SPF "v=spf1 mx -all"',
    ),
    case(
        "dns.spf_lookups",
        f"= @ TXT {SPF[:-5]} " + " ".join(f"a:h{number}.{{d}}" for number in range(10)) + " -all",
        *(f"+ h{number} A 192.0.2.{number + 10}" for number in range(10)),
        remedy="remove terms until 10 lookups are left",
    ),
    case(
        "dns.spf_void",
        f"= @ TXT {SPF[:-5]} a:gone1.{{d}} a:gone2.{{d}} a:gone3.{{d}} -all",
        remedy="remove the terms whose names do not exist",
    ),
    case(
        "dns.spf_syntax",
        f"= @ TXT {SPF[:-5]} ipv4:192.0.2.1 -all",
        remedy=f'publish spf-syntax.example. 3600 IN TXT "{SPF}"',
    ),
    case(
        "dns.spf_any_host",
        f"= @ TXT {SPF[:-5]} +all",
        remedy=f'publish spf-any-host.example. 3600 IN TXT "{SPF}"',
    ),
    case(
        "dns.spf_ptr",
        f"= @ TXT {SPF[:-5]} ptr:{{d}} -all",
        remedy=f'publish spf-ptr.example. 3600 IN TXT "{SPF}"',
    ),
    case(
        "dns.spf_sender",
        "= @ TXT v=spf1 ip4:192.0.2.1 -all",
        remedy=(
            'remove spf-sender.example. 3600 IN TXT "v=spf1 ip4:192.0.2.1 -all"\npublish'
            f' spf-sender.example. 3600 IN TXT "{SPF}"'
        ),
    ),
    case(
        "dns.spf_tail",
        f"= @ TXT {SPF[:-5]} ~all",
        remedy=f'publish spf-tail.example. 3600 IN TXT "{SPF}"',
    ),
    case(
        "dns.spf_tail",
        f"= @ TXT {SPF[:-5]} include:relay.example ~all",
        name="spf-premium",
        premium=True,
        remedy="publish spf-premium.example. 3600 IN TXT",
    ),
    case(
        "dns.spf_sender",
        f"= @ TXT {SPF}",
        name="spf-relay",
        premium=True,
        remedy=(
            'publish spf-relay.example. 3600 IN TXT "v=spf1 include:hoster.example'
            ' include:relay.example -all"'
        ),
    ),
    case(
        "dns.spf_leftover",
        f"= @ TXT {SPF[:-5]} include:_spf.google.com -all",
        remedy=f'publish spf-leftover.example. 3600 IN TXT "{SPF}"',
    ),
    case(
        "dns.null_spf_missing",
        "- @ TXT",
        domain=PARKED,
        remedy='publish null-spf-missing.example. 3600 IN TXT "v=spf1 -all"',
    ),
    case(
        "dns.null_spf_other",
        "= @ TXT v=spf1 mx -all",
        domain=PARKED,
        remedy='remove null-spf-other.example. 300 IN TXT "v=spf1 mx -all"',
    ),
    case(
        "dns.dkim_none",
        f"- {DKIM} TXT",
        remedy="publish post._domainkey.dkim-none.example. 3600 IN TXT",
    ),
    case(
        "dns.dkim_missing",
        "- next._domainkey TXT",
        keys={"next": ("rsa", "published")},
        remedy="publish next._domainkey.dkim-missing.example.",
    ),
    case(
        "dns.dkim_ed25519_missing",
        "- ed._domainkey TXT",
        keys={"ed": ("ed25519", "active")},
        domain=ED25519,
        remedy="publish ed._domainkey.",
    ),
    case(
        "dns.dkim_selector",
        f"- {DKIM} TXT",
        "+ default._domainkey TXT v=DKIM1; k=rsa; p={key}",
        remedy="publish post._domainkey.dkim-selector.example.",
    ),
    case(
        "dns.dkim_other",
        f"= {DKIM} TXT v=DKIM1; k=rsa; p={{other}}",
        remedy="remove post._domainkey.dkim-other.example.",
    ),
    case(
        "dns.dkim_revoked",
        f"= {DKIM} TXT v=DKIM1; k=rsa; p=",
        remedy='remove post._domainkey.dkim-revoked.example. 300 IN TXT "v=DKIM1; k=rsa; p="',
    ),
    case(
        "dns.dkim_two",
        f"+ {DKIM} TXT v=DKIM1; k=rsa; p={{other}}",
        remedy="remove post._domainkey.dkim-two.example.",
    ),
    case(
        "dns.dkim_short",
        f"= {DKIM} TXT v=DKIM1; k=rsa; p={{short}}",
        remedy="publish post._domainkey.dkim-short.example.",
    ),
    case(
        "dns.dkim_broken",
        f"= {DKIM} TXT v=DKIM1; k=rsa; p=@@@@",
        remedy="publish post._domainkey.dkim-broken.example.",
    ),
    case(
        "dns.dkim_testing",
        f"= {DKIM} TXT v=DKIM1; t=y; k=rsa; p={{key}}",
        remedy="publish post._domainkey.dkim-testing.example.",
    ),
    case(
        "dns.dkim_unrevoked",
        "= gone._domainkey TXT v=DKIM1; k=rsa; p={other}",
        keys={"gone": ("rsa", "revoked")},
        remedy="remove gone._domainkey.",
    ),
    case(
        "dns.dkim_removed",
        "+ gone._domainkey TXT v=DKIM1; k=rsa; p={other}",
        keys={"gone": ("rsa", "removed")},
        remedy="remove gone._domainkey.",
    ),
    case("dns.dkim_pending", reported=False, remedy="converge post, then publish"),
    case(
        "dns.dkim_pending",
        name="dkim-pending-ed25519",
        domain=ED25519,
        remedy="converge post, then publish",
    ),
    case(
        "dns.dkim_unsigned",
        keys={"ed": ("ed25519", "published")},
        domain=ED25519,
        remedy="publish the key, then converge post",
    ),
    case(
        "dns.dkim_hidden",
        servers=("udp1", "udp2"),
        remedy="ask the operator of udp1.hoster.example (10.97.0.9)",
    ),
    # DMARC
    case(
        "dns.dmarc_missing",
        "- _dmarc TXT",
        remedy=(
            "publish _dmarc.dmarc-missing.example. 3600 IN TXT"
            f' "{DMARC.format(d="dmarc-missing.example")}"'
        ),
    ),
    case(
        "dns.dmarc_two",
        "+ _dmarc TXT v=DMARC1; p=none",
        remedy='remove _dmarc.dmarc-two.example. 300 IN TXT "v=DMARC1; p=none"',
    ),
    case(
        "dns.dmarc_syntax",
        "= _dmarc TXT v=DMARC1; p=everything",
        remedy='remove _dmarc.dmarc-syntax.example. 300 IN TXT "v=DMARC1; p=everything"',
    ),
    case(
        "dns.dmarc_obsolete",
        f"= _dmarc TXT {DMARC}; pct=50",
        remedy="publish _dmarc.dmarc-obsolete.example.",
    ),
    case(
        "dns.dmarc_policy",
        f"= _dmarc TXT {DMARC.replace('p=none', 'p=reject; sp=none')}",
        remedy="publish _dmarc.dmarc-policy.example.",
    ),
    case(
        "dns.dmarc_subdomains",
        f"= _dmarc TXT {DMARC.replace('p=none', 'p=none; sp=reject')}",
        remedy="publish _dmarc.dmarc-subdomains.example.",
    ),
    case(
        "dns.dmarc_no_reports",
        "= _dmarc TXT v=DMARC1; p=none",
        remedy="publish _dmarc.dmarc-no-reports.example.",
    ),
    case(
        "dns.dmarc_unreported",
        domain=MAIL | {"dmarc": {"stage": "observe"}},
        remedy="dmarc: {reports_to: ADDRESS}",
    ),
    case(
        "dns.dmarc_unauthorised",
        domain=OUTSIDE,
        remedy=(
            "publish dmarc-unauthorised.example._report._dmarc.stranger.example. 3600 IN TXT"
            ' "v=DMARC1"'
        ),
    ),
    case(
        "dns.dmarc_no_mailbox",
        f"= _dmarc TXT {DMARC.replace('jo@', 'nobody@')}",
        remedy="add nobody@dmarc-no-mailbox.example to the files, or:",
    ),
    # transport
    case(
        "dns.mta_sts_missing",
        "- _mta-sts TXT",
        domain=STS,
        remedy="publish _mta-sts.mta-sts-missing.example.",
    ),
    case(
        "dns.mta_sts_two",
        "+ _mta-sts TXT v=STSv1; id=2;",
        domain=STS,
        remedy='remove _mta-sts.mta-sts-two.example. 300 IN TXT "v=STSv1; id=2;"',
    ),
    case(
        "dns.mta_sts_syntax",
        "= _mta-sts TXT v=STSv1; id=a-b;",
        domain=STS,
        remedy="publish _mta-sts.mta-sts-syntax.example.",
    ),
    case(
        "dns.mta_sts_id",
        "= _mta-sts TXT v=STSv1; id=2;",
        domain=STS,
        remedy="publish _mta-sts.mta-sts-id.example.",
    ),
    *(
        case(
            f"dns.mta_sts_policy_{kind}",
            name=f"sts-{kind.replace('_', '-')}",
            domain=STS,
            policy=kind,
            remedy=remedy,
        )
        for kind, remedy in (
            (
                "unreachable",
                (
                    "converge the node that serves mta-sts.sts-unreachable.example, then: curl -v"
                    " https://mta-sts."
                ),
            ),
            ("expired", "certbot renew --cert-name mta-sts.sts-expired.example"),
            ("name", "get a certificate for mta-sts.sts-name.example"),
            (
                "untrusted",
                "get a certificate for mta-sts.sts-untrusted.example from a public authority",
            ),
            (
                "redirect",
                (
                    "serve the policy at"
                    " https://mta-sts.sts-redirect.example/.well-known/mta-sts.txt itself"
                ),
            ),
            (
                "status",
                "serve the policy at https://mta-sts.sts-status.example/.well-known/mta-sts.txt",
            ),
            ("type", "send Content-Type: text/plain"),
            ("lines", "in CRLF"),
            ("syntax", "version: STSv1\nmode: testing\nmx: post.hoster.example"),
            ("mx", "mx: post.hoster.example"),
            ("mode", "mode: testing"),
            ("max_age", "max_age: 86400"),
        )
    ),
    case(
        "dns.tls_rpt_missing",
        "- _smtp._tls TXT",
        remedy="publish _smtp._tls.tls-rpt-missing.example.",
    ),
    case(
        "dns.tls_rpt_unreported",
        domain={key: value for key, value in STS.items() if key != "tls_rpt"},
        remedy="tls_rpt: {reports_to: ADDRESS}",
    ),
    case(
        "dns.tls_rpt_two",
        "+ _smtp._tls TXT v=TLSRPTv1; rua=mailto:x@{d}",
        remedy="remove _smtp._tls.tls-rpt-two.example.",
    ),
    case(
        "dns.tls_rpt_syntax",
        "= _smtp._tls TXT v=TLSRPTv1; rua=jo",
        remedy="remove _smtp._tls.tls-rpt-syntax.example.",
    ),
    case(
        "dns.tls_rpt_no_mailbox",
        "= _smtp._tls TXT v=TLSRPTv1; rua=mailto:nobody@{d}",
        remedy="add nobody@tls-rpt-no-mailbox.example to the files",
    ),
    # mail programs
    case(
        "dns.srv_missing",
        "- _imaps._tcp SRV",
        remedy="publish _imaps._tcp.srv-missing.example. 3600 IN SRV 0 1 993 post.hoster.example.",
    ),
    case(
        "dns.srv_target",
        "= _imaps._tcp SRV 0 1 993 imap.elsewhere.example.",
        remedy="remove _imaps._tcp.srv-target.example.",
    ),
    case(
        "dns.srv_offered",
        "= _imap._tcp SRV 0 1 143 post.hoster.example.",
        remedy="publish _imap._tcp.srv-offered.example. 3600 IN SRV 0 0 0 .",
    ),
    case(
        "dns.autoconfig_missing",
        "- autoconfig A",
        remedy="publish autoconfig.autoconfig-missing.example. 3600 IN A 10.97.0.8",
    ),
    case(
        "dns.autoconfig_elsewhere",
        "= autoconfig A 192.0.2.9",
        remedy="remove autoconfig.autoconfig-elsewhere.example. 300 IN A 192.0.2.9",
    ),
    case(
        "dns.autodiscover_missing",
        "- autodiscover A",
        remedy="publish autodiscover.autodiscover-missing.example. 3600 IN A 10.97.0.8",
    ),
    case(
        "dns.autodiscover_elsewhere",
        "= _autodiscover._tcp SRV 0 1 443 elsewhere.example.",
        remedy="remove _autodiscover._tcp.autodiscover-elsewhere.example.",
    ),
    case(
        "dns.settings_unreachable",
        settings="unreachable",
        remedy=(
            "converge the node that serves autoconfig.settings-unreachable.example, then: curl -v "
        ),
    ),
    case(
        "dns.settings_wrong",
        settings="wrong",
        remedy=(
            "then: curl -v"
            " https://autodiscover.settings-wrong.example/autodiscover/autodiscover.xml"
        ),
    ),
    case(
        "dns.address_missing",
        "- mail A",
        domain=NAMED,
        remedy="publish mail.address-missing.example. 3600 IN A 10.97.0.8",
    ),
    case(
        "dns.address_elsewhere",
        "= mail A 192.0.2.9",
        domain=NAMED,
        remedy="remove mail.address-elsewhere.example. 300 IN A 192.0.2.9",
    ),
    case(
        "dns.address_cname",
        "- mail A",
        "- mail AAAA",
        "- mail MX",
        "- mail TXT",
        "- mail CAA",
        "+ mail CNAME post.hoster.example.",
        domain=NAMED,
        remedy=(
            "IN CNAME post.hoster.example.\npublish mail.address-cname.example. 3600 IN A 10.97.0.8"
        ),
    ),
    case(
        "dns.caa_missing",
        "- autoconfig CAA",
        remedy='publish autoconfig.caa-missing.example. 3600 IN CAA 0 issue "letsencrypt.org"',
    ),
    case(
        "dns.caa_forbids",
        '= autoconfig CAA 0 issue "other.example"',
        remedy='remove autoconfig.caa-forbids.example. 300 IN CAA 0 issue "other.example"',
    ),
    case(
        "dns.caa_forbids",
        "- autoconfig CAA",
        '+ @ CAA 0 issue "other.example"',
        name="caa-above",
        remedy="publish autoconfig.caa-above.example.",
    ),
    case(
        "dns.leftover_autodiscover",
        "- autodiscover A",
        "- autodiscover AAAA",
        "- autodiscover CAA",
        "+ autodiscover CNAME autodiscover.outlook.com.",
        remedy=(
            "IN CNAME autodiscover.outlook.com.\npublish"
            " autodiscover.leftover-autodiscover.example. 3600 IN A 10.97.0.8"
        ),
    ),
    case(
        "dns.leftover_dkim",
        "+ selector1._domainkey CNAME selector1-x._domainkey.x.onmicrosoft.example.",
        remedy=(
            "remove selector1._domainkey.leftover-dkim.example. 300 IN CNAME"
            " selector1-x._domainkey.x.onmicrosoft.example."
        ),
    ),
    # what nobody may stumble over
    Case("hostile-text", (), ("+ @ TXT {hostile}", "+ @ TXT {long}", "+ @ TXT {giant}")),
    case(
        "dns.dmarc_syntax",
        "= _dmarc TXT v=DMARC1; p={hostile}",
        name="hostile-dmarc",
        remedy="publish _dmarc.hostile-dmarc.example.",
    ),
    case(
        "dns.spf_syntax",
        "= @ TXT v=spf1 {hostile}",
        name="hostile-spf",
        remedy="publish hostile-spf.example.",
    ),
    case(
        "dns.dkim_broken",
        f"= {DKIM} TXT p={{giant}}{{hostile}}",
        name="hostile-dkim",
        remedy="publish post._domainkey.hostile-dkim.example.",
    ),
    case(
        "dns.wildcard",
        "+ * A 192.0.2.80",
        "+ * MX 0 mx.elsewhere.example.",
        "+ * TXT p=everything",
        "+ *._domainkey TXT v=DKIM1; p={other}",
        name="wild",
        remedy='remove the wildcard: remove *.wild.example. 300 IN TXT "p=everything"',
    ),
    Case(
        "good",
        (),
        (),
        domain=STS
        | {
            "mailboxes": [{"name": "jo"}, {"name": "admin"}],
            "branding": {"hostname": "mail.good.example"},
        },
    ),
    Case("parked", (), domain=PARKED),
)

NODES: tuple[Case, ...] = (
    case(
        "dns.node_address_missing",
        "- @ A",
        remedy="publish node-address-missing.hoster.example. 3600 IN A ",
    ),
    case(
        "dns.node_address_other",
        "= @ A 192.0.2.7",
        remedy="remove node-address-other.hoster.example. 300 IN A 192.0.2.7",
    ),
    case(
        "dns.node_address_other",
        "+ @ AAAA 2001:db8::7",
        ipv6=False,
        name="address-unknown",
        remedy="remove address-unknown.hoster.example. 300 IN AAAA 2001:db8::7",
    ),
    case(
        "dns.node_address_no_ipv6",
        ipv6=False,
        remedy="give node-address-no-ipv6.hoster.example an IPv6 address",
    ),
    case(
        "dns.node_address_cname",
        "- @ A",
        "- @ AAAA",
        "- @ TXT",
        "- @ CAA",
        "+ @ CNAME post.hoster.example.",
        remedy="remove node-address-cname.hoster.example. 300 IN CNAME",
    ),
    case(
        "dns.node_spf_missing",
        "- @ TXT",
        remedy='publish node-spf-missing.hoster.example. 3600 IN TXT "v=spf1 a -all"',
    ),
    case(
        "dns.node_spf_other",
        "= @ TXT v=spf1 +all",
        remedy='remove node-spf-other.hoster.example. 300 IN TXT "v=spf1 +all"',
    ),
    case(
        "dns.dmarc_missing",
        "- _dmarc TXT",
        name="node-dmarc",
        remedy='publish _dmarc.node-dmarc.hoster.example. 3600 IN TXT "v=DMARC1; p=reject"',
    ),
    case(
        "dns.dkim_none",
        "- node-dkim._domainkey TXT",
        name="node-dkim",
        remedy="publish node-dkim._domainkey.node-dkim.hoster.example. 3600 IN TXT",
    ),
    case(
        "dns.tlsa_missing",
        "- _25._tcp TLSA",
        remedy="publish _25._tcp.tlsa-missing.hoster.example. 3600 IN TLSA 3 1 1",
    ),
    case(
        "dns.tlsa_other",
        f"= _25._tcp TLSA 3 1 1 {'ee' * 32}",
        remedy="remove _25._tcp.tlsa-other.hoster.example. 300 IN TLSA 3 1 1 ee",
    ),
    case(
        "dns.tlsa_other",
        f"= _25._tcp TLSA 3 1 1 {'bb' * 32}",
        name="tlsa-next-alone",
        remedy=f"publish _25._tcp.tlsa-next-alone.hoster.example. 3600 IN TLSA 3 1 1 {'aa' * 32}",
    ),
    case(
        "dns.tlsa_next",
        f"= _25._tcp TLSA 3 1 1 {'aa' * 32}",
        remedy=f"publish _25._tcp.tlsa-next.hoster.example. 3600 IN TLSA 3 1 1 {'bb' * 32}",
    ),
    case(
        "dns.fcrdns_missing",
        "- PTR",
        remedy="in-addr.arpa. 3600 IN PTR fcrdns-missing.hoster.example.",
    ),
    case(
        "dns.fcrdns_other",
        "= PTR somebody.elsewhere.example.",
        remedy="IN PTR somebody.elsewhere.example.",
    ),
    case(
        "dns.fcrdns_two",
        "+ PTR somebody.elsewhere.example.",
        remedy="IN PTR somebody.elsewhere.example.",
    ),
)
"""Hosts of the estate, by the first part of their names; an edit of ``PTR`` is one of their
addresses' names."""
