#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: init
short_description: Write the files of a new estate
version_added: 0.1.0
author:
  - Reseller Mail developers (@reseller-mail)
description:
  - Writes an estate with one plan and one tenant, an inventory, C(ansible.cfg), requirements,
    C(.gitignore), a C(README.md), and the pipelines of the collection's C(docs/pipelines).
  - Overwrites nothing. If one of the files exists, or if there is anything in the folders C(estate)
    and C(inventory), the task fails, names all of them, and writes nothing.
  - Every missing and every wrong answer is printed at once. Then nothing is written either. The
    messages name the variables of the playbook C(reseller.mail.init), which begin with C(init_).
  - At a terminal the task asks for each missing answer. Without one it asks nothing.
  - C(requirements.txt) has the versions of the Python packages that are installed on the
    controller.
  - Runs only on the controller, and connects to no host.
extends_documentation_fragment: [reseller.mail.attributes.action_group]
options:
  dir:
    description: The folder to write to. A relative path begins in the folder where Ansible was
      started. The folder may exist. Required.
    type: path
  provider_name:
    description: The name of the provider, for clients. Required.
    type: str
  provider_domain:
    description: The domain of the provider. Required.
    type: str
  contact:
    description: An address that the provider reads. It becomes C(provider.contact) of
      C(estate.yml), which gets mail to root and postmaster of the nodes, and C(tls_acme_email) of
      the inventory. Required.
    type: str
  nodes:
    description:
      - The mail hosts, of which the first one serves the tenant. Required.
      - A list with the keys C(name), C(addresses) and C(debian), and possibly C(hostname) and
        C(ssh_user), for each node. Without C(hostname) it is the name and the domain of the
        provider. Without C(ssh_user) it is O(ssh_user).
      - Or one text with commas between the nodes, each with name, addresses and Debian release.
    type: raw
  tenant:
    description: The name of the first tenant, in a word. It names the folder of the tenant and a
      group of the inventory. Required.
    type: str
  organisation:
    description: The name of the first tenant, for people. Required.
    type: str
  domain:
    description: The first mail domain of the tenant. Required.
    type: str
  mailbox:
    description: The first mailbox of the domain. Its address is the admin of the tenant. Required.
    type: str
  ssh_user:
    description: The user that Ansible logs in as on the nodes, by default V(root). Another user
      becomes root (C(ansible_become)).
    type: str
  super_admin:
    description: A login at the forge. It gets the role C(super_admin), which may edit every file.
      The pipelines refuse every change of people who have no role.
    type: str
  forge:
    description: Whose pipelines are written. V(both), the default, writes those for GitHub and for
      GitLab, V(none) writes none. Other values are V(github) and V(gitlab).
    type: str
attributes:
  check_mode:
    description: Prints what it would write, and writes nothing.
    support: full
  diff_mode:
    description: Shows the files.
    support: full
  action:
    description: Runs on the controller.
    support: full
seealso:
  - module: reseller.mail.validate
"""

EXAMPLES = r"""
---
- name: Start an estate
  reseller.mail.init:
    dir: mail
    provider_name: Example Hosting
    provider_domain: hosting.example
    contact: hostmaster@hosting.example
    nodes:
      - {name: mx1, addresses: [192.0.2.10], debian: 12}
      - {name: mx2, addresses: [192.0.2.11], debian: 13}
    tenant: acme
    organisation: Acme Corporation
    domain: acme.example
    mailbox: jo
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
dir:
  description: The absolute path of the folder.
  returned: success
  type: str
  sample: /srv/mail
files:
  description: The files in it, by their paths in the folder.
  returned: success
  type: list
  elements: str
  sample: [README.md, ansible.cfg, estate/estate.yml]
"""
