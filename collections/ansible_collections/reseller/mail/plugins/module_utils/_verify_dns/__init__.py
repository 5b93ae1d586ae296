# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether DNS says what the estate says.

PRIVATE to the collection. What can be wrong is in ``catalogue``, what is asked in ``questions``; the other files judge answers, and are
pure, but for ``ask``, which asks.
"""
