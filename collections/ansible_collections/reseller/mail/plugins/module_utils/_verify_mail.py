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

ALGORITHMS: t.Final = {"rsa": "RSA", "ed25519": "Ed25519"}
MESH = 6
"""Up to this many probes everybody writes to everybody; more of them write to themselves and to the next, for cost grows with the square."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A mailbox we may log in to, on its domain's behalf. ``algorithms`` are what the files have its mail signed with, ``aliases`` the
    domain's other names."""

    address: str
    password: str = field(repr=False)
    domain: str
    host: str
    algorithms: tuple[str, ...] = ("rsa",)
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mail:
    """One message: who sent it (nobody for a stranger), to whom, its Message-ID, and the sender's address in an alias of the domain
    where that is the author."""

    sender: t.Optional[Probe]
    recipients: tuple[Probe, ...]
    message_id: str
    alias: str = ""

    @property
    def author(self) -> str:
        return self.alias or (self.sender.address if self.sender else "verify@verify.invalid")

    @property
    def domain(self) -> str:
        return self.author.rpartition("@")[2]

    @property
    def origin(self) -> str:
        return self.author if self.sender else "world"


@dataclass(frozen=True, slots=True)
class Sent:
    """How submitting a message ended: the error, or by recipient the refusal."""

    mail: Mail
    error: str = ""
    refused: t.Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message in its recipient's mailbox. ``signatures`` say by algorithm what is wrong, nothing where one of the author's domain
    verifies."""

    folder: str
    seconds: float
    signatures: t.Mapping[str, str] = field(default_factory=dict)


def choose(
    estate: Estate, passwords: t.Mapping[str, str], initial: t.Optional[t.Collection[str]] = None
) -> tuple[list[Probe], list[Finding]]:
    """One probe a domain, the first mailbox that keeps its mail and whose password is known; and what cannot be probed. ``initial`` are the
    addresses whose stored credential is still the one that was handed over; None when nobody knows."""
    probes, findings = [], []
    for tenant, domain in estate.served_domains():
        mailboxes = [
            mailbox
            for mailbox in domain.mailboxes
            if may_log_in(tenant, domain, mailbox) and not mailbox.forward
        ]
        known = [mailbox for mailbox in mailboxes if mailbox.address in passwords]
        usable = [mailbox for mailbox in known if initial is None or mailbox.address in initial]
        if usable:
            address, aliases = (
                usable[0].address,
                tuple(name for name in domain.names if name != domain.name),
            )
            probes.append(
                Probe(
                    address,
                    passwords[address],
                    domain.name,
                    estate.node_of(tenant).hostname,
                    domain.dkim.algorithms,
                    aliases,
                )
            )
        elif mailboxes:
            found = (
                "the users have changed the passwords that were handed over"
                if known
                else "no password of its mailboxes is known here"
            )
            remedy = "name a probe account in verify_mail_accounts"
            findings.append(
                Finding(
                    "mail.submit",
                    domain.name,
                    "na",
                    "a mailbox to send real mail with",
                    found,
                    remedy,
                )
            )
    return probes, findings


def names(estate: Estate, probes: t.Sequence[Probe]) -> list[tuple[Probe, str]]:
    """Each probe with each of its addresses: in the domain, and in every other name of it."""
    domains = {domain.name: domain for _tenant, domain in estate.served_domains()}
    return [
        (probe, f"{probe.address.partition('@')[0]}@{name}")
        for probe in probes
        for name in domains[probe.domain].names
    ]


def mails(probes: t.Sequence[Probe], token: str) -> list[Mail]:
    """What everybody sends, what each sends itself by the other names of its domain, and what a stranger sends to everybody."""
    found = []
    for number, probe in enumerate(probes):
        following = probes[(number + 1) % len(probes)]
        recipients = probes if len(probes) <= MESH else (probe, following)
        found.append(
            Mail(
                probe, tuple(dict.fromkeys(recipients)), f"<verify.{token}.{number}@{probe.domain}>"
            )
        )
        local = probe.address.rpartition("@")[0]
        found += [
            Mail(probe, (probe,), f"<verify.{token}.{number}@{name}>", f"{local}@{name}")
            for name in probe.aliases
        ]
    return found + [
        Mail(None, (probe,), f"<verify.{token}.world.{number}@verify.invalid>")
        for number, probe in enumerate(probes)
    ]


def message(mail: Mail, token: str) -> bytes:
    """The message as text. Auto-Submitted keeps vacation scripts from answering (RFC 3834)."""
    head = {
        "From": mail.author,
        "To": ", ".join(probe.address for probe in mail.recipients),
        "Subject": f"verify {token}",
        "Message-ID": mail.message_id,
        "Auto-Submitted": "auto-generated",
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=us-ascii",
    }
    text = "This message was sent to prove that mail is delivered. It is deleted as soon as it was found.\r\n"
    return (
        "".join(f"{name}: {value}\r\n" for name, value in head.items()) + "\r\n" + text
    ).encode()


def judge(
    sent: t.Sequence[Sent],
    arrived: t.Mapping[tuple[str, str], Arrived],
    unread: t.Mapping[str, str],
    timeout: float,
) -> list[Finding]:
    """The findings of a round. ``arrived`` by recipient and Message-ID; ``unread`` tells of mailboxes that could not be read."""
    findings = []
    for one in sent:
        mail = one.mail
        copies = []
        if mail.sender:
            findings.append(_submit(one))
        for probe in mail.recipients:
            subject = f"{mail.origin} → {probe.address}"
            copy = arrived.get((probe.address, mail.message_id))
            findings.append(
                Finding(
                    "mail.deliver", subject, *_delivery(one, probe.address, copy, unread, timeout)
                )
            )
            if copy:
                copies.append(copy)
        if mail.sender:
            findings.append(_dkim(mail, mail.sender, copies))
        if mail.sender and not mail.alias:
            findings.append(_fetch(mail.sender, unread))
    return findings


def _fetch(probe: Probe, unread: t.Mapping[str, str]) -> Finding:
    expected = f"{probe.host} port 993 takes the login and shows the mailbox"
    if probe.address in unread:
        return Finding(
            "mail.fetch",
            probe.address,
            "fail",
            expected,
            unread[probe.address],
            f"look at the log of Dovecot on {probe.host}",
        )
    return Finding("mail.fetch", probe.address, "ok", expected, "read")


def _submit(one: Sent) -> Finding:
    sender = t.cast(Probe, one.mail.sender)
    expected = f"{sender.host} port 587 takes the login and the message"
    if one.error:
        return Finding(
            "mail.submit",
            one.mail.author,
            "fail",
            expected,
            one.error,
            f"look at the log of Postfix on {sender.host}",
        )
    return Finding("mail.submit", one.mail.author, "ok", expected, "taken")


def _delivery(
    one: Sent, address: str, copy: t.Optional[Arrived], unread: t.Mapping[str, str], timeout: float
) -> tuple[str, str, str, str]:
    expected = f"in the inbox within {timeout:g} s"
    if one.error:
        if one.mail.sender:
            return "blocked", expected, "the message was not taken", ""
        return (
            "fail",
            expected,
            one.error,
            f"look at the log of Postfix where mail for {address} comes in",
        )
    if address in one.refused:
        return (
            "fail",
            expected,
            f"refused: {one.refused[address]}",
            f"look at the recipient {address}",
        )
    if copy is None and address in unread:
        return "blocked", expected, "the mailbox cannot be read", ""
    if copy is None:
        return (
            "fail",
            expected,
            "not there",
            f"search {one.mail.message_id} in the logs and queues of the nodes",
        )
    if copy.folder != "INBOX":
        return "warn", expected, f"in {copy.folder}", "look at what marked it as spam"
    return "ok", expected, f"after {copy.seconds:.1f} s", ""


def _dkim(mail: Mail, sender: Probe, copies: t.Sequence[Arrived]) -> Finding:
    algorithms = " and ".join(ALGORITHMS[one] for one in sender.algorithms)
    expected = (
        f"a DKIM signature of {mail.domain} by {algorithms} that verifies with the key in DNS"
    )
    if not copies:
        return Finding(
            "mail.dkim",
            mail.domain,
            "blocked",
            expected,
            "no message arrived that could be looked at",
            "",
        )
    state = worst(_signed(sender.algorithms, copy) for copy in copies)
    faults = [
        f"{ALGORITHMS[one]}: {fault}"
        for copy in copies
        if _signed(sender.algorithms, copy) == state
        for one in sender.algorithms
        if (fault := copy.signatures.get(one, "no signature"))
    ]
    found = "; ".join(dict.fromkeys(faults)) or f"signed by {algorithms}"
    remedy = (
        ""
        if state == "ok"
        else f"publish the keys that {sender.host} signs with; look at its OpenDKIM"
    )
    return Finding("mail.dkim", mail.domain, state, expected, found, remedy)


def _signed(algorithms: t.Iterable[str], copy: Arrived) -> str:
    """Return ``warn`` where only Ed25519 is missing: who cannot verify it (RFC 8463 section 3) has the RSA signature."""
    bad = {one for one in algorithms if copy.signatures.get(one, "no signature")}
    return "ok" if not bad else "warn" if bad == {"ed25519"} else "fail"
