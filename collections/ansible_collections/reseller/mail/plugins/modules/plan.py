#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: plan
short_description: Show what a change of the estate's files means, and whether it is allowed
version_added: 0.1.0
author:
  - Reseller Mail developers (@reseller-mail)
description:
  - Compares two revisions of an estate, which are two folders or two commits of its Git
    repository. Shows for each tenant what is added, changed and removed, how the ledger, DNS and
    the monthly bill change, and what the risks are.
  - With O(actor), checks whether the roles of this identity allow each edit. Roles are read from
    the revision I(before) the change.
  - Refuses a change that removes more tenants, domains or mailboxes than the estate's
    C(deletion_guard) allows, unless O(deletions_accepted) allows their number.
  - The task fails if the new files have a fault, if an edit is not allowed, or if the deletion
    guard refuses the change. Faults in the revision before do not refuse it, so that a broken
    branch can be repaired.
  - Runs only on the controller. It contacts no host, needs no vault password and shows no secret.
    It reads commits from Git's objects. It does not touch the working tree and executes nothing
    of a commit. The collection's C(docs/plan.md) describes the output and the table of rights.
extends_documentation_fragment: [reseller.mail.attributes.estate_group]
options:
  estate:
    description:
      - The estate's folder. The playbook passes the variable C(mail_estate_dir) of the inventory
        plugin P(reseller.mail.estate#inventory).
      - It is the new revision, unless O(after_revision) names a commit. With O(before_revision) it
        must be in a Git repository.
    type: path
  before:
    description: The folder of the revision before the change. Either this or O(before_revision) is
      required.
    type: path
  before_revision:
    description: The commit before the change, by any name that Git knows, such as V(origin/main).
    type: str
  after_revision:
    description: The commit after the change. Without it, the new revision is the files that are in
      O(estate) now.
    type: str
  merge:
    description:
      - Compare with the result of merging O(after_revision) into O(before_revision). Then changes
        that others merged meanwhile are no part of the change.
      - A conflict is refused. Both commits and their history must be fetched.
    type: bool
    default: false
  actor:
    description:
      - Who makes the change. This is an C(identity) of the estate's C(roles), as the forge's own
        token reports it, or the address of an admin or mailbox.
      - Without it no rights are checked. An empty text is an error.
    type: str
  actor_groups:
    description: The actor's groups at the forge, for the C(group) entries of the estate's C(roles).
    type: list
    elements: str
    default: []
  approvers:
    description: Identities that approved the change, as the forge reports them. The change may
      charge the owners among them.
    type: list
    elements: str
    default: []
  deletions_accepted:
    description: How many tenants, domains and mailboxes in all the change may remove, if this is
      more than the deletion guard allows.
    type: int
    default: 0
  markdown:
    description: A file for the change summary as a comment of a merge request. It is also written
      if the change is refused.
    type: path
  json:
    description: A file for the change summary as data for programs. It is also written if the
      change is refused.
    type: path
attributes:
  check_mode:
    description: Writes no file.
    support: full
  diff_mode:
    description: The change summary is a diff already.
    support: none
  action:
    description: Runs on the controller.
    support: full
seealso:
  - module: reseller.mail.validate
  - module: reseller.mail.generation
"""

EXAMPLES = r"""
---
- name: Show what the files in the folder would change on the main branch
  reseller.mail.plan:
    estate: "{{ mail_estate_dir }}"
    before_revision: origin/main
  delegate_to: localhost
  run_once: true

- name: Check a merge request
  reseller.mail.plan:
    estate: "{{ mail_estate_dir }}"
    before_revision: origin/main
    after_revision: "{{ commit }}"
    merge: true
    actor: "{{ login }}"
    markdown: build/plan.md
    json: build/plan.json
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
plan:
  description: The change summary, as it is written to O(json). Of a refused change only O(json) has
    it, because Ansible would print all of it.
  returned: if the change is not refused
  type: dict
  contains:
    version:
      description: The version of this form.
      type: int
    summary:
      description: The change in one sentence.
      type: str
    refused:
      description: Whether the change is refused.
      type: bool
    counts:
      description: How many objects are added, changed and removed.
      type: dict
    sections:
      description: One for each tenant that is touched, and one without a tenant for the provider's
        own objects.
      type: list
      elements: dict
    risks:
      description: What deserves a second look.
      type: list
      elements: dict
    refusals:
      description: Edits that the actor may not make, with file, line and column.
      type: list
      elements: dict
  sample:
    version: 1
    summary: "origin/main (3f1c9a7) → lee (a9be721): 1 added; 1 tenant touched; 0 risks"
    refused: false
    counts: {added: 1, changed: 0, removed: 0}
"""
