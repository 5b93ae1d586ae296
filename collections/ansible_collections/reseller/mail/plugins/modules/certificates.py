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
  - Asks an ACME server, through C(certbot) as role C(tls) has set it up, for the certificates that are missing, and hands all of them to
    the mail daemons with the host's certificate hook.
  - One name that cannot get a certificate harms no other. It is reported as V(blocked), with the reason and a warning.
  - Names are tried in the order of their last attempt, new ones first. The rest is not tried after an error that concerns all names. That is
    an error of the account by its ACME type, an ACME server out of reach, or a host where C(certbot) cannot work.
  - A name whose DNS points elsewhere is not asked for, to spare the ACME server's rate limits.
  - A certificate that is no longer needed is not renewed any more. It stays in service until it expires, so that a rollback finds it.
options:
  names:
    description:
      - The names that need a certificate.
      - Without it, the names the model gives to O(node), besides the node's own.
    type: list
    elements: str
  published:
    description:
      - Those names whose addresses are published by the same run. In check mode, where that has not happened, they count as if it had.
        Otherwise the host's resolver, which may remember that there were none, is given O(wait) to find them.
      - Without it, the names in domains whose DNS the provider manages; all, when O(names) is given.
    type: list
    elements: str
  wait:
    description: How many seconds in all to wait until the names that were just published have an address.
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
    description: The node's addresses in the world's eyes. When empty, a name's DNS only has to exist.
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
    description: Where certificates come from. With V(files) nothing is asked for, and a name without one is V(blocked).
    type: str
    choices: [acme, files]
    default: acme
  ca_bundle:
    description: File on the host with the certificate authorities by which the ACME server's own certificate is judged.
    type: path
  root:
    description: The folder of the mail platform on the host.
    type: path
    default: /var/lib/reseller-mail
attributes:
  check_mode:
    support: full
    description: A name without any DNS address is listed as if it could be got when the same run publishes it, see O(published).
  diff_mode:
    support: full
    description: Shows one line a certificate.
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
  description: One entry a name that is needed.
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
  description: What the certificate hook did, as it says itself.
  returned: success
  type: dict
"""

import json
import os
import socket
import time
import typing as t
from pathlib import Path
from typing import Optional

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.reseller.mail.plugins.module_utils import _certificates

LIVE = Path("/etc/letsencrypt/live")
SUPPLIED = Path("/etc/reseller-mail/certificates")
HOOK = "/usr/local/sbin/reseller-mail-certificates"


def folders(path: Path) -> list[str]:
    return sorted(pair.parent.name for pair in path.glob("*/fullchain.pem"))


def reachable(module: AnsibleModule, name: str, deadline: float) -> str:
    """Why the ACME server would not find this node behind the name; empty when it would."""
    published = name in (module.params["published"] or [])
    while True:
        try:
            found = {
                str(answer[4][0])
                for answer in socket.getaddrinfo(name, 80, type=socket.SOCK_STREAM)
            }
        except UnicodeError:
            return "it is no name of a host"
        except socket.gaierror as error:
            if error.errno == socket.EAI_AGAIN:
                return "its DNS does not answer"
            if module.check_mode and published:
                return ""
            if not published or time.monotonic() > deadline:
                return "it has no address in DNS"
            time.sleep(1)
        else:
            return _certificates.unreachable(found, module.params["addresses"])


def supplied(module: AnsibleModule) -> str:
    """In check mode the role's own file is not there yet."""
    return (
        ""
        if module.check_mode and module.params["required"]
        else "no certificate was supplied for it"
    )


class Attempts:
    """When each name that has no certificate was tried last, so that runs that end early do not end at the same name."""

    def __init__(self, root: Path) -> None:
        self._path = root / "tls/attempts.json"
        try:
            self.times = {
                str(name): float(when) for name, when in json.loads(self._path.read_bytes()).items()
            }
        except (
            OSError,
            ValueError,
            TypeError,
            AttributeError,
        ):  # lost or damaged: all names count as new
            self.times = {}

    def keep(self, tried: dict[str, float], missing: set[str]) -> None:
        """Write the times of the names that still have no certificate."""
        times = {name: when for name, when in (self.times | tried).items() if name in missing}
        if times != self.times:
            draft = self._path.with_name(".attempts.json.new")
            draft.write_text(json.dumps(times, sort_keys=True), encoding="utf-8")
            draft.replace(self._path)


def request(module: AnsibleModule, name: str) -> Optional[_certificates.Refusal]:
    """Ask for one certificate; return why it was not issued, or None when it was."""
    environment = (
        {"REQUESTS_CA_BUNDLE": module.params["ca_bundle"]} if module.params["ca_bundle"] else {}
    )
    # Without its hooks, which would reload daemons once a name; ours runs after the last.
    command = [
        "certbot",
        "certonly",
        "--non-interactive",
        "--no-directory-hooks",
        "--debug",
        "--cert-name",
        name,
        "--domain",
        name,
    ]
    status, out, err = module.run_command(command, environ_update=environment)
    return _certificates.refusal(out, err, name) if status else None


def give_up(module: AnsibleModule, name: str) -> None:
    """Have certbot forget a certificate. One that it cannot forget must not keep others from being served."""
    status, out, err = module.run_command(
        ["certbot", "delete", "--non-interactive", "--cert-name", name]
    )
    if status:
        module.warn(
            f"The certificate of {name}, which is not needed any more, is still renewed: {_certificates.refusal(out, err).reason}"
        )


def hook(module: AnsibleModule, names: list[str]) -> dict[str, t.Any]:
    if module.check_mode and not os.path.exists(HOOK):
        return {}
    status, out, err = module.run_command(
        [HOOK, *(["--check"] if module.check_mode else []), *names]
    )
    try:
        answer: dict[str, t.Any] = json.loads(out)
    except ValueError:
        module.fail_json(
            msg=f"The certificate hook failed with status {status}: {(err or out).strip()}",
            certificates=[],
        )
        raise
    return answer


def try_names(
    module: AnsibleModule, names: list[str], acme: bool
) -> tuple[dict[str, str], dict[str, float]]:
    """Ask for certificates; return which names have none for which reason, and when the CA was asked for which.

    A name that DNS does not show costs no attempt, and no run ends at it: its time stays, so that a run with nothing to
    do writes nothing.
    """
    blocked: dict[str, str] = {}
    tried: dict[str, float] = {}
    stop = ""
    deadline = time.monotonic() + module.params["wait"]
    for name in names:
        if stop:
            blocked[name] = stop
            continue
        reason = reachable(module, name, deadline) if acme else supplied(module)
        refusal = None
        if not reason and acme and not module.check_mode:
            tried[name] = time.time()
            refusal = request(module, name)
        if refusal and refusal.concerns_all:
            stop = f"not tried after {name}: {refusal.reason}"
        reason = reason or (refusal.reason if refusal else "")
        if reason:
            blocked[name] = reason
    return blocked, tried


def main() -> None:
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
    needed = sorted(set(module.params["names"] or []))
    acme = module.params["source"] == "acme"
    issued = folders(LIVE if acme else SUPPLIED)
    plan = _certificates.plan(
        {module.params["hostname"], *needed},
        issued,
        folders(Path(module.params["root"]) / "tls"),
        exclusive=module.params["exclusive"],
    )
    plan = _certificates.Plan(
        tuple(name for name in plan.request if name in needed), plan.retire if acme else ()
    )

    attempts = Attempts(Path(module.params["root"]))
    blocked, tried = try_names(module, _certificates.in_turn(plan.request, attempts.times), acme)
    if not module.check_mode:
        if acme:
            others = set() if module.params["exclusive"] else set(attempts.times) - set(needed)
            attempts.keep(tried, set(blocked) | others)
        for name in plan.retire:
            give_up(module, name)
    deployed = hook(module, [name for name in needed if name not in blocked])
    blocked.update(
        {name: f"refused: {reason}" for name, reason in deployed.get("refused", {}).items()}
    )

    said = _certificates.lines(
        plan, blocked, deployed.get("published", []), deployed.get("removed", [])
    )
    state = {
        name: "blocked" if name in blocked else "issued" if name in plan.request else "present"
        for name in needed
    }
    result = {
        "changed": bool(said or deployed.get("rebuilt")),
        "certificates": [
            {"name": name, "state": state[name], "reason": blocked.get(name, "")} for name in needed
        ],
        "deployed": deployed,
        "diff": {"prepared": said},
    }
    sentences = _certificates.complaints(blocked)
    if module.params["required"] and blocked:
        module.fail_json(msg=" ".join(sentences), **result)
    for sentence in sentences:
        module.warn(sentence)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
