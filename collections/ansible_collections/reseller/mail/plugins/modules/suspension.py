#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: suspension
short_description: Suspend a tenant, a domain or a mailbox in the estate's files, or resume it
version_added: 0.1.0
author: Reseller Mail developers (@reseller-mail)
description:
  - Edits C(suspensions) in the tenant's C(account.yml), on the controller. This is the provider's
    file, so the tenant cannot undo it. Comments, order, quotes, layout and line ends of the rest
    stay.
  - The result is validated first. If it has a fault, or if O(subject) is unknown, nothing is
    written.
  - Hosts do not change. The playbooks C(reseller.mail.suspend) and C(reseller.mail.resume) use this
    module and then apply the change. Review and commit the file.
extends_documentation_fragment:
  - reseller.mail.estate
  - reseller.mail.attributes.estate_group
options:
  subject:
    description: The name of a tenant, a domain, or the address of a mailbox.
    type: str
    required: true
  state:
    description:
      - V(present) suspends O(subject). An earlier suspension of it by the provider is replaced.
      - V(absent) removes what the provider's file has about it - its item in C(suspensions), its
        item in C(suspended_domains), and for a tenant C(state=suspended). If it is still suspended
        after this, by its tenant or its own file, the task says so.
    type: str
    choices: [present, absent]
    default: present
  profile:
    description: The profile. Without it the estate's settings of C(suspension) apply.
    type: str
    default: ""
  reason:
    description: Why, for the provider. Neither the tenant nor senders see it on the platform.
    type: str
    default: ""
attributes:
  check_mode:
    description: Validates the result, prints it, and writes nothing.
    support: full
  diff_mode:
    description: Shows the file before and after.
    support: full
  action:
    description: Runs only on the controller.
    support: full
seealso:
  - module: reseller.mail.held_mail
"""

EXAMPLES = r"""
- name: Stop a mailbox whose password is known to others
  reseller.mail.suspension:
    estate: estates/example
    subject: jo@acme.example
    profile: abuse
    reason: sends spam since this morning
  delegate_to: localhost

- name: Let it work again
  reseller.mail.suspension:
    estate: estates/example
    subject: jo@acme.example
    state: absent
  delegate_to: localhost
"""

RETURN = r"""
file:
  description: The file that was written, or would be in check mode, below the estate.
  returned: success
  type: str
  sample: tenants/acme/account.yml
tenant:
  description: The tenant of O(subject).
  returned: success
  type: str
  sample: acme
suspended:
  description: Whether O(subject) is suspended after this, by any level.
  returned: success
  type: bool
"""
