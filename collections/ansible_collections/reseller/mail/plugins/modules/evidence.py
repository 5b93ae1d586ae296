#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: evidence
short_description: Count reports and verify's findings as evidence for promotion
version_added: 0.1.0
description:
  - Reads DMARC aggregate reports (RFC 7489 and RFC 9990, XML) and SMTP TLS reports (RFC 8460,
    JSON), each as a plain file, gzip, zip or mail. Reads also the last findings of verify. Writes
    both into the log of the estate, C(state/promotion_evidence.json), which has 60 days.
  - M(reseller.mail.promote) decides by this log. C(docs/promotion.md) has the rules of what counts.
  - Every report counts once. Reports about other domains, from the future, older than 60 days, too
    large or broken are ignored; their number is returned.
  - Runs on the controller. Asks no host and no name server.
author: Reseller Mail developers (@reseller-mail)
attributes:
  check_mode:
    description: Reads and shows the same, and does not write the log.
    support: full
  diff_mode:
    description: Shows the log before and after.
    support: full
requirements:
  - parsedmarc on the controller.
extends_documentation_fragment:
  - reseller.mail.estate
  - reseller.mail.attributes.estate_group
options:
  reports:
    description: The folder with the reports, for instance a Maildir. It is relative to the folder
      that Ansible was started in.
    type: path
    default: build/reports
  findings:
    description: The last report of M(reseller.mail.verify_report). Its findings count for the day
      on which verify asked.
    type: path
    default: build/verify/report.json
  sources:
    description:
      - Addresses and networks other than the nodes' that send for the estate, such as those of the
        premium relay.
      - Failures of mail from there delay a step, as failures of the nodes' mail do.
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
  description: How many reports were counted (C(new)) or ignored, by reason, and how many domains
    have a result of verify (C(verified)).
  type: dict
  returned: success
  sample: {new: 12, known: 300, strange: 1, old: 0, future: 0, too_many: 0, unfit: 2, verified: 14}
failures:
  description: Failures of our mail and hosts in the last days that reports count, one sentence
    each.
  type: list
  elements: str
  returned: success
  sample: ["acme.example, 2026-11-20: 3 messages from 192.0.2.9 failed SPF and DKIM (reported
    by google.com)"]
log:
  description: The log as it would be written, for O(reseller.mail.promote#module:log).
  type: str
  returned: in check mode
  sample: '{"evidence": []}'
notes:
  description: Files without evidence, and the reason.
  type: list
  elements: str
  returned: success
  sample: ["'bomb.xml.gz': it unpacks to more than 8,388,608 bytes"]
"""
