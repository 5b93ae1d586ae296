# SPDX-License-Identifier: GPL-3.0-or-later
"""What diagnose asks DNS, ports and mail servers, with the functions of verify.

PRIVATE to the collection. Does input and output; runs on the controller only (needs dnspython).
"""

from __future__ import annotations

import asyncio
import secrets
import smtplib
from concurrent.futures import ThreadPoolExecutor

from .._dns.query import Asker
from .._model.access import login_protocols
from .._verify import access, round_trip
from .._verify.connect import Connector, ProbeFailure, Smtp
from .._verify.dns import ask
from .._verify.finding import Finding
from .._verify.mail import NEEDED, Probe
from .subject import Known, Reply

THREADS = 8
"""Connections to ports at the same time."""


def dns(known: Known, asker: Asker, ca_file: str) -> tuple[Finding, ...]:
    """Return verify's findings about the subject's domain, the provider's domain and the host."""
    only = {known.subject.name, known.estate.provider.domain, known.node.hostname}
    return tuple(asyncio.run(ask.findings(known.estate, asker, ca_file, only)))


def replies(known: Known, connector: Connector) -> tuple[Reply, ...]:
    """Return the reply of the first MX in DNS to RCPT TO for the subject.

    If DNS has no MX, the node is asked, because the missing MX is a finding already.
    """
    try:
        found = sorted(
            (rdata.preference, str(rdata.exchange).rstrip(".").lower())
            for rdata in connector.records(known.subject.name, "MX")
        )
    except ProbeFailure:
        found = []
    host = found[0][1] if found else known.node.hostname
    return (_ask_rcpt(connector, host, known.subject.text),)


def _ask_rcpt(connector: Connector, host: str, address: str) -> Reply:
    """Return the reply to RCPT TO after a null sender. No message is sent."""
    try:
        with Smtp(connector, host, 25) as server:
            server.ehlo()
            server.mail("")
            code, text = server.rcpt(address)
    except smtplib.SMTPResponseException as exc:
        error = exc.smtp_error
        return Reply(
            host,
            exc.smtp_code,
            error.decode("utf-8", "replace") if isinstance(error, bytes) else str(error),
        )
    except (ProbeFailure, OSError, smtplib.SMTPException) as exc:
        return Reply(host, 0, str(exc) or type(exc).__name__)
    return Reply(host, code, text.decode("utf-8", "replace"))


def connections(known: Known, connector: Connector) -> tuple[Finding, ...]:
    """Return verify's findings about the ports for users, at the host name in their settings."""
    host = known.subject.domain.branding.hostname or known.node.hostname
    with ThreadPoolExecutor(THREADS) as pool:
        return tuple(pool.map(lambda check: check(), access.client_checks(connector, host)))


def refused_to_probe(known: Known) -> list[str]:
    """Return the protocols that ``mail`` needs and that the mailbox may not use."""
    subject = known.subject
    if subject.mailbox is None:
        return []
    allowed = login_protocols(subject.tenant, subject.domain, subject.mailbox)
    return sorted(NEEDED - {*allowed})


def mail(known: Known, connector: Connector, password: str, timeout: float) -> tuple[Finding, ...]:
    """Send a message from the mailbox to itself and one from outside; return verify's findings.

    Both messages are deleted. ``timeout`` is in seconds.
    """
    probe = Probe(
        known.subject.address,
        password,
        known.subject.domain.name,
        known.node.hostname,
        known.subject.domain.dkim.algorithms,
    )
    return tuple(round_trip.mail_findings(connector, [probe], secrets.token_hex(8), timeout))
