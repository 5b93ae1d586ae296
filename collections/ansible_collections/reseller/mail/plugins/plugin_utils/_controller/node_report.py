# SPDX-License-Identifier: GPL-3.0-or-later
"""Write what a node reports about its keys into the estate, as far as the node may report it.

The file is a copy for work without the nodes. In check mode the report is kept for the run alone:
so what the run shows of generations and DNS does not depend on whether the file was there.

PRIVATE to the collection. Runs on the controller.
"""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail

from .._judge import node_report
from .._model import node_state
from . import files, run_reports, terminal

if t.TYPE_CHECKING:
    from .._model.estate import Estate, Node


def write(
    result: dict[str, t.Any],
    directory: str,
    estate: Estate,
    node: Node,
    part: str,
    check_mode: bool,
) -> None:
    """Write the rows ``result[part]`` into ``state/<node>.json``, and record the change in the
    result.

    Rows that the node may not report are replaced by the former rows, in the file and in the
    result, and are listed in ``faults``. In check mode the estate does not change, because no key
    was made; the lines of the host show what will change.
    """
    path = Path(directory) / "state" / f"{node.name}.json"
    tell_differences(result, estate, node, part, was_kept=run_reports.is_kept(path))
    judged = node_report.judged(estate, node, part, result[part])
    result[part] = judged.rows
    if judged.refused:
        faults = result.get("faults")
        result["faults"] = [*(faults if isinstance(faults, list) else []), *judged.refused]
        _fail(result, "\n".join(judged.refused))
    before = run_reports.text(path)
    text = node_state.text(node.name, part, judged.rows, before)
    if check_mode:
        run_reports.keep(path, text)
        return
    run_reports.forget(path)
    if files.text(path) == text:
        return
    try:
        files.write({path: text.encode()})
    except AnsibleActionFail as error:
        # A failure of the host itself is more important.
        result.pop("faults", None)
        _fail(result, error.message)
        return
    result["changed"] = True
    diff = result.get("diff")
    if not isinstance(diff, dict):
        diff = result["diff"] = {}
    diff["prepared"] = f"{diff.get('prepared') or ''}~ state {node.name}.json\n"


def tell_differences(
    result: dict[str, t.Any], estate: Estate, node: Node, part: str, was_kept: bool
) -> None:
    """Warn of what the file records otherwise than the host did before this run.

    Say where there is no file. In check mode a second report is compared with what the run itself
    planned (``was_kept``), which is no difference.
    """
    found = result.get("differences")
    lines = [line for line in found if isinstance(line, str)] if isinstance(found, list) else []
    result["differences"] = [] if was_kept else lines
    name = f"state/{node.name}.json"
    is_recorded = any(getattr(state, part) for state in estate.states if state.node == node.name)
    if not is_recorded and result[part]:
        terminal.say(f"{name} has no {part} keys yet: they are what the host reports")
    elif result["differences"]:
        terminal.warn(
            f"{name} is not what the host has: {'; '.join(lines)}. What the node may report"
            " replaces it. Either the file was not committed after the last run, or it or the"
            " host was changed."
        )


def _fail(result: dict[str, t.Any], why: str) -> None:
    result.update(failed=True, msg="\n".join(filter(None, (result.get("msg"), why))))
