# SPDX-License-Identifier: GPL-3.0-or-later
"""What a running host says of an address, beside what the files say.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.reseller.mail.plugins.module_utils._compile import opendkim, postfix
from ansible_collections.reseller.mail.plugins.module_utils._diagnose import Known, Step, targets
from ansible_collections.reseller.mail.plugins.module_utils._diagnose_log import (
    Line,
    mentions,
    queue_of,
)
from ansible_collections.reseller.mail.plugins.module_utils._sizes import rounded, size

RECEIVES = (
    "host.generation",
    "host.disk",
    "host.guard",
    "host.opendkim",
    "host.dovecot",
    "host.postfix",
    "host.queue",
)
"""What a host needs to take and deliver mail, in the order in which one is the cause of another."""
SUBMITS = (*RECEIVES, "host.clock")
SIGNS = ("host.generation", "host.clock", "host.opendkim", "host.opendkim_ed25519")
LOGS_IN = (
    "host.generation",
    "host.disk",
    "host.guard",
    "host.opendkim",
    "host.dovecot",
    "host.postfix",
)
_FULL = re.compile(r"\b[45]\.2\.2\b|over quota|mailbox is full", re.I)
_LATER = re.compile(r"reject: \S+ from \S+: 4(?:\d\d|\.\d+\.\d+) ")
_CLIENT = re.compile(
    r"\brip=([0-9A-Fa-f.:]+)|from \S*?\[([0-9A-Fa-f.:]+)\]|client=\S*?\[([0-9A-Fa-f.:]+)\]"
)


def _host(known: Known) -> str:
    return f"host {known.node.name}"


def _log(known: Known) -> str:
    return f"log of {known.node.name}"


def _na(id_: str, asks: str, known: Known, why: str = "") -> Step:
    return Step(id_, asks, "na", _host(known), why or known.not_asked("host"))


def reached(known: Known) -> Step:
    asks = "the host can be reached"
    if known.host is not None:
        return Step(
            "host.reached",
            asks,
            "ok",
            _host(known),
            f"it serves generation {known.host['generation'] or '(none)'}",
        )
    if "lost" in known.why:
        return Step(
            "host.unreachable",
            asks,
            "fail",
            _host(known),
            known.why["lost"],
            f"look at {known.node.hostname}: power, network, SSH",
        )
    return _na("host.reached", asks, known)


def healthy(needed: t.Collection[str], known: Known) -> Step:
    """Return whether what the trouble's way needs of the host is well, by verify's own findings: else whatever comes after is a symptom."""
    asks = "it is well: services, space, queue, generation"
    if known.health is None:
        return _na("host.services", asks, known, known.not_asked("health"))
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


def same(known: Known) -> Step:
    """S3-36: the running tables against the tables that the files compile to."""
    asks = "its tables say what the files say"
    if known.host is None:
        return _na("host.tables", asks, known)
    subject = known.subject
    keys = (
        [subject.text, f"@{subject.name}", subject.name]
        if subject.address
        else [subject.name, f"@{subject.name}"]
    )
    compiled = postfix.lookups(known.estate, known.node)
    wrong = []
    for table, answers in sorted(known.host["tables"].items()):
        wanted = dict(line.split("\t", 1) for line in compiled[f"postfix/{table}"].splitlines())
        wrong += [
            f"{table}: {key} is {_shown(answers.get(key))}, the files say {_shown(wanted.get(key))}"
            for key in keys
            if _shown(answers.get(key)) != _shown(wanted.get(key))
        ]
    if wrong:
        generation = known.host["generation"] or "none"
        return Step(
            "host.stale",
            asks,
            "fail",
            _host(known),
            f"generation {generation}: {'; '.join(wrong)}",
            f"converge {known.node.name}: ansible-playbook reseller.mail.site --limit {known.node.name},localhost",
        )
    said = [
        f"{table}: {key} → {value}"
        for table, answers in sorted(known.host["tables"].items())
        for key, value in answers.items()
        if key == keys[0]
    ]
    return Step(
        "host.tables",
        asks,
        "ok",
        _host(known),
        "; ".join(said) or "nothing of this name, as it should be",
    )


def _shown(value: t.Optional[str]) -> str:
    return "missing" if value is None else value.strip()


def _boxes(known: Known) -> list[t.Mapping[str, t.Any]]:
    """The subject's mailboxes on its own host; other tenants' are none of its business."""
    own = {box.address for domain in known.subject.tenant.domains for box in domain.mailboxes}
    found = [
        known.of_host(target.address)
        for target in targets(known.estate, known.subject)
        if target.address in own
    ]
    return [row for row in found if row is not None]


def mailbox(known: Known) -> Step:
    asks = "Dovecot knows the mailbox"
    if known.host is None or not known.subject.address:
        return _na(
            "host.mailbox", asks, known, "" if known.host is None else "asked about the domain"
        )
    rows = _boxes(known)
    if not rows:
        return _na("host.mailbox", asks, known, "its mail is not kept on this host")
    lost = [row["address"] for row in rows if not row["user"]]
    if lost:
        return Step(
            "host.no_mailbox",
            asks,
            "fail",
            _host(known),
            f"doveadm user: {', '.join(lost)} is not known",
            f"converge {known.node.name}",
        )
    return Step("host.mailbox", asks, "ok", _host(known), ", ".join(row["address"] for row in rows))


def space(known: Known) -> Step:
    asks = "there is room in it"
    rows = _boxes(known) if known.host is not None else []
    if not rows:
        return _na(
            "mailbox.space",
            asks,
            known,
            "" if known.host is None else "its mail is not kept on this host",
        )
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
            f"raise the quota of {', '.join(full)} in its domain's file, or let its user delete mail",
        )
    nearly = any(percent >= known.estate.quota_policy.warn_at for _row, percent in limited)
    return Step(
        "mailbox.space",
        asks,
        "warn" if nearly else "ok",
        _host(known),
        text or "without limit",
        "a large message may not fit: raise the quota, or delete mail" if nearly else "",
    )


def allowed(known: Known) -> Step:
    asks = "the host lets it log in"
    row = known.of_host(known.subject.address) if known.subject.address else None
    if row is None:
        return _na(
            "host.allowed", asks, known, "" if known.host is None else "asked about the domain"
        )
    if row["denied"]:
        found = f"{row['address']} is not in dovecot/logins, though the files let it log in"
        return Step("host.denied", asks, "fail", _host(known), found, f"converge {known.node.name}")
    return Step("host.allowed", asks, "ok", _host(known), "it is in dovecot/logins")


def password(known: Known) -> Step:
    asks = "it has a password"
    row = known.of_host(known.subject.address) if known.subject.address else None
    if row is None:
        return _na(
            "host.password", asks, known, "" if known.host is None else "asked about the domain"
        )
    if row["origin"] is None:
        return Step(
            "host.no_password",
            asks,
            "fail",
            _host(known),
            f"the credential store has none for {row['address']}",
            f"converge {known.node.name}: it makes and hands over an initial one",
        )
    initial = (
        "; its user may never have got it (dovecot_handover)" if row["origin"] == "initial" else ""
    )
    return Step("host.password", asks, "ok", _host(known), f"origin: {row['origin']}{initial}")


def _newest(lines: t.Iterable[Line], *kinds: str) -> t.Optional[Line]:
    return max((line for line in lines if line.kind in kinds), default=None)


def log_in(known: Known) -> Step:
    asks = "what became of its latest mail"
    if known.log is None or not known.subject.address:
        return Step(
            "log.inbound",
            asks,
            "na",
            _log(known),
            known.not_asked("log") if known.log is None else "asked about the domain",
        )
    own = {known.subject.text, known.subject.address}
    lines = [
        line
        for line in known.log
        if any(
            mentions(one, f"<{to}>") for one in own for to in re.findall(r"to=<([^>]*)>", line.text)
        )
    ]
    good, bad = _newest(lines, "delivered"), _newest(lines, "refused", "bounced", "deferred")
    if bad and (good is None or bad.at > good.at):
        if _FULL.search(bad.text):
            return Step(
                "mailbox.full",
                asks,
                "fail",
                _log(known),
                bad.shown,
                "raise the quota in its domain's file, or let its user delete mail",
            )
        return Step(
            "log.refused",
            asks,
            "warn",
            _log(known),
            bad.shown,
            "read why; everything that can be asked now is well",
        )
    return Step(
        "log.inbound",
        asks,
        "ok",
        _log(known),
        good.shown
        if good
        else "no line: nobody has tried to deliver; look back further with diagnose_since",
    )


def log_out(known: Known) -> Step:
    asks = "what became of the mail that it sent"
    if known.log is None:
        return Step("log.outbound", asks, "na", _log(known), known.not_asked("log"))

    def by(line: Line) -> bool:
        return any(
            mentions(known.subject.text, f"<{name}>")
            for name in re.findall(r"\bfrom=<([^>]*)>", line.text)
        )

    queues = {queue_of(line) for line in known.log if by(line)} - {None}
    lines = [line for line in known.log if queue_of(line) in queues or by(line)]
    good, bad = _newest(lines, "delivered"), _newest(lines, "refused", "bounced", "deferred")
    if bad and (good is None or bad.at > good.at):
        if bad.kind == "refused" and _LATER.search(bad.text):
            # What is only put off was not judged: a milter or Dovecot was not there.
            remedy = f"the host could not judge it then; look at its guard, OpenDKIM and Dovecot at {bad.at}, and send again"
            return Step("log.not_judged", asks, "fail", _log(known), bad.shown, remedy)
        remedy = {
            "refused": "the mail program must send as an address that its login may use",
            "deferred": "it is tried again; ask the receiving host",
            "bounced": "the receiving host says why",
        }[bad.kind]
        return Step(f"log.{bad.kind}", asks, "fail", _log(known), bad.shown, remedy)
    return Step(
        "log.outbound",
        asks,
        "ok",
        _log(known),
        good.shown
        if good
        else "no line: nothing came from its mail program; look back further with diagnose_since",
    )


def log_logins(known: Known) -> Step:
    asks = "its latest logins"
    if known.log is None or not known.subject.address:
        return Step(
            "log.logins",
            asks,
            "na",
            _log(known),
            known.not_asked("log") if known.log is None else "asked about the domain",
        )
    good = _newest(known.log, "login")
    bad = [
        line
        for line in known.log
        if line.kind == "auth_failed" and (good is None or line.at > good.at)
    ]
    if not bad:
        return Step(
            "log.logins",
            asks,
            "ok",
            _log(known),
            good.shown if good else "no line: no mail program has tried; is its host name right?",
        )
    clients = sorted(
        {next(filter(None, found)) for line in bad for found in _CLIENT.findall(line.text)}
    )
    found = f"{len(bad)} failed since {good.at if good else bad[0].at}{f', from {chr(44).join(clients)}' if clients else ''}: {max(bad).shown}"
    return Step(
        "log.wrong_password",
        asks,
        "fail",
        _log(known),
        found,
        "type the password anew in the mail program at that address (each failure delays the next answer, up to 15 s), or give a new one: mail-passwd",
    )


def reported(known: Known) -> Step:
    asks = "its node has reported a key"
    if known.subject.name not in opendkim.algorithms_of(known.estate, known.node):
        return Step(
            "dkim.not_ours",
            asks,
            "fail",
            "files",
            f"{known.subject.name} is a {known.subject.domain.type} domain: hosts here do not sign for it",
            "sign where its mail is written",
        )
    keys = _active(known)
    if not keys:
        return Step(
            "dkim.pending",
            asks,
            "fail",
            "files",
            f"state/{known.node.name}.json has no key of {known.subject.name} that signs",
            f"converge {known.node.name}, then publish: ansible-playbook reseller.mail.site",
        )
    return Step(
        "dkim.reported",
        asks,
        "ok",
        "files",
        ", ".join(f"{selector} ({algorithm})" for selector, algorithm, _public in keys),
    )


def _active(known: Known) -> list[tuple[str, str, str]]:
    return [
        (key.selector, key.algorithm, key.public)
        for state in known.estate.states
        if state.node == known.node.name
        for key in state.dkim
        if key.domain == known.subject.name and key.state == "active"
    ]


def same_key(known: Known) -> Step:
    """S3-38: the private key that lies on the host against the public half that DNS gets."""
    asks = "the host's key is the one it reported"
    if known.host is None:
        return _na("dkim.host_key", asks, known)
    there = {row["selector"]: row["public"] for row in known.host["dkim_keys"]}
    wrong = [
        f"{selector} {'is another key' if selector in there else 'does not exist'}"
        for selector, _algorithm, public in _active(known)
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


def signing(known: Known) -> Step:
    asks = "the host signs with it"
    if known.host is None:
        return _na("dkim.signs", asks, known)
    signs = {row["selector"] for row in known.host["dkim_keys"] if row["signs"]}
    idle = [selector for selector, _algorithm, _public in _active(known) if selector not in signs]
    if idle:
        return Step(
            "dkim.not_signing",
            asks,
            "fail",
            _host(known),
            f"the signing tables lack {', '.join(idle)}",
            f"converge {known.node.name}",
        )
    return Step("dkim.signs", asks, "ok", _host(known), ", ".join(sorted(signs)))
