# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the Sieve scripts of the files: one file for each object that has its own script.

PRIVATE to the collection. Pure.

Dovecot finds each by its path, so who has none needs no entry. It runs the levels in the order of
LEVELS, then it files spam, then it runs FORWARDS, then the user's own script: see the templates of
role ``dovecot``. The host compiles them: ``_host/generation/sieve.py``.
"""

from __future__ import annotations

import hashlib
import typing as t

if t.TYPE_CHECKING:
    from .._model.estate import Estate, Node

LEVELS = ("estate", "account", "domain", "mailbox")
"""The levels of scripts, in the order in which Dovecot runs them; each has a folder."""

FORWARDS = "forward"
"""The folder of scripts that run after spam was filed: spam does not reach them.

Their name is the address of a mailbox. The files have no script of this kind: the code that
compiles one adds its path to ``lookups``.
"""


def path(kind: str, name: str) -> str:
    """Return the path of a script in a generation.

    ``name`` is the mailbox's address for ``mailbox`` and ``forward``, the domain for ``domain`` and
    ``account`` (Dovecot knows the domain of a mailbox, but not its tenant), else ``estate``.
    """
    return f"sieve/{kind}/{name}.sieve"


def lookups(estate: Estate, node: Node) -> dict[str, str]:
    """Return the scripts of all levels for the mailboxes of the node, by path."""
    files: dict[str, str] = {}
    for _tenant, domain in estate.domains_on(node):
        if domain.type != "mail" or not domain.mailboxes:
            continue
        names = {"estate": "estate", "account": domain.name, "domain": domain.name}
        files |= {path(level, names[level]): _text(script) for level, script in domain.sieve}
        for mailbox in domain.mailboxes:
            for level, script in mailbox.sieve:
                if level == "mailbox":
                    files[path(level, mailbox.address)] = _text(script)
    return files


def described(estate: Estate, node: Node) -> t.Iterator[str]:
    """Yield a line for each script of the node. It changes when the script changes."""
    for where, script in lookups(estate, node).items():
        _folder, kind, name = where.removesuffix(".sieve").split("/")
        subject = kind if kind == name else f"{kind} {name}"
        digest = hashlib.sha256(script.encode()).hexdigest()
        count = script.count("\n")
        yield f"sieve script of {subject} {count} line{'' if count == 1 else 's'} {digest[:8]}"


def _text(script: str) -> str:
    """Return the script with a line end, which its last line may not have in the files."""
    return script if script.endswith("\n") else f"{script}\n"
