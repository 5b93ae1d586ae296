# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults, the ledger and explanations, as text for people and as data for programs."""
