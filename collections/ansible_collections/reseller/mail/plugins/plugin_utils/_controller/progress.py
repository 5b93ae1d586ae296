# SPDX-License-Identifier: GPL-3.0-or-later
"""Print how far a long step is.

PRIVATE to the collection. Runs on the controller.
"""

from __future__ import annotations

import time
import typing as t

from . import terminal

EVERY = 5.0
"""Seconds between two lines. A step that takes less time prints nothing."""


class Progress:
    """Prints every few seconds how much is done, such as ``domains compared: 400 of 10000``."""

    def __init__(
        self,
        what: str,
        clock: t.Callable[[], float] = time.monotonic,
        say: t.Callable[[str], None] = terminal.say,
    ) -> None:
        self._what = what
        self._clock = clock
        self._say = say
        self._last = clock()

    def __call__(self, done: int, total: int) -> None:
        """Print a line if the last one is old enough and something is left to do."""
        now = self._clock()
        if done < total and now - self._last >= EVERY:
            self._last = now
            self._say(f"{self._what}: {done} of {total}")
