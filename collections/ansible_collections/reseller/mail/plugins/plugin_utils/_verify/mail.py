# SPDX-License-Identifier: GPL-3.0-or-later
"""Which probe sends mail to whom, and the findings about it.

PRIVATE to the collection. Pure: no Ansible, no network, no clock. The results of sending and
fetching come in as arguments.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._model.access import login_protocols, may_log_in
from .finding import Finding, worst

if t.TYPE_CHECKING:
    from .._model.domain import Mailbox
    from .._model.estate import Estate

ALGORITHMS: t.Final = {"rsa": "RSA", "ed25519": "Ed25519"}
MESH = 6
"""With at most this many probes, each sends to all. With more, each sends to itself and to the next
one, because the cost grows with the square."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A mailbox with a known password, which sends and fetches mail for its domain.

    Attributes:
        algorithms: The DKIM algorithms with which its mail is signed, by the files.
        aliases: The domain aliases of its domain.
    """

    address: str
    password: str = field(repr=False)
    domain: str
    host: str
    algorithms: tuple[str, ...] = ("rsa",)
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mail:
    """One message of a round.

    Attributes:
        sender: The probe that sends it; None for an external sender.
        alias: The sender's address in a domain alias, if that is the author.
    """

    sender: t.Optional[Probe]
    recipients: tuple[Probe, ...]
    message_id: str
    alias: str = ""

    @property
    def author(self) -> str:
        """Return the address in From."""
        return self.alias or (self.sender.address if self.sender else "verify@verify.invalid")

    @property
    def domain(self) -> str:
        """Return the domain of the author, which signs the message."""
        return self.author.rpartition("@")[2]

    @property
    def origin(self) -> str:
        """Return the sender in a finding's subject."""
        return self.author if self.sender else "outside"


@dataclass(frozen=True, slots=True)
class Sent:
    """How a message was submitted: the error, or the refused recipients with their replies."""

    mail: Mail
    error: str = ""
    refused: t.Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message in its recipient's mailbox.

    Attributes:
        seconds: The time from the start of the round.
        signatures: By algorithm what is wrong, "" if a signature of the author's domain verifies.
    """

    folder: str
    seconds: float
    signatures: t.Mapping[str, str] = field(default_factory=dict)


NEEDED = {"imap", "submission"}
"""The protocols of a probe: it sends a message and fetches another."""


def choose(
    estate: Estate, passwords: t.Mapping[str, str], initial: t.Optional[t.Collection[str]] = None
) -> tuple[list[Probe], list[Finding]]:
    """Return one probe for each domain, and the findings about domains without one.

    The probe is the first mailbox that stores its mail, that may use the ``NEEDED`` protocols, and
    whose password is known. ``initial`` has the addresses that still have their initial password;
    None if that is not known.
    """
    probes, findings = [], []
    for tenant, domain in estate.served_domains():
        logins = [
            mailbox
            for mailbox in domain.mailboxes
            if may_log_in(tenant, domain, mailbox) and not mailbox.forward
        ]
        mailboxes = [
            mailbox for mailbox in logins if {*login_protocols(tenant, domain, mailbox)} >= NEEDED
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
        elif logins:
            findings.append(_without_probe(domain.name, mailboxes, known))
    return probes, findings


def _without_probe(
    domain: str, mailboxes: t.Sequence[Mailbox], known: t.Sequence[Mailbox]
) -> Finding:
    """Return the finding about a domain without a probe; ``mailboxes`` have the ``NEEDED``
    protocols, and the password of those in ``known`` is known."""
    if not mailboxes:
        found, remedy = f"no mailbox may use {' and '.join(sorted(NEEDED))}", ""
    else:
        found = (
            "the users have changed their initial passwords"
            if known
            else "no password of its mailboxes is known on the controller"
        )
        remedy = "name a probe account in verify_mail_accounts"
    return Finding("mail.submit", domain, "na", "a mailbox to send real mail with", found, remedy)


def names(estate: Estate, probes: t.Sequence[Probe]) -> list[tuple[Probe, str]]:
    """Return each probe with each of its addresses: in the domain, and in its domain aliases."""
    domains = {domain.name: domain for _tenant, domain in estate.served_domains()}
    return [
        (probe, f"{probe.address.partition('@')[0]}@{name}")
        for probe in probes
        for name in domains[probe.domain].names
    ]


def mails(probes: t.Sequence[Probe], token: str) -> list[Mail]:
    """Return the messages of a round.

    Probes send to each other, each probe sends to itself from its domain aliases, and an external
    sender sends to each probe.
    """
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
        Mail(None, (probe,), f"<verify.{token}.outside.{number}@verify.invalid>")
        for number, probe in enumerate(probes)
    ]


def way_of(mail: Mail) -> str:
    """Return the command that shows what became of a message, and why."""
    message_id = mail.message_id.strip("<>")
    return f"ansible-playbook reseller.mail.why -e why_message_id={message_id}"


def message(mail: Mail, token: str) -> bytes:
    """Return the message. Auto-Submitted keeps vacation scripts from answering (RFC 3834)."""
    head = {
        "From": mail.author,
        "To": ", ".join(probe.address for probe in mail.recipients),
        "Subject": f"verify {token}",
        "Message-ID": mail.message_id,
        "Auto-Submitted": "auto-generated",
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=us-ascii",
    }
    text = "This message verifies that mail is delivered. It is deleted as soon as it is found.\r\n"
    return (
        "".join(f"{name}: {value}\r\n" for name, value in head.items()) + "\r\n" + text
    ).encode()


def judge(
    sent: t.Sequence[Sent],
    arrived: t.Mapping[tuple[str, str], Arrived],
    unread: t.Mapping[str, str],
    timeout: float,
) -> list[Finding]:
    """Return the findings of a round.

    ``arrived`` has messages by recipient and Message-ID, ``unread`` by address why a mailbox could
    not be read. ``timeout`` is in seconds.
    """
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
    """Return the finding about a probe's login by IMAP."""
    expected = f"{probe.host} port 993 accepts the login and shows the mailbox"
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
    """Return the finding about the submission of a message."""
    sender = t.cast(Probe, one.mail.sender)
    expected = f"{sender.host} port 587 accepts the login and the message"
    if one.error:
        return Finding(
            "mail.submit",
            one.mail.author,
            "fail",
            expected,
            one.error,
            f"look at the log of Postfix on {sender.host}",
        )
    return Finding("mail.submit", one.mail.author, "ok", expected, "accepted")


def _delivery(
    one: Sent, address: str, copy: t.Optional[Arrived], unread: t.Mapping[str, str], timeout: float
) -> tuple[str, str, str, str]:
    """Return state, expected, found and remedy about the delivery to one recipient."""
    expected = f"in the inbox within {timeout:g} s"
    if one.error:
        if one.mail.sender:
            return "blocked", expected, "the message was not accepted", ""
        return (
            "fail",
            expected,
            one.error,
            f"look at the log of Postfix on the MX hosts of {address}",
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
            way_of(one.mail),
        )
    if copy.folder != "INBOX":
        return "warn", expected, f"in {copy.folder}", way_of(one.mail)
    return "ok", expected, f"after {copy.seconds:.1f} s", ""


def _dkim(mail: Mail, sender: Probe, copies: t.Sequence[Arrived]) -> Finding:
    """Return the finding about the DKIM signatures of a message, in all its copies."""
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
            "no message arrived",
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
    """Return the state of the signatures of one copy.

    It is ``warn`` if only Ed25519 is missing: receivers that do not know it (RFC 8463 section 3)
    use the RSA signature.
    """
    bad = {one for one in algorithms if copy.signatures.get(one, "no signature")}
    return "ok" if not bad else "warn" if bad == {"ed25519"} else "fail"
