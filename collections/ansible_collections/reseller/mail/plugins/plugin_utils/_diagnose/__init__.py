# SPDX-License-Identifier: GPL-3.0-or-later
"""The first cause of a problem with an address or a domain, found by checks in a fixed order."""
