#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: promote
short_description: Make DMARC and MTA-STS one step stricter if there is enough evidence
version_added: 0.1.0
description:
  - The file of a domain sets the target of its policies, C(dmarc.stage) and C(mta_sts.mode). The
    published policy becomes stricter one step at a time, when the log that
    M(reseller.mail.evidence) writes has enough evidence for the step. This module shows every
    policy with what its next step waits for, and writes the steps into
    C(state/promoted_domains.json) of the estate.
  - A weaker target and a target with an C(override) are published without this module.
  - The next M(reseller.mail.dns_publish) publishes the new steps in DNS, and the next
    M(reseller.mail.generation) installs them on the hosts.
  - Runs on the controller and asks no host.
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
extends_documentation_fragment:
  - reseller.mail.estate
  - reseller.mail.attributes.estate_group
options:
  log:
    description: The log of evidence to use instead of the one in the estate. In check mode
      M(reseller.mail.evidence) returns the log and does not write it.
    type: str
seealso:
  - module: reseller.mail.evidence
  - module: reseller.mail.promotion_info
"""

EXAMPLES = r"""
- name: Promote policies that have enough evidence
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
