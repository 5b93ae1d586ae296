# SPDX-License-Identifier: GPL-3.0-or-later
"""What the check asks its own Postfix and Dovecot about a staged generation.

PRIVATE to the collection. Runs on the host; standard library only.
"""

from __future__ import annotations

import contextlib
import itertools
import smtplib
import socket
import typing as t

SAMPLE = 10
"""How many of each kind are asked about. ``lines`` has read every line; the daemons show that the
whole works."""

NO_ADDRESS = "_no-such-address"
"""A local part that no address of an estate has: it begins with an underscore."""

NO_DOMAIN = "no--domain.invalid"
"""A domain that no estate has: RFC 5891 section 4.2.3.1 reserves labels of this form."""

HOST = "of--check.invalid"
"""The host name of the check's Postfix. No estate has it."""


_ADDRESSES = (
    "virtual_mailbox_maps",
    "virtual_alias_maps",
    "relay_recipient_maps",
    "recipient_access",
)
"""Postfix's tables with addresses that exist."""
_DOMAINS = ("virtual_mailbox_domains", "virtual_alias_domains", "relay_domains")
"""Postfix's tables with domains."""


ACCEPT, DEFER, REFUSE = 2, 4, 5
"""The first digit of SMTP replies."""

_WRONG = {ACCEPT: "refuses", DEFER: "does not defer", REFUSE: "does not refuse"}


def postfix_questions(files: t.Mapping[str, str]) -> dict[str, int]:
    """Return addresses to ask Postfix for, and the first digit of the right reply to each.

    Tenants choose names, so a name that must be refused is one that no table has.
    """
    addresses = {name: _addresses(files[f"postfix/{name}"]) for name in _ADDRESSES}
    known = [
        address
        for table in addresses.values()
        for address in _sample(key for key in table if not _is_catchall(key))
    ]
    refused = _refused(files["postfix/recipient_access"])
    known += _sample(refused)
    questions = {one: refused.get(one, ACCEPT) for one in known}
    questions |= {
        one.replace("@", "+extension@"): reply for one, reply in questions.items() if "+" not in one
    }
    return questions | dict.fromkeys(_unknown(files, set().union(*addresses.values())), REFUSE)


def _refused(text: str) -> dict[str, int]:
    """Return the addresses that suspensions refuse or defer, with the first digit of the reply."""
    rows = (line.partition("\t") for line in text.splitlines())
    return {
        key: int(value[0]) for key, _tab, value in rows if "@" in key and value[:1] in ("4", "5")
    }


def _unknown(files: t.Mapping[str, str], everyone: t.Collection[str]) -> t.Iterator[str]:
    """Yield addresses that do not exist: in domains of the estate without a catch-all, and in
    another domain."""
    domains = [_entries(files[f"postfix/{name}"]) for name in _DOMAINS]
    catching = {key[1:] for key in everyone if _is_catchall(key)}
    for names in domains:
        for domain in _sample(name for name in names if name not in catching):
            yield _free_address(domain, everyone)
    if NO_DOMAIN not in set().union(*domains):
        yield f"{NO_ADDRESS}@{NO_DOMAIN}"


def _addresses(text: str) -> list[str]:
    """Return the keys of a table that are addresses or catch-alls."""
    return [key for key in _entries(text) if "@" in key]


def _is_catchall(key: str) -> bool:
    """Return whether a key of a table matches every address of its domain."""
    return key.startswith("@")


def _free_address(domain: str, everyone: t.Container[str]) -> str:
    """Return an address of the domain that does not exist."""
    names = itertools.chain([NO_ADDRESS], (f"{NO_ADDRESS}-{n}" for n in itertools.count(1)))
    return next(address for name in names if (address := f"{name}@{domain}") not in everyone)


def postfix_faults(files: t.Mapping[str, str], path: str) -> t.Iterator[str]:
    """Yield each address that Postfix answers wrongly at RCPT.

    It must accept addresses that exist, also with an extension, unless a suspension refuses them.
    It must refuse others permanently.
    """
    try:
        with _Client(path) as client:
            for address, wanted in postfix_questions(files).items():
                code, answer = client.ask(address)
                if code // 100 != wanted:
                    yield f"Postfix {_WRONG[wanted]} {address}: {code} {answer}"
    except (OSError, smtplib.SMTPException) as error:
        yield f"Postfix does not answer: {error}"


class _Client(smtplib.SMTP):
    """An SMTP client on a unix socket, with one transaction that is never finished."""

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
        """Return the code and text that Postfix answers for one recipient."""
        code, answer = self.rcpt(address)
        return code, answer.decode("utf-8", "replace").replace("\n", " ")


def dovecot_questions(files: t.Mapping[str, str]) -> dict[str, list[str] | None]:
    """Return users to ask Dovecot for, each with the limits that it has to answer.

    None means that there is no such user.
    """
    wanted: dict[str, list[str] | None] = {}
    for name in _sample(
        name for name in files if name.startswith("dovecot/users/") and files[name]
    ):
        users = dict(line.split(":::::::", 1) for line in files[name].splitlines())
        for address in _sample(users, 3):
            wanted[address] = [field.removeprefix("userdb_") for field in users[address].split(" ")]
        wanted[_free_address(name.rpartition("/")[2], users)] = None
    return wanted


def dovecot_faults(files: t.Mapping[str, str], path: str) -> t.Iterator[str]:
    """Yield each user whom Dovecot does not find with the quota of the files, or finds and should
    not."""
    try:
        with _Userdb(path) as userdb:
            for address, quota in dovecot_questions(files).items():
                answer = userdb.ask(address)
                if quota is None and answer[:1] != ["NOTFOUND"]:
                    yield f"Dovecot does not deny knowing {address}: {' '.join(answer)}"
                if quota is not None and (answer[:1] != ["USER"] or not set(quota) <= set(answer)):
                    yield (
                        f"Dovecot does not know {address} with {' '.join(quota)}:"
                        f" {' '.join(answer)}"
                    )
    except OSError as error:
        yield f"Dovecot does not answer: {error}"


class _Userdb(contextlib.AbstractContextManager["_Userdb"]):
    """A client of Dovecot's userdb protocol. ``doveadm user`` has it too, with a process for each
    question."""

    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(10)
        self._socket.connect(path)
        self._file = self._socket.makefile("rwb")
        self._file.write(b"VERSION\t1\t1\n")

    def __exit__(self, *_error: object) -> None:
        self._socket.close()

    def ask(self, address: str) -> list[str]:
        """Return the fields of the answer without its number: its kind, the user, the user's
        settings."""
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
    """Return the keys of a table's lines."""
    return [line.partition("\t")[0] for line in text.splitlines()]


def _sample(items: t.Iterable[str], size: int = SAMPLE) -> list[str]:
    """Return at most ``size`` items, taken at even distances."""
    everything = list(items)
    step = max(1, len(everything) // size)
    return list(itertools.islice(everything, 0, None, step))[:size]
