# SPDX-License-Identifier: GPL-3.0-or-later
"""Which users the host still needs.

PRIVATE to the collection. Runs on the host; standard library only.
"""

from __future__ import annotations

import grp
import pwd
import typing as t

from .wanted import HostConfigError, User


def missing(users: t.Iterable[User]) -> list[str]:
    """Return the names of users that do not exist. Raise HostConfigError for another user."""
    return [user.name for user in users if not _exists(user)]


def _exists(user: User) -> bool:
    """Return whether a user exists.

    systemd-sysusers leaves a user of this name as it is. So HostConfigError is raised if its uid or
    its group differ.
    """
    try:
        entry = pwd.getpwnam(user.name)
    except KeyError:
        return False
    if user.uid not in (None, entry.pw_uid):
        raise HostConfigError(f"the user {user.name} has the uid {entry.pw_uid}, not {user.uid}")
    group = _group(entry.pw_gid)
    if user.group not in (None, group):
        raise HostConfigError(f"the user {user.name} has the group {group}, not {user.group}")
    return True


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
