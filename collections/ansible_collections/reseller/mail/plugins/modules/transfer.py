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
  - Domains, relay domains, domain aliases, mailboxes, aliases and sender addresses that O(source) owns become O(target)'s, with
    their quota. All of them or none - where O(target) has no room, the task fails and names the missing amounts.
  - Rewrites the tenant's files in place, on the controller. Only the words that name the owner change; comments, order, quotes, layout
    and line ends stay. A domain that only inherited O(source) from the account gets a line C(owner); what inherits its owner from
    its domain keeps inheriting.
  - The result is judged first. Where it would have a fault nothing is written.
  - Hosts notice nothing of a transfer, as only the ledger knows owners. Review and commit the files; who may make that change is
    said by C(ansible-playbook reseller.mail.plan).
extends_documentation_fragment: [reseller.mail.estate]
options:
  tenant:
    description: The tenant, within which the transfer stays.
    type: str
    required: true
  source:
    description: The admin who hands over. Stays an admin, and the account's C(default_owner) where it is that.
    type: str
    required: true
  target:
    description: The admin who receives.
    type: str
    required: true
attributes:
  check_mode:
    description: Judges and tells, and writes nothing.
    support: full
  diff_mode:
    description: Shows the files before and after.
    support: full
  action:
    description: Runs on the controller only.
    support: full
seealso:
  - module: reseller.mail.ledger
"""

EXAMPLES = r"""
- name: Jo takes over from IT
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
  description: What changed its owner, those that inherit included, sorted.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: What it is - V(domain), V(domain alias), V(mailbox), V(alias) or V(sender address).
      type: str
      sample: mailbox
    name:
      description: Its domain or address.
      type: str
      sample: jo@acme.example
moved:
  description: What left the one account for the other. Storage is bytes; C(unlimited) are mailboxes without a quota.
  returned: success
  type: dict
  sample: {domains: 2, domain_aliases: 1, mailboxes: 4, aliases: 3, storage: 8590983168, unlimited: 0}
missing:
  description: The counters for which O(target) has no room.
  returned: when it has none
  type: list
  elements: dict
  contains:
    counter:
      description: The counter.
      type: str
      sample: mailboxes
    needed:
      description: How much would come; null is unlimited.
      type: int
      sample: 4
    left:
      description: How much is left of the limit of O(target).
      type: int
      sample: 3
    missing:
      description: By how much its limit is too small; null where only an unlimited one would do.
      type: int
      sample: 1
"""
