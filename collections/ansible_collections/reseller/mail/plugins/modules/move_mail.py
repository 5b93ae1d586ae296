#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: move_mail
short_description: Do one step of a tenant's move on one of its two nodes
version_added: 0.1.0
author: Reseller Mail developers (@reseller-mail)
description:
  - The playbook C(reseller.mail.move) uses this module and M(reseller.mail.generation) in turn. The
    order of the steps keeps the mail whole, so do not use it alone, but for O(step=found).
  - Mail and password hashes go from node to node by rsync over SSH, with a key that the new node
    makes for the move. It opens one folder for reading, for seven days at most.
extends_documentation_fragment:
  - reseller.mail.attributes.estate_group
  - reseller.mail.estate.required
  - reseller.mail.host.node
  - reseller.mail.host.root
  - reseller.mail.host.mail
options:
  tenant:
    description: The name of the tenant.
    type: str
    required: true
  step:
    description:
      - V(found) returns what the host has of the tenant, and changes nothing.
      - V(key) makes the key of the new node.
      - V(open) lets this key read the mail of the former node.
      - V(copy) copies mail that the former node still serves.
      - V(wait) waits until the former node has ended the deliveries that it began.
      - V(settle) lets the key read what the former node has put away, and returns its names.
      - V(receive) copies the rest, so that the new node has all mail and passwords of the tenant.
      - V(close) deletes the key.
    type: str
    choices: [found, key, open, copy, wait, settle, receive, close]
    default: found
  addresses:
    description: The addresses of the other node of the move.
    type: list
    elements: str
    default: []
  port:
    description: The port of the SSH server of the former node.
    type: int
    default: 22
  key:
    description: The public half of the key of the new node.
    type: str
    default: ''
  host_keys:
    description: The public keys of the SSH server of the former node.
    type: list
    elements: str
    default: []
  paths:
    description: What is to be copied, as RV(paths) of the former node.
    type: str
    default: ''
  domains:
    description: The domains of the tenant with mailboxes. The controller fills it in.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    description: Can run in check mode.
    details: Only O(step=found) does something then.
    support: partial
  diff_mode:
    description: There are no files to show.
    support: none
"""

EXAMPLES = r"""
- name: See what the host has of a tenant
  reseller.mail.move_mail:
    estate: "{{ mail_estate_dir }}"
    node: "{{ mail_node }}"
    tenant: acme
"""

RETURN = r"""
found:
  description: What the host has of the tenant.
  returned: O(step=found)
  type: dict
  contains:
    generation:
      description: The current generation, or nothing.
      type: str
    serves:
      description: Whether the host serves the tenant.
      type: bool
    passes_to:
      description: The host that gets the tenant's mail from here, or nothing.
      type: str
    homes:
      description: The number of folders with mail.
      type: int
    copies:
      description: The number of mailboxes that are kept as a copy, after a move.
      type: int
    copies_of:
      description: The hosts that have what these are copies of.
      type: list
      elements: str
    retained:
      description: The number of other mailboxes of the tenant that the host retains.
      type: int
    bytes:
      description: The size of the mail that the host would give.
      type: int
    arrived:
      description: The size of what was copied to this host until now.
      type: int
    free:
      description: The free space of the disk with the mail, in bytes.
      type: int
    key:
      description: Whether the host has a key for the move.
      type: bool
public_key:
  description: The public half of the key.
  returned: O(step=key)
  type: str
host_keys:
  description: The public keys of the SSH server.
  returned: O(step=open)
  type: list
  elements: str
paths:
  description: What there is to copy, packed.
  returned: O(step=open) or O(step=settle)
  type: str
mailboxes:
  description: How many mailboxes came.
  returned: O(step=receive)
  type: int
"""

import json
import sqlite3
import typing as t
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.reseller.mail.plugins.module_utils._host import generation, one_text
from ansible_collections.reseller.mail.plugins.module_utils._host.moving import (
    channel,
    deliveries,
    mail,
)
from ansible_collections.reseller.mail.plugins.module_utils._host.retained.place import (
    RetainedError,
)


def main() -> None:
    """Do the step."""
    module = AnsibleModule(
        argument_spec={
            "estate": {"type": "path", "required": True},
            "node": {"type": "str", "required": True},
            "tenant": {"type": "str", "required": True},
            "step": {"type": "str", "choices": list(STEPS), "default": "found"},
            "root": {"type": "path", "default": "/var/lib/reseller-mail"},
            "mail": {"type": "path", "default": "/srv/vmail"},
            "addresses": {"type": "list", "elements": "str", "default": []},
            "port": {"type": "int", "default": 22},
            "key": {"type": "str", "default": "", "no_log": False},
            "host_keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
            "paths": {"type": "str", "default": ""},
            "domains": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    step = module.params["step"]
    if module.check_mode and step != "found":
        module.exit_json(changed=False)
    try:
        result = STEPS[step](module)
    except (
        RetainedError,
        channel.ChannelError,
        generation.GenerationError,
        OSError,
        ValueError,
        sqlite3.Error,
    ) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


def store(module: AnsibleModule) -> generation.Store:
    """Return the generations of the host."""
    return generation.Store(Path(module.params["root"]))


def found(module: AnsibleModule) -> dict[str, t.Any]:
    """Return what the host has of the tenant."""
    params = module.params
    facts = mail.facts(store(module), Path(params["mail"]), params["tenant"], params["domains"])
    return {"changed": False, "found": facts}


def make_key(module: AnsibleModule) -> dict[str, t.Any]:
    """Make the key of the new node."""
    root, tenant = Path(module.params["root"]), module.params["tenant"]
    is_there = (channel.folder(root, tenant) / "key.pub").exists()
    public = channel.public_key(root, tenant, module.run_command)
    return {"changed": not is_there, "public_key": public}


def open_served(module: AnsibleModule) -> dict[str, t.Any]:
    """Let the key read the mail of the former node."""
    params = module.params
    owner = Path(params["mail"]).owner()
    channel.authorize(params["tenant"], params["key"], params["addresses"], params["mail"], owner)
    paths = mail.served_paths(Path(params["mail"]), params["domains"])
    return {"changed": True, "host_keys": channel.host_keys(), "paths": one_text.pack(paths)}


def copy(module: AnsibleModule) -> dict[str, t.Any]:
    """Copy what the former node serves."""
    mail.fetch_served(*_arguments(module))
    return {"changed": True}


def wait(module: AnsibleModule) -> dict[str, t.Any]:
    """Wait for deliveries that began with older lookups."""
    since = (store(module).root / "activated.json").stat().st_mtime
    if not deliveries.wait(since):
        raise channel.ChannelError(
            "deliveries that Postfix began before do not end. Run the playbook again: it goes on"
            " from here"
        )
    return {"changed": False}


def settle(module: AnsibleModule) -> dict[str, t.Any]:
    """Let the key read what was put away, and return its names."""
    params = module.params
    with store(module).lock():
        paths = mail.settle(Path(params["mail"]), params["tenant"])
    if paths:
        folder = mail.retained_folder(Path(params["mail"]), params["tenant"])
        channel.authorize(params["tenant"], params["key"], params["addresses"], folder, user="")
    return {"changed": True, "host_keys": channel.host_keys(), "paths": one_text.pack(paths)}


def receive(module: AnsibleModule) -> dict[str, t.Any]:
    """Copy the rest."""
    with store(module).lock():
        number = mail.fetch_all(*_arguments(module))
    return {"changed": bool(number), "mailboxes": number}


def close(module: AnsibleModule) -> dict[str, t.Any]:
    """Delete the key, on both nodes."""
    root, tenant = Path(module.params["root"]), module.params["tenant"]
    is_there = channel.folder(root, tenant).exists()
    channel.forget(root, tenant)
    return {"changed": channel.revoke(tenant) or is_there}


def _arguments(module: AnsibleModule) -> tuple[t.Any, ...]:
    """Return what the functions that copy need."""
    params = module.params
    source = channel.Source(params["addresses"][0], params["port"], params["host_keys"])
    paths = one_text.unpack(params["paths"])
    if not isinstance(paths, list):
        raise ValueError(f"paths: no list: {json.dumps(paths)[:80]}")
    root, folder = Path(params["root"]), Path(params["mail"])
    return root, folder, params["tenant"], source, paths, module.run_command


STEPS: dict[str, t.Callable[[AnsibleModule], dict[str, t.Any]]] = {
    "found": found,
    "key": make_key,
    "open": open_served,
    "copy": copy,
    "wait": wait,
    "settle": settle,
    "receive": receive,
    "close": close,
}


if __name__ == "__main__":
    main()
