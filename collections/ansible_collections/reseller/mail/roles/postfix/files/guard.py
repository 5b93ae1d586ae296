#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""reseller-mail-guard: what Postfix and Dovecot cannot refuse or take off by themselves.

* Postfix binds a login to its envelope sender only. Whoever is logged in could put a neighbour's address into From and
  have it DKIM-signed: here From, Sender and their Resent- forms must be addresses that the login may use.
* Mail that a user's Sieve script causes is bound to that user in the same way. A redirect keeps the From of the message;
  its envelope must not give that From an SPF result that aligns.
* A message without SIZE, or for a box that is nearly full, is known to be too large only when it has arrived, and Dovecot
  2.3 does not answer then. With one recipient the box is asked once more, with the size that did arrive.
* A spam filter's marks that an external host or a user wrote are taken off.
* Postfix takes envelope addresses with 8-bit and control characters although it offers no SMTPUTF8. Here they are refused.
* Postfix cuts a long header field without a word. Here what it cuts, and a header that others do not take, is refused.

Everything above ``serve`` is pure or takes its surroundings as arguments. Only the standard library and pymilter.
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

# What Postfix, Dovecot and OpenDKIM still add to a message (Received, Delivered-To, signature), so that a
# message which is let in here does not fail to fit a moment later.
TRACE_BYTES = 2048
KEPT_FIELDS = 50
# Gmail takes 500 KB of header, Exchange Online and others less.
HEADER_BYTES = 512000
# When there are milters, Postfix 3.7 and 3.10 cut a field at 60000 bytes; the guard sees what is left.
FIELD_BYTES = 58000
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
_COMMENT = re.compile(rb"\([^()]*\)")
_NOT_ASCII = re.compile(rb"@[^<>,;:]*[^\x21-\x7e]")
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
    if (
        "=?" in address or "?=" in address
    ):  # an encoded word where none may stand shows as another sender in some readers
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


def judge_address(address: str, status: str) -> Refusal | None:
    """Return why an envelope address cannot be taken, or None; status is the one for bad syntax (RFC 3463 section 3.2).

    SMTPUTF8 is not offered, so addresses are ASCII (RFC 6531 section 3.1). Also in quotes they have no control characters
    (RFC 5321 section 4.1.2).
    """
    if not address.isascii():
        return Refusal("553", "5.6.7", "Address must be ASCII, SMTPUTF8 is not supported")
    if not address.isprintable():
        return Refusal("553", status, "Address has a control character")
    return None


def judge_header(total: int, longest: int) -> Refusal | None:
    """Return why a header of this size, with a longest field of this size, cannot be taken, or None."""
    if longest > FIELD_BYTES:
        return Refusal("552", "5.3.4", f"A header field is longer than {FIELD_BYTES} bytes")
    if total > HEADER_BYTES:
        return Refusal("552", "5.3.4", f"Header is longer than {HEADER_BYTES} bytes")
    return None


def judge_identity(login: str, fields: t.Sequence[tuple[str, bytes]], find: Find) -> Refusal | None:
    """Whether a login may send a message with these From, Sender, Resent-From and Resent-Sender fields."""
    if len(fields) >= KEPT_FIELDS:
        return Refusal("550", "5.7.1", "Message has too many sender fields")
    names = [name.lower() for name, _value in fields]
    for name, need in (("from", "exactly"), ("sender", "at most")):
        count = names.count(name)
        if count > 1 or (count == 0 and need == "exactly"):
            return Refusal(
                "550", "5.7.1", f"Message must have {need} one {name.title()} field and has {count}"
            )
    for name, value in fields:
        shown = name.title()
        try:
            address = one_address(value)
        except NotOneAddress as error:
            return Refusal("550", "5.7.1", f"{shown} {error}")
        owners = re.split(r"[\s,]+", (lookup(find, "sender_login_maps", address) or "").lower())
        if not login or login.lower() not in owners:
            return Refusal(
                "550",
                "5.7.1",
                f"{shown} <{address}> is not an address that {login or 'nobody'} may send as",
            )
    return None


def own_mailbox(sender: str, find: Find) -> str | None:
    """Return the mailbox of this host that an envelope sender stands for, or None."""
    local, _at, domain = sender.lower().rpartition("@")
    plain = local[: local.find("+", 1)] if local.find("+", 1) > 0 else local
    for address in (f"{local}@{domain}", f"{plain}@{domain}"):
        if find("virtual_mailbox_maps", address) is not None:
            return address
    return None


def is_redirect(head: t.Sequence[str]) -> bool:
    """Return whether Pigeonhole redirects this message, from the names of its first two fields.

    Pigeonhole writes them above everything that came from outside or from the script. Its other mail has Message-ID in first or
    second place; header lines that a script writes (``vacation :mime``) come later.
    """
    return [name.lower() for name in head[:2]] == ["x-sieve", "x-sieve-redirected-from"]


def judge_generated(
    sender: str, fields: t.Sequence[tuple[str, bytes]], find: Find
) -> Refusal | None:
    """Return why a script's owner may not cause this message (a vacation reply, a rejection), or None.

    The envelope sender is Dovecot's word for the owner. A rejection has the null sender (RFC 8098 section 3) and is the word of
    the postmaster of the owner's domain; nothing in a script changes its head.
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
    """Return whether a receiver could take SPF's domain and the From fields for the same organisation (RFC 7489 section 3.1).

    Organisational domains have at least two labels, so two names that differ in these never align. A From that is not plainly
    one address counts as aligned wherever some reader could find the domain in it.
    """
    organisation = ".".join(domain.lower().rsplit(".", 2)[-2:])
    for value in froms:
        try:
            found = one_address(value).partition("@")[2]
        except NotOneAddress:
            readings = [
                re.sub(rb'[\s"\\]', b"", text).lower() for text in (value, uncommented(value))
            ]
            if any(
                organisation.encode() in r or b"=?" in r or _NOT_ASCII.search(r) for r in readings
            ):
                return True
        else:
            if f".{found}".endswith(f".{organisation}"):
                return True
    return False


def uncommented(value: bytes) -> bytes:
    """Return a field's value without its comments, also nested ones."""
    found = 1
    while found:
        value, found = _COMMENT.subn(b"", value)
    return value


def redirect_sender(sender: str, helo: str, froms: t.Sequence[bytes]) -> str | None:
    """Return the envelope sender with which a redirect leaves, or None if each would align with its From.

    The null sender has the SPF result of the host's own name (RFC 7208 section 2.4).
    """
    for candidate in (sender, "") if sender else ("",):
        if not may_align(candidate.rpartition("@")[2] or helo, froms):
            return candidate
    return None


def judge_redirect(
    sender: str, helo: str, fields: t.Sequence[tuple[str, bytes]], find: Find
) -> Refusal | None:
    """Return why a message may not be redirected, or None. Dovecot keeps in the mailbox what is refused."""
    if sender and own_mailbox(sender, find) is None:
        return Refusal("550", "5.7.1", f"<{sender}> is not a mailbox of this host")
    if len(fields) >= KEPT_FIELDS:
        return Refusal("550", "5.7.1", "Message has too many sender fields")
    if redirect_sender(sender, helo, from_fields(fields)) is None:
        return Refusal("550", "5.7.1", "A redirect would make the message's From look confirmed")
    return None


def from_fields(fields: t.Sequence[tuple[str, bytes]]) -> list[bytes]:
    """Return the values of the From fields."""
    return [value for name, value in fields if name.lower() == "from"]


def owner_of_connection(connections: str, port: int) -> int | None:
    """Return the user id that opened the connection from a port of 127.0.0.1, from the text of /proc/net/tcp."""
    local = f"0100007F:{port:04X}"
    for line in connections.splitlines()[1:]:
        columns = line.split()
        if len(columns) > 7 and columns[1] == local:
            return int(columns[7])
    return None


def is_spam_mark(name: str) -> bool:
    """Return whether a field is one by which a spam filter tells its verdict."""
    return name.lower().startswith("x-spam")


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
        link.sendall(
            "".join(f"{name}={value}\n" for name, value in fields.items()).encode() + b"\n"
        )
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


class Surroundings(t.NamedTuple):
    """What the guard is told about its host."""

    tables: Tables
    quota: str
    deliverer: int
    """The user id as which Dovecot delivers mail and sends what scripts cause."""
    nodes: frozenset[str]
    """Addresses of the estate's nodes: their spam marks are not an external host's."""


def serve(listen: str, host: Surroundings) -> None:
    """Run the milter until SIGTERM."""
    import Milter  # pymilter, on mail hosts only

    noreply: t.Callable[[t.Callable[..., t.Any]], t.Callable[..., t.Any]] = Milter.noreply
    tables = host.tables

    class Guard(Milter.Base):
        """One SMTP session. Callbacks that only remember are not waited for."""

        @noreply
        def connect(self, _name: str, _family: int, address: t.Any) -> t.Any:
            self.client, self.port = address[:2] if isinstance(address, tuple) else ("", 0)
            self.deliverer: int | None = None
            return Milter.CONTINUE

        def envfrom(self, sender: str, *_options: str) -> t.Any:
            self.login = self.getsymval("{auth_authen}") or ""
            daemon = self.getsymval("{daemon_name}")
            self.submitted = bool(self.login) or daemon == "ORIGINATING"
            self.scripted = daemon == "SIEVE"
            self.host = self.getsymval("j") or ""
            self.sender = sender.strip("<>")
            self.recipients: list[str] = []
            self.fields: list[tuple[str, bytes]] = []
            self.head: list[str] = []
            self.spam_marks: list[str] = []
            self.header_size = self.longest_field = self.body_size = 0
            return self.answer(lambda: judge_address(sender, "5.1.7"))

        def envrcpt(self, recipient: str, *_options: str) -> t.Any:
            self.recipients.append(recipient.strip("<>"))
            return self.answer(lambda: judge_address(recipient, "5.1.3"))

        @noreply
        def header(self, name: str, value: bytes) -> t.Any:
            size = len(name) + len(value) + 4
            self.header_size += size
            self.longest_field = max(self.longest_field, size)
            if len(self.head) < 2:
                self.head.append(name)
            if name.lower() in IDENTITY_FIELDS and len(self.fields) < KEPT_FIELDS:
                self.fields.append((name, value))
            if is_spam_mark(name):
                self.spam_marks.append(name.lower())
            return Milter.CONTINUE

        header_bytes = header  # undecoded

        def eoh(self) -> t.Any:
            return self.answer(self.head_of_message)

        def body(self, chunk: bytes) -> t.Any:
            if len(self.recipients) != 1:
                return Milter.SKIP
            self.body_size += len(chunk)
            return Milter.CONTINUE

        def eom(self) -> t.Any:
            verdict = self.answer(self.room)
            if verdict == Milter.CONTINUE:
                self.change()
            return verdict

        def head_of_message(self) -> Refusal | None:
            return judge_header(self.header_size, self.longest_field) or self.identity()

        def identity(self) -> Refusal | None:
            if self.submitted:
                return judge_identity(self.login, self.fields, tables.find)
            if not self.scripted:
                return None
            if self.client_uid() != host.deliverer:
                return Refusal("550", "5.7.1", "Only Dovecot may send here")
            if is_redirect(self.head):
                return judge_redirect(self.sender, self.host, self.fields, tables.find)
            return judge_generated(self.sender, self.fields, tables.find)

        def client_uid(self) -> int | None:
            if self.deliverer is None:
                with open("/proc/net/tcp", encoding="ascii") as connections:
                    self.deliverer = owner_of_connection(connections.read(), self.port)
            return self.deliverer

        def room(self) -> Refusal | None:
            if len(self.recipients) != 1:
                return None  # SMTP has one answer for all; LMTP answers for each
            try:
                mailbox = mailbox_of(self.recipients[0], tables.find)
                if tables.find("virtual_mailbox_domains", mailbox.rpartition("@")[2]) is None:
                    return None
                size = self.header_size + self.body_size + TRACE_BYTES
                action = ask_policy(host.quota, self.sender, mailbox, size)
            except (OSError, ValueError) as error:
                LOG.warning(
                    "quota not judged: %s", error
                )  # Dovecot is away: LMTP defers, and judges then
                return None
            return judge_answer(action)

        def change(self) -> None:
            """Change what an accepted message tells."""
            if self.scripted:
                if is_redirect(self.head):
                    sender = redirect_sender(self.sender, self.host, from_fields(self.fields))
                    if sender is not None and sender != self.sender:
                        self.chgfrom(f"<{sender}>")
            elif self.submitted or not self.is_node():
                for name in set(self.spam_marks):
                    for number in range(self.spam_marks.count(name), 0, -1):
                        self.chgheader(name, number, "")

        def is_node(self) -> bool:
            try:
                address = ipaddress.ip_address(self.client)
            except ValueError:
                return False
            return address.is_loopback or str(address) in host.nodes

        def answer(self, judge: t.Callable[[], Refusal | None]) -> t.Any:
            queue_id = self.getsymval("i") or "-"
            try:
                refusal = judge()
            except Exception as error:
                LOG.error(
                    "%s: not judged: %s", queue_id, error, exc_info=not isinstance(error, OSError)
                )
                refusal = Refusal("451", "4.3.0", "Sender cannot be judged now, try again later")
            if refusal is None:
                return Milter.CONTINUE
            text = printable(refusal.text)
            whose = f"sieve=<{self.sender}>" if self.scripted else f"login=<{self.login}>"
            LOG.info(
                "%s: %s %s %s %s", queue_id, printable(whose), refusal.code, refusal.status, text
            )
            self.setreply(refusal.code, refusal.status, text)
            return Milter.REJECT if refusal.code.startswith("5") else Milter.TEMPFAIL

    Milter.factory = Guard
    Milter.set_exception_policy(Milter.TEMPFAIL)
    Milter.set_flags(Milter.CHGHDRS | Milter.CHGFROM)
    os.umask(0o007)
    Milter.runmilter("guard", listen, 600)


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Milter that binds senders to their header From and refuses over quota."
    )
    parser.add_argument("--listen", required=True, help="socket for Postfix, such as unix:/path")
    parser.add_argument("--tables", required=True, help="folder of the generation's Postfix tables")
    parser.add_argument(
        "--quota", required=True, help="unix socket of Dovecot's quota-status service"
    )
    parser.add_argument("--deliverer", required=True, help="user as which Dovecot delivers mail")
    parser.add_argument(
        "--node", action="append", default=[], help="address of a node of the estate"
    )
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    nodes = frozenset(str(ipaddress.ip_address(node)) for node in options.node)
    deliverer = pwd.getpwnam(options.deliverer).pw_uid
    serve(options.listen, Surroundings(Tables(options.tables), options.quota, deliverer, nodes))


if __name__ == "__main__":
    main()
