#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: why
short_description: Tell the way of one message across all nodes
version_added: 0.1.0
description:
  - Explains the log lines of all nodes about one message, in order and in plain words. From whom
    it was received, the results of SPF, DKIM and DMARC, the symbols of the spam filter with their
    weights, what the settings of each mailbox decide, refusals, greylisting, deferrals, and in
    which folder it is.
  - Runs on the controller. The playbook C(reseller.mail.why) reads the logs first and passes them
    in O(hosts).
  - Shows the recipients of a message to those who run it, so it is for the provider.
  - Fails if no log has a line about the message.
author: Reseller Mail developers (@reseller-mail)
attributes:
  action:
    description: Runs on the controller.
    support: full
  check_mode:
    description: Writes its report in check mode too, and changes nothing else.
    support: full
  diff_mode:
    description: Changes nothing, so there is no diff.
    support: N/A
extends_documentation_fragment:
  - reseller.mail.attributes.action_group
options:
  message_id:
    description: The Message-ID, with or without angle brackets, or a queue id.
    type: str
    required: true
  since:
    description: Since when the logs were searched, for the report.
    type: str
    required: true
  hosts:
    description: The answers of the mail hosts.
    type: list
    elements: dict
    required: true
    suboptions:
      node:
        description: The node's name in the estate.
        type: str
        required: true
      log:
        description: The result of M(reseller.mail.mail_log_info) with its option C(message_id).
        type: dict
        required: true
  dir:
    description: The folder on the controller to write C(report.json) to.
    type: path
    default: build/why
requirements:
  - rich on the controller.
seealso:
  - module: reseller.mail.mail_log_info
  - module: reseller.mail.diagnose
"""

EXAMPLES = r"""
- name: Read the log of the host
  reseller.mail.mail_log_info:
    message_id: 20261130140000.3F2A@shop.example
  register: log

- name: Tell the way of the message
  reseller.mail.why:
    message_id: 20261130140000.3F2A@shop.example
    since: -24h
    hosts:
      - node: mx1
        log: "{{ log }}"
  delegate_to: localhost
"""

RETURN = r"""
message:
  description: What was searched, without angle brackets.
  type: str
  returned: success
  sample: 20261130140000.3F2A@shop.example
message_ids:
  description: The Message-IDs of the message.
  type: list
  elements: str
  returned: success
since:
  description: Since when the logs were searched.
  type: str
  returned: success
nodes:
  description: The nodes whose logs were searched.
  type: list
  elements: str
  returned: success
not_searched:
  description: By node why its log was not searched.
  type: dict
  returned: success
outcomes:
  description: What became of the message, by recipient.
  type: dict
  returned: success
  sample:
    jo@acme.example: in the folder Junk
steps:
  description: The way of the message, the oldest step first.
  type: list
  elements: dict
  returned: success
  contains:
    at:
      description: The time in UTC.
      type: str
      sample: '2026-11-30T14:00:00Z'
    time:
      description: The time in microseconds since 1970.
      type: int
    node:
      description: The node.
      type: str
      sample: mx1
    kind:
      description: What happened, V(received), V(filtered), V(settings), V(refused), V(delayed),
        V(queued), V(stored), V(script), V(handed_over), V(deferred), V(bounced), V(held) or
        V(signed).
      type: str
      sample: stored
    queue:
      description: The queue id on the node. Empty if the line has none.
      type: str
    text:
      description: The step in plain words.
      type: str
      sample: 'jo@acme.example: stored in the folder Junk'
    details:
      description: More about the step, such as the symbols of the filter.
      type: list
      elements: str
    outcome:
      description: By recipient what became of the message in this step.
      type: dict
    queued_as:
      description: The queue id that the next host gave the message. Empty if there is none.
      type: str
dir:
  description: The folder with the report.
  type: str
  returned: success
  sample: build/why
"""
