#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: platform_record
short_description: Record which platform a host has
version_added: 0.1.0
author: Reseller Mail developers (@reseller-mail)
description:
  - The platform is what the roles install and configure on a mail host. Playbook C(site) records
    it when everything is done. Playbook C(tenants), which changes the tenants' data only, refuses
    a host without the record, and a host with another platform than that of the collection. It
    compares them with M(reseller.mail.node_history).
  - The record is C(platform.json) in the folder of the platform. It has the version of the
    collection; a digest of the files of the collection that configure hosts, which are the roles
    that C(site) applies to nodes and the programs that these roles install; and what the estate
    says about the nodes themselves, such as their addresses and the algorithms of DKIM.
  - A change elsewhere in the collection, such as in a module for tenants' data, in a playbook or in
    a page, does not change the digest.
extends_documentation_fragment:
  - reseller.mail.attributes.estate_group
  - reseller.mail.host.root
  - reseller.mail.host.node
  - reseller.mail.estate.required
options:
  wanted:
    description: The record of this collection and estate. The controller fills it in.
    type: dict
attributes:
  check_mode:
    support: full
    description: Writes nothing.
  diff_mode:
    support: full
    description: Shows the version and the digest.
seealso:
  - module: reseller.mail.node_history
"""

EXAMPLES = r"""
- name: Record the platform, as the last task of a play
  reseller.mail.platform_record:
    estate: "{{ mail_estate_dir }}"
    node: "{{ mail_node }}"
"""

RETURN = r"""
platform:
  description: The digest of this collection's platform.
  returned: always
  type: str
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.reseller.mail.plugins.module_utils._host import platform_record


def main() -> None:
    """Write the record of the host if it differs."""
    module = AnsibleModule(
        argument_spec={
            "estate": {"type": "path", "required": True},
            "node": {"type": "str", "required": True},
            "root": {"type": "path", "default": "/var/lib/reseller-mail"},
            "wanted": {"type": "dict"},
        },
        required_by={"estate": ("wanted",)},
        supports_check_mode=True,
    )
    root = Path(module.params["root"])
    wanted = platform_record.Record(**module.params["wanted"])
    recorded = platform_record.read(root)
    changed = recorded != wanted
    if changed and not module.check_mode:
        try:
            platform_record.write(root, wanted)
        except OSError as error:
            module.fail_json(msg=f"the platform was not recorded: {error}")
    before = f"~ platform {recorded.platform[:12]}" if recorded else "+ platform"
    line = f"{before} {wanted.platform[:12]} of version {wanted.collection}\n"
    module.exit_json(
        changed=changed, platform=wanted.platform, diff={"prepared": line if changed else ""}
    )


if __name__ == "__main__":
    main()
