# SPDX-License-Identifier: GPL-3.0-or-later
"""Read and write files of the controller, and show their differences without secrets.

PRIVATE to the collection.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
import tempfile
import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail

# A hash with its scheme or as crypt writes it, and a line of a vaulted value: a diff ends up in a
# log.
_SECRET = re.compile(
    r"\{[A-Z0-9][A-Z0-9.-]+\}[^\s'\"]{8,}|\$[0-9a-z][0-9a-z-]*\$[^\s'\"]{8,}|\$ANSIBLE_VAULT;[^\s\"]*|(?m:^\s*[0-9a-f]{32,}$)"
)


def content(path: Path) -> t.Optional[bytes]:
    """Return the content of a file, None if there is no file."""
    try:
        return path.read_bytes() if path.is_file() else None
    except OSError as error:
        raise AnsibleActionFail(f"{path} cannot be read: {error.strerror}") from None


def text(path: Path) -> str:
    """Return the text of a file, empty if there is no file."""
    return (content(path) or b"").decode("utf-8", "replace")


def update(path: Path, wanted: bytes, check_mode: bool) -> bool:
    """Write the file if its content differs; return whether it did."""
    if content(path) == wanted:
        return False
    if not check_mode:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(wanted)  # not renamed into place: it may be /dev/stdout
        except OSError as error:
            raise AnsibleActionFail(f"{path} cannot be written: {error.strerror}") from None
    return True


def write(files: t.Mapping[Path, bytes], mode: t.Optional[int] = None) -> None:
    """Write all files, each by renaming a complete file into place.

    A symbolic link is replaced, not followed. Without ``mode`` a file keeps the mode that it has.
    """
    path = None
    try:
        for path, wanted in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(wanted)
                os.chmod(
                    temporary,
                    mode or (stat.S_IMODE(path.stat().st_mode) if path.is_file() else 0o644),
                )
                os.replace(temporary, path)
            except BaseException:
                os.unlink(temporary)
                raise
    except OSError as error:
        raise AnsibleActionFail(f"{path} cannot be written: {error.strerror}") from None


def put_all(
    folder: Path,
    wanted: t.Mapping[str, bytes],
    check_mode: bool,
    readable: t.Callable[[bytes], bytes] = lambda text: text,
    mode: t.Optional[int] = None,
) -> list[dict[str, str]]:
    """Write the files below a folder whose content differs; return their diffs, sorted by path.

    ``readable`` makes a text for the diff from the content of a file. ``mode`` is as in ``write``.
    """
    was = {name: content(folder / name) for name in sorted(wanted)}
    changed = {
        folder / name: wanted[name] for name, before in was.items() if before != wanted[name]
    }
    if not check_mode:
        write(changed, mode)
    return [
        diff(str(folder / name), readable(before or b""), readable(wanted[name]))
        for name, before in was.items()
        if folder / name in changed
    ]


def diff(name: str, was: t.Optional[bytes], now: bytes) -> dict[str, str]:
    """Return a difference in the form that Ansible shows, without secrets."""
    return {
        "before_header": name,
        "after_header": name,
        "before": _shown(was or b""),
        "after": _shown(now),
    }


def _shown(text: bytes) -> str:
    return _SECRET.sub("…", text.decode("utf-8", "replace"))


class Changed(Exception):
    """A file was changed after it was read."""


def replace_all(
    directory: str, before: t.Mapping[str, bytes], after: t.Mapping[str, bytes]
) -> None:
    """Replace the content of all files, or of none; each file keeps its mode.

    Raise Changed if a file is no longer as in ``before``, OSError if one cannot be written.
    """
    with contextlib.ExitStack() as leftovers:
        staged = []
        for path, content in after.items():
            full = os.path.join(directory, path)
            with open(full, "rb") as file:
                if file.read() != before[path]:
                    raise Changed(path)
            staged.append(
                (_draft(full, content, leftovers), full, _draft(full, before[path], leftovers))
            )
        done = []
        try:
            for draft, full, undo in staged:
                os.replace(draft, full)
                done.append((undo, full))
        except OSError:
            for undo, full in done:
                os.replace(undo, full)
            raise


def write_edited(
    directory: str, before: t.Mapping[str, bytes], after: t.Mapping[str, bytes]
) -> None:
    """Replace all files, or none; raise AnsibleActionFail if one cannot be written or was changed
    since it was read."""
    try:
        replace_all(directory, before, after)
    except Changed as error:
        raise AnsibleActionFail(
            f"nothing was written: {error} was changed during the run; run it again"
        ) from None
    except OSError as error:
        raise AnsibleActionFail(
            f"{error.filename or os.path.abspath(directory)} could not be written: {error.strerror}"
        ) from None


def _draft(full: str, content: bytes, leftovers: contextlib.ExitStack) -> str:
    """Write the content beside the file and return the path.

    The name is hidden, so that a reader of the estate ignores the file.
    """
    handle, draft = tempfile.mkstemp(dir=os.path.dirname(full), prefix=".")
    leftovers.callback(_forget, draft)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    shutil.copymode(full, draft)
    return draft


def _forget(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
