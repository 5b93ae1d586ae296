# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the lines of a mail host's log that are about one address or domain, and what they mean.

PRIVATE to the collection. Pure; standard library only, because hosts use it, too.
"""

from __future__ import annotations

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
_QUEUE = re.compile(
    r"^([0-9A-F]{6,}"
    r"|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,}z[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-y]+): "
)
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
    """One line of a log. ``at`` is a UTC time such as 2026-11-21T14:00:00Z."""

    at: str
    program: str
    text: str
    kind: str

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


def parse(output: str, timestamp: t.Callable[[int], str]) -> list[Line]:
    """Return the lines that ``journalctl -o json`` printed.

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
            at = timestamp(int(entry["__REALTIME_TIMESTAMP"]) // 1_000_000)
        except (ValueError, KeyError, TypeError):
            continue
        text = "".join(char if char.isprintable() else " " for char in text)
        for secret in _SECRETS:
            text = secret.sub(r"\1…", text)
        found.append(Line(at, str(entry.get("SYSLOG_IDENTIFIER", "")), text[:1000], kind(text)))
    return found


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
    lines = sorted(set(lines))
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
