# SPDX-License-Identifier: GPL-3.0-or-later
"""One step of the engine, once, in a process of its own.

``engine.py STEP FOLDER [CHANGED]`` prints a run as JSON: ``seconds``, ``processor_seconds`` and
``memory_mb``. CHANGED is the folder of the estate after a change. Python and the engine are
imported before the clock starts.
"""

from __future__ import annotations

import json
import resource
import sys
import time
import typing as t
from pathlib import Path

import yaml
from ansible_collections.reseller.mail.plugins.plugin_utils import _load
from ansible_collections.reseller.mail.plugins.plugin_utils._change import summary
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import revision

COPIES = "json"
"""The folder beside an estate that has each of its files as JSON, for the step ``json``."""


def start(folder: Path, changed: Path) -> None:
    """Do nothing: what remains is what every step begins with."""


def events(folder: Path, changed: Path) -> None:
    """Read the YAML files of the estate with libyaml, without making anything of its events."""
    for path in folder.rglob("*.yml"):
        for _event in yaml.parse(path.read_bytes(), Loader=yaml.CSafeLoader):
            pass


def parse_json(folder: Path, changed: Path) -> None:
    """Read the same data from JSON."""
    for path in (folder.parent / COPIES).rglob("*.json"):
        json.loads(path.read_bytes())


def judge(folder: Path, changed: Path) -> None:
    """Load and validate the estate."""
    estate, faults = _load.load(str(folder))
    assert estate is not None, faults[:3]


def plan(folder: Path, changed: Path) -> None:
    """Load and validate two revisions, and compare them."""
    found = summary.compare(revision.of_folder(str(folder)), revision.of_folder(str(changed)))
    assert not found.faults, found.faults[:3]
    assert found.sections


STEPS: t.Final[dict[str, t.Callable[[Path, Path], None]]] = {
    "start": start,
    "events": events,
    "json": parse_json,
    "judge": judge,
    "plan": plan,
}


def main(step: str, folder: str, changed: str = "") -> None:
    """Run the step and print its cost."""
    began, busy = time.perf_counter(), time.process_time()
    STEPS[step](Path(folder), Path(changed or folder))
    cost = {
        "seconds": time.perf_counter() - began,
        "processor_seconds": time.process_time() - busy,
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 10**6,
    }
    print(json.dumps(cost))


if __name__ == "__main__":
    main(*sys.argv[1:])
