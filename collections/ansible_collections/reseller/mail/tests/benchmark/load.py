# SPDX-License-Identifier: GPL-3.0-or-later
"""How long reading and judging a large estate takes: ``PYTHONPATH=collections python load.py [tenants [mailboxes]]``."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

from ansible_collections.reseller.mail.plugins.module_utils import _judge, _load

ESTATE = """\
provider: {name: Example Hosting, domain: hosting.example}
nodes:
  - {name: mx1, hostname: mx1.hosting.example, debian: 12, addresses: [192.0.2.1]}
  - {name: mx2, hostname: mx2.hosting.example, debian: 13, addresses: [192.0.2.2]}
"""
PLANS = """\
plans:
  - name: business
    limits: {domains: 5, mailboxes: 5000, aliases: 5000, storage: unlimited}
    features: [catch_all]
    mailbox_quota: {default: 2G, max: 20G}
"""
ACCOUNT = """\
organisation: Tenant {tenant}
plan: business
state: active
placement: mx{node}
default_owner: box0@{domain}
admins:
  - address: box0@{domain}
    limits: {{storage: 100T}}
domains: [{domain}]
intake: {{expected_mailboxes: 20, dns_contact: box0@{domain}, clients: local, smime: false}}
"""
MAILBOX = """\
  - name: box{nth}
    display_name: Box Number {nth}
    quota: {size}G
    owner: box0@{domain}
"""


def write(root: Path, tenants: int, mailboxes: int) -> int:
    """An estate of that size; the number of its bytes."""
    texts = {"estate.yml": ESTATE, "plans.yml": PLANS}
    for tenant in range(tenants):
        domain = f"domain{tenant}.example"
        folder = f"tenants/tenant{tenant}"
        texts[f"{folder}/account.yml"] = ACCOUNT.format(tenant=tenant, node=tenant % 2 + 1, domain=domain)
        boxes = "".join(MAILBOX.format(nth=nth, size=nth % 9 + 1, domain=domain) for nth in range(mailboxes))
        aliases = "aliases:\n  - name: sales\n    to: [box0, box1, ann@elsewhere.example]\n  - name: all\n    to: [sales, box2]\n"
        texts[f"{folder}/{domain}.yml"] = f"mailboxes:\n{boxes}{aliases}dmarc: {{stage: observe}}\nmta_sts: {{mode: testing}}\n"
    for path, text in texts.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return sum(map(len, texts.values()))


def main() -> None:
    """Prints the processor's time of each step, the best of five: a busy machine lengthens it less than the clock's."""
    tenants, mailboxes = [int(word) for word in (*sys.argv[1:], "1000", "20")[:2]] if len(sys.argv) != 2 else (int(sys.argv[1]), 20)
    with tempfile.TemporaryDirectory() as folder:
        size = write(Path(folder), tenants, mailboxes)
        print(f"{tenants} tenants, {tenants * mailboxes} mailboxes, {size / 2**20:.1f} MiB")
        times = []
        for _attempt in range(5):
            start = time.process_time()
            estate, faults = _load.load(folder)
            times.append(time.process_time() - start)
            assert estate is not None, faults[:3]
        start = time.process_time()
        _load.read_files(folder)
        files = time.process_time() - start
        start = time.process_time()
        _judge.judge(estate)
        judged = time.process_time() - start
    print(f"load and judge {min(times):.2f} s of processor time, of that files {files:.2f} s and judges {judged:.2f} s")
    print(f"at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB of memory")


if __name__ == "__main__":
    main()
