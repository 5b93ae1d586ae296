# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell the way of one message from the log lines of all nodes, in plain words.

PRIVATE to the collection. Pure. ``_host/mail_log.py`` finds the lines; here they are explained.

Senders choose much of what these lines have: the Message-ID, addresses, names of hosts. So each
pattern is anchored at the beginning of a line, or after the Message-ID that is known.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.reseller.mail.plugins.module_utils._host.mail_log import (
    CLIENT,
    DELIVERER,
    SESSION,
    Line,
    filtered_queue,
    queue_of,
)

from . import symbols


@dataclass(frozen=True)
class Event:
    """One step of a message's way.

    Attributes:
        kind: What happened, a key of ``KINDS``.
        queue: The queue id that the message had on the node; "" if the line has none.
        text: The step in plain words.
        details: More about it, one statement each.
        outcome: By address what became of the message for a recipient, if the step decides that.
        queued_as: The queue id that the next host gave it.
    """

    at: str
    time: int
    node: str
    kind: str
    queue: str
    text: str
    details: tuple[str, ...] = ()
    outcome: t.Mapping[str, str] = field(default_factory=dict)
    queued_as: str = ""


KINDS = {
    "received": "a node takes the message from a host, a user or a program",
    "filtered": "the filter computed the score of the message",
    "settings": "what the settings of one mailbox decide about the score",
    "refused": "a node refuses it, so the sender gets the reason",
    "delayed": "a node refuses it for now, so the sender tries again",
    "queued": "it waits in the queue with this sender and size",
    "stored": "Dovecot put it into a folder",
    "script": "a Sieve script forwards, answers, refuses or discards it, or failed",
    "handed_over": "another host has taken it",
    "deferred": "it waits, and the node tries again",
    "bounced": "it could not be delivered, and the sender gets a notice",
    "held": "it waits until the provider releases it",
    "signed": "OpenDKIM signed it",
}
"""The kinds of events."""

_PLACE = re.compile(r"^(\S+)\[([0-9A-Fa-f.:]+)\]$")
_TLS = re.compile(r"^(\w+) TLS connection established from \S+?: (\S+) with cipher (\S+)")
_LOGIN = re.compile(r", sasl_username=(\S+)$|, sasl_username=([^\s,]+),")
_SENDER = re.compile(r": from=<([^>]*)>, size=(\d+), nrcpt=(\d+) ")
_DELIVERY = re.compile(
    r": to=<(?P<to>[^>]*)>, (?:orig_to=<(?P<alias>[^>]*)>, )?relay=(?P<relay>[^,]+), .*?dsn=[\d.]+,"
    r" status=(?P<status>\w+) \((?P<reply>.*)\)$"
)
_REFUSAL = re.compile(
    r": (?P<by>milter-reject|reject): (?P<stage>[A-Z-]+) from (?P<client>\S+\[[0-9A-Fa-f.:]+\]):"
    r" (?P<text>.*?); (?:from=<(?P<sender>[^>]*)> )?(?:to=<(?P<to>[^>]*)>)?"
)
_HOLD = re.compile(r": (?:milter-hold|hold): ")
_BOUNCE = re.compile(r": sender (?:non-delivery|delay) notification: (\w+)$")
_SIGNED = re.compile(r": DKIM-Signature field added \(s=([\w.-]+), d=([\w.-]+)\)")
_RESULT = re.compile(
    r"\(default: \w \((?P<action>[^)]*)\): \[(?P<score>[^/\]]*)/[^\]]*\]"
    r" \[(?P<symbols>.*)\]\), len:"
)
_FORCED = re.compile(r', forced: (?P<action>[\w ]+) "(?P<why>[^"]*)"')
_SETTINGS = re.compile(
    r"filtered qid: <\w+>, to=<(?P<to>[^>]*)>, score=(?P<score>\S+), junk=(?P<junk>\S+),"
    r" reject=(?P<reject>\S+), greylist=(?P<greylist>\S+), list=(?P<list>.+?),"
    r" dmarc=(?P<dmarc>\w+), content=(?P<content>\w+), refuses=(?P<refuses>\w+)$"
)
_SERVICES = {
    "submission": "port 587",
    "submissions": "port 465",
    "sieve": "a Sieve script of a mailbox",
    "srs-in": "this host itself, with a sender of this host (SRS)",
    "hold": "this host itself, released to be delivered",
}
"""By the service in Postfix's syslog name, what it takes messages from."""
_STAGES = {
    "END-OF-MESSAGE": "after its content was received",
    "DATA": "before its content was sent",
    "RCPT": "for a recipient",
    "MAIL": "for its sender",
}
_FOLDER = re.compile(r"(?:fileinto action: )?(?:stored mail into mailbox|saved mail to) '?(.+?)'?$")
_QUEUED_AS = re.compile(r"\bqueued as (\w+)$")
FILTERED_BEFORE = "filtered before"
"""Why the filter's plugin leaves out mail of nodes and of the host itself."""
_FORWARD = re.compile(r"(?:redirect action: )?forwarded to <([^>]*)>$")
_LISTS = {
    "e": "the estate",
    "p": "the plan",
    "a": "the account",
    "d": "the domain",
    "m": "the mailbox",
}


def events(
    node: str, lines: t.Sequence[Line], ids: t.Sequence[str], meanings: t.Mapping[str, str]
) -> list[Event]:
    """Return the steps on one node, the oldest first.

    ``meanings`` are rspamd's descriptions of its symbols.
    """
    stored = {found["session"] for line in lines for found in [DELIVERER.match(line.text)] if found}
    found = []
    for line in lines:
        queue = queue_of(line) or ""
        step: t.Optional[Event] = None
        if line.program == "rspamd":
            step = _filter_event(node, line, ids, meanings)
        elif line.program == "dovecot":
            step = _dovecot_event(node, line, ids)
        elif line.program == "opendkim":
            step = _signing_event(node, line)
        elif queue:
            step = _postfix_event(node, line, queue, lines, stored)
        if step:
            found.append(step)
    return found


def in_order(steps: t.Sequence[Event]) -> list[Event]:
    """Return steps in the order of their time. What settings decide comes after the score.

    rspamd writes the score last.
    """
    scored = {step.queue: step.time for step in steps if step.kind == "filtered"}

    def position(step: Event) -> tuple[int, bool]:
        """Return the time of a step, and whether it comes after others of that time."""
        if step.kind != "settings":
            return step.time, False
        return max(step.time, scored.get(step.queue, 0)), True

    return sorted(steps, key=position)


def _event(node: str, line: Line, kind: str, text: str, queue: str = "", **more: t.Any) -> Event:
    """Return the step that a line shows."""
    return Event(line.at, line.time, node, kind, queue, text, **more)


def _postfix_event(
    node: str, line: Line, queue: str, lines: t.Sequence[Line], stored: t.Container[str]
) -> t.Optional[Event]:
    """Return the step that a line of Postfix shows, or None."""
    text = line.text[len(queue) :]
    client, refusal = CLIENT.search(line.text), _REFUSAL.match(text)
    if client and text.startswith(": client="):
        return _event(node, line, "received", _received(line, client[1], lines), queue)
    if text.startswith(": uid="):
        return _event(node, line, "received", "a program of the host hands it in", queue)
    if refusal:
        return _refused(node, line, queue, refusal)
    sender, delivery = _SENDER.match(text), _DELIVERY.match(text)
    if sender:
        summary = f"from <{sender[1]}>, {sender[2]} bytes, {_counted(int(sender[3]), 'recipient')}"
        return _event(node, line, "queued", summary, queue)
    if delivery:
        return _delivered(node, line, queue, delivery, stored)
    bounce = _BOUNCE.match(text)
    if bounce:
        return _event(
            node, line, "bounced", f"the sender gets a notice, message {bounce[1]}", queue
        )
    if _HOLD.match(text):
        return _event(node, line, "held", "it is on hold until the provider releases it", queue)
    return None


def _counted(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _service(line: Line) -> str:
    """Return the service in the name of a program of Postfix: ``srs`` of ``postfix/srs/smtp``."""
    parts = line.program.split("/")
    return parts[1] if len(parts) > 2 else ""


def _received(line: Line, client: str, lines: t.Sequence[Line]) -> str:
    """Return from whom smtpd takes a message: host, TLS and login."""
    service = _service(line)
    login = _LOGIN.search(line.text)
    if service in _SERVICES and not login:
        return f"received from {_SERVICES[service]}"
    place = _PLACE.match(client)
    words = [f"received from {place[1]} [{place[2]}]" if place else f"received from {client}"]
    words.append(_tls_of(line, lines))
    port = _SERVICES.get(service, "port 25")
    words.append(f"logged in as {login[1] or login[2]} at {port}" if login else "no login")
    return ", ".join(words)


def _tls_of(line: Line, lines: t.Sequence[Line]) -> str:
    """Return how the connection of a message was encrypted.

    smtpd writes it when a connection begins. The newest line of the process about that counts.
    """
    before = [
        one
        for one in lines
        if one.process == line.process and one.program == line.program and one.time <= line.time
    ]
    for one in reversed(before):
        tls = _TLS.match(one.text)
        if tls:
            trust = "" if tls[1] == "Anonymous" else f", certificate {tls[1].lower()}"
            return f"{tls[2]} ({tls[3]}{trust})"
        if one.text.startswith("connect from "):
            return "no TLS"
    return "TLS not known"


def _refused(node: str, line: Line, queue: str, refusal: re.Match[str]) -> Event:
    """Return the step for a refusal, for good or for now."""
    reply = refusal["text"]
    when = _STAGES.get(refusal["stage"], f"at {refusal['stage']}")
    who = refusal["to"] or "its recipients"
    if "Greylisted" in reply:
        kind, outcome = "delayed", "greylisted, and not sent again yet"
        text = f"greylisted {when}: the sender is asked to send it again later ({reply})"
    elif reply.startswith("4"):
        kind, outcome = "delayed", f"refused for now: {reply}"
        text = f"refused for now {when}, the sender tries again: {reply}"
    else:
        kind, outcome = "refused", f"refused: {reply}"
        text = f"refused {when}: {reply}"
    return _event(node, line, kind, text, queue, outcome={who: outcome})


def _delivered(
    node: str, line: Line, queue: str, found: re.Match[str], stored: t.Container[str]
) -> t.Optional[Event]:
    """Return the step for an attempt to deliver to one recipient.

    None if Dovecot says in another line where it stored the message.
    """
    session = SESSION.search(line.text)
    if session and session[1] in stored:
        return None
    to, relay, reply = found["to"], found["relay"], found["reply"]
    kind, text, outcome = (
        "handed_over",
        f"handed over to {relay}: {reply}",
        f"handed over to {relay}",
    )
    if found["status"] == "deferred":
        kind, text = "deferred", f"not delivered yet, it is tried again: {reply}"
        outcome = f"waits: {reply}"
    elif found["status"] != "sent":
        kind, text = "bounced", f"not delivered, it is given up: {reply}"
        outcome = f"not delivered: {reply}"
    elif session:
        kind, text, outcome = "stored", "delivered into the mailbox", "delivered"
    elif _service(line) == "srs":
        text, outcome = "it leaves with a sender of this host (SRS)", ""
    elif _service(line) == "hold":
        kind, text, outcome = "held", "on hold until the provider releases it", "on hold"
    next_queue = _QUEUED_AS.search(reply)
    whom = f"{to} (by way of {found['alias']})" if found["alias"] not in (None, to) else to
    return _event(
        node,
        line,
        kind,
        f"{whom}: {text}",
        queue,
        outcome={to: outcome} if outcome else {},
        queued_as=next_queue[1] if next_queue and kind == "handed_over" else "",
    )


def _signing_event(node: str, line: Line) -> t.Optional[Event]:
    """Return the step for a DKIM signature of this node, or None."""
    found = _SIGNED.search(line.text)
    if not found:
        return None
    text = f"signed by DKIM for {found[2]}, selector {found[1]}"
    return _event(node, line, "signed", text, line.text.partition(":")[0])


def _dovecot_event(node: str, line: Line, ids: t.Sequence[str]) -> t.Optional[Event]:
    """Return the step that a line of Dovecot's LMTP service shows, or None."""
    found = DELIVERER.match(line.text)
    if not found:
        return None
    user, is_sieve = found["user"], bool(found["sieve"])
    text = _without_id(found["text"], ids)
    folder, forward = _FOLDER.match(text), _FORWARD.match(text)
    if folder:
        words, outcome = f"stored in the folder {folder[1]}", f"in the folder {folder[1]}"
        return _event(node, line, "stored", f"{user}: {words}", outcome={user: outcome})
    if forward:
        words, outcome = f"a Sieve script forwards it to {forward[1]}", f"forwarded to {forward[1]}"
        return _event(node, line, "script", f"{user}: {words}", outcome={user: outcome})
    if not is_sieve and "failed" not in text:
        return None
    # Without a Message-ID it is about a script: what became of the message is in another line.
    decided = {user: text} if text != found["text"] else {}
    return _event(node, line, "script", f"{user}: {text}", outcome=decided)


def _without_id(text: str, ids: t.Iterable[str]) -> str:
    """Return a text of Dovecot without the Message-ID before it.

    The Message-ID may imitate a text. Dovecot writes what it takes for one, at most 200 characters.
    """
    for one in ids:
        for start in (f"msgid=<{one}>: ", f"msgid={one}: "):
            if text.startswith(start):
                return text.removeprefix(start)
    return re.sub(r"^msgid=(?:<[^>]*>|\S*): ", "", text)


def _filter_event(
    node: str, line: Line, ids: t.Sequence[str], meanings: t.Mapping[str, str]
) -> t.Optional[Event]:
    """Return the step that a line of the filter shows, or None."""
    queue = filtered_queue(line, ids)
    if queue is None:
        return None
    settings, result = _SETTINGS.search(line.text), _RESULT.search(line.text)
    if settings:
        return _settings_event(node, line, queue, settings)
    if not result:
        return None
    forced = _FORCED.search(line.text, result.end())
    if forced and forced["why"] == FILTERED_BEFORE:
        text = "not filtered: it comes from this host or from a node, which filtered it before"
        return _event(node, line, "filtered", text, queue)
    found = symbols.read(result["symbols"])
    text = f"filtered: score {result['score']}"
    if forced:
        text += f"; {forced['action']}, whatever the score: {forced['why']}"
    details = (*symbols.results(found), *symbols.explained(found, meanings))
    return _event(node, line, "filtered", text, queue, details=details)


def _settings_event(node: str, line: Line, queue: str, found: re.Match[str]) -> Event:
    """Return the step for what the settings of one mailbox decide."""
    text = (
        f"{found['to']}: score {found['score']}; Junk from {found['junk']}, refused from"
        f" {found['reject']}, greylisted from {found['greylist']}; {_list_text(found['list'])}"
    )
    return _event(node, line, "settings", text, queue, details=tuple(_reasons(found)))


def _list_text(listed: str) -> str:
    """Return what the lists have for the sender."""
    action, _space, entry = listed.partition(" ")
    if action not in ("allow", "block"):
        return "the sender is in no list"
    scope, _space, sender = entry.partition(" ")
    level, _colon, name = scope.partition(":")
    verb = "allows" if action == "allow" else "blocks"
    whose = " ".join(filter(None, (_LISTS.get(level, level), name)))
    return f"a list of {whose} {verb} {sender.removeprefix('@')}"


def _reasons(found: re.Match[str]) -> t.Iterator[str]:
    """Yield what follows for the mailbox."""
    if found["refuses"] == "yes":
        yield f"this mailbox refuses it: {_why_refused(found)}"
        yield "it is refused only if all recipients refuse it; if not, it goes into Junk here"
    elif found["list"].startswith("allow"):
        yield "the score does not count, because the sender is allowed"
    elif found["dmarc"] == "junk":
        yield "into Junk, because it fails DMARC"
    elif found["content"] == "reject":
        yield "refused, because of its content: an attachment, or a virus"
    elif found["content"] == "junk":
        yield "into Junk, because of its content: an attachment, or a virus"
    elif _reaches(found["score"], found["junk"]):
        yield "into Junk, because of its score"


def _why_refused(found: re.Match[str]) -> str:
    """Return why a mailbox refuses a message."""
    if found["list"].startswith("block"):
        return "the sender is blocked"
    if found["dmarc"] == "reject":
        return "it fails DMARC, and the domain of its author asks to refuse that"
    return "its score"


def _reaches(score: str, threshold: str) -> bool:
    """Return whether a score is at least a threshold, which may be ``never``."""
    try:
        return float(score) >= float(threshold)
    except ValueError:
        return False


def outcomes(steps: t.Sequence[Event]) -> dict[str, str]:
    """Return what became of the message, by recipient; ``steps`` are those of all nodes, in order.

    The last step about a recipient counts. What was refused for now and accepted later is no
    outcome. If a node took the message over, the steps there show what became of it.
    """
    accepted = any(step.outcome and step.kind not in ("delayed", "refused") for step in steps)
    queues = {step.queue for step in steps} - {""}
    found: dict[str, str] = {}
    for step in steps:
        if step.queued_as in queues or (step.kind == "delayed" and accepted):
            continue
        found.update(step.outcome)
    return found
