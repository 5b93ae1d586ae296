# SPDX-License-Identifier: GPL-3.0-or-later
"""What a role wants on a host, and how the host gets it: users, folders, files, links and units.

``wanted`` reads the options, ``compare`` says what differs, ``paths`` and ``units`` change the
host, ``converge`` calls them in order. PRIVATE to the collection. Runs on the host; standard
library only.
"""
