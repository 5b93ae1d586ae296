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
  - Every fault of every file is told at once, and then the task fails. Every id is explained in the collection's C(docs/faults.md), every
    form of the report in C(docs/reports.md).
  - Runs on the controller alone. It contacts no host, needs no vault password and changes nothing but the report's file.
  - No report shows a secret. Of source lines only the values of keys that are known and not secret are shown.
extends_documentation_fragment: [reseller.mail.estate]
options:
  output:
    description: How faults are told.
    type: str
    default: text
    choices:
      text: For people. Each fault with its line and a mark under the place, and at the end how many there are of each id.
      json: For programs of one's own, as C(docs/schema/validate.json) describes it.
      github: Workflow commands, which GitHub shows as annotations of a pull request.
      gitlab: A code quality report, which GitLab shows in a merge request.
      sarif: SARIF 2.1.0, for code scanning and editors.
  dest:
    description:
      - A file on the controller that the report is written to, its folders included. What is printed then is the text, whatever O(output) says.
      - Without it the report is printed, between Ansible's own lines.
    type: path
  root:
    description:
      - The folder that the paths of files in reports are relative to; the estate lies in it.
      - Without it, it is the top of the Git repository that the estate lies in; where there is none, the estate.
    type: path
attributes:
  check_mode:
    description: Judges as always; a report is printed, but O(dest) is not written.
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

- name: Leave a report for the merge request
  reseller.mail.validate:
    estate: "{{ mail_estate_dir }}"
    output: gitlab
    dest: gl-code-quality-report.json
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
estate:
  description: The absolute path of the estate.
  returned: always
  type: str
  sample: /srv/mail/estates/example
counts:
  description: How many there are of each thing.
  returned: success
  type: dict
  sample: {nodes: 2, plans: 2, tenants: 3, domains: 5, domain_aliases: 1, mailboxes: 8, aliases: 3, sender_addresses: 1}
without_effect:
  description: The keys that stand in the estate and are judged, but that nothing acts on yet.
  returned: success
  type: list
  elements: dict
  contains:
    key:
      description: The kind of file, and the path of the key in it.
      type: str
    times:
      description: How often it stands in the estate.
      type: int
  sample: [{key: "account.yml: defaults.retention", times: 2}]
"""
