# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that is not well is found, named, and the one failure: what needs it waits."""

from __future__ import annotations

import contextlib
import json
import typing as t
from pathlib import Path

import client
from conftest import Side

CURRENT = "/var/lib/reseller-mail/current"
LATE = "/run/late"
"""A Python on the host whose clock is two minutes slow: nobody can set the clock of a lab machine,
which is the clock of all."""


def asked(side: Side, **limits: int) -> dict[str, dict[str, str]]:
    """What verify says of the host itself, by id."""
    arguments = {"estate": str(client.ESTATE), "node": side.node, **limits}
    interpreter = ["-e", f"ansible_python_interpreter={LATE}/python3"] if limits else []
    command = (
        side.node,
        "-m",
        "reseller.mail.verify_host",
        "-a",
        json.dumps(arguments),
        *interpreter,
    )
    run = client.ansible(
        "ansible", *command, environment={"ANSIBLE_CALLBACK_RESULT_FORMAT": "json"}
    )
    assert run.rc == 0, run.output
    return {one["id"]: one for one in json.loads(run.output.partition("=>")[2])["findings"]}


@contextlib.contextmanager
def broken(node: client.Host, do: str, undo: str) -> t.Iterator[None]:
    try:
        node.run(do)
        yield
    finally:
        node.run(undo)


BREAKS = {
    "host.guard": (
        "systemctl stop reseller-mail-guard",
        "systemctl start reseller-mail-guard",
        "reseller-mail-guard.service is inactive",
    ),
    "host.filter": (
        "systemctl stop redis-server@reseller-mail",
        "systemctl start redis-server@reseller-mail",
        "redis-server@reseller-mail.service is inactive",
    ),
    "host.opendkim": (
        "systemctl stop opendkim@rsa",
        "systemctl start opendkim@rsa",
        "opendkim@rsa.service is inactive",
    ),
    "host.opendkim_ed25519": (
        "systemctl stop opendkim@ed25519",
        "systemctl start opendkim@ed25519",
        "opendkim@ed25519.service is inactive",
    ),
    "host.sending_limit": (
        "systemctl stop reseller-mail-sending-limit.socket reseller-mail-sending-limit.service",
        "systemctl start reseller-mail-sending-limit.socket reseller-mail-sending-limit.service",
        "reseller-mail-sending-limit.service is inactive",
    ),
    "host.sending_refused": ("true", "true", "not verified: host.sending_limit of "),
    "host.nginx": ("systemctl stop nginx", "systemctl start nginx", "nginx.service is inactive"),
    "host.timers": (
        "systemctl stop certbot.timer",
        "systemctl start certbot.timer",
        "not active: certbot.timer",
    ),
    "host.disk": (
        (
            "mount -t tmpfs -o size=1M tmpfs /srv/vmail; head -c 2M /dev/zero >/srv/vmail/full"
            " 2>/dev/null || true"
        ),
        "umount /srv/vmail",
        "/srv/vmail: ",
    ),
    "host.queue": (
        (
            "postconf -e defer_transports=smtp; postfix reload; for i in 1 2 3; do echo x |"
            " sendmail -f '' nobody@stranger.example; done; for i in $(seq 50); do [ $(postqueue -j"
            " | grep -c '\"deferred\"') -ge 3 ] && break; sleep 0.2; done"
        ),
        "postsuper -d ALL deferred; postconf -X defer_transports; postfix reload",
        "3 messages",
    ),
    "host.opendkim_node": (
        "systemctl stop opendkim@node",
        "systemctl start opendkim@node",
        "opendkim@node.service is inactive",
    ),
    "host.generation": (
        (
            f"cp -a {CURRENT}/dovecot/logins/imap /run/logins; echo x@acme.example:"
            f" >>{CURRENT}/dovecot/logins/imap"
        ),
        f"cp -a /run/logins {CURRENT}/dovecot/logins/imap",
        "dovecot/logins/imap changed (x@acme.example)",
    ),
    "host.bans": (
        "systemctl stop fail2ban",
        "systemctl start fail2ban",
        "fail2ban.service is inactive",
    ),
    "host.firewall": (
        "nft delete table inet reseller_mail",
        "systemctl restart reseller-mail-firewall",
        "the nftables table inet reseller_mail is missing",
    ),
    "host.retained": (
        (
            "mkdir -p /srv/vmail/.retained/acme/acme.example/20260101T000000Z-gone; chmod 700"
            " /srv/vmail/.retained"
        ),
        "rm -r /srv/vmail/.retained/acme/acme.example/20260101T000000Z-gone",
        "the manifest of gone@acme.example is damaged",
    ),
    "host.orphans": (
        "mkdir -p /srv/vmail/acme.example/ghost",
        "rm -r /srv/vmail/acme.example/ghost",
        "acme.example/ghost (",
    ),
    "host.units": (
        "systemd-run --unit=broken-by-test false; sleep 0.2",
        "systemctl reset-failed broken-by-test",
        "broken-by-test.service",
    ),
    "host.clock": (
        (
            f"mkdir -p {LATE}; printf 'import time\\nreal = time.time\\ntime.time = lambda: real()"
            f" - 120\\n' >{LATE}/sitecustomize.py; printf '#!/bin/sh\\nPYTHONPATH={LATE} exec"
            f' /usr/bin/python3 "$@"\\n\' >{LATE}/python3; chmod 755 {LATE}/python3'
        ),
        f"rm -r {LATE}",
        "s behind",
    ),
}


def test_each_trouble_of_a_host_is_found_and_a_host_that_is_well_has_none(
    side: Side, node: client.Host
) -> None:
    with contextlib.ExitStack() as trouble:
        for do, undo, _says in BREAKS.values():
            trouble.enter_context(broken(node, do, undo))
        found = asked(side, queue_length=2)
    amiss = {id_ for id_, one in found.items() if one["state"] in ("fail", "warn", "blocked")}
    assert amiss == set(BREAKS), {id_: found[id_]["found"] for id_ in amiss ^ set(BREAKS)}
    for id_, (_do, _undo, says) in BREAKS.items():
        assert says in found[id_]["found"], found[id_]
    well = asked(side)
    # No tenant of the usual estate needs relays and addresses, ClamAV and backups are off. Other
    # tests may have left mail.
    unused = {
        "host.antivirus",
        "host.antivirus_database",
        "host.relays",
        "host.outbound",
        "host.backup",
    }
    others = {"host.retained", "host.orphans"}
    assert {id_ for id_, one in well.items() if one["state"] != "ok"} - others == unused, well
    assert {well[id_]["state"] for id_ in unused} == {"na"}
    assert {well[id_]["state"] for id_ in others} <= {"ok", "na", "warn"}


def test_daemons_that_are_stuck_are_found_though_their_units_are_active(
    side: Side, node: client.Host
) -> None:
    processes = ("-xf '/usr/sbin/opendkim -f -x /etc/opendkim/rsa.conf'", "-x auth")
    with broken(
        node,
        *(
            ";".join(f"pkill -{signal} {process}" for process in processes)
            for signal in ("STOP", "CONT")
        ),
    ):
        found = asked(side)
    failed = {id_: one["found"] for id_, one in found.items() if one["state"] == "fail"}
    assert set(failed) == {"host.opendkim", "host.dovecot"}, failed
    assert "opendkim/rsa.sock takes connections and does not answer" in failed["host.opendkim"]
    assert "private/auth takes connections and does not answer" in failed["host.dovecot"]


def test_a_stopped_guard_and_a_host_without_ssh_are_the_only_failures_of_verify(
    tmp_path: Path, sides: dict[str, Side], nodes: dict[str, client.Host]
) -> None:
    away, there = sides["mx1"], sides["mx2"]
    inventory = tmp_path / "away.yml"
    inventory.write_text(
        "mail_nodes:\n  hosts:\n    mx1:\n      ansible_port: 1\n", encoding="utf-8"
    )
    places = [
        f"--extra-vars=verify_report_dir={tmp_path}",
        f"--extra-vars=verify_mail_passwords_dir={client.PASSWORDS}",
    ]
    with broken(
        nodes["mx2"], "systemctl stop reseller-mail-guard", "systemctl start reseller-mail-guard"
    ):
        run = client.ansible(
            "ansible-playbook",
            "playbooks/verify.yml",
            "-i",
            "inventories/example",
            "-i",
            str(inventory),
            *places,
        )
    for host in (nodes["mx1"], client.Host("alt")):
        host.run("postsuper -d ALL deferred")  # what could not be handed to mx2
    assert run.rc != 0, run.output
    findings = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["findings"]
    failed = {
        (one["id"], one["subject"]): one["found"]
        for one in findings
        if one["state"] == "fail" and not one["id"].startswith("dns.")
    }
    assert set(failed) == {("host.reached", away.host), ("host.guard", there.host)}, failed
    blocked = [
        one
        for one in findings
        if one["state"] == "blocked" and not one["id"].startswith(("host.", "dns."))
    ]
    blocked = [
        one for one in blocked if "DNS does not name it as an MX" not in one["found"]
    ]  # of what nobody publishes here
    causes = {
        (
            f"host.reached of {away.host}" in one["found"],
            f"host.guard of {there.host}" in one["found"],
        )
        for one in blocked
    }
    assert causes == {(True, False), (False, True)}, blocked
    assert {one["id"] for one in blocked if "host.guard" in one["found"]} >= {
        "mail.tls",
        "access.submission",
        "mail.submit",
        "mail.deliver",
        "mail.dkim",
    }
