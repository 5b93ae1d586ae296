# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a tenant may get its welcome pack.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from .._guide.facts import Sheet
    from .._model.estate import Node
    from .._model.tenant import Tenant
    from .._verify.finding import Finding

SHOWN = 3
"""So many points of a name are named. The others are counted."""
WHOLE = "estate"
"""The subject of findings about a part of verify that did not run at all."""


def why_not_served(tenant: Tenant, sheets: t.Sequence[Sheet]) -> list[str]:
    """Return why hosts do not serve a tenant; nothing if they do. ``sheets`` are served names."""
    if tenant.state != "active":
        return [f"the tenant is {tenant.state}"]
    return [] if sheets else ["hosts serve no domain of the tenant"]


def why_not_ready(
    sheets: t.Iterable[Sheet], node: Node, findings: t.Iterable[Finding]
) -> list[str]:
    """Return what verify did not find in order for a tenant; nothing if all is in order.

    Points that are recommended only do not count. A part of verify that did not run for the node,
    or at all, counts for every tenant of the node. What it found about the node itself is a point
    of each name.
    """
    failed = {
        f"{one.subject}: {one.id}"
        for one in findings
        if one.state == "fail" and one.subject in (node.name, WHOLE)
    }
    return [*sorted(failed), *(line for sheet in sheets for line in _open_points(sheet))]


def _open_points(sheet: Sheet) -> list[str]:
    """Return the points of a name that are not in order, as one line; no line if there is none."""
    points = [f"{task.id} {task.state}" for task in sheet.open_tasks]
    if not points:
        return []
    more = [f"{len(points) - SHOWN} more"] if len(points) > SHOWN else []
    return [f"{sheet.name}: {', '.join([*points[:SHOWN], *more])}"]
