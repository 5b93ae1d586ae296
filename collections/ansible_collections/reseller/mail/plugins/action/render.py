# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import json
import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible_collections.reseller.mail.plugins.module_utils import _compile
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import ControllerAction
from ansible_collections.reseller.mail.plugins.plugin_utils._estate import judged_node

MANIFEST = "manifest.json"
"""Notes what is ours in the folder, so that nothing else is ever removed."""


class ActionModule(ControllerAction):
    """Everything happens on the controller; the host of the play is never asked."""

    ARGUMENTS = {
        "estate": {"type": "path"},
        "node": {"type": "str", "required": True},
        "dest": {"type": "path", "required": True},
        "root": {"type": "path", "default": "/var/lib/reseller-mail"},
    }

    def work(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        artefact = _compile.artefact(*judged_node(args["estate"], args["node"]), args["root"])
        files = dict(artefact.files)
        files[MANIFEST] = (
            json.dumps(
                {"digest": artefact.digest, "node": artefact.node, "files": sorted(artefact.files)},
                indent=1,
            )
            + "\n"
        )
        try:
            return {
                "dest": args["dest"],
                "digest": artefact.digest,
                **self._write(Path(args["dest"]), files),
            }
        except OSError as error:
            raise AnsibleActionFail(f"{error.filename}: {error.strerror}") from None

    def _write(self, dest: Path, files: dict[str, str]) -> dict[str, t.Any]:
        before = {path: _text(dest / path) for path in files.keys() | _ours(dest)}
        written = sorted(path for path, text in files.items() if before[path] != text)
        removed = sorted(path for path in before.keys() - files.keys() if before[path] is not None)
        if not self._task.check_mode:
            for path in written:
                (dest / path).parent.mkdir(parents=True, exist_ok=True)
                (dest / path).write_bytes(files[path].encode())
            for path in removed:
                (dest / path).unlink()
        diff = [
            {
                "before": before[path] or "",
                "after": files.get(path, ""),
                "before_header": path,
                "after_header": path,
            }
            for path in sorted(written + removed)
            if path != MANIFEST
        ]
        return {
            "changed": bool(written or removed),
            "written": written,
            "removed": removed,
            "diff": diff,
        }


def _ours(dest: Path) -> set[str]:
    """What an earlier run wrote."""
    try:
        files = json.loads((dest / MANIFEST).read_bytes())["files"]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return set()
    return {path for path in files if not Path(path).is_absolute() and ".." not in Path(path).parts}


def _text(path: Path) -> t.Optional[str]:
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except FileNotFoundError:
        return None
