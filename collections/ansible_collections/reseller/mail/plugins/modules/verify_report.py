#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: verify_report
short_description: Write and show what verify found
version_added: 0.1.0
description:
  - Collects the findings of all parts, writes C(report.json), with the time, and C(junit.xml), shows a table, and fails when a finding is V(fail).
  - Where there are many subjects a digest comes first, and only one of each kind is shown in full.
  - A part that did not answer is a finding itself. What is amiss because its host is, by M(reseller.mail.verify_host), is V(blocked) by that and names it.
  - Runs on the controller, without a connection to the host. Reports are no state of a host, so writing one is no change.
author: Reseller Mail developers (@reseller-mail)
attributes:
  check_mode:
    description: Reports all the same.
    support: full
  diff_mode:
    description: Changes nothing, so there is nothing to show.
    support: N/A
requirements:
  - rich on the controller.
options:
  dir:
    description: The folder on the controller to write to; relative to the folder that Ansible was started in.
    type: path
    default: build/verify
  parts:
    description: What was asked, with what the tasks registered.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The part's name, for instance V(dns).
        type: str
        required: true
      results:
        description: The registered results by whom they are about, should one hold no findings.
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
  description: The same in one line.
  type: str
  returned: always
  sample: "42 findings: 40 ok, 1 fail, 1 na"
dir:
  description: The folder of the reports.
  type: str
  returned: always
  sample: /srv/platform/build/verify
"""
