#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: dkim_keys
short_description: Make, rotate and revoke the DKIM keys of a node
version_added: 0.1.0
author: Reseller Mail developers (@reseller-mail)
description:
  - Every domain name that sends from the node, aliases of domains too, has one key for each of its
    algorithms. A key is V(generated) on the host. It is V(published) when every authoritative name
    server of the domain shows it. Then it is V(active), which means that it signs. It is V(retired)
    when its successor signs; its record stays in DNS for the mail that is under way. At last it is
    V(removed). Then its record is withdrawn and its private half is destroyed.
  - A key never signs before receivers can verify it. Until then its predecessor signs, however long
    that takes, and no other domain waits for it.
  - A private half never leaves the host. The public halves, with their states, are written to
    C(state/<node>.json) in the estate, on the controller. From there they get into DNS and into
    OpenDKIM's tables. The file has no secret and can be committed. Check mode does not change it.
  - A compromised key signs until its successor does, then it is V(revoked); its private half is
    destroyed and its record says so (an empty C(p=)).
  - If a private half that should sign is gone, or the file is not the half of the noted key, the
    mail of its domain is not signed. The key gets a successor, which signs when DNS shows it.
    If the file comes back, it signs again until then. The task does everything else, and then
    fails with RV(faults).
  - Key files and their folders get back the owner and mode that OpenDKIM requires.
extends_documentation_fragment:
  - reseller.mail.attributes.estate_group
  - reseller.mail.estate.required
options:
  node:
    description: The node's name in the estate. It is also the first selector. The next ones are
      C(mx1-2), C(mx1-3), for Ed25519 C(mx1-ed25519) and so on.
    type: str
    required: true
  root:
    description: The folder of the mail platform on the host. The keys are in its folder C(dkim).
    type: path
    default: /var/lib/reseller-mail
  rotate:
    description:
      - Domain names whose keys get successors now, in addition to those that are due by
        C(dkim.rotate_days) in the files. V(all) means all of the node.
      - A successor that is already on its way is the one that was asked for.
    type: list
    elements: str
    default: []
  compromised:
    description:
      - Domain names whose keys somebody else may have. V(all) means all of the node.
      - The keys are replaced, and revoked as soon as they do not sign any more.
    type: list
    elements: str
    default: []
  compromised_before:
    description: Keys that were made later are not compromised. A UTC time; by default now.
    type: str
    default: ""
  overlap_days:
    description: How long the record of a key stays after it signed for the last time.
    type: int
    default: 7
  settle_minutes:
    description: How long all name servers must have shown a key before it signs, for name servers
      with many places behind one address.
    type: int
    default: 0
  now:
    description: What time it is, in UTC. By default the controller's clock.
    type: str
    default: ""
  resolver:
    description: Address of the resolver that leads to the authoritative name servers; empty for
      that of the controller.
    type: str
    default: ""
  request:
    description: What the model wants and what DNS shows. The controller fills it in.
    type: str
attributes:
  check_mode:
    support: full
    description: Makes, moves and destroys no key and writes no state.
  diff_mode:
    support: full
    description: Shows one line for each key that changes, never key material.
"""

EXAMPLES = r"""
- name: Do for the keys what is due
  reseller.mail.dkim_keys:
    estate: "{{ mail_estate_dir }}"
    node: "{{ mail_node }}"

- name: Give one domain new keys
  reseller.mail.dkim_keys:
    estate: "{{ mail_estate_dir }}"
    node: "{{ mail_node }}"
    rotate: [acme.example]

- name: Replace every key that was on a host while an attacker had access to it
  reseller.mail.dkim_keys:
    estate: "{{ mail_estate_dir }}"
    node: "{{ mail_node }}"
    compromised: [all]
    compromised_before: "2026-11-21T14:00:00Z"
"""

RETURN = r"""
dkim:
  description: The public half of every key that DNS needs to know, also of those whose record goes.
  returned: always
  type: list
  elements: dict
  contains:
    domain:
      description: The domain name.
      type: str
    selector:
      description: The selector.
      type: str
    algorithm:
      description: V(rsa) or V(ed25519).
      type: str
    state:
      description: V(generated), V(published), V(active), V(retired), V(revoked) or V(removed).
      type: str
    since:
      description: When it came into that state.
      type: str
    public:
      description: The value of the C(p=) tag.
      type: str
waiting:
  description: Keys that do not sign yet, each with the reason.
  returned: always
  type: list
  elements: str
condemned:
  description: Compromised keys that the current generation still signs with. The first run after
    the switch revokes them.
  returned: always
  type: list
  elements: str
differences:
  description:
    - What the estate's file of the node recorded otherwise than the host before this run. The
      action warns of it.
    - The first ten are named, the others are counted. Empty if the estate has no file of the node.
  returned: always
  type: list
  elements: str
lost:
  description: Names of the keys that should sign and whose private half is gone.
  returned: always
  type: list
  elements: str
faults:
  description: The same in sentences, and what the controller refused of the host's report. The task
    fails where there is one.
  returned: always
  type: list
  elements: str
"""

import contextlib
import json
import typing as t
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.reseller.mail.plugins.module_utils._host.keys import dkim as keys_dkim
from ansible_collections.reseller.mail.plugins.module_utils._host.keys import recorded
from ansible_collections.reseller.mail.plugins.module_utils._host.keys.dkim_store import Store
from ansible_collections.reseller.mail.plugins.module_utils._host.lock import locked
from ansible_collections.reseller.mail.plugins.module_utils._host.timestamps import timestamp

LOCK = ".dkim.lock"
"""The file in the platform's folder that a run locks while it makes, moves or destroys keys."""
PATIENCE = 900
"""Seconds. The other run may be making thousands of keys."""


def main() -> None:
    """Make, note and destroy keys as the controller's request requires."""
    spec: dict[str, t.Any] = {
        "estate": {"type": "path", "required": True},
        "node": {"type": "str", "required": True},
        "root": {"type": "path", "default": "/var/lib/reseller-mail"},
        "rotate": {"type": "list", "elements": "str", "default": []},
        "compromised": {"type": "list", "elements": "str", "default": []},
        "compromised_before": {"type": "str", "default": ""},
        "overlap_days": {"type": "int", "default": keys_dkim.OVERLAP_DAYS},
        "settle_minutes": {"type": "int", "default": 0},
        "now": {"type": "str", "default": ""},
        "resolver": {"type": "str", "default": ""},
        "request": {"type": "str"},
    }
    module = AnsibleModule(
        argument_spec=spec, required_by={"estate": ("request",)}, supports_check_mode=True
    )
    root = Path(module.params["root"])
    store = Store(root, module.run_command)
    given = json.loads(module.params["request"])
    with contextlib.ExitStack() as stack:
        if not module.check_mode:
            try:
                stack.enter_context(locked(root / LOCK, PATIENCE))
            except (OSError, TimeoutError) as error:
                module.fail_json(msg=str(error))
        result = work(store, given, module.check_mode)
    if result["lost"]:
        module.fail_json(msg="\n".join(["Everything else is done.", *result["faults"]]), **result)
    module.exit_json(**result)


def work(store: Store, given: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
    """Do what is due for the keys, and return the module's result."""
    mended = store.mend(check_mode)
    keys = store.keys(given["now"])
    request = _request(given, store.serving())
    todo = keys_dkim.plan(keys, request)
    diff = "".join(f"{line}\n" for line in mended) + todo.lines()
    after = list(todo.after.values())
    if todo.lines() and not check_mode:
        after = store.apply(todo)
    dkim = [
        {
            "domain": key.name.domain,
            "selector": key.name.selector,
            "algorithm": key.algorithm,
            "state": key.state,
            "since": timestamp(key.since),
            "public": key.public,
        }
        for key in after
        if keys_dkim.reported(key, request)
    ]
    condemned = sorted(str(key.name) for key in after if key.compromised and key.state == "retired")
    return {
        "changed": bool(diff),
        "dkim": dkim,
        "condemned": condemned,
        "differences": (
            recorded.dkim_differences(todo.before, request.known) if request.known else []
        ),
        "lost": [str(key) for key in todo.lost],
        "faults": [
            f"{key.domain} is not signed: the private half of {key} is gone or is not its half"
            f" ({store.private(key)}). Its successor signs when DNS shows it; bring the file back,"
            " and it signs until then"
            for key in todo.lost
        ],
        "diff": {"prepared": diff},
    }


def _request(
    given: dict[str, t.Any], serving: t.Optional[t.Collection[keys_dkim.KeyName]]
) -> keys_dkim.KeyRequest:
    """Return the request that the controller wrote, with the keys that daemons may be using."""
    return keys_dkim.KeyRequest(
        node=given["node"],
        wanted={
            keys_dkim.KeySeries(domain, algorithm): days
            for domain, algorithm, days in given["wanted"]
        },
        now=given["now"],
        shown={
            keys_dkim.KeyName(domain, selector): keys_dkim.Shown(public, tuple(servers))
            for domain, selector, public, servers in given["shown"]
        },
        serving=serving,
        known=[keys_dkim.from_report(key, given["now"]) for key in given["known"]],
        taken=given["taken"],
        overlap=given["overlap"],
        settle=given["settle"],
        rotate=frozenset(given["rotate"]),
        compromised=frozenset(given["compromised"]),
        compromised_before=given["compromised_before"],
    )


if __name__ == "__main__":
    main()
