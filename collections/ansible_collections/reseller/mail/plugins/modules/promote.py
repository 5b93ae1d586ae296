#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: promote
short_description: Take DMARC and MTA-STS one step further where the evidence is there
version_added: 0.1.0
description:
  - A domain's file says how strict its policies shall be in the end - C(dmarc.stage) and C(mta_sts.mode). What is published climbs there one step
    at a time, when the log that M(reseller.mail.evidence) writes carries the step. This shows every policy with what its next step waits for,
    and writes the steps into C(state/promoted_domains.json) of the estate.
  - Steps down to a softer target, and targets with an C(override), do not wait for this.
  - What was written is published by the next M(reseller.mail.dns_publish) and installed by the next M(reseller.mail.generation).
  - Runs on the controller alone.
author: Reseller Mail developers (@reseller-mail)
attributes:
  check_mode:
    description: Shows the same and writes nothing.
    support: full
  diff_mode:
    description: Shows the file of steps before and after.
    support: full
requirements:
  - rich on the controller.
extends_documentation_fragment: [reseller.mail.estate]
options:
  log:
    description: The log of evidence instead of the one in the estate; so that check mode can tell what today's evidence would do.
    type: str
seealso:
  - module: reseller.mail.evidence
  - module: reseller.mail.promotion_info
"""

EXAMPLES = r"""
- name: Promote what the evidence carries
  reseller.mail.promote:
    estate: estates/example
"""

RETURN = r"""
domains:
  description: Every policy of every domain, as M(reseller.mail.promotion_info) returns it.
  type: list
  elements: dict
  returned: success
  sample: []
moved:
  description: The steps that were made.
  type: list
  elements: str
  returned: success
  sample: ["acme.example: DMARC observe → test"]
"""
