# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of the controller, replaced together.

PRIVATE to the collection.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import typing as t


class Changed(Exception):
    """A file is not any more what it was when it was read."""


def replace_all(directory: str, before: t.Mapping[str, bytes], after: t.Mapping[str, bytes]) -> None:
    """Give files new content, each in one step, their modes kept; none of them when one cannot be written, or is not ``before`` any more.

    OSError says what could not be written.
    """
    with contextlib.ExitStack() as leftovers:
        staged = []
        for path, content in after.items():
            full = os.path.join(directory, path)
            with open(full, "rb") as file:
                if file.read() != before[path]:
                    raise Changed(path)
            staged.append((_draft(full, content, leftovers), full, _draft(full, before[path], leftovers)))
        done = []
        try:
            for draft, full, undo in staged:
                os.replace(draft, full)
                done.append((undo, full))
        except OSError:
            for undo, full in done:
                os.replace(undo, full)
            raise


def _draft(full: str, content: bytes, leftovers: contextlib.ExitStack) -> str:
    """The content beside the file, under a hidden name, which whoever reads the estate meanwhile passes over."""
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
