# SPDX-License-Identifier: GPL-3.0-or-later
"""What fail2ban and the kernel say of bans, and who is meant by an address, a network or an
account."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host import bans
from ansible_collections.reseller.mail.plugins.module_utils._host.bans import Ban, BansError

ROWS = {
    "login": (
        "192.0.2.7 \t2026-11-30 14:00:00 + 3600 = 2026-11-30 15:00:00\n"
        "2001:db8:1:2::/64 \t2026-11-30 14:30:00 + 7200 = 2026-11-30 16:30:00\n"
    ),
    "smtp": "192.0.2.7 \t2026-11-30 14:10:00 + 3600 = 2026-11-30 15:10:00\n",
    "web": "",
}
"""As fail2ban 1.0.2 and 1.1.0 write it."""
TABLE = {
    "nftables": [
        {"metainfo": {"version": "1.0.6"}},
        {"table": {"family": "inet", "name": "reseller_mail"}},
        {"set": {"name": "allowed4", "elem": [{"prefix": {"addr": "10.0.0.0", "len": 8}}]}},
        {"set": {"name": "login4", "elem": ["192.0.2.7"]}},
        {"set": {"name": "login6", "elem": [{"prefix": {"addr": "2001:db8:1:2::", "len": 64}}]}},
        {"set": {"name": "smtp4"}},
    ]
}
LOG = """\
wrong password from 192.0.2.7 for jo@acme.example
wrong password from 2001:db8:1:2::/64 for ann@globex.example
wrong password from 198.51.100.9 for jo@acme.example
wrong password from 192.0.2.7 for bo@acme.example
"""
Answer = tuple[int, str, str]


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    """fail2ban writes local time."""
    monkeypatch.setenv("TZ", "UTC")
    bans.time.tzset()


class Host:
    """Answers the commands of the module, and notes them."""

    def __init__(self, **answers: Answer) -> None:
        self.commands: list[list[str]] = []
        self._answers = answers

    def __call__(self, command: list[str]) -> Answer:
        self.commands.append(command)
        if command[0] == "fail2ban-client" and command[1] == "get":
            rows = ROWS[command[2].removeprefix("reseller-mail-")]
            return self._answers.get("client", (0, rows, ""))
        known = {"nft": (0, json.dumps(TABLE), ""), "journalctl": (0, LOG, "")}
        return self._answers.get(command[0].partition("-")[0], known.get(command[0], (0, "1", "")))


JO = Ban("login", "192.0.2.7", 1796047200, 1796050800)
NETWORK = Ban("login", "2001:db8:1:2::/64", 1796049000, 1796056200)
PORT_25 = Ban("smtp", "192.0.2.7", 1796047800, 1796051400)


def test_bans_are_read_with_their_times() -> None:
    assert bans.banned(Host()) == [JO, NETWORK, PORT_25]
    assert JO.as_dict() == {
        "network": "192.0.2.7",
        "reason": "wrong passwords",
        "since": "2026-11-30T14:00:00Z",
        "until": "2026-11-30T15:00:00Z",
    }


@pytest.mark.parametrize(
    ("subject", "found"),
    [
        ("all", [JO, NETWORK, PORT_25]),
        ("192.0.2.7", [JO, PORT_25]),
        ("192.0.2.0/24", [JO, PORT_25]),
        ("192.0.2.8", []),
        ("2001:db8:1:2:3::9", [NETWORK]),
        ("2001:db8::/32", [NETWORK]),
        ("2001:db8:1:3::9", []),
        ("jo@acme.example", [JO]),
        ("ann@globex.example", [NETWORK]),
        ("o@acme.example", []),
    ],
)
def test_a_subject_is_an_address_a_network_or_who_guessed_at_an_account(
    subject: str, found: list[Ban]
) -> None:
    assert bans.of_subject([JO, NETWORK, PORT_25], subject, Host()) == found


def test_the_log_is_read_from_before_the_first_ban() -> None:
    host = Host()
    bans.of_subject([NETWORK, JO], "jo@acme.example", host)
    assert f"--since=@{JO.since - bans.WINDOW}" in host.commands[0]
    assert bans.of_subject([], "jo@acme.example", Host()) == []


@pytest.mark.parametrize("subject", ["jo", "192.0.2.300", "192.0.2.7/24", "", "--help"])
def test_another_subject_is_refused_with_what_is_allowed(subject: str) -> None:
    with pytest.raises(BansError, match=r"is no address.*allowed: 192\.0\.2\.7"):
        bans.of_subject([JO], subject, Host())


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ({"client": (255, "", "Failed to access socket path\nmore")}, "Failed to access socket"),
        ({"client": (127, "", "fail2ban-client: No such file")}, "No such file"),
    ],
)
def test_fail2ban_that_does_not_answer_is_an_error(answers: t.Any, says: str) -> None:
    with pytest.raises(BansError, match=says):
        bans.banned(Host(**answers))


def test_a_log_without_a_line_names_no_network_and_one_that_fails_is_an_error() -> None:
    assert bans.guessed_at("jo@acme.example", [JO], Host(journalctl=(1, "", ""))) == set()
    with pytest.raises(BansError, match="journalctl: broken"):
        bans.guessed_at("jo@acme.example", [JO], Host(journalctl=(1, "", "broken")))


def test_each_ban_ends_in_its_own_jail() -> None:
    host = Host()
    bans.unban([NETWORK, PORT_25], host)
    assert host.commands == [
        ["fail2ban-client", "set", "reseller-mail-login", "unbanip", "2001:db8:1:2::/64"],
        ["fail2ban-client", "set", "reseller-mail-smtp", "unbanip", "192.0.2.7"],
    ]


def test_the_kernel_names_what_it_refuses() -> None:
    assert bans.in_force(Host()) == {
        "login": {"192.0.2.7", "2001:db8:1:2::/64"},
        "smtp": set(),
        "web": set(),
    }


def test_a_report_names_what_is_banned_and_not_refused(
    tmp_path: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert bans.report(Host()) == {
        "wanted": False,
        "bans": [],
        "open": [],
        "table": "",
        "fail2ban": "",
    }
    monkeypatch.setattr(bans, "SETTINGS", str(tmp_path))
    found = bans.report(Host())
    assert [one["network"] for one in found["bans"]] == ["192.0.2.7", NETWORK.network, "192.0.2.7"]
    assert found["open"] == ["192.0.2.7"], "port 25 is not refused to it"
    broken = bans.report(Host(nft=(1, "", "Error: No such file\n^^^"), client=(255, "", "down")))
    assert broken["table"].endswith("is missing: Error: No such file")
    assert (broken["fail2ban"], broken["bans"]) == ("fail2ban does not answer: down", [])
