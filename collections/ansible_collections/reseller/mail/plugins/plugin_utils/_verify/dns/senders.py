# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare SPF record sets and DKIM keys. ``_dns/spf.py`` evaluates SPF records as receivers do.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import base64
import binascii
import re
import typing as t

from ..._dns.rrset import is_spf
from ..._dns.text_records import Malformed, dkim_key
from .catalogue import Defect
from .merge_answers import lines

if t.TYPE_CHECKING:
    from ..._dns.query import Reply
    from .questions import Question

LEAST_BITS = 2048
_HAS_KEY = re.compile(r"(?:^|;)\s*p\s*=", re.IGNORECASE)
_RSA = bytes.fromhex("06092a864886f70d010101")
"""The object identifier rsaEncryption in a SubjectPublicKeyInfo (RFC 3279 section 2.3.1)."""


def spf(question: Question, reply: Reply) -> t.Iterator[Defect]:
    """Yield what is wrong with the number of a tenant's SPF records. The tenant may add senders."""
    found = sorted(filter(is_spf, reply.values))
    if not found:
        yield Defect("dns.spf_missing", "no SPF record", question.lines)
    elif len(found) > 1:
        yield _two("dns.spf_two", question, reply, found)


def exact(question: Question, reply: Reply) -> t.Iterator[Defect]:
    """Yield what is wrong with an SPF record that no tenant may change: its terms must match."""
    found = sorted(filter(is_spf, reply.values))
    want = question.value.lower().split()
    if not found:
        yield Defect(f"{question.group}_missing", "no SPF record", question.lines)
    elif len(found) > 1:
        yield _two(
            (
                "dns.provider_spf_two"
                if question.group == "dns.provider_spf"
                else f"{question.group}_other"
            ),
            question,
            reply,
            found,
        )
    elif (
        sorted(found[0].lower().split()[:-1]) != sorted(want[:-1])
        or found[0].lower().split()[-1] != want[-1]
    ):
        yield Defect(
            f"{question.group}_other", found[0], question.lines, lines(question, reply, found)
        )


def _two(id_: str, question: Question, reply: Reply, found: t.Sequence[str]) -> Defect:
    """Return the defect about several SPF records."""
    there = [value for value in found if value in question.values]
    extra = [value for value in found if value not in question.values]
    return Defect(
        id_,
        f"{len(found)} SPF records: {' | '.join(found)}",
        () if there else question.lines,
        lines(question, reply, extra),
    )


def dkim(question: Question, reply: Reply) -> t.Iterator[Defect]:
    """Yield what is wrong with the key at one selector (RFC 6376 section 3.6.1)."""
    gone = lines(question, reply, reply.values)
    if not question.values:
        if any(map(_HAS_KEY.search, reply.values)):
            yield Defect("dns.dkim_removed", f"{question.name} still has a key", remove=gone)
        return
    want = dkim_key(question.value)
    if not reply.values:
        id_ = "dns.dkim_ed25519_missing" if want.get("k") == "ed25519" else "dns.dkim_missing"
        yield Defect(
            id_,
            f"no key at {question.name}{f' ({reply.why})' if reply.why == 'NXDOMAIN' else ''}",
            question.lines,
        )
        return
    if (
        len(reply.values) > 1
    ):  # RFC 6376 section 3.6.2.2: the result is undefined, and OpenDKIM reports an error
        there = question.values & reply.values
        found = f"{len(reply.values)} TXT records at {question.name}"
        yield Defect(
            "dns.dkim_two",
            found,
            () if there else question.lines,
            lines(question, reply, reply.values - question.values),
        )
        return
    try:
        fault = _key_fault(want, dkim_key(min(reply.values)))
    except Malformed as error:
        fault = ("dns.dkim_broken", str(error))
    if fault:
        yield Defect(fault[0], f"{question.name}: {fault[1]}", question.lines, gone)


def _key_fault(want: t.Mapping[str, str], have: t.Mapping[str, str]) -> t.Optional[tuple[str, str]]:
    """Return the finding's id and text about a key record that differs; None if none does."""
    wanted, key = want["p"], have["p"]
    if not wanted and key:
        return "dns.dkim_unrevoked", "the key that the node has revoked"
    if wanted and not key:
        return "dns.dkim_revoked", "a revoked key (empty p=)"
    if key != wanted:
        raw = _decoded(key)
        bits = None if raw is None or have.get("k", "rsa") != "rsa" else _rsa_bits(raw)
        if raw is None:
            return "dns.dkim_broken", "p= is not base64"
        if have.get("k", "rsa") == "rsa" and bits is None:
            return "dns.dkim_broken", "p= has no RSA key"
        if bits is not None and bits < LEAST_BITS:
            return "dns.dkim_short", f"an RSA key of {bits} bits"
        return "dns.dkim_other", "not the key that the node signs with"
    why = unusable(have, want.get("k", "rsa"))
    if why:
        return "dns.dkim_broken", why
    if "y" in _listed(have.get("t", "")):
        return "dns.dkim_testing", "t=y"
    return None


def unusable(have: t.Mapping[str, str], algorithm: str) -> str:
    """Return why verifiers ignore a record with the right key (RFC 6376 section 3.6.1); empty if
    they use it."""
    if have.get("k", "rsa") != algorithm:
        return f"the right key, with the type {have.get('k', 'rsa')}"
    if "sha256" not in _listed(have.get("h", "sha256")):
        return f"the right key, for signatures by {have['h']} only"
    if not {"*", "email"} & _listed(have.get("s", "*")):
        return f"the right key, for {have['s']} and not for mail"
    return ""


def _listed(value: str) -> set[str]:
    """Return the words of a tag, which colons separate."""
    return {word.strip() for word in value.split(":")}


def _decoded(text: str) -> t.Optional[bytes]:
    """Return the bytes of a base64 text; None if it is none."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _rsa_bits(raw: bytes) -> t.Optional[int]:
    """Return the bits of the modulus of an RSA key; None if it is no RSA key.

    ``raw`` is a SubjectPublicKeyInfo (RFC 3279 section 2.3.1), or the RSAPublicKey alone, which
    some publish. In the first, a BIT STRING with a zero byte follows the algorithm. In both, a
    SEQUENCE begins with the modulus as an INTEGER.
    """
    place = raw.find(_RSA)
    rest = raw[place + len(_RSA) + 2 :] if place >= 0 else raw
    try:
        for tag in (0x03, 0x30, 0x02) if place >= 0 else (0x30, 0x02):
            if rest[0] != tag:
                return None
            length, skip = (
                (rest[1], 2)
                if rest[1] < 0x80
                else (int.from_bytes(rest[2 : 2 + (rest[1] & 0x7F)], "big"), 2 + (rest[1] & 0x7F))
            )
            rest = rest[skip : skip + length][1 if tag == 0x03 else 0 :]
    except IndexError:
        return None
    return int.from_bytes(rest, "big").bit_length() or None
