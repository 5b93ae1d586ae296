# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of passwords that many people use, which attackers try first.

PRIVATE to the collection. Runs on the controller and on the host; standard library only.

``common_passwords.txt.gz`` is the list of Django 5.2, unchanged: 19,640 passwords from leaks, in
lower case (BSD-3-Clause, ``LICENSES/BSD-3-Clause-Django.txt``). It is shipped, and is not a package
of Debian, so that the controller and both releases refuse the same passwords.
"""

from __future__ import annotations

import functools
import gzip
import re
import typing as t
from pathlib import Path

from .credentials import weaknesses  # relative: on the host there is no collection

LIST = Path(__file__).with_name("common_passwords.txt.gz")
LOOKALIKES = (str.maketrans("@430$57!1", "aaeosstii"), str.maketrans("@430$57!1", "aaeosstll"))
"""Characters that people write for letters. Two of them look like an i and like an l."""
LEAST = 4
"""Shorter words are in many passwords by chance."""


@functools.cache
def common_passwords() -> frozenset[str]:
    """Return the passwords of the list."""
    with gzip.open(LIST, "rt", encoding="utf-8") as lines:
        return frozenset(line.strip() for line in lines)


def chosen_weaknesses(password: str, address: str) -> list[str]:
    """Return which rules of the policy a password breaks that a person chose; none when it is
    good."""
    common = ["is a common password, or one with digits or symbols"] if is_common(password) else []
    return [*weaknesses(password, address), *common]


def is_common(password: str) -> bool:
    """Return whether a password is on the list, also with digits and symbols around it or for
    letters."""
    return any(
        word in common_passwords()
        for part in _parts(password.casefold())
        if len(part) >= LEAST
        for word in (part, *(part.translate(letters) for letters in LOOKALIKES))
    )


def _parts(password: str) -> t.Iterator[str]:
    """Yield a password, and what is left of it without what people add to a word."""
    yield password
    yield re.sub(r"^[\W_]+|[\W_]+$", "", password)
    yield re.sub(r"^[\W\d_]+|[\W\d_]+$", "", password)
    # A symbol or a digit for the first letter stays.
    yield re.sub(r"[\W\d_]+$", "", password)
