#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: generation_info
short_description: List the generations of a host, and what differs from the installed one
version_added: 0.1.0
author: Reseller Mail developers (@reseller-mail)
description:
  - Compares every file of the current generation with the artefact that it was made from, so that
    an edit by hand is found. Changes nothing.
extends_documentation_fragment:
  - reseller.mail.attributes.reads_only
  - reseller.mail.attributes.action_group
  - reseller.mail.host.root
"""

EXAMPLES = r"""
- name: Look for drift
  reseller.mail.generation_info:
  register: generations

- name: Refuse a host that somebody edited
  ansible.builtin.assert:
    that: generations.drift | length == 0
"""

RETURN = r"""
current:
  description: The generation that daemons read, empty if there is none.
  returned: success
  type: str
  sample: 000002-3f1c9a7be210
activated:
  description: The generation that every daemon has loaded. Differs from RV(current) after a run
    that was interrupted between the two.
  returned: success
  type: str
previous:
  description: The generation that O(reseller.mail.generation#module:state=previous) would switch
    back to, empty if there is none.
  returned: success
  type: str
generations:
  description: All generations on the host, oldest first.
  returned: success
  type: list
  elements: str
node:
  description: The node that the current generation was made for, empty if there is none.
  returned: success
  type: str
digest:
  description: The digest of the artefact that the current generation was made from, empty if there
    is none.
  returned: success
  type: str
drift:
  description: Every file of the current generation that is not what was installed.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: The file within the generation.
      type: str
      sample: postfix/virtual_alias_maps
    state:
      description: V(changed), V(missing), V(foreign), or V(exposed) for a wrong owner, group or
        mode.
      type: str
    entries:
      description: The keys of the entries that differ.
      type: list
      elements: str
      sample: [sales@acme.example]
    objects:
      description: The objects of the tenants' files that these entries belong to.
      type: list
      elements: str
      sample: ["alias sales@acme.example to jo@acme.example"]
"""

import dataclasses
import typing as t
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.reseller.mail.plugins.module_utils._host import generation


def main() -> None:
    module = AnsibleModule(
        argument_spec={"root": {"type": "path", "default": "/var/lib/reseller-mail"}},
        supports_check_mode=True,
    )
    try:
        module.exit_json(changed=False, **info(module))
    except (generation.GenerationError, OSError) as error:
        module.fail_json(msg=str(error))


def info(module: AnsibleModule) -> dict[str, t.Any]:
    store = generation.Store(Path(module.params["root"]))
    current = store.current()
    found: dict[str, t.Any] = {
        "current": current or "",
        "activated": store.activated() or "",
        "generations": store.ids(),
    }
    if current is None:
        return {**found, "previous": "", "node": "", "digest": "", "drift": []}
    content = store.content(current)
    try:
        before = generation.previous(store)
    except generation.GenerationError:
        before = ""
    differences = generation.drift(store, current, module.run_command)
    return {
        **found,
        "previous": before,
        "node": content.node,
        "digest": content.digest,
        "drift": [dataclasses.asdict(item) for item in differences],
    }


if __name__ == "__main__":
    main()
