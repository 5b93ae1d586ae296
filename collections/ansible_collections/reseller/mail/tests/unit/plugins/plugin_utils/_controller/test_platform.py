# SPDX-License-Identifier: GPL-3.0-or-later
"""The digest of the platform changes with what configures hosts, and with nothing else."""

from __future__ import annotations

import re
import shutil
import typing as t
from dataclasses import asdict
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host.platform_record import Record
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import platform
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.estate import judged_node

COLLECTION = Path(__file__).parents[5]
FIXTURE = Path(__file__).parents[3] / "fixtures" / "estate"


@pytest.fixture(name="copy")
def _copy(tmp_path: Path) -> Path:
    for part in ("roles", "plugins", "playbooks", "docs"):
        shutil.copytree(COLLECTION / part, tmp_path / part)
    return tmp_path


def test_the_roles_are_those_that_site_applies_to_nodes() -> None:
    """``dns_publish`` works on the controller. ``web`` is a part of other roles."""
    site = (COLLECTION / "playbooks" / "site.yml").read_text(encoding="utf-8")
    applied = set(re.findall(r"(?:role|name): reseller\.mail\.(\w+)", site)) - {"dns_publish"}
    roles = "".join(
        path.read_text(encoding="utf-8")
        for role in applied
        for path in (COLLECTION / "roles" / role / "tasks").glob("*.yml")
    )
    applied |= set(re.findall(r"name: reseller\.mail\.(\w+)", roles))
    assert set(platform.ROLES) == applied & {path.name for path in (COLLECTION / "roles").iterdir()}


def test_the_installed_programs_are_those_that_roles_install() -> None:
    """The roles name them below ``_host``, some in lists of names without a folder."""
    texts = "".join(
        path.read_text(encoding="utf-8")
        for role in platform.ROLES
        for part in ("tasks", "vars")
        for path in (COLLECTION / "roles" / role / part).glob("*.yml")
    )
    for name in platform.INSTALLED:
        assert re.search(rf"\b{re.escape(name)}\b", texts), name
    named = set(re.findall(r"_host/([\w/]+\.py)", texts))
    assert named <= set(platform.INSTALLED)


def test_the_files_that_are_named_exist() -> None:
    named = [*platform.WRITERS, *(f"roles/{role}/tasks" for role in platform.ROLES)]
    assert [name for name in named if not (COLLECTION / name).exists()] == []


@pytest.mark.parametrize(
    "path",
    [
        "roles/postfix/templates/main.cf.j2",
        "roles/dovecot/tasks/main.yml",
        "roles/web/handlers/main.yml",
        "roles/base/defaults/main.yml",
        "plugins/module_utils/_host/hashes.py",
        "plugins/modules/host_config.py",
    ],
)
def test_a_change_of_what_configures_hosts_changes_the_digest(copy: Path, path: str) -> None:
    before = platform.digest(copy)
    file = copy / path
    file.write_text(file.read_text(encoding="utf-8")[::-1], encoding="utf-8")
    assert platform.digest(copy) != before


def test_a_new_or_renamed_file_of_a_role_changes_the_digest(copy: Path) -> None:
    before = platform.digest(copy)
    template = copy / "roles/postfix/templates/main.cf.j2"
    template.rename(template.with_name("main.cg.j2"))
    assert platform.digest(copy) != before


@pytest.mark.parametrize(
    "path",
    [
        "roles/postfix/README.md",
        "roles/postfix/meta/argument_specs.yml",
        "roles/dns_publish/tasks/main.yml",
        "plugins/modules/generation.py",
        "plugins/plugin_utils/_compile/postfix.py",
        "playbooks/site.yml",
        "docs/README.md",
    ],
)
def test_a_change_elsewhere_does_not_change_the_digest(copy: Path, path: str) -> None:
    before = platform.digest(copy)
    file = copy / path
    file.write_text(f"{file.read_text(encoding='utf-8')}\n", encoding="utf-8")
    (copy / "roles/postfix/files/guard.pyc").write_bytes(b"compiled")
    assert platform.digest(copy) == before


def test_the_record_names_what_roles_configure_of_the_estate(tmp_path: Path) -> None:
    """A domain that wants Ed25519 needs another instance of OpenDKIM on its node."""
    folder = Path(shutil.copytree(FIXTURE, tmp_path / "estate"))
    before = platform.record(*judged_node(str(folder), "mx1"))
    assert before.settings["dkim_algorithms"] == "rsa"
    file = folder / "tenants/acme/acme.example.yml"
    file.write_text(
        f"{file.read_text(encoding='utf-8')}\ndkim: {{algorithms: [rsa, ed25519]}}\n",
        encoding="utf-8",
    )
    after = platform.record(*judged_node(str(folder), "mx1"))
    assert after.platform == before.platform
    assert {name for name in after.settings if after.settings[name] != before.settings[name]} == {
        "dkim_algorithms"
    }


def test_the_record_names_whether_the_node_is_a_backup_mx(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(FIXTURE, tmp_path / "estate"))
    before = platform.record(*judged_node(str(folder), "mx1"))
    file = folder / "estate.yml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("debian: 12", "debian: 12, backup_priority: 20"), encoding="utf-8")
    after = platform.record(*judged_node(str(folder), "mx1"))
    assert (before.settings["backup_mx"], after.settings["backup_mx"]) == ("no", "yes")


RECORD = Record("0.1.0", "3f1c9a7be210" + 52 * "0", {"dkim_algorithms": "rsa", "debian": "13"})
SITE = "run ansible-playbook reseller.mail.site"


@pytest.mark.parametrize("found", [None, [], "text", {"collection": "0.1.0"}])
def test_a_host_without_a_record_is_refused(found: t.Any) -> None:
    assert platform.refusal(found, RECORD) == (
        f"reseller.mail.site has not set up this host: {SITE} first"
    )


def test_another_platform_is_refused_with_both_versions() -> None:
    other = Record("0.2.0", 64 * "a", RECORD.settings)
    assert platform.refusal(asdict(RECORD), other) == (
        "this host was set up by version 0.1.0 of the collection (platform 3f1c9a7be210), and this is"
        f" version 0.2.0 (platform aaaaaaaaaaaa): {SITE}"
    )


def test_the_same_platform_is_accepted_also_if_the_version_is_another() -> None:
    assert platform.refusal(asdict(RECORD), RECORD) == ""
    later = Record("0.2.0", RECORD.platform, RECORD.settings)
    assert platform.refusal(asdict(RECORD), later) == ""


def test_what_the_estate_says_otherwise_about_nodes_is_named() -> None:
    wanted = Record(
        "0.1.0", RECORD.platform, {**RECORD.settings, "dkim_algorithms": "rsa, ed25519"}
    )
    assert platform.refusal(asdict(RECORD), wanted) == (
        f"dkim_algorithms is rsa on the host and rsa, ed25519 in the estate: {SITE}"
    )
