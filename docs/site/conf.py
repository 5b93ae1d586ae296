# SPDX-License-Identifier: GPL-3.0-or-later
"""Sphinx's settings for the docsite of the collection. scripts/docs.sh lays the pages beside it."""

import zlib
from pathlib import Path

project = "reseller.mail"
copyright = "Reseller Mail developers"
html_title = html_short_title = "reseller.mail"
extensions = ["myst_parser", "sphinx.ext.intersphinx", "sphinx_antsibull_ext"]
exclude_patterns = ["collection/environment_variables.rst"]
myst_heading_anchors = 6
# Some anchors are HTML in the pages (<a id>), which MyST does not know: a test follows every link.
# Examples of wrong files, and of languages that Pygments does not know, are shown as they are.
suppress_warnings = ["myst.xref_missing", "misc.highlighting_failure"]
html_theme = "sphinx_ansible_theme"
html_theme_options = {
    "display_version": False,
    "documentation_home_url": "https://docs.ansible.com/",
}
html_show_sphinx = False
html_copy_source = False
html_use_index = False
pygments_style = "ansible"
highlight_language = "YAML+Jinja"

# The two pages of Ansible that antsibull-docs links to. Sphinx would fetch the list of all pages.
_PAGES = """\
action_plugins std:label -1 plugins/action.html Action plugins
common_return_values std:label -1 reference_appendices/common_return_values.html Return values
"""
_INVENTORY = Path(__file__).with_name("ansible.inv")
_INVENTORY.write_bytes(
    b"# Sphinx inventory version 2\n# Project: Ansible\n# Version: latest\n"
    b"# The remainder of this file is compressed using zlib.\n" + zlib.compress(_PAGES.encode())
)
intersphinx_mapping = {
    "ansible": ("https://docs.ansible.com/projects/ansible/latest/", str(_INVENTORY))
}
