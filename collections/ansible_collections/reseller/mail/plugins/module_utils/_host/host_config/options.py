# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of host_config, and what is wrong with them.

The action and the module use the same options. The action reports the faults, before it connects to
the host. PRIVATE to the collection. Runs on the host; standard library only.
"""

from __future__ import annotations

import re
import typing as t

SOURCES = ("template", "src", "content")
"""Where the content of a file comes from. Each file has one of them."""

_RIGHTS: t.Mapping[str, t.Any] = {
    "owner": {"type": "str", "default": "root"},
    "group": {"type": "str", "default": "root"},
}

OPTIONS: t.Mapping[str, t.Any] = {
    "name": {"type": "str"},
    "packages": {"type": "list", "elements": "str", "default": []},
    "package_lists_max_age": {"type": "int", "default": 0},
    "debconf": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "question": {"type": "str", "required": True},
            "vtype": {"type": "str", "required": True},
            "value": {"type": "str", "required": True},
        },
    },
    "users": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "uid": {"type": "int"},
            "group": {"type": "str"},
            "home": {"type": "str", "default": "/nonexistent"},
        },
    },
    "folders": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "path": {"type": "str", "required": True},
            **_RIGHTS,
            "mode": {"type": "str", "default": "0755"},
        },
    },
    "files": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "dest": {"type": "str", "required": True},
            "template": {"type": "str"},
            "src": {"type": "str"},
            "content": {"type": "str"},
            **_RIGHTS,
            "mode": {"type": "str", "default": "0644"},
            "validate": {"type": "list", "elements": "str", "default": []},
            "secret": {"type": "bool", "default": False},
        },
    },
    "links": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "path": {"type": "str", "required": True},
            "target": {"type": "str", "required": True},
        },
    },
    "absent": {"type": "list", "elements": "str", "default": []},
    "units": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["started", "stopped"]},
            "enabled": {"type": "bool"},
            "masked": {"type": "bool"},
            "restart_for": {"type": "list", "elements": "str", "default": []},
        },
    },
}

_ACCOUNT = re.compile(r"[a-z_][a-z0-9_-]{0,30}")
_MODE = re.compile(r"[0-7]{4}")
_PATH = re.compile(r"/[^\x00-\x1f\x7f]*")
_UNIT = re.compile(r"[\w.@:\\-]+\.(service|socket|timer|path|target|mount)")
_USERS_FILE = re.compile(r"[a-z0-9][a-z0-9_-]*")


def faults(args: t.Mapping[str, t.Any]) -> list[str]:
    """Return what is wrong with the options, one sentence each; nothing if they can be used."""
    return [
        *_path_faults(args),
        *_file_faults(args["files"]),
        *_user_faults(args["users"], args["name"] or ""),
        *(
            f"units: {unit['name']!r} is no unit; write its whole name, such as nginx.service"
            for unit in args["units"]
            if not _UNIT.fullmatch(unit["name"])
        ),
    ]


def _path_faults(args: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    """Yield the paths that are not absolute or are listed twice, and the modes that are wrong."""
    seen = set()
    for option, key in (("folders", "path"), ("files", "dest"), ("links", "path"), ("absent", "")):
        for entry in args[option]:
            path = entry[key] if key else entry
            if not _PATH.fullmatch(path):
                yield f"{option}: {path!r} is not an absolute path"
            if path in seen:
                yield f"{option}: {path} is listed twice"
            seen.add(path)
            if key and not _MODE.fullmatch(entry.get("mode", "0000")):
                yield (
                    f"{option}: mode {entry['mode']!r} of {path} is wrong; write four octal digits"
                    ' in quotation marks, such as "0644"'
                )


def _file_faults(files: t.Iterable[t.Mapping[str, t.Any]]) -> t.Iterator[str]:
    for file in files:
        given = [source for source in SOURCES if file[source] is not None]
        if len(given) != 1:
            yield f"files: {file['dest']} needs exactly one of {', '.join(SOURCES)}"
        if file["validate"] and not any("%s" in word for word in file["validate"]):
            yield f"files: validate of {file['dest']} has no %s, the path of the new file"


def _user_faults(users: t.Sequence[t.Mapping[str, t.Any]], name: str) -> t.Iterator[str]:
    if users and not _USERS_FILE.fullmatch(name):
        yield "users: name is needed outside of a role; small letters, digits, - and _ are allowed"
    for user in users:
        for key in ("name", "group"):
            if user[key] is not None and not _ACCOUNT.fullmatch(user[key]):
                yield f"users: {key} {user[key]!r} is wrong"
        if not _PATH.fullmatch(user["home"]) or re.search(r"[\s\"'%\\]", user["home"]):
            yield f"users: home {user['home']!r} of {user['name']} is wrong"
