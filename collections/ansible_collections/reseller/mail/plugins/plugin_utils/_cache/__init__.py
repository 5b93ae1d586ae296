# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in the files of an estate, kept between runs, so that unchanged files are not parsed.

PRIVATE to the collection. Runs on the controller. Each estate has one file in
``$XDG_CACHE_HOME/reseller-mail`` or ``~/.cache/reseller-mail``. It can be deleted at any time. If
it is missing, broken, of another version or not only the user's own, it is not used, and the result
is the same. Nothing that is a secret gets into it.
"""

from __future__ import annotations

import os
import typing as t

from .stamp import stamp
from .store import Store, digest, kept_in

OFF: t.Final = "RESELLER_MAIL_CACHE"
"""The environment variable that turns the cache off with the value ``off``."""
LEAST: t.Final = 2**17
"""Bytes of all files. A smaller estate is read in less than a tenth of a second."""


def cache_of(directory: str, files: t.Mapping[str, bytes]) -> t.Optional[Store]:
    """Return the cache of an estate; None if the estate is small or the cache cannot be used."""
    if os.environ.get(OFF) == "off" or sum(map(len, files.values())) < LEAST:
        return None
    folder = kept_in(os.environ.get("XDG_CACHE_HOME", ""))
    if folder is None:
        return None
    name = digest("", os.path.realpath(directory).encode("utf-8", "surrogateescape")).hex()
    return Store(os.path.join(folder, name), stamp())
