#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: plan
short_description: Tell what a change of the estate's files means, and whether it may be made
version_added: 0.1.0
author:
  - Reseller Mail developers (@reseller-mail)
description:
  - Compares two revisions of an estate, two folders or two commits of its Git repository, and tells in the words of the files what is
    added, changed and removed, tenant by tenant; what that does to the ledger, to DNS and to the month's bill; and which of it is a risk.
  - Given O(actor), judges whether the roles that this identity has I(before) the change allow each edit of it.
  - Refuses a change that removes more tenants, domains or mailboxes than the estate's C(deletion_guard) allows, unless O(deletions_accepted) says how many.
  - The task fails when the new files have a fault, when an edit is not allowed, and when the guard refuses. Faults in the revision before
    refuse nothing, so that a broken branch can be repaired.
  - Runs on the controller alone. It contacts no host, needs no vault password and shows no secret. Of commits it reads objects; the working
    tree is not touched and nothing of a commit is executed. The collection's C(docs/plan.md) describes the output and the table of rights.
options:
  estate:
    description:
      - The estate's folder; the playbook passes the variable C(mail_estate_dir), which the inventory plugin P(reseller.mail.estate#inventory) gives.
      - The new revision, unless O(after_revision) names a commit. With O(before_revision) it lies in a Git repository.
    type: path
  before:
    description: The folder of the revision before. Either this or O(before_revision) is required.
    type: path
  before_revision:
    description: The commit before, by any name that Git knows, such as V(origin/main).
    type: str
  after_revision:
    description: The new commit. Without it the files that lie in O(estate) now are the new revision.
    type: str
  merge:
    description:
      - Compare with what merging O(after_revision) into O(before_revision) gives, so that what others merged meanwhile is no part of the change.
      - Conflicts refuse the change. Both commits and their history have to be fetched.
    type: bool
    default: false
  actor:
    description:
      - Who makes the change, as the forge's own token says - an C(identity) of the estate's C(roles) - or the address of an admin or mailbox.
      - Without it nobody's rights are judged. An empty text fails.
    type: str
  actor_groups:
    description: The actor's groups at the forge, for the C(group) entries of the estate's C(roles).
    type: list
    elements: str
    default: []
  approvers:
    description: Identities that agreed to the change, as the forge says. Owners among them may be charged for it.
    type: list
    elements: str
    default: []
  deletions_accepted:
    description: How many tenants, domains and mailboxes in all may go at most, when that is more than the guard allows.
    type: int
    default: 0
  markdown:
    description: A file to write the plan to as a comment of a merge request. Also written when the change is refused.
    type: path
  json:
    description: A file to write the plan to for programs. Also written when the change is refused.
    type: path
attributes:
  check_mode:
    description: Writes no file.
    support: full
  diff_mode:
    description: What it prints is a diff already.
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
- name: Tell what the files that lie here would change on the main branch
  reseller.mail.plan:
    estate: "{{ mail_estate_dir }}"
    before_revision: origin/main
  delegate_to: localhost
  run_once: true

- name: Judge a merge request
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
  description: The whole plan, as it is written to O(json); also returned when the change is refused.
  returned: always, once both revisions were read
  type: dict
  contains:
    version:
      description: Of this form.
      type: int
    summary:
      description: The plan in one sentence.
      type: str
    refused:
      description: Whether the task failed for it.
      type: bool
    counts:
      description: How many things are added, changed and removed.
      type: dict
    sections:
      description: One for each tenant that is touched, and one without a tenant for the provider's own things.
      type: list
      elements: dict
    risks:
      description: What is worth a second look.
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
