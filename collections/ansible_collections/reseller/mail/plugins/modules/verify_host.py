#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: verify_host
short_description: Verify that a mail host works
version_added: 0.1.0
description:
  - Asks the node, through M(reseller.mail.host_info), about its services and their sockets, disk
    space and inodes, queue, generation, clock, backups and failed units. The controller compares
    the answers with the limits.
  - While one of these findings is V(fail), M(reseller.mail.verify_report) sets findings that depend
    on it to V(blocked).
  - A node that cannot be reached is a finding, not an error.
author: Reseller Mail developers (@reseller-mail)
extends_documentation_fragment:
  - reseller.mail.attributes.reads_only
  - reseller.mail.estate
  - reseller.mail.attributes.estate_group
  - reseller.mail.host.root
  - reseller.mail.host.node
  - reseller.mail.host.mail
options:
  disk_warn:
    description: C(host.disk) is a V(warn) below this percentage of free space or inodes.
    type: int
    default: 10
  disk_fail:
    description: C(host.disk) is a V(fail) below this percentage of free space or inodes.
    type: int
    default: 5
  queue_length:
    description: How many messages may wait in the queue.
    type: int
    default: 1000
  queue_age:
    description: How many minutes a message may wait for its first attempt.
    type: int
    default: 60
  clock_skew:
    description: By how many seconds the host's clock may differ from the controller's.
    type: int
    default: 60
  antivirus_age:
    description: By how many days the virus database may be older than the host's clock.
    type: int
    default: 7
  backup_age:
    description: How many hours old the last complete backup may be, if the host makes backups.
    type: int
    default: 26
seealso:
  - module: reseller.mail.host_info
  - module: reseller.mail.verify_report
"""

EXAMPLES = r"""
- name: Verify the host
  reseller.mail.verify_host:
    estate: "{{ mail_estate_dir }}"
    node: "{{ mail_node }}"
  register: host
"""

RETURN = r"""
findings:
  description: One entry for each finding, sorted by subject and id.
  type: list
  elements: dict
  returned: success
  sample:
    - id: host.guard
      subject: mx1.hosting.example
      state: fail
      expected: reseller-mail-guard.service runs, 1 sockets answer
      found: reseller-mail-guard.service is inactive; /var/spool/postfix/guard/guard.sock connection
        refused
      remedy: systemctl status reseller-mail-guard.service; systemctl start
        reseller-mail-guard.service
homes:
  description: The host of every name that the node serves, for M(reseller.mail.verify_report).
  type: dict
  returned: success
  sample: {acme.example: mx1.hosting.example}
"""
