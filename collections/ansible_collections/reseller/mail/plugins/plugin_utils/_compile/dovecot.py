# SPDX-License-Identifier: GPL-3.0-or-later
"""Write Dovecot's passwd-files: who has a mailbox on the node, and how large it may grow.

PRIVATE to the collection. Pure.

Password hashes are not in them: the host has its own credential store.
"""

from __future__ import annotations

import typing as t

from .._model.names import typed
from .._model.sizes import size
from .._model.spam import tenths
from . import logins
from ._text import lines

if t.TYPE_CHECKING:
    from .._model.domain import Domain, Mailbox
    from .._model.estate import Estate, Node
    from .._model.values import Limit

FIELDS: dict[int, t.Callable[[Mailbox], str]] = {
    12: lambda box: (
        f"userdb_quota_rule=*:storage={_storage(box.quota)}:messages={box.mailbox_limits.messages}"
    ),
    13: lambda box: (
        f"userdb_quota_storage_size={_storage(box.quota)}"
        f" userdb_quota_message_count={box.mailbox_limits.messages}"
        f" userdb_quota_mailbox_count={box.mailbox_limits.folders}"
    ),
}
"""A user's limits as fields of a passwd-file, by Debian release.

Dovecot 2.3 and 2.4 have no common name for a quota. Dovecot 2.3 has no limit for folders.
"""

JUNK_SCORE = {
    12: " userdb_sieve_env_spam_junk=",
    13: " userdb_sieve_environment/spam_junk=",
}
"""The field with which the script that files spam finds a user's score, by Debian release."""

PRESENT = "@"
"""A key that every passwd-file of lookups contains, and that is no address and no domain.

A daemon that finds it in ``mailboxes``, ``login_domains`` or a file of ``logins`` knows that the
file was read.
"""

STORE = "store=logins"
"""The view of the credential store that Dovecot asks.

If ``login_domains`` cannot be read, Dovecot does not know this name, and the login fails with a
temporary error.
"""


def lookups(estate: Estate, node: Node) -> dict[str, str]:
    """Return one passwd-file per domain, and the files about all mailboxes of the node, by path.

    ``all_users`` is the list for ``doveadm -F``. ``mailboxes`` has every mailbox: a lookup can
    distinguish an unknown address from a file that was not read. ``logins/<service>`` has the
    mailboxes that may log in with that service of Dovecot. ``login_domains`` has the domain for
    each of its other names: programs that follow SRV records log in with the address that their
    user typed (RFC 6186 section 4).
    """
    files: dict[str, str] = {}
    everyone: list[str] = []
    other_names: dict[str, str] = {}
    served = [pair for pair in estate.domains_on(node) if pair[1].type == "mail"]
    for _tenant, domain in served:
        files[f"dovecot/users/{domain.name}"] = lines(
            f"{mailbox.address}:::::::{FIELDS[node.debian](mailbox)}{_junk_score(node, mailbox)}"
            for mailbox in domain.mailboxes
        )
        everyone += (mailbox.address for mailbox in domain.mailboxes)
        if domain.mailboxes:
            for name in _other_names(domain):
                other_names[name] = f"domain={domain.name}"
    files["dovecot/all_users"] = lines(everyone)
    files["dovecot/mailboxes"] = _rows(dict.fromkeys((PRESENT, *everyone), ""))
    for service, addresses in logins.by_service(served).items():
        files[f"dovecot/logins/{service}"] = _rows(dict.fromkeys((PRESENT, *addresses), ""))
    # noauthenticate: the entry changes the login's domain only. Another passdb checks the password.
    files["dovecot/login_domains"] = _rows(
        {key: f"noauthenticate {field}" for key, field in {PRESENT: STORE, **other_names}.items()}
    )
    return files


def _junk_score(node: Node, mailbox: Mailbox) -> str:
    """Return the field with the score of spam in tenths; nothing if no mail is filed by score."""
    score = tenths(mailbox.spam.junk)
    return "" if score is None else f"{JUNK_SCORE[node.debian]}{score}"


def _other_names(domain: Domain) -> set[str]:
    """Return the names of a domain that users may type in a login, without the domain's own."""
    return {form for name in domain.names for form in typed(name)} - {domain.name}


def _rows(fields: t.Mapping[str, str]) -> str:
    """Return the lines of a passwd-file with the extra fields of each key, sorted by key.

    Keys are sorted, not lines: a colon sorts after the dot and the digits that may continue a
    domain's name.
    """
    return "".join(f"{key}:::::::{fields[key]}\n" for key in sorted(fields))


def _storage(quota: Limit) -> str:
    """Return a quota as Dovecot takes it, where 0 is unlimited.

    In the estate ``None`` is unlimited and 0 allows nothing. A limit of one byte has that effect.
    """
    return "0" if quota is None else size(quota or 1)
