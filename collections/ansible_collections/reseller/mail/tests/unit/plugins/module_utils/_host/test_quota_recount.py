# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host import quota_recount
from ansible_collections.reseller.mail.plugins.module_utils._host.quota import Quota
from ansible_collections.reseller.mail.plugins.module_utils._host.quota_recount import (
    differs,
    heal,
    main,
    with_disk,
)

JO, ANN = "jo@acme.example", "ann@acme.example"


def counted(address: str, used: int, messages: int) -> Quota:
    return Quota(address, None, used, None, messages)


def put(mail: Path, address: str, *sizes: int) -> None:
    local, _at, domain = address.partition("@")
    new = mail / domain / local / "Maildir" / "new"
    new.mkdir(parents=True, exist_ok=True)
    for number, size in enumerate(sizes):
        (new / f"17000000{number}.M1P1.vm,S=1,W={size}").touch()


class Dovecot:
    """What doveadm prints, and what it is asked."""

    def __init__(self, counts: dict[str, tuple[int, int]], truth: dict[str, tuple[int, int]]):
        self.counts, self.truth = counts, truth
        self.recalculated: list[str] = []

    def __call__(self, *arguments: str, addresses: t.Sequence[str] = ()) -> str:
        if "recalc" in arguments:
            self.recalculated += addresses
            self.counts.update({one: self.truth[one] for one in addresses})
            return ""
        lines = ["Username\tQuota name\tType\tValue\tLimit\t%"]
        for one in addresses or self.counts:
            kib, messages = self.counts[one]
            lines.append(f"{one}\tUser quota\tSTORAGE\t{kib}\t1024\t0")
            lines.append(f"{one}\tUser quota\tMESSAGE\t{messages}\t-\t0")
        return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("used", "messages", "disk", "expected"),
    [
        (0, 0, 0, False),
        (1024, 1, 1, False),
        (1024, 1, 1024, False),
        (1024, 1, 1025, True),
        (2048, 1, 1024, True),
        (1024, 2, 1024, True),
    ],
)
def test_dovecot_reports_kib_that_it_rounds_up(
    used: int, messages: int, disk: int, expected: bool
) -> None:
    quota = counted(JO, used, messages)._replace(disk=disk, disk_messages=1 if disk else 0)
    assert differs(quota) is expected


def test_a_mailbox_whose_disk_nobody_counted_does_not_differ() -> None:
    assert not differs(counted(JO, 5, 5))


def test_mail_that_comes_meanwhile_is_no_difference(tmp_path: Path) -> None:
    put(tmp_path, JO, 100, 100)
    put(tmp_path, ANN, 100)
    asked: list[str] = []

    def ask(addresses: t.Sequence[str]) -> list[Quota]:
        asked.extend(addresses)
        return [counted(JO, 1024, 2)]

    found = with_disk([counted(JO, 1024, 1), counted(ANN, 1024, 1)], str(tmp_path), ask)
    assert asked == [JO], "nobody asks twice about a mailbox that agrees"
    assert not any(differs(one) for one in found)


def test_only_what_differs_is_recalculated(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    put(tmp_path, JO, 100, 100)
    put(tmp_path, ANN, 100)
    dovecot = Dovecot({JO: (805, 2), ANN: (1, 1)}, {JO: (1, 2)})
    assert heal("/users", str(tmp_path), dovecot) == []
    assert dovecot.recalculated == [JO]
    assert caplog.messages == [
        f"{JO}: Dovecot counted 824320 bytes, 2 messages, and the disk has 200 bytes, 2 messages:"
        " recalculated"
    ]
    caplog.clear()
    assert heal("/users", str(tmp_path), dovecot) == []
    assert dovecot.recalculated == [JO]
    assert caplog.messages == ["Dovecot counts what the disk has, in all 2 mailboxes"]


def test_what_still_differs_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    users = tmp_path / "all_users"
    users.write_text(f"{JO}\n", encoding="ascii")
    monkeypatch.setattr(quota_recount, "run_doveadm", Dovecot({JO: (805, 2)}, {JO: (805, 2)}))
    assert main(str(users), str(tmp_path)) == 1
    assert f"{JO}: Dovecot still counts 824320 bytes" in caplog.messages


def test_a_host_without_mailboxes_has_nothing_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_arguments: str, **_more: t.Any) -> str:
        raise AssertionError

    monkeypatch.setattr(quota_recount, "run_doveadm", never)
    users = tmp_path / "all_users"
    assert main(str(users), str(tmp_path)) == 0
    users.touch()
    assert main(str(users), str(tmp_path)) == 0


@pytest.mark.parametrize(("printed", "rc"), [("no table\nat all\n", 1), ("", 0)])
def test_an_answer_of_doveadm_that_cannot_be_read_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, printed: str, rc: int
) -> None:
    users = tmp_path / "all_users"
    users.write_text(f"{JO}\n", encoding="ascii")
    monkeypatch.setattr(quota_recount, "run_doveadm", lambda *_a, **_k: printed)
    assert main(str(users), str(tmp_path)) == rc


def test_doveadm_reads_addresses_and_its_failure_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    program = tmp_path / "doveadm"
    program.write_text('#!/bin/sh\necho "$@"\ncat\nexit 68\n', encoding="ascii")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert quota_recount.run_doveadm("quota", "recalc", addresses=[JO, ANN]) == (
        f"quota recalc\n{JO}\n{ANN}\n"
    )
    assert caplog.messages == ["doveadm quota recalc: exit status 68"]
