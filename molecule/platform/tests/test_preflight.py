# SPDX-License-Identifier: GPL-3.0-or-later
"""Preflight finds what keeps a host from serving, and a host of somebody else is not touched."""

from __future__ import annotations

import contextlib
import json
import typing as t

import client
import pytest
from conftest import NODES

FAKES = "/run/preflight"
"""Where programs of the test are: a copy of Python under the name of another program."""
BREAK = f"""
mkdir -p {FAKES}
cp "$(readlink -f /usr/bin/python3)" {FAKES}/dovecot
cp {FAKES}/dovecot {FAKES}/apache2
systemctl stop nginx opendkim@rsa
systemd-run -q --unit=preflight-doveadm {FAKES}/dovecot -m http.server --bind 127.0.0.1 24245
systemd-run -q --unit=preflight-web {FAKES}/apache2 -m http.server 443
chmod o+r "$(ls /var/lib/reseller-mail/dkim/*/*.private | head -1)"
echo nameserver 10.97.0.2 > {FAKES}/resolv.conf
mount --bind {FAKES}/resolv.conf /etc/resolv.conf
for i in $(seq 100); do ss -ltn | grep -q :443 && ss -ltn | grep -q :24245 && break; sleep 0.1; done
"""
MEND = f"""
umount /etc/resolv.conf
chmod o-r /var/lib/reseller-mail/dkim/*/*.private
systemctl stop preflight-doveadm preflight-web
systemctl start nginx opendkim@rsa
rm -r {FAKES}
"""
TROUBLE = {
    "memory_fail": 1 << 20,
    "disk_warn": 1 << 20,
    "acme": "https://10.97.0.2:1/dir",
    "outgoing": "10.97.0.2",
}
"""What is asked for and does not exist."""
FOUND = {
    "ping.milters": ("fail", "rsa"),
    "preflight.acme": ("fail", "onnection refused"),
    "preflight.control": ("fail", "dovecot listens on 127.0.0.1 port 24245"),
    "preflight.disk": ("warn", "are free"),
    "preflight.memory": ("fail", "MiB"),
    "preflight.outgoing": ("fail", "connection refused"),
    "preflight.ports": ("fail", "apache2 has port 443"),
    "preflight.resolver": ("warn", "10.97.0.2: "),
    "preflight.secrets": ("fail", ".private: opendkim:opendkim 0604, not opendkim:opendkim 0600"),
}


def findings(name: str, **arguments: object) -> dict[str, dict[str, str]]:
    """What preflight finds about a node, by id."""
    arguments = {
        "estate": str(client.ESTATE),
        "node": name,
        "resolver": "{{ verify_dns_resolver }}",
        "ca_file": "{{ verify_ca_file }}",
    } | arguments
    run = client.ansible(
        "ansible",
        name,
        "-m",
        "reseller.mail.preflight",
        "-a",
        json.dumps(arguments),
        environment={"ANSIBLE_CALLBACK_RESULT_FORMAT": "json"},
    )
    assert run.rc == 0, run.output
    return {one["id"]: one for one in json.loads(run.output.partition("=>")[2])["findings"]}


def report() -> dict[str, dict[str, str]]:
    """The states of the last run of the playbook, by subject and id."""
    path = client.PROJECT / "build" / "preflight" / "report.json"
    found: dict[str, dict[str, str]] = {}
    for one in json.loads(path.read_text(encoding="utf-8"))["findings"]:
        found.setdefault(one["subject"], {})[one["id"]] = one["state"]
    return found


def play(*arguments: str) -> client.Run:
    return client.ansible("ansible-playbook", "reseller.mail.preflight", *arguments)


def test_nodes_that_serve_have_no_trouble() -> None:
    """The lab's clock is that of its controller, which no program synchronises in a machine."""
    run = play()
    assert run.rc == 0, run.output
    states = report()
    assert sorted(states) == [f"{name}.hosting.example" for name in NODES]
    for host, found in states.items():
        others = {id_: state for id_, state in found.items() if state != "ok"}
        others.pop("preflight.clock", None)
        assert others == {"preflight.packages": "na"}, f"{host}\n{run.output}"
        assert len(found) == 28, found


def test_the_tag_ping_asks_for_connections_alone() -> None:
    run = play("--tags", "ping")
    assert run.rc == 0, run.output
    for found in report().values():
        assert {id_.partition(".")[0] for id_ in found} == {"ping"}
        assert set(found.values()) == {"ok"}
        assert len(found) == 9


def test_each_trouble_of_a_host_is_found_and_nothing_listens_afterwards(
    nodes: dict[str, client.Host],
) -> None:
    """One node is enough: the facts come from the kernel and from files."""
    node = nodes["mx2"]
    try:
        node.run(BREAK)
        found = findings("mx2", mirrors=False, **TROUBLE)
    finally:
        node.run(MEND)  # nginx gets port 80 again at once: the listener of the probe has ended
    wrong = {
        id_: (one["state"], one["found"])
        for id_, one in found.items()
        if one["state"] in ("fail", "warn") and id_ != "preflight.clock"
    }
    assert wrong.keys() == FOUND.keys(), wrong
    for id_, (state, text) in FOUND.items():
        assert wrong[id_][0] == state, id_
        assert text in wrong[id_][1], id_
    assert "80" in found["preflight.reachable"]["found"]
    assert found["preflight.reachable"]["state"] == "ok"
    assert all(one["remedy"] for one in found.values() if one["state"] in ("fail", "warn"))


KEEP = "/var/backups/reseller-mail"
PLACES = "/etc /var/lib /var/backups /srv"


def listing(host: client.Host) -> str:
    """Paths, owners, modes and times of all that a run could change; packages, users."""
    skip = "-name 'random-seed' -o -path '/var/lib/systemd/*' -o -path '/var/lib/postfix/*'"
    find = f"find {PLACES} \\( {skip} \\) -prune -o -type f -printf '%p %u %g %m %T@ %s\\n' | sort"
    return host.output(f"{find}; getent passwd; dpkg-query -W")


@contextlib.contextmanager
def untouched(host: client.Host) -> t.Iterator[None]:
    before = listing(host)
    yield
    assert listing(host) == before


@pytest.mark.parametrize("arguments", [(), ("--check",)], ids=["run", "check mode"])
def test_a_host_of_somebody_else_is_refused_before_anything_is_changed(
    outside: client.Outside, arguments: tuple[str, ...]
) -> None:
    with untouched(outside):
        play = str(client.PROJECT / "molecule/platform/tests/adopt.yml")
        run = client.ansible("ansible-playbook", play, *arguments)
    assert run.rc == 2, run.output
    assert run.changed("outside") == 0
    for text in ("/etc/postfix/main.cf", "Nothing was changed", "-e base_adopt=true"):
        assert text in " ".join(run.output.split()), run.output


def adopt(name: str, *arguments: str) -> client.Run:
    options = json.dumps({"adopt": True})
    return client.ansible(
        "ansible", name, "-m", "reseller.mail.foreign_mail", "-a", options, *arguments
    )


def test_a_host_that_is_adopted_keeps_its_old_files_aside_and_names_them(
    outside: client.Outside,
) -> None:
    with untouched(outside):
        run = adopt("outside", "--check")
        assert run.rc == 0, run.output
        assert f"/etc/postfix, /etc/aliases are copied to {KEEP}" in " ".join(run.output.split())
    try:
        run = adopt("outside")
        assert (run.rc, "CHANGED" in run.output) == (0, True), run.output
        folder = outside.output(f"ls -d {KEEP}/*")
        assert folder in run.output
        assert outside.run(f"diff -r {folder}/etc/postfix /etc/postfix").stdout == ""
        modes = f"stat -c '%a %U' {KEEP} {folder}"
        assert outside.output(modes).splitlines() == ["700 root", "700 root"]
    finally:
        outside.run(f"rm -rf {KEEP}")


def test_our_nodes_are_never_refused(nodes: dict[str, client.Host]) -> None:
    """Also when somebody has changed a file: that is drift, which a run repairs."""
    nodes["mx1"].run(
        "cp -p /etc/dovecot/dovecot.conf /run/; echo '# x' >>/etc/dovecot/dovecot.conf"
    )
    try:
        run = client.ansible("ansible", "mail_nodes", "-m", "reseller.mail.foreign_mail")
    finally:
        nodes["mx1"].run("mv /run/dovecot.conf /etc/dovecot/dovecot.conf")
    assert run.rc == 0, run.output
    assert run.output.count("SUCCESS") == len(NODES)
