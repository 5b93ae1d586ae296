# SPDX-License-Identifier: GPL-3.0-or-later
"""The sheets of a domain: settings for mail programs, DNS records, and what is left to go live.

PRIVATE to the collection. Pure. All that they say is in the guide's ``Sheet``.
"""

from __future__ import annotations

import typing as t

from .._dns.zone_text import zone_line
from .._guide.frame import question_words, shown_time
from .._guide.page import REMARKS, open_points, why_no_clients
from .._guide.texts import language
from .._guide.values import entry, fields, tips
from .._model import services
from .._model.names import spoken
from .document import Document, Exact, Facts, Grid, Heading, Items, Lines, Link, Words, words_of

if t.TYPE_CHECKING:
    from .._dns.record import Record
    from .._guide.facts import Card, Sheet, Task
    from .._guide.frame import Say
    from .document import Block, Look


def _document(sheet: Sheet, key: str, blocks: t.Iterable[Block], look: Look) -> Document:
    """Return a document about a name, in the language of its domain. ``key`` is of its title."""
    chosen = language(sheet.domain.locale)
    say = words_of(chosen)
    head = Words(say("for", organisation=sheet.tenant.organisation), "quiet")
    return Document(chosen, say(key, domain=spoken(sheet.name)), (head, *blocks), look)


def clients(sheet: Sheet, look: Look) -> Document:
    """Return the settings for mail programs."""
    say = words_of(language(sheet.domain.locale))
    none = why_no_clients(sheet, say)
    blocks: list[Block] = [Words(none)] if none else settings(sheet, sheet.clients, say)
    if not none:
        mailboxes = sheet.domain.mailboxes
        example = mailboxes[0].address if mailboxes else f"jo@{sheet.domain.name}"
        user = say("clients_user_is", address=example)
        blocks += [
            Words(f"{say('label', name=say('clients_user'))} {user}. {say('clients_password')}")
        ]
    return _document(sheet, "clients_of", blocks, look)


def settings(sheet: Sheet, offered: t.Iterable[tuple[str, int, str]], say: Say) -> list[Block]:
    """Return the settings of services, which are given as rows of ``services.PORTS``."""
    rows = tuple(
        (
            _service(protocol, port, say),
            Exact(sheet.client_host),
            Exact(str(port)),
            say(f"secure_{security}"),
        )
        for protocol, port, security in offered
    )
    head = tuple(say(key) for key in ("service", "server", "port", "security"))
    table = Grid(head, rows)
    automatic = [Words(say("clients_auto"))] if services.finds_settings(sheet.domain) else []
    return [*automatic, table]


def _service(protocol: str, port: int, say: Say) -> str:
    """Return the name of a service, and which of its ports is better."""
    remark = REMARKS.get(port)
    return say(f"service_{protocol}") + (f", {say(remark)}" if remark else "")


def dns(sheet: Sheet, look: Look) -> Document:
    """Return the DNS records with their purposes, and all of them as lines of a zone file."""
    say = words_of(language(sheet.domain.locale))
    blocks = list(_hints(sheet, say))
    records: list[Record] = []
    for section, cards in sheet.sections:
        blocks.append(Heading(say(f"section_{section}")))
        for card in cards:
            blocks += _card(card, sheet, say)
            records += [record for record, _state in card.rows]
    if records:
        blocks += [Heading(say("zone_lines")), Lines(tuple(map(zone_line, records)))]
    return _document(sheet, "dns_of", blocks, look)


def _hints(sheet: Sheet, say: Say) -> t.Iterator[Block]:
    """Yield who enters the records, and how."""
    cards = [card for _section, ours in sheet.sections for card in ours]
    zone = spoken(sheet.zone)
    if all(card.managed for card in cards):
        yield Words(say("managed"), "note")
        return
    yield Words(say("yours", zone=zone), "note")
    if not sheet.host:
        yield Words(say("host_unknown", zone=zone))
        return
    types = {record.type for card in cards for record, _state in card.rows}
    yield Words(say("host", host=sheet.host.name))
    yield Link(say("host_link", host=sheet.host.name), sheet.host.url)
    yield Items(tuple(tips(sheet.host, zone, types, say)))


def _card(card: Card, sheet: Sheet, say: Say) -> t.Iterator[Block]:
    """Yield the records of one purpose."""
    title = say(f"purpose_{card.purpose}")
    yield Heading(title if card.needed else f"{title} ({say('optional')})", 3)
    yield Words(say(f"why_{card.purpose}"), "quiet")
    states = dict(card.keys)
    for record, _state in card.rows:
        yield Facts(tuple(_record(record, sheet, states, say)))
    for selector in card.pending:
        yield Words(say("dkim_pending", selector=selector), "note")


def _record(
    record: Record, sheet: Sheet, states: t.Mapping[str, str], say: Say
) -> t.Iterator[tuple[str, str]]:
    """Yield a record as it is entered: name, type and each part of its value.

    ``states`` are states of DKIM keys by selector.
    """
    host = None if record.managed else sheet.host
    entered = entry(record.name, sheet.zone, host)
    if entered:
        yield say("name"), Exact(entered)
    else:
        yield say("name"), say("full_name", name=record.name)
    yield say("type"), Exact(record.type)
    for label, value in fields(record, host):
        yield say(label), Exact(value)
    selector = record.name.partition("._domainkey.")[0]
    if selector in states:
        yield say("state"), say(f"key_{states[selector]}")


def golive(sheet: Sheet, look: Look, checked: str) -> Document:
    """Return every point that verify checked, with its state and who must act."""
    chosen = language(sheet.domain.locale)
    say = words_of(chosen)
    tasks = [*sheet.tasks_left, *sheet.tasks_done]
    why = "golive_parked" if sheet.parked else "golive_why"
    if sheet.suspended:
        tasks, why = sheet.open_tasks, "golive_suspended"
    blocks: list[Block] = [
        Words(open_points(sheet, say), "note"),
        Words(f"{say('label', name=say('checked'))} {shown_time(checked)}", "quiet"),
    ]
    if tasks:
        head = tuple(say(key) for key in ("point", "state", "owner"))
        rows = tuple(_task(task, chosen, say) for task in tasks)
        blocks += [Words(say(why)), Grid(head, rows)]
    return _document(sheet, "golive_of", blocks, look)


def _task(task: Task, chosen: str, say: Say) -> tuple[str, ...]:
    """Return a point with its state and its owner."""
    if "." in task.id:
        point = " ".join(filter(None, question_words(task.id, chosen)))
    else:
        point = say(f"purpose_{task.id}")
    if not task.needed:
        point = f"{point} ({say('optional')})"
    return point, say(f"state_{task.state}"), say(f"owner_{task.owner}")
