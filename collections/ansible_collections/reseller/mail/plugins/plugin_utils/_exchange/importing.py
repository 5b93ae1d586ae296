# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare an import with the files that exist, and find the row of every fault.

PRIVATE to the collection. Pure. Nothing is written here.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from .. import _load
from . import additions, yaml_out
from .document import Document, Draft, Path, documents, marks, table_of

if t.TYPE_CHECKING:
    from .._model.estate import Estate
    from .._model.values import Fault

EXISTING = ("refuse", "add", "replace")


@dataclass(frozen=True, order=True)
class Placed:
    """One fault of the result, and its row in the source.

    ``source`` is empty for a fault in what was in the files before.
    """

    source: str
    fault: Fault

    def __str__(self) -> str:
        return f"{self.source}: {self.fault}" if self.source else str(self.fault)


@dataclass
class Result:
    """The result of an import.

    Attributes:
        files: The content of the files that change.
        same: The files that stay the same.
        faults: What is wrong in the files after the import.
        errors: Why nothing can be written.
        estate: The estate after the import.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    same: list[str] = field(default_factory=list)
    faults: list[Placed] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    estate: t.Optional[Estate] = None


def result(
    there: t.Mapping[str, bytes], found: t.Sequence[Fault], draft: Draft, existing: str
) -> Result:
    """Return the result of importing a draft.

    ``there`` and ``found`` are the files and the faults of ``_load.read_files``. ``existing`` is
    one of ``EXISTING``: what happens to a file that exists and has other content.
    """
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
            _import_file(outcome, there, path, draft, existing, origins[path])
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
        outcome.faults.append(Placed(source or _row_of_other_place(fault, places), fault))
    outcome.estate = estate
    return outcome


def _row_of_other_place(
    fault: Fault, places: t.Mapping[str, t.Mapping[tuple[int, int], str]]
) -> str:
    """Return the row of the other place that a fault names; empty if it names none.

    Of two equal names the later one has the fault. It can be the one that was in the file before.
    """
    for file, line in re.findall(r"(?:([\w./-]+\.yml):|line )([0-9]+)", fault.what):
        rows = places.get(file or fault.position.file, {})
        origins = [origin for (row, _column), origin in rows.items() if row == int(line) and origin]
        if origins:
            return origins[0]
    return ""


def _import_file(
    outcome: Result,
    there: t.Mapping[str, bytes],
    path: str,
    draft: Draft,
    existing: str,
    origins: dict[Path, str],
) -> None:
    """Add one file of the draft to the result."""
    new, before = draft.documents[path], there.get(path)
    if before is None:
        outcome.files[path] = yaml_out.text(path, new).encode()
        # A new file that has no row of its own gets the first row of its content.
        origins.setdefault((), next(iter(origins.values()), ""))
        return
    old = documents({path: before})[path]
    source = origins.get((), path)
    is_whole = path in draft.whole
    found = additions.merged(path, old, new)
    if is_whole:
        is_same = additions.holds(path, before, new)
    else:
        is_same = found.whole == old and not found.clashes
    if is_same:
        outcome.same.append(path)
    elif existing == "replace":
        _replace(outcome, path, before, additions.with_secrets_of(old, new), is_whole)
    elif existing == "add":
        if found.clashes:
            outcome.errors += [
                f"{source}: {path} has another value: {clash}" for clash in found.clashes
            ]
            return
        _move_origins(origins, found.moved)
        if found.whole == old:
            outcome.same.append(path)
        else:
            outcome.files[path] = additions.added(path, before, old, found.whole)
    else:
        outcome.errors.append(
            f"{source}: {path} exists and has other content; add to it, or replace it"
        )


def _replace(outcome: Result, path: str, before: bytes, document: Document, is_whole: bool) -> None:
    """Replace a file that exists. Raise ``Refused`` if the draft has only parts of it."""
    if not is_whole:
        raise additions.Refused(
            "the import has only parts of this file, which can be added to it but not replace it"
        )
    if additions.holds(path, before, document):
        outcome.same.append(path)
    else:
        outcome.files[path] = yaml_out.text(path, document).encode()


def _move_origins(origins: dict[Path, str], moved: t.Sequence[tuple[Path, Path]]) -> None:
    """Move the rows to the paths after adding.

    Item 0 of the import is behind the items that were in the file. Those have no row.
    """
    before = dict(origins)
    origins.clear()
    below: dict[Path, list[Path]] = {}
    for place in before:
        for length in range(1, len(place) + 1):
            below.setdefault(place[:length], []).append(place)
    for was, now in moved:
        origins[now] = _nearest_row(before, was)
        for place in below.get(was, ()):
            origins[now + place[len(was) :]] = before[place]


def _nearest_row(origins: t.Mapping[Path, str], place: Path) -> str:
    """Return the row of a path, or of the nearest level above it that has one; else empty."""
    for length in range(len(place), -1, -1):
        if place[:length] in origins:
            return origins[place[:length]]
    return ""
