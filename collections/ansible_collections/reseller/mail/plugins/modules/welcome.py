#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: welcome
short_description: Write the welcome pack of each tenant
version_added: 0.1.0
author: Reseller Mail developers (@reseller-mail)
description:
  - Writes what a client gets when its mail is set up. For the tenant, a letter with the contract,
    the domains and the addresses. For each domain and domain alias, the DNS records and the
    go-live report. For each domain, the settings for mail programs. For each mailbox with a login,
    a letter to its user.
  - Each document is a page (HTML) that needs no other file, and a text for the body of a mail.
  - They are in German, English or French, as C(locale) says, with the name, the colour, the links
    and the logo of the brand.
  - No password is in a pack.
  - The same estate, contracts and findings give the same bytes. Files of mailboxes and domains that
    left the estate are not removed, and neither is a pack that was written before and would be held
    back now.
  - The collection's C(docs/welcome.md) describes the pack and the file of contracts.
  - Runs on the controller. Asks no host and no name server. An estate with faults is refused.
extends_documentation_fragment:
  - reseller.mail.estate
  - reseller.mail.attributes.estate_group
attributes:
  check_mode:
    description: Prints what it would write, and writes nothing.
    support: full
  diff_mode:
    description: Shows the files.
    support: full
options:
  dir:
    description: The folder on the controller to write to. Each tenant gets a folder in it. Only the
      owner can read the files.
    type: path
    default: build/welcome
  tenants:
    description: Writes only the packs of these tenants.
    type: list
    elements: str
    default: []
  contracts:
    description:
      - A YAML file with what the billing system knows, for each tenant the client, the product, the
        amount and when it is due. Without it, the letter has no part about the contract.
      - If it has faults, all of them are printed with file, line and column, and nothing is
        written.
    type: path
  verified:
    description:
      - Whether a tenant gets its pack only when O(report) shows that all is in order which the
        tenant needs. The others are held back, and the reasons are printed.
      - Packs of tenants that are not active, and of those without a verified domain, are always
        held back.
    type: bool
    default: true
  report:
    description: The last report of M(reseller.mail.verify_report). Without it there is no go-live
      report.
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
        of at most 512 KiB. Each page has its picture in itself, so small pictures are better.
      - The address in C(branding.logo) is never fetched.
    type: path
seealso:
  - module: reseller.mail.guide
    description: Writes pages that show each DNS record with its state and what to do.
  - module: reseller.mail.verify_report
"""

EXAMPLES = r"""
- name: Write the packs of all tenants that verify found in order
  reseller.mail.welcome:
    estate: "{{ mail_estate_dir }}"

- name: Write the pack of a new client, with its contract
  reseller.mail.welcome:
    estate: "{{ mail_estate_dir }}"
    tenants: [acme]
    contracts: contracts.yml
"""

RETURN = r"""
dir:
  description: The folder with the packs.
  type: str
  returned: success
  sample: /srv/platform/build/welcome
checked:
  description: The time of the findings, empty if there are none.
  type: str
  returned: success
  sample: "2026-11-21T14:00:00Z"
packs:
  description: The files of each pack that was written or is up to date, by tenant. They are
    relative to the folder of the tenant.
  type: dict
  returned: success
  sample: {acme: [acme.example/clients.html, acme.example/clients.txt, letter.html, letter.txt]}
held:
  description: Why packs are held back, by tenant.
  type: dict
  returned: success
  sample: {globex: ["globex.example: spf fail, mail.deliver fail"]}
"""
