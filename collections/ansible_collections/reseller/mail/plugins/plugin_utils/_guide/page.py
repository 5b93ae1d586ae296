# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of a domain, for the people who own it.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

from .._dns.zone_text import zone_line
from .._model.services import brand
from .facts import SUSPENDED, worst
from .frame import Frame, Say, copied, pill
from .markup import Html, Part, join, tag
from .remedy import answer
from .values import entry, fields, lifetime, tips

if t.TYPE_CHECKING:
    from .._dns.record import Record
    from .._model.estate import Provider
    from .._verify.finding import Finding
    from .dns_hosts import DnsHost
    from .facts import Card, Sheet, Task


REMARKS: t.Final = {465: "preferred", 993: "preferred", 587: "fallback"}
"""The key of the text that says which of two ports is better."""


def domain_page(sheet: Sheet, frame: Frame, provider: Provider) -> bytes:
    """Return the page in the language of the frame."""
    say = frame.say
    sections = {
        "golive": _golive(sheet, frame),
        "records": _records(sheet, frame),
        "clients": _clients(sheet, frame),
    }
    shown = [key for key, part in sections.items() if part]
    links = {
        "help": sheet.domain.branding.support_url or provider.support_url,
        "status_page": provider.status_url,
    }
    foot = [
        tag("p", say("by", provider=provider.name)),
        [
            tag("p", tag("a", say(key), href=url, rel="noreferrer"))
            for key, url in links.items()
            if url
        ],
    ]
    return frame.document(
        say("title", domain=frame.shown(sheet.name)),
        brand(provider, sheet.domain),
        [_summary(sheet, frame), *sections.values()],
        foot,
        shown,
    )


def open_points(sheet: Sheet, say: Say) -> str:
    """Return the sentences about what is left to do, and how much of it is the tenant's."""
    if sheet.suspended:
        return _what_is_suspended(sheet, say)
    if sheet.parked:
        return say("sum_parked")
    tasks = [task for task in sheet.tasks if task.needed]
    if all(task.state == "unchecked" for task in tasks):
        return say("sum_unchecked")
    left = sheet.open_tasks
    if not left:
        return say("sum_live")
    mine = sum(task.owner == "tenant" for task in left)
    return (
        f"{say('sum_open', count=len(left), total=len(tasks))}"
        f" {say('sum_yours', count=mine) if mine else say('sum_none_yours')}"
    )


def _what_is_suspended(sheet: Sheet, say: Say) -> str:
    """Return the sentences about a suspended name: its mail, and its logins."""
    inbound = sheet.cells.inbound
    if sheet.domain.relay and inbound == "accept":
        inbound = "relay"
    found = f"{say(f'sum_suspended_{sheet.suspended}')} {say(f'suspended_{inbound}')}"
    return found if sheet.may_log_in else f"{found} {say('suspended_no_login')}"


def _summary(sheet: Sheet, frame: Frame) -> Html:
    """Return the head of the page: name, tenant, state and time."""
    say, words = frame.say, open_points(sheet, frame.say)
    state = SUSPENDED if sheet.suspended else sheet.state
    notes: list[Part] = []
    if sheet.suspended:
        notes.append(say("suspended_keep"))
    if sheet.pending:
        notes.append(say("tenant_pending"))
    if not sheet.verified:
        notes.append(say("unverified"))
    return tag(
        "div",
        tag("h1", frame.name(sheet.name)),
        tag(
            "p", say("for", organisation=""), tag("bdi", sheet.tenant.organisation), class_="quiet"
        ),
        (
            tag("p", say("alias_of", domain=frame.shown(sheet.domain.name)), class_="quiet")
            if sheet.name != sheet.domain.name
            else None
        ),
        tag("div", pill(state, say), tag("p", words), class_=f"result is-{state}"),
        [tag("p", note, class_="note") for note in notes],
        tag(
            "p",
            f"{say('checked')}: ",
            frame.time(),
            ". ",
            say("refresh", ttl=lifetime(sheet_ttl(sheet), say)),
            class_="quiet",
        ),
        class_="lead",
    )


def sheet_ttl(sheet: Sheet) -> int:
    """Return how many seconds an old answer can stay in caches."""
    return max(
        (
            record.ttl
            for _section, cards in sheet.sections
            for card in cards
            for record, _state in card.rows
        ),
        default=3600,
    )


def _golive(sheet: Sheet, frame: Frame) -> Html:
    """Return the list of what is left, then what is done.

    A suspended name does not go live. It shows what is wrong, because it still receives mail.
    """
    say = frame.say
    left, done = sheet.tasks_left, sheet.tasks_done
    if sheet.suspended:
        wrong = sheet.open_tasks
        if not wrong:
            return join(None)
        table = _task_table(wrong, sheet, frame)
        return frame.section("golive", [tag("p", say("golive_suspended"), class_="quiet"), table])
    rest = (
        tag(
            "details", tag("summary", say("done", count=len(done))), _task_table(done, sheet, frame)
        )
        if done
        else None
    )
    return frame.section(
        "golive",
        [
            tag("p", say("golive_parked" if sheet.parked else "golive_why"), class_="quiet"),
            _task_table(left, sheet, frame) if left else None,
            rest,
        ],
    )


def _task_table(tasks: t.Iterable[Task], sheet: Sheet, frame: Frame) -> Html:
    """Return a table with the name, the state and the owner of each task."""
    say = frame.say
    rows = [
        tag(
            "tr",
            tag("th", _task_name(task, sheet, frame), scope="row"),
            tag("td", pill(task.state, say)),
            tag("td", say(f"owner_{task.owner}"), class_=f"owner-{task.owner}"),
        )
        for task in tasks
    ]
    head = tag("tr", *(tag("th", say(key), scope="col") for key in ("point", "state", "owner")))
    return tag("table", tag("thead", head), tag("tbody", rows), class_="tasks")


def _task_name(task: Task, sheet: Sheet, frame: Frame) -> Html:
    """Return the name of a task, with a link if the page has a card about it."""
    words = join(frame.check(task.id) if "." in task.id else frame.say(f"purpose_{task.id}"))
    here = "." not in task.id or task.id in dict(sheet.others)
    return join(
        [
            tag("a", words, href=f"#{task.id}") if here else words,
            None if task.needed else [" ", tag("small", frame.say("optional"))],
        ]
    )


def _hints(sheet: Sheet, frame: Frame) -> list[Part]:
    """Return how to enter the records: not at all, at a known DNS host, or elsewhere."""
    say, zone = frame.say, frame.shown(sheet.zone)
    cards = [card for _section, ours in sheet.sections for card in ours]
    if all(card.managed for card in cards):
        return [tag("p", say("managed"))]
    if not sheet.host:
        return [tag("p", say("yours", zone=zone)), tag("p", say("host_unknown", zone=zone))]
    types = {record.type for card in cards for record, _state in card.rows}
    return [tag("p", say("yours", zone=zone)), *_host_hints(sheet.host, zone, types, say)]


def _host_hints(host: DnsHost, zone: str, types: t.Iterable[str], say: Say) -> list[Part]:
    """Return the name of the DNS host, and how records of these types are entered there."""
    return [
        tag(
            "p",
            tag("strong", say("host", host=host.name)),
            " ",
            tag("a", say("host_link", host=host.name), href=host.url, rel="noreferrer"),
        ),
        tag("ul", [tag("li", tip) for tip in tips(host, zone, types, say)]),
    ]


def _records(sheet: Sheet, frame: Frame) -> Html:
    """Return the hints, the cards of each section, and the other problems in DNS."""
    say = frame.say
    parts = [
        tag(
            "section",
            tag("h3", say(f"section_{section}"), id=f"for-{section}"),
            [_card(card, sheet, frame) for card in ours],
            aria_labelledby=f"for-{section}",
        )
        for section, ours in sheet.sections
    ]
    others = tag(
        "section",
        tag("h3", say("others"), id="for-others"),
        [_other(one, found, frame) for one, found in sheet.others],
        aria_labelledby="for-others",
    )
    return frame.section(
        "records",
        [tag("div", _hints(sheet, frame), class_="hint"), parts, others if sheet.others else None],
    )


def _other(question: str, found: t.Sequence[Finding], frame: Frame) -> Html:
    """Return the card of a problem that is about no record of the page."""
    state = worst(one.state for one in found)
    head = tag("header", tag("h4", frame.check(question)), pill(state, frame.say))
    return tag(
        "article",
        head,
        [answer(one, frame) for one in found],
        id=question,
        class_=f"card is-{state}",
    )


def _card(card: Card, sheet: Sheet, frame: Frame) -> Html:
    """Return the card of one purpose: what is wrong, its records, and their zone file lines."""
    say = frame.say
    several = len(card.rows) > 1
    states = dict(card.keys)
    shown = {zone_line(record) for record, _state in card.rows}
    return tag(
        "article",
        tag(
            "header",
            tag("h4", say(f"purpose_{card.purpose}")),
            None if card.needed else tag("small", say("optional")),
            pill(card.state, say),
        ),
        tag("p", say(f"why_{card.purpose}"), class_="quiet"),
        [answer(one, frame, shown, card.managed) for one in card.findings],
        _folded(
            card,
            say,
            [_record(record, state, sheet, frame, several, states) for record, state in card.rows],
        ),
        [
            tag("p", say("dkim_pending", selector=selector), class_="note")
            for selector in card.pending
        ],
        (
            tag(
                "details",
                tag("summary", say("line")),
                [copied(zone_line(record), say("line")) for record, _state in card.rows],
                class_="lines",
            )
            if card.rows
            else None
        ),
        id=card.purpose,
        class_=f"card is-{card.state}",
    )


def _folded(card: Card, say: Say, records: Part) -> Part:
    """Return the records of a card, below a line to open them if they are folded."""
    if not card.is_folded:
        return records
    return tag("details", tag("summary", say("folded", count=len(card.rows))), records)


def _record(
    record: Record,
    state: str,
    sheet: Sheet,
    frame: Frame,
    several: bool,
    states: t.Mapping[str, str],
) -> Html:
    """Return a record as it is entered: name, type and each part of its value.

    ``several`` shows the state of the record, because its card has more than one. ``states`` are
    states of DKIM keys by selector.
    """
    say = frame.say
    host = None if record.managed else sheet.host
    entered = entry(record.name, sheet.zone, host)
    name: list[Part] = [copied(entered, say("name")) if entered else None]
    if entered != record.name or "xn--" in record.name:
        name.append(tag("span", say("full_name", name=frame.shown(record.name)), class_="whole"))
    selector = record.name.partition("._domainkey.")[0]
    if selector in states:
        name.append(tag("span", say(f"key_{states[selector]}"), class_="whole key"))
    value: list[Part] = [
        tag(
            "div",
            tag("span", say(label), class_="label") if label != "value" else None,
            copied(text, say(label)),
            class_="field",
        )
        for label, text in fields(record, host)
    ]
    cells: list[tuple[str, list[Part]]] = [
        ("name", name),
        ("type", [copied(record.type, say("type"))]),
        ("value", value),
    ]
    if several:
        cells.append(("state", [pill(state, say)]))
    return tag(
        "dl",
        [tag("div", tag("dt", say(label)), tag("dd", part)) for label, part in cells],
        class_="record",
    )


def why_no_clients(sheet: Sheet, say: Say) -> str:
    """Return why a name has no settings for mail programs; empty if it has."""
    if sheet.domain.relay:
        return say("clients_relay", host=sheet.domain.relay.host)
    if sheet.suspended and not sheet.may_log_in:
        return say("clients_suspended")
    return say("clients_parked") if sheet.parked else ""


def _clients(sheet: Sheet, frame: Frame) -> Html:
    """Return the settings for mail programs."""
    say, domain = frame.say, sheet.domain
    none = why_no_clients(sheet, say)
    if none:
        return frame.section("clients", [tag("p", none)])
    example = domain.mailboxes[0].name if domain.mailboxes else "jo"
    rows = []
    for protocol, port, security in sheet.clients:
        remark = REMARKS.get(port)
        service = [say(f"service_{protocol}"), tag("small", say(remark)) if remark else None]
        rows.append(
            tag(
                "tr",
                tag("th", service, scope="row"),
                tag("td", copied(sheet.client_host, say("server"))),
                tag("td", copied(str(port), say("port"))),
                tag("td", say(f"secure_{security}")),
            )
        )
    head = tag(
        "tr",
        *(tag("th", say(key), scope="col") for key in ("service", "server", "port", "security")),
    )
    return frame.section(
        "clients",
        [
            tag("p", say("clients_auto"), class_="quiet") if domain.autodiscover else None,
            tag("table", tag("thead", head), tag("tbody", rows), class_="clients"),
            tag(
                "p",
                tag("strong", f"{say('clients_user')}: "),
                say("clients_user_is", address=f"{example}@{sheet.domain.name}"),
                ". ",
                say("clients_password"),
            ),
        ],
    )
