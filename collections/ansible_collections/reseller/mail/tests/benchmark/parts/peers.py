# SPDX-License-Identifier: GPL-3.0-or-later
"""Other ways to bring mailboxes to a host, on node mx1, and the module `generation` beside them."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from .. import estates, lab
from ..measurement import Commands, Measurement, rounds
from ..process import SCRATCH
from ..targets import GENERATION, LOOP, MAILBOXES, SHELL, TEMPLATE

EACH = 20
"""Mailboxes of each tenant."""
FEW = 100
FOLDER = SCRATCH / "peers"
PLAY = """\
- hosts: mx1
  gather_facts: false
  vars_files: [mailboxes.json]
  tasks:
    - name: Write all mailboxes with one template
      ansible.builtin.template: {src: mailboxes.j2, dest: /root/mailboxes, mode: "0600"}
      when: way == "template"
    - name: Write a line for each mailbox
      ansible.builtin.lineinfile: {path: /root/lines, line: "{{ item }}", create: true, mode: "0600"}
      loop: "{{ range(100) | map('regex_replace', '^', 'mailbox') }}"
      when: way == "loop"
"""
TEMPLATE_TEXT = """\
{% for domain, content in domains.items() %}{% for box in content.mailboxes %}
{{ box.name }}@{{ domain }} {{ box.quota }} {{ box.owner | default('') }} {{ box.display_name }}
{% endfor %}{% endfor %}
"""
SHELL_LOOP = """
rm -f /root/users
for number in $(seq 100); do
    echo "box$number:$(doveadm pw -s SHA512-CRYPT -p secret$number)" >>/root/users
done"""


def measure() -> list[Measurement]:
    """Return the cost of each way."""
    lab.ready()
    few, many = _estate("few", FEW), _estate("many", MAILBOXES)
    _write_play(many)
    commands: Commands = {
        (LOOP, FEW): lambda: lab.play(str(FOLDER / "play.yml"), way="loop"),
        (GENERATION, FEW): lambda: lab.generation(few),
        (SHELL, FEW): lambda: lab.on_host("mx1", SHELL_LOOP)[0],
        (TEMPLATE, MAILBOXES): lambda: lab.play(str(FOLDER / "play.yml"), way="template"),
        (GENERATION, MAILBOXES): lambda: lab.generation(many),
    }
    found = rounds(commands, most=3)
    lab.generation()
    return found


def _estate(name: str, mailboxes: int) -> Path:
    folder = FOLDER / name
    nodes = {"mx1": lab.NODES["mx1"]}
    estates.write(folder, estates.files(mailboxes // EACH, EACH, nodes))
    lab.report_node(folder)
    return folder


def _write_play(estate: Path) -> None:
    """Write the playbook, its template, and its variables: the mailboxes of the estate."""
    domains = {
        path.stem: yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
        for path in sorted(estate.glob("tenants/*/domain*.yml"))
    }
    texts = {
        "play.yml": PLAY,
        "mailboxes.j2": TEMPLATE_TEXT,
        "mailboxes.json": json.dumps({"domains": domains}),
    }
    estates.write(FOLDER, texts)
