# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail and logins of mailboxes that left the files: kept for some days, returned or deleted.

PRIVATE to the collection. Runs on the host; standard library only.
"""
