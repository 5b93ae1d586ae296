#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: promotion_info
short_description: Show the step and the target of DMARC and MTA-STS of each domain
version_added: 0.1.0
description:
  - Returns for every policy what is published, its target in the files, and what the next step
    waits for. Returns this as findings for M(reseller.mail.verify_report), and as data.
  - Runs on the controller. Reads only the estate and asks no host.
author: Reseller Mail developers (@reseller-mail)
extends_documentation_fragment:
  - reseller.mail.attributes.reads_only
  - reseller.mail.estate
  - reseller.mail.attributes.estate_group
seealso:
  - module: reseller.mail.promote
"""

EXAMPLES = r"""
- name: Show the steps of all domains
  reseller.mail.promotion_info:
    estate: estates/example
  register: promotion
"""

RETURN = r"""
domains:
  description: Every policy of every domain that hosts serve and that has mail.
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
      description: The target in the files.
      type: str
      sample: quarantine
    published:
      description: The step that is published now.
      type: str
      sample: observe
    override:
      description: The reason to publish the target without evidence. Empty without an override.
      type: str
      sample: ""
    before:
      description: The step that the evidence was enough for until now.
      type: str
      sample: observe
    step:
      description: The step that the evidence is enough for now.
      type: str
      sample: test
    next:
      description: The step after C(step). Empty at the target.
      type: str
      sample: quarantine
    missing:
      description: What the next step waits for.
      type: list
      elements: str
      sample: [verify green on 3 of 14 days]
findings:
  description: A finding for each policy, V(ok) at the target, else V(warn).
  type: list
  elements: dict
  returned: success
  sample: []
"""
