# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the settings that mail programs ask for, in the formats of Mozilla and of Outlook.

PRIVATE to the collection. Pure.

Mozilla's format is draft-ietf-mailmaint-autoconfig, Outlook's is MS-OXDSCLI, schema 2006a.
"""

from __future__ import annotations

import typing as t
from xml.etree import ElementTree as ET

from .._model import services

if t.TYPE_CHECKING:
    from .._model.domain import Domain
    from .._model.estate import Estate, Node, Provider

_TYPES = {"imap": "imap", "pop3": "pop3", "submission": "smtp"}
"""The type of server in both formats, by our protocol. Both formats have no other types."""
_SOCKETS = {"tls": "SSL", "starttls": "STARTTLS"}
"""Mozilla's word for how TLS begins, by ours."""
_POX = "http://schemas.microsoft.com/exchange/autodiscover"


OUTLOOK_REQUEST = (
    '<?xml version="1.0"?>\n<Autodiscover'
    f' xmlns="{_POX}/outlook/requestschema/2006"><Request>'
    "<EMailAddress>postmaster@{domain}</EMailAddress>"
    f"<AcceptableResponseSchema>{_POX}/outlook/responseschema/2006a</AcceptableResponseSchema></Request></Autodiscover>\n"
)
"""The request that Outlook sends by POST. The answer is the same for every address."""


def lookups(estate: Estate, node: Node) -> dict[str, str]:
    """Return one answer for each name that mail programs ask, by path."""
    return {
        f"{label}/{name}.xml": answer(label, estate.provider, domain, node, name)
        for _tenant, domain in estate.domains_on(node)
        if services.finds_settings(domain)
        for name in domain.names
        for label in services.SETTINGS
    }


def answer(label: str, provider: Provider, domain: Domain, node: Node, name: str) -> str:
    """Return the answer of ``<label>.<name>``, where ``name`` is the domain or its alias."""
    return (
        _autoconfig(provider, domain, node, name)
        if label == "autoconfig"
        else _autodiscover(domain, node, name)
    )


def _autoconfig(provider: Provider, domain: Domain, node: Node, name: str) -> str:
    """Return Mozilla's answer: all servers of the domain, the best first."""
    root = ET.Element("clientConfig", version="1.1")
    top = ET.SubElement(root, "emailProvider", id=name)
    brand = services.brand(provider, domain)
    # The lengths are the draft's own limits.
    _add_texts(
        top,
        domain=name,
        displayName=_shortened(brand, 60),
        displayShortName=_shortened(brand, 20),
    )
    user = "%EMAILADDRESS%" if _is_login(domain, name) else f"%EMAILLOCALPART%@{domain.name}"
    for protocol, port, security in services.offered(domain):
        if protocol in _TYPES:
            server = ET.SubElement(
                top,
                "outgoingServer" if protocol == "submission" else "incomingServer",
                type=_TYPES[protocol],
            )
            _add_texts(
                server,
                hostname=services.host(domain, node),
                port=str(port),
                socketType=_SOCKETS[security],
                authentication="password-cleartext",
                username=user,
            )
    return _document(root)


def _is_login(domain: Domain, name: str) -> bool:
    """Return whether an address in ``name``, as its user types it, is the login to show.

    Every form of an address may log in. Users of a domain alias or of an IDN still get the
    mailbox's own address: logs show that one, and it is ASCII. Some programs cannot send a login
    in UTF-8.
    """
    return name == domain.name and "xn--" not in name


def _autodiscover(domain: Domain, node: Node, name: str) -> str:
    """Return Outlook's answer: one server of each type, with TLS from the first byte.

    Without a LoginName Outlook logs in with the address of its user. The file is the same for all
    users, so for a domain alias it names the domain to log in with.
    """
    root = ET.Element("Autodiscover", xmlns=f"{_POX}/responseschema/2006")
    account = ET.SubElement(
        ET.SubElement(root, "Response", xmlns=f"{_POX}/outlook/responseschema/2006a"), "Account"
    )
    _add_texts(account, AccountType="email", Action="settings")
    alias = (
        {"DomainRequired": "off"}
        if _is_login(domain, name)
        else {"DomainRequired": "on", "DomainName": domain.name}
    )
    for protocol, port, security in services.offered(domain):
        if protocol in _TYPES and security == "tls":
            smtp = {"UsePOPAuth": "on", "SMTPLast": "off"} if protocol == "submission" else {}
            _add_texts(
                ET.SubElement(account, "Protocol"),
                Type=_TYPES[protocol].upper(),
                Server=services.host(domain, node),
                Port=str(port),
                **alias,
                SPA="off",
                SSL="on",
                AuthRequired="on",
                **smtp,
            )
    return _document(root)


def _add_texts(parent: ET.Element, **texts: str) -> None:
    """Add one element for each text, in their order."""
    for tag, text in texts.items():
        ET.SubElement(parent, tag).text = text


def _shortened(text: str, most: int) -> str:
    """Return the text, cut to ``most`` characters. A cut text ends with an ellipsis."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def _document(root: ET.Element) -> str:
    """Return the XML document with this root, indented."""
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'
