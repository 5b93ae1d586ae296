#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: verify_mail
short_description: Connect to the ports of mail hosts, and send and fetch real mail
version_added: 0.1.0
description:
  - Opens SMTP, submission, IMAP, POP3 and ManageSieve sessions with verified TLS, to every node and
    to the names that users have in their settings.
  - Asks port 25 of every backup MX as well. It must accept mail for every domain, and only for
    recipients that exist.
  - Tries what must be refused, which is relaying between external addresses, unknown recipients,
    and passwords before TLS. Credentials for it are invented, and addresses are below C(.invalid).
  - Sends mail from one mailbox of every domain to itself and to the others, and from outside
    through each domain's MX. Fetches it over IMAP, verifies the DKIM signature with the key in DNS,
    and deletes it.
  - Sends the test message GTUBE and a message with a forged author from outside to one mailbox of
    every node. The filter must refuse both or file them into Junk. What arrives is deleted.
  - Logs in to the IMAP and submission servers in the SRV records of every name of a domain, with
    the mailbox's address in that name.
  - Runs on the controller, without a connection to the host.
author: Reseller Mail developers (@reseller-mail)
attributes:
  check_mode:
    description: Sends its mail in check mode too, and deletes it.
    support: full
  diff_mode:
    description: Changes nothing, so there is no diff.
    support: N/A
requirements:
  - dnspython and C(dkimpy[ed25519]) on the controller.
extends_documentation_fragment:
  - reseller.mail.estate
  - reseller.mail.attributes.estate_group
options:
  accounts:
    description: Mailboxes that may be used. Of the active mailboxes of a domain whose password is
      known, the first one in the file is used.
    type: list
    elements: dict
    default: []
    suboptions:
      address:
        description: The mailbox's address.
        type: str
        required: true
      password:
        description: Its password.
        type: str
        required: true
  passwords_dir:
    description: A folder on the controller with the initial passwords that
      M(reseller.mail.credentials) has written, C(*.csv); empty for none.
    type: path
    default: ''
  initial:
    description:
      - The addresses whose password is still the initial one, from
        M(reseller.mail.credentials_info). Others from O(passwords_dir) are not tried.
      - When it is not given, all are tried.
    type: list
    elements: str
  filters:
    description: The settings of the nodes' spam filters. A node that is not listed has the
      defaults.
    type: list
    elements: dict
    default: []
    suboptions:
      node:
        description: The node's name in the estate.
        type: str
        required: true
      enabled:
        description: Whether mail is filtered there.
        type: bool
        default: true
      dmarc_reject:
        description: What the filter does with mail that fails DMARC if the domain asks to refuse
          it.
        type: str
        choices: [annotate, junk, reject]
        default: reject
  resolver:
    description: The address of the resolver for all names; by default the controller's own.
    type: str
    default: ''
  ca_file:
    description: A file on the controller with the only CAs that certificates may come from; by
      default the system's.
    type: str
    default: ''
  timeout:
    description: Seconds within which mail must arrive.
    type: float
    default: 30
seealso:
  - module: reseller.mail.credentials_info
  - module: reseller.mail.verify_report
"""

EXAMPLES = r"""
- name: Send real mail with the initial passwords
  reseller.mail.verify_mail:
    estate: "{{ mail_estate_dir }}"
    passwords_dir: build/initial-passwords
  register: mail
"""

RETURN = r"""
findings:
  description: One entry for each finding, sorted by subject and id.
  type: list
  elements: dict
  returned: success
  sample:
    - id: mail.deliver
      subject: it@acme.example → ann@globex.example
      state: ok
      expected: in the inbox within 30 s
      found: after 1.2 s
      remedy: ''
"""
