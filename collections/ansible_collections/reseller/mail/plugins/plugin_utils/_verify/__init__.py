# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify from outside: compare DNS, mail servers and hosts with the files."""
