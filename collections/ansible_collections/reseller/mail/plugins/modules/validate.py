#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: validate
short_description: Validate the estate's files
version_added: 0.1.0
author:
  - Reseller Mail developers (@reseller-mail)
description:
  - Reads every file of an estate and validates it - syntax, keys, names, ownership, targets,
    placement, features, limits.
  - Reports all faults of all files at once. If there are any, the task fails. The collection's
    C(docs/faults.md) explains every fault, C(docs/reports.md) every form of the report.
  - Warns about what is allowed and probably not meant, if there is no fault.
  - Runs on the controller only. It contacts no host and needs no vault password. It writes only the
    file with the report.
  - No report shows a secret. Source lines show only the values of keys that are known and not
    secret.
extends_documentation_fragment:
  - reseller.mail.estate
  - reseller.mail.attributes.estate_group
options:
  output:
    description: The form of the report.
    type: str
    default: text
    choices:
      text: For people. Each fault has its source line with a mark under the place. At the end is
        the number of faults with each id.
      json: For your own programs, as C(docs/schema/validate.json) describes it.
      github: Workflow commands. GitHub shows them as annotations of a pull request.
      gitlab: A code quality report. GitLab shows it in a merge request.
      sarif: SARIF 2.1.0, for code scanning and editors.
  dest:
    description:
      - A file on the controller to write the report to. Its folders are created. The form
        V(text) is then printed, whatever O(output) is.
      - Without it the report is printed, between Ansible's own lines.
    type: path
  root:
    description:
      - The folder to which the paths of files in reports are relative. The estate is in it.
      - By default the top of the Git repository with the estate; without a repository, the estate.
    type: path
attributes:
  check_mode:
    description: Validates and prints the report as always. Does not write O(dest).
    support: full
  diff_mode:
    description: The module changes nothing that could be compared.
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
- name: Stop if the estate has a fault
  reseller.mail.validate:
    estate: "{{ mail_estate_dir }}"
  delegate_to: localhost
  run_once: true

- name: Write a report for the merge request
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
  description: The number of nodes, plans, tenants and so on.
  returned: success
  type: dict
  sample: {nodes: 2, plans: 2, tenants: 3, domains: 5, domain_aliases: 1, mailboxes: 8, aliases: 3,
    sender_addresses: 1}
without_effect:
  description: The keys in use that are validated, but that hosts do not act on yet.
  returned: success
  type: list
  elements: dict
  contains:
    key:
      description: The kind of file, and the path of the key in it.
      type: str
    times:
      description: How often it is in the estate.
      type: int
  sample: [{key: "account.yml: defaults.branding.logo", times: 2}]
"""
