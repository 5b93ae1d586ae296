#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""reseller-mail-guard: the two things Postfix and Dovecot cannot refuse by themselves.

* Postfix binds a login to its envelope sender only. Whoever is logged in could put a neighbour's address into From and
  have it DKIM-signed: here From, Sender and their Resent- forms must be addresses that the login may use.
* A message without SIZE, or for a box that is nearly full, is known to be too large only when it has arrived, and Dovecot
  2.3 does not answer then. With one recipient the box is asked once more, with the size that did arrive.

Everything above ``serve`` is pure or takes its surroundings as arguments. Only the standard library and pymilter.
"""

from __future__ import annotations

import argparse
import logging
import mmap
import os
import re
import socket
import typing as t

LOG = logging.getLogger("guard")

# What Postfix, Dovecot and OpenDKIM still add to a message (Received, Delivered-To, signature), so that a
# message which is let in here does not fail to fit a moment later.
TRACE_BYTES = 2048
KEPT_FIELDS = 50
IDENTITY_FIELDS = frozenset({"from", "sender", "resent-from", "resent-sender"})

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
_ACTION = re.compile(r"([45]\d\d) ([45]\.\d{1,3}\.\d{1,3}) (.*)")


class Refusal(t.NamedTuple):
    """An SMTP answer other than yes."""

    code: str
    status: str
    text: str


class NotOneAddress(ValueError):
    """A header field that is not exactly one plain address; the message says why, ready to be shown."""


Find = t.Callable[[str, str], t.Optional[str]]
"""``find(table, key)``: the value in the present generation's table, or None."""


def find_line(data: t.Any, key: bytes) -> bytes | None:
    """The value beside key in sorted ``key<TAB>value`` lines, by bisection: the table may be the whole estate's."""
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
    """The one address of a From-like field, lower case; NotOneAddress for all that is not plainly one.

    Narrower than RFC 5322 on purpose: what two parsers may read differently (groups, lists, routes, quoted local parts,
    comments with specials, raw 8-bit, control characters) would let a message mean one sender here and another at its reader.
    """
    unfolded = _FOLD.sub(b"", value)
    if any(byte > 0x7E or (byte < 0x20 and byte != 0x09) for byte in unfolded):
        raise NotOneAddress("has bytes that are not printable ASCII (write names as RFC 2047 encoded words)")
    tokens: list[tuple[str, str]] = []
    text, at = unfolded.decode("ascii").strip(" \t"), 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise NotOneAddress("is not one plain address")
        tokens.append((str(match.lastgroup), match[0]))
        at = match.end()
    kinds = [kind if kind != "special" else word for kind, word in tokens]
    words = [word for _kind, word in tokens]
    if "<" in kinds:
        start = kinds.index("<")
        if kinds[-1] != ">" or not set(kinds[:start]) <= {"space", "atom", "quoted", "."}:
            raise NotOneAddress("is not a name and one address in angle brackets")
        kinds, words = kinds[start + 1 : -1], words[start + 1 : -1]
    else:
        while kinds and kinds[-1] in ("space", "comment"):  # jo@acme.example (Jo Doe)
            kinds, words = kinds[:-1], words[:-1]
    address = "".join(words).lower()
    local, _at, domain = address.partition("@")
    if not set(kinds) <= {"atom", ".", "@"} or kinds.count("@") != 1 or not all(local.split(".")):
        raise NotOneAddress("is not one plain address")
    if "=?" in address or "?=" in address:  # an encoded word where none may stand shows as another sender in some readers
        raise NotOneAddress("has an encoded word inside its address")
    if len(address) > 254 or not _DOMAIN.fullmatch(domain):
        raise NotOneAddress("has no valid domain")
    return address


def lookup(find: Find, table: str, address: str) -> str | None:
    """As Postfix looks up addresses: whole, without the +extension, @domain; the first that exists counts."""
    local, _at, domain = address.rpartition("@")
    plain = local[: local.find("+", 1)] if local.find("+", 1) > 0 else local
    for key in dict.fromkeys((address, f"{plain}@{domain}", f"@{domain}")):
        value = find(table, key)
        if value is not None:
            return value
    return None


def judge_identity(login: str, fields: t.Sequence[tuple[str, bytes]], find: Find) -> Refusal | None:
    """Whether a login may send a message with these From, Sender, Resent-From and Resent-Sender fields."""
    if len(fields) >= KEPT_FIELDS:
        return Refusal("550", "5.7.1", "Message has too many sender fields")
    names = [name.lower() for name, _value in fields]
    for name, need in (("from", "exactly"), ("sender", "at most")):
        count = names.count(name)
        if count > 1 or (count == 0 and need == "exactly"):
            return Refusal("550", "5.7.1", f"Message must have {need} one {name.title()} field and has {count}")
    for name, value in fields:
        shown = name.title()
        try:
            address = one_address(value)
        except NotOneAddress as error:
            return Refusal("550", "5.7.1", f"{shown} {error}")
        owners = re.split(r"[\s,]+", (lookup(find, "sender_login_maps", address) or "").lower())
        if not login or login.lower() not in owners:
            return Refusal("550", "5.7.1", f"{shown} <{address}> is not an address that {login or 'nobody'} may send as")
    return None


def mailbox_of(recipient: str, find: Find) -> str:
    """Where a recipient ends after aliases, as long as each has one target; else the recipient itself."""
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
    """What a policy service's action means at the end of a message; whatever is no refusal lets it pass."""
    match = _ACTION.fullmatch(action.strip())
    return Refusal(match[1], match[2], match[3]) if match else None


def ask_policy(path: str, sender: str, recipient: str, size: int, seconds: float = 5.0) -> str:
    """One question in Postfix's policy protocol, as if at RCPT: the only state that Dovecot 2.3 answers."""
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
        link.sendall("".join(f"{name}={value}\n" for name, value in fields.items()).encode() + b"\n")
        answer = b""
        while b"\n\n" not in answer and len(answer) < 4096:
            more = link.recv(4096)
            if not more:
                break
            answer += more
    for line in answer.decode("utf-8", "replace").splitlines():
        name, _equals, value = line.partition("=")
        if name == "action":
            return value
    raise ValueError("no action in the policy service's answer")


class Tables:
    """The present generation's tables, mapped anew whenever ``current`` leads to another file."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._open: dict[str, tuple[tuple[int, int, int], t.Any]] = {}

    def find(self, table: str, key: str) -> str | None:
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
    """Fit for an SMTP reply: one line of ASCII, and no % (libmilter takes it for a format)."""
    return "".join(c if " " <= c <= "~" and c != "%" else "?" for c in text)[:400]


def serve(listen: str, tables: Tables, quota: str) -> None:
    """Run the milter until SIGTERM."""
    import Milter  # pymilter, on mail hosts only

    noreply: t.Callable[[t.Callable[..., t.Any]], t.Callable[..., t.Any]] = Milter.noreply

    class Guard(Milter.Base):
        """One SMTP session. Callbacks that only remember are not waited for; decisions fall in eoh and eom."""

        @noreply
        def envfrom(self, sender: str, *_options: str) -> t.Any:
            self.login = self.getsymval("{auth_authen}") or ""
            self.submitted = bool(self.login) or self.getsymval("{daemon_name}") == "ORIGINATING"
            self.sender = sender.strip("<>")
            self.recipients: list[str] = []
            self.fields: list[tuple[str, bytes]] = []
            self.size = TRACE_BYTES
            return Milter.CONTINUE

        @noreply
        def envrcpt(self, recipient: str, *_options: str) -> t.Any:
            self.recipients.append(recipient.strip("<>"))
            return Milter.CONTINUE

        @noreply
        def header(self, name: str, value: bytes) -> t.Any:
            self.size += len(name) + len(value) + 4
            if name.lower() in IDENTITY_FIELDS and len(self.fields) < KEPT_FIELDS:
                self.fields.append((name, value))
            return Milter.CONTINUE

        header_bytes = header  # undecoded

        def eoh(self) -> t.Any:
            return self.answer(self.identity)

        def body(self, chunk: bytes) -> t.Any:
            if len(self.recipients) != 1:
                return Milter.SKIP
            self.size += len(chunk)
            return Milter.CONTINUE

        def eom(self) -> t.Any:
            return self.answer(self.room)

        def identity(self) -> Refusal | None:
            return judge_identity(self.login, self.fields, tables.find) if self.submitted else None

        def room(self) -> Refusal | None:
            if len(self.recipients) != 1:
                return None  # SMTP has one answer for all; LMTP answers for each
            try:
                mailbox = mailbox_of(self.recipients[0], tables.find)
                if tables.find("virtual_mailbox_domains", mailbox.rpartition("@")[2]) is None:
                    return None
                action = ask_policy(quota, self.sender, mailbox, self.size)
            except (OSError, ValueError) as error:
                LOG.warning("quota not judged: %s", error)  # Dovecot is away: LMTP defers, and judges then
                return None
            return judge_answer(action)

        def answer(self, judge: t.Callable[[], Refusal | None]) -> t.Any:
            queue_id = self.getsymval("i") or "-"
            try:
                refusal = judge()
            except Exception as error:
                LOG.error("%s: not judged: %s", queue_id, error, exc_info=not isinstance(error, OSError))
                refusal = Refusal("451", "4.3.0", "Sender cannot be judged now, try again later")
            if refusal is None:
                return Milter.CONTINUE
            text = printable(refusal.text)
            LOG.info("%s: login=<%s> %s %s %s", queue_id, printable(self.login), refusal.code, refusal.status, text)
            self.setreply(refusal.code, refusal.status, text)
            return Milter.REJECT if refusal.code.startswith("5") else Milter.TEMPFAIL

    Milter.factory = Guard
    Milter.set_exception_policy(Milter.TEMPFAIL)
    Milter.set_flags(0)
    os.umask(0o007)
    Milter.runmilter("guard", listen, 600)


def main() -> None:
    parser = argparse.ArgumentParser(description="Milter that binds logins to their header From and refuses over quota.")
    parser.add_argument("--listen", required=True, help="socket for Postfix, such as unix:/path")
    parser.add_argument("--tables", required=True, help="folder of the generation's Postfix tables")
    parser.add_argument("--quota", required=True, help="unix socket of Dovecot's quota-status service")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    serve(options.listen, Tables(options.tables), options.quota)


if __name__ == "__main__":
    main()
