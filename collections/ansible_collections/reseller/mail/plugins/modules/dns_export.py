#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: dns_export
short_description: Write the DNS records of domains as zone file fragments
version_added: 0.1.0
description:
  - Writes one file a domain, C(<domain>.zone), with the records that whoever runs the domain's DNS has to publish, as lines that BIND, Knot, NSD
    and most providers' import forms take.
  - Runs on the controller, without a connection to the host. Files of domains that left the estate are not removed.
author: Reseller Mail developers (@reseller-mail)
attributes:
  check_mode:
    description: Says what it would write.
    support: full
  diff_mode:
    description: Shows the files.
    support: full
options:
  estate:
    description: The estate's folder on the controller.
    type: path
    required: true
  dir:
    description: The folder on the controller to write to; relative to the folder that Ansible was started in.
    type: path
    default: build/dns
  domains:
    description: Whether to write those domains only whose DNS the provider does not manage, or all.
    type: str
    choices: [unmanaged, all]
    default: unmanaged
seealso:
  - module: reseller.mail.dns_publish
"""

EXAMPLES = r"""
- name: Write what tenants have to publish themselves
  reseller.mail.dns_export:
    estate: "{{ mail_estate_dir }}"
"""

RETURN = r"""
domains:
  description: The domains that have a file.
  type: list
  elements: str
  returned: success
  sample: [initech.example]
dir:
  description: The folder they lie in.
  type: str
  returned: success
  sample: /srv/platform/build/dns
"""
