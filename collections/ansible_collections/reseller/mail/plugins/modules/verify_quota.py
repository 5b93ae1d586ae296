#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: verify_quota
short_description: Compare the quotas of the files with Dovecot, its usage and the disk
version_added: 0.1.0
description:
  - Asks the Dovecot of a node, through M(reseller.mail.quota_info), for every mailbox's quota and
    usage, and counts the mail on the disk. The controller compares them with the files, and what
    is allotted with the limits.
  - All mailboxes of a domain that are C(ok) are one finding. Every other mailbox is a finding of
    its own.
  - A node that cannot be reached is a finding, not an error.
author: Reseller Mail developers (@reseller-mail)
extends_documentation_fragment:
  - reseller.mail.attributes.reads_only
  - reseller.mail.estate
  - reseller.mail.attributes.estate_group
  - reseller.mail.host.node
options:
  users_file:
    description: The list of mailboxes on the node.
    type: str
    default: /var/lib/reseller-mail/current/dovecot/all_users
  mail:
    description: The folder of all mail on the node.
    type: str
    default: /srv/vmail
  warn_at:
    description: The usage of a mailbox is a V(warn) from this percentage of its quota.
    type: int
    default: 80
seealso:
  - module: reseller.mail.quota_info
  - module: reseller.mail.verify_report
"""

EXAMPLES = r"""
- name: Compare quotas
  reseller.mail.verify_quota:
    estate: "{{ mail_estate_dir }}"
    node: "{{ mail_node }}"
  register: quota
"""

RETURN = r"""
findings:
  description: One entry for each finding, sorted by subject and id.
  type: list
  elements: dict
  returned: success
  sample:
    - id: quota.usage
      subject: jo@acme.example
      state: warn
      expected: below 80 % of 5G
      found: 4.4G, 88 %
      remedy: raise the quota of jo@acme.example in its domain's file, or let its user delete mail
"""
