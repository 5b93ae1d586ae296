# SPDX-License-Identifier: GPL-3.0-or-later
"""Which fields OpenDKIM signs, as the role's template lists them."""

from __future__ import annotations

import re
from pathlib import Path

ROLE = Path(__file__).parents[3] / "roles/opendkim"
TEXT = (ROLE / "templates/instance.conf.j2").read_text(encoding="utf-8")
RFC_6376 = {
    "From",
    "Reply-To",
    "Subject",
    "Date",
    "To",
    "Cc",
    "Resent-Date",
    "Resent-From",
    "Resent-To",
    "Resent-Cc",
    "In-Reply-To",
    "References",
    "List-Id",
    "List-Help",
    "List-Unsubscribe",
    "List-Subscribe",
    "List-Post",
    "List-Owner",
    "List-Archive",
}
"""RFC 6376 section 5.4.1, which is what OpenDKIM signs by itself."""


def fields(setting: str) -> list[str]:
    (value,) = re.findall(rf"^{setting} (\S+)$", TEXT, re.M)
    return value.split(",")


def test_what_the_standard_names_is_signed_and_what_others_change_is_not() -> None:
    signed = fields("SignHeaders")
    assert len(signed) == len(set(signed))
    assert set(signed) > RFC_6376 | {
        "Message-ID",
        "List-Unsubscribe-Post",
        "MIME-Version",
        "Content-Type",
    }
    assert not {
        "Received",
        "Return-Path",
        "Sender",
        "DKIM-Signature",
        "Authentication-Results",
        "Bcc",
    } & set(signed)


def test_only_signed_fields_are_oversigned_and_none_that_mailing_lists_add() -> None:
    """opendkim.conf(5): a name in OversignHeaders that SignHeaders lacks makes invalid
    signatures."""
    oversigned = fields("OversignHeaders")
    assert set(oversigned) < set(fields("SignHeaders"))
    assert set(oversigned) > {"From", "Subject", "To", "Cc", "Date", "Reply-To"}
    assert not [name for name in oversigned if name.startswith(("List-", "Resent-"))]
