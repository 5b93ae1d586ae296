# SPDX-License-Identifier: GPL-3.0-or-later
"""Write what the spam filter of a node looks up: scores, lists of senders, networks.

PRIVATE to the collection. Pure.

``filter/settings`` has the scores and the lists that count for ``@`` (where no tenant sets
anything), ``@domain`` and mailboxes: ``JUNK REJECT GREYLIST [LIST…]``, with scores in tenths, ``-``
for never, and the nearest list first. A domain or mailbox without a line has those of the next
wider one. ``filter/lists`` has ``LIST SENDER`` and what is done with the sender.
``filter/networks`` has the same for networks of senders.

A node has the lines of all nodes' domains, because it accepts mail for all of them. Every file is
sorted, so that the filter can bisect it for each message.
"""

from __future__ import annotations

import hashlib
import typing as t

from .._model.spam import DEFAULT, is_network, tenths
from ._text import table

if t.TYPE_CHECKING:
    from .._model.domain import Domain, Mailbox
    from .._model.estate import Estate, Node
    from .._model.spam import SenderLists, Spam
    from .._model.tenant import Tenant

EVERYTHING = "@"
"""The key of the settings that count where no tenant sets anything."""


class _Lists:
    """The entries of all lists, and the settings that name the lists."""

    def __init__(self) -> None:
        self.entries: dict[str, str] = {}
        self.networks: dict[str, str] = {}

    def settings(self, spam: Spam, names: t.Mapping[str, str]) -> str:
        """Add the lists of some settings; return the settings. ``names`` are those of lists."""
        used: dict[str, str] = {}
        for action, lists in (("allow", spam.allow), ("block", spam.block)):
            used.update(self._add(action, lists, names))
        scores = (spam.junk, spam.reject, spam.greylist)
        nearest_first = [used[level] for level in reversed(tuple(names)) if level in used]
        return " ".join((*(f"{tenths(score) or '-'}" for score in scores), *nearest_first))

    def _add(
        self, action: str, lists: SenderLists, names: t.Mapping[str, str]
    ) -> t.Iterator[tuple[str, str]]:
        """Add the entries of each level; yield the level and the name of its list."""
        for level, senders in lists:
            for sender in senders:
                if is_network(sender):
                    self.networks[sender] = action
                    continue
                key = sender if "@" in sender else f"@{sender}"
                self.entries[f"{names[level]} {key}"] = action
                yield level, names[level]


def lookups(estate: Estate, node: Node) -> dict[str, str]:
    """Return the three tables by path. They are the same on every node."""
    lists = _Lists()
    everything = lists.settings(estate.spam, _names())
    settings = {EVERYTHING: everything}
    for tenant, domain in estate.served_domains():
        of_domain = lists.settings(domain.spam, _names(tenant, domain))
        for name in domain.names if of_domain != everything else ():
            settings[f"@{name}"] = of_domain
        for mailbox in domain.mailboxes:
            if "spam" not in mailbox.own_settings:
                continue
            of_mailbox = lists.settings(mailbox.spam, _names(tenant, domain, mailbox))
            for name in domain.names if of_mailbox != of_domain else ():
                settings[f"{mailbox.name}@{name}"] = of_mailbox
    return {
        "filter/settings": table(settings),
        "filter/lists": table(lists.entries),
        "filter/networks": table(lists.networks),
    }


def described(estate: Estate, node: Node) -> t.Iterator[str]:
    """Yield a line for each entry of ``settings``, and one for each list.

    That of a list changes when the list changes. The defaults of the language have no line.
    """
    files = lookups(estate, node)
    usual = f"{EVERYTHING}\t{_Lists().settings(DEFAULT, _names())}"
    for line in files["filter/settings"].splitlines():
        if line == usual:
            continue
        key, _tab, values = line.partition("\t")
        junk, reject, greylist = (_score(value) for value in values.split(" ")[:3])
        who = "all" if key == EVERYTHING else key.removeprefix("@")
        yield f"spam scores of {who}: junk {junk}, reject {reject}, greylist {greylist}"
    lists: dict[str, list[str]] = {}
    for line in files["filter/lists"].splitlines():
        name, _space, entry = line.partition(" ")
        lists.setdefault(name, []).append(entry)
    lists["networks"] = files["filter/networks"].splitlines()
    for name, entries in lists.items():
        if entries:
            digest = hashlib.sha256("\n".join(entries).encode()).hexdigest()
            yield f"spam list {name}: {len(entries)} entries {digest[:8]}"


def _names(
    tenant: t.Optional[Tenant] = None,
    domain: t.Optional[Domain] = None,
    mailbox: t.Optional[Mailbox] = None,
) -> dict[str, str]:
    """Return the name of each level's list, the outermost first."""
    names = {"estate": "e"}
    if tenant:
        names |= {"plan": f"p:{tenant.plan}", "account": f"a:{tenant.name}"}
    if domain:
        names["domain"] = f"d:{domain.name}"
    if mailbox:
        names["mailbox"] = f"m:{mailbox.address}"
    return names


def _score(text: str) -> str:
    """Return a score in tenths as people write it."""
    return "never" if text == "-" else f"{int(text) / 10:g}"
