# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks the world what the ways of diagnose want to know. Does input and output; runs on the controller only (needs dnspython).

PRIVATE to the collection. Everything is asked by what verify asks it with.
"""

from __future__ import annotations

import asyncio
import secrets
import smtplib
import typing as t
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.reseller.mail.plugins.module_utils import _mail_round, _verify_access
from ansible_collections.reseller.mail.plugins.module_utils._diagnose import Known, Reply
from ansible_collections.reseller.mail.plugins.module_utils._dns_query import Asker
from ansible_collections.reseller.mail.plugins.module_utils._finding import Finding
from ansible_collections.reseller.mail.plugins.module_utils._mail_dial import (
    Dialler,
    ProbeFailure,
    Smtp,
)
from ansible_collections.reseller.mail.plugins.module_utils._verify_dns import ask
from ansible_collections.reseller.mail.plugins.module_utils._verify_mail import Probe

THREADS = 8


def dns(known: Known, asker: Asker, ca_file: str) -> tuple[Finding, ...]:
    """What verify says about the name, the provider's and the host's."""
    only = {known.subject.name, known.estate.provider.domain, known.node.hostname}
    return tuple(asyncio.run(ask.findings(known.estate, asker, ca_file, only)))


def replies(known: Known, dialler: Dialler) -> tuple[Reply, ...]:
    """What the world's first choice of MX says to RCPT TO; the node where DNS names none, for that is a finding of its own."""
    try:
        found = sorted(
            (rdata.preference, str(rdata.exchange).rstrip(".").lower())
            for rdata in dialler.records(known.subject.name, "MX")
        )
    except ProbeFailure:
        found = []
    host = found[0][1] if found else known.node.hostname
    return (_rcpt(dialler, host, known.subject.text),)


def _rcpt(dialler: Dialler, host: str, address: str) -> Reply:
    """As a stranger with the null sender, whose bounces go nowhere; no message is sent."""
    try:
        with Smtp(dialler, host, 25) as server:
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


def knocks(known: Known, dialler: Dialler) -> tuple[Finding, ...]:
    """The doors for users, by the name that they are told."""
    host = known.subject.domain.branding.hostname or known.node.hostname
    with ThreadPoolExecutor(THREADS) as pool:
        return tuple(pool.map(lambda check: check(), _verify_access.client_checks(dialler, host)))


def mail(known: Known, dialler: Dialler, password: str, timeout: float) -> tuple[Finding, ...]:
    """A message from the mailbox to itself, and one from outside; both are deleted."""
    probe = Probe(
        known.subject.address,
        password,
        known.subject.domain.name,
        known.node.hostname,
        known.subject.domain.dkim.algorithms,
    )
    return tuple(_mail_round.mail_findings(dialler, [probe], secrets.token_hex(8), timeout))


def facts(
    answers: t.Mapping[str, t.Mapping[str, t.Any]], node: str, part: str, key: str
) -> tuple[t.Any, str]:
    """One node's answer out of what the play has gathered, or why there is none."""
    result = answers.get(node, {}).get(part) or {}
    if key in result and not result.get("failed"):
        return result, ""
    return None, str(result.get("msg") or "")
