# SPDX-License-Identifier: GPL-3.0-or-later
"""The change summary as a comment of a merge request.

PRIVATE to the collection. Pure. Text from files is only in fenced blocks. There a forge reads no
Markdown and no HTML, notifies no one who is @mentioned, and runs no quick action. A fence is longer
than any in its text.
"""

from __future__ import annotations

import re
import typing as t

from .._model.printable import without_commands
from .objects import line
from .summary import ChangeSummary
from .text import Line, headline, lines, notes, plural, title

MARK = "<!-- reseller.mail.plan -->"
"""The first line. A pipeline finds its own comment by it and replaces it."""

LIMIT = 60_000
"""Characters. GitHub accepts 65,536 in a comment, GitLab more."""

OPEN = 20
"""A section with more lines is folded."""

_SHORTENED = "\n*Shortened: {} not shown. The whole summary is in the pipeline's artefact.*\n"


def markdown(summary: ChangeSummary, limit: int = LIMIT) -> str:
    """Return the comment, of at most ``limit`` characters."""
    head = (
        f"{MARK}\n## What this change means\n\n{_result(summary)}\n\n"
        f"{_block([('', headline(summary))])}\n"
    )
    faults: list[Line] = [("!", line(str(fault))) for fault in summary.faults]
    parts = [_fitted(head, [*faults, *notes(summary)], limit // 2)]
    left = limit - len(parts[0]) - len(_SHORTENED) - 20
    not_shown = 0
    for section in summary.sections:
        content = lines(section)
        part = _section(title(section), section.tenant or "provider", content)
        if len(part) > left:
            not_shown += 1
            continue
        parts.append(part)
        left -= len(part)
    if not_shown:
        parts.append(_SHORTENED.format(plural(not_shown, "section")))
    return "".join(parts)


def _result(summary: ChangeSummary) -> str:
    """Return whether the change is allowed. Without an actor no rights were checked."""
    if summary.refused:
        return "❌ **Refused**"
    return "✅ **Allowed**" if summary.actor else "**Summary**"


def _section(name: str, plain: str, content: list[Line]) -> str:
    """Return a section with its heading, folded if it is long. ``plain`` is safe in Markdown."""
    block = _block([("", name), *content])
    if len(content) <= OPEN:
        return f"\n### `{plain}`\n\n{block}"
    return (
        f"\n<details><summary><code>{plain}</code>:"
        f" {plural(len(content), 'line')}</summary>\n\n{block}\n</details>\n"
    )


def _fitted(head: str, content: list[Line], limit: int) -> str:
    """Return the head with as many lines as fit into ``limit`` characters."""
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
    """Return lines as a fenced block, which forges colour as a diff."""
    body = without_commands(
        "\n".join(f"{sign} {words}" if sign else words for sign, words in content)
    )
    longest = max((len(run) for run in re.findall(r"`+", body)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}diff\n{body}\n{fence}\n"
