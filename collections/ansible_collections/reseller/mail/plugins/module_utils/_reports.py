# SPDX-License-Identifier: GPL-3.0-or-later
"""DMARC aggregate reports (RFC 7489 appendix C, RFC 9990) and SMTP TLS reports (RFC 8460) as evidence.

PRIVATE to the collection. Pure; runs on the controller only (needs parsedmarc, which is asked to ask nobody). Whatever a
report holds, the answer is evidence or Unfit.
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

from ansible_collections.reseller.mail.plugins.module_utils import _names
from ansible_collections.reseller.mail.plugins.module_utils._evidence import MAX_COUNT, Report, Row
from ansible_collections.reseller.mail.plugins.module_utils._reports_unpack import Unfit, texts

MAX_TAGS = 300_000
"""Of one report, about 6,000 records: the library takes 5 seconds for them."""

_MAX_DEPTH = 20
_MAX_POLICIES = 100
_ROOT = re.compile(r"<(?:([\w.-]{1,100}):)?[\w.-]{1,100}(?:\s[^<>]{0,2000})?>")
_PREFIX = re.compile(r"""\sxmlns:([\w.-]{1,100})\s{0,9}=\s{0,9}["']([^"'<>]{0,300})["']""")
_TAG = re.compile(r"<(/?)[^<>]*?(/?)>")

_PASSED_ON = frozenset(("forwarded", "trusted_forwarder", "mailing_list"))
_ODD = (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError, OSError)


class Reader:
    """Reads reports. Made once, as importing the library takes a second."""

    def __init__(self) -> None:
        logging.getLogger("parsedmarc").setLevel(
            logging.CRITICAL
        )  # strangers do not write into our output
        self._library: t.Any = importlib.import_module("parsedmarc")
        self._moment: t.Callable[..., datetime.datetime] = importlib.import_module(
            "parsedmarc.utils"
        ).human_timestamp_to_datetime

    def read(self, content: bytes) -> list[Report]:
        """All reports of a file. Unfit when there is none in it."""
        found: list[Report] = []
        wrong: list[Unfit] = []
        for text in texts(content):
            try:
                found.extend(
                    self._tls(text) if text.lstrip().startswith("{") else [self._aggregate(text)]
                )
            except Unfit as error:
                wrong.append(error)
        if not found and wrong:
            raise wrong[0]
        return found

    def _aggregate(self, text: str) -> Report:
        if text.count("<") > MAX_TAGS:
            raise Unfit(f"it has more than {MAX_TAGS:,} tags")
        if "<!DOCTYPE" in text or "<!ENTITY" in text:
            raise Unfit("it declares entities, which reports have no use for")
        if _is_deep(text):
            raise Unfit(f"its elements lie more than {_MAX_DEPTH} deep")
        try:
            # No normalizing: a report that covers a thousand years would become a row a day.
            text = _without_prefix(text)
            parsed = self._library.parse_aggregate_report_xml(
                text,
                offline=True,
                always_use_local_files=True,
                normalize_timespan_threshold_hours=math.inf,
            )
            head = parsed["report_metadata"]
            begin, end = (
                self._moment(head[name], to_utc=True) for name in ("begin_date", "end_date")
            )
            domain = _domain(parsed["policy_published"]["domain"])
            rows = tuple(_sent(record) for record in parsed["records"])
            return Report(
                "dmarc",
                domain,
                _day(begin, end),
                _key("dmarc", head["org_name"], head["report_id"], domain),
                _who(head["org_name"]),
                rows,
            )
        except (self._library.ParserError, *_ODD) as error:
            raise Unfit(f"it is no DMARC report: {_short(error)}") from error

    def _tls(self, text: str) -> list[Report]:
        try:
            # RFC 8460 section 4.4 wants whom to ask, and nothing here depends on it.
            report = {"contact-info": "", **_without_nulls(json.loads(text))}
            policies = report.get("policies", [])[:_MAX_POLICIES]
            parsed = self._library.parse_smtp_tls_report_json(
                json.dumps({**report, "policies": []})
            )
            begin, end = (
                datetime.datetime.fromisoformat(str(parsed[name]).replace("Z", "+00:00"))
                for name in ("begin_date", "end_date")
            )
            who, day = parsed["organization_name"], _day(begin, end)
            rows = self._tls_rows(report, policies)
            return [
                Report(
                    "mta_sts",
                    name,
                    day,
                    _key("mta_sts", who, parsed["report_id"], name),
                    _who(who),
                    tuple(some),
                )
                for name, some in rows.items()
            ]
        except (self._library.ParserError, *_ODD) as error:
            raise Unfit(f"it is no TLS report: {_short(error)}") from error

    def _tls_rows(
        self, report: t.Mapping[str, t.Any], policies: list[t.Any]
    ) -> dict[str, list[Row]]:
        """What each domain's policies say. A policy that cannot be read must not hide what another one says."""
        rows: dict[str, list[Row]] = {}
        wrong: list[Exception] = []
        for policy in policies:
            try:
                [parsed] = self._library.parse_smtp_tls_report_json(
                    json.dumps({**report, "policies": [policy]})
                )["policies"]
                received = list(_received(parsed))
                rows.setdefault(_domain(parsed["policy_domain"]), []).extend(received)
            except (self._library.ParserError, *_ODD) as error:
                wrong.append(error)
        if wrong and not rows:
            raise wrong[0]
        return rows


def _without_nulls(value: t.Any) -> t.Any:
    """Return the value with every null left out: Go writes null for a list that is empty."""
    if isinstance(value, dict):
        return {key: _without_nulls(one) for key, one in value.items() if one is not None}
    if isinstance(value, list):
        return [_without_nulls(one) for one in value if one is not None]
    return value


def _without_prefix(text: str) -> str:
    """Return the XML without the prefixes of its root's namespace, which the library does not know (Namespaces in XML section 4)."""
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
    depth = 0
    for tag in _TAG.finditer(text):
        depth += -1 if tag[1] else not tag[2]
        if depth > _MAX_DEPTH:
            return True
    return False


def _sent(record: t.Mapping[str, t.Any]) -> Row:
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


def _received(policy: t.Mapping[str, t.Any]) -> t.Iterator[Row]:
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


def _day(begin: datetime.datetime, end: datetime.datetime) -> datetime.date:
    """The day that a report is about, in UTC."""
    if begin.tzinfo is None or end.tzinfo is None:
        begin, end = begin.replace(tzinfo=datetime.UTC), end.replace(tzinfo=datetime.UTC)
    if not datetime.timedelta(0) <= end - begin <= datetime.timedelta(days=8):
        raise ValueError("its time begins after it ends, or is longer than a week")
    return begin.astimezone(datetime.UTC).date()


def _number(value: t.Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not value >= 0:
        raise ValueError("a count is no number")
    return min(value, MAX_COUNT)


def _domain(value: t.Any) -> str:
    return _names.domain(str(value)[:300].lower())


def _key(*parts: t.Any) -> str:
    return hashlib.sha256(
        "\0".join(str(part) for part in parts).encode("utf-8", "replace")
    ).hexdigest()[:16]


def _who(value: t.Any) -> str:
    return _printable(value, 60) or "nobody"


def _printable(value: t.Any, most: int) -> str:
    return "".join(char for char in str(value)[:most] if char.isprintable()).strip()


def _short(error: BaseException) -> str:
    return _printable(error, 120) or type(error).__name__
