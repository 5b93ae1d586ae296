# SPDX-License-Identifier: GPL-3.0-or-later
"""What verify found, in the page's language: what is wrong, what is there, and which records to delete and to enter.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import re
import typing as t

from .frame import Frame
from .markup import Html, Part, tag
from .texts import LANGUAGES

if t.TYPE_CHECKING:
    from .._finding import Finding

_RECORD = re.compile(r"(publish|remove) (\S+ \d+ IN [A-Z0-9]+ .*)")


def answer(
    finding: Finding, frame: Frame, shown: t.Collection[str] = (), managed: bool = False
) -> Html:
    """One finding. ``shown`` are records that stand on the page just below; who does not write the DNS is not told what to do."""
    say, foreign = frame.say, None if frame.language == "en" else "en"
    key = f"wrong_{finding.id}"
    records: dict[str, list[str]] = {"publish": [], "remove": []}
    rest = []
    for line in [] if managed else finding.remedy.splitlines():
        record = _RECORD.fullmatch(line)
        if record:
            records[record[1]].append(record[2])
        else:
            rest.append(line)
    gone, new = records["remove"], [line for line in records["publish"] if line not in shown]
    parts: list[tuple[str, Part]] = [
        ("found", tag("pre", finding.found) if finding.found else None),
        ("remedy", tag("pre", "\n".join(rest), lang=foreign) if rest else None),
        (
            "removes" if len(gone) > 1 else "remove",
            [tag("code", line, data_copy=say("line")) for line in gone],
        ),
        ("enter", [tag("code", line, data_copy=say("line")) for line in new]),
        ("remedy", say("enter_below") if records["publish"] and not new else None),
    ]
    return tag(
        "div",
        tag("p", say(key), class_="wrong") if key in LANGUAGES[frame.language] else None,
        tag(
            "dl",
            [tag("div", tag("dt", say(label)), tag("dd", part)) for label, part in parts if part],
        )
        if any(part for _label, part in parts)
        else None,
        class_=f"finding is-{finding.state}",
    )
