#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: host_info
short_description: Tell how a mail host is - services, sockets, space, queue, generation and clock
version_added: 0.1.0
author: Reseller Mail developers (@reseller-mail)
description:
  - Reads only, and judges nothing. M(reseller.mail.verify_host) does that on the controller, by what the estate says of the host.
  - Each socket that Postfix asks is connected to, and must answer as its service does.
options:
  root:
    description: The folder of the mail platform on the host.
    type: path
    default: /var/lib/reseller-mail
  mail:
    description: The folder of all mail.
    type: path
    default: /srv/vmail
extends_documentation_fragment: [reseller.mail.attributes.reads_only]
seealso:
  - module: reseller.mail.verify_host
"""

EXAMPLES = r"""
- name: Ask the host how it is
  reseller.mail.host_info:
  register: host
"""

RETURN = r"""
host:
  description: What was found.
  type: dict
  returned: success
  contains:
    now:
      description: The host's clock, in seconds since 1970.
      type: float
    units:
      description: By unit C(load), C(active) and C(enabled), as systemd names them.
      type: dict
    watched:
      description: Our enabled timers, paths and sockets.
      type: list
      elements: str
    failed:
      description: Every failed unit.
      type: list
      elements: str
    sockets:
      description: Every socket that Postfix asks, with C(path) and C(error), which is empty when it answers.
      type: list
      elements: dict
    filesystems:
      description: For the queue, the mail, the platform's folder and the root C(path), C(device), C(size), C(free), C(inodes) and C(inodes_free).
      type: list
      elements: dict
    queue:
      description: >-
        C(messages) and C(held), how old the oldest message is (C(oldest)) and the oldest that was not tried yet (C(oldest_new)), in seconds; C(error) when it
        cannot be read.
      type: dict
    queue_folder:
      description: The folder of Postfix's queue.
      type: str
    queue_minimum:
      description: The free bytes below which Postfix refuses all mail.
      type: int
    generation:
      description: C(current), C(activated), C(drift) as text, and C(error) when it cannot be read.
      type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.reseller.mail.plugins.module_utils import _host_facts


def main() -> None:
    options = {
        "root": {"type": "path", "default": "/var/lib/reseller-mail"},
        "mail": {"type": "path", "default": "/srv/vmail"},
    }
    module = AnsibleModule(argument_spec=options, supports_check_mode=True)

    def run(command: list[str]) -> tuple[int, str, str]:
        try:
            done: tuple[int, str, str] = module.run_command(command, handle_exceptions=False)
        except OSError as error:  # a program that is not there is an answer, too
            return 127, "", f"{command[0]}: {error.strerror}"
        return done

    module.exit_json(
        changed=False, host=_host_facts.facts(run, module.params["root"], module.params["mail"])
    )


if __name__ == "__main__":
    main()
