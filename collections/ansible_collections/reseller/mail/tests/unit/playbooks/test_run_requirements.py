# SPDX-License-Identifier: GPL-3.0-or-later
"""A run in which nothing would be done is an error that says what to do."""

from __future__ import annotations

import json
import re
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import run_requirements
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.run_requirements import (
    Hosts,
)
from ansible_collections.reseller.mail.tests.unit.support.running import ansible

UNIT = Path(__file__).parents[1]
BASE = UNIT / "fixtures" / "estate"


class Place:
    """An inventory of the estate in the fixtures. No host answers.

    Never use ``connection: local`` here: a playbook that is not refused would change this machine.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.inventory = root / "inventory"
        self.inventory.mkdir()
        (self.inventory / "mail.yml").write_text(
            f"plugin: reseller.mail.estate\nestate: {BASE}\n", encoding="utf-8"
        )
        (self.inventory / "hosts.yml").write_text(
            "all:\n  hosts: {elsewhere: {}}\n  vars: {ansible_host: 127.0.0.1, ansible_port: 1}\n",
            encoding="utf-8",
        )

    def play(self, name: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a playbook."""
        return ansible(
            self.root / "home",
            "playbook",
            name if name.endswith(".yml") else f"reseller.mail.{name}",
            *words,
            inventory=self.inventory,
            ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED="true",
        )


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def refused(run: subprocess.CompletedProcess[str]) -> str:
    """Return the message of a run that ended at its first task."""
    assert run.returncode == 2, run.stdout + run.stderr
    assert len(re.findall(r"^TASK", run.stdout, re.MULTILINE)) == 1, run.stdout
    (result,) = re.findall(r"^fatal: \[\w+\]: FAILED! => (.*)$", run.stdout, re.MULTILINE)
    return json.loads(result)["msg"]


def recap(run: subprocess.CompletedProcess[str]) -> dict[str, int]:
    """Return for each host the number of tasks that failed or did not reach it."""
    return {
        host: int(unreachable) + int(failed)
        for host, unreachable, failed in re.findall(
            r"^(\w+) +: ok=.*unreachable=(\d+) +failed=(\d+) ", run.stdout, re.MULTILINE
        )
    }


@pytest.mark.parametrize(
    ("playbook", "limit", "message"),
    [
        (
            "site",
            "mx1",
            "--limit mx1 leaves out localhost, where this playbook also works; give --limit mx1,localhost",
        ),
        (
            "site",
            "elsewhere,localhost",
            "--limit elsewhere,localhost leaves no node; the inventory has mx1, mx2; give for example"
            " --limit mx1,localhost",
        ),
        (
            "rollback",
            "elsewhere",
            "--limit elsewhere leaves no node; the inventory has mx1, mx2; give for example --limit mx1",
        ),
        (
            "validate",
            "mx1",
            "--limit mx1 leaves out localhost, where this playbook works: omit --limit",
        ),
    ],
)
def test_a_limit_that_drops_what_a_playbook_does_is_refused(
    place: Place, playbook: str, limit: str, message: str
) -> None:
    assert refused(place.play(playbook, "--limit", limit)) == message


def test_a_limit_that_leaves_what_a_playbook_needs_is_accepted(place: Place) -> None:
    run = place.play("render", "--limit", "mx1", "-e", f"render_dest={place.root}/rendered")
    assert run.returncode == 0, run.stdout + run.stderr
    assert [path.name for path in (place.root / "rendered").iterdir()] == ["mx1"]


def test_all_that_is_wrong_with_the_variables_is_in_one_message(place: Place) -> None:
    run = place.play(
        "diagnose",
        "-e",
        "diagnose_trouble=mail",
        "-e",
        "diagnose_offline=maybe",
        "-e",
        "diagnose_subject=",
    )
    message = refused(run)
    for part in (
        "diagnose_subject is missing: give -e diagnose_subject=jo@acme.example (an address or a domain)",
        "value of diagnose_trouble must be one or more of: inbound, outbound, spam, dkim, login, smime."
        " Got no match for: mail",
        "diagnose_offline is of type str and we were unable to convert to bool",
    ):
        assert part in message.replace("'", ""), message


def test_a_variable_whose_template_has_no_value_is_named(place: Place) -> None:
    message = refused(place.play("explain", "-e", "explain_subject={{ no_such_variable }}"))
    assert message.startswith("explain_subject has no value: 'no_such_variable' is undefined")


WRONG = """
mail_nodes:
  vars: {tls_source: acne, postfix_deliveries: many}
  hosts:
    mx1: {postfix_hostname: "{{ no_such_variable }}"}
    mx2: {opendkim_algorithms: [rsa, md5]}
all:
  vars: {dns_publish_port: dns}
"""


def test_all_that_is_wrong_with_the_variables_of_roles_is_in_one_message(place: Place) -> None:
    """On every host, before any host is reached. Roles of the controller count on localhost."""
    (place.inventory / "wrong.yml").write_text(WRONG, encoding="utf-8")
    assert refused(place.play("site")).replace("'", "").splitlines() == [
        "localhost: argument dns_publish_port is of type str and we were unable to convert to int:"
        ' "dns" cannot be converted to an int',
        "mx1, mx2: value of tls_source must be one of: acme, files, got: acne",
        "mx1: postfix_hostname has no value: no_such_variable is undefined",
        "mx1, mx2: argument postfix_deliveries is of type str and we were unable to convert to int:"
        ' "many" cannot be converted to an int',
        "mx2: value of opendkim_algorithms must be one or more of: rsa, ed25519. Got no match for:"
        " md5",
    ]


def test_only_the_hosts_of_the_run_count(place: Place) -> None:
    (place.inventory / "wrong.yml").write_text(
        "mail_nodes: {hosts: {mx1: {web_listen: {443: 1}}, mx2: {web_listen: {443: 1}}}}",
        encoding="utf-8",
    )
    run = place.play("rollback", "--limit", "mx2")
    assert recap(run)["mx2"] == 1, "rollback has no roles, so their variables do not matter"
    (message,) = refused(place.play("guide_site", "--limit", "mx2")).splitlines()
    assert message.startswith("mx2: argument 'web_listen' is of type dict")


def test_variables_that_come_with_an_import_are_validated_too(place: Place) -> None:
    file = place.root / "mine.yml"
    file.write_text(
        "- {import_playbook: reseller.mail.site, vars: {base_adopt: perhaps, tls_source: files}}\n",
        encoding="utf-8",
    )
    message = refused(place.play(str(file)))
    assert message.startswith("mx1, mx2: argument 'base_adopt' is of type str")
    assert len(message.splitlines()) == 1


def test_a_value_that_reads_facts_is_left_to_the_run(place: Place) -> None:
    """The run has no facts yet, not even through another variable."""
    (place.inventory / "facts.yml").write_text(
        "mail_nodes:\n  vars:\n"
        "    postfix_hostname: mail.{{ ansible_facts['domain'] }}\n"
        '    threads: "{{ ansible_processor_vcpus * 2 }}"\n'
        '    postfix_deliveries: "{{ threads }}"\n'
        "    dovecot_connections: \"{{ 'few' if ansible_facts.get('memory') else 'no number' }}\"\n",
        encoding="utf-8",
    )
    run = place.play("site")
    assert "UNREACHABLE" in run.stdout, run.stdout + run.stderr
    assert recap(run) == {"localhost": 0, "mx1": 1, "mx2": 1}


def test_a_role_that_does_not_exist_is_named(place: Place) -> None:
    file = place.root / "mine.yml"
    file.write_text(
        "- hosts: localhost:all\n  gather_facts: false\n  connection: local\n  tasks:\n"
        "    - reseller.mail.run_requirements:\n"
        "        {playbook: mine, roles: {mail_nodes: [postfix, exim]}}\n",
        encoding="utf-8",
    )
    assert refused(place.play(str(file))).startswith(
        "roles: exim is no role; the roles are autoconfig, backup, base"
    )


def test_a_tag_that_selects_nothing_is_refused(place: Place) -> None:
    found = refused(place.play("site", "--tags", "dsn,postfix", "--skip-tags", "mtasts"))
    known = (
        "it has autoconfig, backup, base, dns, dovecot, filter, firewall, generation, mta_sts,"
        " opendkim, passwords, platform and 3 more"
    )
    assert found == (
        f"the playbook site has no tag dsn; did you mean dns?; {known}\n"
        f"the playbook site has no tag mtasts; did you mean mta_sts?; {known}"
    )


def test_molecule_may_skip_the_tags_that_it_always_skips(place: Place) -> None:
    run = place.play("validate", "--skip-tags", "molecule-notest,notest")
    assert "has no fault" in run.stdout, run.stdout + run.stderr
    found = refused(place.play("validate", "--tags", "notest"))
    assert found.startswith("the playbook validate has no tag notest")


def test_another_playbook_that_imports_one_may_have_its_own_tags(place: Place) -> None:
    file = place.root / "mine.yml"
    file.write_text(
        "- {import_playbook: reseller.mail.validate, tags: files}\n"
        "- {hosts: localhost, gather_facts: false, tags: mine, tasks: [{debug: {msg: mine}}]}\n",
        encoding="utf-8",
    )
    run = place.play(str(file), "--tags", "mine")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "has no fault" not in run.stdout
    run = place.play(str(file), "--tags", "files")
    assert "has no fault" in run.stdout, run.stdout + run.stderr


@pytest.fixture
def managed(place: Place) -> Place:
    """Return a place whose estate has a domain that the provider publishes."""
    estate = place.root / "estate"
    subprocess.run(["cp", "-r", str(BASE), str(estate)], check=True)
    account = estate / "tenants/acme/account.yml"
    account.write_text(
        f"{account.read_text(encoding='utf-8')}\nmanaged_domains: [acme.example]\n",
        encoding="utf-8",
    )
    (place.inventory / "mail.yml").write_text(
        f"plugin: reseller.mail.estate\nestate: {estate}\n", encoding="utf-8"
    )
    return place


NO_SERVER = (
    "1 domain of tenants is in managed_domains, and no DNS server is set to publish it: set"
    " dns_publish_server (docs/dns.md), or dns_publish_driver=manual if you publish the files in"
    " build/dns yourself"
)


def test_managed_domains_without_a_dns_server_are_refused(managed: Place) -> None:
    assert refused(managed.play("site")) == NO_SERVER


def test_managed_domains_are_counted_without_the_inventory_plugin(managed: Place) -> None:
    (managed.inventory / "mail.yml").unlink()
    run = managed.play("dns_publish", "-e", f"mail_estate_dir={managed.root}/estate")
    assert refused(run) == NO_SERVER


def test_a_driver_that_is_set_is_a_decision(managed: Place) -> None:
    """Files for all domains, also the managed ones."""
    folder = managed.root / "dns"
    run = managed.play(
        "dns_publish", "-e", "dns_publish_driver=manual", "-e", f"dns_publish_export_dir={folder}"
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert (folder / "acme.example.zone").exists()


def test_a_canary_that_fails_ends_the_run_before_the_next_node(place: Place) -> None:
    """No node can be reached, so every node fails."""
    assert recap(place.play("rollback", "-e", "mail_serial=1")) == {"localhost": 0, "mx1": 1}
    assert recap(place.play("rollback")) == {"localhost": 0, "mx1": 1, "mx2": 1}


def test_one_node_of_a_batch_that_fails_ends_the_run_after_the_batch(place: Place) -> None:
    """mx1 fails, mx2 does not, and the batch after theirs is not begun."""
    hosts = place.inventory / "more.yml"
    hosts.write_text(
        "mail_nodes: {hosts: {mx1: {}, mx2: {}, mx3: {mail_node: mx3}}}\n",
        encoding="utf-8",
    )
    file = place.root / "rollback.yml"
    text = (UNIT.parents[1] / "playbooks/rollback.yml").read_text(encoding="utf-8")
    task = re.search(r"      reseller.mail.generation:\n.*", text, re.DOTALL)
    assert task
    file.write_text(
        text.replace(
            task[0],
            "      ansible.builtin.assert: {that: inventory_hostname != 'mx1'}\n",
        ),
        encoding="utf-8",
    )
    run = place.play(str(file), "-e", "mail_serial=2")
    assert recap(run) == {"localhost": 0, "mx1": 1, "mx2": 0}, run.stdout + run.stderr


LEFT: dict[str, t.Any] = {"nodes": ("mx1", "mx2"), "unknown": (), "limit": ""}


@pytest.mark.parametrize(
    ("hosts", "works_on", "found"),
    [
        (Hosts(frozenset({"localhost", "mx1", "mx2"}), **LEFT), ["localhost", "mail_nodes"], []),
        (Hosts(frozenset({"localhost", "mx1"}), **LEFT), ["localhost", "mail_nodes"], []),
        (Hosts(frozenset({"mx2"}), **LEFT), ["mail_nodes"], []),
        (Hosts(frozenset({"localhost"}), (), (), ""), ["localhost"], []),
        (
            Hosts(frozenset({"localhost"}), (), (), ""),
            ["localhost", "mail_nodes"],
            [run_requirements.NO_NODES],
        ),
        (
            Hosts(frozenset({"mx1"}), ("mx1", "mx2"), (), "tenant_acme"),
            ["localhost", "mail_nodes"],
            [
                "--limit tenant_acme leaves out localhost, where this playbook also works; give"
                " --limit tenant_acme,localhost"
            ],
        ),
        (
            Hosts(frozenset({"mx1", "mx2"}), ("mx1", "mx2"), (), "mail_nodes"),
            ["localhost"],
            ["--limit mail_nodes leaves out localhost, where this playbook works: omit --limit"],
        ),
        (
            Hosts(frozenset({"localhost", "mx9"}), ("mx1", "mx9"), ("mx9",), ""),
            ["mail_nodes"],
            [
                "mx9: in the group mail_nodes of the inventory, but no node of the estate; remove it"
                " from the group, or add it to estate.yml"
            ],
        ),
    ],
)
def test_what_hosts_lack(hosts: Hosts, works_on: list[str], found: list[str]) -> None:
    assert run_requirements.lacking_hosts(hosts, works_on) == found


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("-e", "tenants_only=acmee"), "the estate has no tenant acmee; did you mean acme?"),
        (
            ("-e", "tenants_only=acme", "--limit", "mx2,localhost"),
            "--limit mx2,localhost leaves no node; the inventory has mx1; give for example --limit"
            " mx1,localhost",
        ),
    ],
)
def test_a_tenant_that_no_node_of_the_run_serves_is_refused(
    place: Place, words: tuple[str, ...], message: str
) -> None:
    assert refused(place.play("tenants", *words)) == message


def test_a_run_for_one_tenant_reaches_its_node_only(place: Place) -> None:
    """No node can be reached, so every node that is tried fails."""
    assert recap(place.play("tenants", "-e", "tenants_only=acme")) == {"localhost": 0, "mx1": 1}
    assert recap(place.play("tenants")) == {"localhost": 0, "mx1": 1, "mx2": 1}
