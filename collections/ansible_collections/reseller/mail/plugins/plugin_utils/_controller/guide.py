# SPDX-License-Identifier: GPL-3.0-or-later
"""Read what the guide is made from: findings, logos, style and script.

PRIVATE to the collection. Runs on the controller.
"""

from __future__ import annotations

import datetime
import json
import re
import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail

from .. import _guide
from .._verify.finding import Finding, from_dicts

if t.TYPE_CHECKING:
    from .._model.estate import Estate

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
    """Return all pages of the guide, or those of the tenants that are placed on a node."""
    found, checked = findings(args)
    folder = Path(_guide.__file__).parent
    assets = {name: (folder / name).read_bytes() for name in _guide.ASSETS}
    return _guide.make(estate, found, checked, assets, logos(args["logos"]), node)


def findings(args: t.Mapping[str, t.Any]) -> tuple[list[Finding], str]:
    """Return the findings of the arguments or of the last report, and the time of the check.

    The clock is not read: the same findings make the same pages.
    """
    if args["findings"] is not None:
        return from_dicts(args["findings"]), args["checked"]
    report = Path(args["report"])
    if not report.exists():
        return [], ""
    try:
        content = json.loads(report.read_text(encoding="utf-8"))
        found = from_dicts(content["findings"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise AnsibleActionFail(f"{report} is no report of verify: {error}") from error
    written = datetime.datetime.fromtimestamp(int(report.stat().st_mtime), datetime.UTC).strftime(
        "%Y-%m-%dT%H:%M:%SZ"
    )
    return found, args["checked"] or content.get("checked") or written


def logos(directory: t.Optional[str]) -> dict[str, tuple[str, bytes]]:
    """Return the logos of a folder, by file name without suffix; each with its suffix and bytes."""
    found = {}
    for path in sorted(Path(directory).iterdir()) if directory else ():
        suffix = path.suffix.lower()
        if suffix in _guide.LOGOS:
            content = path.read_bytes()
            if len(content) > _LARGEST or not _guide.LOGOS[suffix](content):
                raise AnsibleActionFail(
                    f"{path} is no logo; allowed: a picture of at most {_LARGEST // 1024} KiB,"
                    f" {', '.join(_guide.LOGOS)}"
                )
            found[path.stem] = (suffix, content)
    return found


def readable(content: bytes) -> bytes:
    """Return a page with one block element a line, so that a diff of it can be read."""
    return (
        re.sub(rb"(?=<section|<article)", b"\n", content)
        if content.startswith(b"<!doctype")
        else content
    )
