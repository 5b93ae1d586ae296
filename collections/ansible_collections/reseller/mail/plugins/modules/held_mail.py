#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: held_mail
short_description: List, release or delete the mail of a sender that is on hold
version_added: 0.1.0
author: Reseller Mail developers (@reseller-mail)
description:
  - A suspension with C(queued=hold), such as the profile C(abuse), puts what its senders have in
    the queue on hold. This module finds that mail, sends it or deletes it.
  - The login that sent a message counts. Without a login its envelope sender counts.
  - Mail that arrived for suspended mailboxes is not touched. It is released when the suspension
    ends.
extends_documentation_fragment:
  - reseller.mail.attributes.action_group
options:
  subject:
    description: The address of a mailbox, or a domain for all its mailboxes.
    type: str
    required: true
  state:
    description:
      - V(listed) changes nothing.
      - V(released) queues the mail anew, so that it is sent now.
      - V(deleted) deletes it. This cannot be undone.
    type: str
    choices: [listed, released, deleted]
    default: listed
attributes:
  check_mode:
    description: Returns what would be released or deleted.
    support: full
  diff_mode:
    description: There are no files to show.
    support: none
"""

EXAMPLES = r"""
- name: See what a compromised mailbox has in the queue
  reseller.mail.held_mail:
    subject: jo@acme.example

- name: Delete it
  reseller.mail.held_mail:
    subject: jo@acme.example
    state: deleted
"""

RETURN = r"""
messages:
  description: The messages, in the order of the queue.
  returned: success
  type: list
  elements: dict
  contains:
    queue_id:
      description: The name of the message in the queue, before it is queued anew.
      type: str
      sample: 4bRz5x1Hq2zB
    sender:
      description: The envelope sender.
      type: str
      sample: jo@acme.example
    login:
      description: The login that sent it, or nothing.
      type: str
      sample: jo@acme.example
    recipients:
      description: The recipients that do not have it yet.
      type: list
      elements: str
      sample: [ann@globex.example]
    bytes:
      description: The size of the message.
      type: int
      sample: 1480
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.reseller.mail.plugins.module_utils._host import generation, held_mail


def main() -> None:
    """List, release or delete the messages."""
    module = AnsibleModule(
        argument_spec={
            "subject": {"type": "str", "required": True},
            "state": {
                "type": "str",
                "choices": ["listed", "released", "deleted"],
                "default": "listed",
            },
        },
        supports_check_mode=True,
    )
    state = module.params["state"]
    try:
        found = held_mail.held(module.run_command, module.params["subject"].strip().lower())
        ids = [one["queue_id"] for one in found]
        if state == "released" and not module.check_mode:
            held_mail.release(ids, module.run_command)
        elif state == "deleted" and not module.check_mode:
            held_mail.delete(ids, module.run_command)
    except generation.GenerationError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=bool(found) and state != "listed", messages=found)


if __name__ == "__main__":
    main()
