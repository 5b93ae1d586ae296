#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: credential_store
short_description: Make a mail host's store of logins ready for Dovecot
version_added: 0.1.0
description:
  - Creates the store that M(reseller.mail.credentials) fills, or brings one of an earlier version
    up to date. No credential is changed.
  - Makes the decoy, a hash whose password is not known. Dovecot verifies it for an address without
    a login, so that the time of the answer does not tell whether an address exists.
  - Warns of each stored hash that is of no accepted scheme or would cost too much to verify. No one
    can log in with it.
author: Reseller Mail developers (@reseller-mail)
extends_documentation_fragment: [reseller.mail.attributes.action_group]
attributes:
  check_mode:
    description: Reports whether the store would be changed and changes nothing.
    support: full
  diff_mode:
    description: Has no diff; the store holds nothing that could be shown.
    support: none
requirements:
  - Dovecot on the host, which hashes the decoy.
options:
  database:
    description: The credential store. Its folder must exist.
    type: path
    default: /var/lib/reseller-mail/credentials/credentials.db
  group:
    description: The group that may read the store.
    type: str
    default: dovecot
"""

EXAMPLES = r"""
- name: Make the store of logins ready
  reseller.mail.credential_store:
"""

RETURN = r"""
made:
  description: Whether the store is a new file, which a running Dovecot has not opened.
  type: bool
  returned: success
  sample: false
unusable:
  description: Addresses that cannot log in because their stored hash is not accepted, each with the
    reason.
  type: dict
  returned: success
  sample: {jo@acme.example: cost of this BLF-CRYPT hash is 31, which is not 4 to 13}
"""

import os
import secrets
import sqlite3

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.reseller.mail.plugins.module_utils._host import credentials as store
from ansible_collections.reseller.mail.plugins.module_utils._host.hashes import ALLOWED


def main() -> None:
    """Make the store and its decoy if needed, and warn of hashes that are not accepted."""
    module = AnsibleModule(
        argument_spec={
            "database": {
                "type": "path",
                "default": "/var/lib/reseller-mail/credentials/credentials.db",
            },
            "group": {"type": "str", "default": "dovecot"},
        },
        supports_check_mode=True,
    )
    database = module.params["database"]

    def run(command: list[str], given: str) -> tuple[int, str, str]:
        answer: tuple[int, str, str] = module.run_command(command, data=given, binary_data=True)
        return answer

    try:
        scheme = store.best_scheme(run)
        made = not os.path.exists(database)
        changed = not is_ready(database, scheme)
        unusable: dict[str, str] = {}
        if changed and not module.check_mode:
            os.umask(0o027)
            hashed = store.hash_password(run, secrets.token_urlsafe(32), scheme)
            with store.Store(database) as opened:
                opened.put_decoy(hashed)
        if os.path.exists(database):
            with store.Store(database, read_only=True) as opened:
                unusable = opened.unusable()
            changed |= module.set_mode_if_different(database, 0o640, False)
            changed |= module.set_group_if_different(database, module.params["group"], False)
        for address, reason in unusable.items():
            module.warn(
                f"{address} cannot log in: {reason}; allowed: {ALLOWED}. Give it a new password"
                f" with mail-passwd --operator {address}"
            )
        module.exit_json(changed=changed, made=made and not module.check_mode, unusable=unusable)
    except (store.CredentialError, OSError, sqlite3.Error) as error:
        module.fail_json(msg=str(error))


def is_ready(database: str, scheme: str) -> bool:
    """Return whether nothing needs to be made."""
    if not os.path.exists(database):
        return False
    with store.Store(database, read_only=True) as opened:
        return opened.is_ready(scheme)


if __name__ == "__main__":
    main()
