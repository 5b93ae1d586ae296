# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents ↔ CSV, for people and their spreadsheets: one sheet for tenants, one for domains, one for each list of things.

PRIVATE to the collection. Pure. RFC 4180, UTF-8. The columns are the schema's keys, so they are as stable as the language;
``dmarc.stage`` is the key ``stage`` of the table ``dmarc``. Items of a list are separated by spaces.
"""

from __future__ import annotations

import csv
import io
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.reseller.mail.plugins.module_utils import _names, _schema
from ansible_collections.reseller.mail.plugins.module_utils._exchange.document import (
    Document,
    Draft,
    Path,
    completed,
    plain,
)
from ansible_collections.reseller.mail.plugins.module_utils._nodes import meant, shown
from ansible_collections.reseller.mail.plugins.module_utils._scalars import (
    LIMIT,
    POOL,
    QUOTA,
    TRUTH,
    Scalar,
)

EMPTY_LIST, EMPTY_TABLE = "[]", "{}"
# What spreadsheets take for a formula, also after white space and in its full-width forms (CWE-1236).
_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")


@dataclass(frozen=True)
class Column:
    """One column: its name, where its value stands, of what kind it is. ``opens`` are the tables that it is the first column of."""

    name: str
    path: tuple[str, ...]
    kind: t.Union[Scalar, _schema.Many]
    opens: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Sheet:
    """One CSV file. ``key`` is the list (or free table) of a document whose items are its rows; empty: a row is a document."""

    name: str
    ids: tuple[str, ...]
    key: str
    columns: tuple[Column, ...]

    @property
    def header(self) -> list[str]:
        return [*self.ids, *(column.name for column in self.columns)]


def _columns(
    table: _schema.Table, path: tuple[str, ...] = (), opens: tuple[tuple[str, ...], ...] = ()
) -> t.Iterator[Column]:
    for name, key in table.keys.items():
        kind, place = key.type, (*path, name)
        if isinstance(kind, Scalar) or (
            isinstance(kind, _schema.Many) and isinstance(kind.of, Scalar)
        ):
            yield Column(".".join(place), place, kind, opens)
        elif isinstance(kind, _schema.Table) and kind.free is None:
            yield from _columns(kind, place, (*opens, place))
        else:
            continue
        opens = ()


def _sheets(name: str, ids: tuple[str, ...], table: _schema.Table) -> t.Iterator[Sheet]:
    yield Sheet(name, ids, "", tuple(_columns(table)))
    for key, entry in table.keys.items():
        kind = entry.type
        if isinstance(kind, _schema.Many) and isinstance(kind.of, _schema.Table):
            yield Sheet(key, ids, key, tuple(_columns(kind.of)))
        elif isinstance(kind, _schema.Table) and kind.free is not None:
            yield Sheet(
                key,
                ids,
                key,
                tuple(Column(part, (part,), kind.free, ()) for part in ("name", "value")),
            )


SHEETS = {
    sheet.name: sheet
    for sheet in (
        *_sheets("tenants", ("tenant",), _schema.ACCOUNT),
        *_sheets("domains", ("tenant", "domain"), _schema.DOMAIN_FILE),
    )
}
_FREE = frozenset(
    name
    for name, key in _schema.ACCOUNT.keys.items()
    if isinstance(key.type, _schema.Table) and key.type.free is not None
)


def guarded(text: str) -> str:
    """A cell that no spreadsheet takes for a formula. An apostrophe goes before it; ``unguarded`` takes it away again."""
    return f"'{text}" if _needs_guard(text) else text


def unguarded(cell: str) -> str:
    """What was guarded. An apostrophe before anything else is somebody's own, as in 's-Hertogenbosch."""
    return cell[1:] if cell.startswith("'") and _needs_guard(cell[1:]) else cell


def _needs_guard(text: str) -> bool:
    bare = text.lstrip("'")
    return bool(_FORMULA.match(bare)) or bare in (EMPTY_LIST, EMPTY_TABLE)


def write(documents: t.Mapping[str, Document], secrets: bool) -> dict[str, str]:
    """Every sheet as a text, with all columns; those of secrets only where they are asked for."""
    rows: dict[str, list[list[str]]] = {name: [] for name in SHEETS}
    for path in sorted(documents):
        top, *below = path.split("/")
        if top != "tenants":
            continue
        is_account = below[1] == "account.yml"
        ids = [below[0]] if is_account else [below[0], below[1].removesuffix(".yml")]
        for sheet in SHEETS.values():
            if (sheet.ids == ("tenant",)) == is_account:
                rows[sheet.name] += [
                    [*ids, *_row(sheet, item, secrets)] for item in _items(sheet, documents[path])
                ]
    return {
        f"{name}.csv": _text([_fit(sheet.header, sheet, secrets), *rows[name]])
        for name, sheet in SHEETS.items()
    }


def _fit(header: list[str], sheet: Sheet, secrets: bool) -> list[str]:
    hidden = set() if secrets else {column.name for column in sheet.columns if _is_secret(column)}
    return [name for name in header if name not in hidden]


def _is_secret(column: Column) -> bool:
    return isinstance(column.kind, Scalar) and column.kind.secret


def _items(sheet: Sheet, document: Document) -> list[Document]:
    if not sheet.key:
        return [document]
    if sheet.key in _FREE:
        return [
            {"name": name, "value": value} for name, value in document.get(sheet.key, {}).items()
        ]
    return t.cast("list[Document]", document.get(sheet.key, []))


def _row(sheet: Sheet, document: Document, secrets: bool) -> list[str]:
    return [
        _cell(column, document) for column in sheet.columns if secrets or not _is_secret(column)
    ]


def _cell(column: Column, document: Document) -> str:
    if any(_at(document, place) == {} for place in column.opens):
        return EMPTY_TABLE
    value = _at(document, column.path)
    if value is None:
        return ""
    if isinstance(value, list):
        return guarded(" ".join(str(item) for item in value)) if value else EMPTY_LIST
    return guarded(("true" if value else "false") if isinstance(value, bool) else str(value))


def _at(document: t.Any, path: tuple[str, ...]) -> t.Any:
    for step in path:
        document = document.get(step) if isinstance(document, dict) else None
    return document


def _text(rows: list[list[str]]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue()


def read(files: t.Mapping[str, bytes]) -> Draft:
    """What the sheets say. Rows of things whose domain or tenant has no row of its own add to what there is."""
    draft = Draft()
    for name in sorted(
        files,
        key=lambda file: list(SHEETS).index(file[:-4]) if file[:-4] in SHEETS else len(SHEETS),
    ):
        sheet = SHEETS.get(name.removesuffix(".csv"))
        if sheet is None:
            draft.errors.append(
                f"{name}: no sheet has this name; allowed: {', '.join(f'{known}.csv' for known in SHEETS)}"
            )
        else:
            _sheet(draft, sheet, name, files[name])
    return draft


def rows_of(
    name: str, content: bytes, errors: list[str], delimiter: str = ""
) -> t.Iterator[tuple[int, list[str]]]:
    """The rows of a CSV file, each with the number of its first line. Spreadsheets of some countries separate by semicolons."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        errors.append(
            f"{name}:{line}: byte 0x{content[error.start]:02x} is not UTF-8; allowed: UTF-8 text"
        )
        return
    head = text.lstrip("\r\n").partition("\n")[0]
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter or max(",;\t", key=head.count),
        strict=True,
    )
    first = 1
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield first, row
            first = reader.line_num + 1
    except csv.Error as error:
        errors.append(f"{name}:{first}: this is not CSV: {error}")


def _sheet(draft: Draft, sheet: Sheet, name: str, content: bytes) -> None:
    rows = rows_of(name, content, draft.errors)
    _line, header = next(rows, (1, []))
    header = [cell.strip() for cell in header]
    unknown = [cell for cell in header if cell not in sheet.header]
    for cell in unknown:
        draft.errors.append(
            f"{name}:1: {shown(cell)} is no column of this sheet{meant(cell, sheet.header)}"
        )
    missing = [cell for cell in sheet.ids if cell not in header]
    if missing or len(set(header)) != len(header):
        draft.errors.append(
            f"{name}:1: each row needs {', '.join(sheet.ids)}; each column stands there once"
        )
    if unknown or missing:
        return
    for line, row in rows:
        origin = f"{name}:{line}"
        if len(row) > len(header) and any(row[len(header) :]):
            draft.errors.append(f"{origin}: this row has more cells than the header has columns")
            continue
        cells = dict(zip(header, row, strict=False))
        path = _path(draft, [cells.get(part, "").strip() for part in sheet.ids], origin)
        if path:
            _take(draft, sheet, path, cells, origin)


def _path(draft: Draft, ids: list[str], origin: str) -> str:
    try:
        folder = _names.slug(ids[0])
        return f"tenants/{folder}/{_names.mail_domain(ids[1]) if len(ids) > 1 else 'account'}.yml"
    except ValueError as error:
        draft.errors.append(f"{origin}: {error}")
        return ""


def _take(draft: Draft, sheet: Sheet, path: str, cells: dict[str, str], origin: str) -> None:
    domain = "" if sheet.ids == ("tenant",) else path.split("/")[2].removesuffix(".yml")
    values: Document = {}
    for column in sheet.columns:
        cell = cells.get(column.name, "")
        if cell:
            _put(values, column, cell, domain)
    document = draft.documents.setdefault(path, {})
    if not sheet.key:
        if path in draft.whole:
            draft.errors.append(
                f"{origin}: this is a second row for {', '.join(cells[part] for part in sheet.ids)}"
            )
        draft.whole.add(path)
        document.update(values)
        draft.at(path, (), origin)
        return
    place: Path
    if sheet.key in _FREE:
        entry = document.setdefault(sheet.key, {})
        entry[values.get("name", "")] = values.get("value")
        place = (sheet.key, values.get("name", ""))
    else:
        document.setdefault(sheet.key, []).append(values)
        place = (sheet.key, len(document[sheet.key]) - 1)
    draft.at(path, place, origin)


def _put(values: Document, column: Column, cell: str, domain: str) -> None:
    if cell == EMPTY_TABLE and column.opens:
        inner = values
        for step in column.opens[-1]:
            inner = inner.setdefault(step, {})
        return
    for step in column.path[:-1]:
        values = values.setdefault(step, {})
    if isinstance(column.kind, _schema.Many):
        kind = t.cast(Scalar, column.kind.of)
        items = [] if cell == EMPTY_LIST else unguarded(cell).split()
        values[column.path[-1]] = [_value(item, kind, domain) for item in items]
    else:
        values[column.path[-1]] = _value(unguarded(cell).replace("\r\n", "\n"), column.kind, domain)


def _value(text: str, kind: Scalar, domain: str) -> t.Any:
    if kind is TRUTH:
        text = text.lower()  # spreadsheets write TRUE
    if kind in (LIMIT, POOL, QUOTA) and text == "-1":
        return "unlimited"  # what nearly every other system means by it (S2-20)
    if kind.secret:
        return text
    try:
        return completed(plain(text, kind), kind, domain)
    except ValueError:
        return text  # the judge says what is wrong with it
