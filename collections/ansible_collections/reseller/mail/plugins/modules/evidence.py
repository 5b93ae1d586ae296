#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: evidence
short_description: Write down what the world says about the estate's domains
version_added: 0.1.0
description:
  - Reads DMARC aggregate reports (RFC 7489 and RFC 9990, XML), SMTP TLS reports (RFC 8460, JSON), each as a file, gzip, zip or mail, and what
    verify found last, and writes a log of it into the estate, C(state/promotion_evidence.json), day by day for 60 days.
  - M(reseller.mail.promote) decides by this log. C(docs/promotion.md) tells what is believed of whom.
  - Every report counts once. Reports about others' domains, from the future, older than 60 days, too large or broken ones are counted and passed over.
  - Runs on the controller alone, asks no host and no name server.
author: Reseller Mail developers (@reseller-mail)
attributes:
  check_mode:
    description: Reads and says the same, and does not write the log.
    support: full
  diff_mode:
    description: Shows the log before and after.
    support: full
requirements:
  - parsedmarc on the controller.
extends_documentation_fragment: [reseller.mail.estate]
options:
  reports:
    description: The folder with the reports, for instance a Maildir; relative to the folder that Ansible was started in.
    type: path
    default: build/reports
  findings:
    description: The report that M(reseller.mail.verify_report) wrote last. What it says counts for the day on which it was written.
    type: path
    default: build/verify/report.json
  sources:
    description:
      - Addresses and networks that send for the estate besides its nodes, such as the premium relay's.
      - Mail from there has to pass as the nodes' own has.
    type: list
    elements: str
    default: []
seealso:
  - module: reseller.mail.promote
  - module: reseller.mail.report_mails
"""

EXAMPLES = r"""
- name: Read reports
  reseller.mail.evidence:
    estate: estates/example
    sources: [203.0.113.0/28]
"""

RETURN = r"""
counts:
  description: What became of the reports, and about how many domains verify spoke.
  type: dict
  returned: success
  sample: {new: 12, known: 300, strange: 1, old: 0, future: 0, too_many: 0, unfit: 2, verified: 14}
failures:
  description: What of ours failed lately at others, one sentence each.
  type: list
  elements: str
  returned: success
  sample: ["acme.example, 2026-11-20: 3 messages from 192.0.2.9 failed SPF and DKIM (says google.com)"]
log:
  description: The log as it would be written, for O(reseller.mail.promote#module:log).
  type: str
  returned: in check mode
  sample: '{"evidence": []}'
notes:
  description: Files that no evidence was found in, and why.
  type: list
  elements: str
  returned: success
  sample: ["'bomb.xml.gz': it unpacks to more than 8,388,608 bytes"]
"""
