# SPDX-License-Identifier: GPL-3.0-or-later
"""Which lines of a mail host's log tell about one address or domain, and what they tell.

PRIVATE to the collection. Pure; standard library only, because hosts use it, too.
"""

from __future__ import annotations

import json
import re
import typing as t

KINDS = ("auth_failed", "login", "refused", "bounced", "deferred", "delivered", "other")
"""What a line amounts to. The order is that of ``_PATTERNS``: the first that fits counts."""
QUEUES = 50
"""Messages whose other lines are asked for: a host may have taken thousands for one domain."""

_PATTERNS = (
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
    r"^([0-9A-F]{6,}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,}z[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-y]+): "
)
_TO, _FROM = re.compile(r"\bto=<([^>]*)>"), re.compile(r"\bfrom=<([^>]*)>")
_SECRETS = (
    re.compile(r"(given password: )\S+", re.I),
    re.compile(r"(, session=<)[^>]*"),
    re.compile(r"\b(AUTH \S+ )\S+", re.I),
)


class Line(t.NamedTuple):
    """One line of a log; ``at`` is UTC, as 2026-11-21T14:00:00Z."""

    at: str
    program: str
    text: str
    kind: str

    @property
    def shown(self) -> str:
        return f"{self.at} {self.program}: {self.text}"


def grep_for(subject: str) -> str:
    """The subject as a pattern for ``journalctl --grep``: exactly this address (with any +extension), or any address of this very domain."""
    local, at, domain = subject.rpartition("@")
    before = rf"(?<![A-Za-z0-9._+=-]){re.escape(local)}(\+[^@\s<>]*)?@" if at else "@"
    return rf"(?i){before}{re.escape(domain)}(?![A-Za-z0-9-]|\.[A-Za-z0-9])"


def grep_queues(queues: t.Iterable[str]) -> str:
    """The messages' other lines."""
    return f"^({'|'.join(sorted(queues))}): "


def kind(text: str) -> str:
    """What a line amounts to."""
    found = next((name for name, pattern in _PATTERNS if pattern.search(text)), "other")
    return "login" if found == "other" and _SUBMITTED.search(text) else found


def parse(output: str, moment: t.Callable[[int], str]) -> list[Line]:
    """Lines of ``journalctl -o json``. A message that is no text is an array of bytes there."""
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
            at = moment(int(entry["__REALTIME_TIMESTAMP"]) // 1_000_000)
        except (ValueError, KeyError, TypeError):
            continue
        text = "".join(char if char.isprintable() else " " for char in text)
        for secret in _SECRETS:
            text = secret.sub(r"\1…", text)
        found.append(Line(at, str(entry.get("SYSLOG_IDENTIFIER", "")), text[:1000], kind(text)))
    return found


def queue_of(line: Line) -> t.Optional[str]:
    """The message that a line of Postfix is about."""
    found = _QUEUE.match(line.text) if line.program.startswith("postfix") else None
    return found.group(1) if found else None


def mentions(subject: str, text: str) -> bool:
    return re.search(grep_for(subject), text) is not None


def own(subject: str, lines: t.Iterable[Line]) -> list[Line]:
    """Lines that tell about the subject and nobody else: a message's other recipients are other people's business, unless the subject wrote
    to them."""
    lines = sorted(set(lines))
    sent = {
        queue_of(line)
        for line in lines
        for sender in _FROM.findall(line.text)
        if mentions(subject, f"<{sender}>")
    } - {None}

    def tells(line: Line) -> bool:
        queue, named = queue_of(line), mentions(subject, line.text)
        others = [
            name for name in _TO.findall(line.text) if name and not mentions(subject, f"<{name}>")
        ]
        if queue is not None and queue in sent:
            return True
        return (
            (named or queue is not None)
            if not others
            else named and (_wrote(subject, line) or _rewritten(subject, line))
        )

    return [line for line in lines if tells(line)]


def _wrote(subject: str, line: Line) -> bool:
    return any(mentions(subject, f"<{name}>") for name in _FROM.findall(line.text))


def _rewritten(subject: str, line: Line) -> bool:
    """An alias's mail goes to its target, and the line says both."""
    return any(
        mentions(subject, f"<{name}>") for name in re.findall(r"\borig_to=<([^>]*)>", line.text)
    )
