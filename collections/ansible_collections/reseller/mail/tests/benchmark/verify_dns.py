# SPDX-License-Identifier: GPL-3.0-or-later
"""How near verify_dns comes to what name server and machine can do: the same questions by other tools, and verify itself.

    verify_dns.py SERVER [DOMAINS]      asks SERVER about names below DOMAINS (default 1000) that it answers for, or refuses

Prints questions a second of: verify's own asker, a bare loop of dnspython's `asyncquery.udp`, and `dig -f` where it is installed.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[5]))
import dns.asyncquery
import dns.message
from ansible_collections.reseller.mail.plugins.module_utils._dns_query import Asker, server_at

LABELS = (
    ("", "MX"), ("", "TXT"), ("", "SPF"), ("", "NS"), ("_dmarc.", "TXT"), ("mx1._domainkey.", "TXT"), ("_mta-sts.", "TXT"), ("mta-sts.", "A"),
    ("_smtp._tls.", "TXT"), ("_imaps._tcp.", "SRV"), ("_pop3s._tcp.", "SRV"), ("_submissions._tcp.", "SRV"), ("_submission._tcp.", "SRV"),
    ("autoconfig.", "A"), ("autodiscover.", "A"),
)
AT_ONCE = 50


async def ours(server: str, questions: list[tuple[str, str]]) -> None:
    asker = Asker(server, at_once=AT_ONCE)
    await asyncio.gather(*(asker.ask(server_at(server), name, rdtype) for name, rdtype in questions))


async def bare(server: str, questions: list[tuple[str, str]]) -> None:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(name: str, rdtype: str) -> None:
        async with gate:
            await dns.asyncquery.udp(dns.message.make_query(name, rdtype, use_edns=0, payload=1232), server, 4)

    await asyncio.gather(*(one(name, rdtype) for name, rdtype in questions))


def dig(server: str, questions: list[tuple[str, str]]) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as batch:
        batch.writelines(f"{name} {rdtype}\n" for name, rdtype in questions)
        batch.flush()
        subprocess.run(["dig", f"@{server}", "+norecurse", "-f", batch.name], stdout=subprocess.DEVNULL, check=True)


def main(server: str, domains: int) -> None:
    questions = [(f"{label}d{number}.example.", rdtype) for number in range(domains) for label, rdtype in LABELS]
    figures = {}
    for name, work in (("verify", ours), ("dnspython", bare)):
        begun, busy = time.monotonic(), time.process_time()
        asyncio.run(work(server, questions))
        seconds = time.monotonic() - begun
        figures[name] = len(questions) / seconds
        print(f"{name:10} {len(questions)} questions, {seconds:6.1f} s, {figures[name]:7.0f}/s, {time.process_time() - busy:5.1f} s of one core")
    if shutil.which("dig"):
        begun = time.monotonic()
        dig(server, questions)
        seconds = time.monotonic() - begun
        figures["dig -f"] = len(questions) / seconds
        print(f"{'dig -f':10} {len(questions)} questions, {seconds:6.1f} s, {figures['dig -f']:7.0f}/s, one after the other")
    for name, figure in figures.items():
        if name != "verify":
            print(f"verify : {name} = {figures['verify'] / figure:.2f}")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1000)
