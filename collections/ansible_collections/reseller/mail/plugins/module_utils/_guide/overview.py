# SPDX-License-Identifier: GPL-3.0-or-later
"""The provider's page: every tenant's domains, what needs attention first.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

from .facts import ORDER
from .frame import Frame, pill
from .markup import tag

if t.TYPE_CHECKING:
    from .facts import Sheet


def overview(sheets: t.Sequence[Sheet], frame: Frame, provider: str) -> bytes:
    """The page in one language."""
    say = frame.say
    ordered = sorted(
        sheets, key=lambda sheet: (ORDER.index(sheet.state), sheet.tenant.name, sheet.name)
    )
    rows = []
    for sheet in ordered:
        left = [task.owner for task in sheet.tasks if task.is_open]
        counts = [
            say(f"of_{owner}", count=left.count(owner))
            for owner in ("tenant", "provider")
            if owner in left
        ]
        own = sheet.domain.locale.partition("-")[0]
        file = (
            "index.html"
            if frame.language == own or frame.language not in frame.files
            else f"{frame.language}.html"
        )
        rows.append(
            tag(
                "tr",
                tag(
                    "th", tag("a", frame.name(sheet.name), href=f"{sheet.name}/{file}"), scope="row"
                ),
                tag("td", tag("bdi", sheet.tenant.organisation)),
                tag("td", pill(sheet.state, say)),
                tag("td", ", ".join(counts) or "–"),
            )
        )
    states = [sheet.state for sheet in sheets]
    head = tag(
        "tr",
        *(tag("th", say(key), scope="col") for key in ("domain", "tenant", "state", "open_points")),
    )
    body = [
        tag(
            "div",
            tag("h1", say("overview")),
            tag(
                "p",
                say(
                    "counted",
                    domains=len(sheets),
                    tenants=len({sheet.tenant.name for sheet in sheets}),
                ),
                ". ",
                say("overview_why"),
                class_="quiet",
            ),
            tag("p", f"{say('checked')}: ", frame.time(), class_="quiet"),
            tag(
                "ul",
                [
                    tag("li", pill(state, say), f" {number}")
                    for state in ORDER
                    if (number := states.count(state))
                ],
                class_="counts",
            ),
            class_="lead",
        ),
        tag("table", tag("thead", head), tag("tbody", rows), class_="overview"),
    ]
    return frame.document(f"{say('overview')} · {provider}", provider, body, None, contents=False)
