# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node says of its keys, written down in the estate as far as the node may say it.

PRIVATE to the collection. Runs on the controller.
"""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible_collections.reseller.mail.plugins.module_utils import _state, _state_trust
from ansible_collections.reseller.mail.plugins.plugin_utils import _files

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.module_utils._model.estate import Estate, Node


def write(
    result: dict[str, t.Any],
    directory: str,
    estate: Estate,
    node: Node,
    part: str,
    check_mode: bool,
) -> None:
    """Put the result's list of that name into ``state/<node>.json``, and say so in the result. What the node may not say is left
    out there and in the result's list, where the former rows stay, and told in ``faults``. In check mode no key was made or
    moved on, so the text would not be true; the host's own lines say what is coming."""
    judged = _state_trust.judged(estate, node, part, result[part])
    result[part] = judged.rows
    if judged.refused:
        faults = result.get("faults")
        result["faults"] = [*(faults if isinstance(faults, list) else []), *judged.refused]
        _fail(result, "\n".join(judged.refused))
    path = Path(directory) / "state" / f"{node.name}.json"
    before = _files.text(path)
    text = _state.text(node.name, part, judged.rows, before)
    if check_mode or before == text:
        return
    try:
        _files.write({path: text.encode()})
    except AnsibleActionFail as error:
        # The host's own failure, where there is one, is the more important.
        result.pop("faults", None)
        _fail(result, error.message)
        return
    result["changed"] = True
    diff = result.get("diff")
    if not isinstance(diff, dict):
        diff = result["diff"] = {}
    diff["prepared"] = f"{diff.get('prepared') or ''}~ state {node.name}.json\n"


def _fail(result: dict[str, t.Any], why: str) -> None:
    result.update(failed=True, msg="\n".join(filter(None, (result.get("msg"), why))))
