# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups of a mail host with restic: its settings, one run, and the record of what happened.

PRIVATE to the collection. Runs on the host; standard library only. Role ``backup`` installs these
files, and modules use them.
"""
