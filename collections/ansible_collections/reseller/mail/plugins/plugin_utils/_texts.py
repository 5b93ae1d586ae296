# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that action plugins write on the controller.

PRIVATE to the collection. Runs on the controller.
"""

from __future__ import annotations

import os
import typing as t

from ansible.errors import AnsibleActionFail


def read(path: str) -> str:
    """The text of a file; empty when there is none."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def put(path: str, text: str) -> None:
    """Writes a file whole or not at all. Nobody ever sees half of it: another host's task may be reading just now."""
    draft = os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.new")  # hidden: the loader passes over it
    try:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(draft, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(draft, path)
    except OSError as error:
        raise AnsibleActionFail(f"{path} cannot be written: {error.strerror}") from error


def put_all(directory: str, texts: t.Mapping[str, str], check_mode: bool) -> list[dict[str, str]]:
    """Writes the files that differ; their diffs, sorted by path."""
    diffs = []
    for name, text in sorted(texts.items()):
        path = os.path.join(directory, name)
        before = read(path)
        if before != text:
            diffs.append({"before_header": path, "after_header": path, "before": before, "after": text})
            if not check_mode:
                put(path, text)
    return diffs
