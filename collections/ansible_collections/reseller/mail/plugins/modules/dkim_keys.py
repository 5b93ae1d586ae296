#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: dkim_keys
short_description: Make a node's DKIM keys and report their public halves
version_added: 0.1.0
author: Reseller Mail developers (@reseller-mail)
description:
  - Makes one RSA key of 2048 bits on the host for every domain name that sends from the node, aliases of domains too. A private half
    never leaves the host.
  - Writes the public halves to C(state/<node>.json) in the estate, on the controller, from where they get into DNS. The file is fit to
    be committed, and is not touched in check mode.
  - A private half that is gone, although its public half was noted, fails the task after everything else is done. It is never replaced
    silently, because mail would be signed with a key that nobody knows.
  - Keys of domains that the node no longer serves stay on the host.
options:
  estate:
    description: The estate's folder on the controller.
    type: path
    required: true
  node:
    description: The node's name in the estate. It is the selector too.
    type: str
    required: true
  recreate:
    description: Domain names whose lost key may be replaced by a new one.
    type: list
    elements: str
    default: []
  keys:
    description: The keys to make. The controller fills it in from the model.
    type: list
    elements: dict
    suboptions:
      domain:
        description: A domain name.
        type: str
        required: true
      selector:
        description: The key's selector.
        type: str
        required: true
  path:
    description: The folder of the keys on the host.
    type: path
    default: /var/lib/reseller-mail/dkim
attributes:
  check_mode:
    support: full
    description: Makes no key and writes no state.
  diff_mode:
    support: full
    description: Shows one line a key, never key material.
"""

EXAMPLES = r"""
- name: Make the keys that are missing
  reseller.mail.dkim_keys:
    estate: "{{ mail_estate_dir }}"
    node: "{{ mail_node }}"

- name: Replace the lost key of one domain
  reseller.mail.dkim_keys:
    estate: "{{ mail_estate_dir }}"
    node: "{{ mail_node }}"
    recreate: [acme.example]
"""

RETURN = r"""
dkim:
  description: The public half of every key that the node needs and has.
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
    public:
      description: The value of the C(p=) tag.
      type: str
lost:
  description: Names of the keys whose private half is gone.
  returned: always
  type: list
  elements: str
"""

import json
import os
import pwd
import tempfile
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.reseller.mail.plugins.module_utils._dkim import BITS, Found, KeyName, plan, public_half


class Store:
    """The folder of keys: ``<domain>/<selector>.private`` and beside it ``<selector>.json`` with the public half."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.root = Path(module.params["path"])
        if not module.check_mode:
            self.owner = pwd.getpwnam("opendkim")

    def private(self, key: KeyName) -> Path:
        return self.root / key.domain / f"{key.selector}.private"

    def found(self, key: KeyName) -> Found:
        try:
            public = json.loads(self.private(key).with_suffix(".json").read_text())["public"]
        except (OSError, ValueError, KeyError):
            public = ""
        return Found(self.private(key).exists(), public)

    def create(self, key: KeyName) -> None:
        """The public half is noted after the private one is in place: what is noted existed."""
        draft = self.draft(key)
        self.module.run_command(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{BITS}", "-out", draft], check_rc=True)
        self.place(draft, self.private(key), 0o600)
        self.note(key)

    def note(self, key: KeyName) -> None:
        _status, pem, _err = self.module.run_command(["openssl", "pkey", "-in", str(self.private(key)), "-pubout"], check_rc=True)
        draft = self.draft(key)
        Path(draft).write_text(json.dumps({"public": public_half(pem)}) + "\n")
        self.place(draft, self.private(key).with_suffix(".json"), 0o644)

    def draft(self, key: KeyName) -> str:
        """A new empty file, 0600, in the key's folder."""
        folder = self.private(key).parent
        if not folder.exists():
            folder.mkdir(mode=0o700)
            os.chown(folder, self.owner.pw_uid, self.owner.pw_gid)
        handle, draft = tempfile.mkstemp(dir=folder, prefix=".")
        os.close(handle)
        return draft

    def place(self, draft: str, path: Path, mode: int) -> None:
        with open(draft, "rb") as stream:
            os.fchown(stream.fileno(), self.owner.pw_uid, self.owner.pw_gid)
            os.fchmod(stream.fileno(), mode)
            os.fsync(stream.fileno())
        os.replace(draft, path)


def main() -> None:
    spec = {
        "estate": {"type": "path", "required": True},
        "node": {"type": "str", "required": True},
        "recreate": {"type": "list", "elements": "str", "default": []},
        "keys": {
            "type": "list",
            "elements": "dict",
            "no_log": False,
            "options": {"domain": {"type": "str", "required": True}, "selector": {"type": "str", "required": True}},
        },
        "path": {"type": "path", "default": "/var/lib/reseller-mail/dkim"},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    store = Store(module)
    wanted = sorted({KeyName(key["domain"], key["selector"]) for key in module.params["keys"] or []})
    found = {key: store.found(key) for key in wanted}
    todo = plan(wanted, found, module.params["recreate"])
    said = todo.lines(replaced={key for key in wanted if found[key].public})
    if not module.check_mode:
        for key in todo.create:
            store.create(key)
        for key in todo.note:
            store.note(key)
        found = {key: store.found(key) for key in wanted}
    dkim = [{"domain": key.domain, "selector": key.selector, "public": found[key].public} for key in wanted if found[key].public]
    result = {"changed": bool(said), "dkim": dkim, "lost": [str(key) for key in todo.lost], "diff": {"prepared": said}}
    if todo.lost:
        module.fail_json(
            msg="The private half of these DKIM keys is gone: "
            + ", ".join(f"{key} ({store.private(key)})" for key in todo.lost)
            + ". Bring the files back from a backup, or allow new keys with recreate: ["
            + ", ".join(sorted({key.domain for key in todo.lost}))
            + "].",
            **result,
        )
    module.exit_json(**result)


if __name__ == "__main__":
    main()
