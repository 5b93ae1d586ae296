# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role backup installs on a host must run there alone, and read what the role wrote."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible_collections.reseller.mail.plugins.module_utils._host.backup import settings

COLLECTION = Path(__file__).parents[3]
ROLE = COLLECTION / "roles/backup"


def value(name: str, **given: t.Any) -> t.Any:
    """Return a variable of the role, with some that are set in the inventory."""
    every: dict[str, t.Any] = {"role_path": str(ROLE)}
    for folder in ("defaults", "vars"):
        path = str(ROLE / folder / "main.yml")
        every.update(DataLoader().load_from_file(path, trusted_as_template=True))
    templar = Templar(loader=DataLoader(), variables={**every, **given})
    return templar.template(trust_as_template(f"{{{{ {name} }}}}"))


def test_the_installed_files_need_no_others(tmp_path: Path) -> None:
    for file in value("__backup_files"):
        if "src" in file:
            target = tmp_path / Path(file["dest"]).relative_to(
                "/usr/local/lib/reseller-mail/python"
            )
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file["src"], target)
    package = "ansible_collections.reseller.mail.plugins.module_utils._host.backup.command"
    done = subprocess.run(
        [sys.executable, "-B", "-m", package, "run"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("mail-backup: this host makes no backups")


def test_the_settings_are_those_that_the_program_reads(tmp_path: Path) -> None:
    given = {
        "mail_node": "mx1",
        "backup_repository": "sftp:mx1@store.example:mail",
        "backup_password": 'a "key" with {braces} and ünicode',
        "backup_environment": {"AWS_ACCESS_KEY_ID": "id"},
        "backup_keep_weekly": "3",
    }
    for file in value("__backup_access_files", **given):
        (tmp_path / Path(file["dest"]).name).write_text(file["content"], encoding="utf-8")
    found = settings.read(tmp_path)
    assert found.password == given["backup_password"]
    assert (found.node, found.environment) == ("mx1", given["backup_environment"])
    assert found.keep == {"daily": 7, "weekly": 3, "monthly": 6}


@pytest.mark.parametrize(
    ("repository", "folders", "packages"),
    [
        ("/mnt/backup", ["/mnt/backup"], ["restic"]),
        ("sftp:store:mail", [], ["restic", "openssh-client"]),
        ("s3:https://s3.example/mail", [], ["restic"]),
    ],
)
def test_what_each_kind_of_repository_needs(
    repository: str, folders: list[str], packages: list[str]
) -> None:
    given = {"backup_repository": repository}
    made = [one["path"] for one in value("__backup_run_folders", **given)]
    assert made[2:] == folders
    assert value("__backup_packages", **given) == packages
    assert value("__backup_on", **given) is True
    assert value("__backup_on") is False


def test_what_is_secret_is_marked_so() -> None:
    for name in ("__backup_access_files", "__backup_ssh_files"):
        for file in value(name, backup_repository="sftp:store:mail"):
            is_secret = Path(file["dest"]).name in ("secrets.json", "ssh_key")
            assert (file.get("secret", False), file.get("mode")) == (
                (True, "0600") if is_secret else (False, None)
            )
