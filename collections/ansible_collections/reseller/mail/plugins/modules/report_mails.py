#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: report_mails
short_description: Fetch the mails of report mailboxes to the controller
version_added: 0.1.0
description:
  - Copies the mails in the inbox of the mailboxes that DMARC and TLS reports are sent to into a folder on the controller, where
    M(reseller.mail.evidence) reads them. Nothing in the mailboxes changes, not even which mails are read.
  - Name only mailboxes that nothing but reports is sent to; everything in their inbox is copied.
  - Mailboxes that are not on the host are passed over, so that every node can be asked for all of them.
author: Reseller Mail developers (@reseller-mail)
attributes:
  check_mode:
    description: Says how many mails would be fetched.
    support: full
  diff_mode:
    description: Mails are not shown.
    support: none
options:
  mailboxes:
    description: The mailboxes' addresses.
    type: list
    elements: str
    required: true
  dest:
    description: The folder on the controller; relative to the folder that Ansible was started in.
    type: path
    default: build/reports
  root:
    description: The folder on the host that mailboxes lie in.
    type: path
    default: /srv/vmail
  days:
    description: Mails that arrived longer ago are passed over.
    type: int
    default: 60
  known:
    description: Names of mails that need not be sent. The controller fills it in.
    type: list
    elements: str
    default: []
seealso:
  - module: reseller.mail.evidence
"""

EXAMPLES = r"""
- name: Fetch reports
  reseller.mail.report_mails:
    mailboxes: [reports@hosting.example]
"""

RETURN = r"""
fetched:
  description: How many mails were fetched, or would be in check mode.
  type: int
  returned: success
  sample: 12
left:
  description: How many are left for the next run, because they would be too much for one, or for the evidence.
  type: int
  returned: success
  sample: 0
dest:
  description: The folder on the controller.
  type: str
  returned: success
  sample: build/reports
"""

import base64
import hashlib
import os
import re
import stat
import time

from ansible.module_utils.basic import AnsibleModule

MAX_MAIL = 4 * 2**20
MAX_RUN = 24 * 2**20
_ADDRESS = re.compile(r"([a-z0-9_][a-z0-9._-]{0,63})@([a-z0-9-]+(?:\.[a-z0-9-]+)+)")


def inboxes(root: str, addresses: list[str]) -> list[tuple[str, str]]:
    """(address, folder) of every part of the inboxes that is here."""
    found = []
    for address in addresses:
        parts = _ADDRESS.fullmatch(address)
        if not parts:
            raise ValueError(f"{address!r} is no address of a mailbox")
        local, domain = parts.groups()
        found += [
            (address, os.path.join(root, domain, local, "Maildir", part)) for part in ("new", "cur")
        ]
    return [(address, folder) for address, folder in found if os.path.isdir(folder)]


def fetch(
    root: str, addresses: list[str], known: frozenset[str], since: float
) -> tuple[list[dict[str, object]], int]:
    """The mails that are wanted, and how many had to be left."""
    mails, left, size = [], 0, 0
    for address, folder in inboxes(root, addresses):
        for entry in sorted(os.scandir(folder), key=lambda one: one.name):
            # What stands behind the colon are flags, which change when somebody reads the mail.
            name = (
                hashlib.sha256(
                    f"{address}/{entry.name.partition(':')[0]}".encode("utf-8", "surrogateescape")
                ).hexdigest()[:24]
                + ".eml"
            )
            status = entry.stat(follow_symlinks=False)
            if name in known or not stat.S_ISREG(status.st_mode) or status.st_mtime < since:
                continue
            if status.st_size > MAX_MAIL or size + status.st_size > MAX_RUN:
                left += 1
                continue
            with open(os.open(entry.path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
                content = file.read(MAX_MAIL)
            size += len(content)
            mails.append(
                {
                    "name": name,
                    "arrived": int(status.st_mtime),
                    "content": base64.b64encode(content).decode(),
                }
            )
    return mails, left


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "mailboxes": {"type": "list", "elements": "str", "required": True},
            "dest": {"type": "path", "default": "build/reports"},
            "root": {"type": "path", "default": "/srv/vmail"},
            "days": {"type": "int", "default": 60},
            "known": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    given = module.params
    try:
        mails, left = fetch(
            given["root"],
            given["mailboxes"],
            frozenset(given["known"]),
            time.time() - given["days"] * 86400,
        )
    except (ValueError, OSError) as error:
        module.fail_json(msg=f"the mails cannot be read: {error}")
    module.exit_json(changed=bool(mails), mails=mails, left=left)


if __name__ == "__main__":
    main()
