# SPDX-License-Identifier: GPL-3.0-or-later
"""Read what modules on the nodes answered to a play.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

from ansible_collections.reseller.mail.plugins.module_utils._host.mail_log import Line


def answer_of(
    answers: t.Mapping[str, t.Mapping[str, t.Any]], node: str, part: str, key: str
) -> tuple[t.Any, str]:
    """Return (the result of a module on a node, "") or (None, the error message).

    ``answers`` are what the play gathered, by node; ``part`` is ``address``, ``health`` or
    ``log``. A result without ``key`` is none.
    """
    result = answers.get(node, {}).get(part) or {}
    if key in result and not result.get("failed"):
        return result, ""
    return None, str(result.get("msg") or "")


def lines_of(log: t.Mapping[str, t.Any]) -> list[Line]:
    """Return the lines in the result of ``mail_log_info``."""
    return [
        Line(
            str(row["at"]),
            str(row["program"]),
            str(row["text"]),
            str(row["kind"]),
            int(row["time"]),
            str(row["process"]),
        )
        for row in log["lines"]
    ]
