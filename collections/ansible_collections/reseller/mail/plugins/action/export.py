# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import os
import typing as t
from pathlib import Path

from ansible_collections.reseller.mail.plugins.plugin_utils._controller import files, terminal
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.action import (
    ControllerAction,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.estate import (
    folder,
    judged,
    tenant_of,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._exchange import csv_form, json_form
from ansible_collections.reseller.mail.plugins.plugin_utils._exchange.document import (
    documents,
    of_tenants,
    omissions,
    without_secrets,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._load import read_files


class ActionModule(ControllerAction):
    """Write the content of the estate's files as CSV or JSON."""

    ARGUMENTS = {
        "estate": {"type": "path"},
        "form": {"type": "str", "choices": ["csv", "json"], "default": "csv"},
        "dest": {"type": "path", "default": "build/export"},
        "tenants": {"type": "list", "elements": "str", "default": []},
        "secrets": {"type": "bool", "default": False},
    }

    def work(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        """Write the files of the export, and print what is not in them."""
        directory = folder(args["estate"])
        estate = judged(directory)
        for name in args["tenants"]:
            tenant_of(estate, name)  # fails if there is no such tenant
        whole = of_tenants(documents(read_files(directory)[0]), args["tenants"])
        shared, left_out = (whole, 0) if args["secrets"] else without_secrets(whole)
        omitted = omissions(args["form"], left_out, bool(args["tenants"]))
        dest = Path(args["dest"])
        if args["form"] == "json":
            texts = {"estate.json": json_form.write(shared, omitted, args["secrets"])}
        else:
            texts = csv_form.write(shared, args["secrets"])
        found = {dest / name: text.encode() for name, text in texts.items()}
        was = {path: files.content(path) for path in found}
        changed = {path: content for path, content in found.items() if was[path] != content}
        if not self._task.check_mode:
            files.write(changed, 0o600 if args["secrets"] else None)
        diffs = [files.diff(str(path), was[path], content) for path, content in changed.items()]
        terminal.say(
            f"{len(found)} file{'s' * (len(found) != 1)} in {os.path.abspath(dest)}:"
            f" {', '.join(sorted(texts))}"
        )
        for line in omitted:
            terminal.say(f"not in it: {line}")
        return {
            "changed": bool(changed),
            "dest": os.path.abspath(dest),
            "files": sorted(texts),
            "omitted": omitted,
            "diff": diffs,
        }
