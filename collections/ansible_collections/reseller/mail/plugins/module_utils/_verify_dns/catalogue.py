# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be wrong with an estate's DNS: one row for each finding.

PRIVATE to the collection. Pure. ``docs/findings.md`` holds the same table; a test compares the two.

A question has an id of its own (``dns.spf``), which stands in a report while all is well, while it waits and where it does not
apply. What is wrong with it is said by ids that begin with it (``dns.spf_two``).
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.reseller.mail.plugins.module_utils._finding import Finding
from ansible_collections.reseller.mail.plugins.module_utils._printable import printable

MOST = 400
"""Characters of an answer that are shown: anybody may publish 60,000 of them."""
MOST_LINES = 20
"""Records that a remedy names: anybody may publish thousands."""


@dataclass(frozen=True, slots=True)
class Row:
    """``remedy`` may hold ``{publish}`` and ``{remove}``, the records as lines to copy, and words of the finding's own.
    ``category`` is internet.nl's, where it checks the same."""

    group: str
    asks: str
    state: str
    remedy: str
    rows: tuple[str, ...]
    category: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: its id, what was found, and what the remedy says. ``state`` where it is not the row's."""

    id: str
    found: str
    publish: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    words: tuple[tuple[str, str], ...] = ()
    state: str = ""


def _rows() -> t.Iterator[tuple[str, Row]]:
    def row(
        id_: str, state: str, asks: str, remedy: str, rows: str, category: str = ""
    ) -> tuple[str, Row]:
        group = max((one for one in GROUPS if id_ == one or id_.startswith(f"{one}_")), key=len)
        return id_, Row(group, asks, state, remedy, tuple(rows.split()), category)

    for section in (_ZONE, _MX, _SENDERS, _DMARC, _TRANSPORT, _CLIENTS, _NODES):
        for one in section:
            yield row(*one)


GROUPS: t.Final[dict[str, str]] = {
    "dns.resolver": "the resolver answers at all; the only finding when it does not",
    "dns.servers": "every name server of the zone answers, for this zone, and there are enough of them",
    "dns.propagating": "all name servers say the same",
    "dns.dnssec": "the zone is signed, and what it says can be verified",
    "dns.wildcard": "a name that nobody made does not exist",
    "dns.alias": "names lead somewhere, and the domain itself is no alias",
    "dns.mx": "the MX records are ours; asked first, what depends on it is blocked while mail goes elsewhere",
    "dns.null_mx": "a name without mail says so (RFC 7505)",
    "dns.provider_mx": "postmaster of the provider's domain is reached through the nodes; asked where no tenant has the domain and the contact is in another",
    "dns.spf": "exactly one SPF record, which lets our hosts send and nobody else's",
    "dns.null_spf": "a name that nobody sends for says so",
    "dns.provider_spf": "the record that all tenants include lists the nodes' addresses",
    "dns.node_spf": "a host's name, which it says in EHLO, has an SPF record (RFC 7208 section 2.3)",
    "dns.dkim": "each selector holds the key that its node reported; a key of each algorithm of the files signs",
    "dns.dmarc": "exactly one DMARC record, at least as strict as the files say",
    "dns.dmarc_grant": "reports about other domains may be sent here (RFC 9990 section 4)",
    "dns.mta_sts": "`_mta-sts` announces the policy by its id; waits until the policy can be fetched",
    "dns.mta_sts_policy": "the policy comes over verified HTTPS, is the one of the files, and allows the MX",
    "dns.tls_rpt": "TLS reports are asked for (RFC 8460), above all where there is a policy of MTA-STS",
    "dns.srv": "mail programs find submission, IMAP, POP3 and ManageSieve (RFC 6186, RFC 8314)",
    "dns.autoconfig": "mail programs find their settings",
    "dns.autodiscover": "Outlook finds its settings",
    "dns.settings": "mail programs that ask get the settings of the files over verified HTTPS",
    "dns.address": "the branded name and the `mta-sts` name lead to the node",
    "dns.caa": "the names' certificates may come from our authorities only (RFC 8659)",
    "dns.leftover": "nothing of a previous host is left that mail programs or receivers would believe",
    "dns.node_address": "a mail host's name has the addresses of the files",
    "dns.tlsa": "the mail host's keys, in service and next, are in DNS (RFC 7672)",
    "dns.fcrdns": "a mail host's addresses lead to its name and back",
}
"""The questions."""

_PUBLISH = "{publish}"
_REPLACE = "{remove}\n{publish}"
_Section = t.Tuple[t.Tuple[str, ...], ...]

_ZONE: _Section = (
    (
        "dns.resolver_silent",
        "fail",
        "the resolver does not answer",
        "name a resolver that answers: verify_dns_resolver",
        "S2-29",
    ),
    (
        "dns.servers_none",
        "fail",
        "the domain does not exist, or nobody serves it",
        "register {name}, and name its name servers at the registrar",
        "S3-2",
    ),
    (
        "dns.servers_silent",
        "warn",
        "a name server does not answer; `fail` when none does",
        "make {server} answer, or take it out of the NS records of {name}",
        "S2-29",
    ),
    (
        "dns.servers_lame",
        "warn",
        "a name server is named that does not know the zone; `fail` when none does",
        "make {server} serve {name}, or take it out of the NS records of {name}",
        "S2-29",
    ),
    (
        "dns.servers_few",
        "warn",
        "fewer than two name servers (RFC 2182 section 5)",
        "add a second name server for {name}, elsewhere in the network",
        "S2-29",
    ),
    (
        "dns.servers_no_ipv6",
        "warn",
        "fewer than two name servers have an IPv6 address",
        "give the name servers of {name} AAAA records",
        "S2-29",
        "IPv6",
    ),
    (
        "dns.servers_no_tcp",
        "fail",
        "an answer is too long for UDP, and the server refuses TCP (RFC 7766)",
        "open TCP port 53 on {server}",
        "S2-29",
    ),
    (
        "dns.propagating",
        "warn",
        "name servers disagree: a change is on its way",
        "wait {seconds} s, then verify again",
        "S2-29 S4-3",
    ),
    (
        "dns.dnssec_unsigned",
        "warn",
        "the zone is not signed",
        "sign {name} at its DNS host, and have the registrar publish its DS record",
        "S4-6",
        "DNSSEC",
    ),
    (
        "dns.dnssec_no_ds",
        "warn",
        "the zone is signed, but its parent does not say so",
        "have the registrar publish the DS record: {ds}",
        "S4-6",
        "DNSSEC",
    ),
    (
        "dns.dnssec_no_key",
        "fail",
        "the parent has a DS record, but the zone is not signed: it does not exist for whoever validates",
        "sign {name} again, or have the registrar remove its DS record",
        "S4-6",
        "DNSSEC",
    ),
    (
        "dns.dnssec_expired",
        "fail",
        "the signatures have expired: the zone does not exist for whoever validates",
        "have {name} signed again at its DNS host",
        "S4-6",
        "DNSSEC",
    ),
    (
        "dns.dnssec_bogus",
        "fail",
        "the signatures are not those of the keys that the parent names",
        "have the registrar publish the DS record of the key in use: {ds}",
        "S4-6",
        "DNSSEC",
    ),
    (
        "dns.wildcard",
        "warn",
        "a wildcard answers for names that nobody made; what is missing then seems to be there",
        "remove the wildcard: {remove}",
        "S2-29",
    ),
    (
        "dns.alias_apex",
        "fail",
        "the domain itself is a CNAME: it cannot have an MX (RFC 1034 section 3.6.2)",
        _REPLACE,
        "S3-12 S4-6",
    ),
    ("dns.alias_loop", "fail", "a CNAME leads back to itself", _REPLACE, "S2-29"),
)

_MX: _Section = (
    ("dns.mx_missing", "fail", "no MX", _PUBLISH, "S2-24"),
    ("dns.mx_foreign", "fail", "mail goes elsewhere", _REPLACE, "S2-24"),
    ("dns.mx_extra", "fail", "mail goes elsewhere, too", "{remove}", "S2-24"),
    ("dns.mx_leftover", "fail", "the previous host's MX is still there", "{remove}", "S2-24 S0-7"),
    ("dns.mx_priority", "fail", "our hosts, in another order", _REPLACE, "S2-24"),
    (
        "dns.mx_backup",
        "warn",
        "the backup MX is missing: mail waits at its senders while the node is away",
        _PUBLISH,
        "S0-2 S1-3",
    ),
    ("dns.mx_null", "fail", "the domain says that it takes no mail (RFC 7505)", _REPLACE, "S2-24"),
    (
        "dns.mx_null_mixed",
        "fail",
        "a null MX beside others (RFC 7505 section 3)",
        "{remove}",
        "S2-24 S4-6",
    ),
    (
        "dns.mx_alias",
        "fail",
        "the MX names a CNAME (RFC 2181 section 10.3)",
        _REPLACE,
        "S3-12 S4-6",
    ),
    ("dns.mx_address", "fail", "the MX names an address (RFC 5321 section 5.1)", _REPLACE, "S3-12"),
    ("dns.mx_unresolved", "fail", "the MX names a host without addresses", _REPLACE, "S3-12"),
    ("dns.null_mx_missing", "fail", "a name without mail has no null MX", _PUBLISH, "S2-24"),
    ("dns.null_mx_other", "fail", "a name without mail has an MX", _REPLACE, "S2-24"),
    (
        "dns.provider_mx_missing",
        "fail",
        "no MX: nobody can write to postmaster of the provider's domain",
        _PUBLISH,
        "S2-24",
    ),
    (
        "dns.provider_mx_elsewhere",
        "warn",
        "mail for the provider's domain goes elsewhere; nothing is published, and its hosts must have a postmaster",
        "let provider.contact be an address in {name} if its mail is to stay where it is, else:\n{remove}\n{publish}",
        "S2-24",
    ),
    (
        "dns.provider_mx_other",
        "fail",
        "some of the nodes, or others beside them",
        _REPLACE,
        "S2-24",
    ),
)

_SENDERS: _Section = (
    ("dns.spf_missing", "fail", "no SPF record", _PUBLISH, "S0-3 S1-4 S2-25", "Auth"),
    (
        "dns.spf_two",
        "fail",
        "several SPF records: receivers believe none (RFC 7208 section 4.5)",
        _REPLACE,
        "S0-7 S1-5",
        "Auth",
    ),
    (
        "dns.spf_type99",
        "warn",
        "a record of type 99, which nobody reads any more (RFC 7208 section 3.1)",
        "{remove}",
        "S0-6 S1-5",
    ),
    (
        "dns.spf_lookups",
        "fail",
        "more than 10 lookups over the whole chain: receivers believe nothing",
        "{todo}",
        "S1-4 S2-25",
        "Auth",
    ),
    ("dns.spf_void", "fail", "more than 2 lookups that find nothing", "{todo}", "S1-4", "Auth"),
    ("dns.spf_syntax", "fail", "the record cannot be evaluated", "{todo}", "S2-25", "Auth"),
    ("dns.spf_stranger", "fail", "everybody may send", "{todo}", "S1-4", "Auth"),
    ("dns.spf_ptr", "warn", "the chain uses `ptr` (RFC 7208 section 5.5)", "{todo}", "S1-4"),
    (
        "dns.spf_sender",
        "fail",
        "our hosts, or the premium relay where it is used, may not send",
        "{todo}",
        "S0-3 S0-5 S1-4",
    ),
    (
        "dns.spf_tail",
        "warn",
        "the record ends in another tail; `fail` with the premium relay, which refuses mail then",
        "{todo}",
        "S0-4",
        "Auth",
    ),
    ("dns.spf_leftover", "warn", "the previous host may still send", "{todo}", "S0-7"),
    (
        "dns.null_spf_missing",
        "fail",
        "no SPF record at a name that nobody sends for",
        _PUBLISH,
        "S0-7",
    ),
    (
        "dns.null_spf_other",
        "fail",
        "an SPF record that lets somebody send, or several",
        _REPLACE,
        "S0-7",
    ),
    (
        "dns.provider_spf_missing",
        "fail",
        "no SPF record at the provider's domain: no tenant's mail passes",
        _PUBLISH,
        "S0-3 S1-4",
    ),
    (
        "dns.provider_spf_two",
        "fail",
        "several SPF records at the provider's domain",
        _REPLACE,
        "S0-7 S1-4",
    ),
    (
        "dns.provider_spf_other",
        "fail",
        "the provider's record does not list what it should",
        _REPLACE,
        "S0-3 S0-5 S1-4",
    ),
    ("dns.node_spf_missing", "fail", "no SPF record at a host's name", _PUBLISH, "S1-4"),
    (
        "dns.node_spf_other",
        "fail",
        "another SPF record at a host's name, or several",
        _REPLACE,
        "S1-4",
    ),
    (
        "dns.dkim_none",
        "fail",
        "no key at all: `_domainkey` does not exist",
        _PUBLISH,
        "S2-28 S3-14",
        "Auth",
    ),
    (
        "dns.dkim_missing",
        "fail",
        "no key at a selector that a node uses",
        _PUBLISH,
        "S2-28 S3-14",
        "Auth",
    ),
    (
        "dns.dkim_ed25519_missing",
        "warn",
        "the Ed25519 key is missing beside the RSA key",
        _PUBLISH,
        "S3-14",
    ),
    (
        "dns.dkim_selector",
        "fail",
        "the key is there, under another selector",
        _PUBLISH,
        "S3-18 S3-38",
    ),
    (
        "dns.dkim_other",
        "fail",
        "another key than the node signs with",
        _REPLACE,
        "S3-7 S3-18 S3-38",
    ),
    (
        "dns.dkim_revoked",
        "fail",
        "DNS has revoked the key that the node signs with",
        _REPLACE,
        "S3-14",
    ),
    (
        "dns.dkim_two",
        "fail",
        "several TXT records at one selector (RFC 6376 section 3.6.2.2)",
        _REPLACE,
        "S3-14",
    ),
    (
        "dns.dkim_short",
        "fail",
        "an RSA key of less than 2048 bits (RFC 8301 section 3.2)",
        _REPLACE,
        "S2-28 S3-14",
    ),
    ("dns.dkim_broken", "fail", "what is there is no key", _REPLACE, "S3-14"),
    (
        "dns.dkim_testing",
        "warn",
        "the key says that it is only being tested (t=y)",
        _REPLACE,
        "S3-14",
    ),
    (
        "dns.dkim_unrevoked",
        "fail",
        "a key that the node has revoked is still valid",
        _REPLACE,
        "S3-7",
    ),
    (
        "dns.dkim_removed",
        "warn",
        "a key that the node no longer has is still there",
        "{remove}",
        "S3-7",
    ),
    (
        "dns.dkim_pending",
        "warn",
        "the node has not reported a key of an algorithm of the files yet",
        "converge {node}, then publish",
        "S2-28 S3-14",
    ),
    (
        "dns.dkim_unsigned",
        "warn",
        "no mail is signed yet with an algorithm of the files: its key is new",
        "publish the key, then converge {node}",
        "S2-28 S3-14",
    ),
    (
        "dns.dkim_hidden",
        "fail",
        "`_domainkey` is said not to exist though keys are below it: receivers that believe it find none (RFC 8020)",
        "have whoever runs {server} mend it, or move the zone to another DNS host",
        "S2-28 S2-29",
    ),
)

_DMARC: _Section = (
    ("dns.dmarc_missing", "fail", "no DMARC record", _PUBLISH, "S2-27", "Auth"),
    (
        "dns.dmarc_two",
        "fail",
        "several DMARC records: receivers believe none (RFC 9989)",
        _REPLACE,
        "S2-27",
        "Auth",
    ),
    ("dns.dmarc_syntax", "fail", "the record cannot be read", _REPLACE, "S2-27", "Auth"),
    (
        "dns.dmarc_obsolete",
        "warn",
        "it has pct, rf or ri, which RFC 9989 has taken out",
        _REPLACE,
        "S2-27",
    ),
    (
        "dns.dmarc_policy",
        "warn",
        "another policy than in the files",
        _REPLACE,
        "S2-27 S3-15 S3-16",
        "Auth",
    ),
    (
        "dns.dmarc_subdomains",
        "warn",
        "another policy for subdomains than in the files",
        _REPLACE,
        "S2-27",
        "Auth",
    ),
    (
        "dns.dmarc_no_reports",
        "warn",
        "nobody gets reports, though the files say who",
        _REPLACE,
        "S3-15",
    ),
    (
        "dns.dmarc_unreported",
        "warn",
        "it changes nothing and nobody gets reports: there is never evidence for a stricter policy",
        "set in the domain's file, or in defaults above it: dmarc: {{reports_to: ADDRESS}}",
        "S3-15 S3-16",
    ),
    (
        "dns.dmarc_unauthorised",
        "fail",
        "reports go to a domain that does not agree (RFC 9990 section 4)",
        _PUBLISH,
        "S3-15",
        "Auth",
    ),
    (
        "dns.dmarc_nobody",
        "fail",
        "reports go to an address here that is nobody's",
        "add {address} to the files, or:\n{remove}\n{publish}",
        "S3-15",
    ),
    (
        "dns.dmarc_grant_missing",
        "fail",
        "the permission to send reports here is missing",
        _PUBLISH,
        "S3-15",
        "Auth",
    ),
)

_TRANSPORT: _Section = (
    ("dns.mta_sts_missing", "fail", "the policy is not announced", _PUBLISH, "S3-19"),
    (
        "dns.mta_sts_two",
        "fail",
        "announced several times: senders take it for none (RFC 8461 section 3.1)",
        _REPLACE,
        "S3-19",
    ),
    ("dns.mta_sts_syntax", "fail", "the announcement cannot be read", _REPLACE, "S3-19"),
    (
        "dns.mta_sts_id",
        "fail",
        "another id: senders go on with a policy that they remember",
        _REPLACE,
        "S3-19",
    ),
    (
        "dns.mta_sts_policy_unreachable",
        "fail",
        "the policy's host does not answer",
        "converge the node that serves {host}, then: curl -v {url}",
        "S3-20",
    ),
    (
        "dns.mta_sts_policy_expired",
        "fail",
        "the certificate has expired",
        "renew the certificate of {host}: certbot renew --cert-name {host}",
        "S3-20",
    ),
    (
        "dns.mta_sts_policy_name",
        "fail",
        "the certificate is another name's",
        "get a certificate for {host}: converge the node that serves it",
        "S3-20",
    ),
    (
        "dns.mta_sts_policy_untrusted",
        "fail",
        "the certificate is nobody's that senders trust",
        "get a certificate for {host} from a public authority",
        "S3-20",
    ),
    (
        "dns.mta_sts_policy_redirect",
        "fail",
        "a redirect, which senders do not follow (RFC 8461 section 3.3)",
        "serve the policy at {url} itself",
        "S3-20",
    ),
    (
        "dns.mta_sts_policy_status",
        "fail",
        "another HTTP status than 200",
        "serve the policy at {url}",
        "S3-20",
    ),
    (
        "dns.mta_sts_policy_type",
        "fail",
        "another media type than text/plain",
        "send Content-Type: text/plain with {url}",
        "S3-20",
    ),
    (
        "dns.mta_sts_policy_lines",
        "fail",
        "lines end neither in CRLF nor in LF",
        "end every line of {url} in CRLF",
        "S3-20",
    ),
    (
        "dns.mta_sts_policy_syntax",
        "fail",
        "it cannot be read as a policy",
        "serve at {url}:\n{policy}",
        "S3-20",
    ),
    (
        "dns.mta_sts_policy_mx",
        "fail",
        "it does not allow the MX: senders will not deliver",
        "serve at {url}:\n{policy}",
        "S3-20 S4-6",
    ),
    (
        "dns.mta_sts_policy_mode",
        "fail",
        "another mode than in the files",
        "serve at {url}:\n{policy}",
        "S3-21",
    ),
    (
        "dns.mta_sts_policy_max_age",
        "fail",
        "another max_age than in the files",
        "serve at {url}:\n{policy}",
        "S3-21",
    ),
    ("dns.tls_rpt_missing", "warn", "nobody is told about failures of TLS", _PUBLISH, "S3-22"),
    (
        "dns.tls_rpt_unreported",
        "warn",
        "there is a policy of MTA-STS and nobody gets reports: there is never evidence for a stricter mode",
        "set in the domain's file, or in defaults above it: tls_rpt: {{reports_to: ADDRESS}}",
        "S3-21 S3-22",
    ),
    (
        "dns.tls_rpt_two",
        "fail",
        "several records: senders report to nobody (RFC 8460 section 3)",
        _REPLACE,
        "S3-22",
    ),
    ("dns.tls_rpt_syntax", "fail", "the record cannot be read", _REPLACE, "S3-22"),
    (
        "dns.tls_rpt_nobody",
        "fail",
        "reports go to an address here that is nobody's",
        "add {address} to the files, or:\n{remove}\n{publish}",
        "S3-22",
    ),
)

_CLIENTS: _Section = (
    ("dns.srv_missing", "warn", "mail programs are not told where a service is", _PUBLISH, "S2-26"),
    ("dns.srv_target", "fail", "mail programs are led elsewhere", _REPLACE, "S2-26"),
    ("dns.srv_offered", "fail", "a service is announced that is not offered", _REPLACE, "S2-26"),
    ("dns.autoconfig_missing", "warn", "the name is missing", _PUBLISH, "S2-26 S4-6"),
    (
        "dns.autoconfig_elsewhere",
        "fail",
        "the name leads elsewhere: mail programs would send passwords there",
        _REPLACE,
        "S2-26 S4-6",
    ),
    (
        "dns.autodiscover_missing",
        "warn",
        "the name or its SRV record is missing",
        _PUBLISH,
        "S2-26",
    ),
    (
        "dns.autodiscover_elsewhere",
        "fail",
        "it leads elsewhere: Outlook would send passwords there",
        _REPLACE,
        "S2-26",
    ),
    (
        "dns.settings_unreachable",
        "warn",
        "nobody answers, or not with a certificate of the name: people have to know their settings",
        "converge the node that serves {host}, then: curl -v {url}",
        "S2-26 S4-6",
        "TLS",
    ),
    (
        "dns.settings_wrong",
        "fail",
        "another answer than the files': mail programs are led astray",
        "converge the node that serves {host}, then: curl -v {url}",
        "S2-26 S4-6",
    ),
    ("dns.address_missing", "fail", "the name has no address", _PUBLISH, "S3-11 S3-19 S4-4"),
    ("dns.address_elsewhere", "fail", "the name leads elsewhere", _REPLACE, "S3-11 S3-19 S4-4"),
    (
        "dns.address_alias",
        "warn",
        "a CNAME, beside which nothing else may stand (RFC 2181 section 10.1)",
        _REPLACE,
        "S4-3 S4-6",
    ),
    ("dns.caa_missing", "warn", "any authority may issue certificates", _PUBLISH, "S4-4", "TLS"),
    (
        "dns.caa_forbids",
        "fail",
        "our authority may not issue the certificate",
        "{remove}\n{publish}",
        "S4-4",
        "TLS",
    ),
    (
        "dns.leftover_autodiscover",
        "fail",
        "Outlook is still led to the previous host",
        _REPLACE,
        "S2-26 S0-7",
    ),
    (
        "dns.leftover_dkim",
        "warn",
        "the previous host's key is still valid: it may sign as the domain",
        "{remove}",
        "S0-7",
    ),
)

_NODES: _Section = (
    ("dns.node_address_missing", "fail", "the host's name has no address", _PUBLISH, "S3-11"),
    (
        "dns.node_address_no_ipv6",
        "warn",
        "an MX host has no IPv6 address: senders that have nothing else cannot reach it",
        "give {host} an IPv6 address, and write it into estate.yml: addresses of {host}",
        "X-12",
        "IPv6",
    ),
    ("dns.node_address_other", "fail", "the host's name has other addresses", _REPLACE, "S3-11"),
    ("dns.node_address_alias", "fail", "the host's name is a CNAME", _REPLACE, "S3-12"),
    (
        "dns.tlsa_missing",
        "warn",
        "senders cannot verify the host by DNSSEC",
        _PUBLISH,
        "S4-6",
        "TLS",
    ),
    (
        "dns.tlsa_other",
        "fail",
        "the key in service is not there: senders that verify will not deliver",
        _REPLACE,
        "S4-6",
        "TLS",
    ),
    (
        "dns.tlsa_next",
        "warn",
        "the key that comes next is not there yet: do not change keys",
        _PUBLISH,
        "S4-6",
        "TLS",
    ),
    (
        "dns.fcrdns_missing",
        "fail",
        "an address has no name: large receivers refuse its mail",
        _PUBLISH,
        "S3-11",
    ),
    (
        "dns.fcrdns_other",
        "fail",
        "an address has another name than its host says in EHLO",
        _REPLACE,
        "S3-11",
    ),
    ("dns.fcrdns_two", "warn", "an address has several names", "{remove}", "S3-11"),
)

CATALOGUE: t.Final[dict[str, Row]] = dict(_rows())
"""By the finding's id."""


def shown(text: str) -> str:
    """Somebody else's text as it may stand in a report: no control characters, no end of the terminal's patience."""
    text = printable(text)
    return text if len(text) <= MOST else f"{text[:MOST]}… ({len(text)} characters)"


def _few(lines: list[str]) -> list[str]:
    return (
        lines
        if len(lines) <= MOST_LINES
        else [*lines[:MOST_LINES], f"… and {len(lines) - MOST_LINES} more of {lines[0].split()[1]}"]
    )


def finding(fault: Fault, subject: str, expected: str) -> Finding:
    """A fault in the catalogue's words."""
    row = CATALOGUE[fault.id]
    words = {
        "publish": "\n".join(f"publish {line}" for line in dict.fromkeys(fault.publish)),
        "remove": "\n".join(
            _few([f"remove {shown(line)}" for line in dict.fromkeys(fault.remove)])
        ),
        **dict(fault.words),
    }
    remedy = printable("\n".join(filter(None, row.remedy.format(**words).split("\n"))))
    return Finding(
        fault.id, subject, fault.state or row.state, expected, shown(fault.found), remedy
    )


def group_of(id_: str) -> str:
    """The question that a finding answers."""
    return CATALOGUE[id_].group if id_ in CATALOGUE else id_


def as_markdown() -> str:
    """The part of docs/findings.md about DNS."""
    lines = []
    for group, asks in GROUPS.items():
        ids = [(id_, row) for id_, row in CATALOGUE.items() if row.group == group]
        lines += [
            f"### `{group}`",
            "",
            f"{asks[0].upper()}{asks[1:]}.",
            "",
            "| id | state | what is wrong | rows | internet.nl |",
            "|---|---|---|---|---|",
        ]
        lines += [
            f"| `{id_}` | `{row.state}` | {row.asks} | {' '.join(row.rows)} | {row.category} |"
            for id_, row in ids
        ]
        lines.append("")
    return "\n".join(lines)
