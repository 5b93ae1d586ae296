# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs between what is wanted and what was found, and how a diff shows it.

PRIVATE to the collection. Runs on the host; standard library only.
"""

from __future__ import annotations

import typing as t

from .paths import Found, Ids, names_of
from .units import Shown
from .wanted import File, Folder, HostConfigError, Link, Rights, Unit

Diff = dict[str, str]
"""A difference in the form in which Ansible shows it."""

LARGEST_DIFF = 104_448
"""Bytes of a file that is shown. Ansible has the same limit for its own modules."""


def has_rights(found: Found, rights: Rights, ids: t.Optional[Ids]) -> bool:
    """Return whether a path has its owner, group and mode. ``ids`` are those of ``rights``."""
    return found.ids == ids and found.mode == rights.mode


def folder_is_right(found: Found, folder: Folder, ids: t.Optional[Ids]) -> bool:
    """Raise HostConfigError if something else has the path."""
    if found.kind not in ("absent", "folder"):
        raise HostConfigError(f"{folder.path} is no folder; remove it, or use another path")
    return found.kind == "folder" and has_rights(found, folder.rights, ids)


def content_is_right(found: Found, file: File) -> bool:
    """Raise HostConfigError if a folder or a device has the path."""
    if found.kind not in ("absent", "file", "link"):
        raise HostConfigError(f"{file.path} is no file; remove it, or use another path")
    return found.kind == "file" and found.content == file.content


def link_is_right(found: Found, link: Link) -> bool:
    """Raise HostConfigError if a folder or a device has the path."""
    if found.kind not in ("absent", "file", "link"):
        raise HostConfigError(f"{link.path} is no link; remove it, or use another path")
    return found.kind == "link" and found.target == link.target


def is_absent(found: Found, path: str) -> bool:
    """Raise HostConfigError for what is neither a file nor a link."""
    if found.kind not in ("absent", "file", "link"):
        raise HostConfigError(f"{path} is no file; remove it yourself")
    return found.kind == "absent"


def folder_diff(found: Found, folder: Folder) -> Diff:
    return _lines_diff(folder.path, _described(found), f"folder {folder.rights}\n")


def link_diff(found: Found, link: Link) -> Diff:
    return _lines_diff(link.path, _described(found), f"link to {link.target}\n")


def absence_diff(found: Found, path: str) -> Diff:
    return _lines_diff(path, _described(found), "absent\n")


def file_diff(found: Found, file: File, ids: t.Optional[Ids]) -> Diff:
    """Return a file's diff: its content if that changes, and its owner and mode if these do."""
    was = _described(found).strip()
    if found.kind != "file":
        return _content_diff(file, b"", was, f"file {file.rights}")
    is_right = has_rights(found, file.rights, ids)
    if found.content == file.content:
        return _lines_diff(file.path, f"{was}\n", f"file {file.rights}\n")
    return _content_diff(
        file, found.content, "" if is_right else was, "" if is_right else f"file {file.rights}"
    )


def users_diff(found: Found, file: File, ids: Ids, missing: t.Sequence[str]) -> Diff:
    """Return the diff of the users' file, or the missing users if the file itself is right."""
    if found.content != file.content or not has_rights(found, file.rights, ids):
        return file_diff(found, file, ids)
    return _lines_diff(file.path, "", "".join(f"user {name}\n" for name in missing))


def _content_diff(file: File, before: bytes, was: str, becomes: str) -> Diff:
    headers = [f"{file.path} ({note})" if note else file.path for note in (was, becomes)]
    reason = _not_shown(file, before)
    if reason:
        change = f"{headers[0]} -> {headers[1]}" if was or becomes else file.path
        return {"prepared": f"{change}: the content changes; it is not shown, {reason}\n"}
    return {
        "before_header": headers[0],
        "after_header": headers[1],
        "before": before.decode(),
        "after": file.content.decode(),
    }


def _not_shown(file: File, before: bytes) -> str:
    """Return why no diff may show the contents; empty if it may."""
    if file.secret:
        return "because it is secret"
    if max(len(before), len(file.content)) > LARGEST_DIFF:
        return "because it is long"
    try:
        texts = before.decode() + file.content.decode()
    except UnicodeDecodeError:
        texts = "\0"
    return "because it is no text" if "\0" in texts else ""


def unit_diff(unit: Unit, state: Shown, steps: t.Sequence[str]) -> Diff:
    """Return a diff with the state of a unit, and the commands that change it."""
    words = [
        "active" if state.active else "inactive",
        state.enablement or "not enabled",
        *(["reads an older file"] if state.stale else []),
    ]
    return _lines_diff(
        unit.name,
        f"{', '.join(words)}\n",
        "".join(f"systemctl {step} {unit.name}\n" for step in steps) or "systemctl daemon-reload\n",
    )


def _described(found: Found) -> str:
    """Return what is at a path, as a line."""
    if found.kind == "absent":
        return "absent\n"
    if found.kind == "link":
        return f"link to {found.target}\n"
    owner, group = names_of(found.ids)
    return f"{found.kind} {Rights(owner, group, found.mode)}\n"


def _lines_diff(name: str, before: str, after: str) -> Diff:
    return {"before_header": name, "after_header": name, "before": before, "after": after}
