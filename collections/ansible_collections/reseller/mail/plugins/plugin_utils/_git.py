# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads commits of a Git repository: no shell, no checkout, nothing of a commit is ever executed.

PRIVATE to the collection. Runs on the controller. Only object names that Git itself gave are passed back to it; the one
text from outside, the revision, stands behind ``--end-of-options``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.reseller.mail.plugins.module_utils._revision import (
    EXECUTABLE,
    FILE,
    LINK,
    PIN,
    Entry,
)

_DROPPED = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_NAMESPACE")
"""What Git sets for its hooks: it would lead to another repository than the estate's."""

_ENVIRONMENT = {
    "LC_ALL": "C",
    "GIT_NO_REPLACE_OBJECTS": "1",  # refs/replace would show other files than the ones that get merged
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
}

_KINDS = {"100644": FILE, "100664": FILE, "100755": EXECUTABLE, "120000": LINK, "160000": PIN}


class GitError(Exception):
    """One sentence for the user."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository, by any folder of its working tree. ``settings`` are added to Git's environment."""

    folder: str
    settings: tuple[tuple[str, str], ...] = ()

    def run(
        self, *words: str, given: t.Optional[bytes] = None, good: tuple[int, ...] = (0,)
    ) -> tuple[int, bytes]:
        """Exit status and output of one git command."""
        environment = {name: value for name, value in os.environ.items() if name not in _DROPPED}
        environment |= {**_ENVIRONMENT, **dict(self.settings)}
        try:
            done = subprocess.run(
                ("git", "-C", self.folder, *words),
                env=environment,
                input=given,
                capture_output=True,
                check=False,
            )
        except OSError as error:
            raise GitError(f"git cannot be run: {error.strerror}") from error
        if done.returncode not in good:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            command = next(word for word in words if word != "-c" and "=" not in word)
            raise GitError(
                f"git {command} in {self.folder}: {said[0] if said else f'exit status {done.returncode}'}"
            )
        return done.returncode, done.stdout

    def text(self, *words: str) -> str:
        """The output of a command that gives one line."""
        return os.fsdecode(self.run(*words)[1]).removesuffix("\n")

    @property
    def top(self) -> str:
        """The working tree's own folder."""
        return self.text("rev-parse", "--show-toplevel")

    @property
    def prefix(self) -> str:
        """Where ``folder`` lies below the top: empty, or with a slash at its end."""
        return self.text("rev-parse", "--show-prefix")

    def commit(self, revision: str) -> str:
        """The commit that a revision means."""
        if revision and "\0" not in revision:
            status, output = self.run(
                "rev-parse",
                "--verify",
                "--quiet",
                "--end-of-options",
                f"{revision}^{{commit}}",
                good=(0, 1, 128),
            )
            if status == 0:
                return output.decode("ascii").strip()
        self.run(
            "rev-parse", "--git-dir"
        )  # no repository at all, or one that Git does not trust: then Git's own words
        raise GitError(f"{revision!r} is no commit of the repository {self.folder}; is it fetched?")

    def merged(self, ours: str, theirs: str) -> str:
        """The tree that merging ``theirs`` into ``ours`` would give; nothing is checked out or committed."""
        status, output = self.run(
            "merge-tree",
            "--write-tree",
            "-z",
            "--name-only",
            "--no-messages",
            ours,
            theirs,
            good=(0, 1),
        )
        tree, *rest = [os.fsdecode(part) for part in output.split(b"\0")]
        if status:
            names = ", ".join(repr(name) for name in sorted({name for name in rest if name})[:3])
            raise GitError(
                f"the change does not merge: conflicts in {names}; bring it up to date first"
            )
        return tree

    def entries(self, tree: str) -> dict[str, tuple[Entry, str]]:
        """Every path of a commit or tree, with its kind, and its object's name."""
        found = {}
        for record in self.run("ls-tree", "-r", "-z", "--full-tree", tree)[1].split(b"\0"):
            if record:
                head, _tab, path = record.partition(b"\t")
                mode, _type, name = head.decode("ascii").split(" ")
                found[os.fsdecode(path)] = (
                    Entry(_KINDS.get(mode, f"entry of mode {mode}"), name),
                    name,
                )
        return found

    def with_working_tree(self, room: str) -> tuple[Repository, str]:
        """Return the repository with what ``git add --all`` would take from ``folder`` now, and the tree of it.

        So Git itself says what changed: it knows ignored files, line ends and file modes (gitignore(5), gitattributes(5)).
        Index and objects are written into the folder ``room``; the repository's own stay as they are.
        """
        where = ("rev-parse", "--path-format=absolute", "--git-path")
        index, objects = os.path.join(room, "index"), os.path.join(room, "objects")
        os.makedirs(objects)
        own = self.text(*where, "index")
        if os.path.exists(
            own
        ):  # it knows which ignored files are tracked, and which files a sparse checkout leaves out
            shutil.copyfile(own, index)
        settings = {
            "GIT_INDEX_FILE": index,
            "GIT_OBJECT_DIRECTORY": objects,
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": self.text(*where, "objects"),
        }
        seen = replace(self, settings=tuple(settings.items()))
        seen.run(
            "-c",
            "core.fsmonitor=false",
            "-c",
            "core.safecrlf=false",
            "-c",
            "advice.addEmbeddedRepo=false",
            "add",
            "--all",
            "--",
            ".",
        )
        return seen, seen.text("write-tree")

    def sizes(self, names: t.Sequence[str]) -> list[int]:
        """How many bytes each object has."""
        output = self.run("cat-file", "--batch-check=%(objectsize)", given=_lines(names))[1]
        return [int(line) for line in output.split()]

    def blobs(self, names: t.Sequence[str]) -> list[bytes]:
        """The contents of objects."""
        output = self.run("cat-file", "--batch=%(objectsize)", given=_lines(names))[1]
        found, start = [], 0
        for _name in names:
            head = output.index(b"\n", start)
            end = head + 1 + int(output[start:head])
            found.append(output[head + 1 : end])
            start = end + 1
        return found


def _lines(names: t.Iterable[str]) -> bytes:
    return "".join(f"{name}\n" for name in names).encode("ascii")
