# SPDX-License-Identifier: GPL-3.0-or-later
"""The model: what the estate's files say, as frozen values.

PRIVATE to the collection. Pure: no Ansible, no files, no clock, no randomness.

Conventions that hold everywhere:

* domain names are lower-case A-labels without a trailing dot;
* addresses are ``local@domain``, lower case, always complete (``to: [jo]`` in a file is ``jo@acme.example`` here);
* sizes are bytes (``5G`` in a file is binary, as in Dovecot);
* a limit or quota of ``None`` is *unlimited*, ``0`` allows none;
* tuples keep the order of the files; whoever prints something sorts it;
* what may stand at several levels is the effective value here; ``said`` is what the object's own table says, which
  ``_cascade.explain`` reads.
"""
