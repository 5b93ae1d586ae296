#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: retained_mail
short_description: List, restore or delete the mail of mailboxes that left the files
version_added: 0.1.0
author: Reseller Mail developers (@reseller-mail)
description:
  - M(reseller.mail.generation) keeps mail and passwords of mailboxes that leave the files for the
    days of C(retention). This module lists what a host keeps, gives it to the mailbox that has the
    address now, or deletes it before the time is over.
  - A mailbox that returns to the files of the same tenant gets its mail and password back without
    this module.
extends_documentation_fragment:
  - reseller.mail.attributes.action_group
  - reseller.mail.host.root
  - reseller.mail.host.mail
options:
  subject:
    description: The name of a tenant, a domain, or the address of a mailbox. If it is empty, all
      are listed; the other states need a subject.
    type: str
    default: ''
  state:
    description:
      - V(listed) changes nothing.
      - V(restored) moves the mail into the mailbox that has the address now, beside the mail that
        is there, and replaces its password by the former one. The mailbox must be in the files. It
        may belong to another tenant.
      - V(deleted) deletes mail and password. This cannot be undone.
    type: str
    choices: [listed, restored, deleted]
    default: listed
  confirmed:
    description: The name of the tenant that had the mailboxes. Required unless O(state=listed).
    type: str
    default: ''
attributes:
  check_mode:
    description: Returns what would be restored or deleted.
    support: full
  diff_mode:
    description: There are no files to show.
    support: none
"""

EXAMPLES = r"""
- name: See what the host keeps of a tenant
  reseller.mail.retained_mail:
    subject: vandelay

- name: Delete it before the time is over
  reseller.mail.retained_mail:
    subject: vandelay
    state: deleted
    confirmed: vandelay
"""

RETURN = r"""
mailboxes:
  description: The retained mailboxes of the subject, sorted by tenant and address.
  returned: success
  type: list
  elements: dict
  contains:
    address:
      description: The address of the mailbox.
      type: str
      sample: jo@acme.example
    tenant:
      description: The tenant that had it.
      type: str
      sample: acme
    left:
      description: When it left the files.
      type: str
      sample: "2026-11-30T16:00:00Z"
    until:
      description: Until when it is kept. Empty if the manifest is damaged; then it is kept until an
        operator decides.
      type: str
      sample: "2026-12-30T16:00:00Z"
    moved_to:
      description: The host that has the mailbox now, if this is the copy after a move. Empty
        otherwise. A copy has no end.
      type: str
    messages:
      description: The number of messages. -1 while it is not measured yet.
      type: int
      sample: 120
    bytes:
      description: The size of all files. -1 while it is not measured yet.
      type: int
      sample: 5242880
    intact:
      description: Whether names and sizes of the files are as they were measured first.
      type: bool
    password:
      description: Whether the password is kept as well.
      type: bool
"""

import contextlib
import sqlite3
import typing as t
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.reseller.mail.plugins.module_utils._host import generation
from ansible_collections.reseller.mail.plugins.module_utils._host.credentials import Store as Logins
from ansible_collections.reseller.mail.plugins.module_utils._host.retained import report
from ansible_collections.reseller.mail.plugins.module_utils._host.retained.place import (
    Entry,
    Place,
    RetainedError,
)


def main() -> None:
    """List, restore or delete the mail."""
    module = AnsibleModule(
        argument_spec={
            "root": {"type": "path", "default": "/var/lib/reseller-mail"},
            "mail": {"type": "path", "default": "/srv/vmail"},
            "subject": {"type": "str", "default": ""},
            "state": {
                "type": "str",
                "choices": ["listed", "restored", "deleted"],
                "default": "listed",
            },
            "confirmed": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
    )
    store = generation.Store(Path(module.params["root"]))
    changes = module.params["state"] != "listed" and not module.check_mode
    try:
        with store.lock() if changes else contextlib.nullcontext():
            result = run(module, store)
    except (RetainedError, generation.GenerationError, OSError, sqlite3.Error) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


def run(module: AnsibleModule, store: generation.Store) -> dict[str, t.Any]:
    """Do what the parameters ask for, and return the module's result."""
    state, subject = module.params["state"], module.params["subject"].strip().lower()
    if state != "listed" and not subject:
        raise RetainedError(f"state {state} needs a subject: a tenant, a domain or an address")
    with Place(Path(module.params["mail"])) as place:
        found = report.of_subject(place.entries(), subject)
        rows = [report.row(place, entry) for entry in found]
        if state != "listed" and found:
            refuse_unconfirmed(found, state, module.params["confirmed"])
        if state == "restored":
            refuse_unserved(found, store)
        if not module.check_mode and found:
            if state == "restored":
                restore(place, found, store)
            elif state == "deleted":
                for entry in found:
                    place.discard(entry)
                place.tidy()
    return {"changed": bool(found) and state != "listed", "mailboxes": rows}


def refuse_unconfirmed(found: t.Sequence[Entry], state: str, confirmed: str) -> None:
    """Raise RetainedError unless the name of the tenant is confirmed."""
    tenants = sorted({entry.tenant for entry in found} - {confirmed})
    if tenants:
        names = ", ".join(entry.address for entry in found[:3])
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
        raise RetainedError(
            f"{names}{more} belonged to tenant {', '.join(tenants)}. Nothing was changed. If the"
            f" mail is to be {state}, confirm it with -e retained_mail_confirmed={tenants[0]}"
        )


def refuse_unserved(found: t.Sequence[Entry], store: generation.Store) -> None:
    """Raise RetainedError if an address is no mailbox of the host now."""
    served = generation.known(store, store.activated()).mailboxes
    missing = [entry.address for entry in found if entry.address not in served]
    if missing:
        raise RetainedError(
            f"{', '.join(missing[:3])} {'is' if len(missing) == 1 else 'are'} not in the files."
            " Nothing was changed. Write it into them again (a terminated tenant: state: active),"
            " and run reseller.mail.tenants: it gets its mail and its password back then"
        )


def restore(place: Place, found: t.Sequence[Entry], store: generation.Store) -> None:
    """Give the mail and the passwords to the mailboxes that have the addresses now."""
    path = store.root / "credentials" / "credentials.db"
    with Logins(str(path)) as logins:
        place.bring_back(found, logins, replace=True)
    for entry in found:
        place.discard(entry)
    place.tidy()


if __name__ == "__main__":
    main()
