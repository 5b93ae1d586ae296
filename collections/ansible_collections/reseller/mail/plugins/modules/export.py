#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: export
short_description: Write the estate as CSV or JSON
version_added: 0.1.0
author:
  - Reseller Mail developers (@reseller-mail)
description:
  - Writes what the estate's files say - tenants, domains, mailboxes, aliases and every other key of the language - for people with spreadsheets,
    or for other programs. M(reseller.mail.import_estate) makes the same estate of it again.
  - What an export leaves out is printed and returned, so that nobody takes it for a backup.
  - The collection's C(docs/exchange.md) describes both forms. In CSV, a cell that a spreadsheet would take for a formula has an apostrophe before it.
  - Runs on the controller alone. An estate with faults is not exported.
extends_documentation_fragment: [reseller.mail.estate]
options:
  form:
    description:
      - V(csv) writes one sheet a kind of thing, V(json) one file with everything, also nodes and plans.
    type: str
    choices: [csv, json]
    default: csv
  dest:
    description: The folder to write to; relative to the folder that Ansible was started in.
    type: path
    default: build/export
  tenants:
    description: Only these tenants; then without nodes and plans.
    type: list
    elements: str
    default: []
  secrets:
    description:
      - Whether hashes and vaulted values of passwords are written too, as they stand in the files; the files are then readable for their owner only.
      - Nothing is ever decrypted.
    type: bool
    default: false
attributes:
  check_mode:
    description: Says what it would write.
    support: full
  diff_mode:
    description: Shows the files, without secrets.
    support: full
  action:
    description: Runs on the controller.
    support: full
seealso:
  - module: reseller.mail.import_estate
"""

EXAMPLES = r"""
---
- name: Give the tenant its data
  reseller.mail.export:
    estate: "{{ mail_estate_dir }}"
    tenants: [acme]
    dest: build/export/acme
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
dest:
  description: The absolute path of the folder.
  returned: success
  type: str
  sample: /srv/mail/build/export
files:
  description: The files in it.
  returned: success
  type: list
  elements: str
  sample: [admins.csv, aliases.csv, domain_limits.csv, domains.csv, external_ids.csv, mailboxes.csv, sender_addresses.csv, tenants.csv]
omitted:
  description: What is not in them.
  returned: success
  type: list
  elements: str
  sample: ["3 passwords (hashes or vaulted values), which were not asked for"]
"""
