# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify that DNS matches the estate.

``catalogue`` has all that can be wrong, ``questions`` all that is asked. ``ask``,
``followup_queries`` and ``zone`` ask name servers. The other files compare answers, and are pure.

PRIVATE to the collection.
"""
