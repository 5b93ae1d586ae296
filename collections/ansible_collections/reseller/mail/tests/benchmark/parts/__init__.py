# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of the benchmark. Each file has ``measure``, which returns its measurements."""
