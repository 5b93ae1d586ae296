# SPDX-License-Identifier: GPL-3.0-or-later
"""The form of every line in the files of a generation, and what is wrong with a file.

Daemons skip lines that they cannot read, read half of them, or end. Their own checks do not read
lookups at all. So each line is read here first.

PRIVATE to the collection. Pure; standard library only.
"""

from __future__ import annotations

import operator
import re
import typing as t
from xml.etree import ElementTree as ET

_DOMAIN = r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_ADDRESS = rf"[a-z0-9.!#$%&'*/=?^_`{{|}}~+-]+@{_DOMAIN}"
_TYPED = r"(?:[a-z0-9\u0080-\U0010ffff-]+\.)+[a-z0-9\u0080-\U0010ffff-]+"
"""A domain as a user types it; letters outside of ASCII are allowed."""
_WORD = r"[a-z0-9._-]+"
_ENCODED = r"=\?utf-8\?[bq]\?[A-Za-z0-9=_!*+/-]+\?="
"""A word of a header field with letters beyond ASCII (RFC 2047)."""
_PHRASE = rf'(?:"(?:[ !#-\[\]-~]|\\["\\])+"|{_ENCODED}(?: {_ENCODED})*)'
"""A name in a header field: a quoted string (RFC 5322) or encoded words."""

_SCORE = r"(?:[1-9][0-9]*|-)"
_LIST = rf"(?:e|p:{_WORD}|a:{_WORD}|d:{_DOMAIN}|m:{_ADDRESS})"
"""The name of a level's list of senders: estate, plan, account, domain, mailbox."""

_REPLY = r"(?:450 4\.7\.1|550 5\.7\.1) [ -~]+"
"""A reply that defers or refuses mail for a suspended address."""

_PATTERNS = {
    # The form of a line. Its only group is the key.
    "postfix/display_names": rf"({_ADDRESS})\t{_PHRASE}",
    "postfix/internal_aliases": rf"({_ADDRESS})\t{_WORD}",
    "postfix/recipient_access": (
        rf"({_ADDRESS}(?=\tDUNNO$|\t{_REPLY}$)"
        rf"|{_DOMAIN}(?=\treject_unverified_recipient$|\t{_REPLY}$))\t.+"
    ),
    "postfix/held_recipients": rf"({_ADDRESS})\tHOLD",
    "postfix/held_senders": rf"({_ADDRESS})\t{_ADDRESS}",
    "postfix/submission_access": rf"({_ADDRESS})\t421 4\.7\.0 [ -~]+",
    "postfix/relay_domains": rf"({_DOMAIN})\t{_WORD}",
    "postfix/relay_recipient_maps": rf"({_ADDRESS}|@{_DOMAIN})\t{_WORD}",
    "postfix/sender_login_maps": rf"({_ADDRESS})\t{_ADDRESS}(?: {_ADDRESS})*",
    "postfix/sender_transport_maps": (
        rf"(<>|@{_DOMAIN})\t(?:smtp:|out-[0-9a-f-]+:|relay-{_WORD}:\[{_DOMAIN}\]:[0-9]+)"
    ),
    "postfix/tls_policy_maps": rf"(\[{_DOMAIN}\]:[0-9]+)\tsecure match=nexthop",
    "postfix/transport_maps": (
        rf"({_DOMAIN}(?=\t(?:smtp|nodes):)|{_ADDRESS}(?=\thold:|\tlmtp:|\tsmtp:))"
        rf"\t(?:(?:smtp|nodes):\[{_DOMAIN}\]:[0-9]+|hold:\[127\.0\.0\.1\]:[0-9]+|lmtp:unix:[a-z/-]+)"
    ),
    "postfix/virtual_alias_domains": rf"({_DOMAIN})\t{_WORD}",
    "postfix/virtual_alias_maps": rf"({_ADDRESS}|@{_DOMAIN}|[a-z-]+)\t{_ADDRESS}(?:, {_ADDRESS})*",
    "postfix/virtual_mailbox_domains": rf"({_DOMAIN})\t{_WORD}",
    "postfix/virtual_mailbox_maps": rf"({_ADDRESS})\t{_WORD}",
    "dovecot/all_users": rf"({_ADDRESS})",
    **dict.fromkeys(
        (
            "dovecot/mailboxes",
            *(f"dovecot/logins/{name}" for name in ("imap", "pop3", "smtp", "sieve", "doveadm")),
        ),
        rf"({_ADDRESS}|@):::::::",
    ),
    "dovecot/retention": (
        rf"(domain {_DOMAIN}(?=\t{_WORD}\t(?:ends|serves|waits)$)"
        rf"|tenant {_WORD}(?=\t[0-9]+\t(?:keep|purge)$))\t.+"
    ),
    "dovecot/login_domains": (
        rf"(@(?=.* store=logins$)|{_TYPED}(?=.* domain={_DOMAIN}$)):::::::noauthenticate \S+"
    ),
    **{
        f"{folder}/{table}": pattern
        for folder in ("opendkim", "opendkim_ed25519", "opendkim_node")
        for table, pattern in {
            "key_table": rf"({_WORD}\._domainkey\.{_DOMAIN})\t{_DOMAIN}:{_WORD}:/\S+\.private",
            "signing_table": rf"({_DOMAIN})\t{_WORD}\._domainkey\.{_DOMAIN}",
        }.items()
    },
    "sending/mailboxes": (
        rf"({_ADDRESS})\t{_WORD}(?: recipients=[0-9]+)?(?: mailbox=[0-9]+)?(?: domain=[0-9]+)?"
        r"(?: tenant=[0-9]+)?"
    ),
    "filter/lists": rf"({_LIST} (?:{_ADDRESS}|@\.?{_DOMAIN}))\t(?:allow|block)",
    "filter/networks": r"([0-9a-f.:]+/[0-9]{1,3})\t(?:allow|block)",
    "filter/settings": rf"(@|@{_DOMAIN}|{_ADDRESS})\t{_SCORE} {_SCORE} {_SCORE}(?: {_LIST})*",
    "tls/names": rf"({_DOMAIN})",
    "quota_warnings/names": (
        rf"({_DOMAIN})\t(?:[A-Za-z0-9][A-Za-z0-9 -]*|{_ENCODED}(?: {_ENCODED})*)"
    ),
}
_LINES = {path: re.compile(rf"^{pattern}$", re.M) for path, pattern in _PATTERNS.items()}
_USERS = re.compile(rf"dovecot/users/({_DOMAIN})\Z")
_USER_LINES = {
    # In older generations mailboxes have no limits, or no score of spam. A rollback to them must
    # still work.
    debian: re.compile(
        rf"^({_ADDRESS}):::::::{size}[0-9]+[BKMGT]?(?:{counts})?(?:{junk}[0-9]+)?$", re.M
    )
    for debian, size, counts, junk in (
        (12, r"userdb_quota_rule=\*:storage=", ":messages=[0-9]+", " userdb_sieve_env_spam_junk="),
        (
            13,
            "userdb_quota_storage_size=",
            " userdb_quota_message_count=[0-9]+ userdb_quota_mailbox_count=[0-9]+",
            " userdb_sieve_environment/spam_junk=",
        ),
    )
}
_SCRIPT = re.compile(
    rf"sieve/(?:estate/estate|(?:account|domain)/{_DOMAIN}|(?:mailbox|forward)/{_ADDRESS})\.sieve\Z"
)
_POLICY = re.compile(
    rf"version: STSv1\r\nmode: (?:none|testing|enforce)\r\n(?:mx: {_DOMAIN}\r\n)+max_age:"
    r" [0-9]{1,8}\r\n\Z"
)
_BOOKS = {
    # Address books: the form of a line, and its end.
    ".ldif": (r"(?:[A-Za-z]+: (?![ :<])[ -~]*[!-~]|[A-Za-z]+:: [A-Za-z0-9+/]+=*)?", "\n"),
    ".vcf": (r"(?:[A-Z]+:| )[^\x00-\x1f\x7f]+", "\r\n"),
}
_BOOK_LINES = {
    kind: (re.compile(rf"(?:{form}{end})*+"), re.compile(form), end)
    for kind, (form, end) in _BOOKS.items()
}

_ANSWERS = {
    # Settings for mail programs: the root element of each file.
    "autoconfig": "clientConfig",
    "autodiscover": (
        "{http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006}Autodiscover"
    ),
}

LOOKUPS = tuple(sorted(path for path in _PATTERNS if path.startswith("postfix/")))
"""The tables that Postfix opens: each has a ``.lmdb`` beside it."""


def faults(path: str, data: bytes, debian: int) -> t.Iterator[str]:
    """Yield what is wrong in one file of a generation, with line and key."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        yield f"{path}: {error}"
        return
    if path == "model.txt":
        return
    if path.startswith("sieve/"):
        # sievec reads the script itself.
        if not _SCRIPT.match(path) or "/" in path.split("/", 2)[2]:
            yield f"{path}: no file of a generation"
    elif path.startswith("mta_sts/"):
        if not _POLICY.match(text):
            yield f"{path}: not an MTA-STS policy"
    elif path.startswith("address_book/"):
        yield from _book_faults(path, text)
    elif path.partition("/")[0] in _ANSWERS:
        yield from _answer_faults(path, text)
    else:
        yield from _table_faults(path, text, debian)


def _table_faults(path: str, text: str, debian: int) -> t.Iterator[str]:
    """Yield what is wrong in a file that has one entry on each line."""
    users_of = _USERS.match(path)
    pattern = _USER_LINES[debian] if users_of else _LINES.get(path)
    if pattern is None:
        yield f"{path}: no file of a generation"
        return
    if text and not text.endswith("\n"):
        yield f"{path}: the last line is cut off"
    # Most files are sound. All keys at once take less time than one line after the other.
    keys = pattern.findall(text[: text.rfind("\n") + 1])
    if len(keys) != text.count("\n") or not all(map(operator.lt, keys, keys[1:])):
        yield from _line_faults(path, text.split("\n")[:-1], pattern)
    if users_of and not all(key.endswith(f"@{users_of[1]}") for key in keys):
        yield from _domain_faults(path, text.split("\n")[:-1], pattern, users_of[1])


def _domain_faults(
    path: str, lines: list[str], pattern: re.Pattern[str], domain: str
) -> t.Iterator[str]:
    """Yield the lines of a domain's file whose user is in another domain."""
    for number, line in enumerate(lines, 1):
        address = line.partition(":")[0]
        if pattern.match(line) and not address.endswith(f"@{domain}"):
            yield f"{path}:{number}: {address[:120]!r} is not of this domain"


def _book_faults(path: str, text: str) -> t.Iterator[str]:
    """Yield what is wrong in an address book."""
    forms = _BOOK_LINES.get(path[path.rfind(".") :])
    if forms is None:
        yield f"{path}: no file of a generation"
        return
    whole, form, end = forms
    if whole.fullmatch(text):  # less time than one line after the other
        return
    for number, line in enumerate(text.split(end)[:-1], 1):
        if not form.fullmatch(line):
            yield f"{path}:{number}: not a line of this file: {line[:120]!r}"
    if not text.endswith(end):
        yield f"{path}: the last line is cut off"


def _answer_faults(path: str, text: str) -> t.Iterator[str]:
    """Yield what is wrong in a file with settings for mail programs."""
    try:
        root = ET.fromstring(text.encode())
    except ET.ParseError as error:
        yield f"{path}: {error}"
        return
    if root.tag != _ANSWERS[path.partition("/")[0]]:
        yield f"{path}: not settings of mail programs"


def _line_faults(path: str, lines: list[str], pattern: re.Pattern[str]) -> t.Iterator[str]:
    """Yield lines of another form, and keys that are duplicate or not in ascending order."""
    last = ""
    for number, line in enumerate(lines, 1):
        match = pattern.match(line)
        if not match:
            yield f"{path}:{number}: not a line of this file: {line[:120]!r}"
        elif match[1] == last:
            yield f"{path}:{number}: {match[1]} is here twice"
        elif match[1] < last:
            yield f"{path}:{number}: {match[1]} is out of order"
        if match:
            last = match[1]
