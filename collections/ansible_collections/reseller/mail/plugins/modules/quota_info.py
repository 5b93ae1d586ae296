#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: quota_info
short_description: Ask Dovecot for the quota and the usage of every mailbox
version_added: 0.1.0
description:
  - Asks the running Dovecot with C(doveadm quota get) for every mailbox of the generation in
    service.
  - Works in the same way with Dovecot 2.3 and 2.4. It gives Dovecot a list of users, because
    Dovecot cannot list the users of several passwd-files.
  - M(reseller.mail.verify_quota) compares the answer with the estate's files.
author: Reseller Mail developers (@reseller-mail)
extends_documentation_fragment:
  - reseller.mail.attributes.reads_only
  - reseller.mail.attributes.action_group
options:
  users_file:
    description: A file with one address on each line.
    type: path
    default: /var/lib/reseller-mail/current/dovecot/all_users
  mail:
    description: The folder of all mail. If it is given, the mail of each mailbox on the disk is
      counted, too.
    type: path
  packed:
    description: Whether to return the quotas as one compressed text, for
      M(reseller.mail.verify_quota).
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: See how full the mailboxes are
  reseller.mail.quota_info:
  register: quota
"""

RETURN = r"""
quotas:
  description: One entry for each mailbox that Dovecot has.
  type: list
  elements: dict
  returned: success and not O(packed=true)
  contains:
    address:
      description: The mailbox's address.
      type: str
      sample: jo@acme.example
    limit:
      description: The enforced quota in bytes; null if there is none.
      type: int
      sample: 5368709120
    used:
      description: The space in use, in bytes, as Dovecot counts it.
      type: int
      sample: 20480
    messages_limit:
      description: The enforced number of messages; null if there is none.
      type: int
      sample: 500000
    messages:
      description: The number of messages.
      type: int
      sample: 312
    disk:
      description: The size of the mail on the disk in bytes, with CRLF line ends, as Dovecot counts
        it; null without O(mail).
      type: int
      sample: 20001
    disk_messages:
      description: The number of messages on the disk; null without O(mail).
      type: int
      sample: 312
packed:
  description: The same as one compressed text.
  type: str
  returned: success and O(packed=true)
errors:
  description: The errors of Dovecot, for instance about users of the list that it does not have.
  type: list
  elements: str
  returned: success
  sample: []
"""

import os
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.reseller.mail.plugins.module_utils._host import quota_recount
from ansible_collections.reseller.mail.plugins.module_utils._host.quota import (
    Quota,
    packed,
    parse,
)


def main() -> None:
    """Return the quotas to Ansible."""
    users = {"type": "path", "default": "/var/lib/reseller-mail/current/dovecot/all_users"}
    module = AnsibleModule(
        argument_spec={
            "users_file": users,
            "mail": {"type": "path"},
            "packed": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    users_file = module.params["users_file"]
    if not os.path.exists(users_file):
        module.fail_json(msg=f"{users_file} does not exist: no generation is installed here")
    if os.path.getsize(users_file) == 0:
        module.exit_json(changed=False, quotas=[], packed=packed([]), errors=[])
    doveadm = [module.get_bin_path("doveadm", required=True), *quota_recount.GET]
    rc, out, err = module.run_command([*doveadm, "-F", users_file])
    try:
        quotas = parse(out)
    except ValueError:
        module.fail_json(
            msg=(f"the output of doveadm quota get cannot be read: {(err or out).strip()[:500]}"),
            rc=rc,
        )
    # If one user fails, the exit status is not zero, but the output has all others.
    if rc != 0 and not quotas:
        module.fail_json(
            msg=f"doveadm quota get failed: {err.strip().partition(chr(10))[0]}",
            rc=rc,
            errors=err.splitlines(),
        )
    if module.params["mail"]:

        def ask(addresses: t.Sequence[str]) -> list[Quota]:
            again = "".join(f"{address}\n" for address in addresses)
            return parse(module.run_command([*doveadm, *quota_recount.USERS], data=again)[1])

        quotas = quota_recount.with_disk(quotas, module.params["mail"], ask)
    answer = (
        {"packed": packed(quotas)}
        if module.params["packed"]
        else {"quotas": [one._asdict() for one in quotas]}
    )
    module.exit_json(changed=False, errors=err.splitlines(), **answer)


if __name__ == "__main__":
    main()
