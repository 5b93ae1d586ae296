# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import shutil
import typing as t
from pathlib import Path

import pytest
from ansible.errors import AnsibleActionFail
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, VaultSecret, VaultSecretsContext
from ansible_collections.reseller.mail.plugins.action.credentials import ActionModule
from ansible_collections.reseller.mail.plugins.module_utils._model.domain import Mailbox
from ansible_collections.reseller.mail.plugins.module_utils._model.values import Position, Secret

FIXTURE = Path(__file__).parents[2] / "fixtures" / "estate"
VAULT = [("default", VaultSecret(b"vault password"))]


Given = t.Callable[[t.List[t.Tuple[str, VaultSecret]]], ActionModule]


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Given:
    """The action plugin in a run that was given these vault secrets."""

    def action(secrets: list[tuple[str, VaultSecret]]) -> ActionModule:
        monkeypatch.setattr(VaultSecretsContext, "_current", VaultSecretsContext(secrets))
        return ActionModule(task=None, connection=None, play_context=None, loader=DataLoader(), templar=None, shared_loader_obj=None)

    return action


def vaulted(text: str) -> Secret:
    return Secret(VaultLib(VAULT).encrypt(text).decode(), vaulted=True)


def mailbox(password: Secret | None) -> Mailbox:
    return Mailbox("jo", "acme.example", None, "it@acme.example", password=password, at=Position("tenants/acme/acme.example.yml", 3, 5))


@pytest.mark.parametrize("text", ["Right-Pass-1", "{BLF-CRYPT}$2y$05$x"])
def test_a_vaulted_value_is_decrypted_with_the_runs_own_secrets(given: Given, text: str) -> None:
    assert given(VAULT)._supplied([mailbox(vaulted(text)), mailbox(None)]) == {"jo@acme.example": text}


def test_the_line_end_that_echo_adds_is_no_part_of_a_password(given: Given) -> None:
    assert given(VAULT)._supplied([mailbox(vaulted("Right-Pass-1\n"))]) == {"jo@acme.example": "Right-Pass-1"}


@pytest.mark.parametrize("secrets", [[], [("default", VaultSecret(b"another"))]])
def test_a_value_that_cannot_be_decrypted_is_a_fault_with_its_place(given: Given, secrets: list[tuple[str, VaultSecret]]) -> None:
    with pytest.raises(AnsibleActionFail, match=r"^tenants/acme/acme.example.yml:3:5: unfit-password: .*cannot be decrypted"):
        given(secrets)._supplied([mailbox(vaulted("Right-Pass-1"))])


def test_every_unfit_password_is_told_at_once_and_none_is_shown(given: Given) -> None:
    with pytest.raises(AnsibleActionFail) as caught:
        given(VAULT)._supplied([mailbox(vaulted("acme-password")), mailbox(Secret("{PLAIN}acme-password", vaulted=False))])
    lines = str(caught.value).splitlines()
    assert [line.partition("jo@acme.example ")[2].partition(";")[0] for line in lines] == [
        "has no upper-case letter",
        "has no digit",
        "contains its own name or domain",
        "is no good: the hash scheme PLAIN is not one of ARGON2I, ARGON2ID, BLF-CRYPT, SHA512-CRYPT",
    ]
    assert "acme-password" not in str(caught.value)


def test_only_passwords_that_are_kept_here_are_made(tmp_path: Path, given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(shutil.copytree(FIXTURE, tmp_path / "estate"))
    path = folder / "tenants/acme/acme.example.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("display_name: Jo Doe", "credentials: external"), encoding="utf-8")
    action = given([])
    monkeypatch.setattr(action, "_args", {"estate": str(folder), "node": "mx1"}, raising=False)
    assert set(action._mailboxes()) == {"it@acme.example"}
