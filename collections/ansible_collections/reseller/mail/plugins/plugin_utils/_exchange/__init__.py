# SPDX-License-Identifier: GPL-3.0-or-later
"""The estate's files in other forms, and the data of other panels as the estate's files.

PRIVATE to the collection. Pure: no Ansible, no files, no clock, no randomness.

Every form is read into *documents* and written from them. A document is the content of one file as
plain dicts, lists, texts, numbers and booleans, with the keys of the schema.

* ``document`` makes documents from files and knows their paths.
* ``yaml_out`` writes documents as a person would write them.
* ``json_form`` and ``csv_form`` are the two forms of an export.
* ``modoboa`` and ``postfixadmin`` read the exports of other panels.
* ``importing`` compares an import with the files that exist, and finds the row of each fault.
"""

from __future__ import annotations
