# SPDX-License-Identifier: GPL-3.0-or-later
"""Dovecot's passwd-files: who has a mailbox here and how large it may grow. Password hashes are the host's own.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

from .._sizes import size
from ._addresses import may_log_in
from ._text import lines

if t.TYPE_CHECKING:
    from .._model.domain import Mailbox
    from .._model.estate import Estate, Node
    from .._model.values import Limit

FIELDS: dict[int, t.Callable[[Mailbox], str]] = {
    12: lambda box: f"userdb_quota_rule=*:storage={_storage(box.quota)}:messages={box.mailbox_limits.messages}",
    13: lambda box: f"userdb_quota_storage_size={_storage(box.quota)} userdb_quota_message_count={box.mailbox_limits.messages}"
    f" userdb_quota_mailbox_count={box.mailbox_limits.folders}",
}
"""By Debian release: Dovecot 2.3 and 2.4 share no name for a user's quota, and 2.3 has no limit for folders."""

PRESENT = "@"
"""A key of ``dovecot/mailboxes`` and ``logins`` that no address can be. Who finds it knows that the file was read."""


def lookups(estate: Estate, node: Node) -> dict[str, str]:
    """Return one passwd-file a domain, all mailboxes, those that may log in, and the user list for ``doveadm -F``.

    ``mailboxes`` tells an address that does not exist from one whose lookup was lost, ``logins`` one that may not log in.
    """
    files: dict[str, str] = {}
    everyone: list[str] = []
    logins: list[str] = []
    for tenant, domain in estate.domains_on(node):
        if domain.type != "mail":
            continue
        files[f"dovecot/users/{domain.name}"] = lines(
            f"{mailbox.address}:::::::{FIELDS[node.debian](mailbox)}" for mailbox in domain.mailboxes
        )
        everyone += (mailbox.address for mailbox in domain.mailboxes)
        logins += (mailbox.address for mailbox in domain.mailboxes if may_log_in(tenant, domain, mailbox))
    files["dovecot/all_users"] = lines(everyone)
    files["dovecot/mailboxes"] = _keys(everyone)
    files["dovecot/logins"] = _keys(logins)
    return files


def _keys(addresses: t.Iterable[str]) -> str:
    # Sorted by address: a colon sorts after the dot and the digits that may continue a domain's name.
    return "".join(f"{key}:::::::\n" for key in sorted({PRESENT, *addresses}))


def _storage(quota: Limit) -> str:
    """To Dovecot 0 is unlimited; to us it allows nothing, which a single byte says best."""
    return "0" if quota is None else size(quota or 1)
