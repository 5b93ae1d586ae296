# SPDX-License-Identifier: GPL-3.0-or-later
"""Spoils sound estates for as long as it is told and holds the loader and the judges to their
promises (``invariants.py``).

``PYTHONPATH=collections python fuzz.py [seconds [seed]]``. What breaks a promise is shrunk, printed
and written to ``build/fuzz/``.
"""

from __future__ import annotations

import collections
import os
import sys
import time
import traceback
from pathlib import Path
from random import Random

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "benchmark")]

import invariants  # noqa: E402
import mutations  # noqa: E402
from ansible_collections.reseller.mail.plugins.plugin_utils import _load  # noqa: E402

import estates  # noqa: E402

Files = dict[str, bytes]
Steps = list[tuple[int, int]]
"""Which operations, and the seed of each: so a failure shrinks to the few changes that it needs."""

SOUND: tuple[Files, ...] = (
    _load.read_files(str(HERE.parent / "unit" / "corpus" / "base"))[0],
    {path: text.encode() for path, text in estates.files(3, 4).items()},
)
MOST_STEPS = 8


def spoiled(start: int, steps: Steps) -> Files:
    """A sound estate after those steps."""
    files = dict(SOUND[start])
    for operation, chance in steps:
        mutations.OPERATIONS[operation](files, Random(chance))
    return files


def drawn(random: Random) -> tuple[int, Steps]:
    """A sound estate's number and what is done to it."""
    steps = [
        (random.randrange(len(mutations.OPERATIONS)), random.getrandbits(32))
        for _step in range(random.randrange(1, MOST_STEPS + 1))
    ]
    return random.randrange(len(SOUND)), steps


def broken(start: int, steps: Steps) -> bool:
    """Whether a promise is broken after those steps."""
    try:
        invariants.check(spoiled(start, steps))
    except Exception:
        return True
    return False


def shrunk(start: int, steps: Steps) -> Steps:
    """The steps without those that the failure does not need."""
    for nth in reversed(range(len(steps))):
        fewer = steps[:nth] + steps[nth + 1 :]
        if fewer and broken(start, fewer):
            steps = fewer
    return steps


def campaign(seconds: float, first: int) -> int:
    """Spoils estates, each with a seed of its own, until the time is over; 1 when a promise was
    broken."""
    began = time.monotonic()
    told: collections.Counter[str] = collections.Counter()
    sound = failures = 0
    seed = first
    while time.monotonic() - began < seconds:
        start, steps = drawn(Random(seed))
        try:
            faults = invariants.check(spoiled(start, steps))
        except Exception:
            failures += 1
            _keep(seed, start, shrunk(start, steps))
        else:
            sound += not faults
            told.update(fault.id for fault in faults)
        seed += 1
    print(
        f"{seed - first:,} spoiled estates in {time.monotonic() - began:.0f} s (seeds {first} to"
        f" {seed - 1}): {told.total():,} faults of {len(told)} kinds; {sound:,} estates were still"
        f" sound, and compiled; {failures} broke a promise"
    )
    return 1 if failures else 0


def _keep(seed: int, start: int, steps: Steps) -> None:
    files = spoiled(start, steps)
    folder = Path(os.environ.get("FUZZ_FOLDER", "build/fuzz")) / f"seed-{seed}"
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    print(f"seed {seed}, estate {start} after {steps}, kept in {folder}:", flush=True)
    try:
        invariants.check(files)
    except Exception:
        print(traceback.format_exc(limit=-3), flush=True)


if __name__ == "__main__":
    sys.exit(campaign(float((*sys.argv[1:], "600")[0]), int((*sys.argv[2:], "1")[0])))
