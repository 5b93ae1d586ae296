#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: guide
short_description: Write the pages that lead tenants through DNS and mail settings
version_added: 0.1.0
description:
  - Writes a page for every domain and domain alias, with each DNS record, its state, what was found, what to do, the settings for mail programs and what is
    left until the domain goes live; and an index for the provider, what needs attention first.
  - Pages are in German, English and French. The domain's C(locale) decides which one comes first. They load nothing from elsewhere.
  - The same estate and the same findings make the same bytes. The time on the pages is that of the findings.
  - Domains of tenants that are pending and domains that are not verified yet have pages as well, so that their records can be prepared. Tenants that are
    terminated have none; files of domains that left the estate are not removed.
  - Runs on the controller, without a connection to the host, and asks nobody.
author: Reseller Mail developers (@reseller-mail)
attributes:
  check_mode:
    description: Says what it would write.
    support: full
  diff_mode:
    description: Shows the files.
    support: full
extends_documentation_fragment: [reseller.mail.estate]
options:
  dir:
    description: The folder on the controller to write to; relative to the folder that Ansible was started in.
    type: path
    default: build/guide
  report:
    description:
      - The last report of M(reseller.mail.verify_report). Without one, everything is shown as not checked.
    type: path
    default: build/verify/report.json
  findings:
    description: Findings, as M(reseller.mail.verify_dns) returns them, instead of those of O(report).
    type: list
    elements: dict
  checked:
    description: When the findings were made, in UTC, such as V(2026-11-21T14:00:00Z). Default is when O(report) was written.
    type: str
    default: ""
  logos:
    description:
      - A folder of pictures, C(<domain>.svg) or C(<tenant>.svg), also C(.png) and C(.webp), of at most 512 KiB.
      - What C(branding.logo) leads to is never fetched. Who reads a page tells nobody else.
    type: path
seealso:
  - module: reseller.mail.verify_dns
  - module: reseller.mail.guide_site
    description: Serves the pages on the nodes, to each tenant its own.
"""

EXAMPLES = r"""
- name: Write the guide from the last report of verify
  reseller.mail.guide:
    estate: "{{ mail_estate_dir }}"

- name: Ask DNS
  reseller.mail.verify_dns:
    estate: "{{ mail_estate_dir }}"
  register: dns

- name: Write the guide from what DNS says right now
  reseller.mail.guide:
    estate: "{{ mail_estate_dir }}"
    findings: "{{ dns.findings }}"
    checked: "{{ now(utc=true, fmt='%Y-%m-%dT%H:%M:%SZ') }}"
"""

RETURN = r"""
dir:
  description: The folder that the pages lie in.
  type: str
  returned: success
  sample: /srv/platform/build/guide
files:
  description: The files, relative to RV(dir).
  type: list
  elements: str
  returned: success
  sample: [acme.example/brand.css, acme.example/index.html, guide.css, index.html]
domains:
  description:
    - By domain, whether it is ready for mail (C(live), everything that is needed was checked and is well), its worst C(state), and what is C(open), each
      with its id, state and owner (C(tenant) or C(provider)).
  type: dict
  returned: success
  sample: {acme.example: {live: false, state: fail, open: [{id: spf, state: fail, owner: tenant}]}}
"""
