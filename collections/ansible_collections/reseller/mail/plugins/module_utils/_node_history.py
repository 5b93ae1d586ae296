# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node had before, and what its host lacks of it: a host that was built anew must not pass for one that never served.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    from ._model.estate import Estate, Node

GONE = ("revoked", "removed")
"""States of DKIM keys without a private half: nothing of them can be lost."""


@dataclass(frozen=True, slots=True)
class Host:
    """What a host has: stored passwords, DKIM keys, a folder with mail, and a generation that serves mailboxes. ``mail_home`` is
    the folder that the host noted as that of the mail; empty when it noted none."""

    credentials: bool
    dkim: bool
    mail: bool
    mailboxes: bool
    mail_home: str = ""


@dataclass(frozen=True, slots=True)
class Places:
    """Where the host keeps what cannot be made again."""

    root: str
    mail_home: str

    @property
    def credentials(self) -> str:
        return f"{self.root}/credentials"

    @property
    def dkim(self) -> str:
        return f"{self.root}/dkim"


def missing(estate: Estate, node: Node, host: Host, places: Places) -> dict[str, str]:
    """Return what the host lacks of what its node had before: by folder, what is lost with it. Empty for a node that never
    served. Two witnesses know of the past: the node's report in the estate, and a generation on the host."""
    keys = [
        key
        for state in estate.states
        if state.node == node.name
        for key in state.dkim
        if key.state not in GONE
    ]
    if not keys and not host.mailboxes:
        return {}
    local = sum(
        box.credentials == "local"
        for _tenant, domain in estate.domains_on(node)
        for box in domain.mailboxes
    )
    found = {}
    if local and not host.credentials:
        found[places.credentials] = f"the passwords of {_count(local, 'mailbox', 'mailboxes')}"
    if keys and not host.dkim:
        found[places.dkim] = (
            f"the DKIM keys of {_count(len({key.domain for key in keys}), 'domain', 'domains')}"
        )
    if host.mail_home not in ("", places.mail_home) and not host.mail:
        found[places.mail_home] = f"the mail, which this host keeps in {host.mail_home}"
    elif not host.mail:
        found[places.mail_home] = "the mail"
    return found


def refusal(node: str, lost: t.Mapping[str, str]) -> str:
    """Return why the host is not touched, and what each choice does."""
    return (
        f"This host lacks what the node {node} had before: {listed(lost)}. Nothing was changed, here or on the controller. "
        f"If these folders are in a backup: bring them back and run again; with -e base_virgin_host=restore a run first makes the "
        "users and folders for that, and stops. "
        f"If they are lost for good: -e base_virgin_host=new goes on without them, and {_consequences(lost)}. "
        f"Give either with --limit {node},localhost, so that it holds for no other node."
    )


def waiting(node: str, lost: t.Mapping[str, str]) -> str:
    """Return what is to be brought back to a host that was prepared for it."""
    return (
        f"The host of {node} is prepared, and nothing was made that a backup has: bring back {listed(lost)}. "
        "Then run again without base_virgin_host."
    )


def accepted(node: str, lost: t.Mapping[str, str]) -> str:
    """Return the warning of a run that goes on without what is lost."""
    return f"{node} goes on without {listed(lost)}: {_consequences(lost)}"


def listed(lost: t.Mapping[str, str]) -> str:
    """Return what is lost, each with its folder."""
    return ", ".join(f"{what} ({folder})" for folder, what in lost.items())


def _consequences(lost: t.Mapping[str, str]) -> str:
    said = {
        "passwords": "its mailboxes get new initial passwords, which replace the former ones in the file that they are handed over in",
        "DKIM": "its domains get new DKIM keys and do not sign until DNS shows them",
        "mail": "its mailboxes begin empty",
    }
    return "; ".join(
        words for part, words in said.items() if any(part in what for what in lost.values())
    )


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
