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
  - Writes the content of the estate's files for spreadsheets or for other programs. Tenants,
    domains, mailboxes, aliases and every other key of the language are in it.
    M(reseller.mail.import_estate) reads it and makes the same estate.
  - An export is not a backup. What it leaves out is printed and returned.
  - The collection's C(docs/exchange.md) describes both forms. In CSV, a cell that a spreadsheet
    would read as a formula has an apostrophe before it.
  - Runs only on the controller. An estate with faults is not exported.
extends_documentation_fragment:
  - reseller.mail.estate
  - reseller.mail.attributes.estate_group
options:
  form:
    description:
      - V(csv) writes one sheet for each kind of object. V(json) writes one file with everything,
        also nodes and plans.
    type: str
    choices: [csv, json]
    default: csv
  dest:
    description: The folder to write to. A relative path begins in the folder where Ansible was
      started.
    type: path
    default: build/export
  tenants:
    description: Exports only these tenants, without nodes and plans.
    type: list
    elements: str
    default: []
  secrets:
    description:
      - Whether hashes and vaulted values of passwords are written, too, as they are in the files.
        Then only the owner of the exported files can read them.
      - Nothing is ever decrypted.
    type: bool
    default: false
attributes:
  check_mode:
    description: Prints what it would write, and writes nothing.
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
  sample: [admins.csv, aliases.csv, domain_limits.csv, domains.csv, external_ids.csv, mailboxes.csv,
    sender_addresses.csv, tenants.csv]
omitted:
  description: What is not in them.
  returned: success
  type: list
  elements: str
  sample: ["3 passwords (hashes or vaulted values): export them with
    export_secrets=true"]
"""
