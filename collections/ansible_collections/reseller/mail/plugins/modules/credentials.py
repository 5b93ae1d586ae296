#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: credentials
short_description: Give every mailbox of a node a password once
version_added: 0.1.0
description:
  - Every mailbox that the estate places on the node and that has no credential yet gets one in the host's store.
  - A password or hash written in the tenant's file is honoured on creation. Every other mailbox gets an initial password, made
    and hashed on the host and handed over in a file on the controller.
  - A credential that exists is never touched, so a password that a user changed survives. Credentials of mailboxes that left the
    files stay, unusable, because Dovecot asks the generation first; rolling back brings the mailbox back with its password.
  - A mailbox whose password cannot be decrypted, or is no good, gets none. It is named with its place in the files, all others are seen
    to, and then the task fails.
  - Passwords appear neither in the result nor in the diff nor in verbose output.
  - Hashing takes about 0.1 seconds a new mailbox and processor; a run without new mailboxes hashes nothing and needs no vault secret.
author: Reseller Mail developers (@reseller-mail)
attributes:
  check_mode:
    description: Says which addresses would get a credential and changes nothing.
    support: full
  diff_mode:
    description: Shows one line an address, such as C(+ credential jo@acme.example initial).
    support: full
requirements:
  - Dovecot on the host, which hashes the passwords.
notes:
  - Nodes that run side by side each need an O(handover) file of their own.
  - Initial passwords wait in C(handover.json) beside the database, readable by root alone, until they were written on the controller, so
    that a broken connection loses none; the next run hands them over.
options:
  estate:
    description: The estate's folder on the controller.
    type: path
    required: true
  node:
    description: The node's name in the estate.
    type: str
    required: true
  handover:
    description:
      - The file on the controller that initial passwords are written to, CSV with the columns C(address) and C(password), mode C(0600).
      - Relative to the folder that Ansible was started in. That it can be written is checked before the host is changed.
    type: path
    required: true
  reset:
    description:
      - Addresses that get a new credential although they have one; each must be a mailbox of the node.
      - Changes something on every run; meant for the command line.
    type: list
    elements: str
    default: []
  database:
    description: The credential store on the host. Its folder must exist.
    type: path
    default: /var/lib/reseller-mail/credentials/credentials.db
  group:
    description: The group that may read the store.
    type: str
    default: dovecot
  stage:
    description: Set by the action plugin; leave it alone.
    type: str
    choices: [plan, create, acknowledge]
    default: plan
  addresses:
    description: Set by the action plugin; leave it alone.
    type: list
    elements: str
    default: []
  supplied:
    description: Set by the action plugin; leave it alone.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Give new mailboxes their first password
  reseller.mail.credentials:
    estate: "{{ mail_estate_dir }}"
    node: "{{ mail_node }}"
    handover: build/initial-passwords/{{ mail_node }}.csv

- name: Give one mailbox a new initial password
  reseller.mail.credentials:
    estate: "{{ mail_estate_dir }}"
    node: "{{ mail_node }}"
    handover: build/initial-passwords/{{ mail_node }}.csv
    reset: [jo@acme.example]
"""

RETURN = r"""
created:
  description: Addresses that got a credential.
  type: list
  elements: str
  returned: always
  sample: [jo@acme.example]
reset:
  description: Addresses whose credential was replaced.
  type: list
  elements: str
  returned: always
  sample: []
store_made:
  description: Whether the store is a new file. A Dovecot that runs may still read the one that lay there before, and has to be reloaded.
  type: bool
  returned: always
faults:
  description: What is wrong with the passwords of single mailboxes, each with its place in the files. The task fails where there is one.
  type: list
  elements: str
  returned: always
  sample: ["tenants/acme/acme.example.yml:4:5: unfit-password: the password of jo@acme.example has no digit; allowed: ..."]
handover:
  description: The file on the controller that holds the initial passwords handed over in this run; empty when there were none.
  type: str
  returned: always
  sample: build/initial-passwords/mx1.csv
"""

import json
import os
import secrets
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.reseller.mail.plugins.module_utils import _credentials as store


def waiting(spool: str) -> dict[str, str]:
    """Initial passwords that were not handed over yet."""
    if not os.path.exists(spool):
        return {}
    with open(spool, encoding="utf-8") as file:
        passwords: dict[str, str] = json.load(file)
    return passwords


def save(spool: str, passwords: dict[str, str]) -> None:
    """Written before the store is, in one step: a password exists nowhere else until the controller has it."""
    with open(
        os.open(f"{spool}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
    ) as file:
        json.dump(passwords, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(f"{spool}.new", spool)


def plan(module: AnsibleModule, database: str, spool: str) -> None:
    known: set[str] = set()
    if os.path.exists(database):
        with store.Store(database, read_only=True) as credentials:
            known = credentials.addresses()
    repaired = repair(module, database) if os.path.exists(database) else False
    module.exit_json(
        changed=repaired,
        missing=sorted(set(module.params["addresses"]) - known),
        waiting=sorted(waiting(spool)),
        repaired=["~ credential store owner and mode"] if repaired else [],
    )


def repair(module: AnsibleModule, database: str) -> bool:
    """Give the store, which may come from a backup, its owner, group and mode; return whether one of them was wrong."""
    changed = module.set_owner_if_different(database, str(os.geteuid()), False)
    changed = module.set_group_if_different(database, module.params["group"], changed)
    return bool(module.set_mode_if_different(database, 0o640, changed))


def create(module: AnsibleModule, database: str, spool: str) -> None:
    def run(command: list[str], given: str) -> tuple[int, str, str]:
        answer: tuple[int, str, str] = module.run_command(command, data=given, binary_data=True)
        return answer

    supplied: dict[str, str] = module.params["supplied"]
    passwords = {
        address: store.invent(address, secrets.choice)
        for address in module.params["addresses"]
        if address not in supplied
    }
    hashes: dict[str, str] = {}
    clear: dict[str, str] = {}
    faults: dict[str, str] = {}
    for address in module.params["addresses"]:
        text = supplied.get(address, "")
        try:
            given = store.supplied_hash(text)
        except store.CredentialError as error:
            faults[address] = str(error)
        else:
            (hashes if given else clear)[address] = given or text or passwords[address]
    scheme = store.best_scheme(run) if clear else ""

    def hashed(address: str) -> str:
        """The hash of what is clear; empty, and noted why, where there is none."""
        try:
            return store.hash_password(run, clear[address], scheme)
        except store.CredentialError as error:
            faults[address] = str(error)
            return ""

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        hashes.update(
            (address, text)
            for address, text in zip(clear, pool.map(hashed, clear), strict=True)
            if text
        )
    rows = [
        store.Credential(address, text, "supplied" if address in supplied else "initial")
        for address, text in hashes.items()
    ]
    # A password given since then replaces one that still waits.
    passwords = {address: text for address, text in passwords.items() if address not in faults}
    handover = {
        address: text
        for address, text in waiting(spool).items()
        if address not in supplied or address in faults
    } | passwords
    if handover:
        save(spool, handover)
    elif os.path.exists(spool):
        os.unlink(spool)
    made = not os.path.exists(database)
    os.umask(0o027)
    with store.Store(database) as credentials:
        credentials.put(rows, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    repair(module, database)
    module.exit_json(changed=bool(rows), initial=handover, faults=faults, made=made)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "estate": {"type": "path", "required": True},
            "node": {"type": "str", "required": True},
            "handover": {"type": "path", "required": True},
            "reset": {"type": "list", "elements": "str", "default": []},
            "database": {
                "type": "path",
                "default": "/var/lib/reseller-mail/credentials/credentials.db",
            },
            "group": {"type": "str", "default": "dovecot"},
            "stage": {
                "type": "str",
                "choices": ["plan", "create", "acknowledge"],
                "default": "plan",
            },
            "addresses": {"type": "list", "elements": "str", "default": []},
            "supplied": {"type": "dict", "default": {}, "no_log": True},
        },
        supports_check_mode=True,
    )
    database = module.params["database"]
    spool = os.path.join(os.path.dirname(database), "handover.json")
    try:
        if module.params["stage"] == "create" and not module.check_mode:
            create(module, database, spool)
        if module.params["stage"] == "acknowledge" and not module.check_mode:
            if os.path.exists(spool):
                os.unlink(spool)
            module.exit_json(changed=True)
        plan(module, database, spool)
    except (store.CredentialError, OSError, sqlite3.Error) as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
