# SPDX-License-Identifier: GPL-3.0-or-later
"""A domain's page.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

from .._compile._services import brand
from .._compile.dns import zone_line
from .facts import worst
from .frame import Frame, pill
from .markup import Html, Part, join, tag
from .remedy import answer
from .values import entry, fields, lifetime

if t.TYPE_CHECKING:
    from .._compile.dns import Record
    from .._finding import Finding
    from .._model.estate import Provider
    from .facts import Card, Sheet, Task


def domain_page(sheet: Sheet, frame: Frame, provider: Provider) -> bytes:
    """The page in one language."""
    say = frame.say
    body = join(
        [
            _summary(sheet, frame),
            _golive(sheet, frame),
            _records(sheet, frame),
            _clients(sheet, frame),
        ]
    )
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
        say("title", domain=frame.shown(sheet.name)), brand(provider, sheet.domain), body, foot
    )


def _summary(sheet: Sheet, frame: Frame) -> Html:
    say, tasks = frame.say, [task for task in sheet.tasks if task.needed]
    left = [task for task in tasks if task.is_open]
    mine = sum(task.owner == "tenant" for task in left)
    if not any(task.state != "unchecked" for task in tasks):
        words = say("sum_unchecked")
    elif not left:
        words = say("sum_live")
    else:
        words = f"{say('sum_open', count=len(left), total=len(tasks))} {say('sum_yours', count=mine) if mine else say('sum_none_yours')}"
    notes: list[Part] = []
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
        tag("p", say("alias_of", domain=frame.shown(sheet.domain.name)), class_="quiet")
        if sheet.name != sheet.domain.name
        else None,
        tag("div", pill(sheet.state, say), tag("p", words), class_=f"verdict is-{sheet.state}"),
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
    """How long an old answer may live at most."""
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
    say = frame.say
    left = [task for task in sheet.tasks if task.state not in ("ok", "na")]
    done = [task for task in sheet.tasks if task not in left]
    left.sort(key=lambda task: (not task.needed, task.owner != "tenant"))
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
            tag("p", say("golive_why"), class_="quiet"),
            _task_table(left, sheet, frame) if left else None,
            rest,
        ],
    )


def _task_table(tasks: t.Iterable[Task], sheet: Sheet, frame: Frame) -> Html:
    say = frame.say
    rows = [
        tag(
            "tr",
            tag("th", _label(task, sheet, frame), scope="row"),
            tag("td", pill(task.state, say)),
            tag("td", say(f"owner_{task.owner}"), class_=f"owner-{task.owner}"),
        )
        for task in tasks
    ]
    head = tag("tr", *(tag("th", say(key), scope="col") for key in ("point", "state", "owner")))
    return tag("table", tag("thead", head), tag("tbody", rows), class_="tasks")


def _label(task: Task, sheet: Sheet, frame: Frame) -> Html:
    words = join(frame.check(task.id) if "." in task.id else frame.say(f"purpose_{task.id}"))
    here = "." not in task.id or task.id in dict(sheet.others)
    return join(
        [
            tag("a", words, href=f"#{task.id}") if here else words,
            None if task.needed else [" ", tag("small", frame.say("optional"))],
        ]
    )


def _records(sheet: Sheet, frame: Frame) -> Html:
    say, host = frame.say, sheet.host
    zone = frame.shown(sheet.zone)
    cards = [card for _section, ours in sheet.sections for card in ours]
    if all(card.managed for card in cards):
        hints: list[Part] = [tag("p", say("managed"))]
    elif host:
        lacking = sorted(
            {
                record.type
                for card in cards
                for record, _state in card.rows
                if host.lacks(record.type)
            }
        )
        hints = [
            tag("p", say("yours", zone=zone)),
            tag(
                "p",
                tag("strong", say("host", host=host.name)),
                " ",
                tag("a", say("host_link", host=host.name), href=host.url, rel="noreferrer"),
            ),
            tag(
                "ul",
                tag("li", say("host_apex_at" if host.apex else "host_apex_empty", zone=zone)),
                tag("li", say("host_split" if host.split else "host_whole")),
                tag("li", say("host_dot")) if host.dot else None,
                tag("li", say("host_lacks", types=", ".join(lacking))) if lacking else None,
                tag("li", say(f"note_{host.note}")) if host.note else None,
            ),
        ]
    else:
        hints = [tag("p", say("yours", zone=zone)), tag("p", say("host_unknown", zone=zone))]
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
        "records", [tag("div", hints, class_="hint"), parts, others if sheet.others else None]
    )


def _other(question: str, found: t.Sequence[Finding], frame: Frame) -> Html:
    """What is amiss, and is about no record of the page."""
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
        [_record(record, state, sheet, frame, several, states) for record, state in card.rows],
        [
            tag("p", say("dkim_pending", selector=selector), class_="note")
            for selector in card.pending
        ],
        tag(
            "details",
            tag("summary", say("line")),
            [tag("code", zone_line(record), data_copy=say("line")) for record, _state in card.rows],
            class_="lines",
        )
        if card.rows
        else None,
        id=card.purpose,
        class_=f"card is-{card.state}",
    )


def _record(
    record: Record,
    state: str,
    sheet: Sheet,
    frame: Frame,
    several: bool,
    states: t.Mapping[str, str],
) -> Html:
    say = frame.say
    host = None if record.managed else sheet.host
    entered = entry(record.name, sheet.zone, host)
    name: list[Part] = [tag("code", entered, data_copy=say("name")) if entered else None]
    if entered != record.name or "xn--" in record.name:
        name.append(tag("span", say("full_name", name=frame.shown(record.name)), class_="whole"))
    selector = record.name.partition("._domainkey.")[0]
    if selector in states:
        name.append(tag("span", say(f"key_{states[selector]}"), class_="whole key"))
    value: list[Part] = [
        tag(
            "div",
            tag("span", say(label), class_="label") if label != "value" else None,
            tag("code", text, data_copy=say(label)),
            class_="field",
        )
        for label, text in fields(record, host)
    ]
    cells: list[tuple[str, list[Part]]] = [
        ("name", name),
        ("type", [tag("code", record.type, data_copy=say("type"))]),
        ("value", value),
    ]
    if several:
        cells.append(("state", [pill(state, say)]))
    return tag(
        "dl",
        [tag("div", tag("dt", say(label)), tag("dd", part)) for label, part in cells],
        class_="record",
    )


def _clients(sheet: Sheet, frame: Frame) -> Html:
    say, domain = frame.say, sheet.domain
    if domain.relay:
        return frame.section("clients", [tag("p", say("clients_relay", host=domain.relay.host))])
    example = domain.mailboxes[0].name if domain.mailboxes else "jo"
    rows = []
    for protocol, port, security in sheet.clients:
        remark = {465: "preferred", 993: "preferred", 587: "fallback"}.get(port)
        service = [say(f"service_{protocol}"), tag("small", say(remark)) if remark else None]
        rows.append(
            tag(
                "tr",
                tag("th", service, scope="row"),
                tag("td", tag("code", sheet.client_host, data_copy=say("server"))),
                tag("td", tag("code", str(port), data_copy=say("port"))),
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
