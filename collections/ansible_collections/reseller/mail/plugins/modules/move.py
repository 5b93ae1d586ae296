#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: move
short_description: Decide whether a tenant can move to another node, and write its new placement
version_added: 0.1.0
author: Reseller Mail developers (@reseller-mail)
description:
  - Compares what hosts have of a tenant with the estate, on the controller, and says from which
    node it moves, and how far an earlier run came.
  - Fails, and changes nothing, for an unknown tenant or node, if the tenant is on O(to) already, if
    O(to) has other mail of the tenant, or if there is no room.
  - The playbook C(reseller.mail.move) uses it. M(reseller.mail.move_mail) does the work on hosts.
extends_documentation_fragment:
  - reseller.mail.estate
  - reseller.mail.attributes.estate_group
options:
  tenant:
    description: The name of the tenant.
    type: str
    required: true
  to:
    description: The name of the new node.
    type: str
    required: true
  found:
    description: What M(reseller.mail.move_mail) found on the hosts, by node.
    type: dict
    required: true
  keep_free:
    description: How much of its disk the new node keeps free, as a size such as V(1G).
    type: str
    default: 1G
  write:
    description: Whether to write O(to) as C(placement) into the tenant's C(account.yml).
    type: bool
    default: false
attributes:
  check_mode:
    description: Decides, and writes nothing.
    support: full
  diff_mode:
    description: Shows the file before and after.
    support: full
  action:
    description: Runs only on the controller.
    support: full
seealso:
  - module: reseller.mail.move_mail
"""

EXAMPLES = r"""
- name: See from where a tenant moves
  reseller.mail.move:
    estate: estates/example
    tenant: acme
    to: mx2
    found: "{{ facts_by_node }}"
  delegate_to: localhost
"""

RETURN = r"""
source:
  description: The node that has the tenant's mail until now.
  returned: success
  type: str
  sample: mx1
stage:
  description: How far the move is. C(served) by the former node, C(put_away) there for the new
    node, or C(switched) to the new node.
  returned: success
  type: str
  sample: served
addresses:
  description: The addresses of each node, by its name.
  returned: success
  type: dict
  sample: {mx1: [192.0.2.3], mx2: [192.0.2.4]}
"""
