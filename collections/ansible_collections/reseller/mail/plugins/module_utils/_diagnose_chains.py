# SPDX-License-Identifier: GPL-3.0-or-later
"""The six ways to a cause (rows S3-35 to S3-40): which questions, in which order, and what their answers mean.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import functools
import typing as t

from ansible_collections.reseller.mail.plugins.module_utils import _diagnose_host as on_host
from ansible_collections.reseller.mail.plugins.module_utils import _diagnose_smime as smime
from ansible_collections.reseller.mail.plugins.module_utils._compile._addresses import (
    may_log_in,
    senders,
)
from ansible_collections.reseller.mail.plugins.module_utils._diagnose import (
    Check,
    Known,
    Step,
    Trail,
    targets,
    trail,
)
from ansible_collections.reseller.mail.plugins.module_utils._finding import Finding, worst
from ansible_collections.reseller.mail.plugins.module_utils._schema import NOT_YET
from ansible_collections.reseller.mail.plugins.module_utils._schema.policy import SUSPENSION

FILES, DNS, PROBE = "files", "DNS", "probe"


def exists(known: Known) -> Step:
    """S3-36: the address is somebody's."""
    subject, asks = known.subject, "the files know it"
    if subject.kind != "unknown":
        what = f"{subject.kind} of {subject.tenant.name}" + (
            f", another name of {subject.domain.name}"
            if subject.name != subject.domain.name
            else ""
        )
        return Step("address.known", asks, "ok", FILES, f"{what} ({subject.at})")
    near = [
        target.wrong.partition("; ")[2] for target in targets(known.estate, subject) if target.wrong
    ]
    remedy = f"add a mailbox or an alias to {subject.domain.at.file}, or write to the right address"
    return Step(
        "address.unknown",
        asks,
        "fail",
        FILES,
        "; ".join(filter(None, [f"{subject.domain.at.file} has no {subject.address}", *near])),
        remedy,
    )


def served(use: str, known: Known) -> Step:
    """Whether the tenant, the domain and the name are served at all, and for what they are used."""
    subject, asks = known.subject, "hosts serve it"
    tenant, domain = subject.tenant, subject.domain
    account = tenant.at.file
    if tenant.state in ("pending", "terminated"):
        return Step(
            f"tenant.{tenant.state}",
            asks,
            "fail",
            FILES,
            f"{tenant.name} is {tenant.state} ({tenant.at.of('state')})",
            f"state: active in {account}",
        )
    unverified = [name for name in (domain.name, subject.name) if name in tenant.unverified_domains]
    if unverified or not domain.verified:
        name = (unverified or [domain.name])[0]
        return Step(
            "domain.unverified",
            asks,
            "fail",
            FILES,
            f"nobody has verified {name} yet ({tenant.at.of('unverified_domains')})",
            f"verify that {tenant.name} owns {name}, then take it out of unverified_domains in {account}",
        )
    mailbox = subject.mailbox
    suspended = next(
        (
            (what, at)
            for what, state, at in (
                ("tenant", tenant.state, tenant.at),
                ("domain", domain.state, domain.at),
                ("mailbox", mailbox.state if mailbox else "active", subject.at),
            )
            if state == "suspended"
        ),
        None,
    )
    if suspended is None:
        return Step("state", asks, "ok", FILES, "active")
    what, at = suspended
    found = f"the {what} is suspended ({at.of('state')})"
    if use == "inbound" and (
        tenant.suspension.inbound == "accept" or SUSPENSION.keys["inbound"].acts == NOT_YET
    ):
        return Step("state", asks, "ok", FILES, f"{found}; mail is taken all the same")
    return Step(
        f"{what}.suspended",
        asks,
        "fail",
        FILES,
        found,
        f"state: active at {at.of('state')}, or in {account}, once the reason is settled",
    )


def _matches(group: str, finding: Finding) -> bool:
    return finding.id == group or finding.id.startswith(f"{group}_")


def names(group: str, asks: str, known: Known, *, of: str = "name") -> Step:
    """What verify found out about one question."""
    if known.dns is None:
        return Step(group, asks, "na", DNS, known.not_asked("dns"))
    subjects = {
        "name": known.subject.name,
        "provider": known.estate.provider.domain,
        "node": known.node.hostname,
    }
    wanted = subjects[of]
    rows = [one for one in known.dns if _matches(group, one) and _about(one.subject, wanted, group)]
    if group == "dns.resolver" and not rows:
        return Step(group, asks, "ok", DNS, "it answers")
    if not rows:
        return Step(group, asks, "na", DNS, "nothing is asked of this name")
    state = worst(row.state for row in rows)
    shown = [row for row in rows if row.state == state]
    first = shown[0].id if state in ("fail", "warn") else group
    found = "; ".join(dict.fromkeys(" ".join(row.found.split()) for row in shown if row.found))
    remedy = "\n".join(dict.fromkeys(row.remedy for row in shown if row.remedy))
    return Step(first, asks, state, DNS, found, remedy if state in ("fail", "warn") else "")


def _about(subject: str, wanted: str, group: str) -> bool:
    """Name servers are a zone's, which may lie above the name."""
    if group == "dns.resolver":
        return True
    return subject == wanted or (
        group in ("dns.servers", "dns.dnssec") and wanted.endswith(f".{subject}")
    )


def leads(known: Known) -> Step:
    """S3-36: behind an alias somebody must be."""
    subject, asks = known.subject, "it leads to somebody"
    if not subject.address:
        return Step(
            "alias.targets", asks, "na", FILES, "asked about the domain; ask about an address"
        )
    found = targets(known.estate, subject)
    wrong = [target for target in found if target.wrong]
    if wrong:
        said = "; ".join(f"{target.wrong} ({target.at})" for target in wrong)
        return Step(
            "alias.target",
            asks,
            "fail",
            FILES,
            f"{subject.address} leads to {said}",
            f"write the right address at {wrong[0].at}",
        )
    if not found:
        return Step(
            "alias.loop",
            asks,
            "fail",
            FILES,
            f"{subject.address} leads to itself ({subject.at})",
            f"name somebody else at {subject.at}",
        )
    outside = {target.address for target in found if not _ours(known, target.address)}
    text = ", ".join(
        f"{target.address} (elsewhere: ask its host)"
        if target.address in outside
        else target.address
        for target in found
    )
    return Step("alias.targets", asks, "ok", FILES, text)


def _ours(known: Known, address: str) -> bool:
    name = address.rpartition("@")[2]
    return any(name in domain.names for _tenant, domain in known.estate.served_domains())


def door(known: Known) -> Step:
    """S3-36: what a stranger's server hears."""
    asks = "a stranger's mail server may deliver"
    if not known.subject.address:
        return Step("rcpt", asks, "na", PROBE, "asked about the domain; ask about an address")
    if known.replies is None:
        return Step("rcpt", asks, "na", PROBE, known.not_asked("replies"))
    bad = [reply for reply in known.replies if reply.code != 250]
    text = "; ".join(
        f"{reply.host} port 25: {f'{reply.code} ' if reply.code else ''}{reply.text}"
        for reply in bad or known.replies
    )
    if not bad:
        return Step("rcpt", asks, "ok", PROBE, text)
    silent = bad[0].code == 0
    remedy = (
        f"look at Postfix and the firewall on {bad[0].host}"
        if silent
        else f"look for {known.subject.text} in the log of {bad[0].host}"
    )
    return Step(
        "rcpt.silent" if silent else "rcpt.refused" if bad[0].code >= 500 else "rcpt.deferred",
        asks,
        "fail",
        PROBE,
        text,
        remedy,
    )


def logs_in(known: Known) -> Step:
    """S3-39: there is a mailbox, and its user may log in."""
    subject, asks = known.subject, "somebody may log in as it"
    if not subject.address:
        return Step(
            "login.allowed", asks, "na", FILES, "asked about the domain; ask about a mailbox"
        )
    mailbox = subject.mailbox
    if mailbox is None:
        own = {box.address for domain in subject.tenant.domains for box in domain.mailboxes}
        ends = [
            target.address for target in targets(known.estate, subject) if target.address in own
        ]
        return Step(
            "login.no_mailbox",
            asks,
            "fail",
            FILES,
            f"{subject.address} is {_a(subject.kind)} ({subject.at}): it has no login",
            f"log in as {' or '.join(ends[:3])}" if ends else "log in as a mailbox",
        )
    if mailbox.credentials != "local":
        return Step(
            "login.external",
            asks,
            "fail",
            FILES,
            f"its credentials are {mailbox.credentials} ({subject.at.of('credentials')}): nobody logs in here",
            f"log in where its credentials are kept, or credentials: local at {subject.at.of('credentials')}",
        )
    if subject.name != subject.domain.name:
        return Step(
            "login.name",
            asks,
            "fail",
            FILES,
            f"{subject.text} is a name of {subject.address}: the login is the mailbox's own",
            f"log in as {subject.address}",
        )
    if not may_log_in(subject.tenant, subject.domain, mailbox):
        return Step(
            "login.refused",
            asks,
            "fail",
            FILES,
            f"{subject.address} may not log in",
            "look at its state",
        )
    return Step(
        "login.allowed",
        asks,
        "ok",
        FILES,
        f"as {mailbox.address}, for {', '.join(mailbox.protocols)}",
    )


def _a(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def sends(known: Known) -> Step:
    """Who may have it as From."""
    subject, asks = known.subject, "somebody may send as it"
    if not subject.address:
        return Step("sender", asks, "na", FILES, "asked about the domain; ask about an address")
    logins = senders(known.estate).get(
        f"{subject.address.rpartition('@')[0]}@{subject.name}", frozenset()
    )
    if logins:
        return Step("sender", asks, "ok", FILES, f"logged in as {', '.join(sorted(logins))}")
    remedy = (
        f"may_send: true at {subject.at}"
        if subject.alias
        else f"make it a mailbox or a sender address in {subject.domain.at.file}"
    )
    return Step(
        "sender.nobody",
        asks,
        "fail",
        FILES,
        f"{subject.address} is {_a(subject.kind)} that nobody may send as ({subject.at})",
        remedy,
    )


def doors(group: t.Collection[str], asks: str, known: Known) -> Step:
    """S3-39: host name, port, TLS."""
    host = known.subject.domain.branding.hostname or known.node.hostname
    if known.knocks is None:
        return Step("access", asks, "na", PROBE, known.not_asked("knocks"))
    rows = [row for row in known.knocks if row.id in group]
    bad = [row for row in rows if row.state in ("fail", "blocked")]
    if bad:
        return Step(
            bad[0].id,
            asks,
            "fail",
            PROBE,
            "; ".join(dict.fromkeys(f"{row.subject}: {row.found}" for row in bad)),
            bad[0].remedy
            or f"give {host} an address in DNS: ansible-playbook reseller.mail.verify names the record",
        )
    return Step(
        "access",
        asks,
        "ok" if rows else "na",
        PROBE,
        f"{host}: {', '.join(row.id.removeprefix('access.') for row in rows)}"
        if rows
        else "not asked",
    )


def signature(known: Known) -> Step:
    """S3-38: a message that was really sent."""
    asks = "a message that was sent verifies"
    rows = [row for row in known.mail if row.id == "mail.dkim"]
    if not rows:
        return Step("mail.dkim", asks, "na", PROBE, known.not_asked("mail"))
    row = rows[0]
    return Step("mail.dkim", asks, row.state, PROBE, row.found, row.remedy)


def password_works(known: Known) -> Step:
    asks = "the password that was given logs in"
    rows = [row for row in known.mail if row.id in ("mail.fetch", "mail.submit")]
    if not rows:
        return Step("mail.fetch", asks, "na", PROBE, known.not_asked("mail"))
    bad = next((row for row in rows if row.state == "fail"), None)
    return (
        Step(bad.id, asks, "fail", PROBE, bad.found, bad.remedy)
        if bad
        else Step("mail.fetch", asks, "ok", PROBE, "logged in, sent and read")
    )


def reputation(known: Known) -> Step:
    return Step(
        "reputation",
        "no block list has the host's addresses",
        "na",
        DNS,
        f"not asked: look up {', '.join(known.node.addresses)} where the receivers look",
    )


def _dns(*asked: tuple[str, str, str]) -> list[Check]:
    return [functools.partial(names, group, asks, of=of) for group, asks, of in asked]


def _well(needed: t.Collection[str]) -> Check:
    return functools.partial(on_host.healthy, needed)


_ZONE = (
    ("dns.resolver", "the resolver answers", "name"),
    ("dns.servers", "the name servers answer", "name"),
    ("dns.dnssec", "what they say can be verified", "name"),
    ("dns.mx", "the MX is ours", "name"),
)
_USERS = ("access.imap", "access.pop3", "access.submission", "access.submissions", "access.sieve")
_CLIENTS = "the host's name, ports and TLS are as users are told"
CHAINS: t.Final[dict[str, list[Check]]] = {
    "inbound": [
        exists,
        functools.partial(served, "inbound"),
        *_dns(*_ZONE),
        leads,
        on_host.reached,
        _well(on_host.RECEIVES),
        on_host.same,
        on_host.mailbox,
        on_host.space,
        door,
        on_host.log_in,
    ],
    "outbound": [
        exists,
        functools.partial(served, "outbound"),
        on_host.reached,
        _well(on_host.SUBMITS),
        sends,
        on_host.same,
        functools.partial(
            doors, ("access.submission", "access.submissions"), "the ports for sending answer"
        ),
        on_host.log_out,
        *_dns(
            ("dns.resolver", "the resolver answers", "name"),
            ("dns.fcrdns", "the host's addresses lead to its name and back", "node"),
        ),
    ],
    "spam": [
        exists,
        functools.partial(served, "outbound"),
        *_dns(
            *_ZONE,
            ("dns.provider_spf", "the provider's SPF record lists the hosts", "provider"),
            ("dns.spf", "SPF lets the hosts send", "name"),
            ("dns.dkim", "DKIM keys are in DNS", "name"),
            ("dns.dmarc", "there is one DMARC record", "name"),
            ("dns.fcrdns", "the host's addresses lead to its name and back", "node"),
            ("dns.node_spf", "the host's own name has an SPF record", "node"),
        ),
        signature,
        reputation,
    ],
    "dkim": [
        exists,
        functools.partial(served, "outbound"),
        on_host.reported,
        on_host.reached,
        _well(on_host.SIGNS),
        on_host.same_key,
        on_host.signing,
        *_dns(*_ZONE, ("dns.dkim", "DNS shows the key at the selector", "name")),
        signature,
    ],
    "login": [
        exists,
        functools.partial(served, "login"),
        logs_in,
        on_host.reached,
        _well(on_host.LOGS_IN),
        functools.partial(doors, _USERS, _CLIENTS),
        on_host.mailbox,
        on_host.allowed,
        on_host.password,
        password_works,
        on_host.log_logins,
    ],
    "smime": [
        exists,
        functools.partial(served, "login"),
        smime.pair,
        smime.valid,
        smime.address,
        smime.runtime,
    ],
}


def diagnose(known: Known, troubles: t.Iterable[str]) -> list[Trail]:
    """Each trouble's way. Who asks about S/MIME alone has trouble with it, and should have a certificate."""
    troubles = list(troubles)
    first = [smime.there] if troubles == ["smime"] else []
    return [trail(one, known, [*CHAINS[one][:2], *first, *CHAINS[one][2:]]) for one in troubles]
