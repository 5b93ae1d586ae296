# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node had before, and which parts of it its host lacks now.

PRIVATE to the collection. Pure. A host that was built again must not be treated like a host that
never served.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    from .estate import Estate, Node

GONE = ("revoked", "removed")
"""States of DKIM keys without a private half. Nothing of these keys can be lost."""


@dataclass(frozen=True, slots=True)
class Host:
    """What a host has now.

    Attributes:
        credentials: stored passwords.
        dkim: DKIM keys.
        mail: a folder with mail.
        mailboxes: a generation that serves mailboxes.
        mail_home: the folder that the host noted as that of the mail; empty if it noted none.
    """

    credentials: bool
    dkim: bool
    mail: bool
    mailboxes: bool
    mail_home: str = ""


@dataclass(frozen=True, slots=True)
class Places:
    """The folders of a host with data that cannot be made again."""

    root: str
    mail_home: str

    @property
    def credentials(self) -> str:
        """Return the folder of stored passwords."""
        return f"{self.root}/credentials"

    @property
    def dkim(self) -> str:
        """Return the folder of DKIM keys."""
        return f"{self.root}/dkim"


def missing(estate: Estate, node: Node, host: Host, places: Places) -> dict[str, str]:
    """Return what the host lacks of what its node had before: by folder, what is lost with it.

    Empty for a node that never served. Two things show that a node served: its report in the
    estate, and a generation on the host.
    """
    signed = _signed_domains(estate, node)
    if not signed and not host.mailboxes:
        return {}
    passwords = _local_mailboxes(estate, node)
    found = {}
    if passwords and not host.credentials:
        found[places.credentials] = f"the passwords of {_count(passwords, 'mailbox', 'mailboxes')}"
    if signed and not host.dkim:
        found[places.dkim] = f"the DKIM keys of {_count(len(signed), 'domain', 'domains')}"
    if not host.mail:
        is_elsewhere = host.mail_home not in ("", places.mail_home)
        found[places.mail_home] = (
            f"the mail, which this host keeps in {host.mail_home}" if is_elsewhere else "the mail"
        )
    return found


def _signed_domains(estate: Estate, node: Node) -> frozenset[str]:
    """Return the domains for which the node reported DKIM keys with a private half."""
    return frozenset(
        key.domain
        for state in estate.states
        if state.node == node.name
        for key in state.dkim
        if key.state not in GONE
    )


def _local_mailboxes(estate: Estate, node: Node) -> int:
    """Return how many mailboxes on the node have their password there."""
    return sum(
        box.credentials == "local"
        for _tenant, domain in estate.domains_on(node)
        for box in domain.mailboxes
    )


def refusal(node: str, lost: t.Mapping[str, str]) -> str:
    """Return the message for a host that is not changed: why, and what each choice does."""
    return (
        f"This host lacks what the node {node} had before: {listed(lost)}. Nothing was changed,"
        " here or on the controller. If backup_repository is set, ansible-playbook"
        f" reseller.mail.restore -e restore_node={node} --limit {node},localhost brings them back."
        " If these folders are in another backup: restore them and run again; with -e"
        " base_virgin_host=restore a run first makes the users and folders for that, and stops. If"
        " they are lost for good: -e base_virgin_host=new goes on without them, and"
        f" {_consequences(lost)}. Use both only with --limit {node},localhost, so that they apply"
        " to no other node."
    )


def waiting(node: str, lost: t.Mapping[str, str]) -> str:
    """Return the message for a host that is prepared for its backup: what to restore."""
    return (
        f"The host of {node} is prepared for its backup. Restore {listed(lost)}. Then run again"
        " without base_virgin_host."
    )


def accepted(node: str, lost: t.Mapping[str, str]) -> str:
    """Return the warning of a run that goes on without what is lost."""
    return f"{node} goes on without {listed(lost)}: {_consequences(lost)}"


def listed(lost: t.Mapping[str, str]) -> str:
    """Return what is lost, each with its folder."""
    return ", ".join(f"{what} ({folder})" for folder, what in lost.items())


def _consequences(lost: t.Mapping[str, str]) -> str:
    consequences = {
        "passwords": (
            "its mailboxes get new initial passwords, which replace the former ones in the file"
            " of initial passwords"
        ),
        "DKIM": "its domains get new DKIM keys and do not sign until DNS shows them",
        "mail": "its mailboxes begin empty",
    }
    return "; ".join(
        words for part, words in consequences.items() if any(part in what for what in lost.values())
    )


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
