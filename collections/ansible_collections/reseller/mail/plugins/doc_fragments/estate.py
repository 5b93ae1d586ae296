# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations


class ModuleDocFragment:
    """What modules that read an estate on the controller have in common."""

    DOCUMENTATION = r"""
options:
  estate:
    description:
      - The estate's folder; the playbook passes the variable C(mail_estate_dir), which the inventory plugin P(reseller.mail.estate#inventory) gives.
      - Without it the task fails.
    type: path
"""
