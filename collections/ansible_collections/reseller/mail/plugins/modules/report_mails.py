#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: report_mails
short_description: Fetch the mails of report mailboxes to the controller
version_added: 0.1.0
description:
  - Copies the mails in the inboxes of mailboxes that get DMARC and TLS reports into a folder on the
    controller, where M(reseller.mail.evidence) reads them. It does not change the mailboxes. Unread
    mails stay unread.
  - Name only mailboxes that get nothing but reports, because everything in their inbox is copied.
  - Mailboxes that are not on the host are ignored, so you can ask every node for all mailboxes.
author: Reseller Mail developers (@reseller-mail)
extends_documentation_fragment: [reseller.mail.attributes.action_group]
attributes:
  check_mode:
    description: Returns how many mails would be fetched.
    support: full
  diff_mode:
    description: Mails are not shown.
    support: none
options:
  mailboxes:
    description: The addresses of the mailboxes.
    type: list
    elements: str
    required: true
  dest:
    description: The folder on the controller, relative to the folder that Ansible was started in.
    type: path
    default: build/reports
  root:
    description: The folder on the host with the mailboxes.
    type: path
    default: /srv/vmail
  days:
    description: Ignore mails that arrived more days ago than this.
    type: int
    default: 60
  known:
    description: Names of mails that the controller has already. The controller fills it in.
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
  description: How many mails were fetched, or in check mode would be fetched.
  type: int
  returned: success
  sample: 12
left:
  description: How many mails were not fetched, because they are larger than 4 MiB, or because this
    run already fetched 24 MiB. The next run fetches the latter.
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
"""Bytes of the largest mail that is fetched."""
MAX_RUN = 24 * 2**20
"""Bytes of all mails of one run."""
_ADDRESS = re.compile(r"([a-z0-9_][a-z0-9._-]{0,63})@([a-z0-9-]+(?:\.[a-z0-9-]+)+)")


def inboxes(root: str, addresses: list[str]) -> list[tuple[str, str]]:
    """Return (address, folder) for each folder of the inboxes that exists on this host.

    Raises ValueError if an address could leave ``root``.
    """
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
    """Return the mails that are wanted (name, arrival and content), and how many were left.

    ``known`` are names of mails to leave out. ``since`` is in seconds since 1970.
    """
    mails, left, size = [], 0, 0
    for address, folder in inboxes(root, addresses):
        for entry in sorted(os.scandir(folder), key=lambda one: one.name):
            name = local_name(address, entry.name)
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


def local_name(address: str, name: str) -> str:
    """Return the mail's file name on the controller, the same in each run.

    The flags after the colon are left out, because they change when a user reads the mail.
    """
    key = f"{address}/{name.partition(':')[0]}".encode("utf-8", "surrogateescape")
    return f"{hashlib.sha256(key).hexdigest()[:24]}.eml"


def main() -> None:
    """Return the mails that are wanted."""
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
