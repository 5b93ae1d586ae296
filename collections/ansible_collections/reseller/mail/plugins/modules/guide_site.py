#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: guide_site
short_description: Install the guide's pages on a node, each page only for its tenant
version_added: 0.1.0
description:
  - Makes the pages of M(reseller.mail.guide) for the tenants of the node and installs them in the
    folder that nginx serves (role C(guide)).
  - The user name of a tenant is the tenant's name. One password opens the pages of all its domains.
    The password is made once and written to a file on the controller. The node keeps a hash. Pages
    and passwords of domains and tenants that left the estate are removed.
author: Reseller Mail developers (@reseller-mail)
attributes:
  check_mode:
    description: Shows what it would change.
    support: full
  diff_mode:
    description: Shows the names of the files, links and passwords that change.
    support: full
extends_documentation_fragment:
  - reseller.mail.estate
  - reseller.mail.attributes.estate_group
  - reseller.mail.host.node
options:
  initial_passwords:
    description: The CSV file on the controller that new passwords are added to, C(tenant,password),
      mode 0600.
    type: path
    required: true
  recipients:
    description: The age recipients that may read new passwords, see
      O(reseller.mail.credentials#module:recipients). Each run with new passwords then writes a
      new encrypted file.
    type: list
    elements: str
    default: []
  reset:
    description: Tenants that get a new password. Set it for one run only, because each run with it
      makes new passwords.
    type: list
    elements: str
    default: []
  report:
    description: The last report of M(reseller.mail.verify_report). Without it, all states are "not
      checked".
    type: path
    default: build/verify/report.json
  findings:
    description: Findings to use instead of those in O(report).
    type: list
    elements: dict
  checked:
    description: The time of the findings in UTC. Default is the time of O(report).
    type: str
    default: ""
  logos:
    description: A folder with pictures on the controller, see M(reseller.mail.guide).
    type: path
  root:
    description: The folder on the node.
    type: path
    default: /var/lib/reseller-mail/guide
  group:
    description: The group of the web server.
    type: str
    default: www-data
  pages:
    description: The archive of pages on the host. The controller fills it in.
    type: path
  tenants:
    description: The tenants by domain. The controller fills it in.
    type: dict
    default: {}
  passwords:
    description: New passwords by tenant. The controller fills it in.
    type: dict
    default: {}
  plan:
    description: Return only which tenants need a password. The controller fills it in.
    type: bool
    default: false
seealso:
  - module: reseller.mail.guide
"""

EXAMPLES = r"""
- name: Install the guide
  reseller.mail.guide_site:
    estate: "{{ mail_estate_dir }}"
    node: "{{ mail_node }}"
    initial_passwords: build/guide-passwords/{{ mail_node }}.csv
"""

RETURN = r"""
passwords_for:
  description: Tenants that got a password in this run.
  type: list
  elements: str
  returned: success
  sample: [acme]
"""

import tarfile

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.reseller.mail.plugins.module_utils._host.guide_site import (
    Site,
    packed_files,
)


def main() -> None:
    """Install the pages, or return which tenants need a password."""
    module = AnsibleModule(
        argument_spec={
            "estate": {"type": "path"},
            "node": {"type": "str", "required": True},
            "initial_passwords": {"type": "path", "required": True, "no_log": False},
            "recipients": {"type": "list", "elements": "str", "default": []},
            "reset": {"type": "list", "elements": "str", "default": []},
            "report": {"type": "path", "default": "build/verify/report.json"},
            "findings": {"type": "list", "elements": "dict"},
            "checked": {"type": "str", "default": ""},
            "logos": {"type": "path"},
            "root": {"type": "path", "default": "/var/lib/reseller-mail/guide"},
            "group": {"type": "str", "default": "www-data"},
            "pages": {"type": "path"},
            "tenants": {"type": "dict", "default": {}},
            "passwords": {"type": "dict", "default": {}, "no_log": True},
            "plan": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    params = module.params
    site = Site(
        params["root"],
        params["tenants"],
        params["group"],
        lambda password: hashed(module, password),
    )
    if params["plan"]:
        missing = sorted(site.without_password().union(params["reset"]))
        module.exit_json(changed=False, missing=missing)
    try:
        changes = site.changes(packed_files(params["pages"]), params["passwords"])
        lines = changes.lines()
        if lines and not module.check_mode:
            site.apply(changes)
    except (OSError, tarfile.TarError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(
        changed=bool(lines),
        passwords_for=sorted(params["passwords"]),
        diff={"prepared": "".join(f"{line}\n" for line in lines)},
    )


def hashed(module: AnsibleModule, password: str) -> str:
    """Return the hash of a password for nginx, which calls crypt(3) for each request.

    So the hash must be fast. The password itself is strong: it has 144 random bits.
    """
    _rc, out, _err = module.run_command(
        ["openssl", "passwd", "-6", "-stdin"], data=password, check_rc=True
    )
    return str(out).strip()


if __name__ == "__main__":
    main()
