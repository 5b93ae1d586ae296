#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: credentials
short_description: Give every mailbox of a node a password once
version_added: 0.1.0
description:
  - Every mailbox that the estate places on the node and that has no credential yet gets one in the
    host's store.
  - A password or hash written in the tenant's file is used when the credential is made. Every other
    mailbox gets an initial password. It is made and hashed on the host, and written to a file on
    the controller.
  - A credential that exists is never changed, so a password that a user changed stays.
  - A mailbox that left the files and returns gets no new credential while the host retains its
    former one. M(reseller.mail.generation) puts that back, and does so in a rollback, too.
  - A mailbox whose password cannot be decrypted or breaks the policy gets none. All others get
    theirs. Then the task fails, and names the mailbox with its place in the files.
  - Passwords appear neither in the result nor in the diff nor in verbose output.
  - Hashing takes about 0.1 seconds for each new mailbox, divided by the number of processors. A run
    without new mailboxes hashes nothing and needs no vault secret.
author: Reseller Mail developers (@reseller-mail)
extends_documentation_fragment:
  - reseller.mail.attributes.estate_group
  - reseller.mail.host.node
  - reseller.mail.host.mail
  - reseller.mail.estate.required
attributes:
  check_mode:
    description: Reports which addresses would get a credential and changes nothing.
    support: full
  diff_mode:
    description: Shows one line for each address, such as C(+ credential jo@acme.example initial).
    support: full
requirements:
  - Dovecot on the host, which hashes the passwords.
notes:
  - Nodes that run side by side each need an O(initial_passwords) file of their own.
  - Initial passwords wait in C(initial_passwords.json) beside the database, which only root can
    read, until a controller has written them and confirmed each of them. So a run that is cut off
    loses none. The next run writes them, from any controller. A password can be delivered twice.
  - Runs from two controllers at the same time wait for each other on the host. Each address gets
    one password.
options:
  initial_passwords:
    description:
      - The file on the controller that initial passwords are written to, CSV with the columns
        C(address) and C(password), mode C(0600).
      - Relative to the folder that Ansible was started in. That it can be written is checked before
        the host is changed.
      - Rows are added at its end. No row is changed or removed, so an address that was reset has
        several rows. The last one counts.
    type: path
    required: true
  recipients:
    description:
      - The age recipients that may read the initial passwords. Each is an X25519 recipient
        (C(age1...)), or the line of an SSH public key (C(ssh-ed25519) or C(ssh-rsa)).
      - Each delivery is then a new file, which only the recipients can decrypt. C(mx1.csv) in
        O(initial_passwords) becomes C(mx1-20261129T023000Z.csv.age). No file of the controller
        has the passwords unencrypted.
      - A recipient that cannot be used fails the task before the host is asked.
    type: list
    elements: str
    default: []
    version_added: 0.1.0
  reset:
    description:
      - Addresses that get a new credential although they have one; each must be a mailbox of the
        node.
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
    description: Which step the host does. The controller fills it in.
    type: str
    choices: [plan, create, acknowledge]
    default: plan
  mailboxes:
    description: The mailboxes of the node for O(stage=plan), as one compressed text. The controller
      fills it in.
    type: str
    default: ''
  addresses:
    description: The mailboxes that get a password with O(stage=create). The controller fills it in.
    type: list
    elements: str
    default: []
  received:
    description: Digests of the initial passwords that were written, by address. The controller
      fills it in.
    type: dict
    default: {}
  offer:
    description: Whether the answer has the initial passwords that wait. The controller fills it in.
    type: bool
    default: true
  supplied:
    description: Passwords and hashes of the files by address. The controller fills it in.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Give new mailboxes their first password
  reseller.mail.credentials:
    estate: "{{ mail_estate_dir }}"
    node: "{{ mail_node }}"
    initial_passwords: build/initial-passwords/{{ mail_node }}.csv

- name: Give one mailbox a new initial password
  reseller.mail.credentials:
    estate: "{{ mail_estate_dir }}"
    node: "{{ mail_node }}"
    initial_passwords: build/initial-passwords/{{ mail_node }}.csv
    reset: [jo@acme.example]

- name: Give new mailboxes their first password, which only the help desk can read
  reseller.mail.credentials:
    estate: "{{ mail_estate_dir }}"
    node: "{{ mail_node }}"
    initial_passwords: build/initial-passwords/{{ mail_node }}.csv
    recipients: [age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p]
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
  description: Whether the store is a new file. A Dovecot that runs may still read the one that lay
    there before, and has to be reloaded.
  type: bool
  returned: always
faults:
  description: What is wrong with the passwords of single mailboxes, each with its place in the
    files. The task fails where there is one.
  type: list
  elements: str
  returned: always
  sample: ["tenants/acme/acme.example.yml:4:5: unfit-password: the password of jo@acme.example has
    no digit; allowed: ..."]
encrypted:
  description: The content of that file if there are O(recipients), for controllers whose files do
    not outlive a run, such as AWX. Empty if there are none.
  type: str
  returned: always
initial_passwords:
  description: The file on the controller that has the initial passwords of this run, encrypted if
    there are O(recipients). Empty if there were none.
  type: str
  returned: always
  sample: build/initial-passwords/mx1.csv
"""

import os
import secrets
import sqlite3
import typing as t
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.reseller.mail.plugins.module_utils._host import credentials as store
from ansible_collections.reseller.mail.plugins.module_utils._host import one_text
from ansible_collections.reseller.mail.plugins.module_utils._host.initial_passwords import (
    LOCK,
    SPOOL,
    adopt,
    keep,
    waiting,
)
from ansible_collections.reseller.mail.plugins.module_utils._host.lock import locked
from ansible_collections.reseller.mail.plugins.module_utils._host.retained.place import (
    Place,
    RetainedError,
)

PATIENCE = 900
"""Seconds. The other run may be hashing many passwords."""


def plan(module: AnsibleModule, database: str, spool: str) -> None:
    """Exit with the addresses that have no credential, those of them whose password is retained,
    and those whose password still waits."""
    text = module.params["mailboxes"]
    mailboxes: set[str] = set(one_text.unpack(text) if text else ())
    known: set[str] = set()
    if os.path.exists(database):
        with store.Store(database, read_only=True) as credentials:
            known = credentials.addresses()
    repaired = repair(module, database) if os.path.exists(database) else False
    module.exit_json(
        changed=repaired,
        missing=sorted(mailboxes - known),
        retained=sorted(retained(Path(module.params["mail"]), mailboxes - known)),
        waiting=sorted(waiting(spool)),
        repaired=["~ credential store owner and mode"] if repaired else [],
    )


def retained(mail: Path, missing: set[str]) -> t.Iterator[tuple[str, str]]:
    """Yield those of the addresses that left the files with a password, each with its tenant.

    The next generation gives the password back to a mailbox of this tenant.
    """
    with Place(mail) as place:
        for entry in place.entries():
            if entry.address in missing and place.has_login(entry):
                yield entry.address, entry.tenant


def repair(module: AnsibleModule, database: str) -> bool:
    """Give the store its owner, group and mode; return whether one of them was wrong.

    The store may come from a backup.
    """
    changed = module.set_owner_if_different(database, str(os.geteuid()), False)
    changed = module.set_group_if_different(database, module.params["group"], changed)
    return bool(module.set_mode_if_different(database, 0o640, changed))


def create(module: AnsibleModule, database: str, spool: str) -> None:
    """Give each address of the parameters a credential; exit with what was made."""
    adopt(spool)
    known = others_made(module, database)
    addresses = [address for address in module.params["addresses"] if address not in known]
    supplied: dict[str, str] = {
        address: module.params["supplied"][address]
        for address in addresses
        if address in module.params["supplied"]
    }
    invented = {
        address: store.invent(address, secrets.choice)
        for address in addresses
        if address not in supplied
    }
    first = store.first_passwords(addresses, supplied, invented)
    made_hashes, failed = hash_all(module, first.clear)
    faults = {**first.faults, **failed}
    rows = [
        store.Credential(address, text, "supplied" if address in supplied else "initial")
        for address, text in {**first.hashes, **made_hashes}.items()
    ]
    offered = store.to_hand_over(waiting(spool), invented, supplied, faults)
    keep(spool, offered)
    made = not os.path.exists(database)
    os.umask(0o027)
    with store.Store(database) as credentials:
        credentials.put(rows, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    repair(module, database)
    module.exit_json(
        changed=bool(rows),
        initial=offered if module.params["offer"] else {},
        faults=faults,
        made=made,
        known=sorted(known),
    )


def others_made(module: AnsibleModule, database: str) -> set[str]:
    """Return the addresses of the request that got a credential since the plan was made."""
    if not os.path.exists(database):
        return set()
    reset = {address.lower() for address in module.params["reset"]}
    with store.Store(database, read_only=True) as credentials:
        return credentials.known(set(module.params["addresses"]).difference(reset))


def acknowledge(module: AnsibleModule, spool: str) -> None:
    """Forget the initial passwords that the controller wrote; keep all others."""
    adopt(spool)
    keep(spool, store.not_received(waiting(spool), module.params["received"]))
    module.exit_json(changed=True)


def hash_all(
    module: AnsibleModule, clear: t.Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Hash passwords side by side; return the hashes, and why others have none, by address."""

    def run(command: list[str], given: str) -> tuple[int, str, str]:
        answer: tuple[int, str, str] = module.run_command(command, data=given, binary_data=True)
        return answer

    def hashed(address: str) -> str:
        try:
            return store.hash_password(run, clear[address], scheme)
        except store.CredentialError as error:
            faults[address] = str(error)
            return ""

    faults: dict[str, str] = {}
    scheme = store.best_scheme(run) if clear else ""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        hashes = dict(zip(clear, pool.map(hashed, clear), strict=True))
    return {address: text for address, text in hashes.items() if text}, faults


def main() -> None:
    """Do the step that the controller asks for."""
    module = AnsibleModule(
        argument_spec={
            "estate": {"type": "path", "required": True},
            "node": {"type": "str", "required": True},
            "initial_passwords": {"type": "path", "required": True, "no_log": False},
            "recipients": {"type": "list", "elements": "str", "default": []},
            "reset": {"type": "list", "elements": "str", "default": []},
            "database": {
                "type": "path",
                "default": "/var/lib/reseller-mail/credentials/credentials.db",
            },
            "group": {"type": "str", "default": "dovecot"},
            "mail": {"type": "path", "default": "/srv/vmail"},
            "stage": {
                "type": "str",
                "choices": ["plan", "create", "acknowledge"],
                "default": "plan",
            },
            # No secret, but nothing to write into the host's log on every run.
            "mailboxes": {"type": "str", "default": "", "no_log": True},
            "addresses": {"type": "list", "elements": "str", "default": []},
            "received": {"type": "dict", "default": {}},
            "offer": {"type": "bool", "default": True},
            "supplied": {"type": "dict", "default": {}, "no_log": True},
        },
        supports_check_mode=True,
    )
    database = module.params["database"]
    spool = os.path.join(os.path.dirname(database), SPOOL)
    try:
        if module.params["stage"] == "plan" or module.check_mode:
            plan(module, database, spool)
        with locked(Path(database).with_name(LOCK), PATIENCE):
            if module.params["stage"] == "create":
                create(module, database, spool)
            acknowledge(module, spool)
    except (store.CredentialError, RetainedError, OSError, sqlite3.Error) as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
