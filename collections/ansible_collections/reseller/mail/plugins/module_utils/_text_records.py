# SPDX-License-Identifier: GPL-3.0-or-later
"""Records in TXT, and MTA-STS policies, read as strictly as receivers read them.

PRIVATE to the collection. Pure. verify, promotion and the activation of DKIM keys share these readers: what one of them
calls well must be what a receiver takes.
"""

from __future__ import annotations

import re
import typing as t

_TAG_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_VERSIONS = {
    "dmarc": re.compile(
        r"[vV][ \t]*=[ \t]*DMARC1[ \t]*(?:;|\Z)"
    ),  # RFC 9989 section 4.8: only the value has a case
    "mta_sts": re.compile(r"v=STSv1[ \t]*(?:;|\Z)"),  # RFC 8461 section 3.1
    "tls_rpt": re.compile(r"v=TLSRPTv1[ \t]*(?:;|\Z)"),  # RFC 8460 section 3
}
BEGINNINGS = {"dmarc": "v=DMARC1", "mta_sts": "v=STSv1", "tls_rpt": "v=TLSRPTv1"}
_POLICY_FIELD = re.compile(r"([A-Za-z0-9][A-Za-z0-9_.-]{0,31}):[ \t]*(.*?)[ \t]*")


class Malformed(ValueError):
    """A receiver does not take this; the message says why."""


def is_of(kind: str, text: str) -> bool:
    """Return whether receivers take a text for a record of the kind dmarc, mta_sts or tls_rpt; others are passed over."""
    return _VERSIONS[kind].match(text) is not None


def resembles(kind: str, text: str) -> bool:
    """Return whether somebody meant the text to be such a record, whatever receivers make of it."""
    return BEGINNINGS[kind].lower() in "".join(text.split()).lower()


def _tag_list(text: str) -> list[tuple[str, str]]:
    """Return the tags of a list (RFC 6376 section 3.2); Malformed where it is none, or names a tag twice."""
    tags: list[tuple[str, str]] = []
    parts = text.split(";")
    for part in parts if parts[-1].strip() else parts[:-1]:
        name, equals, value = part.partition("=")
        if not equals or not _TAG_NAME.fullmatch(name.strip(" \t\r\n")):
            raise Malformed(f"{part.strip() or 'nothing'} is no tag")
        tags.append((name.strip(), value.strip()))
    return tags


def _once(tags: t.Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in tags:
        if name in found:
            raise Malformed(f"it has {name}= twice")
        found[name] = value
    return found


def dkim_key(text: str) -> dict[str, str]:
    """Return the tags of a key record (RFC 6376 section 3.6.1); p without its white space. Names of tags have a case."""
    tags = _tag_list(text)
    found = _once(tags)
    if "v" in found and tags[0][0] != "v":
        raise Malformed("v= is not the first tag")
    if found.get("v", "DKIM1") != "DKIM1":
        raise Malformed(f"its version is {found['v']}")
    if "p" not in found:
        raise Malformed("a text without p=")
    return {**found, "p": "".join(found["p"].split())}


def dmarc(text: str) -> dict[str, str]:
    """Return the tags of a DMARC record (RFC 9989 section 4.8), their names in lower case."""
    if not is_of("dmarc", text):
        raise Malformed(f"it does not begin with {BEGINNINGS['dmarc']}")
    return _once((name.lower(), "".join(value.split())) for name, value in _tag_list(text))


def mta_sts(text: str) -> dict[str, str]:
    """Return the tags of the announcement of a policy (RFC 8461 section 3.1). Names have a case."""
    return _strict("mta_sts", text)


def tls_rpt(text: str) -> dict[str, str]:
    """Return the tags of a TLS-RPT record (RFC 8460 section 3). Names have a case."""
    return _strict("tls_rpt", text)


def _strict(kind: str, text: str) -> dict[str, str]:
    if not is_of(kind, text):
        raise Malformed(f"it does not begin with {BEGINNINGS[kind]}")
    for part in text.split(";"):
        name, equals, value = part.partition("=")
        if equals and (name != name.rstrip() or value != value.lstrip()):
            raise Malformed(f"white space stands beside the = of {part.strip()}")
    return _once(_tag_list(text))


def strange_lines(policy: str) -> list[str]:
    """Return the lines of a policy that are no fields (RFC 8461 section 3.2): strict senders then take none of it."""
    return [
        line for line in policy.splitlines() if line.strip() and not _POLICY_FIELD.fullmatch(line)
    ]


def mta_sts_policy(text: str) -> tuple[dict[str, str], list[str]]:
    """Return the fields of a policy and its mx patterns (RFC 8461 section 3.2).

    Of a field that stands there twice the first one counts; mx may stand there several times. Names have a case.
    """
    fields: dict[str, str] = {}
    patterns: list[str] = []
    for line in text.splitlines():
        found = _POLICY_FIELD.fullmatch(line)
        if found is None:
            continue
        if found[1] == "mx":
            patterns.append(found[2].lower())
        else:
            fields.setdefault(found[1], found[2])
    return fields, patterns
