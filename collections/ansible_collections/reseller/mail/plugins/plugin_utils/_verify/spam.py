# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify that each node refuses spam and forged senders, as an external host sends them.

Does input and output: it sends two messages to a mailbox of each node. A node refuses them at the
end of their data. If it does not, the messages are fetched and deleted. Nothing trains the filter,
because no message is moved between folders.

PRIVATE to the collection.
"""

from __future__ import annotations

import functools
import ipaddress
import re
import smtplib
import socket
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from .._model.outgoing import own_addresses
from . import mail as verify_mail
from . import round_trip
from .access import finding
from .connect import Connector, ProbeBlocked, ProbeFailure, ProbeIdle, Smtp
from .finding import Finding
from .mail import Mail, Probe

if t.TYPE_CHECKING:
    from .._model.estate import Estate, Node

GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
"""The text that every spam filter takes for spam, made for tests."""
SPAM = "the test message GTUBE from an external host is refused, or it is in Junk"
FORGED = "a message from outside with an address of {} as author is refused, or it is in Junk"
REMEDY = (
    "converge {}; look at smtpd_milters of Postfix and at rspamd:"
    " ansible-playbook reseller.mail.why -e why_message_id={}"
)
_REJECT = re.compile(rb"v=DMARC1\s*;(?:[^;]*;)*\s*p\s*=\s*reject\s*(?:;|$)")


@dataclass(frozen=True, slots=True)
class Filter:
    """The settings of a node's filter: whether it is on, and what it does if DMARC fails and the
    domain asks to refuse that (``filter_dmarc_reject``)."""

    is_on: bool = True
    dmarc_reject: str = "reject"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one node is sent."""

    node: Node
    probe: t.Optional[Probe]
    filter: Filter
    author: str
    message_id: str
    text: str = ""


def findings(
    connector: Connector,
    estate: Estate,
    probes: t.Sequence[Probe],
    filters: t.Mapping[str, Filter],
    token: str,
    timeout: float,
) -> list[Finding]:
    """Return the findings ``mail.spam`` and ``mail.forged`` of each node.

    ``filters`` are by the node's name; a node that is not among them has the defaults. ``timeout``
    is in seconds.
    """
    checks: list[t.Callable[[], Finding]] = []
    for node in estate.nodes:
        probe = next((one for one in probes if one.host == node.hostname), None)
        settings = filters.get(node.name, Filter())
        provider, message_id = (
            estate.provider.domain,
            f"verify.{token}.{{}}.{node.name}@verify.invalid",
        )
        spam = Attempt(
            node, probe, settings, "verify@verify.invalid", message_id.format("spam"), GTUBE
        )
        forged = Attempt(node, probe, settings, f"verify@{provider}", message_id.format("forged"))
        for id_, expected, one, ask in (
            ("mail.spam", SPAM, spam, _ask_spam),
            ("mail.forged", FORGED.format(provider), forged, _ask_forged),
        ):
            remedy = REMEDY.format(node.name, one.message_id)
            work = functools.partial(ask, connector, estate, one, timeout)
            checks.append(functools.partial(finding, id_, node.hostname, expected, remedy, work))
    with ThreadPoolExecutor(round_trip.THREADS) as pool:
        return list(pool.map(lambda check: check(), checks))


def _ask_spam(connector: Connector, estate: Estate, one: Attempt, timeout: float) -> str:
    """Return what became of the test message; raise a Probe error if it was taken for clean."""
    return _outcome(connector, estate, one, _recipient_of(one), timeout)


def _ask_forged(connector: Connector, estate: Estate, one: Attempt, timeout: float) -> str:
    """Return what became of a forged message; raise a Probe error if it was taken for clean."""
    recipient = _recipient_of(one)
    if one.filter.dmarc_reject == "annotate":
        raise ProbeIdle("forged senders are only noted here (filter_dmarc_reject: annotate)")
    name = f"_dmarc.{estate.provider.domain}"
    if not any(_REJECT.match(b"".join(rdata.strings)) for rdata in connector.records(name, "TXT")):
        raise ProbeBlocked(f"not asked: {name} in DNS does not have p=reject, see dns.dmarc")
    return _outcome(connector, estate, one, recipient, timeout)


def _recipient_of(one: Attempt) -> Probe:
    """Return the mailbox that gets the message; raise ProbeIdle if the node is not asked."""
    if not one.filter.is_on:
        raise ProbeIdle("the filter is off here (mail_filter: false), so mail is not filtered")
    if one.probe is None:
        raise ProbeIdle("no password of a mailbox here is known on the controller")
    return one.probe


def _outcome(
    connector: Connector, estate: Estate, one: Attempt, recipient: Probe, timeout: float
) -> str:
    """Send the message and return how it was refused, or that it is in Junk."""
    mail = Mail(None, (recipient,), f"<{one.message_id}>", one.author)
    started = time.monotonic()
    refusal = _hand_in(connector, estate, one, mail)
    if refusal is not None:
        return refusal
    arrived, why = round_trip.collect(connector, recipient, [mail], started, timeout)
    copy = arrived.get((recipient.address, mail.message_id))
    if copy and copy.folder != "INBOX":
        return f"in {copy.folder}"
    if copy:
        raise ProbeFailure(f"accepted, and in the inbox of {recipient.address}")
    raise ProbeFailure(f"accepted, and not found within {timeout:g} s{why and f': {why}'}")


def _hand_in(connector: Connector, estate: Estate, one: Attempt, mail: Mail) -> t.Optional[str]:
    """Send the message to the node; return the refusal at the end of its data, None if it was
    accepted."""
    text = round_trip.dated(verify_mail.message(mail, one.message_id)) + f"{one.text}\r\n".encode()
    with Smtp(connector, one.node.hostname, 25) as server:
        if _is_own(t.cast(socket.socket, server.sock).getsockname()[0], estate):
            raise ProbeIdle("the controller is a node, and mail of nodes is not filtered again")
        server.starttls(context=connector.context)
        try:
            server.sendmail("", [mail.recipients[0].address], text)
        except smtplib.SMTPDataError as error:
            if error.smtp_code < 500:
                raise
            return f"refused: {round_trip.error_text(error)}"
    return None


def _is_own(address: str, estate: Estate) -> bool:
    """Return whether an address is of this machine alone, or of a node."""
    mine = ipaddress.ip_address(address.partition("%")[0])
    nodes = {ipaddress.ip_address(one) for node in estate.nodes for one in own_addresses(node)}
    return mine.is_loopback or mine in nodes
