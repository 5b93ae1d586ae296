# SPDX-License-Identifier: GPL-3.0-or-later
"""Sieve scripts: hosts can compile them, and they do nothing that scripts must not do.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import functools
import typing as t

from ansible_collections.reseller.mail.plugins.module_utils._host.sieve_rules import MAX_NAME

from .._model.domain import Mailbox
from .._model.values import Fault, OwnSettings
from ._index import Index, fault
from ._sieve_text import flaws


def judge(index: Index) -> t.Iterator[Fault]:
    """Yield all faults in scripts.

    Scripts of many mailboxes are often the same, so each text is read once.
    """
    read = functools.cache(flaws)
    for own in _levels(index):
        script = own.get("sieve")
        if not script:
            continue
        table = own["at"]
        for flaw in read(script):
            at = table.line_of("sieve", flaw.line)
            where = "" if at != table.of("sieve") else f" (line {flaw.line} of the script)"
            yield fault(
                at,
                "sieve-forbidden" if flaw.forbidden else "sieve-syntax",
                f"{flaw.what}{where}",
                flaw.allowed,
            )
    yield from _names(index)


def _levels(index: Index) -> t.Iterator[OwnSettings]:
    """Yield the own settings of all levels that can have a script."""
    yield index.estate.own_settings
    for tenant in index.estate.tenants:
        yield tenant.own_settings
        for domain in tenant.domains:
            yield domain.own_settings
            yield from (box.own_settings for box in domain.mailboxes if box.own_settings)


def _names(index: Index) -> t.Iterator[Fault]:
    """Yield mailboxes with a script whose address is too long for the name of a file."""
    for tenant in index.estate.tenants:
        for domain in tenant.domains:
            for mailbox in domain.mailboxes:
                key = _key_of_script(mailbox)
                if key and len(mailbox.address) > MAX_NAME:
                    yield fault(
                        mailbox.at.of(*key),
                        "name-too-long",
                        f"the address {mailbox.address} is too long for a mailbox with a script",
                        f"at most {MAX_NAME} characters, or no {key[-1]}",
                    )


def _key_of_script(mailbox: Mailbox) -> tuple[str, ...]:
    """Return the key that gives the mailbox a script; none if it has no script."""
    if "sieve" in mailbox.own_settings:
        return ("sieve",)
    return ("forward", "skip_spam") if mailbox.forward and mailbox.forward.skip_spam else ()
