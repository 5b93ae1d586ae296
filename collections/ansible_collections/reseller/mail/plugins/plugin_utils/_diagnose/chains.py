# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of each problem, in their order, and what their answers mean (S3-35 to S3-40).

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import functools
import typing as t

from .._language.schema import PROTOCOLS
from .._model.access import login_protocols
from .._model.addresses import senders
from .._model.suspension import in_effect
from .._verify.finding import Finding, worst
from . import host as on_host
from . import smime
from .subject import Check, Known, Step, Target, Trail, follow_checks, targets

FILES, DNS, PROBE = "files", "DNS", "probe"
"""Sources of evidence: the estate's files, answers of DNS, answers of mail servers."""

NEEDS_ADDRESS = "asked about the domain; ask about an address"


def address_exists(known: Known) -> Step:
    """Return whether the files have the address (S3-36)."""
    subject, asks = known.subject, "it is in the files"
    if subject.kind != "unknown":
        what = f"{subject.kind} of {subject.tenant.name}"
        if subject.name != subject.domain.name:
            what += f", another name of {subject.domain.name}"
        return Step("address.known", asks, "ok", FILES, f"{what} ({subject.at})")
    near = [
        target.wrong.partition("; ")[2] for target in targets(known.estate, subject) if target.wrong
    ]
    return Step(
        "address.unknown",
        asks,
        "fail",
        FILES,
        "; ".join(filter(None, [f"{subject.domain.at.file} has no {subject.address}", *near])),
        f"add a mailbox or an alias to {subject.domain.at.file}, or write to the right address",
    )


def is_served(use: str, known: Known) -> Step:
    """Return whether hosts serve the tenant, the domain and the name for this use.

    ``use`` is a key of the setting ``suspension``: ``inbound``, ``outbound`` or ``login``.
    """
    asks = "hosts serve it"
    return (
        _tenant_not_served(known, asks)
        or _name_not_verified(known, asks)
        or _suspension(use, known, asks)
        or Step("state", asks, "ok", FILES, "active")
    )


def _tenant_not_served(known: Known, asks: str) -> t.Optional[Step]:
    """Return the step that fails if the tenant is pending or terminated."""
    tenant = known.subject.tenant
    if tenant.state not in ("pending", "terminated"):
        return None
    return Step(
        f"tenant.{tenant.state}",
        asks,
        "fail",
        FILES,
        f"{tenant.name} is {tenant.state} ({tenant.at.of('state')})",
        f"set state: active in {tenant.at.file}",
    )


def _name_not_verified(known: Known, asks: str) -> t.Optional[Step]:
    """Return the step that fails if the domain or its alias is among the unverified domains."""
    tenant, domain = known.subject.tenant, known.subject.domain
    unverified = [
        name for name in (domain.name, known.subject.name) if name in tenant.unverified_domains
    ]
    if not unverified and domain.verified:
        return None
    name = (unverified or [domain.name])[0]
    return Step(
        "domain.unverified",
        asks,
        "fail",
        FILES,
        f"{name} is not verified yet ({tenant.at.of('unverified_domains')})",
        f"verify that {tenant.name} owns {name}, then remove it from unverified_domains in"
        f" {tenant.at.file}",
    )


def _suspension(use: str, known: Known, asks: str) -> t.Optional[Step]:
    """Return the step about what suspensions leave of this use; None if nothing is suspended.

    It names the first of tenant, domain and mailbox that is suspended.
    """
    subject = known.subject
    tenant, domain, mailbox = subject.tenant, subject.domain, subject.mailbox
    cells = in_effect(tenant, domain, mailbox)
    if cells is None:
        return None
    levels = (
        ("tenant", tenant.state, tenant.name, tenant.at),
        ("domain", domain.state, domain.name, domain.at),
        (
            "mailbox",
            mailbox.state if mailbox else "active",
            mailbox.address if mailbox else "",
            subject.at,
        ),
    )
    what, name, at = next(
        (what, name, at) for what, state, name, at in levels if state == "suspended"
    )
    place = next((one.at for one in tenant.suspensions if one.of == name), at.of("state"))
    found = f"the {what} is suspended ({place})"
    value = {"inbound": cells.inbound, "login": cells.login}.get(use, cells.submission)
    if value in ("accept", "allow"):
        return Step("state", asks, "ok", FILES, f"{found}; {_STILL[use]}")
    return Step(
        f"{what}.suspended",
        asks,
        "fail",
        FILES,
        f"{found}: {_REFUSED.get(value, _REFUSED_USE[use])}",
        f"when the reason is settled, remove the suspension at {place} or in {tenant.at.file}",
    )


_STILL = {
    "inbound": "it still receives mail",
    "outbound": "its users may still send",
    "login": "its users may still log in",
}
_REFUSED = {
    "hold": "its mail is held until the suspension ends",
    "defer": "senders shall try again later",
    "reject": "senders are refused",
}
_REFUSED_USE = {
    "inbound": "senders are refused",
    "outbound": "it may not send mail",
    "login": "logins are refused",
}


def dns_answer(group: str, asks: str, known: Known, *, of: str = "name") -> Step:
    """Return what verify found about one question.

    ``group`` is the id of the question; ids of its findings begin with it. ``of`` is the name that
    the findings are about: ``name`` (the subject's), ``provider`` or ``node``.
    """
    if known.dns is None:
        return Step(group, asks, "na", DNS, known.not_asked("dns"))
    wanted = {
        "name": known.subject.name,
        "provider": known.estate.provider.domain,
        "node": known.node.hostname,
    }[of]
    rows = [one for one in known.dns if _matches(group, one) and _is_about(one, wanted, group)]
    if not rows:
        if group == "dns.resolver":  # verify has a finding about the resolver only if it fails
            return Step(group, asks, "ok", DNS, "it answers")
        return Step(group, asks, "na", DNS, "verify has no question about this name")
    return _worst_finding(group, asks, rows)


def _worst_finding(group: str, asks: str, rows: t.Sequence[Finding]) -> Step:
    """Return the step with the worst state of the findings, and what those of that state found."""
    state = worst(row.state for row in rows)
    shown = [row for row in rows if row.state == state]
    found = "; ".join(dict.fromkeys(" ".join(row.found.split()) for row in shown if row.found))
    if state not in ("fail", "warn"):
        return Step(group, asks, state, DNS, found)
    remedy = "\n".join(dict.fromkeys(row.remedy for row in shown if row.remedy))
    return Step(shown[0].id, asks, state, DNS, found, remedy)


def _matches(group: str, finding: Finding) -> bool:
    """Return whether a finding answers the question: its id is the question's or begins with it."""
    return finding.id == group or finding.id.startswith(f"{group}_")


def _is_about(finding: Finding, wanted: str, group: str) -> bool:
    """Return whether a finding is about the name.

    Findings about name servers and DNSSEC are about the zone, which may be above the name.
    """
    if group == "dns.resolver":
        return True
    return finding.subject == wanted or (
        group in ("dns.servers", "dns.dnssec") and wanted.endswith(f".{finding.subject}")
    )


def targets_exist(known: Known) -> Step:
    """Return whether the address delivers to addresses that exist (S3-36)."""
    subject, asks = known.subject, "its mail has a destination"
    if not subject.address:
        return Step("alias.targets", asks, "na", FILES, NEEDS_ADDRESS)
    found = targets(known.estate, subject)
    wrong = [target for target in found if target.wrong]
    if wrong:
        reasons = "; ".join(f"{target.wrong} ({target.at})" for target in wrong)
        return Step(
            "alias.target",
            asks,
            "fail",
            FILES,
            f"{subject.address} delivers to {reasons}",
            f"write the right address at {wrong[0].at}",
        )
    if not found:
        return Step(
            "alias.loop",
            asks,
            "fail",
            FILES,
            f"{subject.address} delivers to itself ({subject.at})",
            f"write another address at {subject.at}",
        )
    text = ", ".join(_shown_target(known, target) for target in found)
    return Step("alias.targets", asks, "ok", FILES, text)


def _shown_target(known: Known, target: Target) -> str:
    """Return the address, with a note if another provider has it."""
    name = target.address.rpartition("@")[2]
    ours = any(name in domain.names for _tenant, domain in known.estate.served_domains())
    return target.address if ours else f"{target.address} (elsewhere: ask its host)"


def mx_accepts(known: Known) -> Step:
    """Return whether the MX accepts RCPT TO for the address from an external server (S3-36)."""
    asks = "an external mail server may deliver"
    if not known.subject.address:
        return Step("rcpt", asks, "na", PROBE, NEEDS_ADDRESS)
    if known.replies is None:
        return Step("rcpt", asks, "na", PROBE, known.not_asked("replies"))
    bad = [reply for reply in known.replies if reply.code != 250]
    text = "; ".join(
        f"{reply.host} port 25: {f'{reply.code} ' if reply.code else ''}{reply.text}"
        for reply in bad or known.replies
    )
    if not bad:
        return Step("rcpt", asks, "ok", PROBE, text)
    host, code = bad[0].host, bad[0].code
    if code == 0:
        remedy = f"look at Postfix and the firewall on {host}"
        return Step("rcpt.silent", asks, "fail", PROBE, text, remedy)
    alias = known.subject.alias
    if code >= 500 and alias and alias.internal_only:
        place = alias.at.of("internal_only")
        remedy = f"log in as a user of {known.subject.tenant.name}, or set internal_only: false"
        return Step("rcpt.internal", asks, "fail", PROBE, text, f"{remedy} at {place}")
    remedy = f"look for {known.subject.text} in the log of {host}"
    refused = "rcpt.refused" if code >= 500 else "rcpt.deferred"
    return Step(refused, asks, "fail", PROBE, text, remedy)


def has_login(known: Known) -> Step:
    """Return whether the address is a login by the files (S3-39).

    A mailbox logs in by every name of its domain.
    """
    subject, asks = known.subject, "it is a login"
    if not subject.address:
        return Step(
            "login.allowed", asks, "na", FILES, "asked about the domain; ask about a mailbox"
        )
    mailbox = subject.mailbox
    if mailbox is None:
        return Step(
            "login.no_mailbox",
            asks,
            "fail",
            FILES,
            f"{subject.address} is {_with_article(subject.kind)} ({subject.at}): it has no login",
            f"log in as {' or '.join(_own_mailboxes(known)[:3]) or 'a mailbox'}",
        )
    if mailbox.credentials != "local":
        place = subject.at.of("credentials")
        return Step(
            "login.external",
            asks,
            "fail",
            FILES,
            f"its credentials are {mailbox.credentials} ({place}): the host refuses its logins",
            f"log in where the password is kept, or set credentials: local at {place}",
        )
    allowed = login_protocols(subject.tenant, subject.domain, mailbox)
    if not allowed:
        return Step(
            "login.refused",
            asks,
            "fail",
            FILES,
            f"{subject.address} may not log in",
            "look at the states of its tenant, its domain and the mailbox",
        )
    logins = dict.fromkeys((f"{mailbox.name}@{subject.name}", mailbox.address))
    found = f"as {' or '.join(logins)}; with {', '.join(allowed)}"
    others = [one for one in PROTOCOLS if one not in allowed]
    if others:
        found += f"; hosts refuse {on_host.refused_protocols(known, others)}"
    return Step("login.allowed", asks, "ok", FILES, found)


def _own_mailboxes(known: Known) -> list[str]:
    """Return the mailboxes of the tenant that the subject delivers to."""
    own = {box.address for domain in known.subject.tenant.domains for box in domain.mailboxes}
    return [
        target.address for target in targets(known.estate, known.subject) if target.address in own
    ]


def _with_article(kind: str) -> str:
    """Return the kind of an address with its article: an alias, a mailbox."""
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def has_sender(known: Known) -> Step:
    """Return whether some login may send with the address in From."""
    subject, asks = known.subject, "a login may send as it"
    if not subject.address:
        return Step("sender", asks, "na", FILES, NEEDS_ADDRESS)
    logins = senders(known.estate).get(
        f"{subject.address.rpartition('@')[0]}@{subject.name}", frozenset()
    )
    if logins:
        return Step("sender", asks, "ok", FILES, f"logged in as {', '.join(sorted(logins))}")
    remedy = (
        f"set may_send: true at {subject.at}"
        if subject.alias
        else f"make it a mailbox or a sender address in {subject.domain.at.file}"
    )
    return Step(
        "sender.no_login",
        asks,
        "fail",
        FILES,
        f"{subject.address} is {_with_article(subject.kind)} ({subject.at}): no login may send"
        " as it",
        remedy,
    )


def ports_answer(group: t.Collection[str], asks: str, known: Known) -> Step:
    """Return whether these ports answer with valid TLS at the users' host name (S3-39).

    ``group`` has the ids of verify's findings about the ports.
    """
    host = known.subject.domain.branding.hostname or known.node.hostname
    if known.connections is None:
        return Step("access", asks, "na", PROBE, known.not_asked("connections"))
    rows = [row for row in known.connections if row.id in group]
    if not rows:
        return Step("access", asks, "na", PROBE, "not asked")
    bad = [row for row in rows if row.state in ("fail", "blocked")]
    if bad:
        return Step(
            bad[0].id,
            asks,
            "fail",
            PROBE,
            "; ".join(dict.fromkeys(f"{row.subject}: {row.found}" for row in bad)),
            bad[0].remedy
            or f"publish an address for {host} in DNS:"
            " ansible-playbook reseller.mail.verify shows the record",
        )
    protocols = ", ".join(row.id.removeprefix("access.") for row in rows)
    return Step("access", asks, "ok", PROBE, f"{host}: {protocols}")


def signature_verifies(known: Known) -> Step:
    """Return whether the DKIM signature of a message that was sent verifies (S3-38)."""
    asks = "a message that was sent verifies"
    rows = [row for row in known.mail if row.id == "mail.dkim"]
    if not rows:
        return Step("mail.dkim", asks, "na", PROBE, known.not_asked("mail"))
    row = rows[0]
    return Step("mail.dkim", asks, row.state, PROBE, row.found, row.remedy)


def password_works(known: Known) -> Step:
    """Return whether the given password logs in for IMAP and submission."""
    asks = "the given password logs in"
    rows = [row for row in known.mail if row.id in ("mail.fetch", "mail.submit")]
    if not rows:
        return Step("mail.fetch", asks, "na", PROBE, known.not_asked("mail"))
    bad = next((row for row in rows if row.state == "fail"), None)
    if bad:
        return Step(bad.id, asks, "fail", PROBE, bad.found, bad.remedy)
    return Step("mail.fetch", asks, "ok", PROBE, "logged in, sent and read")


def block_lists(known: Known) -> Step:
    """Return the step that names the addresses to look up in block lists, which are not asked."""
    addresses = ", ".join(known.node.addresses)
    return Step(
        "reputation",
        "the host's addresses are in no block list",
        "na",
        DNS,
        f"not asked: look up {addresses} in the block lists that the receivers use",
    )


def _dns_checks(*asked: tuple[str, str, str]) -> list[Check]:
    """Return the checks for (id of the question, the question, whose name it is about)."""
    return [functools.partial(dns_answer, group, asks, of=of) for group, asks, of in asked]


def _host_works(needed: t.Collection[str]) -> Check:
    """Return the check of what the problem needs of the host."""
    return functools.partial(on_host.works, needed)


_ZONE = (
    ("dns.resolver", "the resolver answers", "name"),
    ("dns.servers", "the name servers answer", "name"),
    ("dns.dnssec", "DNSSEC is valid", "name"),
    ("dns.mx", "the MX is ours", "name"),
)
_REVERSE = ("dns.fcrdns", "the host's reverse records lead to its name and back", "node")
_USER_PORTS = (
    "access.imap",
    "access.pop3",
    "access.submission",
    "access.submissions",
    "access.sieve",
)
CHAINS: t.Final[dict[str, list[Check]]] = {
    "inbound": [
        address_exists,
        functools.partial(is_served, "inbound"),
        *_dns_checks(*_ZONE),
        targets_exist,
        on_host.is_reached,
        _host_works(on_host.RECEIVES),
        on_host.tables_match,
        on_host.knows_mailbox,
        on_host.has_room,
        mx_accepts,
        on_host.inbound_log,
        on_host.sieve_log,
    ],
    "outbound": [
        address_exists,
        functools.partial(is_served, "outbound"),
        on_host.is_reached,
        _host_works(on_host.SUBMITS),
        has_sender,
        on_host.tables_match,
        on_host.may_send_more,
        functools.partial(
            ports_answer,
            ("access.submission", "access.submissions"),
            "the ports for sending answer",
        ),
        on_host.outbound_log,
        *_dns_checks(("dns.resolver", "the resolver answers", "name"), _REVERSE),
    ],
    "spam": [
        address_exists,
        functools.partial(is_served, "outbound"),
        *_dns_checks(
            *_ZONE,
            ("dns.provider_spf", "the provider's SPF record lists the hosts", "provider"),
            ("dns.spf", "SPF permits the hosts", "name"),
            ("dns.dkim", "the DKIM keys are in DNS", "name"),
            ("dns.dmarc", "there is one DMARC record", "name"),
            _REVERSE,
            ("dns.node_spf", "the host's own name has an SPF record", "node"),
        ),
        signature_verifies,
        block_lists,
    ],
    "dkim": [
        address_exists,
        functools.partial(is_served, "outbound"),
        on_host.key_is_reported,
        on_host.is_reached,
        _host_works(on_host.SIGNS),
        on_host.has_reported_key,
        on_host.signs_with_key,
        *_dns_checks(*_ZONE, ("dns.dkim", "DNS has the key at the selector", "name")),
        signature_verifies,
    ],
    "login": [
        address_exists,
        functools.partial(is_served, "login"),
        has_login,
        on_host.is_reached,
        _host_works(on_host.LOGS_IN),
        functools.partial(
            ports_answer, _USER_PORTS, "host name, ports and TLS are those in the users' settings"
        ),
        on_host.knows_mailbox,
        on_host.permits_login,
        on_host.has_password,
        password_works,
        on_host.is_not_banned,
        on_host.login_log,
    ],
    "smime": [
        address_exists,
        functools.partial(is_served, "login"),
        smime.is_readable,
        smime.is_valid_now,
        smime.is_for_address,
        smime.mail_program,
    ],
}
"""The checks of each problem, in the order in which one is the cause of another."""


def diagnose(known: Known, troubles: t.Iterable[str]) -> list[Trail]:
    """Return the steps of each problem.

    A mailbox needs a certificate only if ``smime`` is the one problem that was asked about.
    """
    troubles = list(troubles)
    first = [smime.has_certificate] if troubles == ["smime"] else []
    return [
        follow_checks(one, known, [*CHAINS[one][:2], *first, *CHAINS[one][2:]]) for one in troubles
    ]
