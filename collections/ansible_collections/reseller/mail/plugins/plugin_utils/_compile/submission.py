# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the tables that the guard reads: who may write to an alias, and the names in From.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import re
import typing as t

from ._text import encoded_words

if t.TYPE_CHECKING:
    from .._model.estate import Estate, Node

_QUOTABLE = re.compile(r"[\x20-\x7e]*")


def internal_aliases(estate: Estate) -> dict[str, str]:
    """Return the tenant of each alias of the estate to which only users of the tenant may write.

    Every node has all of them: it refuses mail from outside also for other nodes, and a submission
    of another tenant's user.
    """
    return {
        f"{alias.name}@{name}": tenant.name
        for tenant, domain in estate.served_domains()
        for alias in domain.aliases
        if alias.internal_only
        for name in domain.names
    }


def display_names(estate: Estate, node: Node) -> dict[str, str]:
    """Return the name of the user, as a header has it, by each address of a mailbox of the node.

    These are its own address under all names of the domain. Sender addresses and aliases are often
    those of a role, such as noreply: they do not show a person's name.
    """
    return {
        f"{mailbox.name}@{name}": phrase(mailbox.display_name)
        for _tenant, domain in estate.domains_on(node)
        for mailbox in domain.mailboxes
        if mailbox.display_name
        for name in domain.names
    }


def phrase(text: str) -> str:
    """Return a text as a phrase of a header field: a quoted string or encoded words.

    Text that looks like an encoded word is encoded, so that readers show it and do not decode it.
    """
    if _QUOTABLE.fullmatch(text) and "=?" not in text:
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return encoded_words(text)
