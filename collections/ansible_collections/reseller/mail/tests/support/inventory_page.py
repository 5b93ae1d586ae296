# SPDX-License-Identifier: GPL-3.0-or-later
"""Read docs/inventory.md: the files of its example, and what its table says of each playbook.

The tests write these files and run the installed collection with them. So the page cannot promise
what does not work.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import typing as t
from dataclasses import dataclass
from pathlib import Path

COLLECTION = Path(__file__).parents[2]
PAGE = (COLLECTION / "docs" / "inventory.md").read_text(encoding="utf-8")
FILES: dict[str, str] = dict(
    re.findall(r"^```(?:yaml|ini)\n# (\S+)\n(.*?)^```$", PAGE, re.M | re.S)
)
"""The text of each file of the example, by its path."""
FOREIGN = re.compile(
    r"^\[WARNING\]: Host '\w+' is using the discovered Python interpreter.*$", re.M
)
"""Warnings that Ansible gives for any inventory."""


@dataclass(frozen=True)
class Row:
    """What the page says of one playbook."""

    playbook: str
    hosts: bool
    needs: tuple[str, ...]

    @property
    def variables(self) -> list[str]:
        """Return the names of the variables that the playbook needs."""
        return [word.partition("=")[0] for word in self.needs if "=" in word]


ROWS = {
    name: Row(f"reseller.mail.{name}", hosts == "yes", tuple(needs.split()))
    for name, hosts, needs in re.findall(
        r"^\| `reseller\.mail\.(\w+)` \| (yes|no) \| (?:`(.*)` )?\|$", PAGE, re.M
    )
}
PLAYBOOKS = sorted(path.stem for path in (COLLECTION / "playbooks").glob("*.yml"))


@dataclass(frozen=True)
class Run:
    """What a command answered."""

    rc: int
    output: str

    @property
    def complaints(self) -> list[str]:
        """Return the lines that no run should have, whatever it found."""
        words = ("[WARNING]", "[DEPRECATION", "Traceback", "is undefined")
        lines = FOREIGN.sub("", self.output).splitlines()
        return [line for line in lines if any(word in line for word in words)]


class Operator:
    """Somebody who has installed the collection and has the files of the example in a folder."""

    def __init__(self, place: Path, *prefix: str, **environment: str) -> None:
        """Take a folder, what goes before each command, and more environment."""
        self.folder = place / "example"
        self._prefix = prefix
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")
        }
        self._environment = {
            **inherited,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{inherited['PATH']}",
            "ANSIBLE_HOME": str(place / "ansible"),
            "ANSIBLE_NOCOLOR": "1",
            **environment,
        }

    def write(self, replace: t.Mapping[str, str] | None = None) -> None:
        """Write the files of the example, with other words in the place of some."""
        for path, text in FILES.items():
            for old, new in (replace or {}).items():
                text = text.replace(old, new)
            target = self.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")

    def install(self) -> None:
        """Build the collection and install it, as the page says."""
        dist = self.folder.parent / "dist"
        for command in (
            ["build", str(COLLECTION), "--output-path", str(dist)],
            ["install", "--offline", str(dist / "reseller-mail-0.1.0.tar.gz")],
        ):
            done = self.run("ansible-galaxy", "collection", *command)
            assert done.rc == 0, done.output

    def run(self, *command: str) -> Run:
        """Run a command in the folder."""
        done = subprocess.run(
            [*self._prefix, *command],
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )
        return Run(done.returncode, done.stdout)

    def play(self, name: str, *arguments: str) -> Run:
        """Run a playbook with what the page says that it needs."""
        return self.run("ansible-playbook", ROWS[name].playbook, *ROWS[name].needs, *arguments)
