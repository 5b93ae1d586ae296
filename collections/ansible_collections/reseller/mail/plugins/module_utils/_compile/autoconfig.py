# SPDX-License-Identifier: GPL-3.0-or-later
"""What mail programs are told when they ask for their settings: Mozilla's format (draft-ietf-mailmaint-autoconfig) and Outlook's
(MS-OXDSCLI, schema 2006a).

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t
from xml.etree import ElementTree as ET

from . import _services

if t.TYPE_CHECKING:
    from .._model.domain import Domain
    from .._model.estate import Estate, Node, Provider

_TYPES = {"imap": "imap", "pop3": "pop3", "submission": "smtp"}
_SOCKETS = {"tls": "SSL", "starttls": "STARTTLS"}
_POX = "http://schemas.microsoft.com/exchange/autodiscover"


QUESTION = (
    f'<?xml version="1.0"?>\n<Autodiscover xmlns="{_POX}/outlook/requestschema/2006"><Request><EMailAddress>postmaster@{{domain}}</EMailAddress>'
    f"<AcceptableResponseSchema>{_POX}/outlook/responseschema/2006a</AcceptableResponseSchema></Request></Autodiscover>\n"
)
"""What Outlook posts; the answer is the same for every address."""


def lookups(estate: Estate, node: Node) -> dict[str, str]:
    """One answer for each host that is asked."""
    return {
        f"{label}/{name}.xml": answer(label, estate.provider, domain, node, name)
        for _tenant, domain in estate.domains_on(node)
        if _services.finds_settings(domain)
        for name in domain.names
        for label in _services.SETTINGS
    }


def answer(label: str, provider: Provider, domain: Domain, node: Node, name: str) -> str:
    """What ``<label>.<name>`` says; ``name`` is the domain or an alias of it."""
    return (
        _autoconfig(provider, domain, node, name)
        if label == "autoconfig"
        else _autodiscover(domain, node, name)
    )


def _autoconfig(provider: Provider, domain: Domain, node: Node, name: str) -> str:
    root = ET.Element("clientConfig", version="1.1")
    top = ET.SubElement(root, "emailProvider", id=name)
    brand = _services.brand(provider, domain)
    # The lengths are the draft's own limits.
    _texts(top, domain=name, displayName=_short(brand, 60), displayShortName=_short(brand, 20))
    user = "%EMAILADDRESS%" if _is_login(domain, name) else f"%EMAILLOCALPART%@{domain.name}"
    for protocol, port, security in _services.offered(domain):
        if protocol in _TYPES:
            server = ET.SubElement(
                top,
                "outgoingServer" if protocol == "submission" else "incomingServer",
                type=_TYPES[protocol],
            )
            _texts(
                server,
                hostname=_services.host(domain, node),
                port=str(port),
                socketType=_SOCKETS[security],
                authentication="password-cleartext",
                username=user,
            )
    return _document(root)


def _is_login(domain: Domain, name: str) -> bool:
    """Whether an address in ``name``, as its user types it, is the mailbox's own.

    Every form of it is let in. An alias's and an IDN's users are told the mailbox's own all the same: it is the login under which people see
    themselves in logs, and it is ASCII, which programs can send that do not write logins in UTF-8.
    """
    return name == domain.name and "xn--" not in name


def _autodiscover(domain: Domain, node: Node, name: str) -> str:
    """Outlook takes one server of each type. Without a LoginName it logs in with the address; a file cannot know the address that it is
    asked for, so for an alias it names the domain to log in with."""
    root = ET.Element("Autodiscover", xmlns=f"{_POX}/responseschema/2006")
    account = ET.SubElement(
        ET.SubElement(root, "Response", xmlns=f"{_POX}/outlook/responseschema/2006a"), "Account"
    )
    _texts(account, AccountType="email", Action="settings")
    alias = (
        {"DomainRequired": "off"}
        if _is_login(domain, name)
        else {"DomainRequired": "on", "DomainName": domain.name}
    )
    for protocol, port, security in _services.offered(domain):
        if protocol in _TYPES and security == "tls":
            smtp = {"UsePOPAuth": "on", "SMTPLast": "off"} if protocol == "submission" else {}
            _texts(
                ET.SubElement(account, "Protocol"),
                Type=_TYPES[protocol].upper(),
                Server=_services.host(domain, node),
                Port=str(port),
                **alias,
                SPA="off",
                SSL="on",
                AuthRequired="on",
                **smtp,
            )
    return _document(root)


def _texts(parent: ET.Element, **texts: str) -> None:
    for tag, text in texts.items():
        ET.SubElement(parent, tag).text = text


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def _document(root: ET.Element) -> str:
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'
