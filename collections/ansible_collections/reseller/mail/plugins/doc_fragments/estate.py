# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations


class ModuleDocFragment:
    """The option of modules that read an estate on the controller.

    Its group is in the fragment attributes.estate_group.
    """

    DOCUMENTATION = r"""
options:
  estate:
    description:
      - The folder of the estate. The playbook passes the variable C(mail_estate_dir), which the
        inventory plugin P(reseller.mail.estate#inventory) sets.
      - The task fails without it.
    type: path
"""

    REQUIRED = r"""
options:
  estate:
    description: The estate's folder on the controller.
    type: path
    required: true
"""
