#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: mail_log_info
short_description: Read the lines of a mail host's log about one address, domain or message
version_added: 0.1.0
description:
  - Reads the lines of Postfix, Dovecot, OpenDKIM and the guard in the journal that are about one
    address, or about the addresses of one domain. Lines about other addresses are not returned.
  - If a message has several recipients, only the lines about the subject are returned. If the
    subject sent the message, all its lines are returned.
  - With O(message_id) it reads all lines about one message instead, also those about its
    recipients. Then the lines of the spam filter and the meaning of its symbols are returned as
    well.
  - Passwords and session names that a daemon may have logged are left out.
author: Reseller Mail developers (@reseller-mail)
extends_documentation_fragment:
  - reseller.mail.attributes.reads_only
  - reseller.mail.attributes.action_group
options:
  subject:
    description: An address or a domain. Either it or O(message_id) is required.
    type: str
  message_id:
    description: A Message-ID, or the queue id that a message had on this host.
    type: str
  since:
    description: How far to look back, as C(journalctl --since) understands it.
    type: str
    default: -24h
  lines:
    description: The largest number of lines. The newest lines are returned. With O(message_id) it
      is the largest number of each search.
    type: int
    default: 200
"""

EXAMPLES = r"""
- name: Read the log about Jo's mail
  reseller.mail.mail_log_info:
    subject: jo@acme.example
    since: -2h
  register: log

- name: Read the log about a message
  reseller.mail.mail_log_info:
    message_id: 20261130140000.3F2A@shop.example
    lines: 1000
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
    time:
      description: The time in microseconds since 1970.
      type: int
      sample: 1795270000000000
    process:
      description: The id of the process.
      type: str
      sample: '4711'
message_ids:
  description: The Message-IDs of the message, without angle brackets.
  type: list
  elements: str
  returned: with O(message_id)
  sample: [20261130140000.3F2A@shop.example]
symbols:
  description: What each symbol of the spam filter in the lines means, as rspamd describes it. Empty
    if rspamd does not answer.
  type: dict
  returned: with O(message_id)
  sample:
    MISSING_DATE: Message date is missing
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.reseller.mail.plugins.module_utils._host import mail_log as log
from ansible_collections.reseller.mail.plugins.module_utils._host import spam_filter
from ansible_collections.reseller.mail.plugins.module_utils._host.timestamps import timestamp

ENTRIES = ("SYSLOG_FACILITY=2", "+", "_SYSTEMD_UNIT=reseller-mail-guard.service")
"""Which entries journalctl reads. Facility 2 is mail: Postfix, Dovecot, OpenDKIM and rspamd use it,
and the names of their units differ between releases of Debian."""
LONGEST = 20_000
"""The longest line about a message. rspamd names all symbols in one."""


def reader(module: AnsibleModule, longest: int) -> log.Read:
    """Return what reads the newest lines of the journal, each with at most ``longest``
    characters."""
    command = [
        module.get_bin_path("journalctl", required=True),
        f"--since={module.params['since']}",
        f"--lines={module.params['lines']}",
        "--case-sensitive=true",
        "--output=json",
        "--no-pager",
        "--quiet",
        "--reverse",
    ]

    def read(pattern: str, process: str = "", until: t.Optional[int] = None) -> list[log.Line]:
        """Return the newest lines that match a regular expression."""
        arguments = [f"--grep={pattern}"]
        if until is not None:
            arguments.append(f"--until=@{until}")
        entries = ["SYSLOG_FACILITY=2", f"_PID={process}"] if process else ENTRIES
        rc, out, err = module.run_command([*command, *arguments, *entries])
        # journalctl exits with 1 if no line matches.
        if rc not in (0, 1) or (rc == 1 and err.strip()):
            module.fail_json(msg=f"journalctl: {err.strip() or out.strip()}", rc=rc)
        return log.parse(out, timestamp, longest)

    return read


def about_subject(module: AnsibleModule) -> dict[str, t.Any]:
    """Return the lines about the subject, and about the messages that these lines name."""
    subject, most = module.params["subject"].strip().lower(), module.params["lines"]
    read = reader(module, 1000)
    found = read(log.grep_for(subject))
    queues = list(
        dict.fromkeys(queue for line in found for queue in [log.queue_of(line)] if queue)
    )[: log.QUEUES]
    if queues:
        found += read(log.grep_queues(queues))
    return {"lines": [line._asdict() for line in log.own(subject, found)[-most:]]}


def about_message(module: AnsibleModule) -> dict[str, t.Any]:
    """Return the lines about the message, its Message-IDs, and what the filter's symbols mean."""
    try:
        message = log.plain_id(module.params["message_id"])
    except ValueError as error:
        module.fail_json(msg=f"message_id: {error}")
    lines, ids = log.about_message(reader(module, LONGEST), message)
    symbols = spam_filter.descriptions() if any(line.program == "rspamd" for line in lines) else {}
    return {
        "lines": [line._asdict() for line in lines],
        "message_ids": ids,
        "symbols": {
            name: meaning
            for name, meaning in symbols.items()
            if any(f"{name}(" in line.text for line in lines)
        },
    }


def main() -> None:
    """Return the lines about a subject or a message."""
    module = AnsibleModule(
        argument_spec={
            "subject": {"type": "str"},
            "message_id": {"type": "str"},
            "since": {"type": "str", "default": "-24h"},
            "lines": {"type": "int", "default": 200},
        },
        mutually_exclusive=[("subject", "message_id")],
        required_one_of=[("subject", "message_id")],
        supports_check_mode=True,
    )
    find = about_subject if module.params["message_id"] is None else about_message
    module.exit_json(changed=False, **find(module))


if __name__ == "__main__":
    main()
