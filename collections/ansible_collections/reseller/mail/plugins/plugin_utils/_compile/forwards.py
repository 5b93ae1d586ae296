# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the forwards that do not send spam on: one Sieve script for each mailbox.

PRIVATE to the collection. Pure.

Only Dovecot knows what is spam when it delivers a message: it files spam before it runs these
scripts (``sieve.FORWARDS``). All other forwards are in Postfix's virtual_alias_maps.
"""

from __future__ import annotations

import typing as t

from . import sieve

if t.TYPE_CHECKING:
    from .._model.domain import Forward
    from .._model.estate import Estate, Node


def lookups(estate: Estate, node: Node) -> dict[str, str]:
    """Return the scripts of the node's mailboxes that forward what is no spam, by path."""
    return {
        sieve.path(sieve.FORWARDS, mailbox.address): _script(mailbox.forward)
        for _tenant, domain in estate.domains_on(node)
        for mailbox in domain.mailboxes
        if mailbox.forward and mailbox.forward.skip_spam
    }


def _script(forward: Forward) -> str:
    """Return a script that redirects to all targets.

    Without ``:copy`` the mailbox keeps nothing, and the scripts that follow do not run (RFC 5228
    section 2.10.2). If Postfix does not take a message, the mailbox keeps it.
    """
    copy = ":copy " if forward.keep_copy else ""
    require = ['require "copy";'] if forward.keep_copy else []
    lines = [*require, *(f'redirect {copy}"{address}";' for address in forward.to)]
    return "".join(f"{line}\n" for line in lines)
