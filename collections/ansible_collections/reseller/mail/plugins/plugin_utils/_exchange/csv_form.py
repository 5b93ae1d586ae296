# SPDX-License-Identifier: GPL-3.0-or-later
"""Write documents as CSV for spreadsheets, and read them again.

PRIVATE to the collection. Pure. RFC 4180, UTF-8. There is a sheet for tenants, one for domains, and
one for each of their lists. The columns are the keys of the schema: ``dmarc.stage`` is the key
``stage`` of the table ``dmarc``. Spaces separate the items of a list.
"""

from __future__ import annotations

import csv
import io
import re
import typing as t
from dataclasses import dataclass

from .._language import schema
from .._language.scalars import LIMIT, POOL, QUOTA, TRUTH, Scalar
from .._model import names
from .._model.words import meant, shown
from .document import Document, Draft, Path, completed, plain

EMPTY_LIST, EMPTY_TABLE = "[]", "{}"
# What spreadsheets read as a formula, also behind white space and in full-width forms (CWE-1236).
_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")


@dataclass(frozen=True)
class Column:
    """One column: its name, the path of its value, and its type.

    ``opens`` are the paths of the tables whose first column it is.
    """

    name: str
    path: tuple[str, ...]
    kind: t.Union[Scalar, schema.Many]
    opens: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Sheet:
    """One CSV file. ``key`` is the list or table of a document whose items are the rows.

    Without a ``key`` a row is a document. ``ids`` are the columns that name the file of a row.
    """

    name: str
    ids: tuple[str, ...]
    key: str
    columns: tuple[Column, ...]

    @property
    def header(self) -> list[str]:
        """Return the names of all columns."""
        return [*self.ids, *(column.name for column in self.columns)]


def _columns(
    table: schema.Table, path: tuple[str, ...] = (), opens: tuple[tuple[str, ...], ...] = ()
) -> t.Iterator[Column]:
    """Yield the columns of a table, and those of the tables in it."""
    for name, key in table.keys.items():
        kind, place = key.type, (*path, name)
        if isinstance(kind, Scalar) or (
            isinstance(kind, schema.Many) and isinstance(kind.of, Scalar)
        ):
            yield Column(".".join(place), place, kind, opens)
        elif isinstance(kind, schema.Table) and kind.free is None:
            yield from _columns(kind, place, (*opens, place))
        else:
            continue
        opens = ()


def _sheets(name: str, ids: tuple[str, ...], table: schema.Table) -> t.Iterator[Sheet]:
    """Yield the sheet of a file's table, and one for each list in it."""
    yield Sheet(name, ids, "", tuple(_columns(table)))
    for key, entry in table.keys.items():
        kind = entry.type
        if isinstance(kind, schema.Many) and isinstance(kind.of, schema.Table):
            yield Sheet(key, ids, key, tuple(_columns(kind.of)))
        elif isinstance(kind, schema.Table) and kind.free is not None:
            yield Sheet(
                key,
                ids,
                key,
                tuple(Column(part, (part,), kind.free, ()) for part in ("name", "value")),
            )


SHEETS = {
    sheet.name: sheet
    for sheet in (
        *_sheets("tenants", ("tenant",), schema.ACCOUNT),
        *_sheets("domains", ("tenant", "domain"), schema.DOMAIN_FILE),
    )
}
_FREE = frozenset(
    name
    for name, key in schema.ACCOUNT.keys.items()
    if isinstance(key.type, schema.Table) and key.type.free is not None
)


def guarded(text: str) -> str:
    """Return a cell that no spreadsheet reads as a formula: with an apostrophe before it.

    ``unguarded`` removes the apostrophe.
    """
    return f"'{text}" if _needs_guard(text) else text


def unguarded(cell: str) -> str:
    """Return the text of a guarded cell. Another apostrophe is part of the text.

    Example: 's-Hertogenbosch.
    """
    return cell[1:] if cell.startswith("'") and _needs_guard(cell[1:]) else cell


def _needs_guard(text: str) -> bool:
    """Return whether a spreadsheet, or an import, would read the text as something else."""
    bare = text.lstrip("'")
    return bool(_FORMULA.match(bare)) or bare in (EMPTY_LIST, EMPTY_TABLE)


def write(documents: t.Mapping[str, Document], secrets: bool) -> dict[str, str]:
    """Return every sheet as a text, by its file name. Passwords are written with ``secrets``."""
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
        f"{name}.csv": _text([_shown_header(sheet, secrets), *rows[name]])
        for name, sheet in SHEETS.items()
    }


def _shown_header(sheet: Sheet, secrets: bool) -> list[str]:
    """Return the names of the columns that are written."""
    hidden = set() if secrets else {column.name for column in sheet.columns if _is_secret(column)}
    return [name for name in sheet.header if name not in hidden]


def _is_secret(column: Column) -> bool:
    """Return whether the column has passwords."""
    return isinstance(column.kind, Scalar) and column.kind.secret


def _items(sheet: Sheet, document: Document) -> list[Document]:
    """Return what a document has in a sheet, one item for each row."""
    if not sheet.key:
        return [document]
    if sheet.key in _FREE:
        return [
            {"name": name, "value": value} for name, value in document.get(sheet.key, {}).items()
        ]
    return t.cast("list[Document]", document.get(sheet.key, []))


def _row(sheet: Sheet, document: Document, secrets: bool) -> list[str]:
    """Return the cells of one row."""
    return [
        _cell(column, document) for column in sheet.columns if secrets or not _is_secret(column)
    ]


def _cell(column: Column, document: Document) -> str:
    """Return one cell. A table without keys is ``{}`` in its first column."""
    if any(_at(document, place) == {} for place in column.opens):
        return EMPTY_TABLE
    value = _at(document, column.path)
    if value is None:
        return ""
    if isinstance(value, list):
        return guarded(" ".join(str(item) for item in value)) if value else EMPTY_LIST
    return guarded(("true" if value else "false") if isinstance(value, bool) else str(value))


def _at(document: t.Any, path: tuple[str, ...]) -> t.Any:
    """Return the value at a path; None if there is none."""
    for step in path:
        document = document.get(step) if isinstance(document, dict) else None
    return document


def _text(rows: list[list[str]]) -> str:
    """Return rows as CSV."""
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue()


def read(files: t.Mapping[str, bytes]) -> Draft:
    """Return the documents of the sheets.

    Mailboxes and other items whose domain or tenant has no row are added to the file that exists.
    """
    draft = Draft()
    order = {f"{name}.csv": number for number, name in enumerate(SHEETS)}
    for name in sorted(files, key=lambda file: order.get(file, len(order))):
        sheet = SHEETS.get(name.removesuffix(".csv"))
        if sheet is None:
            draft.errors.append(
                f"{name}: no sheet has this name; allowed:"
                f" {', '.join(f'{known}.csv' for known in SHEETS)}"
            )
        else:
            _read_sheet(draft, sheet, name, files[name])
    return draft


def rows_of(
    name: str, content: bytes, errors: list[str], delimiter: str = ""
) -> t.Iterator[tuple[int, list[str]]]:
    """Yield the rows of a CSV file, each with the number of its first line.

    In some countries spreadsheets write semicolons between the cells. Without a ``delimiter`` it is
    the character that the first line has most often.
    """
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


def _read_sheet(draft: Draft, sheet: Sheet, name: str, content: bytes) -> None:
    """Read the rows of one sheet."""
    rows = rows_of(name, content, draft.errors)
    _line, cells = next(rows, (1, []))
    header = [cell.strip() for cell in cells]
    if not _is_usable(draft, sheet, name, header):
        return
    for line, row in rows:
        origin = f"{name}:{line}"
        if len(row) > len(header) and any(row[len(header) :]):
            draft.errors.append(f"{origin}: this row has more cells than the header has columns")
            continue
        values = dict(zip(header, row, strict=False))
        path = _path(draft, [values.get(part, "").strip() for part in sheet.ids], origin)
        if path:
            _take(draft, sheet, path, values, origin)


def _is_usable(draft: Draft, sheet: Sheet, name: str, header: list[str]) -> bool:
    """Return whether rows can be read by this header. Note what is wrong with it."""
    unknown = [cell for cell in header if cell not in sheet.header]
    for cell in unknown:
        draft.errors.append(
            f"{name}:1: {shown(cell)} is no column of this sheet{meant(cell, sheet.header)}"
        )
    missing = [cell for cell in sheet.ids if cell not in header]
    if missing or len(set(header)) != len(header):
        draft.errors.append(
            f"{name}:1: the columns {', '.join(sheet.ids)} are required, and each column can be"
            " there only once"
        )
    return not unknown and not missing


def _path(draft: Draft, ids: list[str], origin: str) -> str:
    """Return the path of the file of a row; empty after noting an error."""
    try:
        folder = names.slug(ids[0])
        return f"tenants/{folder}/{names.mail_domain(ids[1]) if len(ids) > 1 else 'account'}.yml"
    except ValueError as error:
        draft.errors.append(f"{origin}: {error}")
        return ""


def _take(draft: Draft, sheet: Sheet, path: str, cells: dict[str, str], origin: str) -> None:
    """Add a row to its document."""
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
    """Set the value of a cell."""
    if cell == EMPTY_TABLE and column.opens:
        inner = values
        for step in column.opens[-1]:
            inner = inner.setdefault(step, {})
        return
    for step in column.path[:-1]:
        values = values.setdefault(step, {})
    if isinstance(column.kind, schema.Many):
        kind = t.cast(Scalar, column.kind.of)
        items = [] if cell == EMPTY_LIST else unguarded(cell).split()
        values[column.path[-1]] = [_value(item, kind, domain) for item in items]
    else:
        values[column.path[-1]] = _value(unguarded(cell).replace("\r\n", "\n"), column.kind, domain)


def _value(text: str, kind: Scalar, domain: str) -> t.Any:
    """Return the value of a cell. A text that the schema refuses stays as it is."""
    if kind is TRUTH:
        text = text.lower()  # spreadsheets write TRUE
    if kind in (LIMIT, POOL, QUOTA) and text == "-1":
        return "unlimited"  # this is what -1 means in nearly every other system (S2-20)
    if kind.secret:
        return text
    try:
        return completed(plain(text, kind), kind, domain)
    except ValueError:
        return text  # it becomes a fault when the files are validated
