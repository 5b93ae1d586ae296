# SPDX-License-Identifier: GPL-3.0-or-later
"""DKIM keys of a host: what there is, what is missing, what is lost.

PRIVATE to the collection. Pure: no Ansible, no files, no clock, no randomness.
"""

from __future__ import annotations

import base64
import binascii
import typing as t
from dataclasses import dataclass

BITS = 2048
"""What every verifier takes (RFC 8301 section 3.2) and still fits a UDP answer."""


@dataclass(frozen=True, slots=True, order=True)
class KeyName:
    """Which key: a domain's, under a selector."""

    domain: str
    selector: str

    def __str__(self) -> str:
        return f"{self.selector}._domainkey.{self.domain}"


@dataclass(frozen=True, slots=True)
class Found:
    """What lies on the host for one key: whether its private half is there, and the public half noted beside it."""

    private: bool
    public: str


@dataclass(frozen=True, slots=True)
class Plan:
    """``create`` makes new keys, ``note`` writes down the public half of a private key, ``lost`` waits for the operator."""

    create: tuple[KeyName, ...]
    note: tuple[KeyName, ...]
    lost: tuple[KeyName, ...]

    def lines(self, replaced: t.Container[KeyName] = ()) -> str:
        """The diff, in the user's words."""
        said = [*(f"{'~' if key in replaced else '+'} dkim key {key}" for key in self.create), *(f"~ dkim key {key} public half noted" for key in self.note)]
        return "".join(f"{line}\n" for line in sorted(said, key=lambda line: line[2:]))


def plan(wanted: t.Iterable[KeyName], found: t.Mapping[KeyName, Found], recreate: t.Container[str]) -> Plan:
    """A key whose public half was noted and whose private half is gone is never made anew unasked: the world would be
    told to verify with another key than the one that signs."""
    create, note, lost = [], [], []
    for key in sorted(set(wanted)):
        have = found.get(key, Found(False, ""))
        if have.private and not have.public:
            note.append(key)
        elif not have.private and (not have.public or key.domain in recreate):
            create.append(key)
        elif not have.private:
            lost.append(key)
    return Plan(tuple(create), tuple(note), tuple(lost))


def public_half(pem: str) -> str:
    """The p= tag (RFC 6376 section 3.6.1) of a public key in PEM; ValueError when it is none."""
    body = [line.strip() for line in pem.strip().splitlines()]
    if len(body) < 3 or body[0] != "-----BEGIN PUBLIC KEY-----" or body[-1] != "-----END PUBLIC KEY-----":
        raise ValueError("not a public key in PEM")
    text = "".join(body[1:-1])
    try:
        base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"not a public key in PEM: {error}") from error
    return text
