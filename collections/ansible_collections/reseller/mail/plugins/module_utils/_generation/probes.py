# SPDX-License-Identifier: GPL-3.0-or-later
"""What the verdict's daemons are asked.

PRIVATE to the collection. Runs on the host; standard library only.
"""

from __future__ import annotations

import itertools
import smtplib
import socket
import typing as t

from .store import Run

SAMPLE = 10
"""So many of each kind are asked about. Every line was read already; the daemons show that the whole works."""

STRANGER = "no-such-address-0"
"""A local part that nobody has; should somebody, the domain is not asked."""


def postfix_faults(files: t.Mapping[str, str], path: str) -> t.Iterator[str]:
    """Addresses that exist must be accepted at RCPT, also with an extension, and others refused for good."""
    tables = {name: _entries(files[f"postfix/{name}"]) for name in ("virtual_mailbox_maps", "virtual_alias_maps", "relay_recipient_maps")}
    known = [key for table in tables.values() for key in _sample(key for key in table if not key.startswith("@"))]
    catching = {key[1:] for table in tables.values() for key in table if key.startswith("@")}
    everyone = set().union(*tables.values())
    domains = [
        domain
        for name in ("virtual_mailbox_domains", "virtual_alias_domains", "relay_domains")
        for domain in _sample(d for d in _entries(files[f"postfix/{name}"]) if d not in catching)
    ]
    asked = [(address, True) for address in known]
    asked += [(address.replace("@", "+extension@"), True) for address in known]
    asked += [(f"{STRANGER}@{domain}", False) for domain in domains if f"{STRANGER}@{domain}" not in everyone]
    asked += [(f"{STRANGER}@stranger.invalid", False)]
    try:
        with _Client(path) as client:
            for address, wanted in asked:
                code, answer = client.rcpt(address)
                if wanted != (code == 250) or (not wanted and not 500 <= code < 600):
                    yield f"Postfix {'refuses' if wanted else 'does not refuse'} {address}: {code} {answer}"
    except (OSError, smtplib.SMTPException) as error:
        yield f"Postfix does not answer: {error}"


class _Client(smtplib.SMTP):
    """SMTP over a unix socket, every recipient in a transaction of its own that is never finished."""

    def __init__(self, path: str) -> None:
        super().__init__(local_hostname="verdict.invalid", timeout=10)
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(10)
        self.sock.connect(path)
        code, greeting = self.getreply()
        if code != 220:
            raise smtplib.SMTPConnectError(code, greeting)
        self.ehlo_or_helo_if_needed()

    def rcpt(self, address: str, options: t.Sequence[str] = ()) -> tuple[int, str]:  # type: ignore[override]
        self.mail("")
        code, answer = super().rcpt(address, options)
        self.rset()
        return code, answer.decode("utf-8", "replace").replace("\n", " ")


def dovecot_faults(files: t.Mapping[str, str], run: Run, settings: str) -> t.Iterator[str]:
    """Users must be found with the quota that the files say, others must not."""
    users: list[str] = []
    domains = _sample(path for path in files if path.startswith("dovecot/users/") and files[path])
    for path in domains:
        users += _sample(files[path].splitlines(), 2)
    for line in users:
        address, _colons, field = line.partition(":::::::")
        name, _equals, value = field.removeprefix("userdb_").partition("=")
        code, output, errors = run(["doveadm", "-c", settings, "user", "-f", name, address])
        if code or output.strip() != value:
            yield f"Dovecot says of {address} {name} {output.strip()!r} instead of {value!r}{_because(errors)}"
    for path in domains[:1]:
        stranger = f"{STRANGER}@{path.rpartition('/')[2]}"
        code, output, errors = run(["doveadm", "-c", settings, "user", stranger])
        # 67 is EX_NOUSER; anything else says that Dovecot could not tell.
        if code != 67:
            yield f"Dovecot does not deny knowing {stranger}: exit status {code} {output.strip()}{_because(errors)}"


def _because(errors: str) -> str:
    return f": {' '.join(errors.split())}" if errors.strip() else ""


def _entries(text: str) -> list[str]:
    return [line.partition("\t")[0] for line in text.splitlines()]


def _sample(items: t.Iterable[str], size: int = SAMPLE) -> list[str]:
    """Some of them, spread over all."""
    everything = list(items)
    step = max(1, len(everything) // size)
    return list(itertools.islice(everything, 0, None, step))[:size]
