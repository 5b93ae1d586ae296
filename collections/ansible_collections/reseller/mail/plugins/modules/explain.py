#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: explain
short_description: Show where every value of an address, a domain or a tenant comes from
version_added: 0.1.0
author:
  - Reseller Mail developers (@reseller-mail)
description:
  - Several levels can set a key - the defaults of the estate, of the plan and of the account, the
    domain and the mailbox. The module shows for each key the value that applies, the level that
    sets it, and its file, line and column.
  - For an address that is not a mailbox, V(kind) says what it is, and V(to) where its mail goes.
  - Marks keys that are validated, but that hosts do not act on yet.
  - Runs on the controller only. It contacts no host, needs no vault password and changes nothing.
extends_documentation_fragment:
  - reseller.mail.estate
  - reseller.mail.attributes.estate_group
options:
  subject:
    description: An address, a domain, a domain alias or a tenant. Any address that receives mail is
      known - of mailboxes, aliases and sender addresses, role addresses, addresses of a catch-all
      and of relay domains, also under a domain alias.
    type: str
    required: true
  set_only:
    description: Shows only values that a file sets, not defaults.
    type: bool
    default: false
attributes:
  check_mode:
    description: Runs in the same way, because it changes nothing.
    support: full
  diff_mode:
    description: The module changes nothing that could be compared.
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
- name: Show where the values of Jo's mailbox come from
  reseller.mail.explain:
    estate: estates/example
    subject: jo@acme.example
  delegate_to: localhost
"""

RETURN = r"""
subject:
  description: The subject in its normal form - domains in A-labels, lower case.
  returned: success
  type: str
  sample: jo@acme.example
effective:
  description: The values that apply, in the order of the table.
  returned: success
  type: list
  elements: dict
  contains:
    key:
      description: The key, with a dot before a key of a table.
      type: str
      sample: dmarc.stage
    value:
      description: The value. Sizes are in bytes. For limits and quotas null is unlimited, for other
        keys it is no value.
      type: raw
      sample: observe
    level:
      description: The level that sets it - V(estate), V(plan), V(account), V(domain), V(mailbox),
        V(default) if no file sets it, V(promotion) for a published step below the target.
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
      description: Whether something acts on the key. If false, it is validated only.
      type: bool
      sample: true
"""
