# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults in formats for programs: JSON, GitHub's annotations, GitLab's code quality, SARIF.

PRIVATE to the collection. Pure. No format contains a line of a tenant's file.
"""

from __future__ import annotations

import collections
import hashlib
import re
import typing as t
import urllib.parse

from .._language.source_line import redacted
from .._model.printable import json_text, printable, without_commands
from .._model.values import Fault
from .fault_text import Sources, by_id

VERSION = 1
"""Of the JSON format, which docs/schema/validate.json describes. It is raised if a field is removed
or changes its meaning, not if one is added."""

_SECTION = re.compile(r"^### `([\w-]+)`\n(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)

_PLACE = re.compile(r"\bline \d+|:\d+:\d+")


class Report(t.NamedTuple):
    """The result of one run, for all formats.

    Attributes:
        counts: numbers of objects, for an estate without faults.
        without_effect: keys in use without effect yet, and how often, for an estate without faults.
        help: the section of docs/faults.md by id.
        warnings: what is allowed and probably not meant, for an estate without faults.
    """

    faults: t.Sequence[Fault]
    sources: Sources
    counts: t.Optional[t.Mapping[str, int]] = None
    without_effect: t.Sequence[tuple[str, int]] = ()
    help: t.Mapping[str, str] = {}
    warnings: t.Sequence[Fault] = ()

    @property
    def graded(self) -> list[tuple[Fault, str]]:
        """Return the faults and warnings, each with its level: error or warning."""
        return [
            *((fault, "error") for fault in self.faults),
            *((warning, "warning") for warning in self.warnings),
        ]

    def path(self, fault: Fault) -> str:
        """Return the path of a fault's file, relative to the repository."""
        return self.sources.path(fault.position)


def sections(page: str) -> dict[str, str]:
    """Return the section of docs/faults.md for each id, as Markdown."""
    return {match[1]: match[2].strip() for match in _SECTION.finditer(page)}


def as_json(report: Report) -> str:
    """Return all faults and warnings as JSON, for your own programs."""
    return _dumped(
        {
            "version": VERSION,
            "ok": not report.faults,
            "summary": {
                "faults": len(report.faults),
                "files": len({fault.position.file for fault in report.faults}),
                "by_id": by_id(report.faults),
            },
            "faults": [_row(report, fault) for fault in report.faults],
            "warnings": [_row(report, warning) for warning in report.warnings],
            "counts": None if report.counts is None else dict(report.counts),
            "without_effect": [
                {"key": key, "times": times} for key, times in report.without_effect
            ],
        }
    )


def _row(report: Report, fault: Fault) -> dict[str, t.Any]:
    """Return a fault or a warning as JSON has it."""
    return {
        "id": fault.id,
        "file": fault.position.file,
        "path": report.path(fault),
        "line": fault.position.line,
        "column": fault.position.column,
        "what": redacted(fault.what),
        "allowed": fault.allowed,
    }


def github(report: Report) -> str:
    """Return one workflow command for each fault and each warning.

    GitHub shows them at the lines of the pull request.
    """
    return "".join(
        f"::{level} file={_property(report.path(fault))},line={fault.position.line}"
        f",col={fault.position.column},title={_property(fault.id)}"
        f"::{_data(_sentence(fault))}\n"
        for fault, level in report.graded
    )


def _data(text: str) -> str:
    """Return a text escaped for the message of a workflow command."""
    return without_commands(printable(text)).replace("%", "%25").replace("\n", "%0A")


def _property(text: str) -> str:
    """Return a text escaped for a property of a workflow command."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def gitlab(report: Report) -> str:
    """Return a code quality report.

    GitLab compares it with that of the target branch, and shows new faults in the merge request.
    """
    return _dumped(
        [
            {
                "description": _sentence(fault),
                "check_name": f"reseller.mail/{fault.id}",
                "fingerprint": fingerprint,
                "severity": "major" if level == "error" else "minor",
                "location": {"path": report.path(fault), "lines": {"begin": fault.position.line}},
            }
            for (fault, level), (fingerprint, _occurrence) in zip(
                report.graded, _fingerprints(report), strict=True
            )
        ]
    )


def sarif(report: Report) -> str:
    """Return SARIF 2.1.0 (OASIS), for code scanning of GitHub and others, and for editors."""
    rules = sorted({fault.id for fault, _level in report.graded})
    results = [
        {
            "ruleId": fault.id,
            "ruleIndex": rules.index(fault.id),
            "level": level,
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
        for (fault, level), (fingerprint, occurrence) in zip(
            report.graded, _fingerprints(report), strict=True
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
    """Return the description of an id for SARIF, from its section of docs/faults.md."""
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
    """Yield a fingerprint for each fault, and its number among equal faults, from 1.

    A fingerprint is made from file, id and message without places, so it does not change if lines
    move.
    """
    seen: collections.Counter[str] = collections.Counter()
    for fault, _level in report.graded:
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
