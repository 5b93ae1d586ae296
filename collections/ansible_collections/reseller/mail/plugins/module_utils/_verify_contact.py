# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether mail about the provider's hosts and domain reaches a person. Does input and output: it asks mail hosts at RCPT, and sends nothing.

PRIVATE to the collection.
"""

from __future__ import annotations

import functools
import typing as t

from ansible_collections.reseller.mail.plugins.module_utils._finding import Finding
from ansible_collections.reseller.mail.plugins.module_utils._mail_dial import (
    Dialler,
    ProbeClosed,
    ProbeDoubt,
    ProbeFailure,
    ProbeIdle,
    Smtp,
)
from ansible_collections.reseller.mail.plugins.module_utils._verify_access import finding

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.module_utils._model.estate import (
        Estate,
        Provider,
    )

SUBJECT = "provider"
"""Whom the finding about the files is about."""


def findings(dialler: Dialler, estate: Estate) -> list[Finding]:
    """Return whether a person is named, and whether each node and the provider's domain take mail for postmaster (RFC 5321 section 4.5.1)."""
    provider, hostnames = estate.provider, [node.hostname for node in estate.nodes]
    asked = {name: functools.partial(_refusal, dialler, [name], name) for name in hostnames}
    asked.setdefault(provider.domain, functools.partial(_at_mx, dialler, provider))
    return [
        _named(provider),
        *(
            finding(
                "mail.postmaster",
                f"postmaster@{name}",
                f"RCPT TO:<postmaster@{name}> at each of its mail hosts: 250",
                f"name a person in provider.contact, converge the nodes and publish; where the mail of {name} is not theirs, make the address there",
                ask,
            )
            for name, ask in asked.items()
        ),
    ]


def _named(provider: Provider) -> Finding:
    expected = "provider.contact is the address of a person"
    if provider.contact:
        return Finding("mail.contact", SUBJECT, "ok", expected, provider.contact)
    return Finding(
        "mail.contact",
        SUBJECT,
        "warn",
        expected,
        "nobody: mail for root, postmaster and abuse stays in /var/mail/root of each node",
        "name a person in provider.contact of estate.yml, then converge and publish",
    )


def _at_mx(dialler: Dialler, provider: Provider) -> str:
    """Ask where senders deliver: at the MX, or at the domain itself where it has none and the contact is in it (RFC 5321 section 5.1)."""
    name = provider.domain
    records = sorted(
        (rdata.preference, str(rdata.exchange).rstrip(".").lower())
        for rdata in dialler.records(name, "MX")
    )
    hosts = [host for _preference, host in records]
    if hosts == [""]:
        raise ProbeIdle(f"{name} takes no mail (RFC 7505)")
    if not hosts and not (provider.contact or "").endswith(f"@{name}"):
        raise ProbeIdle(f"{name} has no MX")
    return _refusal(dialler, hosts or [name], name)


def _refusal(dialler: Dialler, hosts: t.Iterable[str], name: str) -> str:
    """Return the hosts that take mail for postmaster; raise what one of them says instead.

    A host that is away or defers refuses nobody: senders try the next one (RFC 5321 section 5.1). Only where none takes it, it counts.
    """
    took: list[str] = []
    deferred: list[str] = []
    away: list[str] = []
    for host in hosts:
        try:
            code, text = _ask(dialler, host, f"postmaster@{name}")
        except ProbeClosed as error:
            away.append(str(error))
            continue
        if code >= 500:
            raise ProbeFailure(f"{host}: {code} {text}")
        if code >= 400:
            deferred.append(f"{host}: {code} {text}")
        else:
            took.append(f"{host}: {code}")
    if not took:
        raise (ProbeDoubt if deferred else ProbeClosed)("; ".join((*deferred, *away)))
    return "; ".join(took)


def _ask(dialler: Dialler, host: str, address: str) -> tuple[int, str]:
    """Return what a host answers to a recipient, or to the sender before it."""
    with Smtp(dialler, host, 25) as server:
        server.ehlo()
        code, text = server.mail("")
        if code < 400:
            code, text = server.rcpt(address)
        return code, text.decode("utf-8", "replace")
