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
  - Judges the estate and writes what M(reseller.mail.generation) would install on a node, as text, into a folder on the controller.
    Touches no host and needs none.
  - Files that an earlier run wrote there and that are not rendered any more are removed; nothing else in the folder is touched.
extends_documentation_fragment: [reseller.mail.estate]
options:
  node:
    description: The node's name in the estate.
    type: str
    required: true
  dest:
    description: The folder to write into. It is created if needed.
    type: path
    required: true
  root:
    description: The folder of the mail platform on the host, which some lookups name.
    type: path
    default: /var/lib/reseller-mail
attributes:
  check_mode:
    support: full
    description: Writes nothing.
  diff_mode:
    support: full
    description: Shows the files' texts before and after.
  action:
    support: full
    description: Runs on the controller only.
"""

EXAMPLES = r"""
- name: Look at what mx1 would get
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
  description: Files that were written, or would be in check mode, sorted.
  returned: success
  type: list
  elements: str
  sample: [postfix/virtual_alias_maps]
removed:
  description: Files that were removed, or would be in check mode, sorted.
  returned: success
  type: list
  elements: str
digest:
  description: The digest of all that was rendered. Equal to that of the generation made from it.
  returned: success
  type: str
"""
