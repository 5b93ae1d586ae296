#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: ledger
short_description: Show allocations against limits
version_added: 0.1.0
author: Reseller Mail developers (@reseller-mail)
description:
  - Counts domains (relay domains included), domain aliases, mailboxes (suspended ones included),
    aliases (sender addresses included), storage and domain admins of every tenant, owner, domain
    and plan, against the limits of plan, account, admin and domain.
  - Shows how much of each node's capacity is allotted.
  - Storage is what is allotted to mailboxes, not what they use. M(reseller.mail.verify_quota) asks
    the hosts for their use.
  - Also works if limits are exceeded, so that you see by how much. Other faults of the estate must
    be repaired first.
  - Runs only on the controller and changes nothing but O(dest).
extends_documentation_fragment:
  - reseller.mail.estate
  - reseller.mail.attributes.estate_group
options:
  tenants:
    description: Only these tenants. Plans and nodes are then left out, because they show numbers of
      other tenants.
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
      - Which tenants the table shows - V(all), or V(near) for those whose mailboxes, aliases or
        storage are near a limit.
      - V(auto) shows all if there are at most 20.
    type: str
    choices: [auto, near, all]
    default: auto
  dest:
    description: A file on the controller. The ledger is written there instead of shown.
    type: path
attributes:
  check_mode:
    description: Makes the ledger, but does not write O(dest).
    support: full
  diff_mode:
    description: Shows O(dest) before and after.
    support: full
  action:
    description: Runs only on the controller.
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
  description: The file that was written, or that would be written in check mode.
  returned: when O(dest) is given
  type: str
  sample: build/acme.csv
ledger:
  description:
    - The whole ledger. O(output=json) is the same. Lists are sorted by name. Sizes are in bytes,
      null is unlimited.
    - Every C(state) is V(ok), V(near) (C(warn_at) percent or more of a limit), V(full) or V(over).
  returned: success
  type: dict
  contains:
    warn_at:
      description: The percentage of a limit from which on it is near, C(quota_policy.warn_at) of
        the estate.
      type: int
      sample: 80
    tenants:
      description: The tenants.
      type: list
      elements: dict
      contains:
        name: &name
          description: The name.
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
            - By counter - C(domains), C(domain_aliases), C(mailboxes), C(aliases), C(storage),
              C(domain_admins), if they exist for this kind.
            - C(limit) is the limit of the line itself. C(left) is what can still be allotted under
              all limits. C(bound_by) is the limit that decides this - V(plan), V(account),
              V(admin), V(domain) or V(capacity).
          type: dict
          sample: {mailboxes: {used: 4, limit: 20, left: 16, percent: 20.0, bound_by: admin, state:
            ok}}
        organisation:
          description: The tenant's name, as people write it.
          type: str
          sample: Acme Corporation
        plan:
          description: Its plan.
          type: str
          sample: business
        node:
          description: The node on which it is placed.
          type: str
          sample: mx1
        tenant_state:
          description: The tenant's own state.
          type: str
          sample: active
        owners:
          description: The same for each admin, for what the admin owns. The sums over owners are
            those of the tenant.
          type: list
          elements: dict
          contains: &line
            name: *name
            state: *state
            unlimited_mailboxes: *unlimited
            counters: *counters
        domains:
          description: The same for each domain, for all owners together. The sums over domains are
            those of the tenant.
          type: list
          elements: dict
          contains:
            <<: *line
            type:
              description: Whether it is a V(mail) or V(relay) domain.
              type: str
              sample: mail
    totals:
      description: By counter, what all shown tenants use, and how many of them are in each state.
      type: dict
      sample: {mailboxes: {used: 8, ok: 3, near: 0, full: 0, over: 0}}
    plans:
      description: For each plan, the sums of what its tenants use and may use. Empty with
        O(tenants).
      type: list
      elements: dict
      contains:
        <<: *line
        tenants: &tenants
          description: The number of tenants.
          type: int
          sample: 2
    nodes:
      description: The storage that is allotted on each node. Empty with O(tenants).
      type: list
      elements: dict
      contains:
        <<: *line
        tenants: *tenants
        capacity:
          description: The capacity in the estate; null if there is none.
          type: int
          sample: 107374182400
        oversell_ratio:
          description: Storage allotted to mailboxes, divided by the capacity.
          type: float
          sample: 0.08
        oversell_limit:
          description: The largest allowed ratio, C(quota_policy.oversell_ratio); null if it is not
            set. A larger ratio is a fault.
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
