#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: verify_dns
short_description: Verify that DNS matches the estate
version_added: 0.1.0
description:
  - Finds the authoritative servers of every served domain, and asks each of them for every record
    that the estate's files need, many questions at a time.
  - The MX is asked first. While mail goes elsewhere, everything else about the domain is
    V(blocked).
  - Also verifies the whole SPF chain, DNSSEC, the name servers, the addresses for reports, and
    that no record of a previous provider is left. The collection's C(docs/findings.md) lists every
    finding.
  - A server that does not answer is a finding of its own, and is never taken for a missing record.
    Servers with different answers are a V(warn), with the time to live that is left.
  - Fetches every MTA-STS policy over verified HTTPS, and verifies that it allows the MX in DNS.
  - Runs on the controller, without a connection to the host.
author: Reseller Mail developers (@reseller-mail)
requirements:
  - dnspython and spftrace on the controller.
extends_documentation_fragment:
  - reseller.mail.attributes.reads_only
  - reseller.mail.estate
  - reseller.mail.attributes.estate_group
options:
  resolver:
    description: The address of the resolver that finds the authoritative servers; by default the
      controller's own.
    type: str
    default: ''
  ca_file:
    description: A file on the controller with the only CAs that certificates may come from; by
      default the system's.
    type: str
    default: ''
  timeout:
    description: Seconds to wait for an answer. A question is asked twice.
    type: float
    default: 4
  at_once:
    description: How many questions are asked at the same time.
    type: int
    default: 50
seealso:
  - module: reseller.mail.verify_report
  - module: reseller.mail.dns_publish
"""

EXAMPLES = r"""
- name: Verify the DNS of the estate's domains
  reseller.mail.verify_dns:
    estate: "{{ mail_estate_dir }}"
  register: dns
"""

RETURN = r"""
findings:
  description: One entry for each finding, sorted by subject and id.
  type: list
  elements: dict
  returned: success
  sample:
    - id: dns.mx
      subject: acme.example
      state: ok
      expected: acme.example. 3600 IN MX 10 mx1.hosting.example.
      found: 10 mx1.hosting.example.
      remedy: ''
"""
