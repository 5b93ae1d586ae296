# SPDX-License-Identifier: GPL-3.0-or-later
"""Read TXT records and MTA-STS policies as strictly as receivers read them.

PRIVATE to the collection. Pure.

``verify``, promotion and the activation of DKIM keys use these readers. What they accept must be
what receivers accept.
"""

from __future__ import annotations

import re
import typing as t

_TAG_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_VERSIONS = {
    "dmarc": re.compile(r"[vV][ \t]*=[ \t]*DMARC1[ \t]*(?:;|\Z)"),
    "mta_sts": re.compile(r"v=STSv1[ \t]*(?:;|\Z)"),
    "tls_rpt": re.compile(r"v=TLSRPTv1[ \t]*(?:;|\Z)"),
}
"""The beginning of a record of each kind.

See RFC 9989 section 4.8, RFC 8461 section 3.1 and RFC 8460 section 3. In DMARC only the value of
the tag is case-sensitive.
"""
BEGINNINGS = {"dmarc": "v=DMARC1", "mta_sts": "v=STSv1", "tls_rpt": "v=TLSRPTv1"}
"""The same, for messages."""
_POLICY_FIELD = re.compile(r"([A-Za-z0-9][A-Za-z0-9_.-]{0,31}):[ \t]*(.*?)[ \t]*")


class Malformed(ValueError):
    """An error: receivers do not accept this text. The message is the reason."""


def is_of(kind: str, text: str) -> bool:
    """Return whether receivers take a text for a record of the kind, and do not ignore it.

    ``kind`` is ``dmarc``, ``mta_sts`` or ``tls_rpt``.
    """
    return _VERSIONS[kind].match(text) is not None


def resembles(kind: str, text: str) -> bool:
    """Return whether the text was probably meant as a record of the kind, valid or not."""
    return BEGINNINGS[kind].lower() in "".join(text.split()).lower()


def _tag_list(text: str) -> list[tuple[str, str]]:
    """Return the tags of a tag list with their values (RFC 6376 section 3.2).

    Raise Malformed if the text is no tag list.
    """
    tags: list[tuple[str, str]] = []
    parts = text.split(";")
    for part in parts if parts[-1].strip() else parts[:-1]:
        name, equals, value = part.partition("=")
        if not equals or not _TAG_NAME.fullmatch(name.strip(" \t\r\n")):
            raise Malformed(f"{part.strip() or 'an empty part'} is no tag with a value")
        tags.append((name.strip(), value.strip()))
    return tags


def _by_name(tags: t.Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the tags by name. Raise Malformed if a tag is there twice."""
    found: dict[str, str] = {}
    for name, value in tags:
        if name in found:
            raise Malformed(f"it has {name}= twice")
        found[name] = value
    return found


def dkim_key(text: str) -> dict[str, str]:
    """Return the tags of a DKIM key record (RFC 6376 section 3.6.1), ``p`` without white space.

    Names of tags are case-sensitive. Raise Malformed if verifiers cannot use the record.
    """
    tags = _tag_list(text)
    found = _by_name(tags)
    if "v" in found and tags[0][0] != "v":
        raise Malformed("v= is not the first tag")
    if found.get("v", "DKIM1") != "DKIM1":
        raise Malformed(f"its version is {found['v']}")
    if "p" not in found:
        raise Malformed("it has no tag p=")
    return {**found, "p": "".join(found["p"].split())}


def dmarc(text: str) -> dict[str, str]:
    """Return the tags of a DMARC record (RFC 9989 section 4.8), their names in lower case.

    Raise Malformed if receivers ignore the record.
    """
    if not is_of("dmarc", text):
        raise Malformed(f"it does not begin with {BEGINNINGS['dmarc']}")
    return _by_name((name.lower(), "".join(value.split())) for name, value in _tag_list(text))


def mta_sts(text: str) -> dict[str, str]:
    """Return the tags of an ``_mta-sts`` record (RFC 8461 section 3.1).

    Names of tags are case-sensitive. Raise Malformed if senders ignore the record.
    """
    return _strict("mta_sts", text)


def tls_rpt(text: str) -> dict[str, str]:
    """Return the tags of a TLS-RPT record (RFC 8460 section 3).

    Names of tags are case-sensitive. Raise Malformed if senders ignore the record.
    """
    return _strict("tls_rpt", text)


def _strict(kind: str, text: str) -> dict[str, str]:
    """Return the tags of a record that allows no white space around ``=``."""
    if not is_of(kind, text):
        raise Malformed(f"it does not begin with {BEGINNINGS[kind]}")
    for part in text.split(";"):
        name, equals, value = part.partition("=")
        if equals and (name != name.rstrip() or value != value.lstrip()):
            raise Malformed(f"it has white space beside the = of {part.strip()}")
    return _by_name(_tag_list(text))


def invalid_policy_lines(policy: str) -> list[str]:
    """Return the lines of a policy that are no fields (RFC 8461 section 3.2).

    If there is one, strict senders ignore the whole policy.
    """
    return [
        line for line in policy.splitlines() if line.strip() and not _POLICY_FIELD.fullmatch(line)
    ]


def mta_sts_policy(text: str) -> tuple[dict[str, str], list[str]]:
    """Return the fields of a policy and its ``mx`` patterns (RFC 8461 section 3.2).

    ``mx`` may be there several times. Of any other field that is there twice, the first one counts.
    Names of fields are case-sensitive.
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
