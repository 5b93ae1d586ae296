# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults in the forms that programs read: JSON, GitHub's annotations, GitLab's code quality, SARIF.

PRIVATE to the collection. Pure. None of them has a line of a tenant's file in it.
"""

from __future__ import annotations

import collections
import hashlib
import re
import typing as t
import urllib.parse

from ansible_collections.reseller.mail.plugins.module_utils._excerpt import redacted
from ansible_collections.reseller.mail.plugins.module_utils._fault_text import Sources, by_id
from ansible_collections.reseller.mail.plugins.module_utils._model.values import Fault
from ansible_collections.reseller.mail.plugins.module_utils._printable import (
    json_text,
    printable,
    without_commands,
)

VERSION = 1
"""Of the JSON form: raised when a field goes or changes its meaning, not when one is added. Described in docs/schema/validate.json."""

_SECTION = re.compile(r"^### `([\w-]+)`\n(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)

_PLACE = re.compile(r"\bline \d+|:\d+:\d+")


class Report(t.NamedTuple):
    """The outcome of one run, all that the forms need. What an estate without fault has: ``counts``, and the keys in use that nothing acts on yet."""

    faults: t.Sequence[Fault]
    sources: Sources
    counts: t.Optional[t.Mapping[str, int]] = None
    without_effect: t.Sequence[tuple[str, int]] = ()
    help: t.Mapping[str, str] = {}

    def path(self, fault: Fault) -> str:
        return self.sources.path(fault.position)


def sections(page: str) -> dict[str, str]:
    """What docs/faults.md says of each id, as Markdown."""
    return {match[1]: match[2].strip() for match in _SECTION.finditer(page)}


def as_json(report: Report) -> str:
    """For programs of one's own."""
    return _dumped(
        {
            "version": VERSION,
            "ok": not report.faults,
            "summary": {
                "faults": len(report.faults),
                "files": len({fault.position.file for fault in report.faults}),
                "by_id": by_id(report.faults),
            },
            "faults": [
                {
                    "id": fault.id,
                    "file": fault.position.file,
                    "path": report.path(fault),
                    "line": fault.position.line,
                    "column": fault.position.column,
                    "what": redacted(fault.what),
                    "allowed": fault.allowed,
                }
                for fault in report.faults
            ],
            "counts": None if report.counts is None else dict(report.counts),
            "without_effect": [
                {"key": key, "times": times} for key, times in report.without_effect
            ],
        }
    )


def github(report: Report) -> str:
    """Workflow commands, one a line: GitHub shows them beside the lines of the pull request."""
    return "".join(
        f"::error file={_property(report.path(fault))},line={fault.position.line},col={fault.position.column},title={_property(fault.id)}"
        f"::{_data(_sentence(fault))}\n"
        for fault in report.faults
    )


def _data(text: str) -> str:
    return without_commands(printable(text)).replace("%", "%25").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def gitlab(report: Report) -> str:
    """A code quality report: GitLab compares it with the target branch's and shows what is new in the merge request."""
    return _dumped(
        [
            {
                "description": _sentence(fault),
                "check_name": f"reseller.mail/{fault.id}",
                "fingerprint": fingerprint,
                "severity": "major",
                "location": {"path": report.path(fault), "lines": {"begin": fault.position.line}},
            }
            for fault, (fingerprint, _occurrence) in zip(
                report.faults, _fingerprints(report), strict=True
            )
        ]
    )


def sarif(report: Report) -> str:
    """SARIF 2.1.0 (OASIS): code scanning of GitHub and others, and editors."""
    rules = sorted({fault.id for fault in report.faults})
    results = [
        {
            "ruleId": fault.id,
            "ruleIndex": rules.index(fault.id),
            "level": "error",
            "message": {"text": _sentence(fault)},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {
                            "uri": urllib.parse.quote(report.path(fault)),
                            "uriBaseId": "%SRCROOT%",
                        },
                        "region": {
                            "startLine": fault.position.line,
                            "startColumn": fault.position.column,
                        },
                    }
                }
            ],
            "partialFingerprints": {"primaryLocationLineHash": f"{fingerprint[:16]}:{occurrence}"},
        }
        for fault, (fingerprint, occurrence) in zip(
            report.faults, _fingerprints(report), strict=True
        )
    ]
    return _dumped(
        {
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [
                {
                    "tool": {
                        "driver": {
                            "name": "reseller.mail.validate",
                            "rules": [_rule(rule, report.help.get(rule, "")) for rule in rules],
                        }
                    },
                    "columnKind": "unicodeCodePoints",
                    "originalUriBaseIds": {
                        "%SRCROOT%": {"description": {"text": "The top of the repository."}}
                    },
                    "results": results,
                }
            ],
        }
    )


def _rule(rule: str, markdown: str) -> dict[str, t.Any]:
    words = rule.replace("-", " ")
    described: dict[str, t.Any] = {
        "id": rule,
        "name": "".join(word.capitalize() for word in rule.split("-")),
        "shortDescription": {"text": words},
    }
    if markdown:
        before = markdown.partition("\n\nWrong, in")[0]
        full = (
            words if before.startswith("Wrong, in") else " ".join(before.replace("`", "").split())
        )
        described |= {
            "fullDescription": {"text": full},
            "help": {"text": full, "markdown": markdown},
        }
    return described


def _sentence(fault: Fault) -> str:
    return f"{redacted(fault.what)}; allowed: {fault.allowed}"


def _fingerprints(report: Report) -> t.Iterator[tuple[str, int]]:
    """For each fault, what stays the same when lines move: made of its file, id and sentence; and the how manieth of these it is."""
    seen: collections.Counter[str] = collections.Counter()
    for fault in report.faults:
        same = "\0".join((report.path(fault), fault.id, _PLACE.sub("", redacted(fault.what))))
        seen[same] += 1
        yield hashlib.sha256(f"{same}\0{seen[same]}".encode()).hexdigest(), seen[same]


def _dumped(value: t.Any) -> str:
    return json_text(value)


FORMS: t.Final[dict[str, t.Callable[[Report], str]]] = {
    "json": as_json,
    "github": github,
    "gitlab": gitlab,
    "sarif": sarif,
}
