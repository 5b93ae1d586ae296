# SPDX-License-Identifier: GPL-3.0-or-later
"""The estate's files in other forms, and other systems' data in the form of the estate's files.

PRIVATE to the collection. Pure: no Ansible, no files, no clock, no randomness.

One form lies in the middle: the *document*, what one file says as plain dicts, lists, text, numbers and truths, by the
schema's keys. ``document`` makes documents from files and knows their paths; ``yaml_out`` writes them as a person would;
``json_form`` and ``csv_form`` are the two exchange forms; ``modoboa`` and ``postfixadmin`` read other panels' exports;
``draft`` puts what was read beside the files that are there, and leads faults back to the rows they came from.
"""

from __future__ import annotations
