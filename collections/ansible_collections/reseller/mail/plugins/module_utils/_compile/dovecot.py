# SPDX-License-Identifier: GPL-3.0-or-later
"""Dovecot's passwd-files: who has a mailbox here and how large it may grow. Password hashes are the host's own.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

from .._names import typed
from .._sizes import size
from ._addresses import may_log_in
from ._text import lines

if t.TYPE_CHECKING:
    from .._model.domain import Mailbox
    from .._model.estate import Estate, Node
    from .._model.values import Limit

FIELDS: dict[int, t.Callable[[Mailbox], str]] = {
    12: lambda box: (
        f"userdb_quota_rule=*:storage={_storage(box.quota)}:messages={box.mailbox_limits.messages}"
    ),
    13: lambda box: (
        f"userdb_quota_storage_size={_storage(box.quota)} userdb_quota_message_count={box.mailbox_limits.messages}"
        f" userdb_quota_mailbox_count={box.mailbox_limits.folders}"
    ),
}
"""By Debian release: Dovecot 2.3 and 2.4 share no name for a user's quota, and 2.3 has no limit for folders."""

PRESENT = "@"
"""A key of ``dovecot/mailboxes``, ``logins`` and ``login_domains`` that no address or domain can be. Who finds it knows that the file
was read."""

STORE = "store=logins"
"""Dovecot asks the credential store's view of this name. Without ``login_domains`` it has no name to ask, and fails for now."""


def lookups(estate: Estate, node: Node) -> dict[str, str]:
    """Return one passwd-file a domain, all mailboxes, those that may log in, and the user list for ``doveadm -F``.

    ``mailboxes`` tells an address that does not exist from one whose lookup was lost, ``logins`` one that may not log in.
    ``login_domains`` has the domain behind each other name of it: programs that SRV records lead here log in with the address
    that their user typed (RFC 6186 section 4).
    """
    files: dict[str, str] = {}
    everyone: list[str] = []
    logins: list[str] = []
    domains: dict[str, str] = {}
    for tenant, domain in estate.domains_on(node):
        if domain.type != "mail":
            continue
        files[f"dovecot/users/{domain.name}"] = lines(
            f"{mailbox.address}:::::::{FIELDS[node.debian](mailbox)}"
            for mailbox in domain.mailboxes
        )
        everyone += (mailbox.address for mailbox in domain.mailboxes)
        logins += (
            mailbox.address for mailbox in domain.mailboxes if may_log_in(tenant, domain, mailbox)
        )
        if domain.mailboxes:
            domains.update(
                dict.fromkeys(
                    {form for name in domain.names for form in typed(name)} - {domain.name},
                    f"domain={domain.name}",
                )
            )
    files["dovecot/all_users"] = lines(everyone)
    files["dovecot/mailboxes"] = _rows(dict.fromkeys((PRESENT, *everyone), ""))
    files["dovecot/logins"] = _rows(dict.fromkeys((PRESENT, *logins), ""))
    # noauthenticate: the entry changes the name, and says nothing of the password.
    files["dovecot/login_domains"] = _rows(
        {key: f"noauthenticate {field}" for key, field in {PRESENT: STORE, **domains}.items()}
    )
    return files


def _rows(fields: t.Mapping[str, str]) -> str:
    # Sorted by key: a colon sorts after the dot and the digits that may continue a domain's name.
    return "".join(f"{key}:::::::{fields[key]}\n" for key in sorted(fields))


def _storage(quota: Limit) -> str:
    """To Dovecot 0 is unlimited; to us it allows nothing, which a single byte says best."""
    return "0" if quota is None else size(quota or 1)
