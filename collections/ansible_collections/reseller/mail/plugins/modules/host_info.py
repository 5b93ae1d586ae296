#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: host_info
short_description: Return facts about the services, disk, queue, generation and clock of a mail host
version_added: 0.1.0
author: Reseller Mail developers (@reseller-mail)
description:
  - Reads only. M(reseller.mail.verify_host) compares the facts with the estate and with the limits,
    on the controller.
  - Connects to each socket that Postfix uses, and expects the answer of its service.
extends_documentation_fragment:
  - reseller.mail.attributes.reads_only
  - reseller.mail.attributes.action_group
  - reseller.mail.host.root
  - reseller.mail.host.mail
seealso:
  - module: reseller.mail.verify_host
"""

EXAMPLES = r"""
- name: Read the facts of the host
  reseller.mail.host_info:
  register: host
"""

RETURN = r"""
host:
  description: The facts.
  type: dict
  returned: success
  contains:
    now:
      description: The host's clock, in seconds since 1970.
      type: float
    units:
      description: For each unit its C(load), C(active) and C(enabled), in the words of systemd.
      type: dict
    watched:
      description: The enabled timers, paths and sockets of this collection.
      type: list
      elements: str
    failed:
      description: Every failed unit.
      type: list
      elements: str
    sockets:
      description: Every socket that Postfix uses, and that of the virus scanner, with C(path) and
        C(error), which is empty if it answers.
      type: list
      elements: dict
    filesystems:
      description: For the queue, the mail, the platform's folder and the root C(path), C(device),
        C(size), C(free), C(inodes) and C(inodes_free).
      type: list
      elements: dict
    queue:
      description: >-
        The numbers C(messages) and C(held); the age in seconds of the oldest message (C(oldest))
        and of the oldest one without a first attempt (C(oldest_new)); C(error) if the queue cannot
        be read.
      type: dict
    antivirus:
      description: What becomes of mail with attachments while they cannot be scanned
        (C(when_down)), empty without a virus scanner; when the virus C(database) was built, in
        seconds since 1970.
      type: dict
    queue_folder:
      description: The folder of Postfix's queue.
      type: str
    queue_minimum:
      description: The free bytes below which Postfix refuses all mail.
      type: int
    firewall:
      description: Whether the host bans (C(wanted)); the C(bans), as M(reseller.mail.bans) returns
        them; the networks that are banned and not refused (C(open)); why the nftables table
        (C(table)) or C(fail2ban) cannot be read.
      type: dict
    backup:
      description: Whether the host makes backups (C(wanted)), and its record of the last backup and
        of the last check of the repository. C(age) is that of the last backup, in seconds.
      type: dict
    generation:
      description: C(current), C(activated), C(drift) as text, and C(error) if it cannot be read.
      type: dict
    retention:
      description: For each tenant what the host keeps of mailboxes that left the files (C(kept));
        mail and passwords that no file and no manifest knows (C(orphans)); C(error) if that cannot
        be read.
      type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.reseller.mail.plugins.module_utils._host import facts


def main() -> None:
    """Return the host's facts to Ansible."""
    options = {
        "root": {"type": "path", "default": "/var/lib/reseller-mail"},
        "mail": {"type": "path", "default": "/srv/vmail"},
    }
    module = AnsibleModule(argument_spec=options, supports_check_mode=True)

    run = facts.runner(module.run_command)
    module.exit_json(
        changed=False, host=facts.facts(run, module.params["root"], module.params["mail"])
    )


if __name__ == "__main__":
    main()
