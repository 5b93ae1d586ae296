# SPDX-License-Identifier: GPL-3.0-or-later
"""The grammar of every file in a generation. Daemons skip, half-read or die of lines they do not like, and their own
checks do not look at lookups at all, so each line is read here first.

PRIVATE to the collection. Pure; standard library only.
"""

from __future__ import annotations

import re
import typing as t
from xml.etree import ElementTree as ET

_DOMAIN = r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_ADDRESS = rf"[a-z0-9.!#$%&'*/=?^_`{{|}}~+-]+@{_DOMAIN}"
_TYPED = r"(?:[a-z0-9\u0080-\U0010ffff-]+\.)+[a-z0-9\u0080-\U0010ffff-]+"
"""A domain as somebody types it, with letters beyond ASCII."""
_WORD = r"[a-z0-9._-]+"

_PATTERNS = {
    # What a line is, and its key in the first group.
    "postfix/recipient_access": rf"({_ADDRESS}(?=\tDUNNO\Z)|{_DOMAIN}(?=\treject_unverified_recipient\Z))\t\w+",
    "postfix/relay_domains": rf"({_DOMAIN})\t{_WORD}",
    "postfix/relay_recipient_maps": rf"({_ADDRESS}|@{_DOMAIN})\t{_WORD}",
    "postfix/sender_login_maps": rf"({_ADDRESS})\t{_ADDRESS}(?: {_ADDRESS})*",
    "postfix/tls_policy_maps": rf"(\[{_DOMAIN}\]:[0-9]+)\tsecure match=nexthop",
    "postfix/transport_maps": rf"({_DOMAIN})\tsmtp:\[{_DOMAIN}\]:[0-9]+",
    "postfix/virtual_alias_domains": rf"({_DOMAIN})\t{_WORD}",
    "postfix/virtual_alias_maps": rf"({_ADDRESS}|@{_DOMAIN}|[a-z-]+)\t{_ADDRESS}(?:, {_ADDRESS})*",
    "postfix/virtual_mailbox_domains": rf"({_DOMAIN})\t{_WORD}",
    "postfix/virtual_mailbox_maps": rf"({_ADDRESS})\t{_WORD}",
    "dovecot/all_users": rf"({_ADDRESS})",
    **dict.fromkeys(("dovecot/logins", "dovecot/mailboxes"), rf"({_ADDRESS}|@):::::::"),
    "dovecot/login_domains": rf"(@(?=.* store=logins\Z)|{_TYPED}(?=.* domain={_DOMAIN}\Z)):::::::noauthenticate \S+",
    **{
        f"{folder}/{table}": pattern
        for folder in ("opendkim", "opendkim_ed25519", "opendkim_node")
        for table, pattern in {
            "key_table": rf"({_WORD}\._domainkey\.{_DOMAIN})\t{_DOMAIN}:{_WORD}:/\S+\.private",
            "signing_table": rf"({_DOMAIN})\t{_WORD}\._domainkey\.{_DOMAIN}",
        }.items()
    },
    "tls/names": rf"({_DOMAIN})",
}
_LINES = {path: re.compile(rf"{pattern}\Z") for path, pattern in _PATTERNS.items()}
_USERS = re.compile(rf"dovecot/users/({_DOMAIN})\Z")
_USER_LINES = {
    # A generation from before mailboxes had such limits has none, and must still be fit to be rolled back to.
    debian: re.compile(rf"({_ADDRESS}):::::::{size}[0-9]+[BKMGT]?(?:{counts})?\Z")
    for debian, size, counts in (
        (12, r"userdb_quota_rule=\*:storage=", ":messages=[0-9]+"),
        (
            13,
            "userdb_quota_storage_size=",
            " userdb_quota_message_count=[0-9]+ userdb_quota_mailbox_count=[0-9]+",
        ),
    )
}
_POLICY = re.compile(
    rf"version: STSv1\r\nmode: (?:none|testing|enforce)\r\n(?:mx: {_DOMAIN}\r\n)+max_age: [0-9]{{1,8}}\r\n\Z"
)

_ANSWERS = {
    # What mail programs are told: each file's root.
    "autoconfig": "clientConfig",
    "autodiscover": "{http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006}Autodiscover",
}

LOOKUPS = tuple(sorted(path for path in _PATTERNS if path.startswith("postfix/")))
"""The tables that Postfix opens: each has a ``.lmdb`` beside it."""


def faults(path: str, data: bytes, debian: int) -> t.Iterator[str]:
    """What is wrong in one file of a generation, each with line and key."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        yield f"{path}: {error}"
        return
    if path == "model.txt":
        return
    if path.startswith("mta_sts/"):
        if not _POLICY.match(text):
            yield f"{path}: not an MTA-STS policy"
        return
    if path.partition("/")[0] in _ANSWERS:
        yield from _answer_faults(path, text)
        return
    users_of = _USERS.match(path)
    pattern = _USER_LINES[debian] if users_of else _LINES.get(path)
    if pattern is None:
        yield f"{path}: no file of a generation"
        return
    if text and not text.endswith("\n"):
        yield f"{path}: the last line is cut off"
    lines = text.split("\n")[:-1]
    yield from _line_faults(path, lines, pattern)
    if users_of:
        for number, line in enumerate(lines, 1):
            if pattern.match(line) and not line.partition(":")[0].endswith(f"@{users_of[1]}"):
                yield f"{path}:{number}: {line.partition(':')[0][:120]!r} is not of this domain"


def _answer_faults(path: str, text: str) -> t.Iterator[str]:
    try:
        root = ET.fromstring(text.encode())
    except ET.ParseError as error:
        yield f"{path}: {error}"
        return
    if root.tag != _ANSWERS[path.partition("/")[0]]:
        yield f"{path}: not settings of mail programs"


def _line_faults(path: str, lines: list[str], pattern: re.Pattern[str]) -> t.Iterator[str]:
    last = ""
    for number, line in enumerate(lines, 1):
        match = pattern.match(line)
        if not match:
            yield f"{path}:{number}: not a line of this file: {line[:120]!r}"
        elif match[1] == last:
            yield f"{path}:{number}: {match[1]} stands here twice"
        elif match[1] < last:
            yield f"{path}:{number}: {match[1]} is out of order"
        if match:
            last = match[1]
