#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: host_config
short_description: Give a host the packages, users, folders, files, links and units of a role
version_added: 0.1.0
author: Reseller Mail developers (@reseller-mail)
description:
  - One task for everything that a role configures on a host. It needs one connection to the host,
    and a few more if packages are missing.
  - Templates are rendered and files are read on the controller. The host then gets, in this order,
    packages, users, folders, files and links. It loses the paths in O(absent). systemd reads
    changed units, and the units get their states.
  - All files are written beside their places and validated before the first of them is replaced. A
    replaced file is never there in part.
extends_documentation_fragment: [reseller.mail.attributes.action_group]
options:
  name:
    description: The name of the file for O(users) in C(/etc/sysusers.d),
      C(reseller-mail-<name>.conf). In a role, its default is the name of the role.
    type: str
  packages:
    description:
      - Packages that must be installed. If one is missing, C(ansible.builtin.apt) installs them
        without the packages that they recommend.
      - Debian starts the daemons of a new package with its own settings.
    type: list
    elements: str
    default: []
  package_lists_max_age:
    description: If packages are missing and the host's package lists are older than so many
      seconds, they are refreshed first. V(0) never refreshes them.
    type: int
    default: 0
  debconf:
    description: Answers to the questions that packages ask when they are installed. The answers for
      missing packages are given before these are installed.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The package.
        type: str
        required: true
      question:
        description: The name of the question.
        type: str
        required: true
      vtype:
        description: The type of the question, as in C(ansible.builtin.debconf).
        type: str
        required: true
      value:
        description: The answer.
        type: str
        required: true
  users:
    description:
      - System users without a password and without a shell. C(systemd-sysusers) makes them, also
        when the host starts.
      - An existing user is not changed. The task fails if its uid or group is another one.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The name of the user.
        type: str
        required: true
      uid:
        description: The user id. By default, the host chooses it.
        type: int
      group:
        description: The name of its group, which must exist. By default, it gets a group with its
          own name and its user id.
        type: str
      home:
        description: Its home. The folder is not made.
        type: str
        default: /nonexistent
  folders:
    description: Folders that must exist. A link to a folder is accepted. Missing folders above
      them get the same owner and mode.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: The absolute path.
        type: str
        required: true
      owner:
        description: The name of the owner.
        type: str
        default: root
      group:
        description: The name of the group.
        type: str
        default: root
      mode:
        description: The mode, four octal digits.
        type: str
        default: "0755"
  files:
    description: Files that must have this content. Each has exactly one of O(files[].template),
      O(files[].src) and O(files[].content).
    type: list
    elements: dict
    default: []
    suboptions:
      dest:
        description: The absolute path on the host. A link at this path is replaced.
        type: str
        required: true
      template:
        description: A template on the controller. It is found and rendered as by
          the lookup plugin C(ansible.builtin.template).
        type: str
      src:
        description: A file on the controller. It is found as by C(ansible.builtin.copy). A file
          that C(ansible-vault) has encrypted is decrypted.
        type: str
      content:
        description: The content itself.
        type: str
      owner:
        description: The name of the owner.
        type: str
        default: root
      group:
        description: The name of the group.
        type: str
        default: root
      mode:
        description: The mode, four octal digits.
        type: str
        default: "0644"
      validate:
        description: A command and its arguments. C(%s) is the path of the new file. If the command
          fails, the task fails and replaces no file.
        type: list
        elements: str
        default: []
      secret:
        description: No diff and no message shows the content.
        type: bool
        default: false
  links:
    description: Symbolic links. A file at this path is replaced.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: The absolute path of the link.
        type: str
        required: true
      target:
        description: Where it leads. The target need not exist.
        type: str
        required: true
  absent:
    description: Absolute paths of files and links that must not exist. A folder is refused.
    type: list
    elements: str
    default: []
  units:
    description: systemd units, in the order in which they change. What is not given stays as it
      is. A unit that is stopped and disabled need not exist.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The whole name, such as C(nginx.service).
        type: str
        required: true
      state:
        description: Whether the unit is active. A unit that has failed is stopped by resetting its
          failure.
        type: str
        choices: [started, stopped]
      enabled:
        description: Whether the unit starts when the host starts.
        type: bool
      masked:
        description: Whether the unit cannot be started at all.
        type: bool
      restart_for:
        description: Paths. If this task changes one of them and the unit is active, the unit is
          restarted at once.
        type: list
        elements: str
        default: []
  contents:
    description: The contents of O(files). The controller fills it in.
    type: str
    default: ""
attributes:
  check_mode:
    description: Shows what it would change, also on a host without the packages, users and units.
      It validates files, unless a package, user or folder is missing that the command may need.
      What a package itself brings is not known before.
    support: full
  diff_mode:
    description: Shows the contents that change, except for secret files.
    support: full
"""

EXAMPLES = r"""
- name: Configure Postfix
  reseller.mail.host_config:
    packages: [postfix, postfix-lmdb]
    users:
      - {name: reseller-mail-guard, group: postfix}
    folders:
      - {path: /var/spool/postfix/guard, owner: reseller-mail-guard, group: postfix, mode: "0750"}
    files:
      - {dest: /etc/postfix/main.cf, template: main.cf.j2}
      - {dest: /usr/local/lib/reseller-mail/guard.py, src: guard.py, mode: "0755"}
    units:
      - {name: postfix.service, state: started, enabled: true}
  register: __postfix_config
  notify: Validate Postfix

- name: Configure Dovecot with a file that doveconf accepts
  reseller.mail.host_config:
    files:
      - dest: /etc/dovecot/dovecot.conf
        template: dovecot.conf.j2
        validate: [doveconf, -n, -c, "%s"]
  notify: Reload Dovecot
"""

RETURN = r"""
changed_paths:
  description: The folders, files, links and removed paths that changed, and the file for O(users)
    if it changed or if a user was missing.
  type: list
  elements: str
  returned: success
  sample: [/etc/postfix/main.cf]
changed_units:
  description: The units that were started, stopped, restarted, enabled, disabled, masked or
    unmasked, and those of which systemd had not read the newest file.
  type: list
  elements: str
  returned: success
  sample: [postfix.service]
packages:
  description: The packages that were missing.
  type: list
  elements: str
  returned: success
  sample: [postfix-lmdb]
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.reseller.mail.plugins.module_utils._host.host_config.converge import (
    converge,
)
from ansible_collections.reseller.mail.plugins.module_utils._host.host_config.options import (
    OPTIONS,
)
from ansible_collections.reseller.mail.plugins.module_utils._host.host_config.wanted import (
    HostConfigError,
    wanted,
)


def main() -> None:
    """Change the host, or return which packages are missing."""
    module = AnsibleModule(
        argument_spec={**OPTIONS, "contents": {"type": "str", "default": "", "no_log": True}},
        supports_check_mode=True,
    )
    try:
        outcome = converge(
            wanted(module.params),
            lambda words: module.run_command(list(words)),
            module.check_mode,
            lambda: module.tmpdir,
        )
    except (HostConfigError, OSError, ValueError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(
        changed=outcome.changed,
        changed_paths=sorted(outcome.paths),
        changed_units=sorted(outcome.units),
        packages=outcome.missing_packages,
        **({"diff": outcome.diffs} if module._diff else {}),
    )


if __name__ == "__main__":
    main()
