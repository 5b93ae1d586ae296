# SPDX-License-Identifier: GPL-3.0-or-later
"""The language of the estate's files: from text to nodes, to typed values, to the model."""
