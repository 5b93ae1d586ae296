#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: promotion_info
short_description: How far DMARC and MTA-STS of each domain have come
version_added: 0.1.0
description:
  - Says of every policy what is published, what the files want in the end, and what the next step waits for; as findings for
    M(reseller.mail.verify_report), and as data.
  - Runs on the controller alone and reads the estate only.
author: Reseller Mail developers (@reseller-mail)
extends_documentation_fragment: [reseller.mail.attributes.reads_only, reseller.mail.estate]
seealso:
  - module: reseller.mail.promote
"""

EXAMPLES = r"""
- name: See how far domains have come
  reseller.mail.promotion_info:
    estate: estates/example
  register: promotion
"""

RETURN = r"""
domains:
  description: Every policy of every domain that hosts know and that has mail.
  type: list
  elements: dict
  returned: success
  contains:
    domain:
      description: The domain.
      type: str
      sample: acme.example
    tenant:
      description: Its tenant.
      type: str
      sample: acme
    policy:
      description: V(dmarc) or V(mta_sts).
      type: str
      sample: dmarc
    target:
      description: What the files want in the end.
      type: str
      sample: quarantine
    published:
      description: What the model publishes now.
      type: str
      sample: observe
    override:
      description: The reason to go ahead of the evidence; empty when there is none.
      type: str
      sample: ""
    before:
      description: How far evidence carried it up to now.
      type: str
      sample: observe
    step:
      description: How far it carries it now.
      type: str
      sample: test
    next:
      description: The step after that; empty at the target.
      type: str
      sample: quarantine
    missing:
      description: What the next step waits for.
      type: list
      elements: str
      sample: [verify green on 3 of 14 days]
findings:
  description: An answer for each policy; V(ok) at the target, else V(warn).
  type: list
  elements: dict
  returned: success
  sample: []
"""
