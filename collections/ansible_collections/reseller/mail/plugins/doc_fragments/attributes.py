# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations


class ModuleDocFragment:
    """Attributes that several modules have in common."""

    READS_ONLY = r"""
attributes:
  check_mode:
    description: Reads only.
    support: full
  diff_mode:
    description: Changes nothing, so there is nothing to show.
    support: N/A
"""

    ACTION_GROUP = r"""
attributes:
  action_group:
    description: Use C(group/reseller.mail.all) in C(module_defaults) to set defaults for this
      module.
    support: full
    membership: [reseller.mail.all]
"""

    ESTATE_GROUP = r"""
attributes:
  action_group:
    description: Use C(group/reseller.mail.all) in C(module_defaults) to set defaults for this
      module, or C(group/reseller.mail.estate) to give O(estate) to all modules that take it.
    support: full
    membership: [reseller.mail.all, reseller.mail.estate]
"""
