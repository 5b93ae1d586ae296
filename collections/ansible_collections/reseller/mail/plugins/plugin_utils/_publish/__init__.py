# SPDX-License-Identifier: GPL-3.0-or-later
"""Publish DNS records: those that were published, those that are wanted, and the difference."""
