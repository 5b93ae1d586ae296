#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: ledger
short_description: Who has been allotted what of what
version_added: 0.1.0
author: Reseller Mail developers (@reseller-mail)
description:
  - Counts domains (relay domains included), domain aliases, mailboxes (suspended ones included), aliases (sender addresses included),
    storage and domain admins of every tenant, owner, domain and plan, against the limits of plan, account, admin and domain.
  - Says how much of each node's capacity is allotted.
  - Storage is what is allotted to mailboxes, not what they use; M(reseller.mail.verify_quota) asks the hosts about that.
  - Counts also where limits are exceeded, so that it can be seen by how much; any other fault of the estate has to be mended first.
  - Runs on the controller alone and changes nothing but O(dest).
extends_documentation_fragment: [reseller.mail.estate]
options:
  tenants:
    description: Only these tenants. Plans and nodes are left out then, as they tell about the others.
    type: list
    elements: str
    default: []
  output:
    description: A table for people, or JSON or CSV for programs.
    type: str
    choices: [table, json, csv]
    default: table
  details:
    description:
      - Which tenants the table shows - V(all), or V(near) for those of which mailboxes, aliases or storage come near to a limit.
      - V(auto) shows all when they are no more than 20.
    type: str
    choices: [auto, near, all]
    default: auto
  dest:
    description: A file on the controller to write to, instead of showing it.
    type: path
attributes:
  check_mode:
    description: Counts all the same, and does not write O(dest).
    support: full
  diff_mode:
    description: Shows O(dest) before and after.
    support: full
  action:
    description: Runs on the controller only.
    support: full
seealso:
  - module: reseller.mail.transfer
  - module: reseller.mail.validate
"""

EXAMPLES = r"""
- name: Show who is near a limit
  reseller.mail.ledger:
    estate: estates/example
    details: near
  delegate_to: localhost

- name: Give acme its ledger as a spreadsheet
  reseller.mail.ledger:
    estate: estates/example
    tenants: [acme]
    output: csv
    dest: build/acme.csv
  delegate_to: localhost
"""

RETURN = r"""
dest:
  description: The file that was written, or would be in check mode.
  returned: when O(dest) is given
  type: str
  sample: build/acme.csv
ledger:
  description:
    - The whole ledger; O(output=json) is the same. Lists are sorted by name. Sizes are bytes, null is unlimited.
    - Every C(state) is V(ok), V(near) (C(warn_at) percent or more of a limit), V(full) or V(over).
  returned: success
  type: dict
  contains:
    warn_at:
      description: From how many percent on something is near its limit; C(quota_policy.warn_at) of the estate.
      type: int
      sample: 80
    tenants:
      description: The tenants.
      type: list
      elements: dict
      contains:
        name: &name
          description: What it is called.
          type: str
          sample: acme
        state: &state
          description: The worst state of its counters.
          type: str
          sample: ok
        unlimited_mailboxes: &unlimited
          description: How many mailboxes have no quota; their storage is not in the sum.
          type: int
          sample: 0
        counters: &counters
          description:
            - By counter - C(domains), C(domain_aliases), C(mailboxes), C(aliases), C(storage), C(domain_admins), as far as they exist for it.
            - C(limit) is the line's own; C(left) is what may still be allotted when all limits above are respected, and C(bound_by)
              whose limit decides that - V(plan), V(account), V(admin), V(domain) or V(capacity).
          type: dict
          sample: {mailboxes: {used: 4, limit: 20, left: 16, percent: 20.0, bound_by: admin, state: ok}}
        organisation:
          description: The tenant's name, as people write it.
          type: str
          sample: Acme Corporation
        plan:
          description: Its plan.
          type: str
          sample: business
        node:
          description: The node it is placed on.
          type: str
          sample: mx1
        tenant_state:
          description: The tenant's own state.
          type: str
          sample: active
        owners:
          description: The same for each admin, of what it owns. The sums over owners are the tenant's.
          type: list
          elements: dict
          contains: &line
            name: *name
            state: *state
            unlimited_mailboxes: *unlimited
            counters: *counters
        domains:
          description: The same for each domain, whoever owns what is in it. The sums over domains are the tenant's.
          type: list
          elements: dict
          contains:
            <<: *line
            type:
              description: Whether it is a V(mail) or V(relay) domain.
              type: str
              sample: mail
    totals:
      description: By counter, what all tenants shown use, and how many of them are in which state.
      type: dict
      sample: {mailboxes: {used: 8, ok: 3, near: 0, full: 0, over: 0}}
    plans:
      description: The sums over each plan's tenants, of what they use and of what they may use. Empty with O(tenants).
      type: list
      elements: dict
      contains:
        <<: *line
        tenants: &tenants
          description: How many tenants.
          type: int
          sample: 2
    nodes:
      description: The storage allotted of each node. Empty with O(tenants).
      type: list
      elements: dict
      contains:
        <<: *line
        tenants: *tenants
        capacity:
          description: What the estate says that its disk holds; null where it does not say.
          type: int
          sample: 107374182400
        oversell_ratio:
          description: Storage allotted to mailboxes, divided by the capacity.
          type: float
          sample: 0.08
        oversell_limit:
          description: What that ratio may be, C(quota_policy.oversell_ratio); null where nothing is said. More is a fault.
          type: float
          sample: 1.5
        sold:
          description: What the limits of its tenants would allow to be allotted; null is unlimited.
          type: int
          sample: 214748364800
        sold_ratio:
          description: The same, divided by the capacity.
          type: float
          sample: 2.0
"""
