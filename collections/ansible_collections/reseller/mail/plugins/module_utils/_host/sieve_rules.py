# SPDX-License-Identifier: GPL-3.0-or-later
"""What the scripts of the files may use: the Sieve extensions, and the length of a name.

PRIVATE to the collection. Standard library only. The controller validates scripts with it, and a
host compiles them with it.
"""

from __future__ import annotations

EXTENSIONS = (
    "fileinto",
    "reject",
    "envelope",
    "encoded-character",
    "vacation",
    "subaddress",
    "comparator-i;ascii-numeric",
    "relational",
    "regex",
    "imap4flags",
    "copy",
    "variables",
    "body",
    "mailbox",
    "date",
    "index",
    "ihave",
    "duplicate",
    "mime",
    "foreverypart",
    "extracttext",
)
"""The extensions of scripts in the files: those of users' own scripts without ``include``.

A script that includes a user's own one would run it before the scripts of inner levels, or twice.
Role ``dovecot`` has the list for users (``__dovecot_sieve_extensions``); a test compares them.
"""

MAX_NAME = 249
"""Characters of the longest address that can have a script: a file name has up to 255 bytes, and
``.sieve`` has six."""
