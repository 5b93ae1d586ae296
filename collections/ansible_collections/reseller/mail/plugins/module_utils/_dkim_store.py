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
import typing as t
from dataclasses import replace
from pathlib import Path

from ansible_collections.reseller.mail.plugins.module_utils import _rsa_key
from ansible_collections.reseller.mail.plugins.module_utils._dkim import BITS, Key, KeyName, Plan, moment, public_half, seconds

Run = t.Callable[..., tuple[int, str, str]]
"""AnsibleModule.run_command."""

BATCH = 32
"""Keys for each processor that are made before they are put in their places: a run that is broken off keeps its work."""
_MAKE = {"rsa": f"openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:{BITS} -out {{}}", "ed25519": "openssl genpkey -algorithm ed25519 -out {}"}


class Store:
    """All keys of one host."""

    def __init__(self, root: Path, run: Run) -> None:
        self.root = root / "dkim"
        self._current = root / "current"
        self._activated = root / "activated.json"
        self._run = run
        self._drafts = self.root / ".new"
        self._processors = len(os.sched_getaffinity(0))

    def private(self, name: KeyName) -> Path:
        return self.root / name.domain / f"{name.selector}.private"

    def keys(self, now: int) -> list[Key]:
        """Every key that the host has, or had and keeps a note of."""
        found = []
        for folder in sorted(self.root.glob("[!.]*")):
            files = {path.name for path in folder.iterdir()}
            for selector in sorted({file.rpartition(".")[0] for file in files if file.endswith((".private", ".json")) and not file.startswith(".")}):
                found.append(self._read(KeyName(folder.name, selector), f"{selector}.private" in files, now))
        return found

    def _read(self, name: KeyName, private: bool, now: int) -> Key:
        try:
            note = json.loads(self.private(name).with_suffix(".json").read_bytes())
            public = note["public"]
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            # A run died after it made the key: nobody has heard of it yet.
            return Key(name, self._algorithm(name), "", "generated", now, now, private)
        if "state" not in note:  # noted before keys had states: it signs
            made = int((self.private(name) if private else self.private(name).with_suffix(".json")).stat().st_mtime)
            return Key(name, "rsa", public, "active", made, made, private)
        since, made = seconds(note["since"]), seconds(note["made"])
        compromised, shown_by = note.get("compromised", False), tuple(note.get("shown_by", ()))
        return Key(name, note["algorithm"], public, note["state"], since, made, private, compromised, shown_by)

    def _algorithm(self, name: KeyName) -> str:
        _code, said, _error = self._run(["openssl", "pkey", "-in", str(self.private(name)), "-noout", "-text"])
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
            self.private(key.name).unlink()
            after[key.name] = replace(key, private=False)
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
            batch = {str(self._drafts / f"{number}"): key for number, key in enumerate(keys[start : start + size])}
            for algorithm, command in _MAKE.items():
                self._each(command, [draft for draft, key in batch.items() if not key.private and key.algorithm == algorithm])
            for draft, key in batch.items():
                if key.private:
                    os.link(self.private(key.name), draft)
            publics = {draft: _rsa_public(Path(draft)) for draft in batch}
            self._each("openssl pkey -in {} -pubout -out {}.public", [draft for draft, public in publics.items() if public is None])
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
        note: dict[str, t.Any] = {"public": key.public, "algorithm": key.algorithm, "state": key.state, "since": since, "made": made}
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


def _rsa_public(path: Path) -> t.Optional[str]:
    """The public half of an RSA key; None where openssl shall read it, or say what is wrong with it."""
    try:
        return _rsa_key.public_half(path.read_text("ascii"))
    except ValueError:
        return None
