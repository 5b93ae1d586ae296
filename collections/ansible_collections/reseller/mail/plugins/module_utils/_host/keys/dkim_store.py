# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder of DKIM keys on a host: key files and the notes on them.

A key is ``<domain>/<selector>.private``; its note is ``<domain>/<selector>.json``.

PRIVATE to the collection. Runs on the host; standard library only.
"""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
import stat
import typing as t
from dataclasses import replace
from pathlib import Path

from ..timestamps import seconds, timestamp
from . import dkim_check, rsa
from .dkim import BITS, Key, KeyChanges, KeyName, public_half
from .key_names import ALGORITHMS, STATES

Run = t.Callable[..., tuple[int, str, str]]
"""Run a command; return exit status, output and errors. AnsibleModule.run_command is one."""

BATCH = 32
"""How many keys are made for each processor before they are put into their places. A run that is
interrupted loses no more than these."""
_MAKE = {
    "rsa": f"openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:{BITS} -out {{}}",
    "ed25519": "openssl genpkey -algorithm ed25519 -out {}",
}


class Store:
    """Reads, makes, repairs and removes the keys of one host."""

    def __init__(self, root: Path, run: Run) -> None:
        self.root = root / "dkim"
        self._current = root / "current"
        self._activated = root / "activated.json"
        self._run = run
        self._drafts = self.root / ".new"
        self._processors = len(os.sched_getaffinity(0))
        self._checker = dkim_check.Checker(root, run)

    def private(self, name: KeyName) -> Path:
        """Return the path of a key file."""
        return self.root / name.domain / f"{name.selector}.private"

    def keys(self, now: int) -> list[Key]:
        """Return every key that the host has, or of which it has a note.

        Other files and folders are ignored. ``now`` is in seconds since 1970.
        """
        found = []
        for folder in sorted(self.root.glob("[!.]*")):
            if folder.is_symlink() or not folder.is_dir():
                continue
            files = {path.name for path in folder.iterdir()}
            for selector in _selectors(files):
                name = KeyName(folder.name, selector)
                key = self._read(name, f"{selector}.private" in files, now)
                if key:
                    found.append(key)
        return found

    def mend(self, check_mode: bool) -> list[str]:
        """Give key files and their folders the owner and mode that OpenDKIM requires.

        They may come from a backup. Return a line for each that had others; in check mode change
        nothing.
        """
        try:
            owner = pwd.getpwnam(dkim_check.OWNER)
        except KeyError:  # there is no OpenDKIM yet, and so no key of it
            return []
        mended = []
        for folder in sorted(self.root.glob("[!.]*")):
            with _opened(folder, os.O_DIRECTORY) as place:
                if place is None:
                    continue
                if _give(place, owner, 0o700, check_mode):
                    mended.append(f"~ dkim folder {folder.name} owner and mode")
                mended += _mended_keys(folder.name, place, owner, check_mode)
        return mended

    def _read(self, name: KeyName, private: bool, now: int) -> t.Optional[Key]:
        """Return a key as it was noted, or None if there is neither a key file nor a note.

        A key file without a readable note is a new key that was not reported yet: a run ended after
        it made the key.
        """
        try:
            note = json.loads(self.private(name).with_suffix(".json").read_bytes())
            noted = _noted(name, note)
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return Key(name, self._algorithm(name), "", "generated", now, now) if private else None
        if noted is None:  # a note of an older version: the key signs
            made = int(
                (self.private(name) if private else self.private(name).with_suffix(".json"))
                .stat()
                .st_mtime
            )
            noted = Key(name, "rsa", note["public"], "active", made, made)
        # A file that is not the half of the noted key counts as missing.
        return replace(
            noted, private=private and self._checker.is_half_of(self.private(name), noted.public)
        )

    def _algorithm(self, name: KeyName) -> str:
        """Return the algorithm of a key file."""
        _code, output, _error = self._run(
            ["openssl", "pkey", "-in", str(self.private(name)), "-noout", "-text"]
        )
        return "ed25519" if "ED25519" in output.upper() else "rsa"

    def serving(self) -> t.Optional[frozenset[KeyName]]:
        """Return the keys that OpenDKIM may be signing with.

        Return None when it was not reloaded yet for the current generation.
        """
        if not self._current.is_symlink():
            return frozenset()
        try:
            activated = json.loads(self._activated.read_bytes())["generation"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        if activated != Path(os.readlink(self._current)).name:
            return None
        found = set()
        for table in self._current.glob("opendkim*/key_table"):
            for line in table.read_text("utf-8").splitlines():
                domain, selector, _path = line.partition("\t")[2].split(":", 2)
                found.add(KeyName(domain, selector))
        return frozenset(found)

    def apply(self, plan: KeyChanges) -> list[Key]:
        """Make, note and destroy keys as planned; return the keys as they then are.

        After an interruption the next run continues.
        """
        self._owner = pwd.getpwnam("opendkim")
        after = dict(plan.after)
        shutil.rmtree(self._drafts, ignore_errors=True)
        self._drafts.mkdir(mode=0o700)
        self._complete(after, plan.create)
        self._complete(after, [key for key in plan.note if not key.public and key.private])
        # Successors come first: a series always has an active key on the disk.
        for key in sorted(plan.note, key=lambda key: key.state != "active"):
            if key.public:
                self._note(key)
        for key in plan.destroy:
            after[key.name] = replace(key, private=False)
        for key in after.values():
            # Also a file that is not the half of the key: without a note it would be a new key.
            if key.state in ("revoked", "removed"):
                self.private(key.name).unlink(missing_ok=True)
        for key in plan.forget:
            self.private(key.name).with_suffix(".json").unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                self.private(key.name).parent.rmdir()
        self._drafts.rmdir()
        return [after[name] for name in plan.after]

    def _complete(self, after: dict[KeyName, Key], keys: t.Sequence[Key]) -> None:
        """Make private halves that are missing and read public halves; write both into ``after``.

        A public half is noted after its private half is in place, so every noted key existed.
        """
        size = BATCH * self._processors
        for start in range(0, len(keys), size):
            batch = {
                str(self._drafts / f"{number}"): key
                for number, key in enumerate(keys[start : start + size])
            }
            self._make_drafts(batch)
            for draft, public in self._public_halves(list(batch)).items():
                key = batch[draft]
                if key.private:
                    os.unlink(draft)
                else:
                    self._place(draft, self.private(key.name), 0o600)
                after[key.name] = replace(key, public=public, private=True)
                self._note(after[key.name])

    def _make_drafts(self, batch: t.Mapping[str, Key]) -> None:
        """Make the missing private halves, and link the others, under the names of the drafts."""
        for algorithm, command in _MAKE.items():
            self._each(
                command,
                [
                    draft
                    for draft, key in batch.items()
                    if not key.private and key.algorithm == algorithm
                ],
            )
        for draft, key in batch.items():
            if key.private:
                os.link(self.private(key.name), draft)

    def _public_halves(self, drafts: t.Sequence[str]) -> dict[str, str]:
        """Return the public half of each draft; openssl reads those that are no RSA keys."""
        found = {draft: _rsa_public(Path(draft)) for draft in drafts}
        self._each(
            "openssl pkey -in {} -pubout -out {}.public",
            [draft for draft, public in found.items() if public is None],
        )
        return {draft: public or _read_public(draft) for draft, public in found.items()}

    def _each(self, command: str, drafts: list[str]) -> None:
        """Run a command for each draft, as many at the same time as there are processors.

        Making an RSA key takes a quarter of a second.
        """
        if drafts:
            script = f"umask 077; exec xargs -d '\\n' -P {self._processors} -I '{{}}' {command}"
            self._run(["/bin/sh", "-c", script], data="\n".join(drafts), check_rc=True)

    def _note(self, key: Key) -> None:
        """Write the note of a key."""
        since, made = timestamp(key.since), timestamp(key.made)
        note: dict[str, t.Any] = {
            "public": key.public,
            "algorithm": key.algorithm,
            "state": key.state,
            "since": since,
            "made": made,
        }
        if key.compromised:
            note["compromised"] = True
        if key.shown_by:
            note["shown_by"] = key.shown_by
        draft = self._drafts / "note"
        draft.write_text(json.dumps(note) + "\n", "ascii")
        self._place(str(draft), self.private(key.name).with_suffix(".json"), 0o644)

    def _place(self, draft: str, path: Path, mode: int) -> None:
        """Give a draft OpenDKIM's owner and a mode, and move it to its place."""
        if not path.parent.exists():
            path.parent.mkdir(mode=0o700)
            os.chown(path.parent, self._owner.pw_uid, self._owner.pw_gid)
        with open(draft, "rb") as stream:
            os.fchown(stream.fileno(), self._owner.pw_uid, self._owner.pw_gid)
            os.fchmod(stream.fileno(), mode)
            os.fsync(stream.fileno())
        os.replace(draft, path)


def _noted(name: KeyName, note: dict[str, t.Any]) -> t.Optional[Key]:
    """Return a key from its note; None for a note of an older version, which has no state.

    Raise ValueError, KeyError or TypeError when the note is damaged.
    """
    public = note["public"]
    if not isinstance(public, str) or not public:
        raise ValueError("no public half")
    if "state" not in note:
        return None
    if note["state"] not in STATES or note["algorithm"] not in ALGORITHMS:
        raise ValueError("no state of a key")
    compromised, shown_by = (
        bool(note.get("compromised", False)),
        tuple(map(str, note.get("shown_by", ()))),
    )
    return Key(
        name,
        note["algorithm"],
        public,
        note["state"],
        seconds(note["since"]),
        seconds(note["made"]),
        True,
        compromised,
        shown_by,
    )


@contextlib.contextmanager
def _opened(
    path: t.Union[str, Path], flags: int, folder: t.Optional[int] = None
) -> t.Iterator[t.Optional[int]]:
    """Open a regular file or a folder; yield its descriptor, or None if there is none.

    Links are not followed, because the caller, root, changes the owner of what is opened.
    """
    try:
        handle = os.open(
            path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | flags, dir_fd=folder
        )
    except OSError:
        yield None
        return
    try:
        state = os.fstat(handle)
        fit = bool(flags & os.O_DIRECTORY) or (stat.S_ISREG(state.st_mode) and state.st_nlink == 1)
        yield handle if fit else None
    finally:
        os.close(handle)


def _give(handle: int, owner: pwd.struct_passwd, mode: int, check_mode: bool) -> bool:
    """Give an open file or folder its owner and mode; return whether it had others."""
    state = os.fstat(handle)
    if (state.st_uid, state.st_gid, stat.S_IMODE(state.st_mode)) == (
        owner.pw_uid,
        owner.pw_gid,
        mode,
    ):
        return False
    if not check_mode:
        os.fchown(handle, owner.pw_uid, owner.pw_gid)
        os.fchmod(handle, mode)
    return True


def _rsa_public(path: Path) -> t.Optional[str]:
    """Return the public half of an RSA key, or None if openssl has to read it or report what is
    wrong."""
    try:
        return rsa.public_half(path.read_text("ascii"))
    except ValueError:
        return None


def _read_public(draft: str) -> str:
    """Return the public half that openssl wrote for a draft, and remove its file."""
    path = Path(f"{draft}.public")
    public = public_half(path.read_text("ascii"))
    path.unlink()
    return public


def _selectors(files: t.Iterable[str]) -> list[str]:
    """Return the selectors that a folder has key files or notes of, sorted."""
    return sorted(
        {
            file.rpartition(".")[0]
            for file in files
            if file.endswith((".private", ".json")) and not file.startswith(".")
        }
    )


def _mended_keys(domain: str, folder: int, owner: pwd.struct_passwd, check_mode: bool) -> list[str]:
    """Give the key files of an open folder their owner and mode; return a line for each that had
    others."""
    lines = []
    for file in sorted(os.listdir(folder)):
        if not file.endswith(".private") or file.startswith("."):
            continue
        with _opened(file, 0, folder) as key:
            if key is not None and _give(key, owner, dkim_check.MODE, check_mode):
                name = KeyName(domain, file.removesuffix(".private"))
                lines.append(f"~ dkim key {name} owner and mode")
    return lines
