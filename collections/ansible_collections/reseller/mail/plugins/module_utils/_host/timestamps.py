# SPDX-License-Identifier: GPL-3.0-or-later
"""Times as people and files write them: ``2026-11-21T14:00:00Z`` (RFC 3339, UTC, whole seconds).

PRIVATE to the collection. Pure; standard library only.
"""

from __future__ import annotations

import calendar
import time

_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def seconds(timestamp: str) -> int:
    """Return a time such as 2026-11-21T14:00:00Z in seconds since 1970, or raise ValueError."""
    try:
        return calendar.timegm(time.strptime(timestamp, _FORMAT))
    except ValueError:
        raise ValueError(f"{timestamp!r} is not a time such as 2026-11-21T14:00:00Z") from None


def timestamp(at: int) -> str:
    """Return a time in seconds since 1970 as people and files write it."""
    return time.strftime(_FORMAT, time.gmtime(at))
