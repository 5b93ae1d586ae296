#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_info
short_description: List the snapshots of a node in the repository of its backups
version_added: 0.1.0
author: Reseller Mail developers (@reseller-mail)
description:
  - Uses the settings that role C(backup) has written on the host.
  - A repository that does not exist has no snapshots. One that cannot be reached or opened fails.
extends_documentation_fragment:
  - reseller.mail.attributes.reads_only
  - reseller.mail.attributes.action_group
"""

EXAMPLES = r"""
- name: See which snapshots there are
  reseller.mail.backup_info:
  register: backup
"""

RETURN = r"""
snapshots:
  description: The snapshots, the oldest first.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Its short id.
      type: str
      sample: 1a2b3c4d
    taken:
      description: When it was taken.
      type: str
      sample: '2026-11-29T02:31:07Z'
"""

from dataclasses import asdict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.reseller.mail.plugins.module_utils._host.backup import settings
from ansible_collections.reseller.mail.plugins.module_utils._host.backup.restic import (
    MissingRepository,
    Restic,
)


def main() -> None:
    """Return the snapshots of the node."""
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    try:
        found = Restic(settings.read()).snapshots()
    except MissingRepository:
        found = []
    except settings.BackupError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, snapshots=[asdict(one) for one in found])


if __name__ == "__main__":
    main()
