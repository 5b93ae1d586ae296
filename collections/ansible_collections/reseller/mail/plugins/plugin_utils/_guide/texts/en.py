# SPDX-License-Identifier: GPL-3.0-or-later
"""The texts in English."""

from __future__ import annotations

TEXTS = {
    "language": "English",
    "title": "Mail for {domain}",
    "skip": "Skip to the content",
    "languages": "Languages",
    "contents": "On this page",
    "by": "Mail by {provider}",
    "help": "Get help",
    "status_page": "Is everything running?",
    "for": "for {organisation}",
    # states
    "state_ok": "In order",
    "state_warn": "Have a look",
    "state_fail": "To be done",
    "state_blocked": "Waiting",
    "state_pending": "Being made",
    "state_unchecked": "Not checked",
    "state_na": "Not needed",
    "state_suspended": "Suspended",
    # summary
    "sum_live": "Everything is in order. The domain is ready for mail.",
    "sum_open": "Open points: {count} of {total}.",
    "sum_yours": "Yours: {count}.",
    "sum_none_yours": "None of them is yours: we will do them.",
    "sum_unchecked": "Nothing has been checked yet.",
    "sum_suspended_tenant": "The contract is suspended.",
    "sum_suspended_domain": "This domain is suspended.",
    "suspended_accept": "We still receive mail for this domain.",
    "suspended_relay": "We still receive mail for this domain and pass it on.",
    "suspended_hold": "We keep mail for this domain, and deliver it when the suspension ends.",
    "suspended_defer": "Senders of mail for this domain are asked to try again later.",
    "suspended_reject": "Mail for this domain is refused.",
    "suspended_no_login": "No one can log in to its mailboxes.",
    "sum_parked": (
        "This domain has no addresses. It neither sends nor receives mail. Its records show"
        " this to others."
    ),
    "suspended_keep": (
        "There is nothing to set up now. Leave the records in DNS as they are, so that no mail"
        " is lost. To end the suspension, please ask us."
    ),
    "checked": "Last checked",
    "never": "never",
    "refresh": (
        "A change in DNS is visible everywhere after at most {ttl}, and here after the next check."
    ),
    "minutes": "{count} minutes",
    "hours": "{count} hours",
    "hour": "1 hour",
    "unverified": (
        "We have not verified yet that this domain is yours. Until then we do not receive mail for"
        " it. You can prepare the records."
    ),
    "tenant_pending": (
        "The contract is not active yet. Until then we do not receive mail for you. You can prepare"
        " the records."
    ),
    "alias_of": "Another name for {domain}: every address exists under both.",
    # go-live
    "golive": "What is left",
    "golive_why": (
        "Every point that was checked, and who must act. When all points are in order, the domain"
        " can go live."
    ),
    "golive_suspended": "These points concern mail that still arrives.",
    "golive_parked": (
        "Every point that was checked. They protect the name against forged mail. None of them"
        " is needed before the domain has addresses."
    ),
    "owner_tenant": "You",
    "owner_provider": "We",
    "point": "Point",
    "state": "State",
    "owner": "Who",
    "done": "Done: {count}",
    "optional": "recommended",
    # records
    "records": "DNS records",
    "managed": (
        "We publish these records. You do not need to do anything. The list only shows what is in"
        " DNS."
    ),
    "yours": "Enter these records where the DNS of {zone} is managed. Copy each value as it is.",
    "host": "Your DNS is with {host}.",
    "host_link": "Open {host}",
    "host_unknown": (
        "We do not know your DNS host. If it adds .{zone} to names automatically, enter names"
        " without that ending."
    ),
    "host_apex_empty": (
        "For {zone} itself, leave the field of the name empty. For other names, enter the name as"
        " shown, without .{zone}."
    ),
    "host_apex_at": (
        "For {zone} itself, enter @ as the name. For other names, enter the name as shown, without"
        " .{zone}."
    ),
    "host_split": "Enter long texts in several quoted parts, as shown here.",
    "host_whole": (
        "Enter long texts in one piece, without quotation marks. The DNS host splits them."
    ),
    "host_dot": "If a value is a name, enter it with the dot at its end.",
    "host_lacks": (
        "You cannot enter {types} records there. They are recommended. Mail works without them."
    ),
    "note_proxy": (
        'Switch the proxy off for these names ("DNS only"): mail does not pass through it.'
    ),
    "note_plan": (
        "Depending on your package, you can enter some types of records only for subdomains, or"
        " not at all."
    ),
    "section_receive": "Receiving mail",
    "section_send": "Sending mail that receivers trust",
    "section_secure": "Mail in transit",
    "section_find": "Mail programs find their servers",
    "name": "Name",
    "type": "Type",
    "value": "Value",
    "priority": "Priority",
    "weight": "Weight",
    "port": "Port",
    "target": "Target",
    "flags": "Flags",
    "tag": "Tag",
    "line": "As a zone file line",
    "folded": "Show the records: {count}",
    "full_name": "complete name: {name}",
    "found": "Found",
    "remedy": "What to do",
    "copy": "Copy",
    "copy_what": "Copy {what}",
    "copied": "Copied",
    "select": "Selected: now press Ctrl+C",
    "dkim_pending": (
        "The mail host has not made the key for {selector} yet. It makes the key automatically."
        " Then the record is shown here."
    ),
    "key_generated": "made, not published yet",
    "key_published": "to be published; we sign mail with it when all name servers show it",
    "key_active": "we sign mail with it",
    "key_retired": "no longer used; leave the record until the last signed mail has arrived",
    "key_revoked": "revoked; leave the record as it is",
    "key_removed": "you can remove the record",
    # clients
    "clients": "Settings for mail programs",
    "clients_auto": (
        "Most programs find these settings automatically from the address and the password."
    ),
    "clients_user": "User name",
    "clients_user_is": "the complete address, such as {address}",
    "clients_password": "The password is the one of the mailbox.",
    "clients_relay": (
        "We receive the mail for this domain and pass it on to {host}. We have no mailboxes for it,"
        " so there are no settings."
    ),
    "clients_suspended": (
        "Mail programs cannot log in while the domain is suspended. The settings are shown here"
        " again when the suspension ends."
    ),
    "clients_parked": "The domain has no mailboxes, so there are no settings.",
    "service": "Service",
    "server": "Server",
    "security": "Encryption",
    "secure_tls": "SSL/TLS",
    "secure_starttls": "STARTTLS",
    "service_imap": "Reading (IMAP)",
    "service_pop3": "Fetching (POP3)",
    "service_submission": "Sending (SMTP)",
    "service_sieve": "Filter rules (ManageSieve)",
    "preferred": "preferred",
    "fallback": "only if 465 does not work",
    # overview
    "overview": "All domains",
    "overview_why": "Domains that need attention are first.",
    "tenant": "Tenant",
    "domain": "Domain",
    "open_points": "Open",
    "of_tenant": "the tenant's: {count}",
    "of_provider": "ours: {count}",
    "counted": "Domains: {domains}, tenants: {tenants}",
    # purposes
    "why_mx": "Names the host that receives mail for the domain.",
    "why_backup_mx": "Names a host that keeps mail while the mail host cannot be reached.",
    "why_null_mx": "Shows senders at once that this name receives no mail.",
    "why_spf": "Lists the hosts that may send for the domain. There must be only one such record.",
    "why_null_spf": "No host may send for this name, so forged mail is recognised.",
    "why_dkim": "The public key with which receivers verify our signatures.",
    "why_dmarc": "Defines what receivers do with forged mail, and who gets reports.",
    "why_dmarc_grant": "Permits reports about another domain to be sent here.",
    "why_mta_sts": "Announces that mail to the domain needs verified encryption.",
    "why_mta_sts_address": "Leads to the host that serves this policy.",
    "why_tls_rpt": "Asks senders for reports about encryption.",
    "why_srv": "Lets mail programs find the servers, or shows that a service is not offered.",
    "why_autoconfig": "Lets mail programs find their settings.",
    "why_autodiscover": "Lets Outlook find its settings.",
    "why_client_address": "The domain's own name for its mail server.",
    "why_caa": "Only these authorities may issue certificates for the name.",
    "why_tlsa": "The mail host's key, so that senders can verify the encryption by DNSSEC.",
    "why_provider_mx": "Postmaster and abuse of the provider's domain reach a person.",
    "why_provider_spf": "Lists every host that sends for tenants. Their records include it.",
    "why_node_spf": "Permits the mail host to send with its own name.",
    "why_node_address": "Leads to the mail host.",
    "why_backup_mx_address": "Leads to the backup MX.",
    "why_ptr": "Leads from the address to the host's name. Large receivers require it.",
    "purpose_mx": "MX: where mail goes",
    "purpose_backup_mx": "Backup MX",
    "purpose_null_mx": "No mail for this name",
    "purpose_spf": "SPF: who may send",
    "purpose_null_spf": "No mail from this name",
    "purpose_dkim": "DKIM: signatures",
    "purpose_dmarc": "DMARC: against forgeries",
    "purpose_dmarc_grant": "DMARC: reports of other domains",
    "purpose_mta_sts": "MTA-STS: encryption required",
    "purpose_mta_sts_address": "MTA-STS: the policy's host",
    "purpose_tls_rpt": "TLS-RPT: reports about encryption",
    "purpose_srv": "SRV: services",
    "purpose_autoconfig": "Autoconfig",
    "purpose_autodiscover": "Autodiscover",
    "purpose_client_address": "Your own server name",
    "purpose_caa": "CAA: certificates",
    "purpose_tlsa": "TLSA: encryption by DNSSEC",
    "purpose_provider_mx": "MX of the provider",
    "purpose_provider_spf": "SPF of the provider",
    "purpose_node_spf": "SPF of the mail host",
    "purpose_node_address": "Address of the mail host",
    "purpose_backup_mx_address": "Address of the backup MX",
    "purpose_ptr": "Reverse name",
    # findings that are about no record of the page
    "check_access": "Access with mail programs",
    "check_dns": "DNS in general",
    "check_dns_servers": "The name servers answer",
    "check_dns_mx_target": "The MX leads to a real host",
    "check_dns_mta_sts_policy": "The MTA-STS policy can be fetched",
    "check_dns_settings": "Mail programs get their settings",
    "check_dns_resolver": "The resolver answers",
    "check_dns_propagating": "All name servers have the latest change",
    "check_dns_dnssec": "The zone is signed (DNSSEC)",
    "check_dns_wildcard": "No wildcard record answers for other names",
    "check_dns_cname": "CNAME records lead to a host",
    "check_dns_leftover": "No records of a previous provider are left",
    "check_dns_node_address": "The mail host's address",
    "check_dns_node_spf": "SPF of the mail host",
    "check_dns_caa": "The mail host's certificates (CAA)",
    "check_dns_fcrdns": "The mail host's reverse name",
    "check_dns_tlsa": "The mail host's keys in DNS",
    "check_mail": "Mail flows",
    "check_mail_deliver": "Mail arrives",
    "check_mail_dkim": "Mail is signed",
    "check_mail_unknown_refused": "Unknown addresses are refused",
    "check_quota": "Room in the mailboxes",
    "check_verify": "The check itself",
    # findings: remedies, and what is wrong in words
    "remove": "Delete this record",
    "removes": "Delete these records",
    "enter": "Enter this record",
    "enter_below": "Enter the record that follows.",
    "others": "Other points in your DNS",
    "wrong_dns.servers_none": "The domain does not exist, or no name server has it.",
    "wrong_dns.servers_silent": "A name server does not answer.",
    "wrong_dns.servers_lame": "One of the listed name servers does not have the domain.",
    "wrong_dns.servers_few": "The domain has fewer than two name servers.",
    "wrong_dns.servers_no_ipv6": "Fewer than two name servers can be reached over IPv6.",
    "wrong_dns.servers_no_tcp": "A name server refuses TCP; long answers do not get through.",
    "wrong_dns.propagating": (
        "The name servers have different answers: they do not all have the latest change yet."
    ),
    "wrong_dns.dnssec_unsigned": "The domain is not signed with DNSSEC.",
    "wrong_dns.dnssec_no_ds": (
        "The domain is signed, but the DS record is missing at the registrar."
    ),
    "wrong_dns.dnssec_no_key": (
        "The registrar has a DS record, but the domain is not signed. Many resolvers do not answer"
        " for it."
    ),
    "wrong_dns.dnssec_expired": (
        "The domain's signatures have expired. Many resolvers do not answer for it."
    ),
    "wrong_dns.dnssec_bogus": (
        "The signatures do not match the DS record at the registrar. Many resolvers do not answer"
        " for the domain."
    ),
    "wrong_dns.wildcard": (
        "A wildcard record (*) answers for every name. So a missing record seems to exist."
    ),
    "wrong_dns.cname_apex": "The domain itself is a CNAME. Such a domain cannot receive mail.",
    "wrong_dns.cname_loop": "A CNAME leads back to itself.",
    "wrong_dns.mx_missing": "The MX record is missing: mail does not arrive.",
    "wrong_dns.mx_foreign": "Mail goes to another provider.",
    "wrong_dns.mx_extra": "One more MX record sends mail to another host.",
    "wrong_dns.mx_leftover": (
        "The previous provider's MX record is still there. Some mail goes to it."
    ),
    "wrong_dns.mx_priority": "The MX records are in the wrong order.",
    "wrong_dns.mx_backup": "The second MX record is missing.",
    "wrong_dns.mx_null": "The MX record means that the domain receives no mail.",
    "wrong_dns.mx_null_mixed": (
        "One MX record means that the domain receives no mail. The others contradict it."
    ),
    "wrong_dns.mx_cname": "The MX names a CNAME. This is not allowed.",
    "wrong_dns.mx_address": "The MX names an address instead of a name.",
    "wrong_dns.mx_unresolved": "The MX names a host that does not exist.",
    "wrong_dns.null_mx_missing": (
        "This name receives no mail. The MX record that shows this is missing."
    ),
    "wrong_dns.null_mx_other": "This name receives no mail, but it has an MX record.",
    "wrong_dns.spf_missing": "The SPF record is missing.",
    "wrong_dns.spf_two": "There are several SPF records. Then receivers ignore all of them.",
    "wrong_dns.spf_type99": "There is a record of the old type SPF. Receivers no longer read it.",
    "wrong_dns.spf_lookups": (
        "The SPF record needs more than ten DNS lookups. Then receivers ignore it."
    ),
    "wrong_dns.spf_void": (
        "The SPF record has names that no longer exist. Then receivers ignore it."
    ),
    "wrong_dns.spf_syntax": "The SPF record has a mistake and cannot be read.",
    "wrong_dns.spf_any_host": "The SPF record permits every host to send for the domain.",
    "wrong_dns.spf_ptr": "The SPF record uses ptr. Many receivers ignore it.",
    "wrong_dns.spf_sender": "The SPF record does not permit our hosts to send.",
    "wrong_dns.spf_tail": "The end of the SPF record is wrong.",
    "wrong_dns.spf_leftover": "The previous provider may still send for the domain.",
    "wrong_dns.null_spf_missing": (
        "No host sends for this name. The SPF record that shows this is missing."
    ),
    "wrong_dns.null_spf_other": (
        "No host sends for this name, but an SPF record permits it, or there are several."
    ),
    "wrong_dns.dkim_none": "There is no DKIM key yet.",
    "wrong_dns.dkim_missing": "A DKIM key is missing.",
    "wrong_dns.dkim_ed25519_missing": "The second DKIM key (Ed25519) is missing.",
    "wrong_dns.dkim_selector": "The DKIM key is in DNS, but under another name.",
    "wrong_dns.dkim_other": "The DKIM key in DNS is not the one that we sign with.",
    "wrong_dns.dkim_revoked": "The DKIM key is revoked (p= is empty).",
    "wrong_dns.dkim_two": "There are several DKIM keys under one name.",
    "wrong_dns.dkim_short": "The DKIM key is too short.",
    "wrong_dns.dkim_broken": "The record is no DKIM key. Often a part was not copied.",
    "wrong_dns.dkim_testing": "The DKIM key is marked as a test (t=y).",
    "wrong_dns.dkim_unrevoked": "A revoked DKIM key is still valid.",
    "wrong_dns.dkim_removed": "A DKIM key that is no longer needed is still in DNS.",
    "wrong_dns.dkim_pending": "The DKIM key is still being made.",
    "wrong_dns.dkim_unsigned": "We do not sign with the new DKIM key yet.",
    "wrong_dns.dkim_hidden": (
        "Your DNS host answers that _domainkey does not exist. Then some receivers do not look for"
        " the DKIM key below it."
    ),
    "wrong_dns.dmarc_missing": "The DMARC record is missing.",
    "wrong_dns.dmarc_two": "There are several DMARC records. Then receivers ignore all of them.",
    "wrong_dns.dmarc_syntax": "The DMARC record has a mistake and cannot be read.",
    "wrong_dns.dmarc_obsolete": "The DMARC record has parts that no longer exist.",
    "wrong_dns.dmarc_policy": "The DMARC record has another policy than agreed.",
    "wrong_dns.dmarc_subdomains": (
        "The DMARC record has another policy for subdomains than agreed."
    ),
    "wrong_dns.dmarc_no_reports": "No reports are sent, because rua= is missing.",
    "wrong_dns.dmarc_unreported": (
        "No DMARC reports are requested. Without them the policy cannot become stricter."
    ),
    "wrong_dns.dmarc_unauthorised": (
        "Reports go to a domain that has not permitted it, so they are not sent."
    ),
    "wrong_dns.dmarc_no_mailbox": "Reports go to an address that does not exist here.",
    "wrong_dns.dmarc_grant_missing": "The permission to send reports here is missing.",
    "wrong_dns.mta_sts_missing": "The MTA-STS announcement is missing.",
    "wrong_dns.mta_sts_two": "There are several MTA-STS records. Then senders ignore all of them.",
    "wrong_dns.mta_sts_syntax": "The MTA-STS record has a mistake and cannot be read.",
    "wrong_dns.mta_sts_id": (
        "The id= is an old one: senders do not notice that the policy has changed."
    ),
    "wrong_dns.tls_rpt_missing": (
        "The TLS-RPT record is missing: failures of encryption are not reported."
    ),
    "wrong_dns.tls_rpt_unreported": (
        "No reports about encryption are requested. Without them MTA-STS cannot become stricter."
    ),
    "wrong_dns.tls_rpt_two": "There are several TLS-RPT records. Then no reports are sent.",
    "wrong_dns.tls_rpt_syntax": "The TLS-RPT record has a mistake and cannot be read.",
    "wrong_dns.tls_rpt_no_mailbox": "Reports go to an address that does not exist here.",
    "wrong_dns.srv_missing": "An SRV record is missing.",
    "wrong_dns.srv_target": "An SRV record leads mail programs to another server.",
    "wrong_dns.srv_offered": "An SRV record names a service that is not offered here.",
    "wrong_dns.autoconfig_missing": "The name is missing.",
    "wrong_dns.autoconfig_elsewhere": (
        "The name leads elsewhere. Mail programs might send passwords there."
    ),
    "wrong_dns.autodiscover_missing": "The name or its SRV record is missing.",
    "wrong_dns.autodiscover_elsewhere": (
        "The name leads elsewhere. Outlook might send passwords there."
    ),
    "wrong_dns.address_missing": "The name has no address.",
    "wrong_dns.address_elsewhere": "The name leads to another host.",
    "wrong_dns.address_cname": "The name is a CNAME. It may have no other record then.",
    "wrong_dns.caa_missing": "Without a CAA record any authority may issue certificates.",
    "wrong_dns.caa_forbids": "Our authority may not issue a certificate.",
    "wrong_dns.leftover_autodiscover": "Outlook is still led to the previous provider.",
    "wrong_dns.leftover_dkim": (
        "The previous provider's key is still valid: this provider can sign for the domain."
    ),
}
