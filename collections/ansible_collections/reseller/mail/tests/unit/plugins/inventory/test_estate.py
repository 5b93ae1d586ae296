# SPDX-License-Identifier: GPL-3.0-or-later
"""The estate as inventory, asked with the real ansible-inventory and ansible-playbook."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest
from ansible.inventory.data import InventoryData
from ansible_collections.reseller.mail.plugins.inventory import estate as plugin
from ansible_collections.reseller.mail.plugins.plugin_utils import _load
from ansible_collections.reseller.mail.tests.unit.support.running import ansible

UNIT = Path(__file__).parents[2]
BASE = UNIT / "fixtures" / "estate"
BAD = UNIT / "fixtures" / "bad_estate"


class Place:
    """An inventory folder with its estate beside it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.estate = Path(shutil.copytree(BASE, root / "estate"))
        self.inventory = root / "inventory"
        self.inventory.mkdir()
        self.write("inventory/mail.yml", "plugin: reseller.mail.estate\nestate: ../estate\n")

    def write(self, path: str, text: str, mode: str = "w") -> None:
        with (self.root / path).open(mode, encoding="utf-8") as stream:
            stream.write(text)

    def run(
        self, command: str, *args: str, strict: bool = True
    ) -> subprocess.CompletedProcess[str]:
        more = {"ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": str(strict), "COLUMNS": "1000"}
        return ansible(self.root, command, *args, inventory=self.inventory, **more)

    def listed(self, *args: str) -> dict[str, t.Any]:
        run = self.run("inventory", "--list", "--export", *args)
        assert run.returncode == 0, run.stderr
        return json.loads(run.stdout)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def plain(value: object) -> object:
    """Without the mark that ansible-inventory gives to text that is never templated."""
    if isinstance(value, dict):
        return (
            value["__ansible_unsafe"]
            if set(value) == {"__ansible_unsafe"}
            else {key: plain(below) for key, below in value.items()}
        )
    return [plain(item) for item in value] if isinstance(value, list) else value


def test_nodes_and_tenants(place: Place) -> None:
    place.write(
        "inventory/hosts.yml", "all: {hosts: {mx1: {ansible_host: 10.97.0.3}, elsewhere: {}}}\n"
    )
    listed = t.cast("dict[str, t.Any]", plain(place.listed()))
    assert listed["mail_nodes"]["hosts"] == ["mx1", "mx2"]
    assert listed["tenant_acme"] == {"hosts": ["mx1"]}
    assert listed["tenant_globex"] == {"hosts": ["mx2"]}
    assert listed["all"]["vars"] == {
        "mail_estate_dir": str(place.estate),
        "mail_managed_domains": 0,
    }, "also for localhost and hosts of other sources"
    assert listed["_meta"]["hostvars"]["mx1"] == {
        "ansible_host": "10.97.0.3",
        "mail_node": "mx1",
        "mail_hostname": "mx1.hosting.example",
        "mail_addresses": ["192.0.2.1", "192.0.2.11"],
        "mail_debian": 12,
        "mail_outbound": [
            {
                "transport": "out-192-0-2-11",
                "hostname": "mx1.hosting.example",
                "ipv4": "192.0.2.11",
                "ipv6": "",
            }
        ],
        "mail_backup_mx": False,
        "mail_relays": [
            {
                "name": "premium",
                "transport": "relay-premium",
                "host": "smtp.relay.example",
                "port": 587,
                "username": "",
            }
        ],
        "mail_dkim_algorithms": ["rsa"],
    }
    assert listed["_meta"]["hostvars"]["mx2"]["ansible_host"] == "mx2.hosting.example", (
        "when no other source says it"
    )


@pytest.mark.parametrize(
    ("state", "members"),
    [("active", ["mx1"]), ("suspended", ["mx1"]), ("pending", []), ("terminated", [])],
)
def test_a_tenant_that_no_host_knows_has_no_host(state: str, members: list[str]) -> None:
    estate = _load.load(str(BASE))[0]
    assert estate is not None
    acme = replace(estate.tenants[0], name="acme-labs", state=state)
    inventory = InventoryData()
    plugin._fill(inventory, replace(estate, tenants=(acme,)))
    assert [host.name for host in inventory.groups["tenant_acme_labs"].get_hosts()] == members


def test_the_extra_variable_overrides_the_option(place: Place) -> None:
    shutil.copytree(place.estate, place.root / "other")
    shutil.rmtree(place.root / "other/tenants/globex")
    listed = place.listed("-e", "mail_estate_dir=other")
    assert "tenant_globex" not in listed
    assert plain(listed["all"]["vars"]) == {
        "mail_estate_dir": str(place.root / "other"),
        "mail_managed_domains": 0,
    }


def test_only_files_named_for_it_are_read(place: Place) -> None:
    (place.inventory / "mail.yml").rename(place.inventory / "hosting.yml")
    run = place.run("inventory", "--list")
    assert run.returncode != 0
    assert "mx1" not in run.stdout
    (place.inventory / "hosting.yml").rename(place.inventory / "my_estate.yml")
    assert place.listed()["mail_nodes"]


def test_an_estate_inside_the_inventory_is_refused(place: Place) -> None:
    shutil.copytree(place.estate, place.inventory / "estate")
    place.write("inventory/mail.yml", "plugin: reseller.mail.estate\nestate: estate\n")
    run = place.run("inventory", "--list")
    assert run.returncode != 0
    assert "is inside the inventory" in run.stderr


def test_an_estate_that_gives_no_node_is_a_parse_error_that_names_its_faults(place: Place) -> None:
    shutil.rmtree(place.estate)
    run = place.run("inventory", "--list")
    assert run.returncode != 0
    assert "unreadable: the estate cannot be read: No such file or directory" in run.stderr
    assert "ansible-playbook reseller.mail.validate" in run.stderr


def test_a_faulty_estate_still_gives_its_nodes_with_a_warning(place: Place) -> None:
    place.write("estate/tenants/acme/acme.example.yml", "mailboxes: [\n")
    run = place.run("inventory", "--list", "--export")
    assert run.returncode == 0
    assert json.loads(run.stdout)["mail_nodes"]["hosts"] == ["mx1", "mx2"]
    assert "has 1 fault:" in run.stderr
    assert "tenants/acme/acme.example.yml:2:1: not-yaml" in run.stderr


HOSTILE = """\
mailboxes:
  - {name: it, display_name: "{{ lookup('pipe', 'touch TRAP') }}"}
  - {name: jo, display_name: "{% for x in [1] %}{{ lookup('pipe', 'touch TRAP') }}{% endfor %}", quota: 5G}
  - {name: "{{ lookup('pipe', 'touch TRAP') }}", owner: "{{ lookup('pipe', 'touch TRAP') }}", quota: "{{ 5 }}G"}
  - {name: "evil\\nall:\\n  hosts:\\n    evil:", display_name: "x\\nansible_connection: local"}
  - {name: ansible_host, display_name: !unsafe x}
aliases:
  - {name: sales, to: [jo, "x@evil.example\\nroot@mx1.hosting.example", "|touch TRAP", ":include:/etc/passwd"]}
  - &bomb {name: bomb, to: [jo]}
catch_all: "{{ hostvars }}"
dmarc: {stage: "{{ 'reject' }}", reports_to: "{{ lookup('pipe', 'touch TRAP') }}@acme.example"}
branding: {hostname: "{{ lookup('pipe', 'touch TRAP') }}", name: "{{ lookup('pipe', 'touch TRAP') }}"}
"{{ lookup('pipe', 'touch TRAP') }}": 1
plugin: reseller.mail.estate
mail_estate_dir: /evil
all:
  hosts:
    evil: {ansible_connection: local}
    mx1: {ansible_host: 192.0.2.66, ansible_connection: local}
  vars: {ansible_connection: local, ansible_become_password: x}
hosts: [evil]
ansible_connection: local
_meta: {hostvars: {mx1: {ansible_host: 192.0.2.66}}}
"""


def test_a_hostile_tenant_file_changes_nothing_of_the_inventory(place: Place) -> None:
    """Jinja in every string, inventory's own keys, line breaks in addresses. ``--list`` templates
    what may be templated."""
    clean = place.listed()
    trap = place.root / "pwned"
    place.write("estate/tenants/acme/acme.example.yml", HOSTILE.replace("TRAP", str(trap)))
    place.write("estate/tenants/acme/evil.example.yml", "all:\n  hosts:\n    evil:\n")
    assert place.listed() == clean
    hosts = place.run("adhoc", "all", "--list-hosts")
    assert re.findall(r"^ +(\S+)$", hosts.stdout, re.MULTILINE) == ["mx1", "mx2"]
    assert not trap.exists()

    run = place.run("playbook", "reseller.mail.validate")
    assert run.returncode == 2
    assert not trap.exists()
    faults = re.findall(
        r"^\S*tenants/acme/(\S+):(\d+):\d+: ([a-z-]+): .+$", run.stdout, re.MULTILINE
    )
    assert {(file, int(line)) for file, line, _id in faults} == {
        *(
            ("acme.example.yml", line)
            for line in (4, 5, 6, 8, 10, 11, 12, 13, 14, 15, 16, 21, 22, 23)
        ),
        ("evil.example.yml", 1),
    }
    assert "\nall:" not in run.stdout, "a line break in a value is shown, not printed"


def test_jinja_where_any_text_may_stand_is_text(place: Place) -> None:
    """A display name may hold anything printable. No fault, no variable, nothing run."""
    trap = place.root / "pwned"
    place.write(
        "estate/tenants/globex/globex.example.yml",
        f"""    display_name: "{{{{ lookup('pipe', 'touch {trap}') }}}}"\n""",
        "a",
    )
    run = place.run("playbook", "reseller.mail.validate")
    assert run.returncode == 0, run.stdout
    assert not trap.exists()


def test_a_broken_inventory_file_says_what_is_wrong(place: Place) -> None:
    place.write("inventory/mail.yml", "plugin: reseller.mail.estate\n")
    run = place.run("inventory", "--list")
    assert run.returncode != 0
    assert "estate" in run.stderr
