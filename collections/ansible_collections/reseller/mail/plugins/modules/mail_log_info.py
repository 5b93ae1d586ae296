#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: mail_log_info
short_description: Read the lines of a mail host's log about one address or domain
version_added: 0.1.0
description:
  - Reads the lines of Postfix, Dovecot, OpenDKIM and the guard in the journal that are about one
    address, or about the addresses of one domain. Lines about other addresses are not returned.
  - If a message has several recipients, only the lines about the subject are returned. If the
    subject sent the message, all its lines are returned.
  - Passwords and session names that a daemon may have logged are left out.
author: Reseller Mail developers (@reseller-mail)
extends_documentation_fragment:
  - reseller.mail.attributes.reads_only
  - reseller.mail.attributes.action_group
options:
  subject:
    description: An address or a domain.
    type: str
    required: true
  since:
    description: How far to look back, as C(journalctl --since) understands it.
    type: str
    default: -24h
  lines:
    description: The largest number of lines. The newest lines are returned.
    type: int
    default: 200
"""

EXAMPLES = r"""
- name: Read the log about Jo's mail
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
      description: The time in UTC.
      type: str
      sample: '2026-11-21T14:00:00Z'
    program:
      description: The program that wrote the line.
      type: str
      sample: postfix/smtpd
    text:
      description: The text of the line.
      type: str
      sample: 'NOQUEUE: reject: RCPT from mail.stranger.example[10.97.0.5]: 550 5.1.1
        <jo@acme.example>: Recipient address rejected'
    kind:
      description: What the line shows, V(protocol_refused), V(auth_failed), V(login), V(refused),
        V(bounced), V(deferred), V(delivered) or V(other).
      type: str
      sample: refused
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.reseller.mail.plugins.module_utils._host import mail_log as log
from ansible_collections.reseller.mail.plugins.module_utils._host.timestamps import timestamp

JOURNAL = [
    "--output=json",
    "--no-pager",
    "--quiet",
    "--reverse",
    "SYSLOG_FACILITY=2",
    "+",
    "_SYSTEMD_UNIT=reseller-mail-guard.service",
]
"""Arguments of journalctl. Facility 2 is mail: Postfix, Dovecot and OpenDKIM use it, and the names
of their units differ between releases of Debian."""


def main() -> None:
    """Return the lines about the subject, and about the messages that these lines name."""
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
        """Return the newest lines that match a regular expression."""
        rc, out, err = module.run_command(
            [*command, f"--grep={pattern}", "--case-sensitive=true", f"--lines={most}", *JOURNAL]
        )
        # journalctl exits with 1 if no line matches.
        if rc not in (0, 1) or (rc == 1 and err.strip()):
            module.fail_json(msg=f"journalctl: {err.strip() or out.strip()}", rc=rc)
        return log.parse(out, timestamp)

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
