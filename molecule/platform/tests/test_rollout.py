# SPDX-License-Identifier: GPL-3.0-or-later
"""A change reaches one node first, or one half of what site does, if the operator wants that. A
certificate may come from files."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from client import Host, Run, changed_estate, instead_of, site
from conftest import Side
from test_generation import serving
from test_tenants import FILES, MAILBOX, changes, forget, tenants

FIRST_ALONE = ("--extra-vars", '{"mail_serial": [1, "100%"]}')
UNIT = "/etc/systemd/system/certbot.service.d/reseller-mail.conf"
"""A file of the platform: the same for all tenants."""


ANOTHER = ("mailboxes:\n", "mailboxes:\n  - {name: another, quota: 1M}\n")


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Path]:
    """An estate with one mailbox more on each node, which leaves the nodes at the end."""
    folder = tmp_path_factory.mktemp("rollout")
    yield changed_estate(folder, dict.fromkeys(FILES.values(), MAILBOX))
    run = tenants(changed_estate(folder / "same", {}))
    assert run.rc == 0, run.output
    forget()


def added(run: Run) -> list[str]:
    """Return the mailboxes that a run added, in this order."""
    lines = run.output.splitlines()
    return [line.split()[2] for line in lines if line.startswith("+ mailbox ")]


@pytest.mark.parametrize("play", [tenants, site], ids=["tenants", "site"])
def test_a_failure_of_the_first_node_leaves_the_second_untouched(
    play: t.Callable[..., Run], nodes: dict[str, Host], changed: Path
) -> None:
    before = serving(nodes)
    with instead_of(nodes["mx1"], "postmap", "exit 1"):
        run = play(changed, *FIRST_ALONE) if play is tenants else play(*FIRST_ALONE, estate=changed)
    assert run.rc == 2, run.output
    assert run.recap["mx1"]["failed"] == 1, run.output
    if "mx2" in run.recap:  # site ends before the second node is asked anything
        assert (run.recap["mx2"]["failed"], run.changed("mx2")) == (0, 0), run.output
    assert serving(nodes) == before


def test_the_first_node_has_its_data_before_the_others_begin(
    sides: dict[str, Side], changed: Path
) -> None:
    run = tenants(changed, *FIRST_ALONE)
    assert run.rc == 0, run.output
    first, second = (f"newcomer@{side.user.domain}" for side in sides.values())
    assert added(run) == [first, second]
    hosts = run.output.index(f"+ mailbox {first}"), run.output.index(f"+ credential {second}")
    assert hosts == tuple(sorted(hosts)), run.output


def test_each_half_of_site_does_its_own_part_alone(
    nodes: dict[str, Host], sides: dict[str, Side], changed: Path, tmp_path: Path
) -> None:
    assert changed, "it is what takes the mailboxes away at the end"
    for node in nodes.values():
        node.run(f"echo '# drift' >>{UNIT}")
    estate = changed_estate(tmp_path, dict.fromkeys(FILES.values(), ANOTHER))
    data = site("--tags", "tenants", "--diff", estate=estate)
    assert data.rc == 0, data.output
    assert sorted(added(data)) == sorted(f"another@{side.user.domain}" for side in sides.values())
    for node in nodes.values():
        assert "# drift" in node.output(f"cat {UNIT}")
    before = serving(nodes)
    platform = site("--tags", "platform", "--diff")  # the mailboxes are not in this estate
    assert platform.rc == 0, platform.output
    for node in nodes.values():
        assert "# drift" not in node.output(f"cat {UNIT}")
    assert (changes(platform), serving(nodes)) == ([], before)


def served_key(node: Host, port: int, start: str = "") -> str:
    """Return the digest of the public key that a port of the node shows."""
    return node.output(
        f"openssl s_client -connect localhost:{port} {start} </dev/null 2>/dev/null | openssl x509"
        " -noout -pubkey | openssl pkey -pubin -outform der | sha256sum | cut -d' ' -f1"
    )


def test_a_certificate_may_come_from_files(
    sides: dict[str, Side], nodes: dict[str, Host], tmp_path: Path
) -> None:
    """It reaches every daemon; with `acme` again, they have the former one."""
    own = {}
    for name, node in nodes.items():
        host = sides[name].host
        node.run(
            "mkdir /root/own; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
            f" -days 30 -subj /CN={host} -addext subjectAltName=DNS:{host}"
            " -keyout /root/own/key.pem -out /root/own/chain.pem 2>/dev/null"
        )
        for part in ("chain", "key"):
            text = node.output(f"cat /root/own/{part}.pem") + "\n"
            (tmp_path / f"{name}-{part}.pem").write_text(text, encoding="utf-8")
        own[name] = node.output(
            "openssl x509 -in /root/own/chain.pem -noout -pubkey |"
            " openssl pkey -pubin -outform der | sha256sum | cut -d' ' -f1; rm -r /root/own"
        )

    def shown() -> dict[str, set[str]]:
        ports = ((25, "-starttls smtp"), (993, ""))
        return {
            name: {served_key(node, port, start) for port, start in ports}
            for name, node in nodes.items()
        }

    former = shown()
    assert {len(keys) for keys in former.values()} == {1}
    estate = changed_estate(tmp_path / "copy", {})  # the nodes' reports of their keys go there
    place = f"{tmp_path}/{{{{ inventory_hostname }}}}"
    source = {"fullchain": f"{place}-chain.pem", "privkey": f"{place}-key.pem"}
    supplied = json.dumps({"tls_source": "files", "tls_files": source})
    try:
        run = site("--tags", "tls", "--extra-vars", supplied, estate=estate)
        assert run.rc == 0, run.output
        assert shown() == {name: {key} for name, key in own.items()}
    finally:
        run = site("--tags", "tls", estate=estate)
    assert run.rc == 0, run.output
    assert shown() == former
