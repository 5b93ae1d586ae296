# SPDX-License-Identifier: GPL-3.0-or-later
"""Read one revision of an estate: a folder, or a commit of the repository that has the folder.

PRIVATE to the collection. Runs on the controller. A commit's files are laid out in a private
temporary folder and read from there by ``_load.read_files``, so that both kinds pass the same
checks. The working tree is not changed.
"""

from __future__ import annotations

import functools
import hashlib
import os
import stat
import tempfile
import typing as t
from dataclasses import replace

from .._change.revision import EXECUTABLE, FILE, LINK, PIN, Entry, Revision
from .._load import MAX_BYTES, read_files
from .._model.values import Fault, Position
from .._model.words import shown
from .git import Repository

Listing = tuple[Repository, dict[str, tuple[Entry, str]]]
"""A repository, and every path of one of its trees with its kind and its object's name."""

_NO_NAMES = ("", ".", "..", ".git")
"""Git refuses to check such names out, but a hand-made tree can hold them."""


def of_folder(directory: str) -> Revision:
    """Return the estate that is in a folder now."""
    files, faults = read_files(directory)
    return Revision(directory, files, faults, dict(_walk(directory)))


def of_working_tree(repository: Repository, directory: str) -> Revision:
    """Return the estate that is in a folder now as Git sees it: what could be committed.

    It can be compared with a ``bare`` commit.
    """
    with tempfile.TemporaryDirectory(prefix="reseller-mail-") as room:

        def seen(pinned: Repository, _commit: str) -> t.Optional[Listing]:
            if not os.path.lexists(os.path.join(pinned.folder, ".git")):
                return None
            there, tree = pinned.with_working_tree(tempfile.mkdtemp(dir=room))
            return there, there.entries(tree)

        there, tree = repository.with_working_tree(tempfile.mkdtemp(dir=room))
        found = _read(there, tree, directory, True, seen)
    # A file that Git ignores and that is read all the same is no part of a change, but of what a
    # run would do.
    files, faults = read_files(directory)
    ignored = {path: content for path, content in files.items() if path not in found.files}
    entries = {path: _entry(os.path.join(directory, path)) for path in ignored}
    return replace(
        found,
        files={**found.files, **ignored},
        faults=list(dict.fromkeys((*found.faults, *faults))),
        entries={**found.entries, **entries},
    )


def of_commit(
    repository: Repository, commit: str, name: str, tree: str = "", bare: bool = False
) -> Revision:
    """Return the estate in a commit, or in ``tree`` if it is given.

    A ``bare`` revision has no files outside of the estate, so it can be compared with a folder.
    """
    return _read(repository, tree or commit, f"{name} ({commit[:7]})", bare, _pinned)


def _read(
    repository: Repository,
    tree: str,
    name: str,
    bare: bool,
    listing_of: t.Callable[[Repository, str], t.Optional[Listing]],
) -> Revision:
    prefix = repository.prefix
    faults: list[Fault] = []
    entries: dict[str, Entry] = {}
    wanted: dict[Repository, list[tuple[str, Entry, str]]] = {repository: []}
    for path, (entry, blob) in repository.entries(tree).items():
        entries[path] = entry
        inside = path.removeprefix(prefix)
        if not path.startswith(prefix):
            continue
        if entry.kind != PIN:
            wanted[repository].append((inside, entry, blob))
            continue
        found = listing_of(Repository(os.path.join(repository.top, path)), blob)
        if found is None:
            what = (
                f"this folder is pinned to commit {blob[:7]} of another repository, which is not"
                " here"
            )
            faults.append(
                _fault(
                    inside,
                    what,
                    "a checkout that has the commit: git submodule update --init, git fetch",
                )
            )
            continue
        pinned, listing = found
        for below, (entry_below, blob_below) in listing.items():
            entries[f"{path}/{below}"] = entry_below
            wanted.setdefault(pinned, []).append((f"{inside}/{below}", entry_below, blob_below))
    with tempfile.TemporaryDirectory(prefix="reseller-mail-") as folder:
        for source, items in wanted.items():
            faults.extend(_lay_out(source, items, folder))
        files, more = read_files(folder)
        if bare:
            entries, prefix = dict(_walk(folder)), ""
    return Revision(name, files, faults + more, entries, prefix)


def _pinned(pinned: Repository, commit: str) -> t.Optional[Listing]:
    """Return the paths of a pinned commit, None if the commit is not here.

    In a folder without a repository Git would answer from the repository around it.
    """
    if not os.path.lexists(os.path.join(pinned.folder, ".git")):
        return None
    status, kind = pinned.run("cat-file", "-t", commit, good=(0, 1, 128))
    return (pinned, pinned.entries(commit)) if status == 0 and kind.strip() == b"commit" else None


def _lay_out(
    repository: Repository, items: t.Sequence[tuple[str, Entry, str]], folder: str
) -> t.Iterator[Fault]:
    """Write the objects as files and yield the faults. A link leads nowhere: links are refused."""
    fit: list[tuple[str, Entry, str]] = []
    for path, entry, blob in items:
        if any(part.lower() in _NO_NAMES for part in path.split("/")):
            yield _fault(path, "no file can have this name", "a plain name")
        elif entry.kind in (FILE, EXECUTABLE, LINK):
            fit.append((path, entry, blob))
        else:
            yield _fault(path, f"this is a {entry.kind}", "a file")
    yield from _write_files(repository, [one for one in fit if one[1].kind != LINK], folder)
    # Links come last, so that nothing is ever written through one.
    for path, entry, _blob in fit:
        if entry.kind == LINK:
            yield from _write(folder, path, functools.partial(os.symlink, "nowhere"))


def _write_files(
    repository: Repository, items: t.Sequence[tuple[str, Entry, str]], folder: str
) -> t.Iterator[Fault]:
    small: list[tuple[str, Entry, str]] = []
    sizes = repository.sizes([blob for _path, _entry, blob in items])
    for (path, entry, blob), size in zip(items, sizes, strict=True):
        if size <= MAX_BYTES:
            small.append((path, entry, blob))
        else:
            yield from _write(folder, path, functools.partial(_sparse, size))
    for (path, entry, _blob), content in zip(
        small, repository.blobs([blob for _path, _entry, blob in small]), strict=True
    ):
        mode = 0o700 if entry.kind == EXECUTABLE else 0o600
        yield from _write(folder, path, functools.partial(_plain, content, mode))


def _write(folder: str, path: str, write: t.Callable[[str], None]) -> t.Iterator[Fault]:
    target = os.path.join(folder, path)
    try:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        write(target)
    except OSError as error:
        yield _fault(path, f"this file cannot be laid out: {error.strerror}", "a plain name, once")


def _plain(content: bytes, mode: int, target: str) -> None:
    with open(target, "xb") as file:
        file.write(content)
        os.fchmod(file.fileno(), mode)


def _sparse(size: int, target: str) -> None:
    """Write a large file without content: its size is the reason why it is refused."""
    with open(target, "xb") as file:
        file.truncate(size)


def _fault(path: str, what: str, allowed: str) -> Fault:
    return Fault(
        Position(path if path.isprintable() else shown(path), 1, 1), "unreadable", what, allowed
    )


def _walk(directory: str) -> t.Iterator[tuple[str, Entry]]:
    """Yield every path below a folder, except the folder of Git."""
    for folder, folders, names in os.walk(directory):
        folders[:] = sorted(name for name in folders if name != ".git")
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        for name in [name for name in names if name != ".git"] + links:
            path = os.path.join(folder, name)
            yield os.path.relpath(path, directory), _entry(path)


def _entry(path: str) -> Entry:
    status = os.lstat(path)
    if stat.S_ISLNK(status.st_mode):
        return Entry(LINK, os.readlink(path))
    if not stat.S_ISREG(status.st_mode):
        return Entry("special file", "")
    kind = EXECUTABLE if status.st_mode & stat.S_IXUSR else FILE
    try:
        with open(path, "rb") as file:
            return Entry(kind, hashlib.file_digest(file, "sha256").hexdigest())
    except OSError as error:
        return Entry(kind, error.strerror or "unreadable")
