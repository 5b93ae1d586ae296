# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations


class ModuleDocFragment:
    """Options of modules that work on a node or for one."""

    NODE = r"""
options:
  node:
    description: The node's name in the estate.
    type: str
    required: true
"""

    ROOT = r"""
options:
  root:
    description: The folder of the mail platform on the host.
    type: path
    default: /var/lib/reseller-mail
"""

    MAIL = r"""
options:
  mail:
    description: The folder of all mail.
    type: path
    default: /srv/vmail
"""
