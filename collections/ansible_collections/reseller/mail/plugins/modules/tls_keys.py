#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: tls_keys
short_description: Report a mail host's TLS keys for TLSA records, and roll them over
version_added: 0.1.0
author: Reseller Mail developers (@reseller-mail)
description:
  - Sees to it that there are two keys for each name under which the node takes mail. One is in service, the next one lies on the host, so
    that TLSA records of both (C(3 1 1), RFC 7672) can stand in DNS long before keys change.
  - The SHA-256 of their public halves is written to C(state/<node>.json) in the estate, on the controller, from where they get into DNS. A
    private half never leaves the host.
  - Notes on the host since when every authoritative name server has shown the next key. With O(rollover) it goes into service as soon as that
    is two TTLs of the record ago, and a new next key is made. C(certbot) issues the certificate, and keeps the key in renewals.
options:
  estate:
    description: The estate's folder on the controller.
    type: path
    required: true
  node:
    description: The node's name in the estate.
    type: str
    required: true
  root:
    description: The folder of the mail platform on the host. The keys lie in its folder C(tls).
    type: path
    default: /var/lib/reseller-mail
  source:
    description: Where certificates come from. With V(files) the next key is the one whose public half was supplied, if any.
    type: str
    choices: [acme, files]
    default: acme
  ca_bundle:
    description: File on the host with the certificate authorities by which the ACME server's own certificate is judged.
    type: path
  rollover:
    description: Whether the next keys go into service now. Where one may not yet, no key changes and the task fails with the reason.
    type: bool
    default: false
  emergency:
    description: Whether with O(rollover) a next key goes into service although it may not yet. Mail from senders that verify is late then.
    type: bool
    default: false
  now:
    description: What time it is, in UTC. By default the controller's clock.
    type: str
    default: ""
  resolver:
    description: Address of the resolver that leads to the authoritative name servers; empty for that of the controller.
    type: str
    default: ""
  orders:
    description: The names, and what DNS shows. The controller fills it in.
    type: str
attributes:
  check_mode:
    support: full
    description: Makes and changes no key and writes no state.
  diff_mode:
    support: full
    description: Shows one line a key, never key material.
"""

EXAMPLES = r"""
- name: Report the keys, and make the next one where there is none
  reseller.mail.tls_keys:
    estate: "{{ mail_estate_dir }}"
    node: "{{ mail_node }}"

- name: Change keys, or say why not yet
  reseller.mail.tls_keys:
    estate: "{{ mail_estate_dir }}"
    node: "{{ mail_node }}"
    rollover: true
"""

RETURN = r"""
tls:
  description: The keys of every name under which the node takes mail.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The host name.
      type: str
    current:
      description: SHA-256 of the public key in service.
      type: str
    next:
      description: SHA-256 of the public key that comes next, or empty.
      type: str
    ready:
      description: When the next key may go into service, or empty where DNS does not show it yet.
      type: str
waiting:
  description: Names whose next key may not go into service yet, each with the reason.
  returned: always
  type: list
  elements: str
"""

import json
import typing as t
from dataclasses import replace
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.reseller.mail.plugins.module_utils._dkim import moment
from ansible_collections.reseller.mail.plugins.module_utils._tls_keys import (
    Evidence,
    Keys,
    lines,
    noted,
    refusal,
)
from ansible_collections.reseller.mail.plugins.module_utils._tls_store import Failure, Store

SUPPLIED = "its certificate is supplied as files (tls_files): "


def main() -> None:
    spec: dict[str, t.Any] = {
        "estate": {"type": "path", "required": True},
        "node": {"type": "str", "required": True},
        "root": {"type": "path", "default": "/var/lib/reseller-mail"},
        "source": {"type": "str", "choices": ["acme", "files"], "default": "acme"},
        "ca_bundle": {"type": "path"},
        "rollover": {"type": "bool", "default": False},
        "emergency": {"type": "bool", "default": False},
        "now": {"type": "str", "default": ""},
        "resolver": {"type": "str", "default": ""},
        "orders": {"type": "str"},
    }
    module = AnsibleModule(
        argument_spec=spec, required_by={"estate": ("orders",)}, supports_check_mode=True
    )
    told = json.loads(module.params["orders"])
    evidence = {name: Evidence(**one) for name, one in told["evidence"].items()}
    acme = module.params["source"] == "acme"
    store = Store(
        Path(module.params["root"]),
        module.run_command,
        acme=acme,
        ca_bundle=module.params["ca_bundle"] or "",
    )
    before = {name: keys for name in told["names"] if (keys := store.keys(name))}
    after = {name: noted(keys, evidence.get(name), told["now"]) for name, keys in before.items()}
    waiting = {
        name: reason
        for name, keys in after.items()
        if (reason := _refusal(keys, evidence.get(name), told["now"], acme))
    }
    failures: dict[str, str] = {}
    if module.params["rollover"]:
        if waiting and not (
            module.params["emergency"] and acme and all(keys.next for keys in after.values())
        ):
            failures = waiting
        else:
            after = {name: Keys(name, keys.next) for name, keys in after.items()}
    try:
        if not module.check_mode:
            for name, keys in after.items():
                if keys.current != before[name].current:
                    store.change(name, keys.current)
                after[name] = keys = store.complete(keys)
                store.note(keys)
    except Failure as error:
        # What is true of all keys now, whatever was meant to be.
        after, failures = (
            {name: keys for name in told["names"] if (keys := store.keys(name))},
            {error.name: str(error)},
        )
    coming = {
        name: keys if keys.next or not acme else replace(keys, next="new")
        for name, keys in after.items()
    }
    said = "".join(
        f"{line}\n"
        for name in before
        if name in coming
        for line in lines(before[name], coming[name])
    )
    result = {
        "changed": bool(said),
        "tls": [
            {
                "name": name,
                "current": keys.current,
                "next": keys.next,
                "ready": moment(keys.note.ready) if keys.note else "",
            }
            for name, keys in sorted(after.items())
        ],
        "waiting": [f"{name}: {reason}" for name, reason in sorted(waiting.items())],
        "diff": {"prepared": said},
    }
    if failures:
        module.fail_json(
            msg=" ".join(
                f"The key of {name} was not changed: {reason}."
                for name, reason in sorted(failures.items())
            ),
            **result,
        )
    if module.params["rollover"]:
        for name, reason in waiting.items():
            module.warn(
                f"{name} has a new key although {reason}. Until then senders that verify it by DNSSEC (DANE) may hold their mail back."
            )
    module.exit_json(**result)


def _refusal(keys: Keys, evidence: t.Optional[Evidence], now: int, acme: bool) -> str:
    reason = refusal(keys, evidence, now)
    if acme:
        return reason
    if not keys.next:
        return f"{SUPPLIED}announce the next key's public half there, as next"
    return SUPPLIED + (
        reason or "supply that of the next key now, it has been in DNS for long enough"
    )


if __name__ == "__main__":
    main()
