#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: dkim_keys
short_description: Lead a node's DKIM keys through their lives
version_added: 0.1.0
author: Reseller Mail developers (@reseller-mail)
description:
  - Every domain name that sends from the node, aliases of domains too, has one key for each of its algorithms. It is V(generated) on the
    host, V(published) when every authoritative name server of the domain shows it, then V(active), it signs; V(retired) when its successor
    signs, with its record still there for the mail that is under way; and V(removed) at last, the record withdrawn and the private half destroyed.
  - A key never signs before the world can verify it. Until then its predecessor signs, however long that takes, and no other domain waits for it.
  - A private half never leaves the host. The public halves, with their states, are written to C(state/<node>.json) in the estate, on the
    controller, from where they get into DNS and into OpenDKIM's tables. The file is fit to be committed, and is not touched in check mode.
  - A compromised key signs until its successor does, then it is V(revoked); its private half is destroyed and its record says so (an empty C(p=)).
  - Where a private half that should sign is gone, or the file is not the half of the key that was noted, its domain leaves unsigned and
    gets a successor, which signs when DNS shows it. A file that comes back signs again until then. The task does everything else, and then
    fails with RV(faults).
  - Key files and their folders get back the owner and mode without which OpenDKIM refuses them.
options:
  estate:
    description: The estate's folder on the controller.
    type: path
    required: true
  node:
    description: The node's name in the estate. It is the first selector too, its successors are C(mx1-2), C(mx1-3), for Ed25519 C(mx1-ed25519) and so on.
    type: str
    required: true
  root:
    description: The folder of the mail platform on the host. The keys lie in its folder C(dkim).
    type: path
    default: /var/lib/reseller-mail
  rotate:
    description:
      - Domain names whose keys get successors now, besides those that are due by C(dkim.rotate_days) in the files. V(all) means all of the node.
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
    description: How long all name servers must have shown a key before it signs, for name servers with many places behind one address.
    type: int
    default: 0
  now:
    description: What time it is, in UTC. By default the controller's clock.
    type: str
    default: ""
  resolver:
    description: Address of the resolver that leads to the authoritative name servers; empty for that of the controller.
    type: str
    default: ""
  orders:
    description: What the model wants and what DNS shows. The controller fills it in.
    type: str
attributes:
  check_mode:
    support: full
    description: Makes, moves and destroys no key and writes no state.
  diff_mode:
    support: full
    description: Shows one line a key, never key material.
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

- name: Replace every key that lay on a host while a stranger was on it
  reseller.mail.dkim_keys:
    estate: "{{ mail_estate_dir }}"
    node: "{{ mail_node }}"
    compromised: [all]
    compromised_before: "2026-11-21T14:00:00Z"
"""

RETURN = r"""
dkim:
  description: The public half of every key that the world shall be told something about.
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
  description: Compromised keys that the current generation still signs with. The first run after the switch revokes them.
  returned: always
  type: list
  elements: str
lost:
  description: Names of the keys that should sign and whose private half is gone.
  returned: always
  type: list
  elements: str
faults:
  description: The same in sentences, and what the controller refused of the host's report. The task fails where there is one.
  returned: always
  type: list
  elements: str
"""

import json
import typing as t
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.reseller.mail.plugins.module_utils import _dkim
from ansible_collections.reseller.mail.plugins.module_utils._dkim_store import Store


def main() -> None:
    spec: dict[str, t.Any] = {
        "estate": {"type": "path", "required": True},
        "node": {"type": "str", "required": True},
        "root": {"type": "path", "default": "/var/lib/reseller-mail"},
        "rotate": {"type": "list", "elements": "str", "default": []},
        "compromised": {"type": "list", "elements": "str", "default": []},
        "compromised_before": {"type": "str", "default": ""},
        "overlap_days": {"type": "int", "default": _dkim.OVERLAP_DAYS},
        "settle_minutes": {"type": "int", "default": 0},
        "now": {"type": "str", "default": ""},
        "resolver": {"type": "str", "default": ""},
        "orders": {"type": "str"},
    }
    module = AnsibleModule(
        argument_spec=spec, required_by={"estate": ("orders",)}, supports_check_mode=True
    )
    store = Store(Path(module.params["root"]), module.run_command)
    told = json.loads(module.params["orders"])
    mended = store.mend(module.check_mode)
    keys = store.keys(told["now"])
    orders = _orders(told, store.serving())
    todo = _dkim.plan(keys, orders)
    said = "".join(f"{line}\n" for line in mended) + todo.lines()
    after = list(todo.after.values())
    if todo.lines() and not module.check_mode:
        after = store.apply(todo)
    dkim = [
        {
            "domain": key.name.domain,
            "selector": key.name.selector,
            "algorithm": key.algorithm,
            "state": key.state,
            "since": _dkim.moment(key.since),
            "public": key.public,
        }
        for key in after
        if _dkim.reported(key, orders)
    ]
    condemned = sorted(str(key.name) for key in after if key.compromised and key.state == "retired")
    result: dict[str, t.Any] = {
        "changed": bool(said),
        "dkim": dkim,
        "condemned": condemned,
        "lost": [str(key) for key in todo.lost],
        "faults": [
            f"{key.domain} is not signed: the private half of {key} is gone or is not its half ({store.private(key)}). Its successor signs "
            "when DNS shows it; bring the file back, and it signs until then"
            for key in todo.lost
        ],
        "diff": {"prepared": said},
    }
    if todo.lost:
        module.fail_json(msg="\n".join(["Everything else is done.", *result["faults"]]), **result)
    module.exit_json(**result)


def _orders(
    told: dict[str, t.Any], serving: t.Optional[t.Collection[_dkim.KeyName]]
) -> _dkim.Orders:
    """What the controller wrote, as values."""
    return _dkim.Orders(
        node=told["node"],
        wanted={_dkim.Lane(domain, algorithm): days for domain, algorithm, days in told["wanted"]},
        now=told["now"],
        shown={
            _dkim.KeyName(domain, selector): _dkim.Shown(public, tuple(servers))
            for domain, selector, public, servers in told["shown"]
        },
        serving=serving,
        known=[_dkim.from_report(key, told["now"]) for key in told["known"]],
        taken=told["taken"],
        overlap=told["overlap"],
        settle=told["settle"],
        rotate=frozenset(told["rotate"]),
        compromised=frozenset(told["compromised"]),
        compromised_before=told["compromised_before"],
    )


if __name__ == "__main__":
    main()
