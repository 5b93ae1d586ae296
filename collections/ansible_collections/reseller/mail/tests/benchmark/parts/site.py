# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbook `site` on two nodes with the example estate."""

from __future__ import annotations

import itertools
import typing as t

from .. import lab
from ..measurement import Measurement, Run, rounds
from ..process import SCRATCH
from ..targets import FIRST, ONE_MAILBOX, PING, UNCHANGED, UNCHANGED_MITOGEN

SITE = "reseller.mail.site"
MITOGEN = SCRATCH / "mitogen"
"""Where scripts/bench.sh installs mitogen. Without it, the figure with mitogen is not measured."""


def measure() -> list[Measurement]:
    """Return the cost of `site`: on new hosts, without a change, and for one mailbox."""
    first = [Measurement(FIRST, 0, (_first(),))]  # it takes as long as all the others together
    numbers = itertools.count()

    def one_mailbox() -> Run:
        lab.add_mailbox(next(numbers))
        return lab.play(SITE)

    commands: dict[tuple[str, int], t.Callable[[], Run]] = {
        (PING, 0): lab.ping,
        (UNCHANGED, 0): lambda: lab.play(SITE),
    }
    if MITOGEN.exists():
        commands[UNCHANGED_MITOGEN, 0] = _with_mitogen
    commands[ONE_MAILBOX, 0] = one_mailbox
    return first + rounds(commands, most=3, budget=200)


def _first() -> Run:
    lab.start()
    return lab.converge()


def _with_mitogen() -> Run:
    environment = {
        "ANSIBLE_STRATEGY": "mitogen_linear",
        "ANSIBLE_STRATEGY_PLUGINS": str(MITOGEN / "ansible_mitogen" / "plugins" / "strategy"),
        "PYTHONPATH": str(MITOGEN),
    }
    return lab.play(SITE, environment=environment)
