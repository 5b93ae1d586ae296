# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbook `tenants` on two nodes with the example estate."""

from __future__ import annotations

import itertools

from .. import lab
from ..measurement import Measurement, Run, rounds
from ..process import cold
from ..targets import JUDGE, ONE_MAILBOX, PING, UNCHANGED

TENANTS = "reseller.mail.tenants"
FIRST_NUMBER = 100
"""Part `site` adds mailboxes with smaller numbers to the same estate."""


def measure() -> list[Measurement]:
    """Return the cost of `tenants` without a change and for one mailbox, and its floor."""
    lab.ready()
    numbers = itertools.count(FIRST_NUMBER)
    lab.play(TENANTS)  # what other parts left to do

    def one_mailbox() -> Run:
        lab.add_mailbox(next(numbers))
        return lab.play(TENANTS)

    return rounds(
        {
            (PING, 0): lab.ping,
            (JUDGE, 0): lambda: cold("judge", lab.ESTATE),
            (UNCHANGED, 0): lambda: lab.play(TENANTS),
            (ONE_MAILBOX, 0): one_mailbox,
        }
    )
