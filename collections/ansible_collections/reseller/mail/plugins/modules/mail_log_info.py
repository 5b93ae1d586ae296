#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: mail_log_info
short_description: Read what a mail host's log says about one address or domain
version_added: 0.1.0
description:
  - Reads the journal's lines of Postfix, Dovecot, OpenDKIM and the guard that tell about one address or about one domain's addresses, and nobody else's.
  - Of a message with several recipients only the subject's own lines are returned, unless the subject is who sent it.
  - Passwords and session names that a daemon may have written down are left out.
author: Reseller Mail developers (@reseller-mail)
extends_documentation_fragment: [reseller.mail.attributes.reads_only]
options:
  subject:
    description: An address or a domain.
    type: str
    required: true
  since:
    description: How far to look back, in the words of C(journalctl --since).
    type: str
    default: -24h
  lines:
    description: At most so many lines, the newest.
    type: int
    default: 200
"""

EXAMPLES = r"""
- name: See what became of Jo's mail
  reseller.mail.mail_log_info:
    subject: jo@acme.example
    since: -2h
  register: log
"""

RETURN = r"""
lines:
  description: The lines, oldest first.
  type: list
  elements: dict
  returned: success
  contains:
    at:
      description: When, UTC.
      type: str
      sample: '2026-11-21T14:00:00Z'
    program:
      description: Who wrote it.
      type: str
      sample: postfix/smtpd
    text:
      description: The line.
      type: str
      sample: 'NOQUEUE: reject: RCPT from mail.stranger.example[10.97.0.5]: 550 5.1.1 <jo@acme.example>: Recipient address rejected'
    kind:
      description: What it amounts to, V(auth_failed), V(login), V(refused), V(bounced), V(deferred), V(delivered) or V(other).
      type: str
      sample: refused
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.reseller.mail.plugins.module_utils import _diagnose_log as log
from ansible_collections.reseller.mail.plugins.module_utils._dkim import moment

JOURNAL = [
    "--output=json",
    "--no-pager",
    "--quiet",
    "--reverse",
    "SYSLOG_FACILITY=2",
    "+",
    "_SYSTEMD_UNIT=reseller-mail-guard.service",
]
"""Facility 2 is mail: Postfix, Dovecot and OpenDKIM write there, whatever their units are called."""


def main() -> None:
    options = {
        "subject": {"type": "str", "required": True},
        "since": {"type": "str", "default": "-24h"},
        "lines": {"type": "int", "default": 200},
    }
    module = AnsibleModule(argument_spec=options, supports_check_mode=True)
    subject, most = module.params["subject"].strip().lower(), module.params["lines"]
    command = [
        module.get_bin_path("journalctl", required=True),
        f"--since={module.params['since']}",
    ]

    def read(pattern: str) -> list[log.Line]:
        rc, out, err = module.run_command(
            [*command, f"--grep={pattern}", "--case-sensitive=true", f"--lines={most}", *JOURNAL]
        )
        # The exit status is 1 where no line fits.
        if rc not in (0, 1) or (rc == 1 and err.strip()):
            module.fail_json(msg=f"journalctl: {err.strip() or out.strip()}", rc=rc)
        return log.parse(out, moment)

    found = read(log.grep_for(subject))
    queues = list(
        dict.fromkeys(queue for line in found for queue in [log.queue_of(line)] if queue)
    )[: log.QUEUES]
    if queues:
        found += read(log.grep_queues(queues))
    module.exit_json(
        changed=False, lines=[line._asdict() for line in log.own(subject, found)[-most:]]
    )


if __name__ == "__main__":
    main()
