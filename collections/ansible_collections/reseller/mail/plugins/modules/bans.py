#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: bans
short_description: List or end the bans of a mail host
version_added: 0.1.0
author: Reseller Mail developers (@reseller-mail)
description:
  - Finds the networks that fail2ban has banned with the jails of role C(firewall), and ends their
    bans. Bans of other jails are not touched.
  - A network whose ban has ended begins anew. Its next ban is as long as the first.
extends_documentation_fragment:
  - reseller.mail.attributes.action_group
options:
  subject:
    description:
      - An address, or a network for all bans in it and around it.
      - The address of a mailbox, for the networks that gave wrong passwords for it. They are in the
        log of the host.
      - V(all) for all bans.
    type: str
    default: all
  state:
    description: V(listed) changes nothing. V(ended) ends the bans.
    type: str
    choices: [listed, ended]
    default: listed
attributes:
  check_mode:
    description: Returns the bans that would end.
    support: full
  diff_mode:
    description: There are no files to show.
    support: none
"""

EXAMPLES = r"""
- name: See who is banned
  reseller.mail.bans:
  register: bans

- name: Let a customer in again
  reseller.mail.bans:
    subject: 192.0.2.7
    state: ended
"""

RETURN = r"""
bans:
  description: The bans that were found. With O(state=ended) and without check mode they have ended.
  returned: success
  type: list
  elements: dict
  contains:
    network:
      description: The address, or the /64 of an IPv6 address.
      type: str
      sample: 192.0.2.7
    reason:
      description: Why it is banned.
      type: str
      sample: wrong passwords
    since:
      description: When the ban began.
      type: str
      sample: '2026-11-30T14:00:00Z'
    until:
      description: When the ban would end.
      type: str
      sample: '2026-11-30T15:00:00Z'
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.reseller.mail.plugins.module_utils._host import bans, facts


def main() -> None:
    """List or end bans."""
    module = AnsibleModule(
        argument_spec={
            "subject": {"type": "str", "default": bans.ALL},
            "state": {"type": "str", "choices": ["listed", "ended"], "default": "listed"},
        },
        supports_check_mode=True,
    )
    ends, run = module.params["state"] == "ended", facts.runner(module.run_command)
    try:
        found = bans.of_subject(bans.banned(run), module.params["subject"].strip().lower(), run)
        if ends and not module.check_mode:
            bans.unban(found, run)
    except bans.BansError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=bool(found) and ends, bans=[one.as_dict() for one in found])


if __name__ == "__main__":
    main()
