# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/getting-started.md leads from nothing to verified mail.

molecule/platform/first_hour followed the page before these hosts were configured, when they had
nothing but Debian. Here its results are reported, one test for each.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from ansible_collections.reseller.mail.tests.support.started_page import SECTIONS
from client import BUILD

REPORT = BUILD / "first_hour.xml"


def results() -> dict[str, str]:
    """Return why each test of first_hour did not pass, by its name; empty if it passed."""
    if not REPORT.exists():
        return {}
    found = {}
    for case in ET.parse(REPORT).iter("testcase"):
        bad = [one for kind in ("failure", "error", "skipped") for one in case.findall(kind)]
        found[case.get("name", "")] = "\n".join(
            f"{one.get('message', '')}\n{one.text or ''}" for one in bad
        )
    return found


RESULTS = results()


def test_every_section_of_the_page_was_tried() -> None:
    tried = {name for name in RESULTS if name.startswith("test_a_section_of_the_page[")}
    assert tried == {f"test_a_section_of_the_page[{title}]" for title in SECTIONS}


@pytest.mark.parametrize("name", RESULTS)
def test_the_first_hour(name: str) -> None:
    assert not RESULTS[name], RESULTS[name]
