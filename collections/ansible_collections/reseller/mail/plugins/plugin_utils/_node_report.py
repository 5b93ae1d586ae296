# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node says of its keys, written down in the estate.

PRIVATE to the collection. Runs on the controller.
"""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible_collections.reseller.mail.plugins.module_utils import _state
from ansible_collections.reseller.mail.plugins.plugin_utils import _files


def write(result: dict[str, t.Any], estate: str, node: str, part: str, check_mode: bool) -> None:
    """Puts the result's list of that name into ``state/<node>.json``, and says so in the result. In check mode no key was made or moved
    on, so the text would not be true; the host's own lines say what is coming."""
    path = Path(estate) / "state" / f"{node}.json"
    before = _files.text(path)
    text = _state.text(node, part, result[part], before)
    if check_mode or before == text:
        return
    try:
        _files.write({path: text.encode()})
    except AnsibleActionFail as error:
        # The host's own failure, where there is one, is the more important.
        result.update(failed=True, msg="\n".join(filter(None, (result.get("msg"), error.message))))
        return
    result["changed"] = True
    result.setdefault("diff", {}).setdefault("prepared", "")
    result["diff"]["prepared"] += f"~ state {node}.json\n"
