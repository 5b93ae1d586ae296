# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges DMARC (RFC 9989), TLS-RPT (RFC 8460) and the announcement of MTA-STS (RFC 8461), and who gets their reports.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import contextlib
import re
import typing as t
import urllib.parse

from .. import _text_records as text_records
from .._text_records import BEGINNINGS, Malformed, is_of, resembles
from .catalogue import Fault
from .settle import lines

if t.TYPE_CHECKING:
    from .._dns_query import Reply
    from .questions import Question

_POLICIES = ("none", "quarantine", "reject")
_MAILTO = r"mailto:[^@\s!]+@([a-z0-9_-]{1,63}\.)+[a-z0-9-]{2,63}"
"""An address whose domain can be one in DNS: it is asked about."""
_OTHER_SCHEME = re.compile(r"(?!mailto:)[a-z][a-z0-9+.-]*:\S", re.I)
"""RFC 9989 section 4.7: any URI may stand there, and receivers pass over those that they cannot use."""
_OBSOLETE = ("pct", "rf", "ri")
_KINDS = {
    "dns.dmarc": "dmarc",
    "dns.mta_sts": "mta_sts",
    "dns.tls_rpt": "tls_rpt",
    "dns.dmarc_grant": "dmarc",
}


def _own(question: Question, reply: Reply) -> list[str]:
    """The records that receivers take for one of the question's kind: others may stand beside them."""
    return sorted(value for value in reply.values if is_of(_KINDS[question.group], value))


def _number(question: Question, reply: Reply, found: t.Sequence[str]) -> t.Iterator[Fault]:
    if not found:
        kind = _KINDS[question.group]
        broken = sorted(value for value in reply.values if resembles(kind, value))
        if broken and question.group != "dns.dmarc_grant":
            yield Fault(
                f"{question.group}_syntax",
                f"it does not begin with {BEGINNINGS[kind]}: {broken[0]}",
                question.lines,
                lines(question, reply, broken),
            )
        else:
            yield Fault(
                f"{question.group}_missing",
                f"no such record{f' ({reply.why})' if reply.why == 'NXDOMAIN' else ''}",
                question.lines,
            )
    elif len(found) > 1 and question.group != "dns.dmarc_grant":
        extra = [value for value in found if value not in question.values]
        publish = () if len(extra) < len(found) else question.lines
        yield Fault(
            f"{question.group}_two",
            f"{len(found)} records: {' | '.join(found)}",
            publish,
            lines(question, reply, extra),
        )


def grant(question: Question, reply: Reply) -> t.Iterator[Fault]:
    """Anything that begins with the version allows it."""
    yield from _number(question, reply, _own(question, reply))


def dmarc(question: Question, reply: Reply) -> t.Iterator[Fault]:
    """The policy; another one is the tenant's choice where it writes its own DNS, and to be looked at."""
    found = _own(question, reply)
    if len(found) != 1:
        yield from _number(question, reply, found)
        return
    gone = lines(question, reply, found)

    def fault(id_: str, text: str) -> Fault:
        return Fault(id_, f"{text}: {found[0]}", question.lines, gone)

    try:
        want, have = text_records.dmarc(question.value), text_records.dmarc(found[0])
    except Malformed as error:
        yield fault("dns.dmarc_syntax", str(error))
        return
    bad = [
        f"{tag}={have[tag]}"
        for tag in ("p", "sp", "np")
        if have.get(tag, "none").lower() not in _POLICIES
    ]
    targets = have.get("rua", "").split(",") if have.get("rua") else []
    mails = [
        target for target in targets if not _OTHER_SCHEME.match(target)
    ]  # receivers need to know no other one
    bad += [
        target for target in mails if not re.fullmatch(rf"{_MAILTO}(![0-9]+[kmgt]?)?", target, re.I)
    ]
    if bad or "p" not in have:
        yield fault("dns.dmarc_syntax", ", ".join(bad) or "p= is missing")
        return
    old = [tag for tag in _OBSOLETE if tag in have]
    if old:
        yield fault("dns.dmarc_obsolete", f"{', '.join(old)}")
    is_test = have.get("t", "").lower() == "y"  # receivers pass over another value
    if (have["p"].lower(), is_test) != (want["p"], "t" in want):
        yield fault(
            "dns.dmarc_policy",
            f"p={have['p']}{'; t=y' if is_test else ''} instead of "
            f"p={want['p']}{'; t=y' if want.get('t') == 'y' else ''}",
        )
    elif any(have.get(tag, have["p"]).lower() != want.get(tag, want["p"]) for tag in ("sp", "np")):
        yield fault("dns.dmarc_subdomains", "another sp= or np=")
    if "rua" in want and not mails:
        yield fault("dns.dmarc_no_reports", "no mailto: in rua=" if targets else "no rua=")
    elif not mails and (want["p"] == "none" or "t" in want):
        yield Fault("dns.dmarc_unreported", f"no rua=: {found[0]}")


def mta_sts(question: Question, reply: Reply) -> t.Iterator[Fault]:
    """The announcement (RFC 8461 section 3.1)."""
    found = _own(question, reply)
    if len(found) != 1:
        yield from _number(question, reply, found)
        return
    gone = lines(question, reply, found)
    try:
        have = text_records.mta_sts(found[0])
    except Malformed as error:
        yield Fault("dns.mta_sts_syntax", f"{error}: {found[0]}", question.lines, gone)
        return
    if not re.fullmatch(r"[A-Za-z0-9]{1,32}", have.get("id", "")):
        yield Fault(
            "dns.mta_sts_syntax",
            f"id= must be 1 to 32 letters and digits: {found[0]}",
            question.lines,
            gone,
        )
    elif have["id"] != text_records.mta_sts(question.value)["id"]:
        yield Fault("dns.mta_sts_id", found[0], question.lines, gone)


def tls_rpt(question: Question, reply: Reply) -> t.Iterator[Fault]:
    """Who is told about failures of TLS. Where the files name nobody, whoever DNS names will do."""
    found = _own(question, reply)
    if not found and not question.values:
        yield Fault("dns.tls_rpt_unreported", f"no record at {question.name}")
        return
    if len(found) != 1:
        yield from _number(question, reply, found)
        return
    try:
        targets = text_records.tls_rpt(found[0]).get("rua", "").split(",")
    except Malformed as error:
        yield Fault(
            "dns.tls_rpt_syntax",
            f"{error}: {found[0]}",
            question.lines,
            lines(question, reply, found),
        )
        return
    targets = [
        target.strip(" \t") for target in targets
    ]  # RFC 8460 section 3 allows white space beside the comma
    if not all(re.fullmatch(rf"({_MAILTO}|https://\S+)", target, re.I) for target in targets):
        yield Fault(
            "dns.tls_rpt_syntax",
            f"rua= must be mailto: or https: — {found[0]}",
            question.lines,
            lines(question, reply, found),
        )


def receivers(question: Question, values: t.Iterable[str]) -> list[str]:
    """The addresses that reports are sent to, of a record that can be read."""
    read = {"dmarc": text_records.dmarc, "tls_rpt": text_records.tls_rpt}[_KINDS[question.group]]
    found = []
    for value in values:
        with contextlib.suppress(Malformed):
            found.append(read(value).get("rua", ""))
    rua = ",".join("".join(one.split()) for one in found)
    return [
        urllib.parse.unquote(target[7:].partition("!")[0]).lower()
        for target in rua.split(",")
        if target.lower().startswith("mailto:")
    ]
