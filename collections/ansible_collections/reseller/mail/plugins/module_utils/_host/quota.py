# SPDX-License-Identifier: GPL-3.0-or-later
"""What Dovecot tells about quotas, and how it gets to the controller.

PRIVATE to the collection. Pure, standard library only: the module reads with it on the host, and
the controller reads the module's answer.
"""

from __future__ import annotations

import typing as t

from . import one_text

KIB = 1024


class Quota(t.NamedTuple):
    """The limits that Dovecot enforces on a mailbox, None for unlimited, and what is used.

    What the disk has is None if it was not counted.
    """

    address: str
    limit: int | None
    used: int
    messages_limit: int | None
    messages: int
    disk: int | None = None
    disk_messages: int | None = None


def parse(text: str) -> list[Quota]:
    """Return the rows of ``doveadm -f tab quota get``, one for each mailbox, in their order.

    doveadm writes a row for the storage and one for the messages, sizes in KiB, and ``-`` for no
    limit. Raise ValueError for another output.
    """
    storage: dict[str, tuple[int | None, int]] = {}
    messages: dict[str, tuple[int | None, int]] = {}
    for line in text.splitlines()[1:]:
        address, _root, kind, used, limit, _percent = line.split("\t")
        if kind == "STORAGE":
            storage[address] = (_number(limit, KIB), int(used) * KIB)
        elif kind == "MESSAGE":
            messages[address] = (_number(limit, 1), int(used))
    if storage.keys() != messages.keys():
        raise ValueError("doveadm does not name storage and messages of every mailbox")
    return [Quota(address, *storage[address], *messages[address]) for address in storage]


def _number(limit: str, unit: int) -> int | None:
    """Return a limit as a number, None if there is none."""
    return None if limit in ("-", "0") else int(limit) * unit


def packed(quotas: t.Iterable[Quota]) -> str:
    """Return quotas as one text."""
    return one_text.pack(list(quotas))


def unpacked(text: str) -> list[Quota]:
    """Return the quotas that ``packed`` made a text of; raise ValueError if it did not make it.

    The text comes from a host, so its size and its types are not trusted.
    """
    try:
        quotas = [Quota(*row) for row in one_text.unpack(text)]
    except (TypeError, ValueError) as error:
        raise ValueError(f"not an answer about quotas: {error}") from error
    if not all(map(_is_sound, quotas)):
        raise ValueError("not an answer about quotas: a value has another type")
    return quotas


def _is_sound(quota: Quota) -> bool:
    """Return whether the values of an entry have their types."""
    address, limit, used, messages_limit, messages, disk, disk_messages = quota
    return (
        isinstance(address, str)
        and isinstance(used, int)
        and isinstance(messages, int)
        and all(
            isinstance(number, (int, type(None)))
            for number in (limit, messages_limit, disk, disk_messages)
        )
    )
