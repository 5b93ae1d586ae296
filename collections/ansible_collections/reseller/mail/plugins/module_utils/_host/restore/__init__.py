# SPDX-License-Identifier: GPL-3.0-or-later
"""What a snapshot of a mail host had comes back: mail, passwords, keys. Nothing is replaced.

PRIVATE to the collection. Runs on the host; standard library only.
"""
