# SPDX-License-Identifier: GPL-3.0-or-later
"""Explain the symbols of the spam filter: what it found in a message.

PRIVATE to the collection. Pure. rspamd describes most of its symbols itself. Those of SPF, DKIM,
DMARC and ARC are explained here, because their words are known to people who run mail servers.
"""

from __future__ import annotations

import re
import typing as t

_SYMBOL = re.compile(r"(?:^|,)([A-Z][A-Z0-9_]*)\((-?\d+(?:\.\d+)?)\)\{([^}]*)\}")
SHOWN = 25
"""So many symbols are explained, those with the largest weights."""
LONGEST = 120
"""So many characters of what a symbol was found in are shown."""

RESULTS: t.Final[dict[str, dict[str, str]]] = {
    "SPF": {
        "R_SPF_ALLOW": "pass",
        "R_SPF_FAIL": "fail",
        "R_SPF_SOFTFAIL": "softfail",
        "R_SPF_NEUTRAL": "neutral",
        "R_SPF_NA": "the domain has no record",
        "R_SPF_DNSFAIL": "DNS had no answer",
        "R_SPF_PERMFAIL": "the record is invalid",
        "R_SPF_PLUSALL": "pass, but the record allows every host",
    },
    "DKIM": {
        "R_DKIM_ALLOW": "pass",
        "R_DKIM_REJECT": "fail",
        "R_DKIM_TEMPFAIL": "DNS had no answer",
        "R_DKIM_PERMFAIL": "the signature or its key is invalid",
        "R_DKIM_NA": "no signature",
    },
    "DMARC": {
        "DMARC_POLICY_ALLOW": "pass",
        "DMARC_POLICY_REJECT": "fail, and the domain asks to refuse it (p=reject)",
        "DMARC_POLICY_QUARANTINE": "fail, and the domain asks to file it as spam (p=quarantine)",
        "DMARC_POLICY_SOFTFAIL": "fail, and the domain asks to do nothing (p=none)",
        "DMARC_NA": "the domain has no policy",
        "DMARC_BAD_POLICY": "the policy is invalid",
        "DMARC_DNSFAIL": "DNS had no answer",
    },
    "ARC": {
        "ARC_ALLOW": "pass",
        "ARC_REJECT": "fail",
        "ARC_INVALID": "invalid",
        "ARC_DNSFAIL": "DNS had no answer",
    },
}
"""By method the result that a symbol means. Without such a symbol the method had no result."""


class Symbol(t.NamedTuple):
    """A symbol with its weight in this message, and in what it was found."""

    name: str
    weight: float
    found_in: str


def read(text: str) -> list[Symbol]:
    """Return the symbols of a line, as rspamd writes them: ``NAME(1.20){a;b;},NAME(…){}``."""
    return [
        Symbol(name, float(weight), ", ".join(filter(None, options.split(";"))))
        for name, weight, options in _SYMBOL.findall(text)
    ]


def results(symbols: t.Sequence[Symbol]) -> t.Iterator[str]:
    """Yield the results of SPF, DKIM, DMARC, ARC and greylisting.

    Without a result of ARC or greylisting there is no line.
    """
    if not symbols:
        return
    for method, meanings in RESULTS.items():
        found = [
            meanings[one.name] + (f" ({one.found_in[:LONGEST]})" if one.found_in else "")
            for one in symbols
            if one.name in meanings
        ]
        if found or method != "ARC":
            yield f"{method}: {'; '.join(found) or 'no result'}"
    yield from (f"greylisting: {one.found_in}" for one in symbols if one.name == "GREYLIST")


def explained(symbols: t.Sequence[Symbol], meanings: t.Mapping[str, str]) -> t.Iterator[str]:
    """Yield the symbols that count, each with its weight and its meaning, the heaviest first.

    ``meanings`` are rspamd's descriptions. A symbol without one is shown with what it was found in.
    """
    counting = sorted(
        (one for one in symbols if abs(one.weight) >= 0.05), key=lambda one: -abs(one.weight)
    )
    for one in counting[:SHOWN]:
        meaning = ": ".join(filter(None, (meanings.get(one.name, ""), one.found_in[:LONGEST])))
        yield f"{one.weight:+.1f} {one.name}" + (f" {meaning}" if meaning else "")
    if len(counting) > SHOWN:
        yield f"{len(counting) - SHOWN} more"
