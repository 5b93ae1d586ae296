# SPDX-License-Identifier: GPL-3.0-or-later
"""What every unit test needs: the collection importable by its full name, wherever pytest is
started."""

from __future__ import annotations

import sys
from pathlib import Path

from hypothesis import settings

_COLLECTIONS = str(Path(__file__).parents[5])
if _COLLECTIONS not in sys.path:
    sys.path.insert(0, _COLLECTIONS)

# A busy machine is no fault of the code: no deadlines. Derandomised, so that a red run can be
# repeated.
settings.register_profile("project", deadline=None, derandomize=True)
settings.load_profile("project")
