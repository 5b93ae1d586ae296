#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: guide
short_description: Write the pages that lead tenants through DNS and mail settings
version_added: 0.1.0
description:
  - Writes a page for every domain and domain alias. It shows each DNS record with its state, what
    was found and what to do, the settings for mail programs, and what is left until the domain can
    go live. Writes also an index for the provider, with the domains that need attention first.
  - Pages are in German, English and French. The domain's C(locale) decides which one comes first.
    They load nothing from other sites.
  - The same estate and the same findings give the same bytes. The time on the pages is that of the
    findings.
  - Domains of pending tenants and domains that are not verified yet have pages, too, so that people
    can prepare the records. Terminated tenants have no pages. Files of domains that left the estate
    are not removed.
  - Runs on the controller. Asks no host and no name server.
author: Reseller Mail developers (@reseller-mail)
attributes:
  check_mode:
    description: Shows which files it would write.
    support: full
  diff_mode:
    description: Shows the files.
    support: full
extends_documentation_fragment:
  - reseller.mail.estate
  - reseller.mail.attributes.estate_group
options:
  dir:
    description: The folder on the controller to write to, relative to the folder that Ansible was
      started in.
    type: path
    default: build/guide
  report:
    description:
      - The last report of M(reseller.mail.verify_report). Without it, all states are "not checked".
    type: path
    default: build/verify/report.json
  findings:
    description: Findings to use instead of those in O(report), as M(reseller.mail.verify_dns)
      returns them.
    type: list
    elements: dict
  checked:
    description: The time of the findings in UTC, such as V(2026-11-21T14:00:00Z). Default is the
      time of O(report).
    type: str
    default: ""
  logos:
    description:
      - A folder with pictures, C(<domain>.svg) or C(<tenant>.svg), also C(.png) and C(.webp), each
        of at most 512 KiB.
      - The address in C(branding.logo) is never fetched, so no other site learns who reads a page.
    type: path
seealso:
  - module: reseller.mail.verify_dns
  - module: reseller.mail.guide_site
    description: Serves the pages on the nodes, each page only to its tenant.
"""

EXAMPLES = r"""
- name: Write the guide from the last report of verify
  reseller.mail.guide:
    estate: "{{ mail_estate_dir }}"

- name: Ask DNS
  reseller.mail.verify_dns:
    estate: "{{ mail_estate_dir }}"
  register: dns

- name: Write the guide from these findings
  reseller.mail.guide:
    estate: "{{ mail_estate_dir }}"
    findings: "{{ dns.findings }}"
    checked: "{{ now(utc=true, fmt='%Y-%m-%dT%H:%M:%SZ') }}"
"""

RETURN = r"""
dir:
  description: The folder with the pages.
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
    - For each domain, whether it is ready for mail (C(live), all that is needed was checked and is
      ok), its worst C(state), and what is C(open), with id, state and owner (C(tenant) or
      C(provider)).
    - C(suspended) is what is suspended, C(tenant) or C(domain), else empty. A suspended domain and
      a domain without addresses are not live. C(open) of a suspended domain has what is wrong only.
  type: dict
  returned: success
  sample: {acme.example: {live: false, state: fail, suspended: "",
    open: [{id: spf, state: fail, owner: tenant}]}}
"""
