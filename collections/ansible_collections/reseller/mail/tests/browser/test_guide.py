# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide as people meet it: three tenants, one whose DNS we write, one that writes its own, one
with a hostile name."""

from __future__ import annotations

import itertools
import typing as t
from pathlib import Path

import axe_core_python
import pytest
from browsing import HOSTILE, KEY, LEFT, Browser
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

PAGES = ("acme.example/index.html", "initech.example/index.html", "globex.example/index.html")
OTHERS = (
    "initech.example/de.html",
    "xn--bcher-umbrella-gsb.example/index.html",
    "legacy.initech.example/fr.html",
    "acme-shop.example/index.html",
    "parked.example/de.html",
    "index.html",
)
COLOURS = (*PAGES, "index.html")
"""Pages with colours of their own, which their dark sides have, too; languages make no
difference."""
AXE = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest, browser: Browser) -> str:
    browser.open(request.param, reduced=True)
    return str(request.param)


def pressed(browser: Browser, *keys: str) -> None:
    ActionChains(browser.driver).send_keys(*keys).perform()


def clipboard(browser: Browser) -> str:
    """What is in it once the page says that it has copied."""
    browser.wait("""async () => {
        for (let i = 0; i < 100 && !document.getElementById('status').textContent; i++) await new Promise((r) => setTimeout(r, 20));
    }""")
    assert browser.run("return document.getElementById('status').textContent")
    return str(browser.wait("() => navigator.clipboard.readText()"))


def test_every_value_has_a_button_that_copies_just_it(page: str, browser: Browser) -> None:
    values = browser.driver.find_elements(By.CSS_SELECTOR, "code[data-copy]")
    buttons = browser.driver.find_elements(By.CSS_SELECTOR, "code[data-copy] + button.copy")
    assert len(values) == len(buttons) > 30
    shown = (pair for pair in zip(values, buttons, strict=True) if pair[1].is_displayed())
    for value, button in itertools.islice(
        shown, 6
    ):  # of the first records: name, type, priority, target
        browser.wait("() => navigator.clipboard.writeText('nothing')")
        browser.run("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", button)
        browser.run("document.getElementById('status').textContent = ''")
        button.click()
        assert clipboard(browser) == value.get_property("textContent")


def test_a_long_key_is_copied_whole(browser: Browser) -> None:
    browser.open("initech.example/index.html")
    browser.run("document.querySelector('#dkim .record code[data-copy=Value] + button').click()")
    assert clipboard(browser) == f"v=DKIM1; k=rsa; p={KEY}"


def test_every_record_has_its_state_in_words_with_a_sign(page: str, browser: Browser) -> None:
    found = browser.run(
        """return [...document.querySelectorAll('.card')].map((card) => ({
        records: card.querySelectorAll('.record').length,
        pills: [...card.querySelectorAll('.pill')].map((pill) => [pill.textContent.trim(), pill.querySelector('svg use') !== null])}))"""
    )
    assert found
    for card in found:
        assert len(card["pills"]) == 1 + (card["records"] if card["records"] > 1 else 0)
        assert all(word and sign for word, sign in card["pills"])


def test_the_states_are_those_of_the_findings(browser: Browser) -> None:
    browser.open("initech.example/index.html")
    states = browser.run(
        "return Object.fromEntries([...document.querySelectorAll('.card')].map((c) => [c.id,"
        " c.querySelector('.pill').textContent.trim()]))"
    )
    assert {key: states[key] for key in ("mx", "spf", "dmarc", "srv")} == {
        "mx": "In order",
        "spf": "To be done",
        "dmarc": "Have a look",
        "srv": "Not checked",
    }
    keys = browser.run("""return [...document.querySelectorAll('#dkim .record')]
        .map((r) => [r.querySelector('code').textContent, r.querySelector('.pill').textContent])""")
    assert keys == [["mx2-2._domainkey", "To be done"], ["mx2._domainkey", "In order"]]
    assert "Cloudflare" in browser.driver.find_element(By.CSS_SELECTOR, ".hint").text
    assert (
        "There are several SPF records"
        in browser.driver.find_element(By.CSS_SELECTOR, "#spf .finding .wrong").text
    )


def test_what_is_to_be_deleted_is_copied_as_it_is(browser: Browser) -> None:
    browser.open("initech.example/index.html")
    assert browser.run(
        "return document.querySelector('#golive ~ * a[href=\"#dns.leftover\"]') !== null"
    )
    code, button = (
        browser.driver.find_element(By.CSS_SELECTOR, f".card[id='dns.leftover'] .finding {which}")
        for which in ("code", "button.copy")
    )
    browser.run("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", button)
    button.click()
    assert clipboard(browser) == code.get_property("textContent") == LEFT
    browser.open("initech.example/de.html")
    assert (
        "Es gibt mehrere SPF-Einträge."
        in browser.driver.find_element(By.CSS_SELECTOR, "#spf .finding").text
    )


def test_a_tenant_s_words_and_answers_from_dns_are_text(browser: Browser) -> None:
    browser.open("globex.example/index.html")
    assert (
        browser.run("return document.querySelector('.lead bdi + *, .lead .quiet bdi').textContent")
        == HOSTILE
    )
    browser.open("acme.example/index.html")
    assert browser.driver.find_element(By.CSS_SELECTOR, ".brand").text == "<b>Acme</b> & Fils"
    for path in PAGES:
        browser.open(path)
        assert browser.run(
            "return [document.scripts.length, document.querySelectorAll('img, b, [onerror],"
            " [style]').length]"
        ) == [1, 0]


@pytest.fixture(scope="module", params=[*PAGES, *OTHERS])
def opened(request: pytest.FixtureRequest, browser: Browser) -> str:
    """A page with everything unfolded, loaded once for all that is only looked at."""
    browser.open(request.param, reduced=True)
    browser.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    browser.run(AXE)
    return str(request.param)


def violations(browser: Browser, *rules: str) -> list[t.Any]:
    """What deque's rules object to; only that is carried out of the browser, which would take
    longer than the measuring."""
    measured, found = browser.wait(
        """async (rules) => {
        const result = await axe.run(document, {runOnly: rules, resultTypes: ['violations'], ancestry: false, xpath: false, elementRef: false});
        return [result.passes.concat(result.violations).some((rule) => rule.id === 'color-contrast'),
                result.violations.map((rule) => [rule.id, rule.nodes.slice(0, 3).map((node) => node.html.slice(0, 160))])];
    }""",
        list(rules),
    )
    assert measured, "contrast was not measured"
    return list(found)


def test_nothing_is_loaded_from_elsewhere_and_nothing_is_refused(
    browser: Browser, site: str, opened: str
) -> None:
    loaded = browser.run("return performance.getEntriesByType('resource').map((one) => one.name)")
    assert len(loaded) >= 3  # two styles and the script
    assert [url for url in loaded if not url.startswith((site, "data:"))] == []
    assert [
        entry["message"]
        for entry in browser.driver.get_log("browser")
        if "favicon" not in entry["message"]
    ] == []


def test_accessible_by_deque_s_rules(browser: Browser, opened: str) -> None:
    """Among them contrast (WCAG 1.4.3); names of buttons, order of headings, landmarks,
    language."""
    browser.look(reduced=True)
    assert violations(browser, "wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice") == []
    if opened in COLOURS:
        browser.look(dark=True, reduced=True)
        assert violations(browser, "color-contrast") == []


APART = """return [...document.querySelectorAll('code[data-copy] + button.copy')].filter((button) => {
    const value = button.previousSibling.getBoundingClientRect(), own = button.getBoundingClientRect();
    return own.top > value.bottom - 4 || own.left < value.right || own.left > value.right + 12;
}).map((button) => button.getAttribute('aria-label'))"""
"""The buttons that are not beside their value."""


@pytest.mark.parametrize("width", [1100, 390])
def test_a_button_is_beside_its_value(browser: Browser, opened: str, width: int) -> None:
    browser.look(width=width)
    assert browser.run(APART) == []


def test_a_telephone_needs_no_sideways_scrolling(browser: Browser, opened: str) -> None:
    browser.look(width=360)
    wide = (
        "return [...document.querySelectorAll('main *')].filter((e) =>"
        " e.getBoundingClientRect().right > 361).map((e) => e.outerHTML.slice(0, 120))"
    )
    assert browser.run("return document.documentElement.scrollWidth") <= 360, browser.run(wide)
    assert browser.run(wide) == []


def test_the_keyboard_reaches_everything_in_order_and_shows_where_it_is(
    page: str, browser: Browser
) -> None:
    pressed(browser, Keys.TAB)
    assert browser.run("return document.activeElement.className") == "skip"
    assert browser.run("return document.activeElement.getBoundingClientRect().top") >= 0
    pressed(browser, Keys.ENTER)
    assert browser.run("return document.activeElement.id") == "main"
    seen: list[t.Any] = []
    for _step in range(15):
        pressed(browser, Keys.TAB)
        seen.append(
            browser.run(
                """const e = document.activeElement, s = getComputedStyle(e);
            const all = [...document.querySelectorAll('a, button, summary')];
            return [all.indexOf(e), s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2]"""
            )
        )
    assert [index for index, _outlined in seen] == sorted({index for index, _outlined in seen}), (
        "focus jumps"
    )
    assert all(outlined for _index, outlined in seen), "focus cannot be seen"


def test_a_button_is_pressed_by_keyboard(browser: Browser) -> None:
    browser.open("initech.example/index.html")
    browser.run("document.querySelector('#mx button.copy').focus()")
    pressed(browser, Keys.ENTER)
    assert clipboard(browser) == "@"


def test_languages_are_files_of_their_own(browser: Browser) -> None:
    browser.open("acme.example/index.html")
    assert browser.run("return document.documentElement.lang") == "fr"
    for language, words in (
        ("de", "Was noch zu tun ist"),
        ("en", "What is left"),
        ("fr", "Ce qui reste à faire"),
    ):
        browser.driver.find_element(By.CSS_SELECTOR, f"nav a[hreflang={language}]").click()
        assert browser.run("return document.documentElement.lang") == language
        assert browser.driver.find_element(By.ID, "golive").text == words
        assert (
            browser.driver.find_element(By.CSS_SELECTOR, "nav a[aria-current]").get_attribute(
                "hreflang"
            )
            == language
        )


def test_without_script_everything_is_there_but_the_buttons(browser: Browser) -> None:
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.open("initech.example/index.html")
        assert browser.driver.find_elements(By.CSS_SELECTOR, "button") == []
        assert browser.driver.find_element(By.CSS_SELECTOR, "#spf .record").is_displayed()
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_less_motion_where_it_is_wished(browser: Browser) -> None:
    browser.open("initech.example/index.html", reduced=True)
    motion = """return [getComputedStyle(document.documentElement).scrollBehavior, getComputedStyle(document.querySelector('.copy')).transitionDuration]"""
    assert browser.run(motion) == ["auto", "0s"]


def test_the_provider_sees_what_is_worst_first(browser: Browser) -> None:
    browser.open("index.html")
    rows = browser.run("""return [...document.querySelectorAll('.overview tbody tr')]
        .map((r) => [r.querySelector('th').textContent, r.querySelector('.pill').className])""")
    assert rows[0] == ["initech.example", "pill is-fail"]
    browser.driver.find_element(By.CSS_SELECTOR, ".overview tbody a").click()
    assert browser.driver.find_element(By.CSS_SELECTOR, "h1").text == "initech.example"


def test_paper_shows_all_values_and_no_buttons(browser: Browser) -> None:
    browser.open("initech.example/index.html", dark=True)
    browser.driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"media": "print", "features": [{"name": "prefers-color-scheme", "value": "dark"}]},
    )
    shown = browser.run("""return [getComputedStyle(document.body).backgroundColor,
        [...document.querySelectorAll('.copy, nav')].filter((e) => e.offsetParent).length]""")
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert shown == ["rgb(255, 255, 255)", 0]
