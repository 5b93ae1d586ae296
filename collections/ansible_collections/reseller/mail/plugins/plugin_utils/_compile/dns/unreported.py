# SPDX-License-Identifier: GPL-3.0-or-later
"""List the keys that DNS needs and that no node has reported yet.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

from ..._model import mx, services
from ..._model.estate import Estate
from .. import opendkim


def pending(estate: Estate) -> list[tuple[str, str]]:
    """Return (domain name, selector) for names whose node has reported no key of them, sorted.

    Names without mail are left out.
    """
    parked = _parked(estate)
    return [
        (name, estate.node(node).dkim_selector)
        for name, node in opendkim.pending(estate)
        if name not in parked
    ]


def missing_dkim(estate: Estate) -> dict[str, list[str]]:
    """Return the sentences about DKIM records that cannot be written yet, by domain name."""
    parked = _parked(estate)
    found: dict[str, list[str]] = {}
    for name, node in opendkim.pending(estate):
        if name not in parked:
            found.setdefault(name, []).append(
                f"A DKIM record is missing: node {node} has not reported a key of {name} yet."
            )
    return {
        name: [*sentences, "Run ansible-playbook reseller.mail.site, and write this file again."]
        for name, sentences in found.items()
    }


def unsigned(estate: Estate) -> list[tuple[str, str, str, bool]]:
    """Return the rows of ``opendkim.unsigned`` for names that send mail."""
    parked = _parked(estate)
    return [row for row in opendkim.unsigned(estate) if row[0] not in parked]


def _parked(estate: Estate) -> set[str]:
    """Return the names of served domains that have no mail."""
    return {
        name
        for _tenant, domain in estate.served_domains()
        if services.is_parked(domain)
        for name in domain.names
    }


def pending_tls(estate: Estate) -> list[str]:
    """Return the names of mail hosts that have not reported their TLS key, sorted."""
    reported = {key.name for state in estate.states for key in state.tls}
    return sorted(
        name for node in estate.nodes for name in mx.names(estate, node) if name not in reported
    )
