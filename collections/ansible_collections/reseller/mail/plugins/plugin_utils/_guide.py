# SPDX-License-Identifier: GPL-3.0-or-later
"""What the guide is made from on the controller: findings, pictures, style and script.

PRIVATE to the collection. Runs on the controller.
"""

from __future__ import annotations

import datetime
import json
import re
import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible_collections.reseller.mail.plugins.module_utils import _guide
from ansible_collections.reseller.mail.plugins.module_utils._finding import Finding, from_dicts

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.module_utils._model.estate import Estate

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "report": {"type": "path", "default": "build/verify/report.json"},
    "findings": {"type": "list", "elements": "dict"},
    "checked": {"type": "str", "default": ""},
    "logos": {"type": "path"},
}
_LARGEST = 512 * 1024


def guide(
    estate: Estate, args: t.Mapping[str, t.Any], node: t.Optional[str] = None
) -> _guide.Guide:
    """All pages, or those of the tenants placed on a node."""
    found, checked = _findings(args)
    folder = Path(_guide.__file__).parent
    assets = {name: (folder / name).read_bytes() for name in _guide.ASSETS}
    return _guide.make(estate, found, checked, assets, _logos(args["logos"]), node)


def _findings(args: t.Mapping[str, t.Any]) -> tuple[list[Finding], str]:
    """Those given, or those of the last report, and when they were true. Never the clock: the same findings make the same pages."""
    if args["findings"] is not None:
        return from_dicts(args["findings"]), args["checked"]
    report = Path(args["report"])
    if not report.exists():
        return [], ""
    try:
        said = json.loads(report.read_text(encoding="utf-8"))
        found = from_dicts(said["findings"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise AnsibleActionFail(f"{report} is no report of verify: {error}") from error
    written = datetime.datetime.fromtimestamp(int(report.stat().st_mtime), datetime.UTC).strftime(
        "%Y-%m-%dT%H:%M:%SZ"
    )
    return found, args["checked"] or said.get("checked") or written


def _logos(directory: t.Optional[str]) -> dict[str, tuple[str, bytes]]:
    """Pictures by the name before their suffix."""
    found = {}
    for path in sorted(Path(directory).iterdir()) if directory else ():
        suffix = path.suffix.lower()
        if suffix in _guide.LOGOS:
            content = path.read_bytes()
            if len(content) > _LARGEST or not _guide.LOGOS[suffix](content):
                raise AnsibleActionFail(
                    f"{path} is no logo; allowed: a picture of at most {_LARGEST // 1024} KiB, {', '.join(_guide.LOGOS)}"
                )
            found[path.stem] = (suffix, content)
    return found


def readable(content: bytes) -> bytes:
    """For diffs. Pages have no line ends to compare by: one element of a block a line."""
    return (
        re.sub(rb"(?=<section|<article)", b"\n", content)
        if content.startswith(b"<!doctype")
        else content
    )
