# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import asyncio
import time
import typing as t

from ansible_collections.reseller.mail.plugins.plugin_utils._controller import terminal
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.action import (
    ControllerAction,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.estate import judged
from ansible_collections.reseller.mail.plugins.plugin_utils._dns import query, spf
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.dns import ask
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.finding import as_dicts

SECONDS = 15
"""Between two lines of progress: a thousand names take a minute or more."""


def progress() -> t.Callable[[int, int], None]:
    """Return a function that prints the progress, at most once in ``SECONDS``."""
    printed = time.monotonic()

    def show(done: int, of: int) -> None:
        nonlocal printed
        if time.monotonic() - printed >= SECONDS:
            printed = time.monotonic()
            terminal.say(f"DNS: asked about {done} of {of} names")

    return show


class ActionModule(ControllerAction):
    """Verify DNS from the controller: ask name servers and policy hosts, and connect to no node."""

    ARGUMENTS = {
        "estate": {"type": "path"},
        "resolver": {"type": "str", "default": ""},
        "ca_file": {"type": "str", "default": ""},
        "timeout": {"type": "float", "default": 4},
        "at_once": {"type": "int", "default": 50},
    }
    PACKAGES = {"dnspython": query.DNSPYTHON_IMPORT_ERROR, "spftrace": spf.SPFTRACE_IMPORT_ERROR}

    def work(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        estate = judged(args["estate"])
        asker = query.Asker(args["resolver"], args["timeout"], args["at_once"])
        found = asyncio.run(ask.findings(estate, asker, args["ca_file"], progress=progress()))
        return {"changed": False, "findings": as_dicts(found)}
