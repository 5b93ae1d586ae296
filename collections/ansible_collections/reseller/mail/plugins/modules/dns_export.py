#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: dns_export
short_description: Write the DNS records of domains for whoever publishes them
version_added: 0.1.0
description:
  - Writes every record that the estate's domains need, in the forms that people and other tools take.
  - Runs on the controller, without a connection to the host, and asks nobody. Files of domains that left the estate are not removed.
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
    default: build/dns
  domains:
    description: Whether to write the domains whose DNS the provider does not manage, those whose it does, or all.
    type: str
    choices: [unmanaged, managed, all]
    default: unmanaged
  formats:
    description:
      - V(bind) is one file a domain, C(<domain>.zone), as lines that BIND, Knot, NSD and most providers' import forms take.
      - V(json) is C(records.json), every record with the reason it exists, and the reverse names that the owner of the addresses should set.
      - V(nsupdate) is C(nsupdate/<zone>), input for C(nsupdate) and C(knsupdate). Running it again changes nothing.
      - V(octodns) is C(octodns/), a configuration to run octoDNS with in that folder, with C(PYTHONPATH=.); what is not ours it leaves alone.
      - V(terraform) is C(terraform.json), a map of zones to a map of record sets, for C(for_each = jsondecode(file(...))["acme.example"]).
    type: list
    elements: str
    choices: [bind, json, nsupdate, octodns, terraform]
    default: [bind]
  zones:
    description:
      - Names that are zones of their own, besides the domains that lie below no other domain of the estate, which are taken for zones.
      - Matters to V(nsupdate), V(octodns) and V(terraform).
    type: list
    elements: str
    default: []
  octodns_target:
    description: The provider that octoDNS publishes to, as its own documentation has it. The default writes zone files.
    type: dict
    default: {class: octodns_bind.ZoneFileProvider, directory: out}
seealso:
  - module: reseller.mail.dns_publish
"""

EXAMPLES = r"""
- name: Write what tenants have to publish themselves
  reseller.mail.dns_export:
    estate: "{{ mail_estate_dir }}"

- name: Write everything for a pipeline that runs Terraform
  reseller.mail.dns_export:
    estate: "{{ mail_estate_dir }}"
    domains: all
    formats: [json, terraform]
"""

RETURN = r"""
domains:
  description: The names whose records were written.
  type: list
  elements: str
  returned: success
  sample: [initech.example]
dir:
  description: The folder they lie in.
  type: str
  returned: success
  sample: /srv/platform/build/dns
files:
  description: The files, relative to RV(dir).
  type: list
  elements: str
  returned: success
  sample: [initech.example.zone]
wishes:
  description: The reverse names that whoever owns the addresses should set, as zone file lines.
  type: list
  elements: str
  returned: success
  sample: ["3.2.0.192.in-addr.arpa. 3600 IN PTR mx1.hosting.example."]
"""
