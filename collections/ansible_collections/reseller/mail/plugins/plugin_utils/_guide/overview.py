# SPDX-License-Identifier: GPL-3.0-or-later
"""The index for the provider: the domains of all tenants, the worst state first.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

from .facts import ORDER, SUSPENDED
from .frame import Frame, pill
from .markup import Html, tag

if t.TYPE_CHECKING:
    from .facts import Sheet


def overview(sheets: t.Sequence[Sheet], frame: Frame, provider: str) -> bytes:
    """Return the index in the language of the frame."""
    say = frame.say
    ordered = sorted(
        sheets, key=lambda sheet: (ORDER.index(sheet.state), sheet.tenant.name, sheet.name)
    )
    rows = [_row(sheet, frame) for sheet in ordered]
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
    return frame.document(f"{say('overview')} · {provider}", provider, body, None)


def _row(sheet: Sheet, frame: Frame) -> Html:
    """Return the row of one domain, with a link to its page in the language of the index."""
    say, own = frame.say, sheet.domain.locale.partition("-")[0]
    file = (
        "index.html"
        if frame.language == own or frame.language not in frame.files
        else f"{frame.language}.html"
    )
    left = [task.owner for task in sheet.open_tasks]
    states = dict.fromkeys([sheet.state, *([SUSPENDED] if sheet.suspended else [])])
    counts = [
        say(f"of_{owner}", count=left.count(owner))
        for owner in ("tenant", "provider")
        if owner in left
    ]
    return tag(
        "tr",
        tag("th", tag("a", frame.name(sheet.name), href=f"{sheet.name}/{file}"), scope="row"),
        tag("td", tag("bdi", sheet.tenant.organisation)),
        tag("td", [[pill(state, say), " "] for state in states]),
        tag("td", ", ".join(counts) or "–"),
    )
