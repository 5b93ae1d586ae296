# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import shutil
import typing as t
from pathlib import Path
from types import SimpleNamespace

import pytest
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
        return ActionModule(
            task=None,
            connection=None,
            play_context=None,
            loader=DataLoader(),
            templar=None,
            shared_loader_obj=None,
        )

    return action


def vaulted(text: str) -> Secret:
    return Secret(VaultLib(VAULT).encrypt(text).decode(), vaulted=True)


def mailbox(password: Secret | None, name: str = "jo") -> Mailbox:
    return Mailbox(
        name,
        "acme.example",
        None,
        "it@acme.example",
        password=password,
        at=Position("tenants/acme/acme.example.yml", 3, 5),
    )


@pytest.mark.parametrize(
    "text",
    ["Right-Pass-1", "{BLF-CRYPT}$2y$05$bvIG6Nmid91Mu9RcmmWZfO5HJIMCT8riNW0hEp8f6/FuA2/mHZFpe"],
)
def test_a_vaulted_value_is_decrypted_with_the_runs_own_secrets(given: Given, text: str) -> None:
    assert given(VAULT)._supplied([mailbox(vaulted(text)), mailbox(None)]) == (
        {"jo@acme.example": text},
        {},
    )


def test_the_line_end_that_echo_adds_is_no_part_of_a_password(given: Given) -> None:
    assert given(VAULT)._supplied([mailbox(vaulted("Right-Pass-1\n"))]) == (
        {"jo@acme.example": "Right-Pass-1"},
        {},
    )


@pytest.mark.parametrize("secrets", [[], [("default", VaultSecret(b"another"))]])
def test_a_value_that_cannot_be_decrypted_is_a_fault_with_its_place_and_the_others_are_seen_to(
    given: Given, secrets: list[tuple[str, VaultSecret]]
) -> None:
    hashed = Secret(
        "{BLF-CRYPT}$2y$05$bvIG6Nmid91Mu9RcmmWZfO5HJIMCT8riNW0hEp8f6/FuA2/mHZFpe", vaulted=False
    )
    supplied, faults = given(secrets)._supplied(
        [mailbox(vaulted("Right-Pass-1")), mailbox(hashed, "it")]
    )
    assert supplied == {"it@acme.example": hashed.text}
    assert faults.keys() == {"jo@acme.example"}
    assert faults["jo@acme.example"].startswith(
        "tenants/acme/acme.example.yml:3:5: unfit-password: the password of jo@acme.example cannot be decrypted"
    )


def test_what_was_encrypted_and_is_no_text_is_a_fault_too(given: Given) -> None:
    binary = Secret(VaultLib(VAULT).encrypt(b"\xff\xfe\x00").decode(), vaulted=True)
    supplied, faults = given(VAULT)._supplied([mailbox(binary)])
    assert (supplied, list(faults)) == ({}, ["jo@acme.example"])


def test_every_unfit_password_is_told_at_once_and_none_is_shown(given: Given) -> None:
    supplied, faults = given(VAULT)._supplied(
        [
            mailbox(vaulted("acme-password")),
            mailbox(Secret("{PLAIN}acme-password", vaulted=False), "it"),
        ]
    )
    assert supplied == {}
    assert [
        fault.partition("@acme.example ")[2].partition(";")[0] for fault in faults.values()
    ] == [
        "has no upper-case letter, has no digit, contains its own name or domain",
        "is no good: the hash scheme PLAIN is not one of ARGON2ID, ARGON2I, BLF-CRYPT, SHA512-CRYPT",
    ]
    assert "acme-password" not in str(faults)


def answering(
    action: ActionModule, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, **answers: t.Any
) -> Path:
    """Let a host answer, each stage with what is given; return the folder of its hand-over file."""
    asked: list[tuple[str, dict[str, t.Any]]] = []

    def on_host(stage: str, **arguments: t.Any) -> dict[str, t.Any]:
        asked.append((stage, arguments))
        return t.cast("dict[str, t.Any]", answers.get(stage, {}))

    arguments = {
        "estate": str(FIXTURE),
        "node": "mx1",
        "handover": str(tmp_path / "out" / "mx1.csv"),
        "reset": [],
    }
    monkeypatch.setattr(action, "validate_argument_spec", lambda argument_spec: ({}, arguments))
    monkeypatch.setattr(action, "_on_host", on_host)
    monkeypatch.setattr(action, "_task", SimpleNamespace(check_mode=False, async_val=0, diff=True))
    monkeypatch.setattr("ansible.plugins.action.ActionBase.run", lambda *_arguments: {})
    monkeypatch.setattr(action, "asked", asked, raising=False)
    return tmp_path / "out"


PASSWORD = "abcd-efgh-ijkm-npqr-stuv"


def test_a_host_says_nothing_about_others_mailboxes_and_its_passwords_are_such_as_it_makes(
    given: Given, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    action = given([])
    answers = {
        "plan": {
            "missing": ["it@acme.example", "ann@globex.example", 7],
            "waiting": ["jo@acme.example", "ann@globex.example"],
            "repaired": ["+ nonsense"],
        },
        "create": {
            "initial": {
                "it@acme.example": PASSWORD,
                "ann@globex.example": PASSWORD,
                "jo@acme.example": "=HYPERLINK(1)",
                "x": 4,
                "\x1b[2J@acme.example": PASSWORD,
            }
        },
    }
    folder = answering(action, monkeypatch, tmp_path, **answers)
    result = action.run(None, {})
    assert result["created"] == ["it@acme.example"]
    assert (
        result["diff"]["prepared"]
        == "+ credential it@acme.example initial\n~ credential jo@acme.example handed over\n"
    )
    assert (folder / "mx1.csv").read_text() == f"address,password\nit@acme.example,{PASSWORD}\n"
    assert [stage for stage, _arguments in action.asked] == ["plan", "create", "acknowledge"]


def test_what_is_wrong_with_one_mailbox_fails_the_task_after_all_others_were_seen_to(
    given: Given, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    action = given([])
    answers = {
        "plan": {"missing": ["it@acme.example", "jo@acme.example"]},
        "create": {
            "initial": {"it@acme.example": PASSWORD},
            "faults": {"jo@acme.example": "doveadm pw failed"},
        },
    }
    folder = answering(action, monkeypatch, tmp_path, **answers)
    result = action.run(None, {})
    assert (result["failed"], result["changed"], result["created"]) == (
        True,
        True,
        ["it@acme.example"],
    )
    assert result["faults"] == ["jo@acme.example: doveadm pw failed"]
    assert "jo@acme.example: doveadm pw failed" in result["msg"]
    assert result["diff"]["prepared"] == "+ credential it@acme.example initial\n"
    assert (folder / "mx1.csv").exists()


def test_only_passwords_that_are_kept_here_are_made(
    tmp_path: Path, given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(FIXTURE, tmp_path / "estate"))
    path = folder / "tenants/acme/acme.example.yml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("display_name: Jo Doe", "credentials: external"),
        encoding="utf-8",
    )
    action = given([])
    monkeypatch.setattr(action, "_args", {"estate": str(folder), "node": "mx1"}, raising=False)
    assert set(action._mailboxes()) == {"it@acme.example"}
