# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's folder of generations, and the artefacts that they are made from.

PRIVATE to the collection. Runs on the host; standard library only.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import re
import typing as t
import zlib
from dataclasses import dataclass
from pathlib import Path

from ..lock import locked

FORMAT = 1
"""Format of the artefact; the same number as in ``_compile``."""

LOCK_PATIENCE = 60.0
"""Seconds to wait for another run to end."""

_ID = re.compile(r"[0-9]{6,}-[0-9a-f]{12}\Z")


class GenerationError(Exception):
    """A generation that cannot be used or made. The message says what is wrong, and where."""


class Run(t.Protocol):
    """A function that runs a command and returns its exit status, output and errors.

    A module's ``run_command`` is one.
    """

    def __call__(self, args: list[str], /) -> tuple[int, str, str]: ...


@dataclass(frozen=True)
class Content:
    """An unpacked artefact: the files of a generation by path, and the packed bytes."""

    node: str
    debian: int
    files: dict[str, str]
    digest: str
    packed: bytes

    @property
    def model(self) -> list[str]:
        """Return the lines of the model, in the words of the tenants' files."""
        return self.files["model.txt"].splitlines()

    @functools.cached_property
    def checksums(self) -> dict[str, str]:
        """Return the SHA-256 of each file, by path."""
        return {
            path: hashlib.sha256(text.encode()).hexdigest() for path, text in self.files.items()
        }


def unpack(packed: bytes) -> Content:
    """Return the content of a shipped artefact; raise GenerationError if it cannot be read."""
    try:
        data = zlib.decompress(packed)
        content = json.loads(data)
        if content["format"] != FORMAT:
            raise GenerationError(
                f"the artefact has format {content['format']}, this host's code reads format"
                f" {FORMAT}"
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
    """The generations below ``root``: what they contain, and which one is current."""

    root: Path

    @property
    def generations(self) -> Path:
        """Return the folder with all generations."""
        return self.root / "generations"

    @property
    def staging(self) -> Path:
        """Return the folder in which the next generation is made, before it passed its check."""
        return self.generations / ".staging"

    def folder(self, generation: str) -> Path:
        """Return the folder of a generation."""
        return self.generations / generation

    def ids(self) -> list[str]:
        """Return the names of all generations, oldest first."""
        try:
            names = os.listdir(self.generations)
        except FileNotFoundError:
            return []
        return sorted((name for name in names if _ID.match(name)), key=sequence)

    def current(self) -> str | None:
        """Return the generation that daemons read when they open a lookup, or None."""
        try:
            return os.path.basename(os.readlink(self.root / "current"))
        except FileNotFoundError:
            return None

    def activated(self) -> str | None:
        """Return the last generation for which all daemons were reloaded, or None."""
        try:
            return str(json.loads((self.root / "activated.json").read_bytes())["generation"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def manifest(self, generation: str) -> dict[str, t.Any]:
        """Return the manifest of a generation; raise GenerationError if it cannot be read."""
        try:
            return t.cast(
                "dict[str, t.Any]",
                json.loads((self.folder(generation) / "manifest.json").read_bytes()),
            )
        except (OSError, ValueError) as error:
            raise GenerationError(f"{self.folder(generation)}/manifest.json: {error}") from error

    def content(self, generation: str) -> Content:
        """Return the artefact of a generation; raise GenerationError if it cannot be read."""
        path = self.folder(generation) / "artefact"
        try:
            return unpack(path.read_bytes())
        except (OSError, GenerationError) as error:
            raise GenerationError(f"{path}: {error}") from error

    def model(self, generation: str) -> list[str]:
        """Return the lines of a generation's model, as they are in the file; none if it is gone."""
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
        """Make a generation current by one rename: no reader sees a state in between."""
        new = self.root / ".current.new"
        with contextlib.suppress(FileNotFoundError):
            new.unlink()
        new.symlink_to(f"generations/{generation}")
        new.replace(self.root / "current")
        sync_folder(self.root)

    def mark_activated(self, generation: str) -> None:
        """Note that all daemons were reloaded for a generation."""
        new = self.root / ".activated.new"
        write(new, json.dumps({"generation": generation}).encode() + b"\n")
        new.replace(self.root / "activated.json")
        sync_folder(self.root)

    @contextlib.contextmanager
    def lock(self) -> t.Iterator[None]:
        """Hold the lock of the folder; raise GenerationError if another run keeps it too long."""
        self.root.mkdir(mode=0o755, parents=True, exist_ok=True)
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(locked(self.root / ".lock", LOCK_PATIENCE))
            except TimeoutError as error:
                raise GenerationError(str(error)) from error
            yield


def sequence(generation: str) -> int:
    """Return the number in a generation's name."""
    return int(generation.partition("-")[0])


def write(path: Path, data: bytes) -> None:
    """Write a file and flush it to the disk."""
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Flush the entries of a folder to the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
