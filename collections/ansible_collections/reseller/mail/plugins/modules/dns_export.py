#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: dns_export
short_description: Write the DNS records of domains into files
version_added: 0.1.0
description:
  - Writes every record that the estate's domains need, in formats for people and for other tools.
  - Runs on the controller, without a connection to the host, and does not ask DNS. Files of domains
    that left the estate are not removed.
  - The MX records of the provider's domain are not in the files of V(nsupdate) and V(octodns).
    These tools replace a record set without looking, and the domain may have its mail elsewhere.
author: Reseller Mail developers (@reseller-mail)
attributes:
  check_mode:
    description: Reports which files it would write.
    support: full
  diff_mode:
    description: Shows the files.
    support: full
extends_documentation_fragment:
  - reseller.mail.estate
  - reseller.mail.attributes.estate_group
options:
  dir:
    description: The folder on the controller to write to. A relative path begins in the folder in
      which Ansible was started.
    type: path
    default: build/dns
  domains:
    description: Whether to write the domains whose DNS the provider does not manage, those whose
      DNS it manages, or all.
    type: str
    choices: [unmanaged, managed, all]
    default: unmanaged
  formats:
    description:
      - V(bind) is one file per domain, C(<domain>.zone), with lines that BIND, Knot, NSD and the
        import forms of most providers accept.
      - V(json) is C(records.json), every record with the reason for it, and the reverse records
        that the owner of the addresses should set.
      - V(nsupdate) is C(nsupdate/<zone>), input for C(nsupdate) and C(knsupdate). Running it again
        changes nothing.
      - V(octodns) is C(octodns/), a configuration for octoDNS. Run octoDNS in that folder, with
        C(PYTHONPATH=.). It does not change records of other people.
      - V(terraform) is C(terraform.json), a map of zones to a map of record sets, for C(for_each =
        jsondecode(file(...))["acme.example"]).
    type: list
    elements: str
    choices: [bind, json, nsupdate, octodns, terraform]
    default: [bind]
  zones:
    description:
      - Names that are zones, too. A domain that is below no other domain of the estate is always
        taken for a zone.
      - Has an effect on V(nsupdate), V(octodns) and V(terraform).
    type: list
    elements: str
    default: []
  octodns_target:
    description: The provider of DNS to which octoDNS publishes, as octoDNS's documentation of this
      provider describes it. The default writes zone files.
    type: dict
    default: {class: octodns_bind.ZoneFileProvider, directory: out}
seealso:
  - module: reseller.mail.dns_publish
"""

EXAMPLES = r"""
- name: Write the records that tenants publish themselves
  reseller.mail.dns_export:
    estate: "{{ mail_estate_dir }}"

- name: Write all records for a pipeline that runs Terraform
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
  description: The folder with the files.
  type: str
  returned: success
  sample: /srv/platform/build/dns
files:
  description: The files, relative to RV(dir).
  type: list
  elements: str
  returned: success
  sample: [initech.example.zone]
reverse_records:
  description: The reverse records that the owner of the addresses should set, as lines of a zone
    file.
  type: list
  elements: str
  returned: success
  sample: ["3.2.0.192.in-addr.arpa. 3600 IN PTR mx1.hosting.example."]
"""
