# SPDX-License-Identifier: GPL-3.0-or-later
"""A Postfix that listens on some addresses only is restarted: a reload does not open sockets."""

from __future__ import annotations

import socket
import typing as t
from contextlib import ExitStack
from pathlib import Path

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

VARS = Path(__file__).parents[4] / "roles/postfix/vars/main.yml"


def tables(addresses: t.Iterable[str]) -> str:
    """Return what the kernel shows of servers at these addresses, as if their port was 25."""
    with ExitStack() as stack:
        lines = ""
        for address in addresses:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            server = stack.enter_context(socket.create_server((address, 0), family=family))
            shown = "".join(Path(f"/proc/net/{name}").read_text() for name in ("tcp", "tcp6"))
            port = f":{server.getsockname()[1]:04X}"
            lines += "".join(
                f"{line}\n".replace(port, ":0019") for line in shown.splitlines() if port in line
            )
    return lines


@pytest.mark.parametrize(
    ("addresses", "everywhere"),
    [
        (["0.0.0.0", "::"], True),
        (["127.0.0.1", "::1"], False),
        (["0.0.0.0"], False),
        (["::", "127.0.0.1"], False),
        ([], False),
    ],
)
def test_only_sockets_for_all_addresses_of_both_families_are_kept(
    addresses: list[str], everywhere: bool
) -> None:
    variables = DataLoader().load_from_file(str(VARS), trusted_as_template=True)
    found = {"__postfix_sockets": {"stdout": tables(addresses)}}
    templar = Templar(loader=DataLoader(), variables={**variables, **found})
    assert templar.template(variables["__postfix_listens_everywhere"]) is everywhere
