#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: restore
short_description: Restore a folder, mailboxes or a node from a backup
version_added: 0.1.0
author: Reseller Mail developers (@reseller-mail)
description:
  - Brings mail back from a snapshot that role C(backup) made, with its flags and dates, and the
    stored passwords of the mailboxes.
  - Nothing that is there is replaced. A message that its folder has is not added again, so a second
    run adds nothing.
  - Everything is restored beside its place first. If the repository cannot be read, or if there is
    no space, nothing changes.
  - On a host of another node than that of O(subject) it does nothing.
extends_documentation_fragment:
  - reseller.mail.attributes.estate_group
  - reseller.mail.host.node
  - reseller.mail.estate.required
options:
  subject:
    description: The address of a mailbox, a domain, or the name of a tenant.
    type: str
    default: ""
  whole_node:
    description: Restores all mail, all passwords, the keys and certificates, and what the filter
      has learned. Either this or O(subject) is needed.
    type: bool
    default: false
  folder:
    description: One folder of the mailbox, as mail programs show it, such as C(Projects.2026) or
      C(INBOX). Only with the address of a mailbox. The password does not come back then.
    type: str
    default: ""
  snapshot:
    description: The id of a snapshot, or V(latest).
    type: str
    default: latest
  over_existing:
    description: Whether messages may be added to mailboxes that have mail. If not, nothing is
      restored if one of them has.
    type: bool
    default: false
  root:
    description: The folder of the mail platform on the host.
    type: path
    default: /var/lib/reseller-mail
  mailboxes:
    description: The addresses of the mailboxes. The controller fills it in.
    type: str
    default: ""
attributes:
  check_mode:
    description: Finds the snapshot and the mailboxes in it, and refuses what a run would refuse.
    support: full
  diff_mode:
    description: Shows a line for each mailbox.
    support: full
"""

EXAMPLES = r"""
- name: Bring back a folder that a user deleted
  reseller.mail.restore:
    estate: "{{ mail_estate_dir }}"
    node: "{{ mail_node }}"
    subject: jo@acme.example
    folder: Projects

- name: Bring back a node on a new host
  reseller.mail.restore:
    estate: "{{ mail_estate_dir }}"
    node: "{{ mail_node }}"
    whole_node: true
"""

RETURN = r"""
here:
  description: Whether this node has the subject. If not, nothing was done.
  type: bool
  returned: success
  sample: true
snapshot:
  description: The snapshot, and when it was taken.
  type: str
  returned: if RV(here) is true
  sample: 1a2b3c4d of 2026-11-29T02:31:07Z
mailboxes:
  description: How many mailboxes got something back. In check mode, those that the snapshot has.
  type: int
  returned: if RV(here) is true
  sample: 1
messages:
  description: How many messages came back.
  type: int
  returned: if RV(here) is true
  sample: 12
passwords:
  description: How many passwords came back.
  type: int
  returned: if RV(here) is true
  sample: 0
files:
  description: How many other files came back, with O(whole_node).
  type: int
  returned: if RV(here) is true
  sample: 0
"""

import sqlite3

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.reseller.mail.plugins.module_utils._host import one_text
from ansible_collections.reseller.mail.plugins.module_utils._host.backup import settings
from ansible_collections.reseller.mail.plugins.module_utils._host.backup.restic import Restic
from ansible_collections.reseller.mail.plugins.module_utils._host.restore import restore
from ansible_collections.reseller.mail.plugins.module_utils._host.restore.restore import (
    Outcome,
    Request,
)


def main() -> None:
    """Restore what is requested, and let Dovecot read it."""
    module = AnsibleModule(
        argument_spec={
            "estate": {"type": "path", "required": True},
            "node": {"type": "str", "required": True},
            "subject": {"type": "str", "default": ""},
            "whole_node": {"type": "bool", "default": False},
            "folder": {"type": "str", "default": ""},
            "snapshot": {"type": "str", "default": "latest"},
            "over_existing": {"type": "bool", "default": False},
            "root": {"type": "path", "default": "/var/lib/reseller-mail"},
            "mailboxes": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
    )
    params = module.params
    text = params["mailboxes"]
    request = Request(
        mailboxes=one_text.unpack(text) if text else [],
        folder=params["folder"] or None,
        whole_node=params["whole_node"],
        snapshot=params["snapshot"],
        over_existing=params["over_existing"],
    )
    try:
        wanted = settings.read()
        if wanted.node != params["node"]:
            raise settings.BackupError(
                f"this host makes backups of the node {wanted.node}, not of {params['node']}: run"
                " ansible-playbook reseller.mail.site first"
            )
        outcome = restore.restore(wanted, Restic(wanted), request, module.check_mode)
    except (settings.BackupError, OSError, ValueError, sqlite3.Error) as error:
        module.fail_json(msg=str(error))
    if not module.check_mode and not request.whole_node:
        refresh(module, outcome)
    module.exit_json(
        changed=outcome.changed,
        snapshot=outcome.snapshot,
        mailboxes=len(outcome.mailboxes),
        messages=outcome.messages,
        passwords=len(outcome.passwords),
        files=len(outcome.files),
        **({"diff": {"prepared": prepared(outcome)}} if module._diff else {}),
    )


def refresh(module: AnsibleModule, outcome: Outcome) -> None:
    """Let Dovecot read the folders that changed, and count the quota again."""
    for address in outcome.mailboxes:
        for words in (["force-resync", "-u", address, "*"], ["quota", "recalc", "-u", address]):
            code, _output, errors = module.run_command(["doveadm", *words])
            if code:
                module.warn(f"doveadm {words[0]} of {address}: {errors.strip()}")


def prepared(outcome: Outcome) -> str:
    """Return what came back, a line each."""
    lines = [
        f"+ mail of {address}: {added['messages']} messages, {added['folders']} folders,"
        f" {added['scripts']} scripts"
        for address, added in sorted(outcome.mailboxes.items())
    ]
    lines += [f"+ password of {address}" for address in sorted(outcome.passwords)]
    lines += [f"+ {path}" for path in outcome.files]
    return "".join(f"{line}\n" for line in lines)


if __name__ == "__main__":
    main()
