#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: explain
short_description: Where every value of a mailbox, domain or tenant comes from
version_added: 0.1.0
author:
  - Reseller Mail developers (@reseller-mail)
description:
  - Many keys may stand at several levels - the estate's defaults, the plan's, the account's, the domain's file, the mailbox.
    This tells for each key which value counts, which level says so, and in which file, line and column.
  - Keys that are judged, but that nothing acts on yet, are marked.
  - Runs on the controller alone. It contacts no host, needs no vault password and changes nothing.
extends_documentation_fragment: [reseller.mail.estate]
options:
  subject:
    description: The address of a mailbox, a domain or a tenant.
    type: str
    required: true
  said:
    description: Leaves out what no file says, and what has its default therefore.
    type: bool
    default: false
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
requirements:
  - rich on the controller, for the table.
seealso:
  - module: reseller.mail.validate
  - plugin: reseller.mail.estate
    plugin_type: inventory
"""

EXAMPLES = r"""
- name: Tell why Jo's mailbox is as it is
  reseller.mail.explain:
    estate: estates/example
    subject: jo@acme.example
  delegate_to: localhost
"""

RETURN = r"""
subject:
  description: What was asked about, as the model writes it - domains in A-labels, lower case.
  returned: success
  type: str
  sample: jo@acme.example
effective:
  description: The values that count, in the order of the table.
  returned: success
  type: list
  elements: dict
  contains:
    key:
      description: The key, with a dot before a key of a table.
      type: str
      sample: dmarc.stage
    value:
      description: The value. Sizes are bytes; null is unlimited for limits and quotas, and nothing for other keys.
      type: raw
      sample: observe
    level:
      description: Who says so - V(estate), V(plan), V(account), V(domain), V(mailbox), or V(default) when no file does.
      type: str
      sample: domain
    file:
      description: The file, relative to the estate; null for a default.
      type: str
      sample: tenants/acme/acme.example.yml
    line:
      description: The line, counted from 1; null for a default.
      type: int
      sample: 20
    column:
      description: The column, counted from 1; null for a default.
      type: int
      sample: 16
    acts:
      description: Whether something acts on the key; false when it is only judged.
      type: bool
      sample: true
"""
