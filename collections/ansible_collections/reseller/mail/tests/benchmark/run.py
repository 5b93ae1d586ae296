# SPDX-License-Identifier: GPL-3.0-or-later
"""Time and memory of judging and planning a large estate: ``PYTHONPATH=collections python run.py
[tenants [mailboxes of each]]``, or ``make bench``.

Every step runs in a process of its own, so that its memory is its own. Processor time is told
besides the clock's: a busy machine lengthens it less.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

import estates

HERE = Path(__file__)
COLLECTIONS = HERE.parents[5]
ATTEMPTS = 3


def start(folder: str, _changed: str) -> None:
    """Python and the engine, without an estate: what every other step begins with."""
    from ansible_collections.reseller.mail.plugins.plugin_utils._change import summary  # noqa: F401


def validate(folder: str, _changed: str) -> None:
    """Load and judge."""
    from ansible_collections.reseller.mail.plugins.plugin_utils import _load

    estate, faults = _load.load(folder)
    assert estate is not None, faults[:3]


def ledger(folder: str, _changed: str) -> None:
    """Load, judge and count."""
    from ansible_collections.reseller.mail.plugins.plugin_utils import _load
    from ansible_collections.reseller.mail.plugins.plugin_utils._judge import ledger as judge_ledger

    estate, _faults = _load.load(folder)
    assert estate is not None
    judge_ledger.ledger(estate)


def plan(folder: str, changed: str) -> None:
    """Load and judge two revisions, and compare them."""
    from ansible_collections.reseller.mail.plugins.plugin_utils._change import summary
    from ansible_collections.reseller.mail.plugins.plugin_utils._controller import revision

    found = summary.compare(revision.of_folder(folder), revision.of_folder(changed))
    assert not found.faults, found.faults[:3]
    assert found.sections


STEPS: tuple[tuple[str, t.Callable[[str, str], None]], ...] = (
    ("the engine alone, without an estate", start),
    ("validate: load and judge", validate),
    ("ledger: load, judge and count", ledger),
    ("plan: load, judge and compare two revisions", plan),
)


def measured(command: list[str], environment: dict[str, str]) -> tuple[float, float, float]:
    """Seconds by the clock, of the processor, and the most MiB of memory."""
    began = time.monotonic()
    with tempfile.TemporaryFile() as output:
        child = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
        _pid, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            output.seek(0)
            sys.exit(
                f"{' '.join(command)} failed:\n{output.read().decode(errors='replace')[-3000:]}"
            )
    return time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def told(name: str, command: list[str], environment: dict[str, str]) -> None:
    """One line of the table: the best of some attempts."""
    attempts = [measured(command, environment) for _attempt in range(ATTEMPTS)]
    clock, processor, memory = (min(column) for column in zip(*attempts, strict=True))
    print(f"{name:<62}{clock:8.2f} s{processor:9.2f} s{memory:8.0f} MiB", flush=True)


def spoil(folder: Path) -> None:
    """The change that is planned: one tenant's mailbox grows, another's leaves, a third's DMARC
    tightens."""
    for nth, (old, new) in enumerate(
        (
            ("quota: 1G", "quota: 2G"),
            ("  - name: all\n", "  - name: everybody\n"),
            ("stage: observe", "stage: test"),
        )
    ):
        path = folder / f"tenants/tenant{nth}/domain{nth}.example.yml"
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(old, new, 1), encoding="utf-8")


def main(tenants: int, mailboxes: int) -> None:
    """Writes the estates, runs every step and prints the table."""
    environment = os.environ | {
        "PYTHONPATH": str(COLLECTIONS),
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_LOCALHOST_WARNING": "False",
        "LC_ALL": "C.UTF-8",
    }
    with tempfile.TemporaryDirectory() as temporary:
        folder, changed = Path(temporary, "estate"), Path(temporary, "changed")
        size = estates.write(folder, tenants, mailboxes)
        shutil.copytree(folder, changed)
        spoil(changed)
        print(
            f"{tenants:,} tenants, {tenants * mailboxes:,} mailboxes, {size / 2**20:.1f} MiB of"
            f" YAML; best of {ATTEMPTS}"
        )
        print(f"{'':<62}{'clock':>10}{'processor':>11}{'memory':>12}")
        for name, step in STEPS:
            told(
                name,
                [sys.executable, str(HERE), step.__name__, str(folder), str(changed)],
                environment,
            )
        playbook = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,"]
        told(
            "ansible-playbook reseller.mail.validate",
            [*playbook, "reseller.mail.validate", "-e", f"mail_estate_dir={folder}"],
            environment,
        )
        both = ["-e", f"mail_estate_dir={changed}", "-e", f"plan_before={folder}"]
        told(
            "ansible-playbook reseller.mail.plan",
            [*playbook, "reseller.mail.plan", *both],
            environment,
        )


if __name__ == "__main__":
    chosen = {step.__name__: step for _name, step in STEPS}
    if len(sys.argv) == 4 and sys.argv[1] in chosen:
        chosen[sys.argv[1]](sys.argv[2], sys.argv[3])
    else:
        main(int((*sys.argv[1:], "1000")[0]), int((*sys.argv[2:], "20")[0]))
