# SPDX-License-Identifier: GPL-3.0-or-later
"""What the demo made: its tenants, and how to log in from this machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT / "collections"))
from ansible_collections.reseller.mail.plugins.plugin_utils._load import load  # noqa: E402
from ansible_collections.reseller.mail.plugins.plugin_utils._model.sizes import size  # noqa: E402

LAB = Path(os.environ.get("LAB_HOSTS_DIR", "/var/lib/reseller-mail-lab"))


def main() -> None:
    console = Console(highlight=False)
    estate, faults = load(str(PROJECT / "estates" / "example"))
    if estate is None:
        sys.exit("\n".join(map(str, faults)))
    table = Table(
        "tenant", "node", "mailbox", "quota", box=None, header_style="bold", padding=(0, 1)
    )
    for tenant, domain in estate.served_domains():
        node = estate.node_of(tenant)
        where = f"{node.name}, Debian {node.debian}"
        for mailbox in domain.mailboxes:
            table.add_row(tenant.name, where, mailbox.address, size(mailbox.quota))
        if domain.relay:
            table.add_row(tenant.name, where, f"@{domain.name}", f"to {domain.relay.host}")
    console.print(table)
    tenant, domain = next(estate.served_domains())
    node, address = estate.node_of(tenant), domain.mailboxes[0].address
    console.print("\n[bold]Initial passwords[/]  build/initial-passwords/<node>.csv")
    console.print("[bold]Report[/]             build/verify/")
    console.print("[bold]A look inside[/]      a mailbox over IMAP, then a host:\n")
    console.print(
        f"  curl --cacert {LAB}/ca.pem --resolve {node.hostname}:993:{node.addresses[0]} \\",
        soft_wrap=True,
    )
    console.print(f"       --user {address} imaps://{node.hostname}/INBOX", soft_wrap=True)
    console.print(f"  ssh -F {LAB}/ssh/config {node.name}", soft_wrap=True)
    console.print("\n[bold]make demo-down[/] removes every trace of the hosts.")


if __name__ == "__main__":
    main()
