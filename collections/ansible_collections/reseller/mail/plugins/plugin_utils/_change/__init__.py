# SPDX-License-Identifier: GPL-3.0-or-later
"""What leads from one revision of the files to another: edits, rights, bills, transfers."""
