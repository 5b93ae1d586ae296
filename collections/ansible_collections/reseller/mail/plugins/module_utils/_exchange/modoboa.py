# SPDX-License-Identifier: GPL-3.0-or-later
"""Modoboa's exports: ``modo export domains`` and ``modo export identities``, or the same from its web pages.

PRIVATE to the collection. Pure. The rows, as Modoboa 2 writes and reads them; quotas are in MiB, 0 is no quota::

    domain; name; quota; default mailbox quota; enabled
    domainalias; name; target; enabled
    relaydomain; name; target host; target port; service; enabled; verify recipients      (Modoboa reads it, but never writes it)
    account; login; password; first name; last name; enabled; role; address; quota; [domain; ...]
    alias | forward | dlist; address; enabled; recipient; ...
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.reseller.mail.plugins.module_utils._exchange.csv_form import rows_of
from ansible_collections.reseller.mail.plugins.module_utils._exchange.document import Draft
from ansible_collections.reseller.mail.plugins.module_utils._exchange.panel import MIB, Panel
from ansible_collections.reseller.mail.plugins.module_utils._exchange.things import (
    Choice,
    Manager,
    Other,
    Place,
)

_LEAST = {
    "domain": 5,
    "domainalias": 4,
    "relaydomain": 7,
    "account": 7,
    "alias": 4,
    "forward": 4,
    "dlist": 4,
}
# Domains before what is in them, whatever the order of files and rows.
_ORDER = ("domain", "relaydomain", "domainalias", "account", "alias", "forward", "dlist")


def read(files: t.Mapping[str, bytes], choice: Choice) -> Draft:
    """Everything in the files, as documents of the tenants that were chosen."""
    panel = Panel(choice)
    rows: dict[str, list[tuple[str, list[str]]]] = {kind: [] for kind in _ORDER}
    for name in sorted(files):
        for line, row in rows_of(name, files[name], panel.errors, _delimiter(files[name])):
            # Modoboa puts an apostrophe before what a spreadsheet would take for a formula, and does not take it away again.
            cells = [re.sub(r"^'(?=[=+\-@\t\r\n])", "", cell).strip() for cell in row]
            if cells[0] not in _LEAST:
                panel.lose(f"{name}:{line}", f"row {cells[0]!r}", "Modoboa has no such rows")
            elif len(cells) < _LEAST[cells[0]]:
                panel.lose(
                    f"{name}:{line}",
                    f"{cells[0]} {cells[1] if len(cells) > 1 else ''}",
                    "the row is too short",
                )
            else:
                rows[cells[0]].append((f"{name}:{line}", cells))
    for kind in _ORDER:
        for origin, cells in rows[kind]:
            _READERS[kind](panel, origin, cells)
    return panel.draft()


def _delimiter(content: bytes) -> str:
    """The command separates by semicolons, the web pages by commas; the first word of a row tells, in quotes or not."""
    found = re.search(
        rb"(?:^|[\r\n])\s*(?:[a-z]+|\"[a-z]+\")\s*([;,\t])", content.removeprefix(b"\xef\xbb\xbf")
    )
    return found.group(1).decode() if found else ";"


def _enabled(text: str) -> bool:
    return text.lower() in ("true", "1", "yes", "y")


def _number(panel: Panel, origin: str, what: str, text: str) -> t.Optional[int]:
    if not text.isdecimal():
        if text:
            panel.lose(origin, what, f"{text!r} is no number")
        return None
    return int(text)


def _domain(panel: Panel, origin: str, cells: list[str]) -> None:
    name = panel.domain(origin, cells[1])
    if name is None:
        return
    place = panel.place(origin, name, _enabled(cells[4]))
    if place is None:
        return
    number = _number(panel, origin, f"domain {name}: quota", cells[2])
    storage = None if number is None else panel.limit(number, MIB)
    if storage is not None:
        place.limits["storage"] = storage
    if cells[3] not in ("", "0"):
        panel.lose(
            origin,
            f"domain {name}: default mailbox quota {cells[3]}M",
            "plans have one, domains do not; every mailbox says its own",
        )


def _relay_domain(panel: Panel, origin: str, cells: list[str]) -> None:
    """Modoboa exports its relay domains as plain ones; a row of this kind, added by hand, sets that right."""
    name = panel.domain(origin, cells[1])
    if name is None:
        return
    port = _number(panel, origin, f"relay domain {name}: port", cells[3])
    relay = {"host": cells[2].strip("[]"), **({"port": port} if port not in (None, 25) else {})}
    if name in panel.places and not panel.places[name].relay:
        del panel.places[name]
    panel.place(origin, name, _enabled(cells[5]), relay)


def _domain_alias(panel: Panel, origin: str, cells: list[str]) -> None:
    name, target = panel.domain(origin, cells[1]), panel.domain(origin, cells[2])
    if name is None or target is None:
        return
    if not _enabled(cells[3]):
        panel.lose(
            origin,
            f"domain alias {name}",
            "it is switched off, and there are no such domain aliases here",
        )
    else:
        panel.domain_alias(origin, name, target)


def _account(panel: Panel, origin: str, cells: list[str]) -> None:
    login, role = cells[1], cells[6]
    address = (cells[7] if len(cells) > 7 else "").lower()
    if not address:
        panel.lose(
            origin,
            f"account {login}",
            f"it has role {role} and no address; here an admin is an address",
        )
        return
    host = address.rpartition("@")[2]
    # Identities may be exported without domains: then their domains are those that their addresses have.
    home = panel.domain(origin, host)
    if home is not None and not panel.knows(home):
        panel.places[home] = Place(origin)
    found = panel.local(origin, "mailbox", address)
    if found is None:
        return
    local, place = found
    quota = _number(panel, origin, f"mailbox {address}: quota", cells[8] if len(cells) > 8 else "")
    entry = {
        **panel.name(origin, address, f"{cells[3]} {cells[4]}".strip()),
        **panel.quota(quota, MIB),
        **({} if _enabled(cells[5]) else {"state": "suspended"}),
        **panel.password(origin, address, cells[2]),
    }
    if not panel.box(origin, address, place, local, entry):
        return
    full = f"{local}@{home}"
    if login.lower() != address:
        panel.lose(origin, f"mailbox {address}: login {login}", "here one logs in with the address")
    if role == "DomainAdmins":
        domains = [
            name for name in (panel.domain(origin, cell) for cell in cells[9:] if cell) if name
        ]
        panel.managers.append(Manager(origin, full, domains))
    elif role == "Resellers":
        panel.managers.append(Manager(origin, full, None))
    elif role != "SimpleUsers":
        panel.lose(
            origin,
            f"account {login}: role {role}",
            "it reaches beyond a tenant: roles of estate.yml say who may do that",
        )


def _alias(panel: Panel, origin: str, cells: list[str]) -> None:
    address = cells[1].lower()
    to = [
        target
        for target in (panel.target(origin, f"alias {address}", cell) for cell in cells[3:] if cell)
        if target
    ]
    panel.alias(address, Other(origin, to, _enabled(cells[2])), rows_add_up=False)


_READERS = {
    "domain": _domain,
    "relaydomain": _relay_domain,
    "domainalias": _domain_alias,
    "account": _account,
    "alias": _alias,
    "forward": _alias,
    "dlist": _alias,
}
