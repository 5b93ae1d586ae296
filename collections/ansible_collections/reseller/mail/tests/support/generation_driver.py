# SPDX-License-Identifier: GPL-3.0-or-later
"""Installs a generation like the module does, but spoils it or dies on the way: for tests, on a
host, as root.

    generation_driver.py ARTEFACT [--root DIR] [--keep N] [--die STEP] [--spoil PATH HOW]
    generation_driver.py --previous [--root DIR] [--die STEP]

STEP is one of staged, judged, returned, switched, reloaded, retained, activated; ``--die`` ends the
process there with SIGKILL. ``--spoil`` spoils a file of what was staged before it is judged: HOW is ``append:TEXT``,
``zero`` (nulls in the middle, the length stays) or ``remove``. ARTEFACT is what
``_compile.artefact(estate, node).pack()`` gives. PYTHONPATH names a folder with
``ansible_collections/reseller/mail/plugins/module_utils/_host``; that package alone is enough.

Prints JSON: what the module returns and the seconds after which each step was reached, or
``{"error": …}`` with exit status 1.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from ansible_collections.reseller.mail.plugins.module_utils._host import generation


def run(args: list[str]) -> tuple[int, str, str]:
    done = subprocess.run(args, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def spoil(path: Path, how: str) -> None:
    if how == "remove":
        path.unlink()
        return
    data = path.read_bytes()
    middle = len(data) // 2
    data = (
        data + how.removeprefix("append:").encode() + b"\n"
        if how != "zero"
        else data[: middle // 2] + bytes(middle) + data[middle // 2 + middle :]
    )
    path.unlink()  # the file may be the serving generation's too
    path.write_bytes(data)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("artefact", nargs="?", type=Path)
    parser.add_argument("--previous", action="store_true")
    parser.add_argument("--root", type=Path, default=Path("/var/lib/reseller-mail"))
    parser.add_argument("--keep", type=int, default=5)
    parser.add_argument("--die", default="")
    parser.add_argument("--spoil", nargs=2, action="append", default=[])
    options = parser.parse_args()
    store = generation.Store(options.root)
    started = time.monotonic()
    seconds: dict[str, float] = {}

    def watch(step: str) -> None:
        seconds[step] = round(time.monotonic() - started, 3)
        if step == "staged":
            for path, how in options.spoil:
                spoil(store.staging / path, how)
        if step == options.die:
            os.kill(os.getpid(), signal.SIGKILL)

    try:
        with store.lock():
            if options.previous:
                steps = generation.plan_rollback(store)
                outcome = generation.roll_back(store, steps, run, watch)
            else:
                content = generation.unpack(options.artefact.read_bytes())
                steps = generation.plan(store, content)
                outcome = generation.Outcome(store.current() or "", False, ())
                if steps:
                    outcome = generation.apply(store, content, steps, run, options.keep, watch)
    except (generation.GenerationError, OSError) as error:
        print(json.dumps({"error": str(error), "seconds": seconds}))
        return 1
    print(
        json.dumps(
            {
                "changed": bool(steps),
                "lines": steps.lines,
                "generation": outcome.generation,
                "judged": outcome.judged,
                "reloaded": outcome.reloaded,
                "seconds": seconds,
            }
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
