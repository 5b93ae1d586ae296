# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of a node's report, ``state/<node>.json``.

PRIVATE to the collection. Pure: no Ansible, no files, no clock, no randomness. No person writes
this file.
"""

from __future__ import annotations

import json
import typing as t

Row = t.Mapping[str, str]

KEY = ("domain", "selector", "algorithm", "state", "since", "public")
_FIELDS = {"dkim": KEY, "tls": ("name", "current", "next")}
_ORDER: dict[str, t.Callable[[Row], t.Any]] = {
    "dkim": lambda key: (key["domain"], key["algorithm"] != "rsa", key["selector"]),
    "tls": lambda key: key["name"],
}


def text(node: str, part: str, rows: t.Iterable[Row], before: str = "") -> str:
    """Return the text with new rows for one part; the other parts of ``before`` do not change.

    The rows are sorted and have a line each, so that a commit shows only what changed. Empty values
    are left out.
    """
    chosen = ({name: row[name] for name in _FIELDS[part] if row.get(name)} for row in rows)
    parts = {**_others(before), part: sorted(chosen, key=_ORDER[part])}
    lines = [
        f'  "node": {json.dumps(node)}',
        *(f"  {json.dumps(name)}: {_listed(parts[name])}" for name in sorted(parts)),
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _others(before: str) -> dict[str, t.Any]:
    try:
        found = json.loads(before or "{}")
    except ValueError:
        return {}
    return (
        {name: rows for name, rows in found.items() if isinstance(rows, list)}
        if isinstance(found, dict)
        else {}
    )


def _listed(rows: t.Sequence[t.Any]) -> str:
    lines = ",\n".join(f"    {json.dumps(row)}" for row in rows)
    return f"[\n{lines}\n  ]" if rows else "[]"
