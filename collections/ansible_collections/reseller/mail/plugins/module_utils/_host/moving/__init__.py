# SPDX-License-Identifier: GPL-3.0-or-later
"""Move the mail and the logins of a tenant from one node to another.

PRIVATE to the collection. Runs on the hosts; standard library only.
"""
