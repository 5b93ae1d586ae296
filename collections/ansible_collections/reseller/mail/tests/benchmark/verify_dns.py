# SPDX-License-Identifier: GPL-3.0-or-later
"""How near verify_dns comes to what name servers and machine can do: the very questions of a run,
asked again by other tools.

    verify_dns.py ESTATE RESOLVER [CA_FILE [ROUNDS]]

ROUNDS times (default 3) runs verify_dns on the estate, and then a bare loop of dnspython's
`asyncquery.udp`, `dig -f` and `dnsperf`, where these are installed, with the very questions of that
run, one tool after the other, so that whatever else the machine does hits all alike. Each is a
process of its own: verify's time has reading the estate, judging, SPF and HTTPS in it.
`molecule/platform/tests/large_lab.py` makes a world to ask.
"""

from __future__ import annotations

import asyncio
import collections
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[5]))
import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
from ansible_collections.reseller.mail.plugins.plugin_utils._dns.query import Asker
from ansible_collections.reseller.mail.plugins.plugin_utils._load import load
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.dns import ask

AT_ONCE = 50
Question = t.Tuple[str, str, str, bool]
"""Server's address, name, type, and whether it is to ask others."""


class Listening(Asker):
    """Keeps what was asked."""

    def __init__(self, resolver: str) -> None:
        super().__init__(resolver, at_once=AT_ONCE)
        self.asked: list[Question] = []

    async def _exchange(
        self, server: t.Any, name: str, rdtype: str, recursive: bool, unchecked: bool = False
    ) -> t.Any:
        self.asked.append((server.address, name, rdtype, recursive))
        return await super()._exchange(server, name, rdtype, recursive, unchecked)


def verify(estate: str, resolver: str, ca_file: str, questions: str) -> None:
    model, faults = load(estate)
    assert model is not None, faults
    asker = Listening(resolver)
    found = asyncio.run(ask.findings(model, asker, ca_file))
    states = collections.Counter(one.state for one in found)
    print(f"{len(asker.asked)} questions, {len(found)} findings: {dict(states)}", file=sys.stderr)
    Path(questions).write_text(json.dumps(asker.asked), encoding="utf-8")


def bare(questions: list[Question]) -> None:
    gate, lost = asyncio.Semaphore(AT_ONCE), 0

    async def one(server: str, name: str, rdtype: str, recursive: bool) -> None:
        nonlocal lost
        async with gate:
            query = dns.message.make_query(name, rdtype, use_edns=0, payload=1232)
            if not recursive:
                query.flags &= ~dns.flags.RD
            try:
                await dns.asyncquery.udp(query, server, 4)
            except dns.exception.Timeout:
                lost += 1

    async def all_of_them() -> None:
        await asyncio.gather(*(one(*question) for question in questions))

    asyncio.run(all_of_them())
    print(f"{lost} without an answer", file=sys.stderr)


def others(questions: list[Question], folder: Path) -> dict[str, list[list[str]]]:
    """What is run besides: a tool is one command or more, one after the other."""
    found = {"dnspython": [[sys.executable, __file__, "--bare", str(folder / "questions")]]}
    if shutil.which("dig"):
        lines = (
            f"@{server} {name} {rdtype} {'+recurse' if recursive else '+norecurse'}\n"
            for server, name, rdtype, recursive in questions
        )
        (folder / "dig").write_text("".join(lines), encoding="utf-8")
        found["dig -f"] = [["dig", "-f", str(folder / "dig")]]
    if shutil.which("dnsperf"):
        found["dnsperf"] = []
        for server in sorted({question[0] for question in questions}):
            lines = (
                f"{name} {rdtype}\n" for one, name, rdtype, _recursive in questions if one == server
            )
            (folder / server).write_text("".join(lines), encoding="utf-8")
            found["dnsperf"].append(
                ["dnsperf", "-s", server, "-d", str(folder / server), "-n", "1", "-q", str(AT_ONCE)]
            )
    return found


def timed(commands: list[list[str]]) -> tuple[float, float, float]:
    """Seconds, seconds of a core, and the most memory in MiB; of what is no Python that is only
    what it was begun with."""
    begun, busy, most = time.monotonic(), 0.0, 0
    for command in commands:
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            _pid, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        busy, most = busy + usage.ru_utime + usage.ru_stime, max(most, usage.ru_maxrss)
    return time.monotonic() - begun, busy, most / 1024


def main(estate: str, resolver: str, ca_file: str = "", rounds: str = "3") -> None:
    rows: dict[str, list[tuple[float, float, float]]] = collections.defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "questions")
        for _round in range(int(rounds)):
            rows["verify_dns"].append(
                timed(
                    [[sys.executable, __file__, "--verify", estate, resolver, ca_file, str(file)]]
                )
            )
            questions = json.loads(file.read_text(encoding="utf-8"))
            for name, commands in others(questions, Path(folder)).items():
                rows[name].append(timed(commands))
            print({name: round(found[-1][0], 1) for name, found in rows.items()}, file=sys.stderr)
    middle = {
        name: tuple(statistics.median(column) for column in zip(*found, strict=True))
        for name, found in rows.items()
    }
    print(
        f"\n{'':10} {'seconds':>8} {'a second':>9} {'of a core':>10} {'MiB':>6}"
        f" {'verify_dns takes':>17}"
    )
    for name, (seconds, busy, most) in middle.items():
        memory = f"{most:.0f}" if name in ("verify_dns", "dnspython") else ""
        print(
            f"{name:10} {seconds:8.1f} {len(questions) / seconds:9.0f} {busy:9.1f}s {memory:>6}"
            f" {middle['verify_dns'][0] / seconds:15.2f} x"
        )


if __name__ == "__main__":
    if sys.argv[1] == "--verify":
        verify(*sys.argv[2:])
    elif sys.argv[1] == "--bare":
        bare(json.loads(Path(sys.argv[2]).read_text(encoding="utf-8")))
    else:
        main(*sys.argv[1:])
