# SPDX-License-Identifier: GPL-3.0-or-later
"""What the verdict's daemons are asked.

PRIVATE to the collection. Runs on the host; standard library only.
"""

from __future__ import annotations

import contextlib
import itertools
import smtplib
import socket
import typing as t

SAMPLE = 10
"""So many of each kind are asked about. Every line was read already; the daemons show that the whole works."""

NOBODY = "_no-such-address"
"""A local part that the language gives to nobody: it begins with an underscore."""

NOWHERE = "no--domain.invalid"
"""A domain that the language gives to nobody: RFC 5891 section 4.2.3.1 keeps such labels."""

HOST = "of--verdict.invalid"
"""What the verdict's Postfix calls itself; likewise nobody's."""


def postfix_questions(files: t.Mapping[str, str]) -> dict[str, bool]:
    """Return addresses to ask Postfix for, and whether it has to accept each.

    Tenants choose names, so a name that must be refused is one that no table has.
    """
    tables = {
        name: [key for key in _entries(files[f"postfix/{name}"]) if "@" in key]
        for name in (
            "virtual_mailbox_maps",
            "virtual_alias_maps",
            "relay_recipient_maps",
            "recipient_access",
        )
    }
    everyone = set().union(*tables.values())
    catching = {key[1:] for key in everyone if key.startswith("@")}
    domains = {
        name: _entries(files[f"postfix/{name}"])
        for name in ("virtual_mailbox_domains", "virtual_alias_domains", "relay_domains")
    }
    known = [
        key
        for table in tables.values()
        for key in _sample(key for key in table if not key.startswith("@"))
    ]
    asked = dict.fromkeys(known, True)
    asked |= {address.replace("@", "+extension@"): True for address in known if "+" not in address}
    for names in domains.values():
        for domain in _sample(name for name in names if name not in catching):
            asked[_nobody(domain, everyone)] = False
    if NOWHERE not in set().union(*domains.values()):
        asked[f"{NOBODY}@{NOWHERE}"] = False
    return asked


def _nobody(domain: str, everyone: t.Container[str]) -> str:
    """Return an address of the domain that does not exist."""
    names = itertools.chain([NOBODY], (f"{NOBODY}-{number}" for number in itertools.count(1)))
    return next(address for name in names if (address := f"{name}@{domain}") not in everyone)


def postfix_faults(files: t.Mapping[str, str], path: str) -> t.Iterator[str]:
    """Addresses that exist must be accepted at RCPT, also with an extension, and others refused for good."""
    try:
        with _Client(path) as client:
            for address, wanted in postfix_questions(files).items():
                code, answer = client.ask(address)
                if wanted != (code == 250) or (not wanted and not 500 <= code < 600):
                    yield f"Postfix {'refuses' if wanted else 'does not refuse'} {address}: {code} {answer}"
    except (OSError, smtplib.SMTPException) as error:
        yield f"Postfix does not answer: {error}"


class _Client(smtplib.SMTP):
    """SMTP over a unix socket, in one transaction that is never finished."""

    def __init__(self, path: str) -> None:
        super().__init__(local_hostname=HOST, timeout=10)
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(10)
        self.sock.connect(path)
        code, greeting = self.getreply()
        if code != 220:
            raise smtplib.SMTPConnectError(code, greeting)
        self.ehlo_or_helo_if_needed()
        self.mail("")

    def ask(self, address: str) -> tuple[int, str]:
        """The answer to one recipient."""
        code, answer = self.rcpt(address)
        return code, answer.decode("utf-8", "replace").replace("\n", " ")


def dovecot_questions(files: t.Mapping[str, str]) -> dict[str, list[str] | None]:
    """Return users to ask Dovecot for, each with the limits that it has to answer, or None for nobody."""
    wanted: dict[str, list[str] | None] = {}
    for name in _sample(
        name for name in files if name.startswith("dovecot/users/") and files[name]
    ):
        users = dict(line.split(":::::::", 1) for line in files[name].splitlines())
        for address in _sample(users, 3):
            wanted[address] = [field.removeprefix("userdb_") for field in users[address].split(" ")]
        wanted[_nobody(name.rpartition("/")[2], users)] = None
    return wanted


def dovecot_faults(files: t.Mapping[str, str], path: str) -> t.Iterator[str]:
    """Users must be found with the quota that the files say, others must not."""
    try:
        with _Userdb(path) as userdb:
            for address, quota in dovecot_questions(files).items():
                answer = userdb.ask(address)
                if quota is None and answer[:1] != ["NOTFOUND"]:
                    yield f"Dovecot does not deny knowing {address}: {' '.join(answer)}"
                if quota is not None and (answer[:1] != ["USER"] or not set(quota) <= set(answer)):
                    yield f"Dovecot does not know {address} with {' '.join(quota)}: {' '.join(answer)}"
    except OSError as error:
        yield f"Dovecot does not answer: {error}"


class _Userdb(contextlib.AbstractContextManager["_Userdb"]):
    """Dovecot's userdb protocol, which ``doveadm user`` speaks too, at a process a question."""

    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(10)
        self._socket.connect(path)
        self._file = self._socket.makefile("rwb")
        self._file.write(b"VERSION\t1\t1\n")

    def __exit__(self, *_error: object) -> None:
        self._socket.close()

    def ask(self, address: str) -> list[str]:
        """The answer's fields but for its number: what it is, the user, what is known of them."""
        self._file.write(f"USER\t1\t{address}\tservice=lmtp\n".encode())
        self._file.flush()
        while True:
            line = self._file.readline().decode("utf-8", "replace")
            if not line:
                raise ConnectionError("it closes the connection")
            kind, _tab, rest = line.rstrip("\n").partition("\t")
            if kind not in ("VERSION", "SPID"):
                return [kind, *rest.split("\t")[1:]]


def _entries(text: str) -> list[str]:
    return [line.partition("\t")[0] for line in text.splitlines()]


def _sample(items: t.Iterable[str], size: int = SAMPLE) -> list[str]:
    """Some of them, spread over all."""
    everything = list(items)
    step = max(1, len(everything) // size)
    return list(itertools.islice(everything, 0, None, step))[:size]
