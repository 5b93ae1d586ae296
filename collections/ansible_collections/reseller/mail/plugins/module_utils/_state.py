# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node reports, as the text of ``state/<node>.json``: the one input of the model that no person writes.

PRIVATE to the collection. Pure: no Ansible, no files, no clock, no randomness.
"""

from __future__ import annotations

import json
import typing as t


def text(node: str, dkim: t.Iterable[t.Mapping[str, str]]) -> str:
    """Sorted, one key a line, so that a commit shows what changed and nothing else."""
    keys = sorted(({name: key[name] for name in ("domain", "selector", "public")} for key in dkim), key=lambda key: (key["domain"], key["selector"]))
    rows = ",\n".join(f"    {json.dumps(key)}" for key in keys)
    return f'{{\n  "node": {json.dumps(node)},\n  "dkim": [' + (f"\n{rows}\n  " if rows else "") + "]\n}\n"
