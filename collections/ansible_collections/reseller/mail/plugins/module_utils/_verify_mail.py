# SPDX-License-Identifier: GPL-3.0-or-later
"""Who sends mail to whom, and what the round says about it.

PRIVATE to the collection. Pure: no Ansible, no network, no clock; what happened comes in as arguments.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.reseller.mail.plugins.module_utils._compile._addresses import may_log_in
from ansible_collections.reseller.mail.plugins.module_utils._finding import Finding, worst

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.module_utils._model.estate import Estate

MESH = 6
"""Up to this many probes everybody writes to everybody; more of them write to themselves and to the next, for cost grows with the square."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A mailbox we may log in to, on its domain's behalf."""

    address: str
    password: str = field(repr=False)
    domain: str
    host: str


@dataclass(frozen=True, slots=True)
class Mail:
    """One message: who wrote it (nobody for a stranger), to whom, and its Message-ID."""

    sender: t.Optional[Probe]
    recipients: tuple[Probe, ...]
    message_id: str

    @property
    def origin(self) -> str:
        return self.sender.address if self.sender else "world"


@dataclass(frozen=True, slots=True)
class Sent:
    """How submitting a message ended: the error, or by recipient the refusal."""

    mail: Mail
    error: str = ""
    refused: t.Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message in its recipient's mailbox. ``dkim`` says what is wrong with its signature, empty when nothing is."""

    folder: str
    seconds: float
    dkim: str


def choose(estate: Estate, passwords: t.Mapping[str, str], initial: t.Optional[t.Collection[str]] = None) -> tuple[list[Probe], list[Finding]]:
    """One probe a domain, the first mailbox that keeps its mail and whose password is known; and what cannot be probed. ``initial`` are the
    addresses whose stored credential is still the one that was handed over; None when nobody knows."""
    probes, findings = [], []
    for tenant, domain in estate.served_domains():
        mailboxes = [mailbox for mailbox in domain.mailboxes if may_log_in(tenant, domain, mailbox) and not mailbox.forward]
        known = [mailbox for mailbox in mailboxes if mailbox.address in passwords]
        usable = [mailbox for mailbox in known if initial is None or mailbox.address in initial]
        if usable:
            probes.append(Probe(usable[0].address, passwords[usable[0].address], domain.name, estate.node_of(tenant).hostname))
        elif mailboxes:
            found = "the users have changed the passwords that were handed over" if known else "no password of its mailboxes is known here"
            remedy = "name a probe account in verify_mail_accounts"
            findings.append(Finding("mail.submit", domain.name, "na", "a mailbox to send real mail with", found, remedy))
    return probes, findings


def mails(probes: t.Sequence[Probe], token: str) -> list[Mail]:
    """What everybody sends, and what a stranger sends to everybody."""
    found = []
    for number, probe in enumerate(probes):
        following = probes[(number + 1) % len(probes)]
        recipients = probes if len(probes) <= MESH else (probe, following)
        found.append(Mail(probe, tuple(dict.fromkeys(recipients)), f"<verify.{token}.{number}@{probe.domain}>"))
    return found + [Mail(None, (probe,), f"<verify.{token}.world.{number}@verify.invalid>") for number, probe in enumerate(probes)]


def message(mail: Mail, token: str) -> bytes:
    """The message as text. Auto-Submitted keeps vacation scripts from answering (RFC 3834)."""
    author = mail.sender.address if mail.sender else "verify@verify.invalid"
    head = {
        "From": author, "To": ", ".join(probe.address for probe in mail.recipients), "Subject": f"verify {token}",
        "Message-ID": mail.message_id, "Auto-Submitted": "auto-generated", "MIME-Version": "1.0", "Content-Type": "text/plain; charset=us-ascii",
    }
    text = "This message was sent to prove that mail is delivered. It is deleted as soon as it was found.\r\n"
    return ("".join(f"{name}: {value}\r\n" for name, value in head.items()) + "\r\n" + text).encode()


def judge(sent: t.Sequence[Sent], arrived: t.Mapping[tuple[str, str], Arrived], unread: t.Mapping[str, str], timeout: float) -> list[Finding]:
    """The findings of a round. ``arrived`` by recipient and Message-ID; ``unread`` tells of mailboxes that could not be read."""
    findings = []
    for one in sent:
        mail = one.mail
        signed: list[tuple[str, str]] = []
        if mail.sender:
            findings.append(_submit(one))
        for probe in mail.recipients:
            subject = f"{mail.origin} → {probe.address}"
            copy = arrived.get((probe.address, mail.message_id))
            findings.append(Finding("mail.deliver", subject, *_delivery(one, probe.address, copy, unread, timeout)))
            if copy:
                signed.append(("fail" if copy.dkim else "ok", copy.dkim or "the signature verifies"))
        if mail.sender:
            findings += [_dkim(mail.sender, signed), _fetch(mail.sender, unread)]
    return findings


def _fetch(probe: Probe, unread: t.Mapping[str, str]) -> Finding:
    expected = f"{probe.host} port 993 takes the login and shows the mailbox"
    if probe.address in unread:
        return Finding("mail.fetch", probe.address, "fail", expected, unread[probe.address], f"look at the log of Dovecot on {probe.host}")
    return Finding("mail.fetch", probe.address, "ok", expected, "read")


def _submit(one: Sent) -> Finding:
    sender = t.cast(Probe, one.mail.sender)
    expected = f"{sender.host} port 587 takes the login and the message"
    if one.error:
        return Finding("mail.submit", sender.address, "fail", expected, one.error, f"look at the log of Postfix on {sender.host}")
    return Finding("mail.submit", sender.address, "ok", expected, "taken")


def _delivery(one: Sent, address: str, copy: t.Optional[Arrived], unread: t.Mapping[str, str], timeout: float) -> tuple[str, str, str, str]:
    expected = f"in the inbox within {timeout:g} s"
    if one.error:
        if one.mail.sender:
            return "blocked", expected, "the message was not taken", ""
        return "fail", expected, one.error, f"look at the log of Postfix where mail for {address} comes in"
    if address in one.refused:
        return "fail", expected, f"refused: {one.refused[address]}", f"look at the recipient {address}"
    if copy is None and address in unread:
        return "blocked", expected, "the mailbox cannot be read", ""
    if copy is None:
        return "fail", expected, "not there", f"search {one.mail.message_id} in the logs and queues of the nodes"
    if copy.folder != "INBOX":
        return "warn", expected, f"in {copy.folder}", "look at what marked it as spam"
    return "ok", expected, f"after {copy.seconds:.1f} s", ""


def _dkim(sender: Probe, signed: t.Sequence[tuple[str, str]]) -> Finding:
    expected = f"a DKIM signature of {sender.domain} that verifies with the key in DNS"
    if not signed:
        return Finding("mail.dkim", sender.domain, "blocked", expected, "no message arrived that could be looked at", "")
    state = worst(state for state, _found in signed)
    found = "; ".join(dict.fromkeys(found for each, found in signed if each == state))
    remedy = "" if state == "ok" else f"publish the key that {sender.host} signs with; look at its OpenDKIM"
    return Finding("mail.dkim", sender.domain, state, expected, found, remedy)
