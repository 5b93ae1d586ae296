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
_CLASSES = "".join(
    f"objectClass: {name}\n" for name in ("top", "person", "organizationalPerson", "inetOrgPerson")
)
_ESCAPED = str.maketrans({sign: f"\\{sign}" for sign in "\\,;"})
"""Signs of a value that need a backslash (RFC 6350 section 3.4). Names have no line end."""
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
    return "".join((*(f"{line}\n" for line in lines), *(_person(entry, base) for entry in found)))


def _person(entry: Entry, base: str) -> str:
    """Return an entry as LDIF, after an empty line.

    LDIF takes an address as it is. A large node has 100,000 entries, so this is one text.
    """
    name = _attribute("", entry.name)
    more = "employeeType: alias\n" if entry.is_group else ""
    return (
        f"\ndn: mail={entry.address},{base}\n{_CLASSES}cn{name}\nsn{name}\ndisplayName{name}\n"
        f"mail: {entry.address}\n{more}"
    )


def _attribute(name: str, text: str) -> str:
    """Return a line of LDIF; a text that could be read as something else is in base64."""
    if _SAFE.fullmatch(text):
        return f"{name}: {text}"
    return f"{name}:: {base64.b64encode(text.encode()).decode()}"


def _vcard(entry: Entry) -> str:
    """Return an entry as vCard, with CRLF. Addresses have nothing to escape."""
    kind = "group" if entry.is_group else "individual"
    properties = (
        f"FN:{entry.name.translate(_ESCAPED)}",
        f"EMAIL:{entry.address}",
        f"UID:mailto:{entry.address}",
    )
    lines = "\r\n".join(map(_folded, properties))
    return f"BEGIN:VCARD\r\nVERSION:4.0\r\nKIND:{kind}\r\n{lines}\r\nEND:VCARD\r\n"


def _folded(line: str) -> str:
    """Return a line in parts of at most 75 bytes; no character is divided."""
    if len(line.encode()) <= _LINE_BYTES:  # true nearly always
        return line
    parts, part = [], ""
    for character in line:
        if len((part + character).encode()) > _LINE_BYTES:
            parts.append(part)
            part = " "
        part += character
    return "\r\n".join((*parts, part))
