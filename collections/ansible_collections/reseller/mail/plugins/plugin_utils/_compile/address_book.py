# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the address book of each tenant: LDIF (RFC 2849, 2798) and vCard 4.0 (RFC 6350).

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import base64
import re
import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    from .._model.estate import Estate, Node
    from .._model.tenant import Tenant

_SAFE = re.compile(r"(?![ :<])[\x01-\x09\x0b\x0c\x0e-\x7f]*(?<! )")
"""A text that LDIF takes as it is: SAFE-STRING without a space at its end (RFC 2849)."""
_LINE_BYTES = 75
"""A longer line of a vCard is folded (RFC 6350 section 3.2)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An address in an address book.

    Attributes:
        address: the address under the domain's own name.
        name: the name of the user; the address for an alias, and if a mailbox has no name.
        is_group: the address is an alias.
    """

    address: str
    name: str
    is_group: bool = False


def lookups(estate: Estate, node: Node) -> dict[str, str]:
    """Return the address books of the tenants on the node, by path."""
    files = {}
    for tenant in estate.tenants:
        if tenant.served and tenant.placement == node.name:
            found = entries(tenant)
            files[f"address_book/{tenant.name}.ldif"] = ldif(tenant, found)
            files[f"address_book/{tenant.name}.vcf"] = "".join(map(_vcard, found))
    return files


def entries(tenant: Tenant) -> list[Entry]:
    """Return the mailboxes and aliases of a tenant that are not hidden, sorted by address."""
    found = []
    for domain in tenant.served_domains():
        for mailbox in domain.mailboxes:
            if not mailbox.hidden:
                found.append(Entry(mailbox.address, mailbox.display_name or mailbox.address))
        for alias in domain.aliases:
            if not alias.hidden:
                found.append(Entry(alias.address, alias.address, is_group=True))
    return sorted(found, key=lambda entry: entry.address)


def ldif(tenant: Tenant, found: t.Iterable[Entry]) -> str:
    """Return the entries as LDIF.

    A person needs a surname (RFC 4519 section 3.12). The files have one name, so both have it. The
    name of an entry is its address: it has no character that a distinguished name would escape
    but a plus and a hash, which addresses of the files do not have (RFC 4514).
    """
    base = f"o={tenant.name}"
    lines = ["version: 1", ""]
    lines += [_attribute("dn", base), "objectClass: organization", _attribute("o", tenant.name)]
    if tenant.organisation:
        lines.append(_attribute("description", tenant.organisation))
    for entry in found:
        lines += ["", _attribute("dn", f"mail={entry.address},{base}")]
        lines += [
            f"objectClass: {name}"
            for name in ("top", "person", "organizationalPerson", "inetOrgPerson")
        ]
        names = (("cn", entry.name), ("sn", entry.name), ("displayName", entry.name))
        lines += [_attribute(name, text) for name, text in names]
        lines.append(_attribute("mail", entry.address))
        if entry.is_group:
            lines.append("employeeType: alias")
    return "".join(f"{line}\n" for line in lines)


def _attribute(name: str, text: str) -> str:
    """Return a line of LDIF; a text that could be read as something else is in base64."""
    if _SAFE.fullmatch(text):
        return f"{name}: {text}"
    return f"{name}:: {base64.b64encode(text.encode()).decode()}"


def _vcard(entry: Entry) -> str:
    """Return an entry as vCard, with CRLF."""
    properties = (
        "BEGIN:VCARD",
        "VERSION:4.0",
        f"KIND:{'group' if entry.is_group else 'individual'}",
        f"FN:{_escaped(entry.name)}",
        f"EMAIL:{_escaped(entry.address)}",
        f"UID:mailto:{entry.address}",
        "END:VCARD",
    )
    return "".join(f"{_folded(line)}\r\n" for line in properties)


def _escaped(text: str) -> str:
    """Return the text as a value (RFC 6350 section 3.4). Texts of the files have no line end."""
    return re.sub(r"([\\,;])", r"\\\1", text)


def _folded(line: str) -> str:
    """Return a line in parts of at most 75 bytes; no character is divided."""
    parts, part = [], ""
    for character in line:
        if len((part + character).encode()) > _LINE_BYTES:
            parts.append(part)
            part = " "
        part += character
    return "\r\n".join((*parts, part))
