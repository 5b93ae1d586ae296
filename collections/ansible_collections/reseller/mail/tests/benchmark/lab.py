# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts of the lab, and what Ansible does on them. Every function needs root."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import typing as t
from pathlib import Path

from . import estates
from .measurement import Run
from .process import BIN, PROJECT, SCRATCH, Failed, cost

ESTATE = SCRATCH / "estate"
"""The example estate, which the parts change."""
CHANGED = ESTATE / "tenants" / "acme" / "acme.example.yml"
LAB = Path(os.environ.get("LAB_HOSTS_DIR", "/var/lib/reseller-mail-lab"))
CONVERGED = LAB / "hosts" / "mx1" / "as-benchmark-wants"
"""Exists while the nodes are as ESTATE describes them. The lab removes it with the host."""
PLATFORM = CONVERGED.with_name("has-platform")
"""Exists since `site` has configured the nodes. The lab removes it with the host."""
NODES: t.Final[estates.Nodes] = {
    "mx1": "debian: 12, addresses: [10.97.0.3], capacity: 900T",
    "mx2": "debian: 13, addresses: [10.97.0.4, 10.97.0.14], capacity: 900T",
}
"""The lab's nodes in estates of the benchmark."""
Variables = t.Mapping[str, t.Any]


def start(*arguments: str, **variables: t.Any) -> None:
    """Start new hosts, and begin with the example estate anew."""
    shutil.rmtree(ESTATE, ignore_errors=True)
    shutil.copytree(PROJECT / "estates" / "example", ESTATE, ignore=shutil.ignore_patterns("state"))
    shutil.rmtree(SCRATCH / "passwords", ignore_errors=True)
    play("playbooks/lab.yml", *arguments, **variables)


def converge() -> Run:
    """Run `site` on all nodes."""
    found = play("reseller.mail.site")
    CONVERGED.touch()
    PLATFORM.touch()
    return found


def ready() -> None:
    """Have two nodes that are as ESTATE describes them."""
    if not (CONVERGED.exists() and ESTATE.exists()):
        start()
        converge()


def platform_ready() -> None:
    """Have two nodes that `site` has configured, whatever their tenants are."""
    if not (PLATFORM.exists() and ESTATE.exists()):
        start()
        converge()


def add_mailbox(number: int) -> None:
    """Add one mailbox to ESTATE."""
    text = CHANGED.read_text(encoding="utf-8")
    added = f"mailboxes:\n  - {{name: added{number}, quota: 10M, owner: it@acme.example}}\n"
    CHANGED.write_text(text.replace("mailboxes:\n", added, 1), encoding="utf-8")


def play(
    playbook: str, *arguments: str, environment: t.Optional[Variables] = None, **variables: t.Any
) -> Run:
    """Run a playbook with the lab's inventory and ESTATE; return its cost on the controller."""
    settings = {
        "mail_estate_dir": str(ESTATE),
        "dovecot_initial_passwords": f"{SCRATCH}/passwords/{{{{ mail_node }}}}.csv",
        "dns_publish_export_dir": str(SCRATCH / "dns"),
        **variables,
    }
    command = [str(BIN / "ansible-playbook"), "--inventory=inventories/example", playbook]
    return cost(*command, "-e", json.dumps(settings), *arguments, **(environment or {}))


def module(host: str, name: str, **options: t.Any) -> Run:
    """Run a play of one task on one host; return its cost on the controller.

    A play does not print the result of a task, other than `ansible -m`.
    """
    playbook = SCRATCH / "task.json"
    tasks = [{name: options}]
    playbook.write_text(
        json.dumps([{"hosts": host, "gather_facts": False, "tasks": tasks}]), encoding="utf-8"
    )
    return play(str(playbook))


def ping() -> Run:
    """Ping both nodes: what every run of Ansible costs at least."""
    return module("mail_nodes", "ansible.builtin.ping")


def generation(estate: Path = ESTATE, node: str = "mx1") -> Run:
    """Install the generation of one node, whatever it deletes."""
    options = {"estate": str(estate), "node": node, "deletions_accepted": 10**9}
    return module(node, "reseller.mail.generation", **options)


def report_node(estate: Path, node: str = "mx1") -> None:
    """Write the report of a node into another estate, with the DKIM keys of its own name.

    Without a report no generation is installed. The domains of the other estate have no keys.
    """
    path = Path("state") / f"{node}.json"
    report = json.loads((ESTATE / path).read_text(encoding="utf-8"))
    keys = [key for key in report["dkim"] if key["domain"] == f"{node}.hosting.example"]
    estates.write(estate, {str(path): json.dumps({"node": node, "dkim": keys})})


def on_host(host: str, *commands: str) -> list[Run]:
    """Run Bash commands on a host, one after the other, in one shell; return the time of each.

    Raise Failed if one ends with another status than 0.
    """
    marks = "".join(f"{{\n{command}\n}} >/dev/null\ndate +%s.%N\n" for command in commands)
    times = [float(line) for line in output(host, f"date +%s.%N\n{marks}").split()]
    return [Run(after - before) for before, after in itertools.pairwise(times)]


def output(host: str, script: str) -> str:
    """Return what a Bash script prints on a host; raise Failed if it fails."""
    done = subprocess.run(
        ["ssh", "-F", str(LAB / "ssh" / "config"), host, "bash -eu"],
        input=script,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Failed(f"{host}: {script[:300]}: {done.stderr[-1000:]}")
    return done.stdout
