#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: validate
short_description: Judge the estate's files
version_added: 0.1.0
author:
  - Reseller Mail developers (@reseller-mail)
description:
  - Reads every file of an estate and judges it - syntax, keys, names, ownership, targets, placement, features, limits.
  - Every fault of every file is printed at once, one a line as C(file:line:column:\ id:\ what; allowed:\ ...), and then the task fails.
    Every id is explained in the collection's C(docs/faults.md).
  - Runs on the controller alone. It contacts no host, needs no vault password and changes nothing.
options:
  estate:
    description:
      - The estate's directory; the playbook passes the variable C(mail_estate_dir), which the inventory plugin P(reseller.mail.estate#inventory) gives.
      - Without it the task fails.
    type: path
attributes:
  check_mode:
    description: Can run in check mode, as it changes nothing.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
  action:
    description: Runs on the controller.
    support: full
seealso:
  - plugin: reseller.mail.estate
    plugin_type: inventory
"""

EXAMPLES = r"""
---
- name: Stop here unless the estate is without fault
  reseller.mail.validate:
    estate: "{{ mail_estate_dir }}"
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
estate:
  description: The absolute path of the estate.
  returned: success
  type: str
  sample: /srv/mail/estates/example
counts:
  description: How many there are of each thing.
  returned: success
  type: dict
  sample: {nodes: 2, plans: 2, tenants: 3, domains: 5, domain_aliases: 1, mailboxes: 8, aliases: 3, sender_addresses: 1}
"""
