# SPDX-License-Identifier: GPL-3.0-or-later
"""Find, release and delete the mail of senders that is on hold in Postfix's queue.

PRIVATE to the collection. Runs on the host; standard library only.
"""

from __future__ import annotations

import typing as t

from .generation import suspended
from .generation.store import Run


def held(run: Run, subject: str) -> list[dict[str, t.Any]]:
    """Return the messages on hold that a mailbox or the mailboxes of a domain sent.

    Mail that arrived for a suspended mailbox is not among them: it is released by the generation.
    The login that sent a message counts, or else its envelope sender.
    """
    found = []
    for one in suspended.messages(run):
        if one["queue_name"] != "hold":
            continue
        attributes = suspended.attributes(one["queue_id"], run)
        if attributes.get("server_port") == str(suspended.HOLD_PORT):
            continue
        login = attributes.get("sasl_username", "")
        owner = suspended.plain(login or one["sender"])
        if subject in (owner, owner.rpartition("@")[2]):
            found.append(
                {
                    "queue_id": one["queue_id"],
                    "sender": one["sender"],
                    "login": login,
                    "recipients": [to["address"] for to in one["recipients"]],
                    "bytes": one["message_size"],
                }
            )
    return found


def release(ids: t.Sequence[str], run: Run) -> None:
    """Queue messages anew, so that they are sent."""
    suspended.queue_anew(ids, run)


def delete(ids: t.Sequence[str], run: Run) -> None:
    """Delete messages."""
    suspended.change("-d", ids, run)
