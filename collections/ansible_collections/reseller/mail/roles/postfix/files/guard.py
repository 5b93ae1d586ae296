#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""reseller-mail-guard: a milter that refuses and removes what Postfix and Dovecot cannot.

* Postfix binds a login to its envelope sender only. A user could put a neighbour's address into
  From and have it DKIM-signed. Here From, Sender and their Resent- forms must be addresses that the
  login may use.
* Mail that a user's Sieve script causes is bound to that user in the same way. A redirect keeps the
  From of the message; its envelope must not give that From an SPF result that aligns.
* Only users of the tenant may write to some aliases. Port 25 refuses these aliases, and here those
  who log in or whose scripts send are asked for their tenant.
* A From without a name gets the name of the user, before OpenDKIM signs it.
* A message without SIZE, or for a mailbox that is nearly full, is known to be too large only when
  it has arrived, and Dovecot 2.3 does not answer then. With one recipient the mailbox is asked once
  more, with the size that did arrive.
* A spam filter's marks that an external host or a user wrote are removed.
* Postfix takes envelope addresses with 8-bit and control characters although it offers no SMTPUTF8.
  Here they are refused.
* Postfix cuts a long header field without notice. Here a field that it would cut is refused, and a
  header that other servers do not take.

Everything above ``serve`` is pure or takes its surroundings as arguments. Only the standard library
and pymilter.
"""

from __future__ import annotations

import argparse
import ipaddress
import logging
import mmap
import os
import pwd
import re
import socket
import typing as t

LOG = logging.getLogger("guard")

# Space for what Postfix, Dovecot and OpenDKIM still add to a message (Received, Delivered-To,
# signature), so that a message that is accepted here also fits into the mailbox.
TRACE_BYTES = 2048
KEPT_FIELDS = 50
# Gmail takes 500 KB of header, Exchange Online and others less.
HEADER_BYTES = 512000
# When there are milters, Postfix 3.7 and 3.10 cut a field at 60000 bytes; the guard sees what is
# left.
FIELD_BYTES = 58000
IDENTITY_FIELDS = frozenset({"from", "sender", "resent-from", "resent-sender"})
# A name that is longer is written in several lines (RFC 5322 section 2.1.1 recommends 78).
LINE_LENGTH = 70

_FOLD = re.compile(rb"\r?\n(?=[ \t])")
_TOKEN = re.compile(
    r"""(?P<space>[ \t]+)
      | (?P<atom>[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)
      | (?P<quoted>"(?:[^"\\<>]|\\["\\])*")
      | (?P<comment>\([^()<>@,;:"\\]*\))
      | (?P<special>[<>@.])""",
    re.VERBOSE,
)
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]*[a-z0-9]")
_COMMENT = re.compile(rb"\([^()]*\)")
_NOT_ASCII = re.compile(rb"@[^<>,;:]*[^\x21-\x7e]")
_ACTION = re.compile(r"([45]\d\d) ([45]\.\d{1,3}\.\d{1,3}) (.*)")


class Refusal(t.NamedTuple):
    """An SMTP answer that refuses: reply code, enhanced status code (RFC 3463) and text."""

    code: str
    status: str
    text: str


class NotOneAddress(ValueError):
    """A header field that is not exactly one plain address. The message says why, after the name of
    the field."""


Find = t.Callable[[str, str], t.Optional[str]]
"""``find(table, key)`` returns the value in a table of the current generation, or None."""


def find_line(data: t.Any, key: bytes) -> bytes | None:
    """Return the value of a key in sorted ``key<TAB>value`` lines, or None.

    It is found by bisection: the table may have the addresses of the whole estate.
    """
    low, high = 0, len(data)
    while low < high:
        start = data.rfind(b"\n", low, (low + high) // 2) + 1 or low
        end = data.find(b"\n", start)
        end = len(data) if end < 0 else end
        this, _tab, value = bytes(data[start:end]).partition(b"\t")
        if this == key:
            return value
        if this < key:
            low = end + 1
        else:
            high = start
    return None


def one_address(value: bytes) -> str:
    """Return the one address of a From-like field in lower case; raise NotOneAddress if there is no
    one plain address.

    This is narrower than RFC 5322 on purpose. Two parsers may read groups, lists, routes, quoted
    local parts, comments with specials, raw 8-bit and control characters in different ways. Then a
    message would have one sender here and another one at its reader.
    """
    kinds, words = _address_part(_tokens(value))
    address = "".join(words).lower()
    local, _at, domain = address.partition("@")
    if not set(kinds) <= {"atom", ".", "@"} or kinds.count("@") != 1 or not all(local.split(".")):
        raise NotOneAddress("is not one plain address")
    if "=?" in address or "?=" in address:
        # Some readers decode an encoded word also inside an address, and show another sender.
        raise NotOneAddress("has an encoded word inside its address")
    if len(address) > 254 or not _DOMAIN.fullmatch(domain):
        raise NotOneAddress("has no valid domain")
    return address


def _tokens(value: bytes) -> list[tuple[str, str]]:
    """Return the kind and text of each token of a field (RFC 5322 section 3.2); raise
    NotOneAddress."""
    unfolded = _FOLD.sub(b"", value)
    if any(byte > 0x7E or (byte < 0x20 and byte != 0x09) for byte in unfolded):
        raise NotOneAddress(
            "has bytes that are not printable ASCII (write names as RFC 2047 encoded words)"
        )
    tokens: list[tuple[str, str]] = []
    text, at = unfolded.decode("ascii").strip(" \t"), 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise NotOneAddress("is not one plain address")
        tokens.append((str(match.lastgroup), match[0]))
        at = match.end()
    return tokens


def _address_part(tokens: t.Sequence[tuple[str, str]]) -> tuple[list[str], list[str]]:
    """Return the kinds and the words of the tokens without the display name or trailing comment.

    The kind of a special character is the character itself.
    """
    kinds = [kind if kind != "special" else word for kind, word in tokens]
    words = [word for _kind, word in tokens]
    if "<" in kinds:
        start = kinds.index("<")
        if kinds[-1] != ">" or not set(kinds[:start]) <= {"space", "atom", "quoted", "."}:
            raise NotOneAddress("is not a name and one address in angle brackets")
        return kinds[start + 1 : -1], words[start + 1 : -1]
    while kinds and kinds[-1] in ("space", "comment"):  # jo@acme.example (Jo Doe)
        kinds, words = kinds[:-1], words[:-1]
    return kinds, words


def lookup(find: Find, table: str, address: str) -> str | None:
    """Return what a table has for an address, as Postfix looks it up, or None.

    The first of these keys that exists counts: the address, the address without its +extension,
    @domain.
    """
    local, _at, domain = address.rpartition("@")
    plain = local[: local.find("+", 1)] if local.find("+", 1) > 0 else local
    for key in dict.fromkeys((address, f"{plain}@{domain}", f"@{domain}")):
        value = find(table, key)
        if value is not None:
            return value
    return None


def judge_address(address: str, status: str) -> Refusal | None:
    """Return why an envelope address cannot be taken, or None; status is the one for bad syntax
    (RFC 3463 section 3.2).

    SMTPUTF8 is not offered, so addresses are ASCII (RFC 6531 section 3.1). Also in quotes they have
    no control characters (RFC 5321 section 4.1.2).
    """
    if not address.isascii():
        return Refusal("553", "5.6.7", "Address must be ASCII, SMTPUTF8 is not supported")
    if not address.isprintable():
        return Refusal("553", status, "Address has a control character")
    return None


def judge_header(total: int, longest: int) -> Refusal | None:
    """Return why a header of this size, with a longest field of this size, cannot be taken, or
    None."""
    if longest > FIELD_BYTES:
        return Refusal("552", "5.3.4", f"A header field is longer than {FIELD_BYTES} bytes")
    if total > HEADER_BYTES:
        return Refusal("552", "5.3.4", f"Header is longer than {HEADER_BYTES} bytes")
    return None


def judge_identity(login: str, fields: t.Sequence[tuple[str, bytes]], find: Find) -> Refusal | None:
    """Return why a login may not send a message with these sender fields, or None.

    The fields are From, Sender, Resent-From and Resent-Sender.
    """
    if len(fields) >= KEPT_FIELDS:
        return Refusal("550", "5.7.1", "Message has too many sender fields")
    names = [name.lower() for name, _value in fields]
    for name, need in (("from", "exactly"), ("sender", "at most")):
        count = names.count(name)
        if count > 1 or (count == 0 and need == "exactly"):
            return Refusal(
                "550", "5.7.1", f"Message must have {need} one {name.title()} field and has {count}"
            )
    refusals = (judge_field(login, name.title(), value, find) for name, value in fields)
    return next(filter(None, refusals), None)


def judge_field(login: str, name: str, value: bytes, find: Find) -> Refusal | None:
    """Return why a login may not send a message with this sender field, or None."""
    try:
        address = one_address(value)
    except NotOneAddress as error:
        return Refusal("550", "5.7.1", f"{name} {error}")
    owners = re.split(r"[\s,]+", (lookup(find, "sender_login_maps", address) or "").lower())
    if login and login.lower() in owners:
        return None
    sender = login or "a client without a login"
    return Refusal(
        "550", "5.7.1", f"{name} <{address}> is not an address that {sender} may send as"
    )


def plain_recipient(recipient: str) -> str:
    """Return an envelope recipient in lower case as Postfix looks it up.

    Without a source route, quotes and a dot at the end, which are other ways to write an address
    (RFC 5321 section 4.1.2).
    """
    address = recipient.strip("<>").lower()
    if address.startswith("@"):
        address = address.partition(":")[2]
    local, _at, domain = address.rpartition("@")
    if local.startswith('"'):
        local = re.sub(r"\\(.)", r"\1", local.strip('"'))
    return f"{local}@{domain.rstrip('.')}"


def judge_internal(recipient: str, tenant: str | None, find: Find) -> Refusal | None:
    """Return why a user of a tenant may not write to a recipient, or None.

    ``tenant`` is None if the sender is no user.
    """
    wanted = lookup(find, "internal_aliases", plain_recipient(recipient))
    if wanted is None or wanted == tenant:
        return None
    return Refusal(
        "550", "5.7.1", f"Only users of the same organisation may write to {recipient.strip('<>')}"
    )


def named_from(fields: t.Sequence[tuple[str, bytes]], find: Find) -> str | None:
    """Return the From field with the name of the user, or None if it stays as it is.

    It stays if it has a name or a comment, if the address has no name in the files, and if the
    message is sent again (RFC 5322 section 3.6.6): then From is that of another message.
    """
    froms = from_fields(fields)
    if len(froms) != 1 or any(name.lower().startswith("resent-") for name, _value in fields):
        return None
    bare = froms[0].strip().decode("ascii", "replace")
    bare = bare[1:-1].strip() if bare[:1] + bare[-1:] == "<>" else bare
    if bare.lower() != one_address(froms[0]):
        return None
    name = lookup(find, "display_names", bare.lower())
    if name is None:
        return None
    text = f"{name} <{bare}>"
    if len(text) <= LINE_LENGTH:
        return text
    return text.replace("?= =?", "?=\n =?").replace(f" <{bare}>", f"\n <{bare}>")


def own_mailbox(sender: str, find: Find) -> str | None:
    """Return the mailbox of this host that an envelope sender belongs to, or None."""
    local, _at, domain = sender.lower().rpartition("@")
    plain = local[: local.find("+", 1)] if local.find("+", 1) > 0 else local
    for address in (f"{local}@{domain}", f"{plain}@{domain}"):
        if find("virtual_mailbox_maps", address) is not None:
            return address
    return None


def is_redirect(head: t.Sequence[str]) -> bool:
    """Return whether Pigeonhole redirects this message, from the names of its first two fields.

    Pigeonhole writes them above everything that came from outside or from the script. Its other
    mail has Message-ID in first or second place; header lines that a script writes (``vacation
    :mime``) come later.
    """
    return [name.lower() for name in head[:2]] == ["x-sieve", "x-sieve-redirected-from"]


def judge_generated(
    sender: str, fields: t.Sequence[tuple[str, bytes]], find: Find
) -> Refusal | None:
    """Return why a script's owner may not cause this message (a vacation reply, a rejection), or
    None.

    Dovecot sets the envelope sender to the owner. A rejection has the null sender (RFC 8098 section
    3), and its From is the postmaster of the owner's domain. A script cannot change its header.
    """
    if sender:
        return judge_identity(own_mailbox(sender, find) or "", fields, find)
    try:
        ((_name, value),) = fields
        local, _at, domain = one_address(value).partition("@")
    except ValueError:
        local = domain = ""
    if local == "postmaster" and find("virtual_mailbox_domains", domain) is not None:
        return None
    return Refusal(
        "550",
        "5.7.1",
        "Mail without an envelope sender must be from the postmaster of a domain served here",
    )


def may_align(domain: str, froms: t.Sequence[bytes]) -> bool:
    """Return whether a receiver could take SPF's domain and the From fields for the same
    organisation (RFC 7489 section 3.1).

    Organisational domains have at least two labels, so two names that differ in these never align.
    A From that is not plainly one address counts as aligned wherever some reader could find the
    domain in it.
    """
    organisation = ".".join(domain.lower().rsplit(".", 2)[-2:])
    return any(_may_be_of(organisation, value) for value in froms)


def _may_be_of(organisation: str, value: bytes) -> bool:
    """Return whether some reader may find a domain of the organisation in a From field."""
    try:
        found = one_address(value).partition("@")[2]
    except NotOneAddress:
        readings = (re.sub(rb'[\s"\\]', b"", one).lower() for one in (value, uncommented(value)))
        return any(
            organisation.encode() in one or b"=?" in one or _NOT_ASCII.search(one) is not None
            for one in readings
        )
    return f".{found}".endswith(f".{organisation}")


def uncommented(value: bytes) -> bytes:
    """Return a field's value without its comments, also nested ones."""
    found = 1
    while found:
        value, found = _COMMENT.subn(b"", value)
    return value


def redirect_sender(sender: str, helo: str, froms: t.Sequence[bytes]) -> str | None:
    """Return the envelope sender with which a redirect leaves, or None if each would align with its
    From.

    The null sender has the SPF result of the host's own name (RFC 7208 section 2.4).
    """
    for candidate in (sender, "") if sender else ("",):
        if not may_align(candidate.rpartition("@")[2] or helo, froms):
            return candidate
    return None


def judge_redirect(
    sender: str, helo: str, fields: t.Sequence[tuple[str, bytes]], find: Find
) -> Refusal | None:
    """Return why a message may not be redirected, or None. Dovecot keeps in the mailbox what is
    refused."""
    mailbox = own_mailbox(sender, find)
    if sender and mailbox is None:
        return Refusal("550", "5.7.1", f"<{sender}> is not a mailbox of this host")
    if mailbox and find("submission_access", mailbox) is not None:
        return Refusal("550", "5.7.1", f"<{sender}> may not send mail")
    if len(fields) >= KEPT_FIELDS:
        return Refusal("550", "5.7.1", "Message has too many sender fields")
    if redirect_sender(sender, helo, from_fields(fields)) is None:
        return Refusal("550", "5.7.1", "A redirect would make the message's From look confirmed")
    return None


def from_fields(fields: t.Sequence[tuple[str, bytes]]) -> list[bytes]:
    """Return the values of the From fields."""
    return [value for name, value in fields if name.lower() == "from"]


def owner_of_connection(connections: str, port: int) -> int | None:
    """Return the user id that opened the connection from a port of 127.0.0.1, from the text of
    /proc/net/tcp."""
    local = f"0100007F:{port:04X}"
    for line in connections.splitlines()[1:]:
        columns = line.split()
        if len(columns) > 7 and columns[1] == local:
            return int(columns[7])
    return None


def is_spam_mark(name: str) -> bool:
    """Return whether a spam filter writes its result into a field of this name."""
    return name.lower().startswith("x-spam")


def mailbox_of(recipient: str, find: Find) -> str:
    """Return the address that a recipient's aliases lead to, or the recipient itself.

    The recipient is returned if an alias has several targets, or after ten aliases.
    """
    address = recipient.lower()
    for _hop in range(10):
        target = (lookup(find, "virtual_alias_maps", address) or address).strip().lower()
        if "," in target or " " in target or "@" not in target:
            return recipient
        if target == address:
            return address
        address = target
    return recipient


def judge_answer(action: str) -> Refusal | None:
    """Return the refusal that a policy service's action means, or None for any other action."""
    match = _ACTION.fullmatch(action.strip())
    return Refusal(match[1], match[2], match[3]) if match else None


def ask_policy(path: str, sender: str, recipient: str, size: int, seconds: float = 5.0) -> str:
    """Return the action that a policy service answers for a message.

    The question has the protocol state RCPT, the only one that Dovecot 2.3 answers. Raise OSError
    or ValueError if there is no answer.
    """
    fields = {
        "request": "smtpd_access_policy",
        "protocol_state": "RCPT",
        "protocol_name": "ESMTP",
        "sender": sender,
        "recipient": recipient,
        "size": str(size),
    }
    if any(character < " " for value in fields.values() for character in value):
        raise ValueError("control character in an envelope address")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        link.settimeout(seconds)
        link.connect(path)
        link.sendall(
            "".join(f"{name}={value}\n" for name, value in fields.items()).encode() + b"\n"
        )
        answer = _read_answer(link)
    for line in answer.decode("utf-8", "replace").splitlines():
        name, _equals, value = line.partition("=")
        if name == "action":
            return value
    raise ValueError("no action in the policy service's answer")


def _read_answer(link: socket.socket) -> bytes:
    """Return what a policy service sends up to an empty line, at most about 4096 bytes."""
    answer = b""
    while b"\n\n" not in answer and len(answer) < 4096:
        more = link.recv(4096)
        if not more:
            break
        answer += more
    return answer


class Tables:
    """The tables of the current generation. A table is mapped again after a switch."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._open: dict[str, tuple[tuple[int, int, int], t.Any]] = {}

    def find(self, table: str, key: str) -> str | None:
        """Return the value of a key in a table, or None."""
        path = os.path.join(self.folder, table)
        state = os.stat(path)
        mark = (state.st_dev, state.st_ino, state.st_mtime_ns)
        seen = self._open.get(table)
        if seen is None or seen[0] != mark:
            with open(path, "rb") as file:
                size = os.fstat(file.fileno()).st_size
                seen = (mark, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b"")
            self._open[table] = seen
        value = find_line(seen[1], key.encode("utf-8", "surrogateescape"))
        return None if value is None else value.decode("utf-8", "replace")


def printable(text: str) -> str:
    """Return a text for an SMTP reply: one line of ASCII without %.

    libmilter reads % as a format.
    """
    return "".join(c if " " <= c <= "~" and c != "%" else "?" for c in text)[:400]


class Surroundings(t.NamedTuple):
    """What the guard has to know about its host."""

    tables: Tables
    quota: str
    """The path of the unix socket of Dovecot's quota-status service."""
    deliverer: int
    """The user id as which Dovecot delivers mail and sends what scripts cause."""
    nodes: frozenset[str]
    """Addresses of the estate's nodes. Spam marks that they wrote are kept."""
    mailer: int
    """The user id as which Postfix sends mail. Only Postfix may give a message an SRS sender."""


class Session:
    """One SMTP session: what the client has sent of a message, and what follows from it."""

    def __init__(self, host: Surroundings, address: t.Any) -> None:
        self._host = host
        self._client, self._port = address[:2] if isinstance(address, tuple) else ("", 0)
        self._client_uid: int | None = None

    def begin(self, sender: str, login: str, daemon: str | None, hostname: str) -> None:
        """Begin a message. ``daemon`` is Postfix's name for the service that takes it."""
        self._login = login
        self._submitted = bool(login) or daemon == "ORIGINATING"
        self._scripted = daemon == "SIEVE"
        self._sent_on = daemon == "SRS"
        self._hostname = hostname
        self._sender = sender.strip("<>")
        self._recipients: list[str] = []
        self._fields: list[tuple[str, bytes]] = []
        self._first_names: list[str] = []
        self._spam_marks: list[str] = []
        self._signed = False
        self._header_size = self._longest_field = self._body_size = 0

    def add_recipient(self, recipient: str) -> None:
        """Note a recipient."""
        self._recipients.append(recipient.strip("<>"))

    def judge_recipient(self) -> Refusal | None:
        """Return why the login may not write to the last recipient, or None."""
        if not self._submitted:
            return None
        return judge_internal(
            self._recipients[-1], self._tenant_of(self._login), self._host.tables.find
        )

    def _tenant_of(self, address: str) -> str | None:
        """Return the tenant of a mailbox of this host, or None."""
        find = self._host.tables.find
        mailbox = own_mailbox(address, find) if address else None
        return find("virtual_mailbox_maps", mailbox) if mailbox else None

    def add_field(self, name: str, value: bytes) -> None:
        """Note what matters of a header field."""
        size = len(name) + len(value) + 4
        self._header_size += size
        self._longest_field = max(self._longest_field, size)
        if len(self._first_names) < 2:
            self._first_names.append(name)
        if name.lower() in IDENTITY_FIELDS and len(self._fields) < KEPT_FIELDS:
            self._fields.append((name, value))
        self._signed = self._signed or name.lower() == "dkim-signature"
        if is_spam_mark(name):
            self._spam_marks.append(name.lower())

    def add_body(self, size: int) -> bool:
        """Note the size of a part of the body; return whether sizes matter for this message.

        With several recipients they do not: SMTP has one answer for all, and LMTP answers for each
        later.
        """
        self._body_size += size
        return len(self._recipients) == 1

    def judge_head(self) -> Refusal | None:
        """Return why the header is refused, or None."""
        return judge_header(self._header_size, self._longest_field) or self._judge_sender()

    def _judge_sender(self) -> Refusal | None:
        """Return why the client may not send with these sender fields, or None."""
        find = self._host.tables.find
        if self._submitted:
            return judge_identity(self._login, self._fields, find)
        if self._sent_on and self._uid() != self._host.mailer:
            return Refusal("550", "5.7.1", "Only Postfix may send here")
        if not self._scripted:
            return None
        if self._uid() != self._host.deliverer:
            return Refusal("550", "5.7.1", "Only Dovecot may send here")
        refusal = self._judge_recipients_of_script()
        if refusal:
            return refusal
        if is_redirect(self._first_names):
            return judge_redirect(self._sender, self._hostname, self._fields, find)
        return judge_generated(self._sender, self._fields, find)

    def _judge_recipients_of_script(self) -> Refusal | None:
        """Return why a script may not send to its recipients, or None.

        A redirect may have come from outside, so it is never a user's own message.
        """
        tenant = None if is_redirect(self._first_names) else self._tenant_of(self._sender)
        refusals = (judge_internal(one, tenant, self._host.tables.find) for one in self._recipients)
        return next(filter(None, refusals), None)

    def _uid(self) -> int | None:
        """Return the user id of the client's process on this host, or None."""
        if self._client_uid is None:
            with open("/proc/net/tcp", encoding="ascii") as connections:
                self._client_uid = owner_of_connection(connections.read(), self._port)
        return self._client_uid

    def judge_size(self) -> Refusal | None:
        """Return why the message does not fit into the mailbox of its only recipient, or None."""
        if len(self._recipients) != 1:
            return None
        find = self._host.tables.find
        try:
            mailbox = mailbox_of(self._recipients[0], find)
            if find("virtual_mailbox_domains", mailbox.rpartition("@")[2]) is None:
                return None
            size = self._header_size + self._body_size + TRACE_BYTES
            action = ask_policy(self._host.quota, self._sender, mailbox, size)
        except (OSError, ValueError) as error:
            # Dovecot does not run. LMTP defers the message then, and checks the quota later.
            LOG.warning("quota not checked: %s", error)
            return None
        return judge_answer(action)

    def new_sender(self) -> str | None:
        """Return the envelope sender that a redirect gets, or None if it keeps its own."""
        if not self._scripted or not is_redirect(self._first_names):
            return None
        sender = redirect_sender(self._sender, self._hostname, from_fields(self._fields))
        return sender if sender != self._sender else None

    def new_from(self) -> str | None:
        """Return the From field that a submission gets, or None if it keeps its own.

        A message that its sender has signed keeps it: the signature covers From.
        """
        if not self._submitted or self._signed:
            return None
        return named_from(self._fields, self._host.tables.find)

    def marks_to_remove(self) -> list[tuple[str, int]]:
        """Return the spam marks to remove from an accepted message, each with its number.

        The numbers count the fields of one name from 1, and come in descending order. Marks of the
        estate's nodes stay, and those of a redirect. A script that replies writes some of the
        fields itself.
        """
        if self._scripted:
            is_kept = is_redirect(self._first_names)
        else:
            is_kept = not self._submitted and self._is_node()
        if is_kept:
            return []
        return [
            (name, number)
            for name in set(self._spam_marks)
            for number in range(self._spam_marks.count(name), 0, -1)
        ]

    def _is_node(self) -> bool:
        """Return whether the client is a node of the estate."""
        try:
            address = ipaddress.ip_address(self._client)
        except ValueError:
            return False
        return address.is_loopback or str(address) in self._host.nodes

    def decide(self, queue_id: str, judge: t.Callable[[], Refusal | None]) -> Refusal | None:
        """Return the refusal that ``judge`` returns, with a printable text, and log it.

        If ``judge`` fails, refuse temporarily.
        """
        try:
            refusal = judge()
        except Exception as error:
            LOG.error(
                "%s: not checked: %s", queue_id, error, exc_info=not isinstance(error, OSError)
            )
            refusal = Refusal("451", "4.3.0", "Sender cannot be checked now, try again later")
        if refusal is None:
            return None
        refusal = refusal._replace(text=printable(refusal.text))
        whose = f"sieve=<{self._sender}>" if self._scripted else f"login=<{self._login}>"
        LOG.info("%s: %s %s %s %s", queue_id, printable(whose), *refusal)
        return refusal


def reply(milter: t.Any, guard: t.Any, judge: t.Callable[[], Refusal | None]) -> t.Any:
    """Return the milter's answer to Postfix. ``milter`` is the module Milter, ``guard`` a Guard."""
    refusal = guard.session.decide(guard.getsymval("i") or "-", judge)
    if refusal is None:
        return milter.CONTINUE
    guard.setreply(refusal.code, refusal.status, refusal.text)
    return milter.REJECT if refusal.code.startswith("5") else milter.TEMPFAIL


def change_message(guard: t.Any) -> None:
    """Change the envelope sender, From and the spam marks of an accepted message."""
    sender = guard.session.new_sender()
    if sender is not None:
        guard.chgfrom(f"<{sender}>")
    new_from = guard.session.new_from()
    if new_from is not None:
        guard.chgheader("From", 1, new_from)
    for name, number in guard.session.marks_to_remove():
        guard.chgheader(name, number, "")


def serve(listen: str, host: Surroundings) -> None:
    """Run the milter until SIGTERM."""
    import Milter  # pymilter, on mail hosts only

    noreply: t.Callable[[t.Callable[..., t.Any]], t.Callable[..., t.Any]] = Milter.noreply

    class Guard(Milter.Base):
        """The callbacks of one SMTP session. Postfix does not wait for those that only note."""

        @noreply
        def connect(self, _name: str, _family: int, address: t.Any) -> t.Any:
            self.session = Session(host, address)
            return Milter.CONTINUE

        def envfrom(self, sender: str, *_options: str) -> t.Any:
            login = self.getsymval("{auth_authen}") or ""
            hostname = self.getsymval("j") or ""
            self.session.begin(sender, login, self.getsymval("{daemon_name}"), hostname)
            return reply(Milter, self, lambda: judge_address(sender, "5.1.7"))

        def envrcpt(self, recipient: str, *_options: str) -> t.Any:
            self.session.add_recipient(recipient)
            return reply(
                Milter,
                self,
                lambda: judge_address(recipient, "5.1.3") or self.session.judge_recipient(),
            )

        @noreply
        def header(self, name: str, value: bytes) -> t.Any:
            self.session.add_field(name, value)
            return Milter.CONTINUE

        header_bytes = header  # undecoded

        def eoh(self) -> t.Any:
            return reply(Milter, self, self.session.judge_head)

        def body(self, chunk: bytes) -> t.Any:
            return Milter.CONTINUE if self.session.add_body(len(chunk)) else Milter.SKIP

        def eom(self) -> t.Any:
            answer = reply(Milter, self, self.session.judge_size)
            if answer == Milter.CONTINUE:
                change_message(self)
            return answer

    Milter.factory = Guard
    Milter.set_exception_policy(Milter.TEMPFAIL)
    Milter.set_flags(Milter.CHGHDRS | Milter.CHGFROM)
    os.umask(0o007)
    Milter.runmilter("guard", listen, 600)


def main() -> None:
    """Read the command line and run the milter."""
    parser = argparse.ArgumentParser(
        description="Bind logins to their header From and refuse mail over quota (milter)."
    )
    parser.add_argument("--listen", required=True, help="socket for Postfix, such as unix:/path")
    parser.add_argument("--tables", required=True, help="folder of the generation's Postfix tables")
    parser.add_argument(
        "--quota", required=True, help="unix socket of Dovecot's quota-status service"
    )
    parser.add_argument("--deliverer", required=True, help="user as which Dovecot delivers mail")
    parser.add_argument("--mailer", default="postfix", help="user as which Postfix sends mail")
    parser.add_argument(
        "--node", action="append", default=[], help="address of a node of the estate"
    )
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    nodes = frozenset(str(ipaddress.ip_address(node)) for node in options.node)
    deliverer = pwd.getpwnam(options.deliverer).pw_uid
    mailer = pwd.getpwnam(options.mailer).pw_uid
    tables = Tables(options.tables)
    serve(options.listen, Surroundings(tables, options.quota, deliverer, nodes, mailer))


if __name__ == "__main__":
    main()
