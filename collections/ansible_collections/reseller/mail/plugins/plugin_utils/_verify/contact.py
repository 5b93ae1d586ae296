# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify that mail about the provider's hosts and domain reaches a person.

Does input and output: it asks mail hosts at RCPT, and sends no message.

PRIVATE to the collection.
"""

from __future__ import annotations

import functools
import typing as t

from .access import finding
from .connect import Connector, ProbeClosed, ProbeDoubt, ProbeFailure, ProbeIdle, Smtp
from .finding import Finding

if t.TYPE_CHECKING:
    from .._model.estate import Estate, Provider

SUBJECT = "provider"
"""The subject of the finding about the files."""


def findings(connector: Connector, estate: Estate) -> list[Finding]:
    """Return the findings ``mail.contact`` and ``mail.postmaster``.

    They are about the person in provider.contact, and about mail to postmaster of each node and of
    the provider's domain (RFC 5321 section 4.5.1).
    """
    provider, hostnames = estate.provider, [node.hostname for node in estate.nodes]
    asked = {
        name: functools.partial(_accepting_hosts, connector, [name], name) for name in hostnames
    }
    asked.setdefault(provider.domain, functools.partial(_at_mx, connector, provider))
    return [
        _named(provider),
        *(
            finding(
                "mail.postmaster",
                f"postmaster@{name}",
                f"RCPT TO:<postmaster@{name}> at each of its mail hosts: 250",
                "name a person in provider.contact, converge the nodes and publish; if another host"
                f" has the mail of {name}, create the address there",
                ask,
            )
            for name, ask in asked.items()
        ),
    ]


def _named(provider: Provider) -> Finding:
    """Return the finding about provider.contact."""
    expected = "provider.contact is the address of a person"
    if provider.contact:
        return Finding("mail.contact", SUBJECT, "ok", expected, provider.contact)
    return Finding(
        "mail.contact",
        SUBJECT,
        "warn",
        expected,
        "no person: mail for root, postmaster and abuse stays in /var/mail/root of each node",
        "name a person in provider.contact of estate.yml, then converge and publish",
    )


def _at_mx(connector: Connector, provider: Provider) -> str:
    """Return the answers of the hosts to which senders deliver mail for the provider's domain.

    These are the hosts of its MX. Without an MX it is the domain itself, if the contact is in it
    (RFC 5321 section 5.1). Raise ProbeIdle when the domain receives no mail.
    """
    name = provider.domain
    records = sorted(
        (rdata.preference, str(rdata.exchange).rstrip(".").lower())
        for rdata in connector.records(name, "MX")
    )
    hosts = [host for _preference, host in records]
    if hosts == [""]:
        raise ProbeIdle(f"{name} takes no mail (RFC 7505)")
    if not hosts and not (provider.contact or "").endswith(f"@{name}"):
        raise ProbeIdle(f"{name} has no MX")
    return _accepting_hosts(connector, hosts or [name], name)


def _accepting_hosts(connector: Connector, hosts: t.Iterable[str], name: str) -> str:
    """Return the hosts that accept mail for postmaster; raise ProbeFailure when one refuses it.

    A host that is away or defers is no refusal: senders try the next one (RFC 5321 section 5.1).
    Only when no host accepts the mail, raise ProbeDoubt or ProbeClosed.
    """
    accepting: list[str] = []
    deferred: list[str] = []
    away: list[str] = []
    for host in hosts:
        try:
            with Smtp(connector, host, 25) as server:
                server.ehlo()
                reply = server.ask_recipient("", f"postmaster@{name}")
        except ProbeClosed as error:
            away.append(str(error))
            continue
        if reply.code >= 500:
            raise ProbeFailure(f"{host}: {reply.code} {reply.text}")
        if reply.code >= 400:
            deferred.append(f"{host}: {reply.code} {reply.text}")
        else:
            accepting.append(f"{host}: {reply.code}")
    if not accepting:
        raise (ProbeDoubt if deferred else ProbeClosed)("; ".join((*deferred, *away)))
    return "; ".join(accepting)
