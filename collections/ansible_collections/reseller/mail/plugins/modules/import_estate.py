#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: import_estate
short_description: Write the estate's files from an export or from another panel's data
version_added: 0.1.0
author:
  - Reseller Mail developers (@reseller-mail)
description:
  - Reads CSV or JSON as M(reseller.mail.export) writes it, or the data of Modoboa or PostfixAdmin, and writes the estate's files as a person would.
  - The result is judged before anything is written. Every fault is printed with the row of the source that it came from, and then nothing is written.
  - What could not be carried over is printed with its row and why. Files that say the same already are left as they are, with their comments.
  - Runs on the controller alone.
options:
  estate:
    description: The estate's folder. For anything but a whole estate in JSON it has C(estate.yml) and C(plans.yml) already.
    type: path
  form:
    description:
      - V(csv) and V(json) are exports of this collection, or what is written by hand in their form.
      - V(modoboa) are the files of C(modo export domains) and C(modo export identities), or of Modoboa's web pages.
      - V(postfixadmin) is a SQL dump of PostfixAdmin's database (mysqldump, pg_dump, sqlite3 .dump) or the file of its own backup page.
    type: str
    choices: [csv, json, modoboa, postfixadmin]
    required: true
  src:
    description: Files, or folders with such files.
    type: list
    elements: path
    required: true
  existing:
    description:
      - What becomes of files that are there already and say something else. V(refuse) writes nothing at all.
      - V(add) adds new rows and keys to them and changes nothing else, not even comments; what contradicts them is an error.
      - V(replace) writes them anew. A mailbox whose password the source does not mention keeps the one that it has.
    type: str
    choices: [refuse, add, replace]
    default: refuse
  write_faulty:
    description: Writes the files although they have faults, to be corrected there.
    type: bool
    default: false
  tenant:
    description: For V(form=modoboa) and V(form=postfixadmin), which know no tenants - the one that gets all domains that O(tenants) does not mention.
    type: str
    default: ''
  tenants:
    description: For the same, tenants by name with their domains as a list. Domains of no tenant are not carried over.
    type: dict
    default: {}
  account:
    description:
      - For the same, what the C(account.yml) of every new tenant says, such as C(plan) and C(placement).
      - Without C(default_owner) it is the first admin of the source who manages all of the tenant's domains; without C(organisation) the tenant's name.
    type: dict
    default: {}
  zero_means:
    description:
      - For the same, what 0 means as a limit or quota in the source. V(unlimited) is what both systems mean by it.
      - V(none) allows none. V(default) leaves it out, so that the plan decides.
    type: str
    choices: [unlimited, none, default]
    default: unlimited
  secrets:
    description: For the same, whether password hashes are carried over where Dovecot and the schema take them. All others are made anew.
    type: bool
    default: true
attributes:
  check_mode:
    description: Judges, and says what it would write.
    support: full
  diff_mode:
    description: Shows the files, without secrets.
    support: full
  action:
    description: Runs on the controller.
    support: full
seealso:
  - module: reseller.mail.export
  - module: reseller.mail.validate
"""

EXAMPLES = r"""
---
- name: Take over a Modoboa
  reseller.mail.import_estate:
    estate: "{{ mail_estate_dir }}"
    form: modoboa
    src: [domains.csv, identities.csv]
    tenants:
      acme: [acme.example, acme-shop.example]
      globex: [globex.example]
    account: {plan: business, placement: mx1}

- name: Add what was collected in an inbox
  reseller.mail.import_estate:
    estate: "{{ mail_estate_dir }}"
    form: csv
    src: [inbox/mailboxes.csv]
    existing: add
"""

RETURN = r"""
estate:
  description: The absolute path of the estate.
  returned: success
  type: str
  sample: /srv/mail/estates/example
written:
  description: The files that were written, or would be in check mode.
  returned: success
  type: list
  elements: str
  sample: [tenants/acme/account.yml, tenants/acme/acme.example.yml]
unchanged:
  description: The files that said the same already.
  returned: success
  type: list
  elements: str
  sample: [tenants/globex/account.yml]
lost:
  description: What could not be carried over, and why.
  returned: success
  type: list
  elements: dict
  sample: [{source: "identities.csv:20", what: alias off@acme.example, why: "it is switched off, and there are no such aliases here"}]
faults:
  description: What the judge says of the result, with the row of the source; there are some only with O(write_faulty=true).
  returned: success
  type: list
  elements: dict
  sample: []
"""
