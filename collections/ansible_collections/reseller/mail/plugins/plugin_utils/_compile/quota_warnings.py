# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the names that a node's quota warnings have in From: those of the service for its users.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import re
import typing as t

from .._model.services import brand
from ._text import encoded_words, table

if t.TYPE_CHECKING:
    from .._model.estate import Estate, Node


LONGEST = 60
"""As many characters as automatic settings show. As encoded words they still fit into one line."""


def lookups(estate: Estate, node: Node) -> dict[str, str]:
    """Return one line for each mail domain of the node: the domain, a tab, the name."""
    names = {
        domain.name: phrase(brand(estate.provider, domain))
        for _tenant, domain in estate.domains_on(node)
        if domain.type == "mail"
    }
    return {"quota_warnings/names": table(names)}


def phrase(name: str) -> str:
    """Return the first ``LONGEST`` characters of a name as a phrase of a header field.

    RFC 5322 section 3.2.5 defines a phrase. A name of other characters than letters, digits, spaces
    and hyphens becomes encoded words (RFC 2047), so that no character of it means anything to a
    program on the way.
    """
    name = name[:LONGEST].strip()
    if re.fullmatch(r"[A-Za-z0-9]+(?:[ -][A-Za-z0-9]+)*", name):
        return name
    return encoded_words(name)
