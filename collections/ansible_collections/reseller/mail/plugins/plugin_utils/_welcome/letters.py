# SPDX-License-Identifier: GPL-3.0-or-later
"""The letter to a client, and the letter to the user of a mailbox.

PRIVATE to the collection. Pure. No password is in a letter: who may read one is not known here.
"""

from __future__ import annotations

import typing as t
from decimal import Decimal

from .._guide.texts import language
from .._model import services
from .._model.access import login_protocols
from .._model.names import spoken
from .._model.sizes import rounded
from .document import Document, Exact, Facts, Grid, Heading, Items, Words, words_of
from .sheets import settings

if t.TYPE_CHECKING:
    import datetime

    from .._guide.facts import Sheet
    from .._guide.frame import Say
    from .._model.domain import Domain, Mailbox
    from .._model.values import Limit
    from .contracts import Contract
    from .document import Block, Look

_CENT = Decimal("0.01")


def to_client(
    sheets: t.Sequence[Sheet],
    main: Sheet,
    contract: t.Optional[Contract],
    look: Look,
    checked: str,
) -> Document:
    """Return the letter to a client.

    ``sheets`` are all names of the tenant that hosts serve. ``main`` decides the language.
    ``checked`` is empty if there are no findings, and so no go-live report.
    """
    tenant, chosen = main.tenant, language(main.domain.locale)
    say = words_of(chosen)
    enclosed = ["mailboxes", "clients", "dns", *(["golive"] if checked else [])]
    addresses = tuple(_addresses(sheets, say))
    client = (contract and contract.client) or tenant.organisation
    blocks: list[Block] = [Words(say("hello", name=client)), Words(say("welcome_why"))]
    if contract:
        blocks += [Heading(say("contract")), Facts(tuple(_contract(contract, client, say)))]
    blocks += [
        Heading(say("domains")),
        Grid(
            (say("domain"), say("mail_server")),
            tuple((Exact(spoken(sheet.name)), _server(sheet, say)) for sheet in sheets),
        ),
    ]
    if addresses:
        blocks += [
            Heading(say("addresses")),
            Grid((say("address"), say("what")), addresses),
            Heading(say("login")),
            Words(say("login_how")),
        ]
    blocks += [
        Heading(say("enclosed")),
        Items(tuple(say(f"enclosed_{one}") for one in enclosed)),
    ]
    return Document(chosen, say("welcome", brand=look.brand), tuple(blocks), look)


def _contract(contract: Contract, client: str, say: Say) -> t.Iterator[tuple[str, str]]:
    """Yield what is known about the contract; nothing is left open."""
    values = {
        "client": client,
        "product": contract.product,
        "amount": contract.amount is not None and money(contract.amount, contract.currency, say),
        "cycle": contract.cycle and say(f"cycle_{contract.cycle}"),
        "payment": contract.payment,
        "due": contract.due and day(contract.due, say),
    }
    for key, value in values.items():
        if value:
            yield say(key), str(value)


def money(amount: Decimal, currency: str, say: Say) -> str:
    """Return an amount with two decimals, or with more if it has more."""
    cents = amount.quantize(_CENT)
    shown = str(cents if cents == amount else amount).replace(".", say("decimal_mark"))
    return f"{shown}\N{NO-BREAK SPACE}{currency}"


def day(date: datetime.date, say: Say) -> str:
    """Return a date in words."""
    months = say("months").split()
    first = say("first") if date.day == 1 else str(date.day)
    return say("date", day=first, month=months[date.month - 1], year=date.year)


def storage(quota: Limit, say: Say) -> str:
    """Return the size of a mailbox, in the units of its files by their full names."""
    if quota is None:
        return say("unlimited")
    shown = rounded(quota).replace(".", say("decimal_mark"))
    return f"{shown[:-1]}\N{NO-BREAK SPACE}{shown[-1]}iB".replace("BiB", "B")


def _server(sheet: Sheet, say: Say) -> str:
    """Return the server of a name, or why it has none."""
    if sheet.name != sheet.domain.name:
        return say("another_name", domain=spoken(sheet.domain.name))
    if sheet.domain.relay:
        return say("relayed", host=sheet.domain.relay.host)
    if sheet.parked:
        return say("no_addresses")
    return Exact(sheet.client_host)


def _addresses(sheets: t.Iterable[Sheet], say: Say) -> t.Iterator[tuple[str, str]]:
    """Yield (address, what it is) of each domain: mailboxes, then what is delivered to others."""
    for sheet in sheets:
        domain = sheet.domain
        if sheet.name != domain.name:
            continue
        for mailbox in domain.mailboxes:
            name = mailbox.display_name
            what = say("is_mailbox_of", name=name) if name else say("is_mailbox")
            yield Exact(spoken(mailbox.address)), what
        for sender in domain.sender_addresses:
            yield (
                Exact(spoken(sender.address)),
                say("is_sender", mailbox=spoken(sender.mailbox)),
            )
        for alias in domain.aliases:
            yield Exact(spoken(alias.address)), say("is_alias", to=spoken(", ".join(alias.to)))
        if domain.catch_all:
            yield (
                Exact(spoken(f"@{domain.name}")),
                say("is_catch_all", to=spoken(domain.catch_all)),
            )


def to_user(sheet: Sheet, mailbox: Mailbox, look: Look) -> t.Optional[Document]:
    """Return the letter to the user of a mailbox; None if the mailbox has no login.

    ``sheet`` is the one of its domain.
    """
    protocols = login_protocols(sheet.tenant, sheet.domain, mailbox)
    if not protocols:
        return None
    chosen = language(mailbox.locale)
    say, domain, name = words_of(chosen), sheet.domain, mailbox.display_name
    offered = tuple(row for row in services.PORTS if row[0] in protocols)
    blocks: list[Block] = [
        Words(say("hello", name=name) if name else say("hello_someone")),
        Words(say("mailbox_why", brand=look.brand)),
        Heading(say("mailbox")),
        Facts(
            (
                (say("address"), Exact(spoken(mailbox.address))),
                (say("storage"), storage(mailbox.quota, say)),
                *_also(domain, mailbox, say),
                (say("clients_user"), Exact(mailbox.address)),
                (say("password"), say("password_separate")),
            )
        ),
        Heading(say("clients")),
        *settings(sheet, offered, say),
        Words(say("never_ask"), "note"),
    ]
    title = say("mailbox_title", address=spoken(mailbox.address))
    return Document(chosen, title, tuple(blocks), look)


def _also(domain: Domain, mailbox: Mailbox, say: Say) -> t.Iterator[tuple[str, str]]:
    """Yield the other addresses of the domain whose mail the mailbox gets, and its other names."""
    own = mailbox.address
    found = [sender.address for sender in domain.sender_addresses if sender.mailbox == own]
    found += [alias.address for alias in domain.aliases if own in alias.to]
    if domain.catch_all == own:
        found.append(f"*@{domain.name}")
    if found:
        yield say("also_from"), spoken(", ".join(found))
    others = [alias.name for alias in domain.domain_aliases if alias.verified]
    if others:
        yield say("also_as"), spoken(", ".join(others))
