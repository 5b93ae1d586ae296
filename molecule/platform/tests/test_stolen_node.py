# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node that somebody took over can put into the estate, and from there into DNS."""

from __future__ import annotations

import contextlib
import json
import typing as t
from pathlib import Path

from client import Host, ansible, changed_estate
from conftest import Side

DKIM = "/var/lib/reseller-mail/dkim"


@contextlib.contextmanager
def planted(node: Host, domain: str, selector: str) -> t.Iterator[None]:
    """A key of the thief's own choice, as if the node had made and used it."""
    file = f"{DKIM}/{domain}/{selector}"
    made = "public=$(openssl pkey -in $file.private -pubout | sed '/---/d' | tr -d '\\n')"
    note = (
        '{\\"public\\": \\"%s\\", \\"algorithm\\": \\"rsa\\", \\"state\\": \\"retired\\",'
        ' \\"since\\": \\"%s\\", \\"made\\": \\"%s\\"}'
    )
    there = node.run(f"test -e {DKIM}/{domain}", check=False).returncode == 0
    node.run(
        f"file={file}; mkdir -p {DKIM}/{domain}; openssl genpkey -quiet -algorithm RSA -out"
        f" $file.private; {made}; now=$(date -u +%FT%TZ); "
        f'printf "{note}" $public $now $now >$file.json; chmod 600 $file.private; chown -R'
        f" opendkim: {DKIM}/{domain}"
    )
    try:
        yield
    finally:
        node.run(f"rm -f {file}.private {file}.json" if there else f"rm -rf {DKIM}/{domain}")


def test_a_stolen_node_reports_no_key_of_anothers_domain_or_selector_and_the_rest_goes_on(
    sides: dict[str, Side], nodes: dict[str, Host], tmp_path: Path
) -> None:
    """Each is the thief's in turn: a key for a domain of the other node, and one under the other's
    selector."""
    estate = changed_estate(tmp_path, {})
    before = {name: (estate / "state" / f"{name}.json").read_bytes() for name in nodes}
    foreign = {"mx1": sides["mx2"].user.domain, "mx2": sides["mx1"].user.domain}
    others = {"mx1": "mx2", "mx2": "mx1"}
    with contextlib.ExitStack() as thief:
        for name, node in nodes.items():
            thief.enter_context(planted(node, foreign[name], name))
            thief.enter_context(planted(node, sides[name].user.domain, others[name]))
        run = ansible("ansible-playbook", str(Path(__file__).parent / "keys.yml"), estate=estate)
    assert run.rc == 2, run.output
    said = " ".join(run.output.split())
    for name in nodes:
        assert (
            f"the report of {name} about {foreign[name]} is refused: the node does not sign for it"
            in said
        )
        own = sides[name].user.domain
        assert (
            f"the report of {name} about {own} is refused: the selector {others[name]} is not one of"
            " its own" in said
        )
        after = json.loads((estate / "state" / f"{name}.json").read_bytes())
        assert after == json.loads(before[name]), "the former report stays"


def test_an_honest_report_is_taken_whole(nodes: dict[str, Host], tmp_path: Path) -> None:
    estate = changed_estate(tmp_path, {})
    before = {name: (estate / "state" / f"{name}.json").read_bytes() for name in nodes}
    run = ansible("ansible-playbook", str(Path(__file__).parent / "keys.yml"), estate=estate)
    assert run.rc == 0, run.output
    assert {name: (estate / "state" / f"{name}.json").read_bytes() for name in nodes} == before
