#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: certificates
short_description: Get the certificates a node needs, name by name
version_added: 0.1.0
author: Reseller Mail developers (@reseller-mail)
description:
  - Asks an ACME server, through C(certbot) as role C(tls) has set it up, for the certificates that
    are missing, and hands all of them to the mail daemons with the host's certificate hook.
  - A name that cannot get a certificate does not stop the others. It is reported as V(blocked),
    with the reason and a warning.
  - Names are tried in the order of their last attempt, new ones first. The rest is not tried after
    an error that concerns all names. That is an error of the account by its ACME type, an ACME
    server out of reach, or a host where C(certbot) cannot work.
  - A name whose DNS points elsewhere is not asked for, because failed attempts count against the
    ACME server's rate limits.
  - A certificate that is no longer needed is not renewed any more. It stays in service until it
    expires, so that a rollback finds it.
extends_documentation_fragment:
  - reseller.mail.attributes.estate_group
  - reseller.mail.host.root
options:
  names:
    description:
      - The names that need a certificate.
      - Without it, the names the model gives to O(node), except the node's own.
    type: list
    elements: str
  published:
    description:
      - Those names whose addresses are published by the same run. In check mode, where that has not
        happened, they count as if it had. Otherwise the host's resolver, which may remember that
        there were none, is given O(wait) to find them.
      - Without it, the names in domains whose DNS the provider manages; all, when O(names) is
        given.
    type: list
    elements: str
  wait:
    description: How many seconds in all to wait until the names that were just published have an
      address.
    type: int
    default: 30
  estate:
    description: The estate's folder on the controller, read when O(names) is not given.
    type: str
  node:
    description: The node's name in the estate, needed when O(names) is not given.
    type: str
  hostname:
    description: The node's own name. Its certificate is never given up.
    type: str
    required: true
  addresses:
    description: The node's addresses as the Internet sees them. When empty, a name only has to have
      an address in DNS.
    type: list
    elements: str
    default: []
  exclusive:
    description: Whether certificates of other names that were issued earlier are given up.
    type: bool
    default: false
  required:
    description: Whether a blocked name fails the task.
    type: bool
    default: false
  source:
    description: Where certificates come from. With V(files) nothing is asked for, and a name
      without one is V(blocked).
    type: str
    choices: [acme, files]
    default: acme
  ca_bundle:
    description: File on the host with the certificate authorities that may have issued the ACME
      server's own certificate.
    type: path
attributes:
  check_mode:
    support: full
    description: A name that has no address in DNS yet counts as issued when the same run publishes
      it, see O(published).
  diff_mode:
    support: full
    description: Shows one line for each certificate.
"""

EXAMPLES = r"""
- name: Get the certificates of all names the model gives to this node
  reseller.mail.certificates:
    estate: "{{ mail_estate_dir }}"
    node: "{{ mail_node }}"
    hostname: mx1.hosting.example
    addresses: [192.0.2.25]
    exclusive: true

- name: Get the node's own certificate, or fail
  reseller.mail.certificates:
    names: [mx1.hosting.example]
    hostname: mx1.hosting.example
    required: true
"""

RETURN = r"""
certificates:
  description: One entry for each name that is needed.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The name.
      type: str
    state:
      description: V(present), V(issued) in this run (in check mode, would be), or V(blocked).
      type: str
    reason:
      description: Why the name is blocked, else empty.
      type: str
deployed:
  description: What the certificate hook reports that it did.
  returned: success
  type: dict
"""

import contextlib
import time
import typing as t
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.reseller.mail.plugins.module_utils._host.keys import (
    certbot,
    certificates,
)
from ansible_collections.reseller.mail.plugins.module_utils._host.lock import locked

LOCK = ".certificates.lock"
"""The file in the platform's folder that a run locks: certbot refuses to run twice at a time."""
PATIENCE = 900
"""Seconds. The other run may be asking for many certificates."""


def main() -> None:
    """Ask for the missing certificates and hand all to the daemons."""
    spec = {
        "names": {"type": "list", "elements": "str"},
        "published": {"type": "list", "elements": "str"},
        "wait": {"type": "int", "default": 30},
        "estate": {"type": "str"},
        "node": {"type": "str"},
        "hostname": {"type": "str", "required": True},
        "addresses": {"type": "list", "elements": "str", "default": []},
        "exclusive": {"type": "bool", "default": False},
        "required": {"type": "bool", "default": False},
        "source": {"type": "str", "choices": ["acme", "files"], "default": "acme"},
        "ca_bundle": {"type": "path"},
        "root": {"type": "path", "default": "/var/lib/reseller-mail"},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    lock = Path(module.params["root"]) / LOCK
    try:
        with contextlib.nullcontext() if module.check_mode else locked(lock, PATIENCE):
            result, sentences = converge(module)
    except (certbot.HookError, TimeoutError) as error:
        module.fail_json(msg=str(error), certificates=[])
    if module.params["required"] and sentences:
        module.fail_json(msg=" ".join(sentences), **result)
    for sentence in sentences:
        module.warn(sentence)
    module.exit_json(**result)


def converge(module: AnsibleModule) -> tuple[dict[str, t.Any], list[str]]:
    """Do what is to be done; return the module's result, and a sentence for each reason why names
    have no certificate."""
    params, root = module.params, Path(module.params["root"])
    names = sorted(set(params["names"] or []))
    acme = params["source"] == "acme"
    plan = certificates.plan_for_names(
        names,
        params["hostname"],
        certbot.folders(certbot.LIVE if acme else certbot.SUPPLIED),
        certbot.folders(root / "tls"),
        exclusive=params["exclusive"],
        acme=acme,
    )
    attempts = certbot.Attempts(root)
    blocked, tried = certificates.try_names(
        certificates.in_turn(plan.request, attempts.times),
        _obstacle(module, acme),
        _ask(module, acme),
        time.time,
    )
    if acme and not module.check_mode:
        attempts.keep(
            tried,
            certificates.to_remember(blocked, attempts.times, names, exclusive=params["exclusive"]),
        )
        for name in plan.retire:
            warning = certbot.give_up(module.run_command, name)
            if warning:
                module.warn(warning)
    deployed = certbot.run_hook(
        module.run_command, [name for name in names if name not in blocked], module.check_mode
    )
    blocked = certificates.with_refused(blocked, deployed)
    return certificates.result(names, plan, blocked, deployed), certificates.complaints(blocked)


def _obstacle(module: AnsibleModule, acme: bool) -> t.Callable[[str], str]:
    """Return the function that tells why a name is not asked for."""
    params = module.params
    if acme:
        return certbot.Reach(
            node=params["addresses"],
            published=params["published"] or [],
            check_mode=module.check_mode,
            deadline=time.monotonic() + params["wait"],
        ).obstacle
    reason = certificates.not_supplied(check_mode=module.check_mode, required=params["required"])
    return lambda _name: reason


def _ask(
    module: AnsibleModule, acme: bool
) -> t.Optional[t.Callable[[str], t.Optional[certificates.Refusal]]]:
    """Return the function that asks for one certificate, or None if this run asks for none."""
    if module.check_mode or not acme:
        return None
    return lambda name: certbot.request(module.run_command, name, module.params["ca_bundle"] or "")


if __name__ == "__main__":
    main()
