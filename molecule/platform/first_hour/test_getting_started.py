# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/getting-started.md, followed literally on two hosts with nothing but Debian.

Molecule runs this before it configures the hosts for the other tests, and boots them anew after it.
Each section of the page is one test. The commands run in one folder after the other, as the page
says. What the reader does elsewhere is done here by functions: a user for SSH, records at the DNS
host. What the lab needs is set as a real site would: on the controller in /etc/resolv.conf and in
the store of CAs (in a mount namespace of its own), on the hosts by the lab itself. The two
variables for the lab are the address of its certificate authority and a mail server outside. The
page has both.

After the page, every other playbook that reaches hosts runs with the same files.
"""

from __future__ import annotations

import concurrent.futures
import json
import os
import re
import shlex
import subprocess
import sys
import typing as t
from pathlib import Path

import dns.name
import dns.query
import dns.resolver
import dns.tsigkeyring
import dns.update
import pytest
from ansible_collections.reseller.mail.tests.support.inventory_page import (
    COLLECTION,
    FOREIGN,
    PLAYBOOKS,
    ROWS,
)
from ansible_collections.reseller.mail.tests.support.started_page import (
    SECTIONS,
    Command,
    File,
)

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from client import Host

PROJECT = COLLECTION.parents[3]
LAB = Path(os.environ.get("LAB_HOSTS_DIR", "/var/lib/reseller-mail-lab"))
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
RESOLVER, PRIMARY = "10.97.0.53", "10.97.0.2"
NODES = {"mx1.hosting.example": "10.97.0.3", "mx2.hosting.example": "10.97.0.4"}
REPLACED = {
    "192.0.2.10": "10.97.0.3",
    "192.0.2.11": "10.97.0.4",
    "2001:db8::10": "fd97::3",
    "2001:db8::11": "fd97::4",
}
"""The words of the page that are others here."""
LEFT_OUT = ("python3 -m venv ",)
"""Commands that are not run: the tests have an environment. pip only compares it (PIP_NO_INDEX)."""
NAMESPACE = (
    f'mount --bind "$1" /etc/resolv.conf && mount --bind "$2" {BUNDLE} && shift 2 && exec "$@"'
)
SSH = """\
{hosts}Host *
    IdentityFile {lab}/ssh/id
    IdentitiesOnly yes
    UserKnownHostsFile {lab}/ssh/known_hosts
    StrictHostKeyChecking yes
    LogLevel ERROR
"""
OPS = """
set -e
export DEBIAN_FRONTEND=noninteractive
type sudo >/dev/null || apt-get -qq update
type sudo >/dev/null || apt-get -qq -y --no-install-recommends install sudo >/dev/null
id ops >/dev/null 2>&1 || useradd --create-home --shell /bin/bash ops
echo 'ops ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/ops
install -d -o ops -g ops -m 700 /home/ops/.ssh
install -o ops -g ops -m 600 /root/.ssh/authorized_keys /home/ops/.ssh/
"""
OTHERS = {
    "promote": ["--check"],
    "diagnose": [],
    "why": [],
    "guide_site": [],
    "dkim_rotate": ["--check"],
    "tls_rollover": ["--check"],
    "rollback": ["--check"],
    "suspend": ["--check"],
    "resume": ["--check"],
    "held_mail": [],
    "retained_mail": [],
    "move": ["--check"],
    "unban": ["--check"],
    "restore": ["--check"],
}
"""Playbooks that reach hosts and are not on the page, each with more arguments."""
TRUE = {
    "tls_rollover": r"The key of mx\d\.hosting\.example was not changed: its next key ",
}
"""Warnings of a playbook that are right."""
REFUSED = {
    "resume": "jo@acme.example is not suspended; nothing was written",
    "unban": "192.0.2.7 is not banned; nothing was done",
    "restore": "this host makes no backups: set backup_repository",
    "why": "have no line about it",
}
"""What a playbook says that has nothing to do, and fails for that."""


class Reader:
    """A person who follows the page in a folder of their own."""

    def __init__(self, place: Path) -> None:
        self.folder = place / "folder"
        self.folder.mkdir()
        self._where = place / "where"
        self._where.write_text(f"{self.folder}\n", encoding="utf-8")
        (place / "resolv.conf").write_text(f"nameserver {RESOLVER}\n", encoding="utf-8")
        (place / "ca.crt").write_bytes(Path(BUNDLE).read_bytes() + (LAB / "ca.pem").read_bytes())
        hosts = "".join(f"Host {name}\n    HostKeyAlias {ip}\n" for name, ip in NODES.items())
        (place / "ssh").write_text(SSH.format(hosts=hosts, lab=LAB), encoding="utf-8")
        self._prefix = ["unshare", "--mount", "sh", "-c", NAMESPACE, "sh"]
        self._prefix += [str(place / "resolv.conf"), str(place / "ca.crt")]
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("ANSIBLE_", "MOLECULE_"))
        }
        home = place / "home"
        home.mkdir()
        self._environment = {
            **inherited,
            "HOME": str(home),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{inherited['PATH']}",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_SSH_COMMON_ARGS": f"-F {place / 'ssh'}",
            "PIP_NO_INDEX": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "GIT_AUTHOR_NAME": "Reader",
            "GIT_AUTHOR_EMAIL": "reader@hosting.example",
            "GIT_COMMITTER_NAME": "Reader",
            "GIT_COMMITTER_EMAIL": "reader@hosting.example",
            "SSL_CERT_FILE": BUNDLE,  # for a Python that was built with another path
        }

    @property
    def where(self) -> Path:
        """Return the folder that the last ``cd`` led to."""
        return Path(self._where.read_text(encoding="utf-8").rstrip("\n"))

    def run(self, command: str) -> tuple[int, str]:
        """Run a command of the page; return its status and what it printed."""
        script = f"{command}\nstatus=$?\npwd > {shlex.quote(str(self._where))}\nexit $status"
        done = subprocess.run(
            [*self._prefix, "bash", "-c", script],
            cwd=self.where,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=900,
            check=False,
        )
        return done.returncode, done.stdout

    def write(self, file: File) -> None:
        """Write a file of the page."""
        target = self.where / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(replaced(file.text), encoding="utf-8")


def replaced(text: str) -> str:
    """Return a text of the page with the names of the lab."""
    for old, new in REPLACED.items():
        text = text.replace(old, new)
    return text


class Records:
    """The DNS host: the records that the reader adds there, and what was there before."""

    def __init__(self) -> None:
        self._resolver = dns.resolver.Resolver(configure=False)
        self._resolver.nameservers = [PRIMARY]
        key = (LAB / "tsig.key").read_text(encoding="utf-8").strip()
        self._keys = dns.tsigkeyring.from_text({"lab": key})
        self._before: dict[tuple[dns.name.Name, str], list[str]] = {}

    def _put(self, name: dns.name.Name, kind: str, values: t.Iterable[str]) -> None:
        zone = dns.resolver.zone_for_name(name, resolver=self._resolver)
        update = dns.update.UpdateMessage(zone, keyring=self._keys, keyalgorithm="hmac-sha256")
        update.delete(name, kind)
        for value in values:
            update.add(name, 5, kind, value)
        answer = dns.query.tcp(update, PRIMARY, timeout=10)
        assert answer.rcode() == 0, f"{name} {kind}: {answer}"

    def add(self, text: str) -> None:
        """Add the records of zone file lines, in the place of those of the same name and type."""
        wanted: dict[tuple[dns.name.Name, str], list[str]] = {}
        for line in text.splitlines():
            if line and not line.startswith(";"):
                name, _ttl, _class, kind, value = line.split(" ", 4)
                wanted.setdefault((dns.name.from_text(name), kind), []).append(value)
        for (name, kind), values in wanted.items():
            self._before.setdefault((name, kind), self._values(name, kind))
            self._put(name, kind, values)

    def _values(self, name: dns.name.Name, kind: str) -> list[str]:
        try:
            return [one.to_text() for one in self._resolver.resolve(name, kind)]
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []

    def restore(self) -> None:
        """Put back what was there before."""
        for (name, kind), values in self._before.items():
            self._put(name, kind, values)
        Host("dns1").run("systemctl restart unbound")


@pytest.fixture(scope="module")
def records() -> t.Iterator[Records]:
    found = Records()
    yield found
    found.restore()


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    found = Reader(tmp_path_factory.mktemp("reader"))
    (found.folder / "collections").symlink_to(PROJECT / "collections")
    return found


def make_user(_reader: Reader, _records: Records) -> None:
    """On mx2, the reader logs in as a user who may use sudo."""
    Host("mx2").run(OPS)


def name_servers(reader: Reader, _records: Records) -> None:
    """The lab has a certificate authority and an outside mail server of its own; the page says how
    to name them."""
    path = reader.where / "inventory/hosts.yml"
    path.write_text(
        f"{path.read_text(encoding='utf-8')}"
        "    tls_acme_directory: https://acme.hosting.example:14000/dir\n"
        "    preflight_outgoing: mail.stranger.example\n",
        encoding="utf-8",
    )


def publish(reader: Reader, records: Records) -> None:
    """The reader enters the records of the zone files at the DNS host."""
    files = sorted((reader.where / "build/dns").glob("*.zone"))
    assert files
    for path in files:
        records.add(path.read_text(encoding="utf-8"))


BEFORE: dict[str, t.Callable[[Reader, Records], None]] = {"What you need": make_user}
AFTER: dict[str, t.Callable[[Reader, Records], None]] = {
    "Answer a few questions": name_servers,
    "Publish the records": publish,
}
"""What the reader does elsewhere, before and after the commands of a section."""


def test_what_the_reader_does_elsewhere_belongs_to_sections_of_the_page() -> None:
    assert {*BEFORE, *AFTER} <= set(SECTIONS)


FAILED: list[str] = []
"""The sections that failed: those after them are not tried."""


@pytest.mark.parametrize("title", SECTIONS)
def test_a_section_of_the_page(title: str, reader: Reader, records: Records) -> None:
    """Every command succeeds, and prints what the page shows."""
    if FAILED:
        pytest.skip(f"the section before failed: {FAILED[0]}")
    FAILED.append(title)
    BEFORE.get(title, lambda _reader, _records: None)(reader, records)
    for step in SECTIONS[title]:
        if isinstance(step, File):
            reader.write(step)
        elif not step.text.startswith(LEFT_OUT):
            follow(reader, step)
    AFTER.get(title, lambda _reader, _records: None)(reader, records)
    FAILED.remove(title)


def follow(reader: Reader, command: Command) -> None:
    """Run a command of the page, and compare what it prints with the page."""
    status, output = reader.run(replaced(command.text))
    print(f"$ {command.text}\n{output}")  # pytest shows it where the test fails
    assert status == 0, f"$ {command.text}\n{output}"
    expected = Command(command.text, tuple(replaced(line) for line in command.shown))
    assert expected.missing(output) == [], f"$ {command.text}\n{output}"


def test_verify_asks_about_everything(reader: Reader) -> None:
    """A part of verify that broke is a finding of its own."""
    if FAILED:
        pytest.skip(f"a section of the page failed: {FAILED[0]}")
    report = json.loads((reader.where / "build/verify/report.json").read_text(encoding="utf-8"))
    found = {(one["id"], one["subject"]): one["state"] for one in report["findings"]}
    parts = {question.partition(".")[0] for question, _subject in found}
    assert {"host", "dns", "mail", "access", "quota"} <= parts
    assert "verify" not in parts
    for question in ("host.reached", "dns.fcrdns", "mail.tls"):
        assert {found[question, hostname] for hostname in NODES} == {"ok"}, question
    for question in ("quota.usage", "dns.mx", "mail.dkim"):
        assert found[question, "acme.example"] == "ok", question


def test_one_host_is_reached_by_a_user_who_becomes_root() -> None:
    """Without this, a lost ``ansible_become`` of the page would go unnoticed."""
    log = Host("mx2").output("journalctl --quiet _COMM=sudo --grep='ops : .*USER=root'")
    assert len(log.splitlines()) > 100


def complaints(output: str) -> list[str]:
    """Return the lines that no run should have, whatever it found."""
    words = ("[WARNING]", "[DEPRECATION", "Traceback", "is undefined")
    lines = FOREIGN.sub("", output).splitlines()
    return [line for line in lines if any(word in line for word in words)]


def test_every_playbook_that_reaches_hosts_is_run() -> None:
    page = {
        name
        for steps in SECTIONS.values()
        for step in steps
        if isinstance(step, Command)
        for name in re.findall(r"reseller\.mail\.(\w+)", step.text)
    }
    assert page | set(OTHERS) >= {name for name in PLAYBOOKS if ROWS[name].hosts}


@pytest.fixture(scope="module")
def others(reader: Reader) -> dict[str, tuple[int, str]]:
    """Run the other playbooks, each with what docs/inventory.md says that it needs."""
    if FAILED:
        pytest.skip(f"a section of the page failed: {FAILED[0]}")

    def play(name: str) -> tuple[int, str]:
        return reader.run(
            shlex.join(["ansible-playbook", ROWS[name].playbook, *ROWS[name].needs, *OTHERS[name]])
        )

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        return dict(zip(OTHERS, pool.map(play, OTHERS), strict=True))


@pytest.mark.parametrize("name", OTHERS)
def test_another_playbook_runs_with_the_same_files(
    others: dict[str, tuple[int, str]], name: str
) -> None:
    """It ends well, also on the host where it becomes root. No warning is ours."""
    status, output = others[name]
    if name in REFUSED:
        assert (status, REFUSED[name] in output) == (2, True), output
        return
    expected = re.compile(TRUE.get(name, "(?!)"))
    assert status == 0, output
    assert [line for line in complaints(output) if not expected.search(line)] == [], output
