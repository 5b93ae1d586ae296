# SPDX-License-Identifier: GPL-3.0-or-later
"""A finding of verify in the page's language, with the records to delete and to enter.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import re
import typing as t

from .frame import Frame, copied
from .markup import Html, Part, tag
from .texts import LANGUAGES

if t.TYPE_CHECKING:
    from .._verify.finding import Finding

_RECORD = re.compile(r"(publish|remove) (\S+ \d+ IN [A-Z0-9]+ .*)")


class Remedy(t.NamedTuple):
    """A remedy in parts: records to enter and to delete, as zone file lines, and other lines."""

    publish: list[str]
    remove: list[str]
    rest: list[str]


def remedy_of(finding: Finding) -> Remedy:
    """Return the remedy of a finding in parts."""
    parts = Remedy([], [], [])
    for line in finding.remedy.splitlines():
        record = _RECORD.fullmatch(line)
        if record is None:
            parts.rest.append(line)
        elif record[1] == "publish":
            parts.publish.append(record[2])
        else:
            parts.remove.append(record[2])
    return parts


def answer(
    finding: Finding, frame: Frame, shown: t.Collection[str] = (), managed: bool = False
) -> Html:
    """Return one finding.

    ``shown`` are records that the page shows just below, as zone file lines. ``managed`` leaves out
    the remedy, because the provider writes the DNS.
    """
    key = f"wrong_{finding.id}"
    remedy = Remedy([], [], []) if managed else remedy_of(finding)
    parts = [
        tag("div", tag("dt", frame.say(label)), tag("dd", part))
        for label, part in _parts(finding.found, remedy, frame, shown)
        if part
    ]
    return tag(
        "div",
        tag("p", frame.say(key), class_="wrong") if key in LANGUAGES[frame.language] else None,
        tag("dl", parts) if parts else None,
        class_=f"finding is-{finding.state}",
    )


def _parts(
    found: str, remedy: Remedy, frame: Frame, shown: t.Collection[str]
) -> t.Iterator[tuple[str, Part]]:
    """Yield (key of the label, content): what was found, what to do. A content may be empty."""
    say, foreign = frame.say, None if frame.language == "en" else "en"
    new = [line for line in remedy.publish if line not in shown]
    yield "found", tag("pre", found) if found else None
    yield "remedy", tag("pre", "\n".join(remedy.rest), lang=foreign) if remedy.rest else None
    yield (
        "removes" if len(remedy.remove) > 1 else "remove",
        [copied(line, say("line")) for line in remedy.remove],
    )
    yield "enter", [copied(line, say("line")) for line in new]
    yield "remedy", say("enter_below") if remedy.publish and not new else None
