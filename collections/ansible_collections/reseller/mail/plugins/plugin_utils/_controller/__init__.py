# SPDX-License-Identifier: GPL-3.0-or-later
"""The input and output of actions. The only package that uses Ansible."""
