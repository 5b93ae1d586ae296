#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: verify_report
short_description: Write and show the findings of verify
version_added: 0.1.0
description:
  - Collects the findings of all parts, writes C(report.json), with the time, and C(junit.xml),
    shows a table, and fails if a finding is V(fail).
  - If there are many subjects, a digest comes first, and only one subject of each kind is shown in
    full.
  - A part that returned no findings is a finding itself. A finding that depends on a failed finding
    of M(reseller.mail.verify_host) is V(blocked) and names it.
  - Runs on the controller, without a connection to the host. A report is no state of a host, so
    writing one is no change.
author: Reseller Mail developers (@reseller-mail)
extends_documentation_fragment: [reseller.mail.attributes.action_group]
attributes:
  check_mode:
    description: Writes the report in check mode too.
    support: full
  diff_mode:
    description: Changes nothing, so there is no diff.
    support: N/A
requirements:
  - rich on the controller.
options:
  dir:
    description: The folder on the controller for the reports, relative to the folder in which
      Ansible was started.
    type: path
    default: build/verify
  parts:
    description: The parts of verify, with the registered results of their tasks.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The part's name, for instance V(dns).
        type: str
        required: true
      results:
        description: The registered results by their subject, which the report names if one has no
          findings.
        type: dict
        required: true
seealso:
  - module: reseller.mail.verify_host
  - module: reseller.mail.verify_dns
  - module: reseller.mail.verify_mail
  - module: reseller.mail.verify_quota
"""

EXAMPLES = r"""
- name: Report
  reseller.mail.verify_report:
    parts:
      - name: dns
        results:
          the estate: "{{ dns }}"
"""

RETURN = r"""
counts:
  description: How many findings there are of each state.
  type: dict
  returned: always
  sample: {ok: 40, warn: 0, fail: 1, blocked: 0, na: 1}
summary:
  description: The same as one line.
  type: str
  returned: always
  sample: "42 findings: 40 ok, 1 fail, 1 na"
dir:
  description: The folder of the reports.
  type: str
  returned: always
  sample: /srv/platform/build/verify
"""
