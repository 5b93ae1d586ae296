#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: preflight
short_description: Verify that a host can become a mail host, and that a running one answers
version_added: 0.1.0
author: Reseller Mail developers (@reseller-mail)
description:
  - Asks the host, through M(reseller.mail.preflight_info), about its release, versions, memory,
    space, clock, ports, resolvers and secrets. The controller compares the answers with what the
    collection needs, and asks DNS and the ports of the host itself.
  - On a host that is configured, it also tests each connection - SMTP, IMAP, POP3, ManageSieve,
    doveadm and the milters.
  - A host that cannot be reached is a finding, not an error.
extends_documentation_fragment:
  - reseller.mail.estate
  - reseller.mail.attributes.estate_group
  - reseller.mail.host.root
  - reseller.mail.host.node
  - reseller.mail.host.mail
attributes:
  check_mode:
    description: Does the same, but free ports do not answer, so the controller cannot see whether
      a firewall lets them through.
    support: full
  diff_mode:
    description: Changes nothing, so there is nothing to show.
    support: N/A
requirements:
  - dnspython on the controller.
options:
  adopt:
    description: Whether the next run takes over a host with another mail configuration. Then that
      is a V(warn).
    type: bool
    default: false
  resolver:
    description: The address of the controller's resolver. Empty for its own.
    type: str
    default: ""
  ca_file:
    description: A file on the controller with the only CAs that are accepted. Empty for the
      system's.
    type: str
    default: ""
  signed_name:
    description: A name in DNS that is signed, which the host's resolvers must validate. Empty to
      ask for none.
    type: str
    default: "."
  acme:
    description: The address of the CA's ACME directory. Empty to ask for none.
    type: str
    default: ""
  acme_ca:
    description: The file on the host with the CAs to trust there. Empty for the host's own.
    type: str
    default: ""
  outgoing:
    description: A mail server outside, whose port 25 the host must reach. Empty to ask none.
    type: str
    default: ""
  mirrors:
    description: Whether the package mirrors must answer.
    type: bool
    default: true
  login_limit_port:
    description: The port of Dovecot's login limit, for local clients only.
    type: int
    default: 12341
  ping_only:
    description: Test only the connections.
    type: bool
    default: false
  memory_warn:
    description: C(preflight.memory) is a V(warn) below this number of MiB.
    type: int
    default: 900
  memory_fail:
    description: C(preflight.memory) is a V(fail) below this number of MiB.
    type: int
    default: 600
  disk_warn:
    description: C(preflight.disk) is a V(warn) below this number of free GiB.
    type: int
    default: 10
  disk_fail:
    description: C(preflight.disk) is a V(fail) below this number of free GiB.
    type: int
    default: 2
  clock_skew:
    description: By how many seconds the host's clock may differ from the controller's.
    type: int
    default: 60
seealso:
  - module: reseller.mail.preflight_info
  - module: reseller.mail.verify_report
"""

EXAMPLES = r"""
- name: Check the host before the first run
  reseller.mail.preflight:
    estate: "{{ mail_estate_dir }}"
    node: "{{ mail_node }}"
    outgoing: mail.example.net
  register: preflight
"""

RETURN = r"""
findings:
  description: One entry for each finding, sorted by subject and id.
  type: list
  elements: dict
  returned: success
  sample:
    - id: preflight.reverse
      subject: mx1.hosting.example
      state: fail
      expected: the PTR record of each address is mx1.hosting.example
      found: "192.0.2.10: none"
      remedy: 10.2.0.192.in-addr.arpa. PTR mx1.hosting.example.
"""
