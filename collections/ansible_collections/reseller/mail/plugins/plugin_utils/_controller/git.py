# SPDX-License-Identifier: GPL-3.0-or-later
"""Read commits of a Git repository, without a shell, a checkout or a hook.

PRIVATE to the collection. Runs on the controller. Only object names that Git itself gave are passed
back to it. The revision is the one text from outside; it comes after ``--end-of-options``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import typing as t
from dataclasses import dataclass, replace

from .._change.revision import EXECUTABLE, FILE, LINK, PIN, Entry

_DROPPED = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_NAMESPACE")
"""Variables that Git sets for its hooks: they would lead to another repository."""

_ENVIRONMENT = {
    "LC_ALL": "C",
    # refs/replace would show other files than those that get merged.
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
}

_KINDS = {"100644": FILE, "100664": FILE, "100755": EXECUTABLE, "120000": LINK, "160000": PIN}


class GitError(Exception):
    """A failure of Git; the message is one sentence for the user."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository, given by any folder of its working tree.

    ``settings`` are added to the environment of Git.
    """

    folder: str
    settings: tuple[tuple[str, str], ...] = ()

    def run(
        self, *words: str, given: t.Optional[bytes] = None, good: tuple[int, ...] = (0,)
    ) -> tuple[int, bytes]:
        """Return the exit status and the output of one git command.

        Raise GitError for an exit status that is not in ``good``.
        """
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
            errors = done.stderr.decode("utf-8", "replace").strip().splitlines()
            command = next(word for word in words if word != "-c" and "=" not in word)
            raise GitError(
                f"git {command} in {self.folder}:"
                f" {errors[0] if errors else f'exit status {done.returncode}'}"
            )
        return done.returncode, done.stdout

    def text(self, *words: str) -> str:
        """Return the one line that a command prints."""
        return os.fsdecode(self.run(*words)[1]).removesuffix("\n")

    @property
    def top(self) -> str:
        """Return the top folder of the working tree."""
        return self.text("rev-parse", "--show-toplevel")

    @property
    def prefix(self) -> str:
        """Return the path of ``folder`` below the top: empty, or with a slash at its end."""
        return self.text("rev-parse", "--show-prefix")

    def commit(self, revision: str) -> str:
        """Return the name of the commit that a revision means; raise GitError if there is none."""
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
        # If there is no repository, or one that Git does not trust, this raises with Git's message.
        self.run("rev-parse", "--git-dir")
        raise GitError(f"{revision!r} is no commit of the repository {self.folder}; is it fetched?")

    def merged(self, ours: str, theirs: str) -> str:
        """Return the tree that a merge of ``theirs`` into ``ours`` gives; raise GitError on
        conflicts.

        Nothing is checked out or committed.
        """
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
        """Return every path of a commit or tree, with its kind and the name of its object."""
        found = {}
        for record in self.run("ls-tree", "-r", "-z", "--full-tree", tree)[1].split(b"\0"):
            if record:
                entry, _tab, path = record.partition(b"\t")
                mode, _type, name = entry.decode("ascii").split(" ")
                found[os.fsdecode(path)] = (
                    Entry(_KINDS.get(mode, f"entry of mode {mode}"), name),
                    name,
                )
        return found

    def with_working_tree(self, room: str) -> tuple[Repository, str]:
        """Return the repository with what ``git add --all`` would take from ``folder`` now, and the
        tree of it.

        Git itself finds what changed: it knows ignored files, line ends and file modes
        (gitignore(5), gitattributes(5)). Index and objects are written into the folder ``room``;
        the repository's own stay as they are.
        """
        where = ("rev-parse", "--path-format=absolute", "--git-path")
        index, objects = os.path.join(room, "index"), os.path.join(room, "objects")
        os.makedirs(objects)
        own = self.text(*where, "index")
        # The index knows which ignored files are tracked, and what a sparse checkout leaves out.
        if os.path.exists(own):
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
        """Return the size of each object in bytes."""
        output = self.run("cat-file", "--batch-check=%(objectsize)", given=_lines(names))[1]
        return [int(line) for line in output.split()]

    def blobs(self, names: t.Sequence[str]) -> list[bytes]:
        """Return the content of each object."""
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
