# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task wants on the host, as typed values.

PRIVATE to the collection. Runs on the host; standard library only.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .contents import unpack


class HostConfigError(Exception):
    """The host cannot get what the task wants. The message names the path or the unit."""


@dataclass(frozen=True)
class Rights:
    """Who owns a path, as names, and its mode."""

    owner: str
    group: str
    mode: int

    def __str__(self) -> str:
        return f"{self.owner}:{self.group} {self.mode:04o}"


@dataclass(frozen=True)
class Folder:
    path: str
    rights: Rights


@dataclass(frozen=True)
class File:
    """A regular file. ``validate`` is a command, in which ``%s`` is the path of the new file."""

    path: str
    rights: Rights
    content: bytes
    validate: tuple[str, ...] = ()
    secret: bool = False


@dataclass(frozen=True)
class Link:
    path: str
    target: str


@dataclass(frozen=True)
class User:
    """A system user without a password or a shell. Without ``group`` it has one of its name."""

    name: str
    uid: t.Optional[int]
    group: t.Optional[str]
    home: str


@dataclass(frozen=True)
class Unit:
    """A systemd unit. None leaves a property as it is."""

    name: str
    state: t.Optional[str] = None
    enabled: t.Optional[bool] = None
    masked: t.Optional[bool] = None
    restart_for: tuple[str, ...] = ()


@dataclass(frozen=True)
class Wanted:
    """All that one task wants. ``users_file`` is the file of systemd-sysusers for ``users``."""

    packages: tuple[str, ...]
    users: tuple[User, ...]
    users_file: t.Optional[File]
    folders: tuple[Folder, ...]
    files: tuple[File, ...]
    links: tuple[Link, ...]
    absent: tuple[str, ...]
    units: tuple[Unit, ...]


def wanted(params: t.Mapping[str, t.Any]) -> Wanted:
    """Return the options of the module as values. The action has already refused wrong ones."""
    contents = unpack(params["contents"])
    users = tuple(
        User(user["name"], user["uid"], user["group"], user["home"]) for user in params["users"]
    )
    return Wanted(
        packages=tuple(params["packages"]),
        users=users,
        users_file=_users_file(params["name"], users) if users else None,
        folders=tuple(Folder(entry["path"], _rights(entry)) for entry in params["folders"]),
        files=tuple(
            File(
                entry["dest"],
                _rights(entry),
                contents[entry["dest"]],
                tuple(entry["validate"]),
                entry["secret"],
            )
            for entry in params["files"]
        ),
        links=tuple(Link(entry["path"], entry["target"]) for entry in params["links"]),
        absent=tuple(params["absent"]),
        units=tuple(
            Unit(
                entry["name"],
                entry["state"],
                entry["enabled"],
                entry["masked"],
                tuple(entry["restart_for"]),
            )
            for entry in params["units"]
        ),
    )


def _rights(entry: t.Mapping[str, t.Any]) -> Rights:
    return Rights(entry["owner"], entry["group"], int(entry["mode"], 8))


def _users_file(name: str, users: t.Iterable[User]) -> File:
    """Return the file from which systemd-sysusers makes the users (sysusers.d(5))."""
    lines = ["# SPDX-License-Identifier: GPL-3.0-or-later\n", *map(_user_line, users)]
    return File(
        f"/etc/sysusers.d/reseller-mail-{name}.conf",
        Rights("root", "root", 0o644),
        "".join(lines).encode(),
    )


def _user_line(user: User) -> str:
    uid = "-" if user.uid is None else str(user.uid)
    account = f"{uid}:{user.group}" if user.group else uid
    return f"u {user.name} {account} - {user.home} /usr/sbin/nologin\n"
