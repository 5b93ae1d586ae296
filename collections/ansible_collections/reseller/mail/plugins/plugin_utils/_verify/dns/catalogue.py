# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be wrong with an estate's DNS: one row for each finding.

``docs/findings.md`` has the same table, without the requirement ids; a test compares the two.

Each question has an id of its own (``dns.spf``). A report has that id if nothing is wrong, if the
question waits, and if it does not apply. What is wrong has an id that begins with the question's
(``dns.spf_two``).

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ..._model.printable import printable
from ..finding import Finding

MOST = 400
"""How many characters of an answer are shown. A record may have 60,000."""
MOST_LINES = 20
"""How many records a remedy lists. A zone may have thousands."""


@dataclass(frozen=True, slots=True)
class Row:
    """One finding of the catalogue.

    Attributes:
        group: The question that it answers.
        asks: What is wrong.
        state: Its state, unless a ``Defect`` has another one.
        remedy: What to do. ``{publish}`` and ``{remove}`` become the records as lines to copy,
            other names in braces for ``Defect.words``.
        rows: The requirements that it serves.
        category: The category of internet.nl, if it checks the same.
    """

    group: str
    asks: str
    state: str
    remedy: str
    rows: tuple[str, ...]
    category: str = ""


@dataclass(frozen=True, slots=True)
class Defect:
    """One thing that is wrong with a name.

    Attributes:
        id: The row of the catalogue.
        found: What was found instead.
        publish: The records to publish, as lines.
        remove: The records to remove, as lines.
        words: Names and values for the remedy's text.
        state: The state, if it is not the row's.
    """

    id: str
    found: str
    publish: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    words: tuple[tuple[str, str], ...] = ()
    state: str = ""


def _rows() -> t.Iterator[tuple[str, Row]]:
    """Yield the id and row of each finding, in the order of the sections."""

    def row(
        id_: str, state: str, asks: str, remedy: str, rows: str, category: str = ""
    ) -> tuple[str, Row]:
        group = max((one for one in GROUPS if id_ == one or id_.startswith(f"{one}_")), key=len)
        return id_, Row(group, asks, state, remedy, tuple(rows.split()), category)

    for section in (_ZONE, _MX, _SENDERS, _DMARC, _TRANSPORT, _CLIENTS, _NODES):
        for one in section:
            yield row(*one)


GROUPS: t.Final[dict[str, str]] = {
    "dns.resolver": "the resolver answers; if it does not, this is the only finding",
    "dns.servers": "at least two name servers, and each of them answers for the zone",
    "dns.propagating": "all name servers give the same answer",
    "dns.dnssec": "the zone is signed, and its signatures are valid",
    "dns.wildcard": "a name without records does not exist",
    "dns.cname": "each CNAME has an end, and the domain itself is no CNAME",
    "dns.mx": (
        "the MX records name our hosts. This is asked first: while mail goes elsewhere, all that"
        " depends on it is `blocked`"
    ),
    "dns.null_mx": "a name without mail has a null MX (RFC 7505)",
    "dns.provider_mx": (
        "the nodes receive mail for postmaster of the provider's domain. This is asked if no tenant"
        " has the domain and `provider.contact` is in another one"
    ),
    "dns.spf": "exactly one SPF record, which allows our hosts and no unknown ones",
    "dns.null_spf": "a name that sends no mail has an SPF record that allows no host",
    "dns.provider_spf": "the record that all tenants include lists the nodes' addresses",
    "dns.node_spf": "a host's name in EHLO has an SPF record (RFC 7208 section 2.3)",
    "dns.dkim": (
        "each selector has the key that its node reported, and mail is signed with each"
        " algorithm of the files"
    ),
    "dns.dmarc": "exactly one DMARC record, with the policy of the files",
    "dns.dmarc_grant": "a record allows DMARC reports about others here (RFC 9990 section 4)",
    "dns.mta_sts": (
        "the record at `_mta-sts` has the id of the policy; it is `blocked` until the policy can be"
        " fetched"
    ),
    "dns.mta_sts_policy": "verified HTTPS serves the policy of the files, and it allows the MX",
    "dns.tls_rpt": "a record asks for TLS reports (RFC 8460), which MTA-STS needs",
    "dns.srv": "mail programs find submission, IMAP, POP3 and ManageSieve (RFC 6186, RFC 8314)",
    "dns.autoconfig": "mail programs find their settings",
    "dns.autodiscover": "Outlook finds its settings",
    "dns.settings": "mail programs get the settings of the files over verified HTTPS",
    "dns.address": "the branded name and the `mta-sts` name lead to the node",
    "dns.caa": "only our authorities may issue certificates for the names (RFC 8659)",
    "dns.leftover": "no record of a previous provider is left that is still in use",
    "dns.node_address": "a mail host's name has exactly the addresses of the files",
    "dns.tlsa": "TLSA records name a mail host's key in service and its next key (RFC 7672)",
    "dns.fcrdns": "a mail host's addresses lead to its name and back",
}
"""What is asked, by the question's id."""

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
        "the domain does not exist, or has no name servers",
        "register {name}, and name its name servers at the registrar",
        "S3-2",
    ),
    (
        "dns.servers_silent",
        "warn",
        "a name server does not answer; `fail` when no server does",
        "make {server} answer, or remove it from the NS records of {name}",
        "S2-29",
    ),
    (
        "dns.servers_lame",
        "warn",
        "an NS record names a server that does not serve the zone; `fail` when no server does",
        "make {server} serve {name}, or remove it from the NS records of {name}",
        "S2-29",
    ),
    (
        "dns.servers_few",
        "warn",
        "fewer than two name servers (RFC 2182 section 5)",
        "add a second name server for {name}, in another network",
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
        "name servers give different answers: a change is not yet on all of them",
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
        "the zone is signed, but its parent has no DS record",
        "have the registrar publish the DS record: {ds}",
        "S4-6",
        "DNSSEC",
    ),
    (
        "dns.dnssec_no_key",
        "fail",
        (
            "the parent has a DS record, but the zone is not signed: resolvers that validate get no"
            " answer"
        ),
        "sign {name} again, or have the registrar remove its DS record",
        "S4-6",
        "DNSSEC",
    ),
    (
        "dns.dnssec_expired",
        "fail",
        "the signatures have expired: resolvers that validate get no answer",
        "have {name} signed again at its DNS host",
        "S4-6",
        "DNSSEC",
    ),
    (
        "dns.dnssec_bogus",
        "fail",
        "the signatures do not match the keys in the parent's DS record",
        "have the registrar publish the DS record of the key in use: {ds}",
        "S4-6",
        "DNSSEC",
    ),
    (
        "dns.wildcard",
        "warn",
        "a wildcard answers for names without records, so that missing names seem to exist",
        "remove the wildcard: {remove}",
        "S2-29",
    ),
    (
        "dns.cname_apex",
        "fail",
        "the domain itself is a CNAME: it cannot have an MX (RFC 1034 section 3.6.2)",
        _REPLACE,
        "S3-12 S4-6",
    ),
    ("dns.cname_loop", "fail", "a CNAME leads back to itself", _REPLACE, "S2-29"),
)

_MX: _Section = (
    ("dns.mx_missing", "fail", "no MX", _PUBLISH, "S2-24"),
    ("dns.mx_foreign", "fail", "the MX names other hosts only", _REPLACE, "S2-24"),
    ("dns.mx_extra", "fail", "the MX names other hosts as well", "{remove}", "S2-24"),
    (
        "dns.mx_leftover",
        "fail",
        "the MX of the previous provider is still there",
        "{remove}",
        "S2-24 S0-7",
    ),
    ("dns.mx_priority", "fail", "our hosts, with other preferences", _REPLACE, "S2-24"),
    (
        "dns.mx_backup",
        "warn",
        "the backup MX is missing: mail waits at its senders while the node is down",
        _PUBLISH,
        "S0-2 S1-3",
    ),
    ("dns.mx_null", "fail", "a null MX: the domain receives no mail (RFC 7505)", _REPLACE, "S2-24"),
    (
        "dns.mx_null_mixed",
        "fail",
        "a null MX together with other MX records (RFC 7505 section 3)",
        "{remove}",
        "S2-24 S4-6",
    ),
    (
        "dns.mx_cname",
        "fail",
        "the MX names a CNAME (RFC 2181 section 10.3)",
        _REPLACE,
        "S3-12 S4-6",
    ),
    ("dns.mx_address", "fail", "the MX names an address (RFC 5321 section 5.1)", _REPLACE, "S3-12"),
    ("dns.mx_unresolved", "fail", "the MX names a host without an address", _REPLACE, "S3-12"),
    ("dns.null_mx_missing", "fail", "a name without mail has no null MX", _PUBLISH, "S2-24"),
    ("dns.null_mx_other", "fail", "a name without mail has an MX", _REPLACE, "S2-24"),
    (
        "dns.provider_mx_missing",
        "fail",
        "no MX: mail to postmaster of the provider's domain cannot be delivered",
        _PUBLISH,
        "S2-24",
    ),
    (
        "dns.provider_mx_elsewhere",
        "warn",
        (
            "other hosts have the mail of the provider's domain: nothing is published, and those"
            " hosts must have a postmaster"
        ),
        (
            "if the mail of {name} stays there, set provider.contact to an address in {name};"
            " otherwise:\n{remove}\n{publish}"
        ),
        "S2-24",
    ),
    (
        "dns.provider_mx_other",
        "fail",
        "the MX does not name all nodes, or names other hosts as well",
        _REPLACE,
        "S2-24",
    ),
)

_SENDERS: _Section = (
    ("dns.spf_missing", "fail", "no SPF record", _PUBLISH, "S0-3 S1-4 S2-25", "Auth"),
    (
        "dns.spf_two",
        "fail",
        "several SPF records: receivers use none of them (RFC 7208 section 4.5)",
        _REPLACE,
        "S0-7 S1-5",
        "Auth",
    ),
    (
        "dns.spf_type99",
        "warn",
        "a record of type 99, which is no longer used (RFC 7208 section 3.1)",
        "{remove}",
        "S0-6 S1-5",
    ),
    (
        "dns.spf_lookups",
        "fail",
        "more than 10 lookups in the whole chain: the result is an error (RFC 7208 section 4.6.4)",
        "{todo}",
        "S1-4 S2-25",
        "Auth",
    ),
    (
        "dns.spf_void",
        "fail",
        "more than 2 lookups without an answer (RFC 7208 section 4.6.4)",
        "{todo}",
        "S1-4",
        "Auth",
    ),
    ("dns.spf_syntax", "fail", "the record cannot be evaluated", "{todo}", "S2-25", "Auth"),
    ("dns.spf_any_host", "fail", "every host may send", "{todo}", "S1-4", "Auth"),
    ("dns.spf_ptr", "warn", "the chain uses `ptr` (RFC 7208 section 5.5)", "{todo}", "S1-4"),
    (
        "dns.spf_sender",
        "fail",
        "our hosts may not send, or the relay may not, if the domain uses one",
        "{todo}",
        "S0-3 S0-5 S1-4",
    ),
    (
        "dns.spf_tail",
        "warn",
        "the last term is another one; `fail` with the premium relay, which then refuses mail",
        "{todo}",
        "S0-4",
        "Auth",
    ),
    ("dns.spf_leftover", "warn", "the previous provider may still send", "{todo}", "S0-7"),
    (
        "dns.null_spf_missing",
        "fail",
        "no SPF record at a name that sends no mail",
        _PUBLISH,
        "S0-7",
    ),
    (
        "dns.null_spf_other",
        "fail",
        "an SPF record that allows a host to send, or several records",
        _REPLACE,
        "S0-7",
    ),
    (
        "dns.provider_spf_missing",
        "fail",
        "no SPF record at the provider's domain: no tenant's mail passes SPF",
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
        "the provider's record does not allow the hosts of the files",
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
        "the RSA key is there, the Ed25519 key is missing",
        _PUBLISH,
        "S3-14",
    ),
    (
        "dns.dkim_selector",
        "fail",
        "the key is under another selector",
        _PUBLISH,
        "S3-18 S3-38",
    ),
    (
        "dns.dkim_other",
        "fail",
        "not the key that the node signs with",
        _REPLACE,
        "S3-7 S3-18 S3-38",
    ),
    (
        "dns.dkim_revoked",
        "fail",
        "the key that the node signs with is revoked in DNS",
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
    ("dns.dkim_broken", "fail", "the record is no DKIM key", _REPLACE, "S3-14"),
    (
        "dns.dkim_testing",
        "warn",
        "the key is marked as a test (t=y): receivers treat the mail as unsigned",
        _REPLACE,
        "S3-14",
    ),
    (
        "dns.dkim_unrevoked",
        "fail",
        "a key that the node has revoked is still valid in DNS",
        _REPLACE,
        "S3-7",
    ),
    (
        "dns.dkim_removed",
        "warn",
        "a key that the node no longer has is still in DNS",
        "{remove}",
        "S3-7",
    ),
    (
        "dns.dkim_pending",
        "warn",
        "the node has not yet reported a key for an algorithm of the files",
        "converge {node}, then publish",
        "S2-28 S3-14",
    ),
    (
        "dns.dkim_unsigned",
        "warn",
        "no mail is signed yet with an algorithm of the files, because its key is new",
        "publish the key, then converge {node}",
        "S2-28 S3-14",
    ),
    (
        "dns.dkim_hidden",
        "fail",
        (
            "the server answers that `_domainkey` does not exist, although keys are below it: some"
            " receivers then find no key (RFC 8020)"
        ),
        "ask the operator of {server} to correct it, or move the zone to another DNS host",
        "S2-28 S2-29",
    ),
)

_DMARC: _Section = (
    ("dns.dmarc_missing", "fail", "no DMARC record", _PUBLISH, "S2-27", "Auth"),
    (
        "dns.dmarc_two",
        "fail",
        "several DMARC records: receivers use none of them (RFC 9989)",
        _REPLACE,
        "S2-27",
        "Auth",
    ),
    ("dns.dmarc_syntax", "fail", "the record cannot be read", _REPLACE, "S2-27", "Auth"),
    (
        "dns.dmarc_obsolete",
        "warn",
        "the record has pct, rf or ri, which RFC 9989 has removed",
        _REPLACE,
        "S2-27",
    ),
    (
        "dns.dmarc_policy",
        "warn",
        "not the policy of the files",
        _REPLACE,
        "S2-27 S3-15 S3-16",
        "Auth",
    ),
    (
        "dns.dmarc_subdomains",
        "warn",
        "not the policy of the files for subdomains",
        _REPLACE,
        "S2-27",
        "Auth",
    ),
    (
        "dns.dmarc_no_reports",
        "warn",
        "no address for reports, although the files have one",
        _REPLACE,
        "S3-15",
    ),
    (
        "dns.dmarc_unreported",
        "warn",
        (
            "the policy has no effect and there is no address for reports, so that there is never"
            " evidence for a stricter policy"
        ),
        "set in the domain's file, or on a higher level: dmarc: {{reports_to: ADDRESS}}",
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
        "dns.dmarc_no_mailbox",
        "fail",
        "reports go to an address on our nodes that does not exist",
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
    (
        "dns.mta_sts_missing",
        "fail",
        "no record at `_mta-sts`: senders do not look for the policy",
        _PUBLISH,
        "S3-19",
    ),
    (
        "dns.mta_sts_two",
        "fail",
        "several records: senders assume that there is no policy (RFC 8461 section 3.1)",
        _REPLACE,
        "S3-19",
    ),
    ("dns.mta_sts_syntax", "fail", "the record cannot be read", _REPLACE, "S3-19"),
    (
        "dns.mta_sts_id",
        "fail",
        "another id: senders keep using a policy from their cache",
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
        "the certificate is for another name",
        "get a certificate for {host}: converge the node that serves it",
        "S3-20",
    ),
    (
        "dns.mta_sts_policy_untrusted",
        "fail",
        "the certificate is from an authority that senders do not trust",
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
        "the HTTP status is not 200",
        "serve the policy at {url}",
        "S3-20",
    ),
    (
        "dns.mta_sts_policy_type",
        "fail",
        "the media type is not text/plain",
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
        "the text is no policy",
        "serve at {url}:\n{policy}",
        "S3-20",
    ),
    (
        "dns.mta_sts_policy_mx",
        "fail",
        "the policy does not allow the MX: senders do not deliver",
        "serve at {url}:\n{policy}",
        "S3-20 S4-6",
    ),
    (
        "dns.mta_sts_policy_mode",
        "fail",
        "not the mode of the files",
        "serve at {url}:\n{policy}",
        "S3-21",
    ),
    (
        "dns.mta_sts_policy_max_age",
        "fail",
        "not the max_age of the files",
        "serve at {url}:\n{policy}",
        "S3-21",
    ),
    ("dns.tls_rpt_missing", "warn", "no record asks for TLS reports", _PUBLISH, "S3-22"),
    (
        "dns.tls_rpt_unreported",
        "warn",
        (
            "there is an MTA-STS policy and no address for reports, so that there is never evidence"
            " for a stricter mode"
        ),
        "set in the domain's file, or on a higher level: tls_rpt: {{reports_to: ADDRESS}}",
        "S3-21 S3-22",
    ),
    (
        "dns.tls_rpt_two",
        "fail",
        "several records: senders send no reports (RFC 8460 section 3)",
        _REPLACE,
        "S3-22",
    ),
    ("dns.tls_rpt_syntax", "fail", "the record cannot be read", _REPLACE, "S3-22"),
    (
        "dns.tls_rpt_no_mailbox",
        "fail",
        "reports go to an address on our nodes that does not exist",
        "add {address} to the files, or:\n{remove}\n{publish}",
        "S3-22",
    ),
)

_CLIENTS: _Section = (
    ("dns.srv_missing", "warn", "a service has no SRV record", _PUBLISH, "S2-26"),
    (
        "dns.srv_target",
        "fail",
        "the SRV record leads mail programs to another host",
        _REPLACE,
        "S2-26",
    ),
    (
        "dns.srv_offered",
        "fail",
        "an SRV record announces a service that is not offered",
        _REPLACE,
        "S2-26",
    ),
    ("dns.autoconfig_missing", "warn", "the name is missing", _PUBLISH, "S2-26 S4-6"),
    (
        "dns.autoconfig_elsewhere",
        "fail",
        "the name leads to another host: mail programs would send passwords there",
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
        "it leads to another host: Outlook would send passwords there",
        _REPLACE,
        "S2-26",
    ),
    (
        "dns.settings_unreachable",
        "warn",
        "no answer, or no certificate for the name: users must enter their settings themselves",
        "converge the node that serves {host}, then: curl -v {url}",
        "S2-26 S4-6",
        "TLS",
    ),
    (
        "dns.settings_wrong",
        "fail",
        "not the settings of the files: mail programs get wrong ones",
        "converge the node that serves {host}, then: curl -v {url}",
        "S2-26 S4-6",
    ),
    ("dns.address_missing", "fail", "the name has no address", _PUBLISH, "S3-11 S3-19 S4-4"),
    (
        "dns.address_elsewhere",
        "fail",
        "the name leads to another host",
        _REPLACE,
        "S3-11 S3-19 S4-4",
    ),
    (
        "dns.address_cname",
        "warn",
        "a CNAME: the name cannot have other records then (RFC 2181 section 10.1)",
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
        "Outlook still goes to the previous provider",
        _REPLACE,
        "S2-26 S0-7",
    ),
    (
        "dns.leftover_dkim",
        "warn",
        "the key of the previous provider is still valid: it can sign as the domain",
        "{remove}",
        "S0-7",
    ),
)

_NODES: _Section = (
    ("dns.node_address_missing", "fail", "the host's name has no address", _PUBLISH, "S3-11"),
    (
        "dns.node_address_no_ipv6",
        "warn",
        "an MX host has no IPv6 address: senders with IPv6 only cannot reach it",
        "give {host} an IPv6 address, and write it into estate.yml: addresses of {host}",
        "X-12",
        "IPv6",
    ),
    ("dns.node_address_other", "fail", "the host's name has other addresses", _REPLACE, "S3-11"),
    ("dns.node_address_cname", "fail", "the host's name is a CNAME", _REPLACE, "S3-12"),
    (
        "dns.tlsa_missing",
        "warn",
        "no TLSA record: senders cannot verify the host by DANE",
        _PUBLISH,
        "S4-6",
        "TLS",
    ),
    (
        "dns.tlsa_other",
        "fail",
        "no record for the key in service: senders that use DANE do not deliver",
        _REPLACE,
        "S4-6",
        "TLS",
    ),
    (
        "dns.tlsa_next",
        "warn",
        "no record for the next key yet: do not change keys",
        _PUBLISH,
        "S4-6",
        "TLS",
    ),
    (
        "dns.fcrdns_missing",
        "fail",
        "an address has no reverse record: large receivers refuse its mail",
        _PUBLISH,
        "S3-11",
    ),
    (
        "dns.fcrdns_other",
        "fail",
        "the reverse record of an address is not its host's name in EHLO",
        _REPLACE,
        "S3-11",
    ),
    ("dns.fcrdns_two", "warn", "an address has several reverse records", "{remove}", "S3-11"),
)

CATALOGUE: t.Final[dict[str, Row]] = dict(_rows())
"""The rows by the finding's id."""


def shown(text: str) -> str:
    """Return a text from outside for a report: without control characters, at most ``MOST``
    characters of it."""
    text = printable(text)
    return text if len(text) <= MOST else f"{text[:MOST]}… ({len(text)} characters)"


def _few(lines: list[str]) -> list[str]:
    """Return at most ``MOST_LINES`` lines, and how many more there are."""
    return (
        lines
        if len(lines) <= MOST_LINES
        else [*lines[:MOST_LINES], f"… and {len(lines) - MOST_LINES} more of {lines[0].split()[1]}"]
    )


def finding(fault: Defect, subject: str, expected: str) -> Finding:
    """Return the finding about a defect, in the catalogue's words."""
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
    """Return the id of the question that a finding answers."""
    return CATALOGUE[id_].group if id_ in CATALOGUE else id_


def as_markdown() -> str:
    """Return the part of docs/findings.md about DNS."""
    lines = []
    for group, asks in GROUPS.items():
        ids = [(id_, row) for id_, row in CATALOGUE.items() if row.group == group]
        lines += [
            f"### `{group}`",
            "",
            f"{asks[0].upper()}{asks[1:]}.",
            "",
            "| id | state | what is wrong | internet.nl |",
            "|---|---|---|---|",
        ]
        lines += [f"| `{id_}` | `{row.state}` | {row.asks} | {row.category} |" for id_, row in ids]
        lines.append("")
    return "\n".join(lines)
