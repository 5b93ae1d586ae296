# SPDX-License-Identifier: GPL-3.0-or-later
"""Evidence from reports and from verify, and the decision about the next step of each policy."""
