#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: node_history
short_description: Refuse a host that lacks what its node had before
version_added: 0.1.0
author: Reseller Mail developers (@reseller-mail)
description:
  - The host of a node that has served has what cannot be made again - the passwords that users
    chose, the private halves of DKIM keys, and the mail. This module fails if a part of that is
    gone, before another task makes a new one in its place.
  - What a node had is known from its report in the estate (C(state/<node>.json)) and from the
    generation that its host serves. For a node that reported no key and a host without a generation
    there is nothing to lose, and nothing is asked.
  - It fails as well if the files place a tenant on another node than the one that has its mail.
  - A host that lost only a part counts as well, for example one whose mail is on another disk that
    is not mounted.
extends_documentation_fragment:
  - reseller.mail.attributes.reads_only
  - reseller.mail.attributes.estate_group
  - reseller.mail.host.node
  - reseller.mail.estate.required
options:
  root:
    description: The folder of the mail platform on the host. Passwords are in its folder
      C(credentials), keys in C(dkim).
    type: path
    default: /var/lib/reseller-mail
  mail_home:
    description:
      - The folder of the mail on the host. It counts as there when it holds a mailbox or the file
        C(.reseller-mail).
      - That the host once had such a folder is noted in the file C(mail-home) below O(root).
    type: path
    default: /srv/vmail
  virgin_host:
    description:
      - What happens where something is missing.
      - V(refuse) fails.
      - V(restore) succeeds and names in RV(missing) what is to be brought back; the caller must
        make none of it.
      - V(new) warns and succeeds.
    type: str
    choices: [refuse, restore, new]
    default: refuse
  moving:
    description: The tenant that playbook C(reseller.mail.move) is moving. For others the module
      fails if the tenant's mail is on another node than C(placement) says.
    type: str
    default: ''
  platform_required:
    description:
      - Whether to fail also if the host does not have the platform of this collection, as
        M(reseller.mail.platform_record) records it. The message says what differs, and what to run.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Refuse a host that was built anew
  reseller.mail.node_history:
    estate: "{{ mail_estate_dir }}"
    node: "{{ mail_node }}"
"""

RETURN = r"""
missing:
  description: By folder of the host, what the node had there and the host lacks.
  type: dict
  returned: always
  sample: {/srv/vmail: the mail}
unmoved:
  description: That the mail of a tenant is on another node than its files say. Returned only then.
  type: bool
  returned: failure
virgin:
  description: Whether the host has no passwords, no DKIM keys, no mail and no mailboxes.
  type: bool
  returned: success
  sample: false
"""

import contextlib
import sqlite3
import typing as t
from dataclasses import asdict
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.reseller.mail.plugins.module_utils._host import generation as generations
from ansible_collections.reseller.mail.plugins.module_utils._host import platform_record
from ansible_collections.reseller.mail.plugins.module_utils._host.credentials import Store
from ansible_collections.reseller.mail.plugins.module_utils._host.retained.place import (
    Place,
    RetainedError,
)

MARK = ".reseller-mail"
NOTE = "mail-home"


def main() -> None:
    """Return what the host has, part by part; the action compares it with the node's report."""
    module = AnsibleModule(
        argument_spec={
            "estate": {"type": "path", "required": True},
            "node": {"type": "str", "required": True},
            "root": {"type": "path", "default": "/var/lib/reseller-mail"},
            "mail_home": {"type": "path", "default": "/srv/vmail"},
            "virgin_host": {
                "type": "str",
                "choices": ["refuse", "restore", "new"],
                "default": "refuse",
            },
            "platform_required": {"type": "bool", "default": False},
            "moving": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
    )
    try:
        root = Path(module.params["root"])
        host = parts_present(root, Path(module.params["mail_home"]))
        module.exit_json(changed=False, host={**host, **tenants(root)})
    except (RetainedError, OSError, sqlite3.Error) as error:
        module.fail_json(msg=f"what this host has cannot be read: {error}")


def parts_present(root: Path, mail_home: Path) -> dict[str, t.Any]:
    """Return which parts of a node's history the host has, and the noted folder of the mail."""
    generation = (root / "current").is_dir()
    noted = _text(root / NOTE).strip()
    names = {path.name for path in mail_home.iterdir()} if mail_home.is_dir() else set()
    # An older version wrote no note. Its host may have had no mail yet, so an empty folder is
    # complete.
    record = platform_record.read(root)
    older = generation and not noted and mail_home.is_dir()
    database = root / "credentials" / "credentials.db"
    mailboxes = _has_bytes(root / "current" / "dovecot" / "all_users")
    # All mailboxes with a password may have left the files. Then the store is empty.
    left = generation and database.is_file() and (not mailboxes or _retains(mail_home))
    return {
        "credentials": _has_passwords(database) or left,
        "dkim": any((root / "dkim").glob("[!.]*/*")),
        "mail": (
            older
            or MARK in names
            or any(not name.startswith(".") and name != "lost+found" for name in names)
        ),
        "mailboxes": mailboxes,
        "mail_home": noted,
        "platform": asdict(record) if record else None,
    }


def tenants(root: Path) -> dict[str, t.Any]:
    """Return the tenants that the host serves, and those whose mail it passes on, and to whom."""
    store = generations.Store(root)
    known = generations.known(store, store.current())
    return {"serves": sorted(known.served_here), "passes_on": known.served_elsewhere}


def _has_passwords(database: Path) -> bool:
    """Return whether the credential store exists and has a credential."""
    if not database.is_file():
        return False
    with Store(str(database), read_only=True) as store:
        return not store.is_empty()


def _retains(mail_home: Path) -> bool:
    """Return whether the host retains a password of a mailbox that left the files."""
    with Place(mail_home) as place:
        return any(map(place.has_login, place.entries()))


def _has_bytes(path: Path) -> bool:
    """Return whether a file exists and is not empty."""
    return path.is_file() and path.stat().st_size > 0


def _text(path: Path) -> str:
    """Return the text of a file; empty if it does not exist."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        return path.read_text("utf-8", "replace")
    return ""


if __name__ == "__main__":
    main()
