# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host says of itself becomes findings, and what needs a host that failed waits for it."""

from __future__ import annotations

import copy
import typing as t
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.action.verify_report import collect
from ansible_collections.reseller.mail.plugins.module_utils._host.facts import filter_down
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.finding import Finding, as_dicts
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.host import (
    CATALOGUE,
    NEEDS,
    Limits,
    as_markdown,
    judge,
    settled,
    skew,
    unreached,
)

HOST = "mx1.hosting.example"
QUEUE = "/var/spool/postfix"
ACTIVE = {"load": "loaded", "active": "active", "enabled": "enabled"}
UNITS = (
    "postfix.service",
    "postfix@-.service",
    "dovecot.service",
    "nginx.service",
    "reseller-mail-guard.service",
    "reseller-mail-sending-limit.service",
    "opendkim@rsa.service",
    "opendkim@ed25519.service",
    "opendkim@node.service",
    "postsrsd.service",
    "redis-server@reseller-mail.service",
    "rspamd.service",
    "clamav-daemon.service",
    "clamav-freshclam.service",
    "reseller-mail-login-limit.service",
    "reseller-mail-firewall.service",
    "fail2ban.service",
    "reseller-mail-backup.service",
    "certbot.timer",
)
SOCKETS = (
    "guard/guard.sock",
    "rspamd/milter.sock",
    "opendkim/rsa.sock",
    "opendkim/ed25519.sock",
    "opendkim/node.sock",
    "private/auth",
    "private/dovecot-lmtp",
    "private/quota-status",
)
DISK = {"path": "/", "device": 1, "size": 1000, "free": 500, "inodes": 100, "inodes_free": 50}
DAY = 86400.0
WELL: dict[str, t.Any] = {
    "now": 8 * DAY,
    "units": dict.fromkeys(UNITS, ACTIVE),
    "watched": ["certbot.timer"],
    "failed": [],
    "sockets": [
        *({"path": f"{QUEUE}/{one}", "error": ""} for one in SOCKETS),
        {"path": "/run/reseller-mail-sending-limit.sock", "error": ""},
        {"path": "/run/clamav/clamd.ctl", "error": ""},
    ],
    "filesystems": [DISK, {**DISK, "path": QUEUE}],
    "queue": {"messages": 0, "held": 0, "oldest": 0.0, "oldest_new": 0.0, "error": ""},
    "sending": {"refused": [], "error": ""},
    "firewall": {"wanted": True, "bans": [], "open": [], "table": "", "fail2ban": ""},
    "retention": {
        "kept": [
            {
                "tenant": "acme",
                "mailboxes": 2,
                "bytes": 3 * 2**30,
                "first": "2026-12-30T16:00:00Z",
                "last": "2027-01-05T16:00:00Z",
                "wrong": [],
            }
        ],
        "orphans": {
            "mail": 0,
            "bytes": 0,
            "whole": True,
            "passwords": 0,
            "shown": [],
            "shown_passwords": [],
        },
        "error": "",
    },
    "queue_folder": QUEUE,
    "filter_down": "tempfail",
    "antivirus": {"when_down": "defer", "database": 1.4 * DAY},
    "ways": [
        {"kind": "relay", "name": "smtp.relay.example:587", "error": ""},
        {"kind": "address", "name": "192.0.2.11", "error": ""},
    ],
    "queue_minimum": 10,
    "backup": {
        "wanted": True,
        "age": 3600.0,
        "snapshot": "1a2b3c4d",
        "succeeded": "2026-11-30T02:31:07Z",
        "tried": "2026-11-30T02:31:07Z",
        "failure": "",
        "check_failure": "",
    },
    "generation": {
        "current": "000002-3f1c9a7be210",
        "activated": "000002-3f1c9a7be210",
        "drift": [],
        "error": "",
    },
}
REFUSED = {
    "login": "jo@acme.example",
    "kind": "mailbox",
    "name": "jo@acme.example",
    "used": 20,
    "allowed": 20,
    "at": "2026-11-30T01:00:00Z",
    "again": "2026-11-30T01:32:05Z",
    "times": 3,
}
MANY = [
    {
        **REFUSED,
        "login": f"m{number}@acme.example",
        "kind": "recipients",
        "used": 9,
        "allowed": 5,
        "again": None,
        "times": 1,
    }
    for number in range(1, 7)
]
Change = t.Callable[[dict[str, t.Any]], t.Any]


def found(
    change: Change = lambda _facts: None,
    *,
    debian: int = 12,
    ed25519: bool = True,
    apart: float = 0.0,
) -> dict[str, Finding]:
    facts = copy.deepcopy(WELL)
    change(facts)
    return {one.id: one for one in judge(facts, HOST, debian, ed25519, Limits(), apart)}


def problems(findings: t.Mapping[str, Finding]) -> dict[str, str]:
    return {id_: one.found for id_, one in findings.items() if one.state in ("fail", "warn")}


def test_a_host_that_is_well_has_every_finding_and_none_is_amiss() -> None:
    findings = found()
    assert list(findings) == list(CATALOGUE)
    assert {one.state for one in findings.values()} == {"ok"}


def stop(unit: str) -> Change:
    return lambda facts: facts["units"].update({unit: {**ACTIVE, "active": "inactive"}})


def silence(path: str) -> Change:
    return lambda facts: [
        one.update(error="connection refused")
        for one in facts["sockets"]
        if one["path"].endswith(path)
    ]


@pytest.mark.parametrize(
    ("change", "id_", "says"),
    [
        (
            stop("reseller-mail-guard.service"),
            "host.guard",
            "reseller-mail-guard.service is inactive",
        ),
        (
            stop("reseller-mail-sending-limit.service"),
            "host.sending_limit",
            "reseller-mail-sending-limit.service is inactive",
        ),
        (
            silence("sending-limit.sock"),
            "host.sending_limit",
            "/run/reseller-mail-sending-limit.sock connection refused",
        ),
        (
            lambda facts: facts["sending"].update(refused=[REFUSED, *MANY]),
            "host.sending_refused",
            "jo@acme.example: mailbox jo@acme.example sent 20 messages in an hour, 20 are allowed,"
            " refused 3 times, last at 2026-11-30T01:00:00Z, sending works again at"
            " 2026-11-30T01:32:05Z; m1@acme.example: a message had 9 recipients, 5 are allowed,"
            " refused 1 times",
        ),
        (silence("guard.sock"), "host.guard", f"{QUEUE}/guard/guard.sock connection refused"),
        (stop("opendkim@rsa.service"), "host.opendkim", "opendkim@rsa.service is inactive"),
        (silence("rsa.sock"), "host.opendkim", "connection refused"),
        (stop("opendkim@ed25519.service"), "host.opendkim_ed25519", "inactive"),
        (stop("opendkim@node.service"), "host.opendkim_node", "opendkim@node.service is inactive"),
        (silence("opendkim/node.sock"), "host.opendkim_node", "connection refused"),
        (
            stop("rspamd.service"),
            "host.filter",
            "rspamd.service is inactive; without rspamd, mail is deferred",
        ),
        (
            stop("redis-server@reseller-mail.service"),
            "host.filter",
            "redis-server@reseller-mail.service is inactive",
        ),
        (
            lambda facts: [silence("milter.sock")(facts), facts.update(filter_down="accept")],
            "host.filter",
            "connection refused; without rspamd, mail is accepted and not filtered",
        ),
        (stop("dovecot.service"), "host.dovecot", "dovecot.service is inactive"),
        (silence("private/auth"), "host.dovecot", "private/auth connection refused"),
        (silence("private/quota-status"), "host.dovecot", "quota-status"),
        (stop("postfix@-.service"), "host.postfix", "postfix@-.service is inactive"),
        (
            lambda facts: facts["sockets"].append(
                {"path": f"{QUEUE}/filter/x.sock", "error": "does not exist"}
            ),
            "host.postfix",
            "filter/x.sock does not exist",
        ),
        (stop("nginx.service"), "host.nginx", "nginx.service is inactive"),
        (stop("certbot.timer"), "host.timers", "not active: certbot.timer"),
        (
            lambda facts: facts["units"].pop("dovecot.service"),
            "host.dovecot",
            "dovecot.service is not installed",
        ),
        (
            lambda facts: facts["filesystems"][0].update(free=49),
            "host.disk",
            "/, /var/spool/postfix: 49B (4 %) and 50 % of the inodes are free",
        ),
        (
            lambda facts: facts["filesystems"][0].update(inodes_free=0),
            "host.disk",
            "0 % of the inodes",
        ),
        (lambda facts: facts.update(queue_minimum=501), "host.disk", "Postfix refuses mail below"),
        (
            lambda facts: facts["queue"].update(messages=1001, oldest=90.0),
            "host.queue",
            "1001 messages, the oldest for 2 min",
        ),
        (
            lambda facts: facts["ways"][0].update(error="connection refused"),
            "host.relays",
            "smtp.relay.example:587: connection refused",
        ),
        (
            lambda facts: facts["ways"][1].update(error="cannot assign requested address"),
            "host.outbound",
            "192.0.2.11: cannot assign requested address",
        ),
        (
            stop("reseller-mail-firewall.service"),
            "host.firewall",
            "reseller-mail-firewall.service is inactive",
        ),
        (
            lambda facts: facts["firewall"].update(table="the nftables table is missing"),
            "host.firewall",
            "the nftables table is missing",
        ),
        (stop("fail2ban.service"), "host.bans", "fail2ban.service is inactive"),
        (stop("reseller-mail-login-limit.service"), "host.bans", "login-limit.service is inactive"),
        (
            lambda facts: facts["firewall"].update(fail2ban="fail2ban does not answer: no jail"),
            "host.bans",
            "fail2ban does not answer: no jail",
        ),
        (
            lambda facts: facts["firewall"].update(open=["192.0.2.7"]),
            "host.bans",
            "banned, but not refused: 192.0.2.7",
        ),
        (
            stop("clamav-daemon.service"),
            "host.antivirus",
            "clamav-daemon.service is inactive; mail with attachments is deferred",
        ),
        (
            silence("clamd.ctl"),
            "host.antivirus",
            "/run/clamav/clamd.ctl connection refused; mail with attachments is deferred",
        ),
        (
            stop("clamav-freshclam.service"),
            "host.antivirus",
            "clamav-freshclam.service is inactive",
        ),
        (stop("postsrsd.service"), "host.srs", "postsrsd.service is inactive"),
        (
            lambda facts: facts["queue"].update(messages=1, oldest_new=3601.0),
            "host.queue",
            "one has waited 60 min for its first attempt",
        ),
        (
            lambda facts: facts.update(queue={"error": "postqueue: fatal: x"}),
            "host.queue",
            "postqueue: fatal: x",
        ),
        (
            lambda facts: facts["generation"].update(current=""),
            "host.generation",
            "none is current",
        ),
        (
            lambda facts: facts["generation"].update(activated="000001-3f1c9a7be210"),
            "host.generation",
            "the daemons use 000001-3f1c9a7be210",
        ),
        (
            lambda facts: facts["generation"].update(drift=["dovecot/logins/imap changed"]),
            "host.generation",
            "1 file differs from what was installed: dovecot/logins/imap",
        ),
        (
            lambda facts: facts["generation"].update(error="manifest.json: gone"),
            "host.generation",
            "manifest.json: gone",
        ),
        (lambda facts: facts["failed"].append("fwupd.service"), "host.units", "fwupd.service"),
        (
            lambda facts: facts["backup"].update(failure="no space", tried="2026-12-01T02:31:07Z"),
            "host.backup",
            "the backup of 2026-12-01T02:31:07Z failed: no space; the newest is 1a2b3c4d of"
            " 2026-11-30T02:31:07Z",
        ),
        (
            lambda facts: facts["backup"].update(failure="wrong key", succeeded="", snapshot=""),
            "host.backup",
            "failed: wrong key; there is none",
        ),
        (
            lambda facts: facts["backup"].update(check_failure="the repository is damaged: pack 1"),
            "host.backup",
            "the check of the repository failed: the repository is damaged: pack 1",
        ),
        (
            lambda facts: facts["backup"].update(age=26 * 3600 + 1.0),
            "host.backup",
            "1a2b3c4d of 2026-11-30T02:31:07Z, 26 h ago",
        ),
        (
            lambda facts: facts["backup"].update(succeeded="", age=0.0),
            "host.backup",
            "there is none",
        ),
        (
            lambda facts: facts["units"].update(
                {"reseller-mail-backup.service": {**ACTIVE, "active": "failed"}}
            ),
            "host.backup",
            "reseller-mail-backup.service has failed",
        ),
    ],
)
def test_each_trouble_is_one_finding_that_names_it(change: Change, id_: str, says: str) -> None:
    wrong = problems(found(change))
    assert list(wrong) == [id_], wrong
    assert says in wrong[id_]


def test_without_the_filter_there_is_no_finding_about_it() -> None:
    findings = found(lambda facts: facts.update(filter_down=""))
    without = {id_ for id_, one in findings.items() if one.state == "na"}
    assert without == {"host.filter", "host.antivirus_database", "host.antivirus"}


def test_without_the_virus_scanner_there_is_no_finding_about_it() -> None:
    findings = found(lambda facts: facts["antivirus"].update(when_down="", database=None))
    without = {id_ for id_, one in findings.items() if one.state == "na"}
    assert without == {"host.antivirus_database", "host.antivirus"}


def test_a_virus_scanner_without_a_database_is_one_failure_that_names_it() -> None:
    def change(facts: dict[str, t.Any]) -> None:
        facts["antivirus"].update(database=None, when_down="accept")
        stop("clamav-daemon.service")(facts)
        silence("clamd.ctl")(facts)

    findings = found(change)
    assert problems(findings) == {
        "host.antivirus_database": (
            "there is none, so clamd cannot start;"
            " mail with attachments is accepted and not scanned"
        )
    }
    assert findings["host.antivirus"].state == "blocked"


def test_an_old_virus_database_is_a_warning() -> None:
    answer = found(lambda facts: facts["antivirus"].update(database=0.9 * DAY))
    assert answer["host.antivirus_database"].state == "warn"
    assert answer["host.antivirus_database"].found == "7 days old"


@pytest.mark.parametrize("action", ["tempfail", "accept"])
def test_what_postfix_does_without_the_filter_is_read_from_its_settings(action: str) -> None:
    milters = f"unix:guard/guard.sock, {{ unix:rspamd/milter.sock, default_action={action} }}"
    assert filter_down(milters) == action
    assert filter_down("unix:guard/guard.sock, unix:opendkim/rsa.sock") == ""


def test_a_wrong_clock() -> None:
    assert problems(found(apart=-61.0)) == {"host.clock": "61 s behind"}
    assert problems(found(apart=61.0)) == {"host.clock": "61 s ahead"}
    assert problems(found(apart=60.0)) == {}
    assert (skew(5.0, 4.0, 6.0), skew(9.0, 4.0, 6.0), skew(1.0, 4.0, 6.0)) == (0.0, 3.0, -3.0)


def test_what_a_host_does_not_need_may_be_down() -> None:
    assert problems(found(stop("postfix@-.service"), debian=13)) == {}
    assert problems(found(stop("opendkim@ed25519.service"), ed25519=False)) == {}
    assert (
        problems(
            found(
                lambda facts: facts["units"].update(
                    {"nginx.service": {"load": "not-found", "active": "inactive", "enabled": ""}}
                )
            )
        )
        == {}
    )
    assert (
        problems(found(lambda facts: facts["queue"].update(messages=3, oldest=400000.0, held=5000)))
        == {}
    )


def test_a_failed_unit_that_has_a_finding_of_its_own_is_told_once() -> None:
    def change(facts: dict[str, t.Any]) -> None:
        stop("reseller-mail-guard.service")(facts)
        facts["failed"].append("reseller-mail-guard.service")

    assert list(problems(found(change))) == ["host.guard"]


def test_the_networks_that_are_banned_are_counted_and_named() -> None:
    rows = [{"network": f"192.0.2.{number}"} for number in (9, 1, 2, 3, 4, 5, 1)]
    answer = found(lambda facts: facts["firewall"].update(bans=rows))["host.bans"]
    assert (answer.state, answer.found) == (
        "ok",
        "6 banned: 192.0.2.1, 192.0.2.2, 192.0.2.3, 192.0.2.4, 192.0.2.5 and 1 more",
    )
    off = found(lambda facts: facts["firewall"].update(wanted=False))["host.bans"]
    assert (off.state, off.found) == ("na", "firewall_bans is off")


def test_a_host_without_backups_has_no_finding_about_them() -> None:
    findings = found(lambda facts: facts["backup"].update(wanted=False, succeeded="", failure="x"))
    assert findings["host.backup"].state == "na"


def test_the_first_backup_may_take_its_time() -> None:
    def change(facts: dict[str, t.Any]) -> None:
        facts["backup"].update(succeeded="", age=0.0)
        facts["units"]["reseller-mail-backup.service"] = {**ACTIVE, "active": "activating"}

    assert problems(found(change)) == {"host.backup": "the first backup is being made"}
    assert found(change)["host.backup"].state == "warn"


def test_what_is_retained_is_named_with_its_end() -> None:
    assert found()["host.retained"].found == (
        "2 mailboxes of tenant acme, 3G, the first until 2026-12-30, the last until 2027-01-05"
    )
    none = found(lambda facts: facts["retention"].update(kept=[]))["host.retained"]
    assert (none.state, none.found) == ("na", "nothing is kept")


def test_what_is_over_and_not_deleted_fails() -> None:
    def change(facts: dict[str, t.Any]) -> None:
        facts["retention"]["kept"][0]["wrong"] = ["jo@acme.example is over and not deleted"]

    assert problems(found(change)) == {"host.retained": "jo@acme.example is over and not deleted"}


def test_orphans_are_named_with_size_and_age() -> None:
    def change(facts: dict[str, t.Any]) -> None:
        row = {"path": "acme.example/ghost", "bytes": 5 * 2**20, "whole": True, "days": 40}
        facts["retention"]["orphans"].update(
            mail=1, bytes=5 * 2**20, shown=[row], passwords=1, shown_passwords=["old@acme.example"]
        )

    answer = found(change)["host.orphans"]
    assert (answer.state, answer.found) == (
        "warn",
        "mail: 1, 5M: acme.example/ghost (5M, 40 days); passwords: 1: old@acme.example",
    )


def test_retained_mail_that_cannot_be_read_is_one_failure() -> None:
    findings = found(lambda facts: facts.update(retention={"error": ".retained is no folder"}))
    assert problems(findings) == {"host.retained": ".retained is no folder"}
    assert findings["host.orphans"].state == "blocked"


def test_bans_without_their_table_are_no_second_failure() -> None:
    findings = found(lambda facts: facts["firewall"].update(table="missing", open=["192.0.2.7"]))
    assert list(problems(findings)) == ["host.firewall"]
    assert findings["host.bans"].state == "blocked"


def test_a_little_room_is_a_warning() -> None:
    assert found(lambda facts: facts["filesystems"][0].update(free=99))["host.disk"].state == "warn"


def test_opendkim_without_a_generation_waits_for_it() -> None:
    def change(facts: dict[str, t.Any]) -> None:
        facts["generation"].update(current="")
        stop("opendkim@rsa.service")(facts)

    findings = found(change)
    assert list(problems(findings)) == ["host.generation"]
    assert findings["host.opendkim"].state == "blocked"
    assert findings["host.opendkim"].found == f"not verified: host.generation of {HOST} failed"


def test_a_host_that_cannot_be_reached_is_one_failure() -> None:
    findings = unreached(HOST, "no connection: timed out")
    assert [one.id for one in findings] == list(CATALOGUE)
    assert [(one.id, one.found) for one in findings if one.state == "fail"] == [
        ("host.reached", "no connection: timed out")
    ]
    assert {one.state for one in findings[1:]} == {"blocked"}


HOMES = {
    HOST: HOST,
    "acme.example": HOST,
    "mail.acme.example": HOST,
    "globex.example": "mx2.hosting.example",
}


def fail(id_: str, subject: str, state: str = "fail") -> Finding:
    return Finding(id_, subject, state, "", "a symptom", "a P-256 key")


def test_what_needs_a_failed_service_is_blocked_and_names_it() -> None:
    guard = Finding("host.guard", HOST, "fail", "", "inactive")
    symptoms = [
        fail("mail.ciphers", HOST),
        fail("access.submission", HOST),
        fail("access.submission", "mail.acme.example"),
        fail("mail.submit", "jo@acme.example"),
        fail("mail.deliver", "jo@acme.example → ann@globex.example"),
        fail("mail.deliver", "ann@globex.example → jo@acme.example"),
        fail("mail.deliver", "outside → jo@acme.example"),
        fail("mail.dkim", "acme.example", "blocked"),
        fail("mail.tls", HOST, "warn"),
        fail("mail.backup", f"{HOST} → globex.example"),
    ]
    for one in settled([guard, *symptoms], HOMES):
        assert one is guard or (one.state, one.found, one.remedy) == (
            "blocked",
            f"not verified: host.guard of {HOST} failed",
            "",
        ), one


def test_what_is_well_or_needs_it_not_or_lives_elsewhere_is_left_alone() -> None:
    guard = Finding("host.guard", HOST, "fail", "", "inactive")
    others = [
        fail("mail.tls", HOST, "ok"),
        fail("access.imap", HOST),
        fail("mail.tls", "mx2.hosting.example"),
        fail("dns.mx_missing", "acme.example"),
        fail("mail.submit", "ann@globex.example"),
        fail("mail.submit", "jo@acme.example", "na"),
        fail("quota.usage", "jo@acme.example"),
        fail("mail.deliver", "outside → ann@globex.example"),
        fail("mail.submit", "somebody@nowhere.example"),
    ]
    assert settled([guard, *others], HOMES) == [guard, *others]


def test_a_finding_with_an_id_of_its_own_below_its_question_needs_the_same() -> None:
    nginx = Finding("host.nginx", HOST, "fail", "", "inactive")
    given = [
        nginx,
        fail("dns.mta_sts_policy_unreachable", "acme.example"),
        fail("dns.mta_sts_missing", "acme.example"),
    ]
    assert [one.state for one in settled(given, HOMES)] == ["fail", "blocked", "fail"]


def test_a_warning_of_a_host_blocks_nothing() -> None:
    disk = Finding("host.disk", HOST, "warn", "", "9 %")
    assert settled([disk, fail("mail.submit", "jo@acme.example")], HOMES)[1].state == "fail"


def test_every_need_is_a_finding_about_hosts() -> None:
    assert {need for needs in NEEDS.values() for side in needs for need in side} <= {
        *CATALOGUE,
        "mail.port",
    }


def test_a_host_whose_port_25_is_shut_is_the_cause_of_what_others_cannot_hand_to_it() -> None:
    port = Finding("mail.port", HOST, "fail", "", "refused")
    given = [
        port,
        fail("mail.deliver", "outside → jo@acme.example"),
        fail("mail.backup", "alt.hosting.example → acme.example"),
        fail("mail.fetch", "jo@acme.example"),
    ]
    assert [(one.state, one.found) for one in settled(given, HOMES)[1:3]] == [
        ("blocked", f"not verified: mail.port of {HOST} failed")
    ] * 2
    assert settled(given, HOMES)[3].state == "fail"
    postfix = Finding("host.postfix", HOST, "fail", "", "inactive")
    assert [one.state for one in settled([postfix, *given[:3]], HOMES)] == [
        "fail",
        "blocked",
        "blocked",
        "blocked",
    ]


def test_a_backup_mx_that_is_dead_says_nothing_about_the_node() -> None:
    port = Finding("mail.port", "alt.hosting.example", "fail", "", "refused")
    deliver = fail("mail.deliver", "outside → jo@acme.example")
    assert settled([port, deliver], HOMES) == [port, deliver]


def test_the_report_settles_what_all_parts_found() -> None:
    host = {
        "findings": as_dicts([Finding("host.guard", HOST, "fail", "", "inactive")]),
        "homes": HOMES,
    }
    findings = collect(
        [
            {"name": "host", "results": {"mx1": host}},
            {
                "name": "mail",
                "results": {
                    "estate": {"findings": as_dicts([fail("mail.submit", "jo@acme.example")])}
                },
            },
        ]
    )
    assert [(one.id, one.state) for one in findings] == [
        ("host.guard", "fail"),
        ("mail.submit", "blocked"),
    ]


def test_the_page_has_the_catalogue() -> None:
    page = Path(__file__).parents[5] / "docs" / "findings.md"
    assert as_markdown() in page.read_text(encoding="utf-8")
