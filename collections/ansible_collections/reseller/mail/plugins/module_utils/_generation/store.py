# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's folder of generations, and what was shipped to it.

PRIVATE to the collection. Runs on the host; standard library only.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import typing as t
import zlib
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.reseller.mail.plugins.module_utils._lock import locked

FORMAT = 1
"""Of the artefact; the same number as in _compile."""

LOCK_PATIENCE = 60.0
"""Seconds to wait for another run to end."""

_ID = re.compile(r"[0-9]{6,}-[0-9a-f]{12}\Z")


class GenerationError(Exception):
    """One sentence for the user: exactly what is wrong, and where."""


class Run(t.Protocol):
    """Runs a command: return code, output, errors. A module's ``run_command`` is one."""

    def __call__(self, args: list[str], /) -> tuple[int, str, str]: ...


@dataclass(frozen=True, slots=True)
class Content:
    """An artefact, unpacked."""

    node: str
    debian: int
    files: dict[str, str]
    digest: str
    packed: bytes

    @property
    def model(self) -> list[str]:
        """The model in the users' words."""
        return self.files["model.txt"].splitlines()


def unpack(packed: bytes) -> Content:
    """Reads a shipped artefact."""
    try:
        data = zlib.decompress(packed)
        content = json.loads(data)
        if content["format"] != FORMAT:
            raise GenerationError(
                f"the artefact has format {content['format']}, this host's code reads format {FORMAT}"
            )
        return Content(
            content["node"],
            content["debian"],
            content["files"],
            hashlib.sha256(data).hexdigest(),
            packed,
        )
    except (zlib.error, ValueError, KeyError, TypeError) as error:
        raise GenerationError(f"the artefact is unreadable: {error}") from error


@dataclass(frozen=True, slots=True)
class Store:
    """Reads and switches generations below ``root``."""

    root: Path

    @property
    def generations(self) -> Path:
        return self.root / "generations"

    @property
    def staging(self) -> Path:
        """Where the next generation is made. It gets its name only after the verdict."""
        return self.generations / ".staging"

    def folder(self, generation: str) -> Path:
        return self.generations / generation

    def ids(self) -> list[str]:
        """All generations, oldest first."""
        try:
            names = os.listdir(self.generations)
        except FileNotFoundError:
            return []
        return sorted((name for name in names if _ID.match(name)), key=sequence)

    def current(self) -> str | None:
        """The generation that daemons read when they open a lookup."""
        try:
            return os.path.basename(os.readlink(self.root / "current"))
        except FileNotFoundError:
            return None

    def activated(self) -> str | None:
        """The generation whose switch all daemons have taken notice of."""
        try:
            return str(json.loads((self.root / "activated.json").read_bytes())["generation"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def manifest(self, generation: str) -> dict[str, t.Any]:
        try:
            return t.cast(
                "dict[str, t.Any]",
                json.loads((self.folder(generation) / "manifest.json").read_bytes()),
            )
        except (OSError, ValueError) as error:
            raise GenerationError(f"{self.folder(generation)}/manifest.json: {error}") from error

    def content(self, generation: str) -> Content:
        """What the generation was made from."""
        path = self.folder(generation) / "artefact"
        try:
            return unpack(path.read_bytes())
        except (OSError, GenerationError) as error:
            raise GenerationError(f"{path}: {error}") from error

    def model(self, generation: str) -> list[str]:
        """What the generation serves, in the users' words; what is left of it when somebody altered the file."""
        try:
            return (
                (self.folder(generation) / "model.txt")
                .read_bytes()
                .decode("utf-8", "replace")
                .splitlines()
            )
        except OSError:
            return []

    def switch(self, generation: str) -> None:
        """Makes the generation current: one rename, which a reader sees whole or not at all."""
        new = self.root / ".current.new"
        with contextlib.suppress(FileNotFoundError):
            new.unlink()
        new.symlink_to(f"generations/{generation}")
        new.replace(self.root / "current")
        sync_folder(self.root)

    def mark_activated(self, generation: str) -> None:
        new = self.root / ".activated.new"
        write(new, json.dumps({"generation": generation}).encode() + b"\n")
        new.replace(self.root / "activated.json")
        sync_folder(self.root)

    @contextlib.contextmanager
    def lock(self) -> t.Iterator[None]:
        """Only one run at a time changes the folder."""
        self.root.mkdir(mode=0o755, parents=True, exist_ok=True)
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(locked(self.root / ".lock", LOCK_PATIENCE))
            except TimeoutError as error:
                raise GenerationError(str(error)) from error
            yield


def sequence(generation: str) -> int:
    """The number in a generation's name."""
    return int(generation.partition("-")[0])


def write(path: Path, data: bytes) -> None:
    """Writes a file that outlives a power cut."""
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
