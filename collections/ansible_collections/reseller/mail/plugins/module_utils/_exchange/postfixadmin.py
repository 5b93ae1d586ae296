# SPDX-License-Identifier: GPL-3.0-or-later
"""PostfixAdmin's tables, from a SQL dump of its database or from its own backup page.

PRIVATE to the collection. Pure. ``domain.quota`` and ``domain.maxquota`` are in MiB, ``mailbox.quota`` in bytes; 0 is
unlimited, -1 switched off. Each mailbox has an alias of its own name: to itself alone it means nothing, to others it is
the mailbox's forwarding, and to ``user#domain@<vacation domain>`` a vacation is on.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.reseller.mail.plugins.module_utils import _names
from ansible_collections.reseller.mail.plugins.module_utils._exchange.document import Draft
from ansible_collections.reseller.mail.plugins.module_utils._exchange.panel import MIB, Panel
from ansible_collections.reseller.mail.plugins.module_utils._exchange.sql import Dump, Row, rows
from ansible_collections.reseller.mail.plugins.module_utils._exchange.things import (
    Choice,
    Manager,
    Other,
)

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
"""Columns that every version of PostfixAdmin has. Without one, the tables are another system's."""
_FOREIGN = {
    "storagebasedirectory": "these are iRedMail's tables: their quotas are in MiB, and their targets stand in a table of their own"
}
_SWITCHES = ("active", "backupmx", "superadmin")
_ON, _OFF = ("1", "t", "true", "y"), ("0", "f", "false", "n", "")
"""As MySQL, PostgreSQL and SQLite write a switch."""
_TRANSPORT = re.compile(r"(?:relay|smtp):\[?([A-Za-z0-9.-]+)\]?(?::([0-9]+))?")
_LIMITS = {
    "mailboxes": ("mailboxes", 0),
    "aliases": ("aliases", 0),
    "storage": ("quota", MIB),
    "mailbox_storage": ("maxquota", MIB),
}


def read(files: t.Mapping[str, bytes], choice: Choice) -> Draft:
    """Everything in the dumps, as documents of the tenants that were chosen."""
    panel = Panel(choice)
    tables: dict[str, list[tuple[str, Row]]] = {table: [] for table in TABLES}
    for name in sorted(files):
        try:
            text = files[name].decode("utf-8-sig")
        except UnicodeDecodeError as error:
            panel.errors.append(
                f"{name}:{files[name][: error.start].count(10) + 1}: byte 0x{files[name][error.start]:02x} is not UTF-8; allowed: UTF-8 text"
            )
            continue
        dump = rows(text, TABLES)
        panel.errors += [
            f"{name}:{line}: {what}" for line, what in sorted({*dump.faults, *_foreign(dump)})
        ]
        for table, found in dump.rows.items():
            tables[table] += [(f"{name}:{row.line}", row) for row in found]
    if not tables["domain"] and not panel.errors:
        panel.errors.append(
            f"{', '.join(sorted(files))}: there are no rows of PostfixAdmin's table domain in it"
        )
    for table in TABLES:
        for origin, row in tables[table]:
            _unclear(panel, origin, table, row)
            _READERS[table](panel, origin, row)
    return panel.draft()


def _foreign(dump: Dump) -> t.Iterator[tuple[int, str]]:
    """Every table of the dump that is not what PostfixAdmin has under that name."""
    for table, (line, columns) in dump.columns.items():
        for column in columns:
            if column in _FOREIGN:
                yield line, f"the table {table} has a column {column}: {_FOREIGN[column]}"
        for column in _NEEDED[table]:
            if column not in columns:
                yield (
                    line,
                    f"the table {table} has no column {column}: PostfixAdmin's has one, so this is another system's",
                )


def _on(text: str) -> bool:
    return text.lower() in _ON


def _unclear(panel: Panel, origin: str, table: str, row: Row) -> None:
    """List every switch that is neither on nor off, and is taken for off."""
    for column in _SWITCHES:
        if row[column].lower() not in (*_ON, *_OFF):
            panel.lose(
                origin,
                f"{table}: {column} {row[column]!r}",
                "it is neither on nor off, and is taken for off",
            )


def _whole(panel: Panel, origin: str, what: str, text: str) -> int:
    if re.fullmatch(r"-?[0-9]{1,18}", text):
        return int(text)
    if text:
        panel.lose(origin, f"{what} {text!r}", "it is no whole number, and is left out")
    return 0


def _domain(panel: Panel, origin: str, row: Row) -> None:
    if row["domain"] == "ALL":  # stands for all domains of a super admin
        return
    name = panel.domain(origin, row["domain"])
    if name is None:
        return
    place = panel.place(origin, name, _on(row["active"]))
    if place is None:
        return
    relayed = _TRANSPORT.fullmatch(row["transport"])
    if relayed:
        port = int(relayed[2] or 25)
        place.relay = {"host": relayed[1], **({"port": port} if port != 25 else {})}
    elif _on(row["backupmx"]):
        panel.lose(
            origin,
            f"domain {name}: backup MX",
            f"where its mail goes is not said by the transport {row['transport']!r}; it became a mail domain",
        )
    elif row["transport"] not in ("", "virtual", "virtual:"):
        panel.lose(
            origin,
            f"domain {name}: transport {row['transport']}",
            "there are mail domains and relay domains here",
        )
    for key, (column, unit) in _LIMITS.items():
        limit = panel.limit(_whole(panel, origin, f"domain {name}: {column}", row[column]), unit)
        if key == "mailbox_storage" and limit == "0":
            panel.lose(origin, f"domain {name}: maxquota -1", "a mailbox always has a size")
        elif limit is not None and not place.relay:
            place.limits[key] = limit
    if row["description"]:
        panel.lose(
            origin,
            f"domain {name}: description {row['description']!r}",
            "there is none here; the account has an organisation",
        )


def _alias_domain(panel: Panel, origin: str, row: Row) -> None:
    name, target = (
        panel.domain(origin, row["alias_domain"]),
        panel.domain(origin, row["target_domain"]),
    )
    if name is None or target is None:
        return
    if not _on(row["active"]):
        panel.lose(
            origin,
            f"domain alias {name}",
            "it is switched off, and there are no such domain aliases here",
        )
    else:
        panel.domain_alias(origin, name, target)


def _mailbox(panel: Panel, origin: str, row: Row) -> None:
    address = row["username"].lower()
    found = panel.local(origin, "mailbox", address)
    if found is None:
        return
    local, place = found
    quota = _whole(panel, origin, f"mailbox {address}: quota", row["quota"])
    entry = {
        **panel.name(origin, address, row["name"]),
        **panel.quota(None if quota < 0 else quota, 1),
        **({} if _on(row["active"]) else {"state": "suspended"}),
        **panel.password(origin, address, row["password"]),
    }
    if not panel.box(origin, address, place, local, entry):
        return
    for column, what in (("phone", "phone number"), ("email_other", "other address")):
        if row[column]:
            panel.lose(origin, f"mailbox {address}: {what}", "there is no place for it here")


def _alias(panel: Panel, origin: str, row: Row) -> None:
    address = row["address"].lower()
    if address == row["goto"].strip().lower() and not _fit(address):
        return  # a mailbox's own, and the mailbox is listed already
    to = []
    for target in filter(None, (part.strip() for part in row["goto"].split(","))):
        if re.fullmatch(r"[^@]+#[^@]+@[^@]+", target):
            continue  # a vacation, which stands in its own table
        carried = panel.target(origin, f"alias {address}", target)
        if carried:
            to.append(carried)
    panel.alias(
        address, Other(origin, to, _on(row["active"]) or _is_off(panel, address)), rows_add_up=True
    )


def _is_off(panel: Panel, address: str) -> bool:
    """Whether the address is a mailbox that is switched off: its alias was switched off with it."""
    local, _at, host = address.rpartition("@")
    place = panel.places.get(panel.known_as(host))
    box = place.boxes.get(local) if place else None
    return box is not None and box.entry.get("state") == "suspended"


def _fit(address: str) -> bool:
    try:
        return bool(_names.local_part(address.rpartition("@")[0]))
    except ValueError:
        return False


def _admin(panel: Panel, origin: str, row: Row) -> None:
    if _on(row["superadmin"]):
        panel.lose(
            origin,
            f"admin {row['username']}",
            "a super admin reaches beyond a tenant: roles of estate.yml say who may do that",
        )
    if not _on(row["active"]):
        panel.lose(origin, f"admin {row['username']}", "it is switched off")
        panel.managers = [
            manager for manager in panel.managers if manager.address != row["username"].lower()
        ]


def _domain_admin(panel: Panel, origin: str, row: Row) -> None:
    if row["domain"] == "ALL" or not _on(row["active"]):
        return
    address = panel.target(origin, f"admin of {row['domain']}", row["username"])
    domain = panel.domain(origin, row["domain"])
    if address and domain:
        panel.managers.append(Manager(origin, address, [domain]))


def _vacation(panel: Panel, origin: str, row: Row) -> None:
    if _on(row["active"]):
        panel.lose(origin, f"vacation of {row['email']}", "users set their own, with Sieve")


def _fetchmail(panel: Panel, origin: str, row: Row) -> None:
    panel.lose(origin, f"fetchmail of {row['mailbox']}", "nothing is fetched from elsewhere here")


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
