# SPDX-License-Identifier: GPL-3.0-or-later
"""The reader of DMARC aggregate reports and SMTP TLS reports.

The formats are in RFC 7489 appendix C and RFC 9990, and in RFC 8460 section 4. Anybody can send
reports, so a hostile one must not stop the reader: a report that cannot be read is ``Unfit``.

PRIVATE to the collection. Pure; runs on the controller only. Needs parsedmarc, which is called with
the settings that keep it offline.
"""

from __future__ import annotations

import datetime
import hashlib
import importlib
import json
import logging
import math
import re
import typing as t

from .._model import names
from .evidence import MAX_COUNT, Report, Row
from .unpack import Unfit, texts

MAX_TAGS = 300_000
"""The most tags of one report, about 6,000 records. The library takes 5 seconds for them."""

_MAX_DEPTH = 20
_MAX_POLICIES = 100
_ROOT = re.compile(r"<(?:([\w.-]{1,100}):)?[\w.-]{1,100}(?:\s[^<>]{0,2000})?>")
_PREFIX = re.compile(r"""\sxmlns:([\w.-]{1,100})\s{0,9}=\s{0,9}["']([^"'<>]{0,300})["']""")
_TAG = re.compile(r"<(/?)[^<>]*?(/?)>")

_PASSED_ON = frozenset(("forwarded", "trusted_forwarder", "mailing_list"))
_ODD = (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError, OSError)


class Reader:
    """The reader with its library. Make it once: the import of the library takes a second.

    Raises ImportError without parsedmarc.
    """

    def __init__(self) -> None:
        # The library logs parts of what it reads, and reports come from outside.
        logging.getLogger("parsedmarc").setLevel(logging.CRITICAL)
        self._library: t.Any = importlib.import_module("parsedmarc")
        self._to_datetime: t.Callable[..., datetime.datetime] = importlib.import_module(
            "parsedmarc.utils"
        ).human_timestamp_to_datetime

    def read(self, content: bytes) -> list[Report]:
        """Return all reports of a file. Raises Unfit if the file has none."""
        found: list[Report] = []
        wrong: list[Unfit] = []
        for text in texts(content):
            try:
                if text.lstrip().startswith("{"):
                    found.extend(self._tls_reports(text))
                else:
                    found.append(self._dmarc_report(text))
            except Unfit as error:
                wrong.append(error)
        if not found and wrong:
            raise wrong[0]
        return found

    def _dmarc_report(self, text: str) -> Report:
        """Return the report from its XML. Raises Unfit if it is none, or could stop the reader."""
        if text.count("<") > MAX_TAGS:
            raise Unfit(f"it has more than {MAX_TAGS:,} tags")
        if "<!DOCTYPE" in text or "<!ENTITY" in text:
            raise Unfit("it declares entities; a report may have none")
        if _is_deep(text):
            raise Unfit(f"its elements are nested more than {_MAX_DEPTH} deep")
        try:
            # The threshold turns off normalizing: a report about a thousand years would get a row
            # for each day.
            text = _without_prefix(text)
            parsed = self._library.parse_aggregate_report_xml(
                text,
                offline=True,
                always_use_local_files=True,
                normalize_timespan_threshold_hours=math.inf,
            )
            head = parsed["report_metadata"]
            begin, end = (
                self._to_datetime(head[name], to_utc=True) for name in ("begin_date", "end_date")
            )
            domain = _domain(parsed["policy_published"]["domain"])
            rows = tuple(_dmarc_row(record) for record in parsed["records"])
            return Report(
                "dmarc",
                domain,
                _day_of(begin, end),
                _key("dmarc", head["org_name"], head["report_id"], domain),
                _reporter(head["org_name"]),
                rows,
            )
        except (self._library.ParserError, *_ODD) as error:
            raise Unfit(f"it is no DMARC report: {_short(error)}") from error

    def _tls_reports(self, text: str) -> list[Report]:
        """Return a report for each domain of the JSON. Raises Unfit if it is no TLS report."""
        try:
            # The library requires the contact (RFC 8460 section 4.4), which is not used here.
            report = {"contact-info": "", **_without_nulls(json.loads(text))}
            policies = report.get("policies", [])[:_MAX_POLICIES]
            parsed = self._library.parse_smtp_tls_report_json(
                json.dumps({**report, "policies": []})
            )
            begin, end = (
                datetime.datetime.fromisoformat(str(parsed[name]).replace("Z", "+00:00"))
                for name in ("begin_date", "end_date")
            )
            organization, day = parsed["organization_name"], _day_of(begin, end)
            rows = self._tls_rows(report, policies)
            return [
                Report(
                    "mta_sts",
                    name,
                    day,
                    _key("mta_sts", organization, parsed["report_id"], name),
                    _reporter(organization),
                    tuple(some),
                )
                for name, some in rows.items()
            ]
        except (self._library.ParserError, *_ODD) as error:
            raise Unfit(f"it is no TLS report: {_short(error)}") from error

    def _tls_rows(
        self, report: t.Mapping[str, t.Any], policies: list[t.Any]
    ) -> dict[str, list[Row]]:
        """Return the rows of each domain.

        A policy that cannot be read is ignored if another one can be read.
        """
        rows: dict[str, list[Row]] = {}
        wrong: list[Exception] = []
        for policy in policies:
            try:
                [parsed] = self._library.parse_smtp_tls_report_json(
                    json.dumps({**report, "policies": [policy]})
                )["policies"]
                found = list(_tls_rows_of(parsed))
                rows.setdefault(_domain(parsed["policy_domain"]), []).extend(found)
            except (self._library.ParserError, *_ODD) as error:
                wrong.append(error)
        if wrong and not rows:
            raise wrong[0]
        return rows


def _without_nulls(value: t.Any) -> t.Any:
    """Return the value without nulls. Reporters written in Go use null for an empty list."""
    if isinstance(value, dict):
        return {key: _without_nulls(one) for key, one in value.items() if one is not None}
    if isinstance(value, list):
        return [_without_nulls(one) for one in value if one is not None]
    return value


def _without_prefix(text: str) -> str:
    """Return the XML without the prefixes of its root's namespace (Namespaces in XML section 4).

    The library finds elements only by names without a prefix.
    """
    root = _ROOT.search(text)
    if root is None or not root[1]:
        return text
    declared = dict(_PREFIX.findall(root[0]))
    prefixes = {
        root[1],
        *(prefix for prefix, name in declared.items() if name == declared.get(root[1])),
    }
    return re.sub(rf"<(/?)(?:{'|'.join(map(re.escape, sorted(prefixes)))}):", r"<\1", text)


def _is_deep(text: str) -> bool:
    """Return whether elements are nested deeper than the limit."""
    depth = 0
    for tag in _TAG.finditer(text):
        depth += -1 if tag[1] else not tag[2]
        if depth > _MAX_DEPTH:
            return True
    return False


def _dmarc_row(record: t.Mapping[str, t.Any]) -> Row:
    """Return a record of a DMARC report: the address that sent, its messages, their results."""
    reasons = {
        str(reason.get("type")).lower()
        for reason in record["policy_evaluated"]["policy_override_reasons"]
    }
    aligned = record["alignment"]
    source = str(record["source"]["ip_address"])[:45]
    return Row(
        source,
        _number(record["count"]),
        aligned["spf"] is True,
        aligned["dkim"] is True,
        not reasons.isdisjoint(_PASSED_ON),
    )


def _tls_rows_of(policy: t.Mapping[str, t.Any]) -> t.Iterator[Row]:
    """Yield the sessions of one policy of a TLS report: those that succeeded, then the failures."""
    passed, failed = (
        _number(policy["successful_session_count"]),
        _number(policy["failed_session_count"]),
    )
    if passed:
        yield Row("", passed)
    details = policy.get("failure_details", [])[:100]
    for one in details:
        host = str(one.get("receiving_mx_hostname") or "").rstrip(".").lower()[:253]
        yield Row(
            host,
            _number(one["failed_session_count"]),
            what=_printable(one["result_type"], 40) or "without a reason",
        )
    if failed and not details:
        yield Row("", failed, what="without a reason")


def _day_of(begin: datetime.datetime, end: datetime.datetime) -> datetime.date:
    """Return the day in UTC that a report is about. Raises ValueError for more than eight days."""
    if begin.tzinfo is None or end.tzinfo is None:
        begin, end = begin.replace(tzinfo=datetime.UTC), end.replace(tzinfo=datetime.UTC)
    if not datetime.timedelta(0) <= end - begin <= datetime.timedelta(days=8):
        raise ValueError("its time begins after it ends, or is longer than a week")
    return begin.astimezone(datetime.UTC).date()


def _number(value: t.Any) -> int:
    """Return a count, at most MAX_COUNT. Raises ValueError if it is no natural number."""
    if isinstance(value, bool) or not isinstance(value, int) or not value >= 0:
        raise ValueError("a count is no number")
    return min(value, MAX_COUNT)


def _domain(value: t.Any) -> str:
    """Return the domain's name as A-labels. Raises ValueError if it is none."""
    return names.domain(str(value)[:300].lower())


def _key(*parts: t.Any) -> str:
    """Return a short text that is the same for the same parts only: 64 bits of their SHA-256."""
    return hashlib.sha256(
        "\0".join(str(part) for part in parts).encode("utf-8", "replace")
    ).hexdigest()[:16]


def _reporter(value: t.Any) -> str:
    """Return the name of the organisation that reports, at most 60 characters."""
    return _printable(value, 60) or "an unnamed reporter"


def _printable(value: t.Any, most: int) -> str:
    """Return the first ``most`` characters without those that are not printable."""
    return "".join(char for char in str(value)[:most] if char.isprintable()).strip()


def _short(error: BaseException) -> str:
    """Return the message of an error, at most 120 characters."""
    return _printable(error, 120) or type(error).__name__
