# SPDX-License-Identifier: GPL-3.0-or-later
"""The welcome pack as people open it: from a file, light and dark, on wide and narrow screens."""

from __future__ import annotations

from pathlib import Path

import axe_core_python
import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils import _guide, _welcome
from ansible_collections.reseller.mail.plugins.plugin_utils._load import load
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.finding import Finding
from ansible_collections.reseller.mail.plugins.plugin_utils._welcome.contracts import Contract
from browsing import HOSTILE, Browser

AXE = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
PAGES = (
    "acme/letter.html",
    "acme/acme.example/mailboxes/jo.html",
    "globex/letter.html",
    "globex/globex.example/golive.html",
    "initech/initech.example/dns.html",
)
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice")
LOGO = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 1"><rect width="4" height="1"/></svg>'
)


@pytest.fixture(scope="module")
def packs(estate: Path, findings: list[Finding], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the packs of three tenants, one with a hostile name."""
    model, faults = load(str(estate))
    assert model is not None, faults
    styles = (
        Path(_guide.__file__).with_name("guide.css"),
        Path(_welcome.__file__).with_name(_welcome.STYLE),
    )
    guide_css, css = (path.read_text(encoding="utf-8") for path in styles)
    contracts = {"acme": Contract("Acme", "Courrier", currency="EUR", payment=HOSTILE)}
    logos = {"initech": (".svg", LOGO)}
    inputs = _welcome.Inputs(
        findings, "2026-11-21T14:00:00Z", contracts, logos, guide_css, css, verified=False
    )
    folder = tmp_path_factory.mktemp("welcome")
    for pack in _welcome.packs(model, inputs):
        for name, content in pack.files.items():
            path = folder / pack.tenant / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return folder


def violations(browser: Browser, *rules: str) -> list[object]:
    """Return what deque's rules object to."""
    return list(
        browser.wait(
            """async (rules) => (await axe.run(document, {runOnly: rules})).violations.map(
            (rule) => [rule.id, rule.nodes.slice(0, 3).map((node) => node.html.slice(0, 160))])""",
            list(rules),
        )
    )


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_readable_and_loads_nothing(page: str, packs: Path, browser: Browser) -> None:
    browser.driver.get_log("browser")  # what other pages have written
    browser.look(reduced=True)
    browser.driver.get(f"file://{packs / page}")
    assert (
        browser.run(
            "return performance.getEntriesByType('resource').map((one) => one.name)\
        .filter((name) => !name.startsWith('data:'))"
        )
        == []
    )
    assert [entry["message"] for entry in browser.driver.get_log("browser")] == []
    browser.run(AXE)
    assert violations(browser, *RULES) == []
    browser.look(dark=True, reduced=True)
    assert (
        browser.run("return getComputedStyle(document.body).backgroundColor") == "rgb(20, 24, 29)"
    )
    assert violations(browser, "color-contrast") == []
    for width in (1100, 360):
        browser.look(width)
        assert browser.run("return document.documentElement.scrollWidth") <= width


def test_texts_of_tenants_are_shown_as_they_are(packs: Path, browser: Browser) -> None:
    browser.driver.get(f"file://{packs / 'globex/letter.html'}")
    assert HOSTILE in browser.run("return document.body.innerText")
    browser.driver.get(f"file://{packs / 'acme/letter.html'}")
    assert HOSTILE in browser.run("return document.body.innerText")
    assert browser.run("return document.querySelectorAll('script, b').length") == 0


def test_a_logo_is_in_the_page(packs: Path, browser: Browser) -> None:
    browser.driver.get(f"file://{packs / 'initech/letter.html'}")
    assert browser.run("return document.querySelector('img.logo').naturalWidth") > 0


def test_paper_is_white_and_its_tables_have_columns(packs: Path, browser: Browser) -> None:
    dark = [{"name": "prefers-color-scheme", "value": "dark"}]
    browser.look(360)
    browser.driver.get(f"file://{packs / 'acme/letter.html'}")
    emulate = browser.driver.execute_cdp_cmd
    emulate("Emulation.setEmulatedMedia", {"media": "print", "features": dark})
    try:
        style = "return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]]"
        assert browser.run(style, "body", "backgroundColor") == "rgb(255, 255, 255)"
        assert browser.run(style, "td", "display") == "table-cell"
    finally:
        emulate("Emulation.setEmulatedMedia", {"media": ""})
