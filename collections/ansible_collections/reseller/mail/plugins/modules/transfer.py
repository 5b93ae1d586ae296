#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: transfer
short_description: Move everything that one admin of a tenant owns to another
version_added: 0.1.0
author: Reseller Mail developers (@reseller-mail)
description:
  - O(target) becomes the owner of everything that O(source) owns. These are domains, relay
    domains, domain aliases, mailboxes, aliases and sender addresses, with their quota. All or
    nothing is moved. If the limits of O(target) are too low, the task fails and names the missing
    amounts.
  - Rewrites the tenant's files in place, on the controller. Only the owners change. Comments,
    order, quotes, layout and line ends stay. A domain that inherits O(source) from the account
    gets a line C(owner). What inherits its owner from its domain still inherits it.
  - The result is validated first. If it has a fault, nothing is written.
  - A transfer changes nothing on hosts, because only the ledger uses owners. Review and commit
    the files. C(ansible-playbook reseller.mail.plan) shows who may make this change.
extends_documentation_fragment:
  - reseller.mail.estate
  - reseller.mail.attributes.estate_group
options:
  tenant:
    description: The tenant of both admins.
    type: str
    required: true
  source:
    description: The admin whose objects are moved. This admin stays an admin, and stays the
      account's C(default_owner).
    type: str
    required: true
  target:
    description: The admin who gets them.
    type: str
    required: true
attributes:
  check_mode:
    description: Validates the result, prints it, and writes nothing.
    support: full
  diff_mode:
    description: Shows the files before and after.
    support: full
  action:
    description: Runs only on the controller.
    support: full
seealso:
  - module: reseller.mail.ledger
"""

EXAMPLES = r"""
- name: Move everything of IT to Jo
  reseller.mail.transfer:
    estate: estates/example
    tenant: acme
    source: it@acme.example
    target: jo@acme.example
  delegate_to: localhost
"""

RETURN = r"""
files:
  description: The files that were written, or would be in check mode, below the estate, sorted.
  returned: success
  type: list
  elements: str
  sample: [tenants/acme/acme.example.yml]
changes:
  description: What has another owner, also by inheritance, sorted.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: What it is - V(domain), V(domain alias), V(mailbox), V(alias) or V(sender
        address).
      type: str
      sample: mailbox
    name:
      description: Its domain or address.
      type: str
      sample: jo@acme.example
moved:
  description: What moved from one account to the other. Storage is in bytes. C(unlimited) is the
    number of mailboxes without a quota.
  returned: success
  type: dict
  sample: {domains: 2, domain_aliases: 1, mailboxes: 4, aliases: 3, storage: 8590983168, unlimited:
    0}
missing:
  description: The counters for which the limits of O(target) are too low.
  returned: when a limit is too low
  type: list
  elements: dict
  contains:
    counter:
      description: The counter.
      type: str
      sample: mailboxes
    needed:
      description: How much would be added; null is unlimited.
      type: int
      sample: 4
    left:
      description: How much is left of the limit of O(target).
      type: int
      sample: 3
    missing:
      description: By how much the limit is too low; null if only unlimited is enough.
      type: int
      sample: 1
"""
