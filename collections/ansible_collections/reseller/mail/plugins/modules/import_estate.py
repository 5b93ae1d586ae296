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
  - Reads CSV or JSON of M(reseller.mail.export), or the data of Modoboa or PostfixAdmin. Writes the
    estate's files as a person would write them.
  - The result is validated before anything is written. If it has faults, nothing is written, and
    every fault is printed with its row in the source.
  - What cannot be imported is printed with its row and the reason. A file that has the same content
    already does not change, and keeps its comments.
  - Runs only on the controller.
extends_documentation_fragment: [reseller.mail.attributes.estate_group]
options:
  estate:
    description: The estate's folder. It must have C(estate.yml) and C(plans.yml), unless the source
      is a whole estate in JSON.
    type: path
  form:
    description:
      - V(csv) and V(json) are exports of this collection, or files of the same form.
      - V(modoboa) are the files of C(modo export domains) and C(modo export identities), or of
        Modoboa's web pages.
      - V(postfixadmin) is a SQL dump of PostfixAdmin's database (mysqldump, pg_dump, sqlite3 .dump)
        or the file of its own backup page.
    type: str
    choices: [csv, json, modoboa, postfixadmin]
    required: true
  src:
    description: Files, or folders with files of this form.
    type: list
    elements: path
    required: true
  existing:
    description:
      - What happens to a file that exists and has other content. V(refuse) writes nothing at all.
      - V(add) adds new rows and keys to the file and changes nothing else, also no comments. A row
        that contradicts the file is an error.
      - V(replace) writes the file again. A mailbox without a password in the source keeps its
        password.
    type: str
    choices: [refuse, add, replace]
    default: refuse
  write_faulty:
    description: Writes the files even if they have faults. Correct them there.
    type: bool
    default: false
  tenant:
    description: The tenant that gets all domains that O(tenants) does not name. Only for
      V(form=modoboa) and V(form=postfixadmin), which have no tenants.
    type: str
    default: ''
  tenants:
    description: Tenants by name, each with a list of its domains. Domains without a tenant are not
      imported. Only for the same two forms.
    type: dict
    default: {}
  account:
    description:
      - Keys for the C(account.yml) of every new tenant, such as C(plan) and C(placement). Only for
        the same two forms.
      - The default of C(default_owner) is the first admin of the source who manages all domains of
        the tenant. The default of C(organisation) is the tenant's name.
    type: dict
    default: {}
  zero_means:
    description:
      - What 0 means as a limit or quota in the source. In both panels it means V(unlimited). Only
        for the same two forms.
      - V(none) allows none. V(default) sets no limit, so that the plan decides.
    type: str
    choices: [unlimited, none, default]
    default: unlimited
  secrets:
    description: Whether password hashes are imported if their scheme is accepted. All other
      mailboxes get a new password. Only for the same two forms.
    type: bool
    default: true
attributes:
  check_mode:
    description: Validates the result, prints what it would write, and writes nothing.
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
- name: Import the data of Modoboa
  reseller.mail.import_estate:
    estate: "{{ mail_estate_dir }}"
    form: modoboa
    src: [domains.csv, identities.csv]
    tenants:
      acme: [acme.example, acme-shop.example]
      globex: [globex.example]
    account: {plan: business, placement: mx1}

- name: Add the mailboxes of an inbox
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
  description: The files that had the same content already.
  returned: success
  type: list
  elements: str
  sample: [tenants/globex/account.yml]
lost:
  description: What could not be imported, and why.
  returned: success
  type: list
  elements: dict
  sample: [{source: "identities.csv:20", what: alias off@acme.example, why: "it is switched off, and
    an alias here is always on"}]
faults:
  description: The faults of the result, each with its row in the source. There are faults only with
    O(write_faulty=true).
  returned: success
  type: list
  elements: dict
  sample: []
"""
