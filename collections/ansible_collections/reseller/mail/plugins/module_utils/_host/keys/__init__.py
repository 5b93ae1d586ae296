# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys and certificates of a host: those it has, those it needs next, and their files."""
