# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node reports, as the text of ``state/<node>.json``: the one input of the model that no person writes.

PRIVATE to the collection. Pure: no Ansible, no files, no clock, no randomness.
"""

from __future__ import annotations

import json
import typing as t

KEY = ("domain", "selector", "algorithm", "state", "since", "public")


def text(node: str, dkim: t.Iterable[t.Mapping[str, str]], before: str = "") -> str:
    """Sorted, one key a line, so that a commit shows what changed and nothing else. What others reported in the text ``before`` stays."""
    keys = sorted(({name: key[name] for name in KEY} for key in dkim), key=lambda key: (key["domain"], key["algorithm"] != "rsa", key["selector"]))
    parts = {**_others(before), "dkim": keys}
    rows = [f'  "node": {json.dumps(node)}', *(f'  {json.dumps(name)}: {_listed(parts[name])}' for name in sorted(parts))]
    return "{\n" + ",\n".join(rows) + "\n}\n"


def _others(before: str) -> dict[str, t.Any]:
    try:
        found = json.loads(before or "{}")
    except ValueError:
        return {}
    return {name: rows for name, rows in found.items() if isinstance(rows, list)} if isinstance(found, dict) else {}


def _listed(rows: t.Sequence[t.Any]) -> str:
    lines = ",\n".join(f"    {json.dumps(row)}" for row in rows)
    return f"[\n{lines}\n  ]" if rows else "[]"
