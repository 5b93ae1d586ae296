# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan as a comment of a merge request.

PRIVATE to the collection. Pure. Whatever comes from files stands in fenced blocks and nowhere else: there forges read neither
Markdown nor HTML, notify nobody who is @mentioned, and obey no quick action. A fence is longer than any in its text.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.reseller.mail.plugins.module_utils._plan import Plan
from ansible_collections.reseller.mail.plugins.module_utils._plan.text import (
    Line,
    headline,
    lines,
    notes,
    plural,
    title,
)
from ansible_collections.reseller.mail.plugins.module_utils._plan.things import line
from ansible_collections.reseller.mail.plugins.module_utils._printable import without_commands

MARK = "<!-- reseller.mail.plan -->"
"""The first line: a pipeline finds its own comment by it and replaces it."""

LIMIT = 60_000
"""Characters. GitHub takes 65,536 in a comment, GitLab more."""

OPEN = 20
"""Longer sections are folded."""

_SHORTENED = "\n*Shortened: {} not shown. The whole plan is in the pipeline's artefact.*\n"


def markdown(plan: Plan, limit: int = LIMIT) -> str:
    """The comment, never longer than the limit."""
    verdict = "❌ **Refused**" if plan.refused else "✅ **Allowed**" if plan.actor else "**Plan**"
    head = f"{MARK}\n## What this change means\n\n{verdict}\n\n{_block([('', headline(plan))])}\n"
    faults: list[Line] = [("!", line(str(fault))) for fault in plan.faults]
    parts = [_fitted(head, [*faults, *notes(plan)], limit // 2)]
    left = limit - len(parts[0]) - len(_SHORTENED) - 20
    unseen = 0
    for section in plan.sections:
        content = lines(section)
        part = _section(title(section), section.tenant or "provider", content)
        if len(part) > left:
            unseen += 1
            continue
        parts.append(part)
        left -= len(part)
    if unseen:
        parts.append(_SHORTENED.format(plural(unseen, "section")))
    return "".join(parts)


def _section(name: str, plain: str, content: list[Line]) -> str:
    block = _block([("", name), *content])
    if len(content) <= OPEN:
        return f"\n### `{plain}`\n\n{block}"
    return f"\n<details><summary><code>{plain}</code>: {plural(len(content), 'line')}</summary>\n\n{block}\n</details>\n"


def _fitted(head: str, content: list[Line], limit: int) -> str:
    """The head with as many of its lines as fit."""
    if not content:
        return head
    kept: list[Line] = []
    length = len(head)
    for each in content:
        length += len(each[1]) + 8
        if length > limit:
            kept.append(("", f"... and {plural(len(content) - len(kept), 'line')} more"))
            break
        kept.append(each)
    return f"{head}\n{_block(kept)}"


def _block(content: t.Sequence[Line]) -> str:
    body = without_commands(
        "\n".join(f"{sign} {words}" if sign else words for sign, words in content)
    )
    longest = max((len(run) for run in re.findall(r"`+", body)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}diff\n{body}\n{fence}\n"
