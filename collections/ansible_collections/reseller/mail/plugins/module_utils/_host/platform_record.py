# SPDX-License-Identifier: GPL-3.0-or-later
"""The record on a host of the platform that ``reseller.mail.site`` set up there.

``reseller.mail.tenants`` changes the tenants' data only. It is right only on a host whose platform
is the one of the collection that runs, so the controller compares the record first.

PRIVATE to the collection. Runs on the host; standard library only.
"""

from __future__ import annotations

import json
import os
import typing as t
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "platform.json"
"""The file in the platform's folder."""


@dataclass(frozen=True, slots=True)
class Record:
    """What a host was set up with.

    Attributes:
        collection: the version of the collection.
        platform: the digest of what the collection installs and configures on hosts.
        settings: what the estate says about nodes, as texts by name. Roles configure it.
    """

    collection: str
    platform: str
    settings: dict[str, str]

    def text(self) -> str:
        """Return the text of the file."""
        return json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"


def read(root: Path) -> t.Optional[Record]:
    """Return the record of the host, or None if there is none that can be read."""
    try:
        found = json.loads((root / FILE).read_bytes())
        return Record(found["collection"], found["platform"], dict(found["settings"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write(root: Path, record: Record) -> None:
    """Write the record in one step, and keep it through a power cut."""
    new = root / f".{FILE}.new"
    with open(new, "w", encoding="utf-8") as file:
        file.write(record.text())
        file.flush()
        os.fsync(file.fileno())
    new.chmod(0o644)
    new.replace(root / FILE)
