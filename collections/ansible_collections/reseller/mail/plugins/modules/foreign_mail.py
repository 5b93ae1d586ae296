#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: foreign_mail
short_description: Refuse a host with a mail configuration that is not ours
version_added: 0.1.0
author: Reseller Mail developers (@reseller-mail)
description:
  - Fails if Postfix, Exim, Dovecot or OpenDKIM of the host has a configuration that somebody wrote,
    if nginx has another default site than Debian's, or if another mail server is installed.
  - What Debian itself installs is no such configuration, neither are unchanged files of packages.
    An Exim or a Postfix that Debian has configured for local mail only is accepted. The first run
    replaces it.
  - A host that this collection has configured before is never refused.
extends_documentation_fragment:
  - reseller.mail.attributes.action_group
  - reseller.mail.host.root
options:
  adopt:
    description:
      - Copy the files of the other configuration into O(backup) and succeed, with a warning that
        names them.
      - A program that uses the same ports, and that apt does not remove for Postfix, must be
        removed before.
    type: bool
    default: false
  backup:
    description: The folder of the copies. Each run that adopts a host makes a folder in it, whose
      name is the time.
    type: path
    default: /var/backups/reseller-mail
attributes:
  check_mode:
    description: Refuses as well, and copies nothing.
    support: full
  diff_mode:
    description: The warning names what is copied.
    support: none
"""

EXAMPLES = r"""
- name: Refuse a host with a mail configuration that is not ours
  reseller.mail.foreign_mail:
"""

RETURN = r"""
found:
  description: For each mail program with a configuration that is not ours, its name and what shows
    it.
  type: list
  elements: str
  returned: always
  sample: ["Postfix (/etc/postfix/main.cf)"]
copied:
  description: The files and folders that were copied.
  type: list
  elements: str
  returned: always
  sample: [/etc/postfix, /etc/aliases]
backup:
  description: The folder that has the copies now; empty if nothing was copied.
  type: str
  returned: always
  sample: /var/backups/reseller-mail/20261129T030000Z
"""

import time
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.reseller.mail.plugins.module_utils._host import foreign_mail


def main() -> None:
    """Return what was found, after a copy if the host is adopted."""
    module = AnsibleModule(
        argument_spec={
            "root": {"type": "path", "default": "/var/lib/reseller-mail"},
            "adopt": {"type": "bool", "default": False},
            "backup": {"type": "path", "default": "/var/backups/reseller-mail"},
        },
        supports_check_mode=True,
    )

    def run(command: list[str]) -> tuple[int, str, str]:
        """Return exit status, output and errors of a command."""
        done: tuple[int, str, str] = module.run_command(command)
        return done

    host = foreign_mail.Host(run)
    ours = foreign_mail.is_ours(host, module.params["root"])
    found = [] if ours else foreign_mail.find(host)
    result: dict[str, t.Any] = {"found": [str(one) for one in found], "copied": [], "backup": ""}
    if not found:
        module.exit_json(changed=False, **result)
    if not module.params["adopt"] or any(one.remove for one in found):
        module.fail_json(msg=foreign_mail.refusal(found), **result)
    paths = foreign_mail.folders_to_keep(host, found)
    target = foreign_mail.place(module.params["backup"], time.time())
    try:
        if not module.check_mode:
            foreign_mail.copy_aside(run, paths, target)
    except OSError as error:
        module.fail_json(msg=str(error), **result)
    module.warn(foreign_mail.adopted(found, paths, target))
    module.exit_json(changed=True, **{**result, "copied": paths, "backup": target})


if __name__ == "__main__":
    main()
