#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: credentials_info
short_description: Tell which mailboxes still have the password they were given
version_added: 0.1.0
description:
  - Reads from the host's credential store who set each password. Neither passwords nor hashes are read.
  - M(reseller.mail.verify_mail) logs in with initial passwords only where they can still be right.
author: Reseller Mail developers (@reseller-mail)
extends_documentation_fragment: [reseller.mail.attributes.reads_only]
options:
  database:
    description: The credential store on the host. Where it does not exist there are no credentials.
    type: path
    default: /var/lib/reseller-mail/credentials/credentials.db
"""

EXAMPLES = r"""
- name: See whose password is still the initial one
  reseller.mail.credentials_info:
  register: credentials
"""

RETURN = r"""
credentials:
  description: One entry an address, sorted.
  type: list
  elements: dict
  returned: success
  contains:
    address:
      description: The mailbox's address.
      type: str
      sample: jo@acme.example
    origin:
      description: Who set the password, V(initial), V(supplied), V(user) or V(operator).
      type: str
      sample: initial
"""

import os
import sqlite3

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.reseller.mail.plugins.module_utils import _credentials as store


def main() -> None:
    database = {"type": "path", "default": "/var/lib/reseller-mail/credentials/credentials.db"}
    module = AnsibleModule(argument_spec={"database": database}, supports_check_mode=True)
    path = module.params["database"]
    credentials = []
    if os.path.exists(path):
        try:
            with store.Store(path, read_only=True) as opened:
                credentials = [
                    {"address": address, "origin": opened.origin(address)}
                    for address in sorted(opened.addresses())
                ]
        except sqlite3.Error as exc:
            module.fail_json(msg=f"{path} cannot be read: {exc}")
    module.exit_json(changed=False, credentials=credentials)


if __name__ == "__main__":
    main()
