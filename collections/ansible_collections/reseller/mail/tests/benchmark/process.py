# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a command and measure it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

from .measurement import Run

HERE = Path(__file__).parent
PROJECT = HERE.parents[5]
SCRATCH = PROJECT / "build" / "bench"
CACHE = SCRATCH / "cache"
BIN = Path(sys.executable).parent


class Failed(Exception):
    """A command failed; the text has the end of its output."""


def environment() -> dict[str, str]:
    """Return the variables of a user's shell.

    Caches and Python's bytecode are kept in scratch folders. Settings of Ansible, Molecule and Python
    that the caller has are left out.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ANSIBLE_", "MOLECULE_", "PYTHON"))
    }
    return kept | {
        "ANSIBLE_NOCOLOR": "1",
        "LC_ALL": "C.UTF-8",
        "PYTHONPYCACHEPREFIX": str(SCRATCH / "bytecode"),
        "XDG_CACHE_HOME": str(CACHE),
    }


def measured(command: t.Sequence[str], **more: str) -> tuple[Run, str]:
    """Run a command in the project's folder; return its cost and its output.

    ``more`` has more variables. Raise Failed if its status is not 0.
    """
    began = time.perf_counter()
    with tempfile.TemporaryFile() as output:
        child = subprocess.Popen(
            command,
            cwd=PROJECT,
            env=environment() | more,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        _pid, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode(errors="replace")
    if child.returncode:
        raise Failed(f"{' '.join(command)} ended with {child.returncode}:\n{text[-3000:]}")
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 10**6), text


def cost(*command: str, **more: str) -> Run:
    """Run a command and return its cost."""
    return measured(command, **more)[0]


def step(name: str, folder: Path, changed: Path | str = "", **more: str) -> Run:
    """Return the cost of one step of the engine, in a process of its own (engine.py)."""
    command = [sys.executable, str(HERE / "engine.py"), name, str(folder), str(changed)]
    more = {"PYTHONPATH": str(PROJECT / "collections"), **more}
    return Run(**json.loads(measured(command, **more)[1].splitlines()[-1]))


def cold(name: str, folder: Path, changed: Path | str = "") -> Run:
    """Return the cost of one step of the engine when its cache is empty."""
    with tempfile.TemporaryDirectory() as cache:
        return step(name, folder, changed, XDG_CACHE_HOME=cache)
