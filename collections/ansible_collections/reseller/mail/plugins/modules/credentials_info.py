#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: credentials_info
short_description: List who set the password of each mailbox
version_added: 0.1.0
description:
  - Reads from the credential store of the host who set each password. Passwords and hashes are not
    read.
  - M(reseller.mail.verify_mail) logs in with initial passwords only where they are still valid.
author: Reseller Mail developers (@reseller-mail)
extends_documentation_fragment:
  - reseller.mail.attributes.reads_only
  - reseller.mail.attributes.action_group
options:
  database:
    description: The credential store on the host. If it does not exist, the list is empty.
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
  description: One entry for each address, sorted.
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
from ansible_collections.reseller.mail.plugins.module_utils._host import credentials as store


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
