# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages of three tenants, made from the example estate and served with the nodes' headers, and a
browser to look at them."""

from __future__ import annotations

import functools
import http.server
import json
import re
import shutil
import sys
import threading
import typing as t
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils import _guide
from ansible_collections.reseller.mail.plugins.plugin_utils._load import load
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.finding import Finding

sys.path.insert(0, str(Path(__file__).parent))
from browsing import HOSTILE, KEY, LEFT, Browser

COLLECTION = Path(__file__).parents[2]
PROJECT = COLLECTION.parents[3]
CHECKED = "2026-11-21T14:00:00Z"


def headers() -> dict[str, str]:
    """What nginx sends with the pages, from the role's own template."""
    template = (COLLECTION / "roles/guide/templates/guide.nginx.conf.j2").read_text(
        encoding="utf-8"
    )
    return {
        name: value.strip('"')
        for name, value in re.findall(r'add_header (\S+) ("[^"]+"|\S+) always;', template)
    }


@pytest.fixture(scope="session")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the example estate with a tenant that looks after its own DNS, one with a hostile
    name, and one in French with bright colours. One domain is suspended, one has no address."""
    folder = tmp_path_factory.mktemp("guide") / "estate"
    shutil.copytree(PROJECT / "estates" / "example", folder)
    tenants = folder / "tenants"
    _change(tenants / "initech/account.yml", r"^managed_domains: .*$", "managed_domains: []")
    _change(
        tenants / "globex/account.yml",
        "organisation: Globex",
        f"organisation: {json.dumps(HOSTILE)}",
    )
    _change(tenants / "globex/globex.example.yml", "mta_sts:", "locale: de\nmta_sts:")
    branding = (
        'name: "<b>Acme</b> & Fils", colour: "#ffe600", support_url:'
        ' "https://acme.example/aide"}\nlocale: fr-CH'
    )
    _change(tenants / "acme/acme.example.yml", "name: Acme Mail}", branding)
    _change(
        tenants / "acme/account.yml",
        "^domains: ",
        "suspended_domains: [acme-shop.example]\ndomains: ",
    )
    _change(tenants / "initech/account.yml", "^domains: .", "domains: [parked.example, ")
    (tenants / "initech/parked.example.yml").write_text("mailboxes: []\n", encoding="utf-8")
    (folder / "state").mkdir(exist_ok=True)
    selectors = {"mx2": "active", "mx2-2": "published"}
    keys = [
        {"domain": "initech.example", "selector": selector, "public": KEY, "state": state}
        for selector, state in selectors.items()
    ]
    (folder / "state/mx2.json").write_text(
        json.dumps({"node": "mx2", "dkim": keys}), encoding="utf-8"
    )
    return folder


def _change(path: Path, old: str, new: str) -> None:
    text, count = re.subn(old, lambda _found: new, path.read_text(encoding="utf-8"), flags=re.M)
    assert count == 1, f"{old} stands {count} times in {path}"
    path.write_text(text, encoding="utf-8")


@pytest.fixture(scope="session")
def findings() -> list[Finding]:
    def found(
        id_: str, subject: str, state: str, expected: str = "", what: str = "", remedy: str = ""
    ) -> Finding:
        return Finding(id_, subject, state, expected, what, remedy)

    line = 'initech.example. 3600 IN TXT "v=spf1 include:hosting.example -all"'
    return [
        found(
            "dns.servers",
            "initech.example",
            "ok",
            what="ada.ns.cloudflare.com (192.0.2.1), bob.ns.cloudflare.com (192.0.2.2)",
        ),
        found("dns.mx", "initech.example", "ok"),
        found(
            "dns.spf_two",
            "initech.example",
            "fail",
            line,
            "v=spf1 a ~all | \u202e<img src=x onerror=alert(1)>",
            f'remove initech.example. 300 IN TXT "v=spf1 a ~all"\npublish {line}',
        ),
        found(
            "dns.leftover_dkim",
            "initech.example",
            "warn",
            what="selector1._domainkey.initech.example (Microsoft 365)",
            remedy=f"remove {LEFT}",
        ),
        found(
            "dns.dnssec_unsigned",
            "initech.example",
            "warn",
            what="not signed",
            remedy="sign initech.example at its DNS host",
        ),
        found(
            "dns.dkim_missing",
            "initech.example",
            "fail",
            f'mx2-2._domainkey.initech.example. 3600 IN TXT "v=DKIM1; k=rsa; p={KEY[:60]}… (500'
            " characters)",
        ),
        found("dns.dmarc_policy", "initech.example", "warn", what="v=DMARC1; p=reject"),
        found("dns.mta_sts", "acme.example", "blocked", what="the policy cannot be fetched"),
        found("dns.null_mx", "acme.example", "na"),
        found("dns.mx_priority", "acme-shop.example", "warn"),
        found("dns.null_mx_missing", "parked.example", "fail"),
        *(
            found(id_, "globex.example", "ok")
            for id_ in (
                "dns.mx",
                "dns.spf",
                "dns.dmarc",
                "dns.mta_sts",
                "dns.address",
                "dns.tls_rpt",
            )
        ),
    ]


@pytest.fixture(scope="session")
def pages(estate: Path, findings: list[Finding], tmp_path_factory: pytest.TempPathFactory) -> Path:
    model, faults = load(str(estate))
    assert model is not None, faults
    source = COLLECTION / "plugins/plugin_utils/_guide"
    made = _guide.make(
        model, findings, CHECKED, {name: (source / name).read_bytes() for name in _guide.ASSETS}
    )
    folder = tmp_path_factory.mktemp("guide") / "pages"
    for name, content in made.files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


@pytest.fixture(scope="session")
def site(pages: Path) -> t.Iterator[str]:
    """A server with the headers of the nodes; a browser trusts localhost as it does HTTPS."""
    sent = headers()
    assert "Content-Security-Policy" in sent

    class Handler(http.server.SimpleHTTPRequestHandler):
        def end_headers(self) -> None:
            for name, value in sent.items():
                if name != "Strict-Transport-Security":
                    self.send_header(name, value)
            super().end_headers()

        def log_message(self, format: str, *args: t.Any) -> None:
            """Quiet."""

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Handler, directory=str(pages))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()


@pytest.fixture(scope="session")
def browser(site: str) -> t.Iterator[Browser]:
    browser = Browser(site)
    yield browser
    browser.driver.quit()
