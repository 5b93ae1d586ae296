#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: preflight_info
short_description: Return facts about a host before and after it is a mail host
version_added: 0.1.0
author: Reseller Mail developers (@reseller-mail)
description:
  - Changes nothing. M(reseller.mail.preflight) compares the facts with what the collection needs,
    on the controller.
  - With O(probe), free ports of the host answer connections for a few seconds, so that the
    controller can see whether a firewall lets them through. Then nothing listens there again.
extends_documentation_fragment:
  - reseller.mail.attributes.action_group
  - reseller.mail.host.root
  - reseller.mail.host.mail
options:
  packages:
    description: The packages whose versions count.
    type: list
    elements: str
    default: []
  secrets:
    description: Patterns of files and folders below O(root) that have secrets.
    type: list
    elements: str
    default: []
  signed_name:
    description: A name in DNS that is signed. Without it, the resolvers are not asked.
    type: str
    default: ""
  acme:
    description: The address of the ACME directory of the CA. Without it, the CA is not asked.
    type: str
    default: ""
  acme_ca:
    description: The file with the CAs to trust there. Empty for those of the host.
    type: path
    default: ""
  outgoing:
    description: A mail server outside. Without it, none is asked.
    type: str
    default: ""
  mirrors:
    description: Whether to ask the package mirrors.
    type: bool
    default: true
  probe:
    description: Ports that answer with the line O(probe_token) for a few seconds if no program has
      them.
    type: list
    elements: int
    default: []
  probe_token:
    description: The line that these ports answer.
    type: str
    default: preflight
  probe_addresses:
    description: After so many connections to each of these ports nothing listens any more.
    type: int
    default: 1
  probe_seconds:
    description: After so many seconds nothing listens any more.
    type: float
    default: 10
  ping_only:
    description: Return only who listens, and how the UNIX sockets of the services answer.
    type: bool
    default: false
attributes:
  check_mode:
    description: Does the same, but no port answers.
    support: full
  diff_mode:
    description: Changes nothing, so there is nothing to show.
    support: N/A
seealso:
  - module: reseller.mail.preflight
"""

EXAMPLES = r"""
- name: Read the facts of the host
  reseller.mail.preflight_info:
  register: host
"""

RETURN = r"""
host:
  description: The facts. With O(ping_only) only C(now), C(ours), C(listeners) and C(ping).
  type: dict
  returned: success
  contains:
    now:
      description: The host's clock, in seconds since 1970.
      type: float
    ours:
      description: Whether this collection has configured the host before.
      type: bool
    listeners:
      description: Every listening TCP socket, with C(address), C(port) and C(program).
      type: list
      elements: dict
    probed:
      description: The ports that answer for a few seconds.
      type: list
      elements: int
    ping:
      description: Every socket that Postfix uses (C(sockets), with C(path) and C(error)) and
        C(doveadm), which is empty if Dovecot's master answers it; empty on a host that is not ours.
      type: dict
    uid:
      description: The user id of the module.
      type: int
    user:
      description: The name of that user.
      type: str
    release:
      description: C(id) and C(version_id) of os-release(5).
      type: dict
    python:
      description: The version of Python.
      type: str
    memory:
      description: The bytes of memory.
      type: int
    filesystems:
      description: For the root and for the mail C(path), C(device), C(size), C(free), C(inodes) and
        C(inodes_free).
      type: list
      elements: dict
    synchronised:
      description: Whether the clock is synchronised; null if that cannot be read.
      type: bool
    packages:
      description: For each package the version that is C(installed), and the C(candidate) of apt.
      type: dict
    secrets:
      description: For all files that match the same C(pattern) and have the same C(owner),
        C(group) and C(mode), their C(number) and the C(path) of the first.
      type: list
      elements: dict
    foreign:
      description: Mail programs with a configuration that is not ours.
      type: list
      elements: str
    mirrors:
      description: For each package mirror why it does not answer; empty if it does.
      type: dict
    resolvers:
      description: For each resolver why its answer is not validated; empty if it is.
      type: dict
    acme:
      description: Why the ACME directory cannot be read; empty if it can.
      type: str
    outgoing:
      description: Why the mail server outside does not greet; empty if it does.
      type: str
"""

import time
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.reseller.mail.plugins.module_utils._host import (
    facts,
    foreign_mail,
    open_ports,
    preflight,
)


def main() -> None:
    """Return the host's facts to Ansible."""
    module = AnsibleModule(
        argument_spec={
            "root": {"type": "path", "default": "/var/lib/reseller-mail"},
            "mail": {"type": "path", "default": "/srv/vmail"},
            "packages": {"type": "list", "elements": "str", "default": []},
            "secrets": {"type": "list", "elements": "str", "default": [], "no_log": False},
            "signed_name": {"type": "str", "default": ""},
            "acme": {"type": "str", "default": ""},
            "acme_ca": {"type": "path", "default": ""},
            "outgoing": {"type": "str", "default": ""},
            "mirrors": {"type": "bool", "default": True},
            "probe": {"type": "list", "elements": "int", "default": []},
            "probe_token": {"type": "str", "default": "preflight", "no_log": False},
            "probe_addresses": {"type": "int", "default": 1},
            "probe_seconds": {"type": "float", "default": 10},
            "ping_only": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )

    run = facts.runner(module.run_command)
    given = module.params
    ours = foreign_mail.is_ours(foreign_mail.Host(run), given["root"])
    listeners = open_ports.listeners()
    host: dict[str, t.Any] = {
        "now": time.time(),
        "ours": ours,
        "listeners": listeners,
        "ping": preflight.ping(run) if ours else {},
        "probed": [],
    }
    if not given["ping_only"]:
        wanted = preflight.Wanted(**{name: given[name] for name in preflight.Wanted._fields})
        host |= preflight.gather(run, wanted)
        if not module.check_mode:
            host["probed"] = open_ports.listen(
                preflight.free(listeners, given["probe"]),
                given["probe_token"],
                given["probe_addresses"],
                given["probe_seconds"],
            )
    module.exit_json(changed=False, host=host)


if __name__ == "__main__":
    main()
