# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks that compare a running host with the files, and those of its log.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.reseller.mail.plugins.module_utils._host.mail_log import (
    DELIVERER,
    Line,
    mentions,
    queue_of,
)

from .._compile import logins, opendkim, postfix
from .._model.access import login_protocols
from .._model.sizes import rounded, size
from .._model.values import PROTOCOLS
from .._verify.host import refusal_text
from .subject import Known, Step, targets

RECEIVES = (
    "host.generation",
    "host.disk",
    "host.guard",
    "host.opendkim",
    "host.dovecot",
    "host.postfix",
    "host.filter",
    "host.antivirus_database",
    "host.antivirus",
    "host.queue",
    "host.srs",
)
"""What a host needs to accept and deliver mail, in the order in which one is the cause of another:
ids of verify's findings."""
SUBMITS = (
    *RECEIVES,
    "host.clock",
    "host.sending_limit",
    "host.relays",
    "host.outbound",
)
SIGNS = ("host.generation", "host.clock", "host.opendkim", "host.opendkim_ed25519")
LOGS_IN = (
    "host.generation",
    "host.disk",
    "host.guard",
    "host.opendkim",
    "host.dovecot",
    "host.postfix",
)
_SCRIPT_FAILED = re.compile(r"(?:Execution of|Failed to (?:compile|open)) script .* |.*aborted")
_FULL = re.compile(r"\b[45]\.2\.2\b|over quota|mailbox is full", re.I)
_TEMPORARY = re.compile(r"reject: \S+ from \S+: 4(?:\d\d|\.\d+\.\d+) ")
_LIMITED = re.compile(r"Sending limit reached: |Too many recipients: ")
"""What the daemon of the sending limits answers."""
_CLIENT = re.compile(
    r"\brip=([0-9A-Fa-f.:]+)|from \S*?\[([0-9A-Fa-f.:]+)\]|client=\S*?\[([0-9A-Fa-f.:]+)\]"
)

ABOUT_DOMAIN = "asked about the domain"
LOOK_BACK = "look back further with diagnose_since"


def _host(known: Known) -> str:
    """Return the source of evidence for what the node answered."""
    return f"host {known.node.name}"


def _log(known: Known) -> str:
    """Return the source of evidence for lines of the node's log."""
    return f"log of {known.node.name}"


def _not_asked(id_: str, asks: str, known: Known, why: str = "") -> Step:
    """Return the step that was not asked, with its reason."""
    return Step(id_, asks, "na", _host(known), why or known.not_asked("host"))


def is_reached(known: Known) -> Step:
    """Return whether the controller reached the node."""
    asks = "the controller reaches the host"
    if known.host is not None:
        generation = known.host["generation"] or "(none)"
        return Step("host.reached", asks, "ok", _host(known), f"it serves generation {generation}")
    if "lost" in known.why:
        return Step(
            "host.unreachable",
            asks,
            "fail",
            _host(known),
            known.why["lost"],
            f"look at {known.node.hostname}: power, network, SSH",
        )
    return _not_asked("host.reached", asks, known)


def works(needed: t.Collection[str], known: Known) -> Step:
    """Return whether the host has what the problem needs, by verify's findings about the host.

    ``needed`` has the ids of these findings. The first of them that fails is the cause.
    """
    asks = "the host works: services, space, queue, generation"
    if known.health is None:
        return _not_asked("host.services", asks, known, known.not_asked("health"))
    rows = [row for row in known.health if row.id in needed]
    for state in ("fail", "warn"):
        bad = [row for row in rows if row.state == state]
        if bad:
            return Step(
                bad[0].id,
                asks,
                state,
                _host(known),
                "; ".join(row.found for row in bad),
                "\n".join(row.remedy for row in bad),
            )
    return Step(
        "host.services",
        asks,
        "ok",
        _host(known),
        ", ".join(row.id.removeprefix("host.") for row in rows if row.state == "ok"),
    )


def tables_match(known: Known) -> Step:
    """Return whether the node's Postfix tables have the rows that the files compile to (S3-36)."""
    asks = "the host's tables match the files"
    if known.host is None:
        return _not_asked("host.tables", asks, known)
    subject = known.subject
    keys = (
        [subject.text, f"@{subject.name}", subject.name]
        if subject.address
        else [subject.name, f"@{subject.name}"]
    )
    wrong = list(_wrong_rows(known, keys))
    if wrong:
        generation = known.host["generation"] or "none"
        return Step(
            "host.stale",
            asks,
            "fail",
            _host(known),
            f"generation {generation}: {'; '.join(wrong)}",
            f"converge {known.node.name}: ansible-playbook reseller.mail.site --limit"
            f" {known.node.name},localhost",
        )
    rows = [
        f"{table}: {key} → {value}"
        for table, answers in sorted(known.host["tables"].items())
        for key, value in answers.items()
        if key == keys[0]
    ]
    found = "; ".join(rows) or "they have no row for it, as in the files"
    return Step("host.tables", asks, "ok", _host(known), found)


def _wrong_rows(known: Known, keys: t.Iterable[str]) -> t.Iterator[str]:
    """Yield a message for each row of the keys that differs from the files."""
    compiled = postfix.lookups(known.estate, known.node)
    for table, answers in sorted((known.host or {})["tables"].items()):
        wanted = dict(line.split("\t", 1) for line in compiled[f"postfix/{table}"].splitlines())
        for key in keys:
            there, right = _value(answers.get(key)), _value(wanted.get(key))
            if there != right:
                yield f"{table}: {key} is {there}, by the files it is {right}"


def _value(value: t.Optional[str]) -> str:
    """Return the value of a row without white space around it; "missing" if there is no row."""
    return "missing" if value is None else value.strip()


def _mailboxes(known: Known) -> list[t.Mapping[str, t.Any]]:
    """Return the host's entries of the tenant's mailboxes that the subject delivers to."""
    own = {box.address for domain in known.subject.tenant.domains for box in domain.mailboxes}
    found = [
        known.of_host(target.address)
        for target in targets(known.estate, known.subject)
        if target.address in own
    ]
    return [row for row in found if row is not None]


NOT_KEPT_HERE = "this host does not store its mail"


def knows_mailbox(known: Known) -> Step:
    """Return whether Dovecot finds the mailboxes that the subject delivers to."""
    asks = "Dovecot knows the mailbox"
    if known.host is None:
        return _not_asked("host.mailbox", asks, known)
    if not known.subject.address:
        return _not_asked("host.mailbox", asks, known, ABOUT_DOMAIN)
    rows = _mailboxes(known)
    if not rows:
        return _not_asked("host.mailbox", asks, known, NOT_KEPT_HERE)
    lost = [row["address"] for row in rows if not row["user"]]
    if lost:
        return Step(
            "host.no_mailbox",
            asks,
            "fail",
            _host(known),
            f"doveadm user does not know {', '.join(lost)}",
            f"converge {known.node.name}",
        )
    return Step("host.mailbox", asks, "ok", _host(known), ", ".join(row["address"] for row in rows))


def has_room(known: Known) -> Step:
    """Return whether the mailboxes are below their quota, with a warning from ``warn_at`` on."""
    asks = "the mailbox has room"
    if known.host is None:
        return _not_asked("mailbox.space", asks, known)
    rows = _mailboxes(known)
    if not rows:
        return _not_asked("mailbox.space", asks, known, NOT_KEPT_HERE)
    limited = [
        (row, row["used"] * 100 // row["limit"])
        for row in rows
        if row["limit"] and row["used"] is not None
    ]
    text = "; ".join(
        f"{row['address']}: {rounded(row['used'])} of {size(row['limit'])}, {percent} %"
        for row, percent in limited
    )
    full = [row["address"] for row, percent in limited if percent >= 100]
    if full:
        return Step(
            "mailbox.full",
            asks,
            "fail",
            _host(known),
            text,
            f"raise the quota of {', '.join(full)} in the file of the domain, or ask the user to"
            " delete mail",
        )
    if any(percent >= known.estate.quota_policy.warn_at for _row, percent in limited):
        remedy = "a large message may not fit: raise the quota, or delete mail"
        return Step("mailbox.space", asks, "warn", _host(known), text, remedy)
    return Step("mailbox.space", asks, "ok", _host(known), text or "without limit")


def may_send_more(known: Known) -> Step:
    """Return whether the limits of sending let the mailbox send now.

    A limit that refused mail in the last hour and has room again is a hint.
    """
    asks = "its sending limits have room"
    if known.host is None:
        return _not_asked("sending.limits", asks, known)
    rows = [row for row in _mailboxes(known) if row.get("sending")]
    if not rows:
        return _not_asked("sending.limits", asks, known, "its sending is not counted on this host")
    full = [row for row in rows if row["sending"]["again"]]
    refused = [one for row in rows for one in row["sending"]["refused"]]
    used = "; ".join(
        f"{row['address']}: {limit['kind']} {limit['name']} sent {limit['used']} of"
        f" {limit['allowed']} messages in the last hour"
        for row in rows
        for limit in row["sending"]["limits"]
    )
    if full:
        again = max(row["sending"]["again"] for row in full)
        return Step(
            "sending.limited",
            asks,
            "fail",
            _host(known),
            f"{used}; it may send again at {again}",
            f"send again after {again}. If the user did not send that much, somebody has the"
            " password: set a new one. To allow more: rate_limits of the mailbox, sending_limits or"
            " domain_limits of the account",
        )
    if refused:
        texts = "; ".join(refusal_text(one) for one in refused)
        remedy = "the mailbox may send now: send again what was refused"
        return Step("sending.limited", asks, "warn", _host(known), texts, remedy)
    return Step("sending.limits", asks, "ok", _host(known), used or "without limit")


def is_not_banned(known: Known) -> Step:
    """Return whether no network is banned that gave wrong passwords for the mailbox."""
    asks = "no network that guessed at it is banned"
    if known.host is None or not known.subject.address:
        why = "" if known.host is None else ABOUT_DOMAIN
        return _not_asked("login.bans", asks, known, why)
    bans = known.host["bans"]
    if not bans:
        return Step("login.bans", asks, "ok", _host(known), "none is banned")
    return Step(
        "login.banned",
        asks,
        "warn",
        _host(known),
        "; ".join(f"{one['network']} until {one['until']}" for one in bans),
        "if the user is in one of these networks: ansible-playbook reseller.mail.unban -e"
        f" unban_subject={bans[0]['network']}",
    )


def permits_login(known: Known) -> Step:
    """Return whether the generation has the mailbox for all protocols that the files allow."""
    asks = "the host permits its login"
    row = known.of_host(known.subject.address) if known.subject.address else None
    if row is None:
        return _not_asked("host.allowed", asks, known, "" if known.host is None else ABOUT_DOMAIN)
    mailbox = known.subject.mailbox
    by_files = (
        login_protocols(known.subject.tenant, known.subject.domain, mailbox) if mailbox else ()
    )
    on_host = [one for one in PROTOCOLS if logins.SERVICES[one] in row["logins"]]
    missing = [one for one in by_files if one not in on_host]
    if missing:
        found = (
            f"dovecot/logins refuses {row['address']} {', '.join(missing)}, but the files allow it"
        )
        return Step("host.denied", asks, "fail", _host(known), found, f"converge {known.node.name}")
    found = f"dovecot/logins has it for {', '.join(on_host) or 'no protocol'}"
    return Step("host.allowed", asks, "ok", _host(known), found)


def has_password(known: Known) -> Step:
    """Return whether the host's credential store has a password for the mailbox."""
    asks = "it has a password"
    row = known.of_host(known.subject.address) if known.subject.address else None
    if row is None:
        return _not_asked("host.password", asks, known, "" if known.host is None else ABOUT_DOMAIN)
    if row["origin"] is None:
        return Step(
            "host.no_password",
            asks,
            "fail",
            _host(known),
            f"the credential store has no password for {row['address']}",
            f"converge {known.node.name}: this makes an initial password",
        )
    found = f"origin: {row['origin']}"
    if row["origin"] == "initial":
        found += "; the user may not have got it yet (dovecot_initial_passwords)"
    return Step("host.password", asks, "ok", _host(known), found)


def _newest(lines: t.Iterable[Line], *kinds: str) -> t.Optional[Line]:
    """Return the newest line of these kinds, None if there is none."""
    return max((line for line in lines if line.kind in kinds), default=None)


def _good_and_bad(lines: t.Sequence[Line]) -> tuple[t.Optional[Line], t.Optional[Line]]:
    """Return the newest delivery, and the newest failure if no delivery is as new."""
    good, bad = _newest(lines, "delivered"), _newest(lines, "refused", "bounced", "deferred")
    return good, bad if bad and (good is None or bad.at > good.at) else None


def inbound_log(known: Known) -> Step:
    """Return what the log has about the newest mail to the address.

    A full mailbox is a cause. Another refusal is a hint, because all that can be asked works.
    """
    asks = "the latest log lines about its mail"
    if known.log is None:
        return Step("log.inbound", asks, "na", _log(known), known.not_asked("log"))
    if not known.subject.address:
        return Step("log.inbound", asks, "na", _log(known), ABOUT_DOMAIN)
    good, bad = _good_and_bad([line for line in known.log if _is_to(line, known)])
    if bad and _FULL.search(bad.text):
        return Step(
            "mailbox.full",
            asks,
            "fail",
            _log(known),
            bad.shown,
            "raise the quota in the file of the domain, or ask the user to delete mail",
        )
    if bad:
        return Step(
            "log.refused",
            asks,
            "warn",
            _log(known),
            bad.shown,
            f"read the reason in the line; all other steps found no problem{_way_of(bad)}",
        )
    found = good.shown if good else f"no line: no server tried to deliver; {LOOK_BACK}"
    return Step("log.inbound", asks, "ok", _log(known), found)


def sieve_log(known: Known) -> Step:
    """Return whether a Sieve script failed for a message to the address.

    It is a hint: Dovecot keeps such a message in the inbox.
    """
    asks = "Sieve scripts run without an error"
    if known.log is None:
        return Step("log.sieve", asks, "na", _log(known), known.not_asked("log"))
    if not known.subject.address:
        return Step("log.sieve", asks, "na", _log(known), ABOUT_DOMAIN)
    failed = max((line for line in known.log if _is_failed_script(line)), default=None)
    if failed is None:
        return Step("log.sieve", asks, "ok", _log(known), "no error in the log")
    remedy = "correct the script that the line names; the log beside it has the place of the error"
    return Step("log.sieve", asks, "warn", _log(known), failed.shown, remedy)


def _is_failed_script(line: Line) -> bool:
    """Return whether a line says that a Sieve script could not run to its end."""
    found = DELIVERER.match(line.text) if line.program == "dovecot" else None
    return bool(found and found["sieve"] and _SCRIPT_FAILED.match(found["text"]))


def _way_of(line: Line) -> str:
    """Return how to see the whole way of the message that a line is about, if it has a queue id."""
    queue = queue_of(line)
    return f"; ansible-playbook reseller.mail.why -e why_message_id={queue}" if queue else ""


def _is_to(line: Line, known: Known) -> bool:
    """Return whether a line is about mail to the subject."""
    recipients = re.findall(r"to=<([^>]*)>", line.text)
    return any(
        mentions(one, f"<{to}>")
        for one in (known.subject.text, known.subject.address)
        for to in recipients
    )


def _is_from(line: Line, known: Known) -> bool:
    """Return whether a line is about mail with the subject as envelope sender."""
    return any(
        mentions(known.subject.text, f"<{name}>")
        for name in re.findall(r"\bfrom=<([^>]*)>", line.text)
    )


def outbound_log(known: Known) -> Step:
    """Return what the log has about the newest mail that the subject sent."""
    asks = "the latest log lines about what it sent"
    if known.log is None:
        return Step("log.outbound", asks, "na", _log(known), known.not_asked("log"))
    queues = {queue_of(line) for line in known.log if _is_from(line, known)} - {None}
    lines = [line for line in known.log if queue_of(line) in queues or _is_from(line, known)]
    good, bad = _good_and_bad(lines)
    if bad is None:
        found = good.shown if good else f"no line: no mail program sent anything; {LOOK_BACK}"
        return Step("log.outbound", asks, "ok", _log(known), found)
    if _LIMITED.search(bad.text):
        return _limited(asks, bad, known)
    if bad.kind == "refused" and _TEMPORARY.search(bad.text):
        # A temporary refusal is no decision about the mail: a milter or Dovecot did not answer.
        remedy = (
            f"the host could not decide at {bad.at}; look at its guard, OpenDKIM and Dovecot at"
            " that time, and send again"
        )
        return Step("log.no_result", asks, "fail", _log(known), bad.shown, remedy)
    remedy = {
        "refused": "set an address in the mail program that its login may use",
        "deferred": "the host tries again; ask the receiving host",
        "bounced": "read the reason of the receiving host in the line",
    }[bad.kind]
    return Step(f"log.{bad.kind}", asks, "fail", _log(known), bad.shown, remedy)


def _limited(asks: str, line: Line, known: Known) -> Step:
    """Return the step for a line about mail that a limit of sending refused.

    Whether the mailbox may send now is another step.
    """
    if "Too many recipients" in line.text:
        remedy = "write to fewer recipients at once, or raise rate_limits.recipients_per_message"
        return Step("log.limited", asks, "fail", _log(known), line.shown, remedy)
    remedy = "send again what was refused then"
    return Step("log.limited", asks, "warn", _log(known), line.shown, remedy)


def login_log(known: Known) -> Step:
    """Return whether logins failed since the newest login that succeeded."""
    asks = "its latest logins"
    if known.log is None:
        return Step("log.logins", asks, "na", _log(known), known.not_asked("log"))
    if not known.subject.address:
        return Step("log.logins", asks, "na", _log(known), ABOUT_DOMAIN)
    good = _newest(known.log, "login")
    bad = [
        line
        for line in known.log
        if line.kind == "auth_failed" and (good is None or line.at > good.at)
    ]
    refused = _newest(known.log, "protocol_refused")
    if refused:
        return _protocol_refused(known, refused, is_latest=good is None or refused.at > good.at)
    if not bad:
        return (
            Step("log.logins", asks, "ok", _log(known), good.shown) if good else _no_logins(known)
        )
    clients = sorted(
        {next(filter(None, found)) for line in bad for found in _CLIENT.findall(line.text)}
    )
    return Step(
        "log.wrong_password",
        asks,
        "fail",
        _log(known),
        f"{len(bad)} failed since {good.at if good else bad[0].at}"
        + (f", from {','.join(clients)}" if clients else "")
        + f": {max(bad).shown}",
        "type the password again in the mail program at that address (each failure delays the next"
        " answer, up to 15 s), or set a new one with mail-passwd",
    )


def _protocol_refused(known: Known, line: Line, is_latest: bool) -> Step:
    """Return the step for a right password with a protocol that the mailbox may not use.

    It is a hint only if another mail program logged in since then.
    """
    subject = known.subject
    mailbox = subject.mailbox
    allowed = login_protocols(subject.tenant, subject.domain, mailbox) if mailbox else ()
    return Step(
        "log.protocol_refused",
        "its latest logins",
        "fail" if is_latest else "warn",
        _log(known),
        f"{refused_protocols(known, [line.text.rpartition(' ')[2]])}: {line.shown}",
        f"use {' or '.join(allowed) or 'another mailbox'} in the mail program at that address, or"
        " allow the protocol: protocols in the plan, and in the nearest of defaults, domain and"
        " mailbox that sets them (ansible-playbook reseller.mail.explain shows which)",
    )


def refused_protocols(known: Known, protocols: t.Iterable[str]) -> str:
    """Return the protocols that hosts refuse to the mailbox, each with what does not allow it."""
    subject = known.subject
    plan = next((one for one in known.estate.plans if one.name == subject.tenant.plan), None)
    return ", ".join(
        f"{one} (not in the plan {plan.name})"
        if plan and one not in plan.protocols
        else f"{one} (not in the protocols of the mailbox)"
        for one in protocols
    )


def _no_logins(known: Known) -> Step:
    """Return the step for a log without logins.

    Dovecot logs the mailbox's own address, also for a login by an address in a domain alias. So the
    log lines about that address show nothing.
    """
    asks = "its latest logins"
    if known.subject.name != known.subject.domain.name:
        found = f"the log has its logins as {known.subject.address}: ask about that address"
        return Step("log.logins", asks, "na", _log(known), found)
    found = "no line: no mail program tried; is the host name in its settings right?"
    return Step("log.logins", asks, "ok", _log(known), found)


def key_is_reported(known: Known) -> Step:
    """Return whether the node has reported a DKIM key that signs for the domain."""
    asks = "the node has reported a key"
    if known.subject.name not in opendkim.algorithms_of(known.estate, known.node):
        return Step(
            "dkim.not_ours",
            asks,
            "fail",
            "files",
            f"{known.subject.name} is a {known.subject.domain.type} domain: hosts here do not sign"
            " for it",
            "sign on the host where its mail is written",
        )
    keys = _active_keys(known)
    if not keys:
        return Step(
            "dkim.pending",
            asks,
            "fail",
            "files",
            f"state/{known.node.name}.json has no active key of {known.subject.name}",
            f"converge {known.node.name}, then publish: ansible-playbook reseller.mail.site",
        )
    return Step(
        "dkim.reported",
        asks,
        "ok",
        "files",
        ", ".join(f"{selector} ({algorithm})" for selector, algorithm, _public in keys),
    )


def _active_keys(known: Known) -> list[tuple[str, str, str]]:
    """Return (selector, algorithm, public key) of each active key that the node has reported."""
    return [
        (key.selector, key.algorithm, key.public)
        for state in known.estate.states
        if state.node == known.node.name
        for key in state.dkim
        if key.domain == known.subject.name and key.state == "active"
    ]


def has_reported_key(known: Known) -> Step:
    """Return whether the private keys on the host belong to the reported public keys (S3-38)."""
    asks = "the host's key is the one that it reported"
    if known.host is None:
        return _not_asked("dkim.host_key", asks, known)
    there = {row["selector"]: row["public"] for row in known.host["dkim_keys"]}
    wrong = [
        f"{selector} {'is another key' if selector in there else 'does not exist'}"
        for selector, _algorithm, public in _active_keys(known)
        if there.get(selector) != public
    ]
    if wrong:
        return Step(
            "dkim.host_key",
            asks,
            "fail",
            _host(known),
            f"dkim/{known.subject.name}: {', '.join(wrong)}",
            f"converge {known.node.name}, then publish",
        )
    return Step("dkim.host_key", asks, "ok", _host(known), ", ".join(sorted(there)))


def signs_with_key(known: Known) -> Step:
    """Return whether the host's signing tables have every active key."""
    asks = "the host signs with it"
    if known.host is None:
        return _not_asked("dkim.signs", asks, known)
    signs = {row["selector"] for row in known.host["dkim_keys"] if row["signs"]}
    idle = [
        selector for selector, _algorithm, _public in _active_keys(known) if selector not in signs
    ]
    if idle:
        return Step(
            "dkim.not_signing",
            asks,
            "fail",
            _host(known),
            f"the signing tables do not have {', '.join(idle)}",
            f"converge {known.node.name}",
        )
    return Step("dkim.signs", asks, "ok", _host(known), ", ".join(sorted(signs)))
