# SPDX-License-Identifier: GPL-3.0-or-later
"""A mailbox is warned once at each threshold, and what Dovecot counts wrongly is counted anew."""

from __future__ import annotations

import typing as t

import pytest
import yaml
from client import ESTATE, Host, Message, Outside, ansible, wait_until
from conftest import STRANGER, Address, Side

LIMIT = 1024 * 1024
"""Bytes; the quota of the small mailboxes."""


@pytest.fixture(name="box")
def _box(side: Side, node: Host) -> t.Iterator[Address]:
    """The small mailbox, empty, and empty again when the test is over."""
    empty = f"doveadm expunge -u {side.small} mailbox '*' all"
    node.run(empty)
    yield side.small
    node.run(empty)


def used(node: Host, box: Address) -> int:
    """Return the bytes that the messages have, asked for one by one."""
    sizes = node.output(f"doveadm fetch -u {box} size.virtual mailbox '*' all")
    return sum(int(line.partition(": ")[2]) for line in sizes.splitlines() if line)


def fill(node: Host, box: Address, size: int) -> None:
    """Store a message of so many bytes, with its line ends."""
    text = "Subject: filler\n\n"
    text += "x" * (size - len(text) - 4) + "\n"
    node.run(f"doveadm save -u {box} -m INBOX", stdin=text)


def warned(node: Host, box: Address) -> dict[int, int]:
    """Return how many warnings there are of each threshold."""
    found = node.output(f"doveadm fetch -u {box} hdr.subject mailbox '*' subject 'Your mailbox is'")
    return {one: found.count(f"Your mailbox is {one}% full") for one in (80, 95, 100)}


def doveadm_counts(node: Host, box: Address) -> dict[str, int]:
    """Return the usage as Dovecot counts it: KiB of STORAGE, and MESSAGE."""
    lines = node.output(f"doveadm -f tab quota get -u {box}").splitlines()[1:]
    return {kind: int(value) for _root, kind, value, *_more in (one.split("\t") for one in lines)}


def test_each_warning_comes_once_until_the_usage_falls(
    outside: Outside, side: Side, node: Host, box: Address
) -> None:
    """Each is waited for, because it is a message itself."""

    def expect(eighty: int, ninety_five: int, full: int) -> None:
        expected = {80: eighty, 95: ninety_five, 100: full}
        assert wait_until(lambda: warned(node, box) == expected, 20), warned(node, box)

    message = Message.new(STRANGER, box.name, size=860_000)
    assert outside.send(side.host, 25, STRANGER, [box.name], message)["data"][0] == 250
    expect(1, 0, 0)
    fill(node, box, 20_000)
    fill(node, box, 20_000)
    fill(node, box, LIMIT * 96 // 100 - used(node, box))
    expect(1, 1, 0)
    fill(node, box, LIMIT - used(node, box))
    expect(1, 1, 1)
    node.run(f"doveadm expunge -u {box} mailbox INBOX larger 500000")
    fill(node, box, LIMIT * 85 // 100 - used(node, box))
    expect(2, 1, 1)
    fill(node, box, 1000)
    fill(node, box, LIMIT * 97 // 100 - used(node, box))
    expect(2, 2, 1)


FALSIFY = """
import pathlib, struct, sys
mail = pathlib.Path(sys.argv[1])
files = [*mail.glob("cur/*W=*"), *mail.glob("new/*W=*")]
sizes = [int(path.name.split("W=")[1].split(":")[0]) for path in files]
found = 0
for name in ("dovecot.index", "dovecot.index.log"):
    path = mail / name
    content = path.read_bytes() if path.exists() else b""
    for uid in range(1, 10_000):
        right = struct.pack("<QII", sum(sizes), uid, len(sizes))
        if right in content:
            wrong = struct.pack("<QII", sum(sizes) * 10, uid, len(sizes))
            path.write_bytes(content.replace(right, wrong))
            found += 1
            break
print(found)
"""
"""Make the sum of a folder's sizes in Dovecot's index ten times as high as it is."""


def disk_findings(side: Side) -> dict[str, dict[str, str]]:
    """Return what verify finds about Dovecot's counts and the disk of a node, by subject."""
    run = ansible(
        "ansible", side.node, "-m", "reseller.mail.verify_quota", "-a",
        f"estate={ESTATE} node={side.node}",
    )  # fmt: skip
    assert run.rc == 0, run.output
    findings = yaml.safe_load(run.output.partition("=>")[2])["findings"]
    return {one["subject"]: one for one in findings if one["id"] == "quota.disk"}


def test_a_wrong_count_is_found_and_counted_anew_and_no_other(
    side: Side, node: Host, box: Address
) -> None:
    domain = box.domain
    for _number in range(3):
        fill(node, box, 20_000)
    right = doveadm_counts(node, box)
    assert right == {"STORAGE": 59, "MESSAGE": 3}
    before = disk_findings(side)
    assert {one["state"] for one in before.values()} == {"ok"}, before
    assert domain in before
    home = f"/srv/vmail/{domain}/{box.name.partition('@')[0]}/Maildir"
    assert int(node.run(f"python3 - {home}", stdin=FALSIFY).stdout) > 0
    fill(node, box, 1000)
    wrong = doveadm_counts(node, box)
    assert wrong["MESSAGE"] == 4
    assert wrong["STORAGE"] > 500, "Dovecot has noticed by itself: then nobody needs the timer"
    found = disk_findings(side)
    assert {subject for subject, one in found.items() if one["state"] != "ok"} == {box.name}
    assert found[box.name]["state"] == "warn"
    assert found[box.name]["expected"].endswith("61000 bytes, 4 messages"), found

    started = node.output("date +%s")
    node.run("systemctl start reseller-mail-quota")
    assert doveadm_counts(node, box) == {"STORAGE": 60, "MESSAGE": 4}
    journal = node.output(f"journalctl -o cat -u reseller-mail-quota --since @{started}")
    healed = [line for line in journal.splitlines() if "recalculated" in line]
    assert len(healed) == 1, journal
    assert healed[0].startswith(f"{box}: Dovecot counted "), journal
    assert {one["state"] for one in disk_findings(side).values()} == {"ok"}
    assert node.output("systemctl is-enabled reseller-mail-quota.timer") == "enabled"
    assert node.output("systemctl is-active reseller-mail-quota.timer") == "active"
