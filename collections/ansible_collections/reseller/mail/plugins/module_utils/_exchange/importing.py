# SPDX-License-Identifier: GPL-3.0-or-later
"""A draft beside the files that are there: what would be written, and every fault of the result with the row it came from.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.reseller.mail.plugins.module_utils import _load
from ansible_collections.reseller.mail.plugins.module_utils._exchange import additions, yaml_out
from ansible_collections.reseller.mail.plugins.module_utils._exchange.document import (
    Draft,
    Path,
    documents,
    marks,
    table_of,
)

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.module_utils._model.estate import Estate
    from ansible_collections.reseller.mail.plugins.module_utils._model.values import Fault

EXISTING = ("refuse", "add", "replace")


@dataclass(frozen=True, order=True)
class Placed:
    """A fault and the row of the source that it came from; empty for a fault in what was there before."""

    source: str
    fault: Fault

    def __str__(self) -> str:
        return f"{self.source}: {self.fault}" if self.source else str(self.fault)


@dataclass
class Result:
    """``files`` are those that would change; ``errors`` say why nothing can be written."""

    files: dict[str, bytes] = field(default_factory=dict)
    same: list[str] = field(default_factory=list)
    faults: list[Placed] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    estate: t.Optional[Estate] = None


def result(
    there: t.Mapping[str, bytes], found: t.Sequence[Fault], draft: Draft, existing: str
) -> Result:
    """What importing the draft comes to. ``there`` and ``found`` are what ``_load.read_files`` gave; nothing is written here."""
    outcome = Result(errors=list(draft.errors))
    origins: dict[str, dict[Path, str]] = {}
    for path in sorted(draft.documents):
        if table_of(path) is None:
            outcome.errors.append(
                f"{draft.origins.get(path, {}).get((), path)}: {path} is no file of an estate"
            )
            continue
        origins[path] = dict(draft.origins.get(path, {}))
        try:
            _file(outcome, there, path, draft, existing, origins[path])
        except additions.Refused as error:
            outcome.errors.append(f"{path}: {error}")
    if outcome.errors:
        return outcome
    files = {**there, **outcome.files}
    estate, faults = _load.build(files, found)
    places = {path: marks(path, files[path], origins[path]) for path in origins}
    for fault in faults:
        at = fault.position
        rows = places.get(at.file, {})
        source = rows.get((at.line, at.column), origins.get(at.file, {}).get((), ""))
        outcome.faults.append(Placed(source or _mentioned(fault, places), fault))
    outcome.estate = estate
    return outcome


def _mentioned(fault: Fault, places: t.Mapping[str, t.Mapping[tuple[int, int], str]]) -> str:
    """The row that the other place came from, when a fault stands at what was there before: of two equal names the later is at fault."""
    for file, line in re.findall(r"(?:([\w./-]+\.yml):|line )([0-9]+)", fault.what):
        rows = places.get(file or fault.position.file, {})
        origins = [origin for (row, _column), origin in rows.items() if row == int(line) and origin]
        if origins:
            return origins[0]
    return ""


def _file(
    outcome: Result,
    there: t.Mapping[str, bytes],
    path: str,
    draft: Draft,
    existing: str,
    origins: dict[Path, str],
) -> None:
    new = draft.documents[path]
    before = there.get(path)
    if before is None:
        outcome.files[path] = yaml_out.text(path, new).encode()
        origins.setdefault(
            (), next(iter(origins.values()), "")
        )  # a file that nothing else of the source is about
        return
    old = documents({path: before})[path]
    source = origins.get((), path)
    whole, moved, clashes = additions.merged(path, old, new)
    if (
        (whole == old and not clashes)
        if path not in draft.whole
        else additions.says(path, before, new)
    ):
        outcome.same.append(path)
    elif existing == "replace":
        if path not in draft.whole:
            raise additions.Refused(
                "the import has only parts of this file, which can be added to it but not replace it"
            )
        outcome.files[path] = yaml_out.text(path, additions.with_secrets_of(old, new)).encode()
        if additions.says(path, before, additions.with_secrets_of(old, new)):
            del outcome.files[path]
            outcome.same.append(path)
    elif existing == "add":
        if clashes:
            outcome.errors += [f"{source}: {path} says otherwise: {clash}" for clash in clashes]
            return
        _follow(origins, moved)
        if whole == old:
            outcome.same.append(path)
        else:
            outcome.files[path] = additions.added(path, before, old, whole)
    else:
        outcome.errors.append(
            f"{source}: {path} is there already and says something else; add to it, or replace it"
        )


def _follow(origins: dict[Path, str], moved: t.Sequence[tuple[Path, Path]]) -> None:
    """After adding, item 0 of the import stands behind the items that were there, and what was there came from no row."""
    before = dict(origins)
    origins.clear()
    below: dict[Path, list[Path]] = {}
    for place in before:
        for length in range(1, len(place) + 1):
            below.setdefault(place[:length], []).append(place)
    for was, now in moved:
        above = next(
            (before[was[:length]] for length in range(len(was), -1, -1) if was[:length] in before),
            "",
        )
        origins[now] = above
        for place in below.get(was, ()):
            origins[now + place[len(was) :]] = before[place]
