# SPDX-License-Identifier: GPL-3.0-or-later
"""Files for the exchange's action plugins: reading what was named, writing what was computed, diffs without secrets.

PRIVATE to the collection. Runs on the controller.
"""

from __future__ import annotations

import os
import re
import tempfile
import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail

MAX_BYTES = 256 * 2**20
# A hash with its scheme, and a line of a vaulted value: a diff ends up in a log.
_SECRET = re.compile(r"\{[A-Z0-9][A-Z0-9.-]+\}[^\s'\"]{8,}|\$ANSIBLE_VAULT;[^\s\"]*|(?m:^\s*[0-9a-f]{32,}$)")


def sources(paths: t.Sequence[str], suffix: str) -> dict[str, bytes]:
    """The files' contents by name; of a folder those with the suffix."""
    found: dict[str, bytes] = {}
    for path in map(Path, paths):
        inside = sorted(path.glob(f"*{suffix}")) if path.is_dir() else [path]
        if not inside:
            raise AnsibleActionFail(f"there is no file *{suffix} in {path}")
        for file in inside:
            try:
                if file.stat().st_size > MAX_BYTES:
                    raise AnsibleActionFail(f"{file} is larger than {MAX_BYTES // 2**20} MiB")
                content = file.read_bytes()
            except OSError as error:
                raise AnsibleActionFail(f"{file} cannot be read: {error.strerror}") from error
            if file.name in found:
                raise AnsibleActionFail(f"two files are called {file.name}; rows are told apart by the file's name")
            found[file.name] = content
    return found


def before(path: Path) -> t.Optional[bytes]:
    """What is there now."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise AnsibleActionFail(f"{path} cannot be read: {error.strerror}") from error


def write(files: t.Mapping[Path, bytes], mode: int = 0o644) -> None:
    """Writes all files, each by renaming a finished one into place; none through a symbolic link."""
    try:
        for path, content in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
                os.chmod(temporary, mode)
                os.replace(temporary, path)
            except BaseException:
                os.unlink(temporary)
                raise
    except OSError as error:
        raise AnsibleActionFail(f"{error.filename} cannot be written: {error.strerror}") from error


def diff(name: str, was: t.Optional[bytes], now: bytes) -> dict[str, str]:
    """A difference as Ansible shows it."""
    return {"before_header": name, "after_header": name, "before": _shown(was or b""), "after": _shown(now)}


def _shown(content: bytes) -> str:
    return _SECRET.sub("…", content.decode("utf-8", "replace"))
