# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare the records of DMARC (RFC 9989), TLS reports (RFC 8460) and MTA-STS (RFC 8461).

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import contextlib
import re
import typing as t
import urllib.parse

from ..._dns import text_records
from ..._dns.text_records import BEGINNINGS, Malformed, is_of, resembles
from .catalogue import Defect
from .merge_answers import lines

if t.TYPE_CHECKING:
    from ..._dns.query import Reply
    from .questions import Question

_POLICIES = ("none", "quarantine", "reject")
_MAILTO = r"mailto:[^@\s!]+@([a-z0-9_-]{1,63}\.)+[a-z0-9-]{2,63}"
"""An address whose domain is a possible name in DNS, which is looked up."""
_OTHER_SCHEME = re.compile(r"(?!mailto:)[a-z][a-z0-9+.-]*:\S", re.I)
"""RFC 9989 section 4.7: rua= may have any URI, and receivers ignore those that they cannot use."""
_OBSOLETE = ("pct", "rf", "ri")
_KINDS = {
    "dns.dmarc": "dmarc",
    "dns.mta_sts": "mta_sts",
    "dns.tls_rpt": "tls_rpt",
    "dns.dmarc_grant": "dmarc",
}


def _own(question: Question, reply: Reply) -> list[str]:
    """Return the records that receivers recognise as the question's kind; there may be others."""
    return sorted(value for value in reply.values if is_of(_KINDS[question.group], value))


def _wrong_number(question: Question, reply: Reply, found: t.Sequence[str]) -> t.Iterator[Defect]:
    """Yield what is wrong if there is no record, or more than one."""
    if not found:
        kind = _KINDS[question.group]
        broken = sorted(value for value in reply.values if resembles(kind, value))
        if broken and question.group != "dns.dmarc_grant":
            yield Defect(
                f"{question.group}_syntax",
                f"the record must begin with {BEGINNINGS[kind]}: {broken[0]}",
                question.lines,
                lines(question, reply, broken),
            )
        else:
            yield Defect(
                f"{question.group}_missing",
                f"no such record{f' ({reply.why})' if reply.why == 'NXDOMAIN' else ''}",
                question.lines,
            )
    elif len(found) > 1 and question.group != "dns.dmarc_grant":
        extra = [value for value in found if value not in question.values]
        publish = () if len(extra) < len(found) else question.lines
        yield Defect(
            f"{question.group}_two",
            f"{len(found)} records: {' | '.join(found)}",
            publish,
            lines(question, reply, extra),
        )


def grant(question: Question, reply: Reply) -> t.Iterator[Defect]:
    """Yield that the permission is missing. Any record that begins with the version is one."""
    yield from _wrong_number(question, reply, _own(question, reply))


def dmarc(question: Question, reply: Reply) -> t.Iterator[Defect]:
    """Yield what is wrong with the DMARC record.

    Another policy than in the files is a warning: a tenant that writes its own DNS may choose it.
    """
    found = _own(question, reply)
    if len(found) != 1:
        yield from _wrong_number(question, reply, found)
        return
    gone = lines(question, reply, found)
    try:
        want, have = text_records.dmarc(question.value), text_records.dmarc(found[0])
        differences = [*_invalid_dmarc(have)] or [*_other_dmarc(want, have)]
    except Malformed as error:
        differences = [("dns.dmarc_syntax", str(error))]
    for id_, text in differences:
        if id_ == "dns.dmarc_unreported":  # the files lack the address: no record mends that
            yield Defect(id_, f"{text}: {found[0]}")
        else:
            yield Defect(id_, f"{text}: {found[0]}", question.lines, gone)


def _mail_targets(have: t.Mapping[str, str]) -> list[str]:
    """Return the addresses in rua=; receivers need not know other schemes than mailto:."""
    targets = have.get("rua", "").split(",") if have.get("rua") else []
    return [target for target in targets if not _OTHER_SCHEME.match(target)]


def _invalid_dmarc(have: t.Mapping[str, str]) -> t.Iterator[tuple[str, str]]:
    """Yield the finding's id and text if receivers cannot read a DMARC record."""
    bad = [
        f"{tag}={have[tag]}"
        for tag in ("p", "sp", "np")
        if have.get(tag, "none").lower() not in _POLICIES
    ]
    bad += [
        target
        for target in _mail_targets(have)
        if not re.fullmatch(rf"{_MAILTO}(![0-9]+[kmgt]?)?", target, re.I)
    ]
    if bad or "p" not in have:
        yield "dns.dmarc_syntax", ", ".join(bad) or "p= is missing"


def _other_dmarc(
    want: t.Mapping[str, str], have: t.Mapping[str, str]
) -> t.Iterator[tuple[str, str]]:
    """Yield the ids and texts of findings about how a DMARC record differs from the files."""
    old = [tag for tag in _OBSOLETE if tag in have]
    if old:
        yield "dns.dmarc_obsolete", ", ".join(old)
    is_test = have.get("t", "").lower() == "y"  # receivers ignore other values
    if (have["p"].lower(), is_test) != (want["p"], "t" in want):
        yield (
            "dns.dmarc_policy",
            f"p={have['p']}{'; t=y' if is_test else ''} instead of "
            f"p={want['p']}{'; t=y' if want.get('t') == 'y' else ''}",
        )
    elif any(have.get(tag, have["p"]).lower() != want.get(tag, want["p"]) for tag in ("sp", "np")):
        yield "dns.dmarc_subdomains", "another sp= or np="
    if _mail_targets(have):
        return
    if "rua" in want:
        yield "dns.dmarc_no_reports", "no mailto: in rua=" if have.get("rua") else "no rua="
    elif want["p"] == "none" or "t" in want:
        yield "dns.dmarc_unreported", "no rua="


def mta_sts(question: Question, reply: Reply) -> t.Iterator[Defect]:
    """Yield what is wrong with the record at ``_mta-sts`` (RFC 8461 section 3.1)."""
    found = _own(question, reply)
    if len(found) != 1:
        yield from _wrong_number(question, reply, found)
        return
    gone = lines(question, reply, found)
    try:
        have = text_records.mta_sts(found[0])
    except Malformed as error:
        yield Defect("dns.mta_sts_syntax", f"{error}: {found[0]}", question.lines, gone)
        return
    if not re.fullmatch(r"[A-Za-z0-9]{1,32}", have.get("id", "")):
        yield Defect(
            "dns.mta_sts_syntax",
            f"id= must be 1 to 32 letters and digits: {found[0]}",
            question.lines,
            gone,
        )
    elif have["id"] != text_records.mta_sts(question.value)["id"]:
        yield Defect("dns.mta_sts_id", found[0], question.lines, gone)


def tls_rpt(question: Question, reply: Reply) -> t.Iterator[Defect]:
    """Yield what is wrong with the record for TLS reports.

    If the files have no address for them, any address in DNS is accepted.
    """
    found = _own(question, reply)
    if not found and not question.values:
        yield Defect("dns.tls_rpt_unreported", f"no record at {question.name}")
        return
    if len(found) != 1:
        yield from _wrong_number(question, reply, found)
        return
    try:
        targets = text_records.tls_rpt(found[0]).get("rua", "").split(",")
    except Malformed as error:
        yield Defect(
            "dns.tls_rpt_syntax",
            f"{error}: {found[0]}",
            question.lines,
            lines(question, reply, found),
        )
        return
    # RFC 8460 section 3 allows white space at the comma.
    targets = [target.strip(" \t") for target in targets]
    if not all(re.fullmatch(rf"({_MAILTO}|https://\S+)", target, re.I) for target in targets):
        yield Defect(
            "dns.tls_rpt_syntax",
            f"rua= must be mailto: or https: — {found[0]}",
            question.lines,
            lines(question, reply, found),
        )


def receivers(question: Question, values: t.Iterable[str]) -> list[str]:
    """Return the addresses to which reports are sent, from records that can be read."""
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
