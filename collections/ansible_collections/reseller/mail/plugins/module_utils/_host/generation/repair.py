# SPDX-License-Identifier: GPL-3.0-or-later
"""Repair what is lost of the generation that serves.

That is the link to it, and files that are missing or that daemons cannot read.

PRIVATE to the collection. Runs on the host, from a timer and without Ansible; standard library
only. The role generation installs it with ``layout.py``, ``lines.py`` and ``store.py``.

It restores only the generation that ``activated.json`` names: an older one would refuse mail for
newer mailboxes. A file that was altered stays as it is, because that may be intended. The next run
of Ansible names it and installs a new generation.
"""

# A program of its own: there is no module whose run_command it could call.
# pylint: disable=ansible-bad-function

from __future__ import annotations

import hashlib
import logging
import os
import subprocess
import sys
import typing as t
from pathlib import Path

from . import sieve
from .layout import FILE_MODE, FOLDER_MODE, FOLDERS, UNITS, built_from, give, has_mode
from .store import GenerationError, Store, sync_folder, write

LOG = logging.getLogger("repair")

ROOT_MODE = 0o755
"""Mode of a generation's folder."""


def repair(store: Store) -> list[str]:
    """Restore what is lost; return a sentence for each thing that was restored."""
    generation = store.activated()
    if generation is None:
        return []  # nothing served here yet
    repaired = []
    for path in lost(store, generation):
        _restore(store, generation, path)
        repaired.append(f"restored {store.folder(generation) / path}")
    if not (store.root / "current").exists():
        store.switch(generation)
        repaired.append(f"pointed {store.root}/current to {generation} again")
    return repaired


def lost(store: Store, generation: str) -> list[str]:
    """Return the folders and files of a generation that are missing or have a wrong owner or
    mode."""
    folder = store.folder(generation)
    texts = store.manifest(generation)["files"]
    files = (*texts, *built_from(texts))
    found = [] if folder.stat().st_mode & ROOT_MODE == ROOT_MODE else [""]
    # Folders come first: the files of a lost folder are lost as well.
    found += [name for name in FOLDERS if not has_mode(folder / name, name, FOLDER_MODE)]
    found += [path for path in files if not has_mode(folder / path, path, FILE_MODE)]
    return found


def _restore(store: Store, generation: str, path: str) -> None:
    """Restore one folder or file from the artefact that the generation was made from."""
    target = store.folder(generation) / path
    if not path:
        target.chmod(ROOT_MODE)
    elif path in FOLDERS:
        target.mkdir(exist_ok=True)
        give(target, path)
    elif target.is_file() and not target.is_symlink():
        give(target, path)
    else:
        _write(store, generation, path)


def _write(store: Store, generation: str, path: str) -> None:
    """Write a missing file, first under another name, so that no daemon reads half of it."""
    target = store.folder(generation) / path
    content = store.content(generation)
    source = built_from(content.files).get(path, path)
    data = content.files[source].encode()
    new = target.with_name(f".{Path(source).name}.new")
    if sieve.is_script(source) and path != source:
        data = _compiled(store, generation, source)
    write(new, data)
    if sieve.is_script(path) and path == source:
        os.utime(new, (sieve.WRITTEN, sieve.WRITTEN))
    elif path.endswith(".lmdb"):
        built = subprocess.run(
            ["postmap", f"lmdb:{new}"], capture_output=True, text=True, check=False
        )
        new.unlink()
        if built.returncode:
            raise GenerationError(f"postmap lmdb:{new}: {built.stderr.strip()}")
        new = new.with_name(f"{new.name}.lmdb")
    give(new, path)
    new.replace(target)
    sync_folder(target.parent)


def _compiled(store: Store, generation: str, path: str) -> bytes:
    """Return the binary of a script."""
    content = store.content(generation)
    scripts = {path: content.files[path]}
    room = store.root / ".repair-sieve"
    return sieve.compiled(scripts, store.folder(generation), room, content.debian, _run)[path]


def _run(command: list[str], /) -> tuple[int, str, str]:
    """Run a command; return its exit status, output and errors."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def intact(store: Store, generation: str) -> bool:
    """Return whether every text of the generation has the checksum of its manifest."""
    folder, files = store.folder(generation), store.manifest(generation)["files"]
    return all(
        hashlib.sha256((folder / path).read_bytes()).hexdigest() == digest
        for path, digest in files.items()
    )


def main(root: str) -> int:
    """Repair the store at ``root`` and reload the daemons; return the exit status.

    Log what was done.
    """
    store = Store(Path(root))
    try:
        with store.lock():
            repaired = repair(store)
            if repaired and not intact(store, t.cast(str, store.activated())):
                repaired.append(
                    "files of it were altered: run Ansible, which names them and installs a new"
                    " generation"
                )
            units = (
                UNITS[store.content(t.cast(str, store.activated())).debian].values()
                if repaired
                else ()
            )
    except (GenerationError, OSError) as error:
        LOG.error(
            "cannot repair %s: %s; mail waits until playbooks/site.yml is run, which installs a new"
            " generation",
            root,
            error,
        )
        return 1
    for line in repaired:
        LOG.info("%s", line)
    # Postfix and OpenDKIM keep a lookup that failed until they are reloaded. Mail that was deferred
    # meanwhile is tried again at once.
    for unit in units:
        subprocess.run(["systemctl", "try-reload-or-restart", unit], check=False)
    if repaired:
        subprocess.run(["postqueue", "-f"], check=False)
    return 0


if __name__ == "__main__":
    os.umask(0o077)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    raise SystemExit(main(sys.argv[1]))
