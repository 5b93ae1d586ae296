# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the lines of a mail host's log that are about one address, domain or message, and what they
mean.

PRIVATE to the collection. Pure; standard library only, because hosts use it, too.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import typing as t

KINDS = (
    "protocol_refused",
    "auth_failed",
    "login",
    "refused",
    "bounced",
    "deferred",
    "delivered",
    "other",
)
"""Kinds of lines. The order is that of ``_PATTERNS``: the first pattern that matches counts."""
QUEUES = 50
"""For how many messages other lines are read: a host may have thousands for one domain."""

_PATTERNS = (
    # reseller-mail-login-limit (role dovecot) writes this for a right password.
    ("protocol_refused", re.compile(r"^<\S+> from \S+: refused, the mailbox may not use ")),
    (
        "auth_failed",
        re.compile(
            r"\(auth failed|Password mismatch|SASL \S+ authentication failed|unknown user", re.I
        ),
    ),
    ("login", re.compile(r"-login: (?:Info: )?(?:Login|Logged in): ")),
    ("refused", re.compile(r"NOQUEUE: (?:milter-)?reject: |: milter-reject: |: reject: ")),
    ("bounced", re.compile(r"\bstatus=(?:bounced|expired)\b")),
    ("deferred", re.compile(r"\bstatus=deferred\b")),
    ("delivered", re.compile(r"\bstatus=sent\b")),
)
_SUBMITTED = re.compile(r"\bsasl_username=")
_QUEUE_ID = (
    r"([0-9A-F]{6,}"
    r"|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,}z[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-y]+)"
)
_QUEUE = re.compile(f"^{_QUEUE_ID}: ")
_FILTER = r"<\w+>; \w+; "
"""How each line of rspamd about a message begins."""
CLIENT = re.compile(r": client=(\S+\[[0-9A-Fa-f.:]+\])")
"""The host that hands a message in, in a line of smtpd."""
DELIVERER = re.compile(
    r"^lmtp\((?P<user>[^)]*)\)<\d+><(?P<session>[^>]+)>: (?:Error: |Warning: |Info: )?"
    r"(?P<sieve>sieve: )?(?P<text>.*)$"
)
"""A line of Dovecot's LMTP service about one message."""
SESSION = re.compile(r" status=sent \(250 2\.0\.0 <[^>]*> (\S+) Saved\)$")
"""The session of Dovecot's LMTP service that stored a message, in a line of Postfix."""
_TO = re.compile(r"\bto=<([^>]*)>")
# rspamd writes ``from: <…>`` and ``rcpts: <…,…>``, with all recipients of a message.
_FROM = re.compile(r"\bfrom(?:=|: )<([^>]*)>")
_RECIPIENTS = re.compile(r"rcpts: <([^>]*)>")
_SECRETS = (
    re.compile(r"(given password: )\S+", re.I),
    re.compile(r"(, session=<)[^>]*"),
    re.compile(r"\b(AUTH \S+ )\S+", re.I),
)


class Line(t.NamedTuple):
    """One line of a log. ``at`` is a UTC time such as 2026-11-21T14:00:00Z.

    ``time`` is the same in microseconds since 1970, and ``process`` the id of the process.
    """

    at: str
    program: str
    text: str
    kind: str
    time: int = 0
    process: str = ""

    @property
    def shown(self) -> str:
        """Return the line as text: time, program and message."""
        return f"{self.at} {self.program}: {self.text}"


def grep_for(subject: str) -> str:
    """Return a pattern for ``journalctl --grep`` that matches an address or a domain.

    It matches exactly this address, with any +extension, or any address of exactly this domain.
    """
    local, at, domain = subject.rpartition("@")
    before = rf"(?<![A-Za-z0-9._+=-]){re.escape(local)}(\+[^@\s<>]*)?@" if at else "@"
    return rf"(?i){before}{re.escape(domain)}(?![A-Za-z0-9-]|\.[A-Za-z0-9])"


def grep_queues(queues: t.Iterable[str]) -> str:
    """Return a pattern for ``journalctl --grep`` that matches Postfix's lines about messages."""
    return f"^({'|'.join(sorted(queues))}): "


def kind(text: str) -> str:
    """Return the kind of a line."""
    found = next((name for name, pattern in _PATTERNS if pattern.search(text)), "other")
    return "login" if found == "other" and _SUBMITTED.search(text) else found


def parse(output: str, timestamp: t.Callable[[int], str], longest: int = 1000) -> list[Line]:
    """Return the lines that ``journalctl -o json`` printed, each cut after ``longest`` characters.

    It prints a message that is not UTF-8 as an array of bytes. ``timestamp`` turns seconds since
    1970 into text.
    """
    found = []
    for row in output.splitlines():
        try:
            entry = json.loads(row)
            message = entry["MESSAGE"]
            text = (
                bytes(message).decode("utf-8", "replace")
                if isinstance(message, list)
                else str(message)
            )
            time = int(entry["__REALTIME_TIMESTAMP"])
            at = timestamp(time // 1_000_000)
        except (ValueError, KeyError, TypeError):
            continue
        text = "".join(char if char.isprintable() else " " for char in text)
        for secret in _SECRETS:
            text = secret.sub(r"\1…", text)
        program, process = str(entry.get("SYSLOG_IDENTIFIER", "")), str(entry.get("_PID", ""))
        found.append(Line(at, program, text[:longest], kind(text), time, process))
    return found


def in_order(lines: t.Iterable[Line]) -> list[Line]:
    """Return the lines without duplicates, the oldest first."""
    return sorted(set(lines), key=lambda line: (line.at, line.time, line))


def queue_of(line: Line) -> t.Optional[str]:
    """Return the queue id of the message that a line of Postfix is about, or None."""
    found = _QUEUE.match(line.text) if line.program.startswith("postfix") else None
    return found.group(1) if found else None


def mentions(subject: str, text: str) -> bool:
    """Return whether a text has the address, or an address of the domain."""
    return re.search(grep_for(subject), text) is not None


def own(subject: str, lines: t.Iterable[Line]) -> list[Line]:
    """Return the lines that are about the subject and about no one else.

    Lines with other recipients of a message are private to those, unless the subject sent it.
    """
    lines = in_order(lines)
    sent = {
        queue_of(line)
        for line in lines
        for sender in _FROM.findall(line.text)
        if mentions(subject, f"<{sender}>")
    } - {None}

    def is_own(line: Line) -> bool:
        """Return whether a line is about the subject alone, or about mail that it sent."""
        queue, named = queue_of(line), mentions(subject, line.text)
        others = [name for name in _recipients(line.text) if not mentions(subject, f"<{name}>")]
        if queue is not None and queue in sent:
            return True
        if not others:
            return named or queue is not None
        return named and (_wrote(subject, line) or _rewritten(subject, line))

    return [line for line in lines if is_own(line)]


def _recipients(text: str) -> list[str]:
    """Return the recipients that a line names."""
    lists = (names.split(",") for names in _RECIPIENTS.findall(text))
    return [name for name in (*_TO.findall(text), *itertools.chain(*lists)) if name]


def _wrote(subject: str, line: Line) -> bool:
    """Return whether the subject is the sender in a line."""
    return any(mentions(subject, f"<{name}>") for name in _FROM.findall(line.text))


def _rewritten(subject: str, line: Line) -> bool:
    """Return whether the subject is an alias whose mail went to the recipient of a line."""
    return any(
        mentions(subject, f"<{name}>") for name in re.findall(r"\borig_to=<([^>]*)>", line.text)
    )


Read = t.Callable[..., t.List[Line]]
"""``read(pattern)`` returns the newest lines that match a regular expression. With ``process`` and
``until`` (seconds since 1970) it returns those of one process up to a time."""


def plain_id(message: str) -> str:
    """Return a Message-ID as it is written between its angle brackets, or a queue id.

    Raise ValueError if it cannot be one of them.
    """
    text = re.sub(r"(?i)^message-id:", "", message.strip()).strip()
    text = text[1:-1] if text[:1] + text[-1:] == "<>" else text
    if not text or len(text) > 900:
        raise ValueError("a Message-ID or a queue id has 1 to 900 characters")
    if not text.isprintable():
        raise ValueError("a Message-ID or a queue id has no control characters")
    return text


def is_queue_id(message: str) -> bool:
    """Return whether Postfix could have given a message this queue id."""
    return re.fullmatch(_QUEUE_ID, message) is not None


def about_message(read: Read, message: str) -> tuple[list[Line], list[str]]:
    """Return the lines about a message, oldest first, and its Message-IDs.

    ``message`` is a Message-ID or a queue id, as ``plain_id`` returns it. Postfix alone says which
    queue ids a message had: its Message-ID is the sender's, and may imitate lines of others.
    """
    found: list[Line] = []
    if is_queue_id(message):
        found = read(grep_message_of([message]))
    ids = _ids_of(found, message) if found else [message]
    if ids:
        found += read(_grep_ids(ids))
    named = [queue for line in found for queue in [queue_of(line)] if queue]
    named = [
        queue for queue in dict.fromkeys(named) if any(_has_id(found, queue, one) for one in ids)
    ]
    queues = (named or ([message] if found and is_queue_id(message) else []))[:QUEUES]
    if queues:
        found += read(grep_message_of(queues))
    sessions = sorted({one for line in found for one in SESSION.findall(line.text)})
    if sessions:
        found += read(f"<({'|'.join(map(re.escape, sessions))})>: ")
    lines = [line for line in in_order(found) if _is_about(line, queues, ids, sessions)]
    return in_order([*lines, *_connections(read, lines)]), ids


def _grep_ids(ids: t.Iterable[str]) -> str:
    """Return a pattern for the lines of Postfix and Dovecot that name a Message-ID."""
    names = "|".join(map(re.escape, ids))
    return rf"message-id=<?({names})>?(\s|$)|msgid=<?({names})>?: "


def grep_message_of(queues: t.Iterable[str]) -> str:
    """Return a pattern for the lines of Postfix, the guard, OpenDKIM and the filter about messages
    with these queue ids."""
    names = "|".join(sorted(queues))
    return rf"^({names}): |^{_FILTER}.* qid: <({names})>,"


def _ids_of(lines: t.Iterable[Line], queue: str) -> list[str]:
    """Return the Message-ID that Postfix has read in the message with a queue id, if it has one."""
    start = f"{queue}: message-id="
    found = []
    for line in lines:
        if queue_of(line) == queue and line.text.startswith(start):
            with contextlib.suppress(ValueError):
                found.append(plain_id(line.text[len(start) :]))
    return list(dict.fromkeys(found))


def _has_id(lines: t.Iterable[Line], queue: str, message_id: str) -> bool:
    """Return whether Postfix has read a Message-ID in the message with a queue id."""
    pattern = rf"{queue}: (?:resent-)?message-id=<?{re.escape(message_id)}>?(?:\s|$)"
    return any(queue_of(line) == queue and re.match(pattern, line.text) for line in lines)


def _is_about(
    line: Line, queues: t.Collection[str], ids: t.Iterable[str], sessions: t.Container[str]
) -> bool:
    """Return whether a line is about a message with these queue ids, Message-IDs and sessions."""
    if line.program == "rspamd":
        return filtered_queue(line, ids) in queues
    if line.program == "dovecot":
        found = DELIVERER.match(line.text)
        starts = tuple(text for one in ids for text in (f"msgid=<{one}>: ", f"msgid={one}: "))
        return bool(found and (found["session"] in sessions or found["text"].startswith(starts)))
    start = _QUEUE.match(line.text)
    return start is not None and start[1] in queues


def filtered_queue(line: Line, ids: t.Iterable[str]) -> t.Optional[str]:
    """Return the queue id of the message that a line of the filter is about, or None.

    rspamd writes the sender's Message-ID first, so a line counts only with one of ``ids``.
    """
    names = "|".join(re.escape(_graphic(one)) for one in (*ids, "undef"))
    found = re.match(rf"{_FILTER}\S+: (?:id: <(?:{names})>,|filtered) qid: <(\w+)>,", line.text)
    return found[1] if found else None


def _graphic(message_id: str) -> str:
    """Return a Message-ID as rspamd writes it: with ``?`` for all but graphic ASCII."""
    return re.sub(r"[^\x21-\x7e]", "?", message_id)


def _connections(read: Read, lines: t.Iterable[Line]) -> t.Iterator[Line]:
    """Yield the lines in which smtpd says how the clients of the message had connected.

    These lines have no queue id. They are of the same process, and the newest before the message.
    """
    clients = [(line, found[1]) for line in lines for found in [CLIENT.search(line.text)] if found]
    for line, client in clients[:QUEUES]:
        pattern = rf"^(connect|\w+ TLS connection established) from {re.escape(client)}(:|$)"
        before = read(pattern, process=line.process, until=line.time // 1_000_000 + 1)
        yield from in_order(one for one in before if one.time <= line.time)[-2:]
