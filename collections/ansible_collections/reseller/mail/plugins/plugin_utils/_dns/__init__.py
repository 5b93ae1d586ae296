# SPDX-License-Identifier: GPL-3.0-or-later
"""Represent records and zone text (pure); ask DNS, evaluate SPF and fetch policies (network)."""
