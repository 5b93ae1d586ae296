# SPDX-License-Identifier: GPL-3.0-or-later
"""Compute every DNS record that the estate's domains need.

PRIVATE to the collection. Pure. This file only names what other packages use.
"""

from __future__ import annotations

from .domains import records, records_of
from .provider import reverse_records
from .unreported import missing_dkim, pending, pending_tls, unsigned

__all__ = [
    "missing_dkim",
    "pending",
    "pending_tls",
    "records",
    "records_of",
    "reverse_records",
    "unsigned",
]
