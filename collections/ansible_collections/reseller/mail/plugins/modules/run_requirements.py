#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: run_requirements
short_description: Refuse a run that lacks what its playbook needs
version_added: 0.1.0
author:
  - Reseller Mail developers (@reseller-mail)
description:
  - Every playbook of the collection begins with it. Its arguments are the playbook's variables and
    tags, so the first task of a playbook is also the list of them.
  - Ansible skips plays without hosts, and the run succeeds. This task fails instead, if the
    inventory has no nodes, or if C(--limit) leaves out hosts that the playbook needs.
  - It also fails if a variable of the playbook or of its roles is missing or has a wrong value, if
    C(--tags) names a tag that the playbook does not have, and if there are managed domains and no
    DNS server to publish them.
  - The tags that Molecule gives to C(--skip-tags) in every run are allowed.
  - The message names everything that is wrong, and what to do.
  - Runs on the controller only, once for a play. Use it in a play for C(localhost:all), because
    C(--limit) cannot leave out all hosts of that play.
extends_documentation_fragment: [reseller.mail.attributes.action_group]
options:
  playbook:
    description: The name of the playbook.
    type: str
    required: true
  works_on:
    description:
      - The hosts on which the playbook has plays. At least one of V(mail_nodes) must be left by
        C(--limit).
    type: list
    elements: str
    choices: [localhost, mail_nodes]
    default: [localhost]
  publishes:
    description: Whether the playbook publishes DNS records.
    type: bool
    default: false
  variables:
    description:
      - The variables of the playbook, in the form of a role's argument specification. The variables
        of its roles are in the specifications of the roles.
      - C(example) is a value for the command line. The message for a missing variable shows it.
    type: dict
    default: {}
  required_one_of:
    description: Lists of variables. One of each list must be set.
    type: list
    elements: list
    default: []
  roles:
    description:
      - The roles of this collection that the playbook runs, without C(reseller.mail.). Their
        variables are validated against their argument specifications, on every host of the run.
      - So import the roles with C(rolespec_validate=false). Otherwise each role validates again.
      - A value that reads facts of its host is not validated, because a run has no facts when it
        begins. The variables in O(variables) are validated once.
    type: dict
    default: {}
    suboptions:
      localhost:
        description: The roles that run on the controller.
        type: list
        elements: str
        default: []
      mail_nodes:
        description: The roles that run on nodes.
        type: list
        elements: str
        default: []
  tags:
    description: The tags of the playbook, and what each selects.
    type: dict
    default: {}
  tenant:
    description:
      - The only tenant that the run is about. It must be in the estate, and C(--limit) must leave
        the node that serves it.
      - The default is all tenants.
    type: str
    default: ''
attributes:
  check_mode:
    description: Runs in the same way, because it changes nothing.
    support: full
  diff_mode:
    description: The module changes nothing that could be compared.
    support: none
  action:
    description: Runs on the controller.
    support: full
seealso:
  - plugin: reseller.mail.estate
    plugin_type: inventory
"""

EXAMPLES = r"""
- name: Check what the run needs
  hosts: localhost:all
  gather_facts: false
  connection: local
  tags: always
  tasks:
    - name: Check what the run needs
      reseller.mail.run_requirements:
        playbook: newsletter
        works_on: [localhost, mail_nodes]
        variables:
          newsletter_domain:
            description: A domain of a tenant.
            type: str
            required: true
            example: acme.example
"""

RETURN = r""" # """
