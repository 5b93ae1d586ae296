# SPDX-License-Identifier: GPL-3.0-or-later
"""The browser, and words that the tests look for.

BROWSER_SHOTS=folder keeps a picture of every page that is looked at.
"""

from __future__ import annotations

import os
import shutil
import typing as t
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

KEY = "MIIB" + "A7b+" * 88
LEFT = 'selector1._domainkey.initech.example. 300 IN TXT "v=DKIM1; p=<img src=x onerror=alert(2)>"'
HOSTILE = '<script>alert(1)</script> & "Söhne" \'gnp'


class Browser:
    """Chromium without a window."""

    def __init__(self, site: str) -> None:
        options = Options()
        options.binary_location = shutil.which("chromium") or "chromium"
        for argument in (
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--disable-dev-shm-usage",
        ):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(
            options=options, service=Service(shutil.which("chromedriver") or "chromedriver")
        )
        self.site = site
        self.driver.execute_cdp_cmd(
            "Browser.grantPermissions",
            {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"], "origin": site},
        )

    def open(self, path: str, width: int = 1100, dark: bool = False, reduced: bool = False) -> None:
        self.look(width, dark, reduced)
        self.driver.get(f"{self.site}/{path}")
        if os.environ.get("BROWSER_SHOTS"):
            self.shot(f"{path.replace('/', '_')}-{width}-{'dark' if dark else 'light'}.png", width)

    def look(self, width: int = 1100, dark: bool = False, reduced: bool = False) -> None:
        """From now on with other eyes, also at the page that is open."""
        features = [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce" if reduced else "no-preference"},
        ]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500},
        )

    def shot(self, name: str, width: int) -> None:
        height = min(self.run("return document.documentElement.scrollHeight"), 8000)
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500},
        )
        folder = Path(os.environ["BROWSER_SHOTS"])
        folder.mkdir(parents=True, exist_ok=True)
        self.driver.save_screenshot(str(folder / name))

    def run(self, script: str, *arguments: t.Any) -> t.Any:
        return self.driver.execute_script(script, *arguments)

    def wait(self, script: str, *arguments: t.Any) -> t.Any:
        """What a promise comes to."""
        return self.driver.execute_async_script(
            f"const done = arguments[arguments.length - 1]; ({script})(...arguments).then(done, (e)"
            " => done('error: ' + e))",
            *arguments,
        )
