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
  - Keeps two keys for each name under which the node takes mail. One is in service. The next one is
    already on the host, so that DNS can have TLSA records of both (C(3 1 1), RFC 7672) long before
    keys change.
  - Writes the SHA-256 of their public halves to C(state/<node>.json) in the estate, on the
    controller. From there they get into DNS. A private half never leaves the host.
  - Notes on the host since when every authoritative name server has shown the next key. With
    O(rollover) the key goes into service when that was at least two TTLs of the record ago. Then a
    new next key is made. C(certbot) issues the certificate, and keeps the key in renewals.
extends_documentation_fragment:
  - reseller.mail.attributes.estate_group
  - reseller.mail.host.node
  - reseller.mail.estate.required
options:
  root:
    description: The folder of the mail platform on the host. The keys are in its folder C(tls).
    type: path
    default: /var/lib/reseller-mail
  source:
    description: Where certificates come from. With V(files) the next key is the one whose public
      half was supplied, if any.
    type: str
    choices: [acme, files]
    default: acme
  ca_bundle:
    description: File on the host with the certificate authorities that may have issued the ACME
      server's own certificate.
    type: path
  rollover:
    description: Whether the next keys go into service now. If one of them may not yet, no key
      changes and the task fails with the reason.
    type: bool
    default: false
  emergency:
    description: Whether with O(rollover) a next key goes into service although it may not yet. Then
      mail from senders that verify keys by DNSSEC may arrive late.
    type: bool
    default: false
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

- name: Change keys, or fail with the reason why not yet
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
differences:
  description: What the estate's file of the node recorded otherwise than the host before this run.
    The action warns of it.
  returned: always
  type: list
  elements: str
waiting:
  description: Names whose next key may not go into service yet, each with the reason.
  returned: always
  type: list
  elements: str
"""

import json
import typing as t
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.reseller.mail.plugins.module_utils._host.keys import (
    recorded,
    tls_rollover,
)
from ansible_collections.reseller.mail.plugins.module_utils._host.keys.tls import Evidence
from ansible_collections.reseller.mail.plugins.module_utils._host.keys.tls_store import Store


def main() -> None:
    """Report and change the keys as the parameters and the controller's request say."""
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
        "request": {"type": "str"},
    }
    module = AnsibleModule(
        argument_spec=spec, required_by={"estate": ("request",)}, supports_check_mode=True
    )
    request = _request(module.params)
    store = Store(
        Path(module.params["root"]),
        module.run_command,
        acme=request.acme,
        ca_bundle=module.params["ca_bundle"] or "",
    )
    decided = tls_rollover.changes(tls_rollover.present(store, request.names), request)
    if not module.check_mode:
        decided = tls_rollover.apply(store, decided, request.names)
    result = tls_rollover.result(decided, request.acme)
    # Where certificates are supplied as files, the keys differ whenever the operator changes them.
    known = json.loads(module.params["request"]).get("known", []) if request.acme else []
    result["differences"] = recorded.tls_differences(decided.before, known)
    if decided.refused:
        module.fail_json(msg=tls_rollover.failure(decided), **result)
    for warning in tls_rollover.warnings(decided, request):
        module.warn(warning)
    module.exit_json(**result)


def _request(params: t.Mapping[str, t.Any]) -> tls_rollover.Request:
    """Return the parameters and what the controller wrote into ``request``, as one value."""
    request = json.loads(params["request"])
    return tls_rollover.Request(
        names=request["names"],
        now=request["now"],
        evidence={name: Evidence(**one) for name, one in request["evidence"].items()},
        acme=params["source"] == "acme",
        rollover=params["rollover"],
        emergency=params["emergency"],
    )


if __name__ == "__main__":
    main()
