#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: render
short_description: Write a node's lookups into a folder on the controller
version_added: 0.1.0
author: Reseller Mail developers (@reseller-mail)
description:
  - Validates the estate. Then writes the tables that M(reseller.mail.generation) would install on a
    node, as text files, into a folder on the controller. It contacts no host.
  - Removes files that an earlier run wrote there and that are no longer rendered. Nothing else in
    the folder is changed.
extends_documentation_fragment:
  - reseller.mail.estate
  - reseller.mail.attributes.estate_group
  - reseller.mail.host.node
options:
  dest:
    description: The folder to write to. It is created if needed.
    type: path
    required: true
  root:
    description: The folder of the mail platform on the host. Some lookups contain it.
    type: path
    default: /var/lib/reseller-mail
attributes:
  check_mode:
    support: full
    description: Writes nothing.
  diff_mode:
    support: full
    description: Shows the text of each file before and after.
  action:
    support: full
    description: Runs on the controller only.
"""

EXAMPLES = r"""
- name: Show what mx1 would get
  reseller.mail.render:
    estate: estates/example
    node: mx1
    dest: build/render/mx1
"""

RETURN = r"""
dest:
  description: The folder.
  returned: success
  type: str
written:
  description: The files that were written, or would be written in check mode, sorted.
  returned: success
  type: list
  elements: str
  sample: [postfix/virtual_alias_maps]
removed:
  description: The files that were removed, or would be removed in check mode, sorted.
  returned: success
  type: list
  elements: str
digest:
  description: The digest of all rendered files. A generation made from them has the same.
  returned: success
  type: str
"""
