# SPDX-License-Identifier: GPL-3.0-or-later
"""The model: the content of the estate's files as frozen values.

PRIVATE to the collection. Pure: no Ansible, no files, no clock, no randomness.

Conventions that hold everywhere:

* Domain names are lower-case A-labels without a trailing dot.
* Addresses are ``local@domain``, lower case and always complete (``to: [jo]`` in a file is
  ``jo@acme.example`` here).
* Sizes are bytes (``5G`` in a file is binary, as in Dovecot).
* A limit or quota of ``None`` is *unlimited*; ``0`` allows none.
* Tuples keep the order of the files. Code that prints something sorts it.
* The value of a key that several levels can set is the effective value. ``own_settings`` has the
  keys that the object's own table sets, for ``_report/explain.py``.
"""
