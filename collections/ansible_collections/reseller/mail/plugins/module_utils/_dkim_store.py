# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder of DKIM keys on a host: ``<domain>/<selector>.private``, and beside it ``<selector>.json``, what is noted of the key.

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

from ansible_collections.reseller.mail.plugins.module_utils import _dkim_check, _rsa_key
from ansible_collections.reseller.mail.plugins.module_utils._dkim import (
    ALGORITHMS,
    BITS,
    STATES,
    Key,
    KeyName,
    Plan,
    moment,
    public_half,
    seconds,
)

Run = t.Callable[..., tuple[int, str, str]]
"""AnsibleModule.run_command."""

BATCH = 32
"""Keys for each processor that are made before they are put in their places: a run that is broken off keeps its work."""
_MAKE = {
    "rsa": f"openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:{BITS} -out {{}}",
    "ed25519": "openssl genpkey -algorithm ed25519 -out {}",
}


class Store:
    """All keys of one host."""

    def __init__(self, root: Path, run: Run) -> None:
        self.root = root / "dkim"
        self._current = root / "current"
        self._activated = root / "activated.json"
        self._run = run
        self._drafts = self.root / ".new"
        self._processors = len(os.sched_getaffinity(0))
        self._checker = _dkim_check.Checker(root, run)

    def private(self, name: KeyName) -> Path:
        return self.root / name.domain / f"{name.selector}.private"

    def keys(self, now: int) -> list[Key]:
        """Every key that the host has, or had and keeps a note of. What else lies there is passed over."""
        found = []
        for folder in sorted(self.root.glob("[!.]*")):
            if folder.is_symlink() or not folder.is_dir():
                continue
            files = {path.name for path in folder.iterdir()}
            for selector in sorted(
                {
                    file.rpartition(".")[0]
                    for file in files
                    if file.endswith((".private", ".json")) and not file.startswith(".")
                }
            ):
                key = self._read(
                    KeyName(folder.name, selector), f"{selector}.private" in files, now
                )
                if key:
                    found.append(key)
        return found

    def mend(self, check_mode: bool) -> list[str]:
        """Give key files, which may come from a backup, and their folders the owner and mode that OpenDKIM wants; return a line
        for each that had others."""
        try:
            owner = pwd.getpwnam(_dkim_check.OWNER)
        except KeyError:  # there is no OpenDKIM yet, and so no key of it
            return []
        mended = []
        for folder in sorted(self.root.glob("[!.]*")):
            with _opened(folder, os.O_DIRECTORY) as place:
                if place is None:
                    continue
                if _give(place, owner, 0o700, check_mode):
                    mended.append(f"~ dkim folder {folder.name} owner and mode")
                for file in sorted(os.listdir(place)):
                    if file.endswith(".private") and not file.startswith("."):
                        with _opened(file, 0, place) as key:
                            if key is not None and _give(key, owner, _dkim_check.MODE, check_mode):
                                mended.append(
                                    f"~ dkim key {KeyName(folder.name, file.removesuffix('.private'))} owner and mode"
                                )
        return mended

    def _read(self, name: KeyName, private: bool, now: int) -> t.Optional[Key]:
        """The key as it was noted. Without a note that can be read, a private half is a key that nobody has heard of yet: a run died
        after it made the key. Without that either there is none."""
        try:
            note = json.loads(self.private(name).with_suffix(".json").read_bytes())
            noted = _noted(name, note)
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return Key(name, self._algorithm(name), "", "generated", now, now) if private else None
        if noted is None:  # from before keys had states: it signs
            made = int(
                (self.private(name) if private else self.private(name).with_suffix(".json"))
                .stat()
                .st_mtime
            )
            noted = Key(name, "rsa", note["public"], "active", made, made)
        # A file that is no half of the noted key is of as much use as none.
        return replace(
            noted, private=private and self._checker.is_half_of(self.private(name), noted.public)
        )

    def _algorithm(self, name: KeyName) -> str:
        _code, said, _error = self._run(
            ["openssl", "pkey", "-in", str(self.private(name)), "-noout", "-text"]
        )
        return "ed25519" if "ED25519" in said.upper() else "rsa"

    def serving(self) -> t.Optional[frozenset[KeyName]]:
        """The keys that OpenDKIM may be signing with; None when it was not told yet of the generation that is current."""
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

    def apply(self, plan: Plan) -> list[Key]:
        """Makes, notes, destroys and forgets; returns the keys as they then are. Whatever breaks it off, the next run goes on from there."""
        self._owner = pwd.getpwnam("opendkim")
        after = dict(plan.after)
        shutil.rmtree(self._drafts, ignore_errors=True)
        self._drafts.mkdir(mode=0o700)
        self._complete(after, plan.create)
        self._complete(after, [key for key in plan.note if not key.public and key.private])
        # Successors first: a lane has an active key on the disk at every moment.
        for key in sorted(plan.note, key=lambda key: key.state != "active"):
            if key.public:
                self._note(key)
        for key in plan.destroy:
            after[key.name] = replace(key, private=False)
        for key in after.values():
            if key.state in (
                "revoked",
                "removed",
            ):  # also a file that was no half of it: without its note it would be a new key
                self.private(key.name).unlink(missing_ok=True)
        for key in plan.forget:
            self.private(key.name).with_suffix(".json").unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                self.private(key.name).parent.rmdir()
        self._drafts.rmdir()
        return [after[name] for name in plan.after]

    def _complete(self, after: dict[KeyName, Key], keys: t.Sequence[Key]) -> None:
        """Private halves that are to be made, public halves that are to be read. The public one is noted after the private one is in
        place: what is noted existed."""
        size = BATCH * self._processors
        for start in range(0, len(keys), size):
            batch = {
                str(self._drafts / f"{number}"): key
                for number, key in enumerate(keys[start : start + size])
            }
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
            publics = {draft: _rsa_public(Path(draft)) for draft in batch}
            self._each(
                "openssl pkey -in {} -pubout -out {}.public",
                [draft for draft, public in publics.items() if public is None],
            )
            for draft, key in batch.items():
                public = publics[draft]
                if public is None:
                    public = public_half(Path(f"{draft}.public").read_text("ascii"))
                    os.unlink(f"{draft}.public")
                if key.private:
                    os.unlink(draft)
                else:
                    self._place(draft, self.private(key.name), 0o600)
                after[key.name] = replace(key, public=public, private=True)
                self._note(after[key.name])

    def _each(self, command: str, drafts: list[str]) -> None:
        """One process a file, as many at a time as there are processors: making an RSA key is a quarter of a second's work."""
        if drafts:
            script = f"umask 077; exec xargs -d '\\n' -P {self._processors} -I '{{}}' {command}"
            self._run(["/bin/sh", "-c", script], data="\n".join(drafts), check_rc=True)

    def _note(self, key: Key) -> None:
        since, made = moment(key.since), moment(key.made)
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
        if not path.parent.exists():
            path.parent.mkdir(mode=0o700)
            os.chown(path.parent, self._owner.pw_uid, self._owner.pw_gid)
        with open(draft, "rb") as stream:
            os.fchown(stream.fileno(), self._owner.pw_uid, self._owner.pw_gid)
            os.fchmod(stream.fileno(), mode)
            os.fsync(stream.fileno())
        os.replace(draft, path)


def _noted(name: KeyName, note: dict[str, t.Any]) -> t.Optional[Key]:
    """A key from its note; None for a note from before keys had states. ValueError, KeyError or TypeError when it is damaged."""
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
    """Open a file of its own; None where there is none. Through no link: root gives away what it opens."""
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
    """Give what is open its owner and mode; return whether it had others."""
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
    """The public half of an RSA key; None where openssl shall read it, or say what is wrong with it."""
    try:
        return _rsa_key.public_half(path.read_text("ascii"))
    except ValueError:
        return None
