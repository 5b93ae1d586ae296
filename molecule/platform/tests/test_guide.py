# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide on the nodes: to each tenant its own."""

from __future__ import annotations

import csv
import json
import shlex
import typing as t
from pathlib import Path

import pytest
from client import Host, ansible, wait_until
from test_bans import GUESSER, OWNER, banned, networks  # noqa: F401  the first fixture is used by itself

TENANTS = {
    "acme": ("mx1", "acme.example"),
    "globex": ("mx2", "globex.example"),
    "initech": ("mx2", "initech.example"),
}


class Guide:
    """The pages as `outside` gets them."""

    def __init__(self, passwords: t.Mapping[str, str]) -> None:
        self._outside = Host("outside")
        self._passwords = passwords

    def get(self, path: str, tenant: str = "", node: str = "mx2", *options: str) -> str:
        """Status, headers and content."""
        who = ["--user", f"{tenant}:{self._passwords[tenant]}"] if tenant else []
        return self._outside.output(
            shlex.join(
                [
                    "curl",
                    "--silent",
                    "--include",
                    "--path-as-is",
                    *who,
                    *options,
                    f"https://{node}.hosting.example{path}",
                ]
            )
        )

    def status(self, path: str, tenant: str = "", node: str = "mx2") -> int:
        return int(self.get(path, tenant, node).split()[1])


def converge(folder: Path, *arguments: str) -> t.Any:
    extra = {
        "guide_initial_passwords": f"{folder}/{{{{ mail_node }}}}.csv",
        "guide_report": f"{folder}/report.json",
    }
    return ansible(
        "ansible-playbook",
        "playbooks/guide_site.yml",
        "--diff",
        "--extra-vars",
        json.dumps(extra),
        *arguments,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("guide")
    finding = {
        "id": "dns.mx",
        "subject": "acme.example",
        "state": "ok",
        "expected": "",
        "found": "",
        "remedy": "",
    }
    (folder / "report.json").write_text(
        json.dumps({"checked": "2026-11-21T14:00:00Z", "findings": [finding]}), encoding="utf-8"
    )
    return folder


@pytest.fixture(scope="module")
def guide(folder: Path) -> Guide:
    run = converge(folder, "--extra-vars", json.dumps({"guide_reset": ["acme"]}), "--limit", "mx1")
    assert run.rc == 0, run.output
    run = converge(
        folder, "--extra-vars", json.dumps({"guide_reset": ["globex", "initech"]}), "--limit", "mx2"
    )
    assert run.rc == 0, run.output
    passwords: dict[str, str] = {}
    for path in sorted(folder.glob("*.csv")):
        assert path.stat().st_mode & 0o777 == 0o600
        with path.open(newline="", encoding="utf-8") as lines:
            passwords.update((row["tenant"], row["password"]) for row in csv.DictReader(lines))
    assert set(TENANTS) <= set(passwords)
    assert not any(password in run.output for password in passwords.values())
    return Guide(passwords)


@pytest.mark.parametrize("tenant", TENANTS)
def test_a_tenant_opens_its_page_and_nobody_else_does(guide: Guide, tenant: str) -> None:
    node, domain = TENANTS[tenant]
    page = guide.get(f"/guide/{domain}/", tenant, node)
    assert page.startswith("HTTP/1.1 200")
    assert f"<title>Mail for {domain}</title>" in page
    assert guide.status(f"/guide/{domain}/", node=node) == 401
    for other in set(TENANTS) - {tenant}:
        assert guide.status(f"/guide/{domain}/", other, node) == 401
    assert guide.status(f"/guide/{domain}/de.html", tenant, node) == 200


@pytest.mark.parametrize("tenant", ["acme", "globex"])
def test_who_guesses_its_password_is_banned_from_the_web(
    guide: Guide, tenant: str, nodes: dict[str, Host]
) -> None:
    name, domain = TENANTS[tenant]
    outside, path = Host("outside"), f"/guide/{domain}/"

    def get(source: str, password: str) -> str:
        url = f"https://{name}.hosting.example{path}"
        command = (
            f"curl --silent --output /dev/null --write-out '%{{http_code}}' --interface {source}"
        )
        return outside.run(f"{command} --user {tenant}:{password} {url}", check=False).stdout

    try:
        assert {get(GUESSER, f"wrong-{number}") for number in range(20)} == {"401"}
        assert wait_until(lambda: GUESSER in banned(nodes[name], "reseller-mail-web"))
        assert get(GUESSER, "wrong") == "000", "no connection"
        assert get(OWNER, "wrong") == "401"
        assert guide.status(path, tenant, name) == 200
    finally:
        nodes[name].run("fail2ban-client unban --all")


def test_what_is_nobody_s_is_not_found_and_nothing_is_listed(guide: Guide) -> None:
    paths = [
        "/guide/",
        "/guide/unknown.example/",
        "/guide/acme.example/",
        "/guide/globex.example/access",
        "/guide/globex.example/pages/",
        "/guide/globex.example/../../access/initech",
        "/guide/globex.example/%2e%2e/initech.example/access",
        "/guide/globex.example/de.html/..",
        "/",
    ]
    assert {path: guide.status(path, "globex") for path in paths} == {
        **dict.fromkeys(paths, 404),
        "/guide/globex.example/de.html/..": 200,
    }


def test_pages_come_with_strict_headers_and_by_tls_only(guide: Guide) -> None:
    head = guide.get("/guide/globex.example/", "globex").partition("\r\n\r\n")[0].lower()
    assert (
        "content-security-policy: default-src 'none'; style-src 'self'; script-src 'self'" in head
    )
    for header in (
        "strict-transport-security:",
        "x-content-type-options: nosniff",
        "referrer-policy: no-referrer",
        "cache-control: private, no-cache",
    ):
        assert header in head
    plain = Host("outside").output(
        "curl --silent --include http://mx2.hosting.example/guide/globex.example/"
    )
    assert "200" not in plain.split("\r\n", maxsplit=1)[0]
    assert "globex.example" not in plain.partition("\r\n\r\n")[2]
    assert guide.get("/guide/globex.example/", "globex", "mx2", "--request", "POST").startswith(
        "HTTP/1.1 403"
    )


def test_a_node_keeps_hashes_that_only_the_web_server_reads(
    guide: Guide, nodes: dict[str, Host]
) -> None:
    for node in nodes.values():
        lines = node.output("cat /var/lib/reseller-mail/guide/access/*").split()
        assert lines
        assert all(line.partition(":")[2].startswith("$6$") for line in lines)
        assert set(
            node.output("stat -c '%U %G %a' /var/lib/reseller-mail/guide/access/*").splitlines()
        ) == {"root www-data 640"}


def test_a_second_run_changes_nothing_and_a_check_run_says_so(guide: Guide, folder: Path) -> None:
    for arguments in ((), ("--check",)):
        run = converge(folder, *arguments)
        assert run.rc == 0, run.output
        assert (run.changed("mx1"), run.changed("mx2")) == (0, 0), run.output


def test_a_renewed_certificate_is_read(guide: Guide, nodes: dict[str, Host]) -> None:
    node = nodes["mx2"]
    before = node.output(
        "systemctl show --property=StateChangeTimestampMonotonic reseller-mail-guide.service"
    )
    certificate = "/var/lib/reseller-mail/tls/mx2.hosting.example/fullchain.pem"
    node.run(f"cp -p {certificate} {certificate}.new && mv {certificate}.new {certificate}")
    node.run(
        "for i in $(seq 50); do journalctl --quiet --unit=nginx.service --since=-1min"
        " --grep=Reloaded && exit; sleep 0.2; done; exit 1"
    )
    assert (
        node.output(
            "systemctl show --property=StateChangeTimestampMonotonic reseller-mail-guide.service"
        )
        != before
    )
