# SPDX-License-Identifier: GPL-3.0-or-later
"""Read Modoboa's exports: ``modo export domains``, ``modo export identities``, or its web pages.

PRIVATE to the collection. Pure. These are the rows, as Modoboa 2 writes and reads them. Quotas are
in MiB, and 0 is no quota. Modoboa reads rows ``relaydomain``, but never writes them::

    domain; name; quota; default mailbox quota; enabled
    domainalias; name; target; enabled
    relaydomain; name; target host; target port; service; enabled; verify recipients
    account; login; password; first name; last name; enabled; role; address; quota; [domain; ...]
    alias | forward | dlist; address; enabled; recipient; ...
"""

from __future__ import annotations

import re
import typing as t

from .csv_form import rows_of
from .document import Document, Draft
from .panel import MIB, Panel
from .panel_objects import Choice, PanelAdmin, PanelAlias, PanelDomain

_LEAST = {
    "domain": 5,
    "domainalias": 4,
    "relaydomain": 7,
    "account": 7,
    "alias": 4,
    "forward": 4,
    "dlist": 4,
}
# Domains are read before what is in them, in whatever order the rows are.
_ORDER = ("domain", "relaydomain", "domainalias", "account", "alias", "forward", "dlist")


def read(files: t.Mapping[str, bytes], choice: Choice) -> Draft:
    """Return everything in the files, as documents of the tenants that the operator chose."""
    panel = Panel(choice)
    rows: dict[str, list[tuple[str, list[str]]]] = {kind: [] for kind in _ORDER}
    for name in sorted(files):
        for line, row in rows_of(name, files[name], panel.errors, _delimiter(files[name])):
            # Modoboa writes an apostrophe before what a spreadsheet would read as a formula, and
            # does not remove it when it imports the row.
            cells = [re.sub(r"^'(?=[=+\-@\t\r\n])", "", cell).strip() for cell in row]
            if cells[0] not in _LEAST:
                panel.not_imported(
                    f"{name}:{line}", f"row {cells[0]!r}", "Modoboa has no rows of this kind"
                )
            elif len(cells) < _LEAST[cells[0]]:
                panel.not_imported(
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
    """Return what separates the cells: the command writes semicolons, the web pages commas.

    It is the character behind the first word of a row, which can be in quotes.
    """
    found = re.search(
        rb"(?:^|[\r\n])\s*(?:[a-z]+|\"[a-z]+\")\s*([;,\t])", content.removeprefix(b"\xef\xbb\xbf")
    )
    return found.group(1).decode() if found else ";"


def _is_enabled(text: str) -> bool:
    """Return whether a boolean cell is true."""
    return text.lower() in ("true", "1", "yes", "y")


def _number(panel: Panel, origin: str, what: str, text: str) -> t.Optional[int]:
    """Return a number; None for an empty cell, or after listing a text that is no number."""
    if not text.isdecimal():
        if text:
            panel.not_imported(origin, what, f"{text!r} is no number")
        return None
    return int(text)


def _domain(panel: Panel, origin: str, cells: list[str]) -> None:
    """Read a row ``domain``."""
    name = panel.domain_name(origin, cells[1])
    if name is None:
        return
    domain = panel.add_domain(origin, name, _is_enabled(cells[4]))
    if domain is None:
        return
    number = _number(panel, origin, f"domain {name}: quota", cells[2])
    storage = None if number is None else panel.limit(number, MIB)
    if storage is not None:
        domain.limits["storage"] = storage
    if cells[3] not in ("", "0"):
        panel.not_imported(
            origin,
            f"domain {name}: default mailbox quota {cells[3]}M",
            "here a plan has one, a domain has none; every mailbox has its own quota",
        )


def _relay_domain(panel: Panel, origin: str, cells: list[str]) -> None:
    """Read a row ``relaydomain``, which the operator adds.

    Modoboa exports a relay domain as a plain domain. This row replaces it.
    """
    name = panel.domain_name(origin, cells[1])
    if name is None:
        return
    port = _number(panel, origin, f"relay domain {name}: port", cells[3])
    relay = {"host": cells[2].strip("[]"), **({"port": port} if port not in (None, 25) else {})}
    if name in panel.domains and not panel.domains[name].relay:
        del panel.domains[name]
    panel.add_domain(origin, name, _is_enabled(cells[5]), relay)


def _domain_alias(panel: Panel, origin: str, cells: list[str]) -> None:
    """Read a row ``domainalias``."""
    panel.read_domain_alias(origin, cells[1], cells[2], _is_enabled(cells[3]))


def _account(panel: Panel, origin: str, cells: list[str]) -> None:
    """Read a row ``account``: a mailbox, and what its user manages."""
    login, role = cells[1], cells[6]
    address = (cells[7] if len(cells) > 7 else "").lower()
    if not address:
        panel.not_imported(
            origin,
            f"account {login}",
            f"it has role {role} and no address; here an admin is an address",
        )
        return
    # Identities can be exported without domains. Then the domains are those of their addresses.
    home = panel.domain_name(origin, address.rpartition("@")[2])
    if home is not None and not panel.knows(home):
        panel.domains[home] = PanelDomain(origin)
    found = panel.local_and_domain(origin, "mailbox", address)
    if found is None:
        return
    local, domain = found
    if not panel.add_mailbox(
        origin, address, domain, local, _mailbox(panel, origin, address, cells)
    ):
        return
    if login.lower() != address:
        panel.not_imported(
            origin, f"mailbox {address}: login {login}", "here the login is the address"
        )
    _admin(panel, origin, f"{local}@{home}", cells)


def _mailbox(panel: Panel, origin: str, address: str, cells: list[str]) -> Document:
    """Return the keys of a mailbox."""
    quota = _number(panel, origin, f"mailbox {address}: quota", cells[8] if len(cells) > 8 else "")
    return {
        **panel.display_name(origin, address, f"{cells[3]} {cells[4]}".strip()),
        **panel.quota(quota, MIB),
        **({} if _is_enabled(cells[5]) else {"state": "suspended"}),
        **panel.password(origin, address, cells[2]),
    }


def _admin(panel: Panel, origin: str, address: str, cells: list[str]) -> None:
    """Read what the user of an account manages."""
    login, role = cells[1], cells[6]
    if role == "DomainAdmins":
        names = [panel.domain_name(origin, cell) for cell in cells[9:] if cell]
        panel.admins.append(PanelAdmin(origin, address, [name for name in names if name]))
    elif role == "Resellers":
        panel.admins.append(PanelAdmin(origin, address, None))
    elif role != "SimpleUsers":
        panel.not_imported(
            origin,
            f"account {login}: role {role}",
            "it has rights beyond a tenant: give them in roles of estate.yml",
        )


def _alias(panel: Panel, origin: str, cells: list[str]) -> None:
    """Read a row ``alias``, ``forward`` or ``dlist``."""
    address = cells[1].lower()
    to = [
        target
        for target in (
            panel.target_address(origin, f"alias {address}", cell) for cell in cells[3:] if cell
        )
        if target
    ]
    panel.add_alias(address, PanelAlias(origin, to, _is_enabled(cells[2])), rows_add_up=False)


_READERS = {
    "domain": _domain,
    "relaydomain": _relay_domain,
    "domainalias": _domain_alias,
    "account": _account,
    "alias": _alias,
    "forward": _alias,
    "dlist": _alias,
}
