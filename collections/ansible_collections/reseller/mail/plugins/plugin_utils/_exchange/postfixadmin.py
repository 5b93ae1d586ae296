# SPDX-License-Identifier: GPL-3.0-or-later
"""Read PostfixAdmin's tables, from a SQL dump of its database or from its own backup page.

PRIVATE to the collection. Pure. ``domain.quota`` and ``domain.maxquota`` are in MiB,
``mailbox.quota`` is in bytes; 0 is unlimited, -1 is switched off. Each mailbox has an alias of its
own name. If its only target is the mailbox, it means nothing. Other targets are the forwarding of
the mailbox. The target ``user#domain@<vacation domain>`` means that a vacation is on.
"""

from __future__ import annotations

import re
import typing as t

from .._model import names
from .document import Document, Draft
from .panel import MIB, Panel
from .panel_objects import Choice, PanelAdmin, PanelAlias
from .sql import Dump, Row, rows

TABLES = (
    "domain",
    "alias_domain",
    "mailbox",
    "alias",
    "domain_admins",
    "admin",
    "vacation",
    "fetchmail",
)
_NEEDED = {
    "domain": ("domain", "aliases", "mailboxes", "maxquota", "transport", "backupmx", "active"),
    "alias_domain": ("alias_domain", "target_domain", "active"),
    "mailbox": ("username", "password", "name", "quota", "active"),
    "alias": ("address", "goto", "active"),
    "admin": ("username", "active"),
    "domain_admins": ("username", "domain", "active"),
    "vacation": ("email", "active"),
    "fetchmail": ("mailbox",),
}
"""Columns that every version of PostfixAdmin has. Without one, the tables are of another panel."""
_FOREIGN = {
    "storagebasedirectory": (
        "these are iRedMail's tables: their quotas are in MiB, and their targets are in a separate"
        " table"
    )
}
_SWITCHES = ("active", "backupmx", "superadmin")
_ON, _OFF = ("1", "t", "true", "y"), ("0", "f", "false", "n", "")
"""How MySQL, PostgreSQL and SQLite write a boolean."""
_TRANSPORT = re.compile(r"(?:relay|smtp):\[?([A-Za-z0-9.-]+)\]?(?::([0-9]+))?")
_LIMITS = {
    "mailboxes": ("mailboxes", 0),
    "aliases": ("aliases", 0),
    "storage": ("quota", MIB),
    "mailbox_storage": ("maxquota", MIB),
}


def read(files: t.Mapping[str, bytes], choice: Choice) -> Draft:
    """Return everything in the dumps, as documents of the tenants that the operator chose."""
    panel = Panel(choice)
    tables: dict[str, list[tuple[str, Row]]] = {table: [] for table in TABLES}
    for name in sorted(files):
        try:
            text = files[name].decode("utf-8-sig")
        except UnicodeDecodeError as error:
            panel.errors.append(
                f"{name}:{files[name][: error.start].count(10) + 1}: byte"
                f" 0x{files[name][error.start]:02x} is not UTF-8; allowed: UTF-8 text"
            )
            continue
        dump = rows(text, TABLES)
        panel.errors += [
            f"{name}:{line}: {what}"
            for line, what in sorted({*dump.faults, *_faults_of_other_panels(dump)})
        ]
        for table, found in dump.rows.items():
            tables[table] += [(f"{name}:{row.line}", row) for row in found]
    if not tables["domain"] and not panel.errors:
        panel.errors.append(
            f"{', '.join(sorted(files))}: there are no rows of PostfixAdmin's table domain"
        )
    for table in TABLES:
        for origin, row in tables[table]:
            _list_unclear_booleans(panel, origin, table, row)
            _READERS[table](panel, origin, row)
    return panel.draft()


def _faults_of_other_panels(dump: Dump) -> t.Iterator[tuple[int, str]]:
    """Yield the line and fault of every table that another panel has under the same name."""
    for table, (line, columns) in dump.columns.items():
        for column in columns:
            if column in _FOREIGN:
                yield line, f"the table {table} has a column {column}: {_FOREIGN[column]}"
        for column in _NEEDED[table]:
            if column not in columns:
                yield (
                    line,
                    (
                        f"the table {table} has no column {column}: PostfixAdmin's has one, so this"
                        " is another panel's"
                    ),
                )


def is_true_in_postfixadmin(text: str) -> bool:
    """Return whether a boolean column is true."""
    return text.lower() in _ON


def _list_unclear_booleans(panel: Panel, origin: str, table: str, row: Row) -> None:
    """List every boolean that is neither on nor off, and is read as off."""
    for column in _SWITCHES:
        if row[column].lower() not in (*_ON, *_OFF):
            panel.not_imported(
                origin,
                f"{table}: {column} {row[column]!r}",
                "it is neither on nor off, and is read as off",
            )


def _integer(panel: Panel, origin: str, what: str, text: str) -> int:
    """Return a number. If the text is no number, list it and return 0."""
    if re.fullmatch(r"-?[0-9]{1,18}", text):
        return int(text)
    if text:
        panel.not_imported(origin, f"{what} {text!r}", "it is no whole number, and is left out")
    return 0


def _domain(panel: Panel, origin: str, row: Row) -> None:
    """Read a row of the table domain."""
    if row["domain"] == "ALL":  # means all domains, at a super admin
        return
    name = panel.domain_name(origin, row["domain"])
    if name is None:
        return
    domain = panel.add_domain(origin, name, is_true_in_postfixadmin(row["active"]))
    if domain is None:
        return
    domain.relay = _relay(panel, origin, name, row)
    for key, (column, unit) in _LIMITS.items():
        number = _integer(panel, origin, f"domain {name}: {column}", row[column])
        limit = panel.limit(number, unit)
        if key == "mailbox_storage" and limit == "0":
            panel.not_imported(origin, f"domain {name}: maxquota -1", "a mailbox always has a size")
        elif limit is not None and not domain.relay:
            domain.limits[key] = limit
    if row["description"]:
        panel.not_imported(
            origin,
            f"domain {name}: description {row['description']!r}",
            "a domain here has none; the account has an organisation",
        )


def _relay(panel: Panel, origin: str, name: str, row: Row) -> t.Optional[Document]:
    """Return where the transport of a domain relays its mail; None for a mail domain."""
    relayed = _TRANSPORT.fullmatch(row["transport"])
    if relayed:
        port = int(relayed[2] or 25)
        return {"host": relayed[1], **({"port": port} if port != 25 else {})}
    if is_true_in_postfixadmin(row["backupmx"]):
        panel.not_imported(
            origin,
            f"domain {name}: backup MX",
            f"the transport {row['transport']!r} does not name the host of its mail; it became a"
            " mail domain",
        )
    elif row["transport"] not in ("", "virtual", "virtual:"):
        panel.not_imported(
            origin,
            f"domain {name}: transport {row['transport']}",
            "here a domain is a mail domain or a relay domain",
        )
    return None


def _alias_domain(panel: Panel, origin: str, row: Row) -> None:
    """Read a row of the table alias_domain."""
    is_on = is_true_in_postfixadmin(row["active"])
    panel.read_domain_alias(origin, row["alias_domain"], row["target_domain"], is_on)


def _mailbox(panel: Panel, origin: str, row: Row) -> None:
    """Read a row of the table mailbox."""
    address = row["username"].lower()
    found = panel.local_and_domain(origin, "mailbox", address)
    if found is None:
        return
    local, place = found
    quota = _integer(panel, origin, f"mailbox {address}: quota", row["quota"])
    entry = {
        **panel.display_name(origin, address, row["name"]),
        **panel.quota(None if quota < 0 else quota, 1),
        **({} if is_true_in_postfixadmin(row["active"]) else {"state": "suspended"}),
        **panel.password(origin, address, row["password"]),
    }
    if not panel.add_mailbox(origin, address, place, local, entry):
        return
    for column, what in (("phone", "phone number"), ("email_other", "other address")):
        if row[column]:
            panel.not_imported(
                origin, f"mailbox {address}: {what}", "a mailbox here has no such key"
            )


def _alias(panel: Panel, origin: str, row: Row) -> None:
    """Read a row of the table alias."""
    address = row["address"].lower()
    if address == row["goto"].strip().lower() and not _is_address_of_estate(address):
        return  # the mailbox's own alias; the mailbox is listed already
    to = []
    for target in filter(None, (part.strip() for part in row["goto"].split(","))):
        if re.fullmatch(r"[^@]+#[^@]+@[^@]+", target):
            continue  # a vacation, which has its own table
        carried = panel.target_address(origin, f"alias {address}", target)
        if carried:
            to.append(carried)
    panel.add_alias(
        address,
        PanelAlias(origin, to, is_true_in_postfixadmin(row["active"]) or _is_off(panel, address)),
        rows_add_up=True,
    )


def _is_off(panel: Panel, address: str) -> bool:
    """Return whether the address is a suspended mailbox. Its alias is switched off with it."""
    local, _at, host = address.rpartition("@")
    place = panel.domains.get(panel.known_as(host))
    box = place.mailboxes.get(local) if place else None
    return box is not None and box.entry.get("state") == "suspended"


def _is_address_of_estate(address: str) -> bool:
    """Return whether the schema accepts the local part of the address."""
    try:
        return bool(names.local_part(address.rpartition("@")[0]))
    except ValueError:
        return False


def _admin(panel: Panel, origin: str, row: Row) -> None:
    """Read a row of the table admin. An admin that is switched off manages nothing."""
    if is_true_in_postfixadmin(row["superadmin"]):
        panel.not_imported(
            origin,
            f"admin {row['username']}",
            "a super admin has rights beyond a tenant: give them in roles of estate.yml",
        )
    if not is_true_in_postfixadmin(row["active"]):
        panel.not_imported(origin, f"admin {row['username']}", "it is switched off")
        panel.admins = [admin for admin in panel.admins if admin.address != row["username"].lower()]


def _domain_admin(panel: Panel, origin: str, row: Row) -> None:
    """Read a row of the table domain_admins."""
    if row["domain"] == "ALL" or not is_true_in_postfixadmin(row["active"]):
        return
    address = panel.target_address(origin, f"admin of {row['domain']}", row["username"])
    domain = panel.domain_name(origin, row["domain"])
    if address and domain:
        panel.admins.append(PanelAdmin(origin, address, [domain]))


def _vacation(panel: Panel, origin: str, row: Row) -> None:
    """List a vacation."""
    if is_true_in_postfixadmin(row["active"]):
        panel.not_imported(origin, f"vacation of {row['email']}", "users set their own with Sieve")


def _fetchmail(panel: Panel, origin: str, row: Row) -> None:
    """List an account from which mail is fetched."""
    panel.not_imported(
        origin, f"fetchmail of {row['mailbox']}", "the hosts fetch no mail from elsewhere"
    )


_READERS = {
    "domain": _domain,
    "alias_domain": _alias_domain,
    "mailbox": _mailbox,
    "alias": _alias,
    "admin": _admin,
    "domain_admins": _domain_admin,
    "vacation": _vacation,
    "fetchmail": _fetchmail,
}
