# SPDX-License-Identifier: GPL-3.0-or-later
"""Every figure of the benchmark and its target, in one table."""

from __future__ import annotations

import typing as t

from .figure import Figure, Term, lines
from .measurement import TRIAL, Results

# The names of measurements. A part measures under these names, and the table below compares them.
START = "start of Python and the engine"
EVENTS = "libyaml's events"
JSON = "JSON parsing"
JUDGE, JUDGE_WARM = "validate, cold", "validate, warm"
PLAN = "plan of two revisions"
PING = "ping"
FIRST, UNCHANGED, ONE_MAILBOX = "first run", "nothing to change", "one mailbox added"
UNCHANGED_MITOGEN = "nothing to change, with mitogen"
GENERATION, GENERATION_UNCHANGED = "generation, first", "generation, nothing to change"
GENERATION_ONE = "generation, one mailbox changed"
RAW_WRITE, POSTMAP = "raw write of the tables", "postmap of the tables"
VERIFY_QUOTA, DOVEADM = "verify_quota", "doveadm quota get"
TENANTS_FIRST, TENANTS_UNCHANGED = "tenants, first", "tenants, nothing to change"
TENANTS_ONE = "tenants, one mailbox changed"
DKIM_KEYS, CERTIFICATES = "DKIM keys", "certificates"
PUBLISH, PUBLISH_UNCHANGED = "dns_publish, first", "dns_publish, nothing to change"
VERIFY_DNS = "verify_dns"
SIGNED = "2,000 signed messages"
INCOMING, INCOMING_FILTERED = "messages from outside, no filter", "messages from outside, filtered"
SUBMITTED, SUBMITTED_FILTERED = "submissions, no filter", "submissions, filtered"
FILTER_MEMORY = "rspamd and Redis"
LOOP, TEMPLATE, SHELL = "Ansible loop", "role with one template", "shell script"

_SHARE: t.Final = 20 if TRIAL else 1
MAILBOXES, LARGE, HUGE = 20_000 // _SHARE, 100_000 // _SHARE, 1_000_000 // _SHARE
DOMAINS, MANY_DOMAINS = 1_000 // _SHARE, 10_000 // _SHARE
MESSAGES = 1_000 // _SHARE
KEYS = 500 // _SHARE
"""DKIM keys that are made, of as many domains."""
NAMES = 20 // _SHARE
"""Names that get a certificate."""
FEW_NODES, MORE_NODES, MANY_NODES = (1, 2, 3) if TRIAL else (2, 4, 8)


def _one(name: str, size: int = 0, factor: float = 1) -> tuple[Term, ...]:
    return (Term(factor, name, size),)


FIGURES: t.Final = (
    Figure(
        "judge-cold",
        "engine",
        "Validate 20,000 mailboxes, no file known",
        _one(JUDGE, MAILBOXES),
        _one(EVENTS, MAILBOXES, 3),
    ),
    Figure(
        "judge-warm",
        "engine",
        "Validate 20,000 mailboxes, no file changed",
        _one(JUDGE_WARM, MAILBOXES),
        _one(EVENTS, MAILBOXES),
    ),
    Figure(
        "judge-memory",
        "engine",
        "Memory to validate 20,000 mailboxes",
        _one(JUDGE, MAILBOXES),
        (Term(100),),
        "memory_mb",
    ),
    Figure(
        "plan",
        "engine",
        "Plan a change of an estate of 20,000 mailboxes",
        _one(PLAN, MAILBOXES),
        _one(JUDGE, MAILBOXES, 1.5 * 2),
    ),
    Figure(
        "judge-linear",
        "engine",
        "Validate 1,000,000 mailboxes: not more than 1.1 times the cost of each of 100,000",
        _one(JUDGE, HUGE),
        _one(JUDGE, LARGE, 1.1 * HUGE / LARGE),
    ),
    Figure(
        "judge-huge-memory",
        "engine",
        "Memory to validate 1,000,000 mailboxes: 2 KB each",
        _one(JUDGE, HUGE),
        (Term(1, START), Term(0.002 * HUGE)),
        "memory_mb",
    ),
    Figure("json", "engine", "For comparison: the same data from JSON", _one(JSON, MAILBOXES)),
    Figure("site-first", "site", "First `site`, two new hosts", _one(FIRST), (Term(100),)),
    Figure(
        "site-unchanged",
        "site",
        "`site`, nothing to change",
        _one(UNCHANGED),
        _one(PING, factor=13),
    ),
    Figure(
        "site-mitogen",
        "site",
        "`site` with mitogen, nothing to change",
        _one(UNCHANGED_MITOGEN),
        _one(PING, factor=5),
    ),
    Figure("site-mailbox", "site", "`site`, one mailbox added", _one(ONE_MAILBOX)),
    Figure(
        "tenants-unchanged",
        "tenants",
        "`tenants`, nothing to change",
        _one(UNCHANGED),
        (Term(4, PING), Term(1, JUDGE)),
    ),
    Figure(
        "tenants-mailbox",
        "tenants",
        "`tenants`, one mailbox added, with DNS and hash",
        _one(ONE_MAILBOX),
        (Term(6, PING), Term(1, JUDGE)),
    ),
    Figure(
        "peer-template",
        "peers",
        "20,000 mailboxes to a host, compared with a role that has one template",
        _one(GENERATION, MAILBOXES),
        _one(TEMPLATE, MAILBOXES),
    ),
    Figure(
        "peer-loop",
        "peers",
        "100 mailboxes to a host, compared with an Ansible loop of `lineinfile`",
        _one(GENERATION, 100),
        _one(LOOP, 100),
    ),
    Figure(
        "peer-shell",
        "peers",
        "For comparison: a shell script hashes and appends 100 passwords",
        _one(SHELL, 100),
    ),
    Figure(
        "host-first",
        "host",
        "First generation of 100,000 mailboxes",
        _one(GENERATION, LARGE),
        (Term(2, JUDGE, LARGE), Term(2, RAW_WRITE, LARGE), Term(2, POSTMAP, LARGE)),
    ),
    Figure(
        "host-unchanged",
        "host",
        "The same, nothing to change",
        _one(GENERATION_UNCHANGED, LARGE),
    ),
    Figure(
        "host-mailbox",
        "host",
        "One of 100,000 mailboxes changed",
        _one(GENERATION_ONE, LARGE),
        _one(GENERATION_UNCHANGED, LARGE, 1.2),
    ),
    Figure(
        "host-quota",
        "host",
        "`verify_quota` of 100,000 mailboxes",
        _one(VERIFY_QUOTA, LARGE),
        _one(DOVEADM, LARGE, 1.5),
    ),
    Figure(
        "host-tenants-first",
        "host",
        "`tenants` for 100,000 new mailboxes that have passwords and DKIM keys",
        _one(TENANTS_FIRST, LARGE),
        (Term(2, JUDGE, LARGE), Term(2, RAW_WRITE, LARGE), Term(2, POSTMAP, LARGE)),
    ),
    Figure(
        "host-tenants-unchanged",
        "host",
        "`tenants`, nothing to change",
        _one(TENANTS_UNCHANGED, LARGE),
    ),
    Figure(
        "host-tenants-mailbox",
        "host",
        "`tenants`, one of 100,000 mailboxes changed",
        _one(TENANTS_ONE, LARGE),
        _one(TENANTS_UNCHANGED, LARGE, 1.2),
    ),
    Figure(
        "host-keys",
        "host",
        "DKIM keys of 500 new domains, RSA-2048",
        _one(DKIM_KEYS, KEYS),
    ),
    Figure(
        "mail-domains",
        "mail",
        "2,000 signed messages with 10,000 domains: at least 0.95 times the rate with one",
        _one(SIGNED, MANY_DOMAINS),
        _one(SIGNED, 1, 1 / 0.95),
    ),
    *(
        Figure(f"filter-{id_}", "filter", f"1,000 {text} messages", _one(name, MESSAGES))
        for id_, text, name in (
            ("incoming-without", "unfiltered incoming", INCOMING),
            ("incoming", "filtered incoming", INCOMING_FILTERED),
            ("outgoing-without", "signed outgoing", SUBMITTED),
            ("outgoing", "filtered and signed outgoing", SUBMITTED_FILTERED),
        )
    ),
    Figure(
        "filter-memory",
        "filter",
        "Memory of rspamd and Redis on the node after these messages",
        _one(FILTER_MEMORY),
        quantity="memory_mb",
    ),
    *(
        Figure(f"dns-{id_}-{count}", "dns", f"{text} of {count:,} domains", _one(name, count))
        for count in (DOMAINS, MANY_DOMAINS)
        for id_, text, name in (
            ("first", "First `dns_publish`", PUBLISH),
            ("unchanged", "`dns_publish`, nothing to change,", PUBLISH_UNCHANGED),
            ("verify", "`verify_dns`", VERIFY_DNS),
        )
    ),
    Figure(
        "dns-certificates",
        "dns",
        "Certificates of 20 new names, from the ACME server of the lab",
        _one(CERTIFICATES, NAMES),
    ),
    Figure("nodes-first", "nodes", "First `site` on 8 nodes, 8 forks", _one(FIRST, MANY_NODES)),
    *(
        Figure(
            f"nodes-{count}",
            "nodes",
            f"`tenants` on {count} nodes, nothing to change, 8 forks",
            _one(UNCHANGED, count),
        )
        for count in (FEW_NODES, MORE_NODES, MANY_NODES)
    ),
    Figure(
        "nodes-extra",
        "nodes",
        "Processor time of the controller for each extra node",
        (
            Term(1 / (MANY_NODES - FEW_NODES), UNCHANGED, MANY_NODES),
            Term(-1 / (MANY_NODES - FEW_NODES), UNCHANGED, FEW_NODES),
        ),
        quantity="processor_seconds",
    ),
)
"""Every figure, in the order of the page."""


def without_reason(results: Results, reasons: str) -> list[str]:
    """Return the ids of missed targets that have no heading ``## id`` in the text of reasons."""
    headings = {line[3:].strip() for line in reasons.splitlines() if line.startswith("## ")}
    return [
        line.figure.id
        for line in lines(results, FIGURES)
        if line.result == "missed" and line.figure.id not in headings
    ]
