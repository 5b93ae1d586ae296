# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import asyncio
import time
import typing as t

from ansible_collections.reseller.mail.plugins.module_utils import _dns_query, _spf_chain
from ansible_collections.reseller.mail.plugins.module_utils._finding import as_dicts
from ansible_collections.reseller.mail.plugins.module_utils._verify_dns import ask
from ansible_collections.reseller.mail.plugins.plugin_utils import _terminal
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import ControllerAction
from ansible_collections.reseller.mail.plugins.plugin_utils._estate import judged

SECONDS = 15
"""Between two words about how far it is: a thousand names take a minute or more."""


def progress() -> t.Callable[[int, int], None]:
    """Says now and then how far it is."""
    said = time.monotonic()

    def tell(done: int, of: int) -> None:
        nonlocal said
        if time.monotonic() - said >= SECONDS:
            said = time.monotonic()
            _terminal.say(f"DNS: {done} of {of} names asked about")

    return tell


class ActionModule(ControllerAction):
    """Runs on the controller: asks name servers and policy hosts; reads no host."""

    ARGUMENTS = {
        "estate": {"type": "path"},
        "resolver": {"type": "str", "default": ""},
        "ca_file": {"type": "str", "default": ""},
        "timeout": {"type": "float", "default": 4},
        "at_once": {"type": "int", "default": 50},
    }
    PACKAGES = {
        "dnspython": _dns_query.DNSPYTHON_IMPORT_ERROR,
        "spftrace": _spf_chain.SPFTRACE_IMPORT_ERROR,
    }

    def work(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        estate = judged(args["estate"])
        asker = _dns_query.Asker(args["resolver"], args["timeout"], args["at_once"])
        found = asyncio.run(ask.findings(estate, asker, args["ca_file"], progress=progress()))
        return {"changed": False, "findings": as_dicts(found)}
