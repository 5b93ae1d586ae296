#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: diagnose
short_description: Name the first cause of the trouble with an address or a domain
version_added: 0.1.0
description:
  - Walks from the estate's files by DNS and the mail host to what a stranger or a user gets to hear, and names the first thing that is wrong, the
    evidence and the remedy. What comes after it is V(blocked), because it may merely follow from it.
  - Six kinds of trouble have a way of their own - mail does not arrive (S3-36), does not leave or ends in spam folders (S3-37), DKIM fails (S3-38),
    a mail program cannot log in (S3-39), S/MIME does not work (S3-40). A host that nobody approved (S3-35) is a fault of the files and names the key.
  - Runs on the controller. The playbook C(reseller.mail.diagnose) asks the hosts before and hands over what they said;
    what was not asked is V(na).
  - Finding a cause is what it is for, so the task succeeds; see O(fatal).
author: Reseller Mail developers (@reseller-mail)
attributes:
  action:
    description: Runs on the controller.
    support: full
  check_mode:
    description: Changes nothing. With O(password) two messages are sent and deleted again.
    support: full
  diff_mode:
    description: Changes nothing, so there is nothing to show.
    support: N/A
extends_documentation_fragment: [reseller.mail.estate]
options:
  subject:
    description: An address or a domain.
    type: str
    required: true
  trouble:
    description: What somebody complains about; all of it by default.
    type: list
    elements: str
    choices: [inbound, outbound, spam, dkim, login, smime]
    default: [inbound, outbound, spam, dkim, login, smime]
  hosts:
    description: What the mail hosts said.
    type: list
    elements: dict
    default: []
    suboptions:
      node:
        description: The node's name in the estate.
        type: str
        required: true
      address:
        description: The result of M(reseller.mail.address_info).
        type: dict
        required: true
      health:
        description: The result of M(reseller.mail.host_info).
        type: dict
        default: {}
      log:
        description: The result of M(reseller.mail.mail_log_info).
        type: dict
        required: true
  password:
    description: The mailbox's password, where it is known. Then a message is sent to itself, and its signature verified.
    type: str
  offline:
    description: Asks the files and O(hosts) only, neither DNS nor mail hosts' doors.
    type: bool
    default: false
  resolver:
    description: The address of the resolver that finds the authoritative servers; empty for the controller's own.
    type: str
    default: ""
  ca_file:
    description: A file with the only CAs that certificates may come from; empty for the system's.
    type: str
    default: ""
  timeout:
    description: Seconds to wait for the message that is sent with O(password).
    type: float
    default: 20
  fatal:
    description: Whether the task fails when there is a cause, for scripts.
    type: bool
    default: false
requirements:
  - dnspython and rich on the controller; C(dkimpy[ed25519]) for O(password).
seealso:
  - module: reseller.mail.address_info
  - module: reseller.mail.host_info
  - module: reseller.mail.mail_log_info
  - module: reseller.mail.verify_dns
"""

EXAMPLES = r"""
- name: See from the files alone why Jo gets no mail
  reseller.mail.diagnose:
    estate: estates/example
    subject: jo@acme.example
    trouble: [inbound]
    offline: true
  delegate_to: localhost
"""

RETURN = r"""
causes:
  description: The first cause of each trouble that has one.
  type: list
  elements: dict
  returned: success
  sample:
    - trouble: inbound
      id: dns.mx_missing
      asks: the MX is ours
      state: fail
      source: DNS
      found: no MX
      remedy: publish acme.example. 3600 IN MX 10 mx1.hosting.example.
troubles:
  description: Every trouble that was asked about, with its cause and all of its steps.
  type: list
  elements: dict
  returned: success
  contains:
    trouble:
      description: Which.
      type: str
      sample: inbound
    cause:
      description: The first step that failed; null when none did.
      type: dict
    steps:
      description: What was asked, in order, with C(id) (empty when C(state) is V(blocked)), C(asks), C(state), C(source), C(found) and C(remedy).
      type: list
      elements: dict
subject:
  description: What was asked about.
  type: str
  returned: success
  sample: jo@acme.example
"""
