# SPDX-License-Identifier: GPL-3.0-or-later
"""All code that runs on hosts: Ansible ships it with the modules. Standard library only."""
