# SPDX-License-Identifier: GPL-3.0-or-later
"""From which score on mail is spam, and which senders are allowed or blocked.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

NEVER = "never"
"""Instead of a score: no score is high enough."""

SenderLists = tuple[tuple[str, tuple[str, ...]], ...]
"""The senders that each level lists, the outermost level first.

A sender is an address, a domain, a domain with a dot before it (all below it, too), or a network.
"""


@dataclass(frozen=True, slots=True)
class Spam:
    """How the spam filter treats mail to a domain or mailbox.

    ``junk``, ``reject`` and ``greylist`` are scores such as 6 or 6.5, or NEVER. From them on, mail
    is filed into Junk, refused, or refused until the sender tries again.
    """

    junk: str = "6"
    reject: str = "15"
    greylist: str = NEVER
    allow: SenderLists = ()
    block: SenderLists = ()


DEFAULT = Spam()
"""What counts if no level sets anything."""


def tenths(score: str) -> t.Optional[int]:
    """Return a score in tenths; None for NEVER."""
    if score == NEVER:
        return None
    whole, _dot, tenth = score.partition(".")
    return int(whole) * 10 + int(tenth or 0)


def is_network(sender: str) -> bool:
    """Return whether an entry of a list is a network. An address may have a slash, too."""
    return "/" in sender and "@" not in sender
