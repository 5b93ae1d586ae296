# SPDX-License-Identifier: GPL-3.0-or-later
"""A few answers → the files of a new estate, its inventory and its repository. Pure."""
