#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: diagnose
short_description: Name the first cause of a problem with an address or a domain
version_added: 0.1.0
description:
  - Goes step by step from the estate's files, DNS and the mail host to what an external host or a
    user sees. Returns the first step that fails, with its evidence and its remedy. The steps after
    it are V(blocked), because they may fail only for that reason.
  - Six problems have steps - mail does not arrive, does not leave or ends in spam folders, DKIM
    fails, a mail program cannot log in, S/MIME does not work. A relay host that is not approved is
    a fault in the files; the fault names the key.
  - Runs on the controller. The playbook C(reseller.mail.diagnose) asks the hosts first and passes
    their answers in O(hosts). A step that was not asked is V(na).
  - A task that finds a cause succeeds, except with O(fatal).
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
extends_documentation_fragment:
  - reseller.mail.estate
  - reseller.mail.attributes.estate_group
options:
  subject:
    description: An address or a domain.
    type: str
    required: true
  trouble:
    description: The problems to diagnose. Default is all.
    type: list
    elements: str
    choices: [inbound, outbound, spam, dkim, login, smime]
    default: [inbound, outbound, spam, dkim, login, smime]
  hosts:
    description: The answers of the mail hosts.
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
    description: The mailbox's password, if you know it. Then a message is sent from the mailbox to
      itself, and its signature is verified.
    type: str
  offline:
    description: Read only the files and O(hosts). Ask neither DNS nor ports of mail hosts.
    type: bool
    default: false
  resolver:
    description: The address of the resolver that finds the authoritative servers. Empty is the
      controller's resolver.
    type: str
    default: ""
  ca_file:
    description: A file with the only CAs that certificates may come from. Empty is the system's
      CAs.
    type: str
    default: ""
  timeout:
    description: How many seconds to wait for the message that is sent with O(password).
    type: float
    default: 20
  fatal:
    description: Whether the task fails if there is a cause. For scripts.
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
- name: Find in the files why Jo gets no mail
  reseller.mail.diagnose:
    estate: estates/example
    subject: jo@acme.example
    trouble: [inbound]
    offline: true
  delegate_to: localhost
"""

RETURN = r"""
causes:
  description: The first cause of each problem that has one.
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
  description: Every problem that was diagnosed, with its cause and all of its steps.
  type: list
  elements: dict
  returned: success
  contains:
    trouble:
      description: The problem, a choice of O(trouble).
      type: str
      sample: inbound
    cause:
      description: The first step that failed. Null if none failed.
      type: dict
    steps:
      description: The steps in their order, each with C(id) (empty if C(state) is V(blocked)),
        C(asks), C(state), C(source), C(found) and C(remedy).
      type: list
      elements: dict
subject:
  description: The address or the domain.
  type: str
  returned: success
  sample: jo@acme.example
"""
