# SPDX-License-Identifier: GPL-3.0-or-later
"""How the keys of a host differ from those that the estate records in ``state/<node>.json``.

PRIVATE to the collection. Pure; standard library only: it runs on the host.

The file on the controller is a copy of the host's last report. It differs if another controller was
the last one to change the host, if a run ended too early, or if somebody changed the file.
"""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from .dkim import Key, KeyName
    from .tls import Keys

Row = t.Mapping[str, str]
MOST = 10
"""Differences that are named. The others are only counted."""


def dkim_differences(host: t.Mapping[KeyName, Key], recorded: t.Iterable[Key]) -> list[str]:
    """Return a line for each DKIM key that the file does not record as it is on the host.

    Keys whose record is withdrawn are left out: either side may have forgotten them.
    """
    file = {key.name: key for key in recorded}
    return _shortened(
        line
        for name in sorted({*host, *file})
        if (line := _dkim_difference(name, host.get(name), file.get(name)))
    )


def _dkim_difference(name: KeyName, host: t.Optional[Key], file: t.Optional[Key]) -> str:
    """Return how the file differs from the host for one key; empty if it does not."""
    if host is None or file is None:
        found, where, missing = (
            (file, "in the file", "on the host") if file else (host, "on the host", "in the file")
        )
        # A key without a public half was never reported, because a run ended too early.
        is_named = found is not None and found.public and found.state != "removed"
        return f"{name} is {found.state} {where}, and not {missing}" if found and is_named else ""
    if not host.public:
        return ""
    if file.public != host.public or file.algorithm != host.algorithm:
        return f"{name} is another key on the host than in the file"
    if file.state != host.state:
        return f"{name} is {host.state} on the host, and {file.state} in the file"
    return ""


def tls_differences(host: t.Mapping[str, Keys], recorded: t.Iterable[Row]) -> list[str]:
    """Return a line for each name whose TLS keys the file records, and not as they are.

    A name without a row in the file is new.
    """
    lines = []
    for row in recorded:
        name, keys = row["name"], host.get(row["name"])
        if keys is None:
            continue
        if keys.current not in (row["current"], row["next"]):
            lines.append(f"the TLS key of {name} is another on the host than in the file")
        elif keys.next != row["next"]:
            lines.append(f"the next TLS key of {name} is another on the host than in the file")
    return _shortened(sorted(lines))


def _shortened(lines: t.Iterable[str]) -> list[str]:
    """Return the first lines, and one that counts the others."""
    found = list(lines)
    more = len(found) - MOST
    return [*found[:MOST], f"and {more} more"] if more > 0 else found
