# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of the states, algorithms and selectors of DKIM keys, on hosts and in the state files.

PRIVATE to the collection. Pure; standard library only.
"""

from __future__ import annotations

import re

STATES = ("generated", "published", "active", "retired", "revoked", "removed")
"""In the order in which a key goes through them; it may skip some."""
PENDING = ("generated", "published")
ALGORITHMS = ("rsa", "ed25519")


def base_selector(node: str, algorithm: str) -> str:
    """Return the selector of a node's first key of an algorithm."""
    return node if algorithm == "rsa" else f"{node}-{algorithm}"


def number(node: str, algorithm: str, selector: str) -> int:
    """Return the number of a selector in its series: 1, 2, …; 0 when it is no selector of this
    node."""
    match = re.fullmatch(
        re.escape(base_selector(node, algorithm)) + r"(?:-([1-9][0-9]*))?", selector
    )
    return int(match[1] or 1) if match else 0
