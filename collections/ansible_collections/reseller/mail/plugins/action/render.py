# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import json
import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible_collections.reseller.mail.plugins.plugin_utils import _compile
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.action import (
    ControllerAction,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.estate import judged_node

MANIFEST = "manifest.json"
"""Lists the files that this action wrote into the folder. No other file is ever removed."""


class ActionModule(ControllerAction):
    """Writes the tables of a node on the controller. It contacts no host."""

    ARGUMENTS = {
        "estate": {"type": "path"},
        "node": {"type": "str", "required": True},
        "dest": {"type": "path", "required": True},
        "root": {"type": "path", "default": "/var/lib/reseller-mail"},
    }

    def work(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        """Compile the tables of a node, write them and return what changed."""
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
        """Make the folder hold these files, unless in check mode; return what changed."""
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
    """Return the paths of the files that an earlier run wrote."""
    try:
        files = json.loads((dest / MANIFEST).read_bytes())["files"]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return set()
    return {path for path in files if not Path(path).is_absolute() and ".." not in Path(path).parts}


def _text(path: Path) -> t.Optional[str]:
    """Return the text of a file; None if there is no such file."""
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except FileNotFoundError:
        return None
