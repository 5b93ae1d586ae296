# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import contextlib
import grp
import io
import json
import os
import shutil
import typing as t
from pathlib import Path
from types import SimpleNamespace

import pyrage
import pytest
from ansible.errors import AnsibleActionFail
from ansible.module_utils.testing import patch_module_args
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, VaultSecret, VaultSecretsContext
from ansible_collections.reseller.mail.plugins.action.credentials import ActionModule
from ansible_collections.reseller.mail.plugins.modules import credentials
from ansible_collections.reseller.mail.plugins.plugin_utils._model.domain import Mailbox
from ansible_collections.reseller.mail.plugins.plugin_utils._model.values import Position, Secret

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
        "tenants/acme/acme.example.yml:3:5: unfit-password: the password of jo@acme.example cannot"
        " be decrypted"
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
        (
            "is no good: the hash scheme PLAIN is not one of ARGON2ID, ARGON2I, BLF-CRYPT,"
            " SHA512-CRYPT"
        ),
    ]
    assert "acme-password" not in str(faults)


def answering(
    action: ActionModule,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    recipients: t.Sequence[str] = (),
    **answers: t.Any,
) -> Path:
    """Let a host answer, each stage with what is given; return the folder of its password file."""

    def answer(stage: str, **_arguments: t.Any) -> dict[str, t.Any]:
        return t.cast("dict[str, t.Any]", answers.get(stage, {}))

    return answered(action, monkeypatch, tmp_path, answer, recipients)


def answered(
    action: ActionModule,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    host: t.Callable[..., dict[str, t.Any]],
    recipients: t.Sequence[str] = (),
) -> Path:
    """Let the function answer for the host; return the folder of the controller's file."""
    asked: list[tuple[str, dict[str, t.Any]]] = []

    def on_host(stage: str, **arguments: t.Any) -> dict[str, t.Any]:
        asked.append((stage, arguments))
        return host(stage, **arguments)

    arguments = {
        "estate": str(FIXTURE),
        "node": "mx1",
        "initial_passwords": str(tmp_path / "out" / "mx1.csv"),
        "recipients": list(recipients),
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


def test_a_mailbox_that_returns_to_its_tenant_gets_no_new_password(
    given: Given, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    action = given([])
    planned = {
        "missing": ["it@acme.example", "jo@acme.example"],
        "retained": [["jo@acme.example", "acme"], ["it@acme.example", "globex"], [[], 1], 7],
    }
    folder = answering(
        action,
        monkeypatch,
        tmp_path,
        plan=planned,
        create={"initial": {"it@acme.example": PASSWORD}},
    )
    result = action.run(None, {})
    assert result["created"] == ["it@acme.example"], "it belonged to another tenant"
    assert result["diff"]["prepared"] == "+ credential it@acme.example initial\n"
    assert action.asked[1][1]["addresses"] == ["it@acme.example"]
    assert "jo@" not in (folder / "mx1.csv").read_text()


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


class Host:
    """The module, as it runs on the host of mx1, with initial passwords that wait there."""

    def __init__(self, folder: Path, **waiting: str) -> None:
        folder.mkdir()
        self.folder = folder
        self.spool = folder / "initial_passwords.json"
        if waiting:
            self.set_all()  # in an earlier run
            found = {f"{name}@acme.example": text for name, text in waiting.items()}
            self.spool.write_text(json.dumps(found), encoding="utf-8")

    def set_all(self) -> None:
        """Give both mailboxes of mx1 a credential."""
        boxes = ["it@acme.example", "jo@acme.example"]
        assert not self("create", addresses=boxes, supplied=dict.fromkeys(boxes, HASH))["faults"]

    def __call__(self, stage: str, **arguments: t.Any) -> dict[str, t.Any]:
        given = {
            "estate": "/estate",
            "node": "mx1",
            "initial_passwords": "x.csv",
            "database": str(self.folder / "credentials.db"),
            "group": grp.getgrgid(os.getgid()).gr_name,
            "stage": stage,
            **arguments,
        }
        out = io.StringIO()
        with patch_module_args(given), contextlib.redirect_stdout(out), pytest.raises(SystemExit):
            credentials.main()
        return t.cast("dict[str, t.Any]", json.loads(out.getvalue()))


HASH = "{BLF-CRYPT}$2y$05$bvIG6Nmid91Mu9RcmmWZfO5HJIMCT8riNW0hEp8f6/FuA2/mHZFpe"
ANOTHER = "ABCD-EFGH-JKLM-NPQR-STUV"


class KilledError(Exception):
    """The run ends, as if it had been killed."""


def test_a_run_that_ends_before_it_confirms_loses_no_password_of_another_controller(
    given: Given, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    host = Host(tmp_path / "host", jo=PASSWORD, it=ANOTHER)
    before = host.spool.read_text(encoding="utf-8")

    def killed(stage: str, **arguments: t.Any) -> dict[str, t.Any]:
        if stage == "acknowledge":
            raise KilledError
        return host(stage, **arguments)

    first, second = given([]), given([])
    answered(first, monkeypatch, tmp_path / "first", killed)
    with pytest.raises(KilledError):
        first.run(None, {})
    assert json.loads(host.spool.read_text(encoding="utf-8")) == json.loads(before)

    folder = answered(second, monkeypatch, tmp_path / "second", host)
    result = second.run(None, {})
    assert (result["changed"], result["created"]) == (True, [])
    everything = f"address,password\nit@acme.example,{ANOTHER}\njo@acme.example,{PASSWORD}\n"
    assert (folder / "mx1.csv").read_text(encoding="utf-8") == everything
    assert not host.spool.exists()
    assert (tmp_path / "first/out/mx1.csv").read_text(encoding="utf-8") == everything


def test_a_controller_confirms_only_what_it_has_written(
    given: Given, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """While it writes, another controller resets a password and makes another."""
    host = Host(tmp_path / "host", jo=PASSWORD)

    def meanwhile(stage: str, **arguments: t.Any) -> dict[str, t.Any]:
        if stage == "acknowledge":
            host.spool.write_text(
                json.dumps({"jo@acme.example": ANOTHER, "it@acme.example": PASSWORD}),
                encoding="utf-8",
            )
        return host(stage, **arguments)

    action = given([])
    answered(action, monkeypatch, tmp_path / "here", meanwhile)
    action.run(None, {})
    assert json.loads(host.spool.read_text(encoding="utf-8")) == {
        "jo@acme.example": ANOTHER,
        "it@acme.example": PASSWORD,
    }


def test_an_address_that_another_controller_gave_a_password_meanwhile_keeps_it(
    given: Given, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    host = Host(tmp_path / "host")

    def meanwhile(stage: str, **arguments: t.Any) -> dict[str, t.Any]:
        if stage == "create":
            host.set_all()
        return host(stage, **arguments)

    action = given([])
    answered(action, monkeypatch, tmp_path / "here", meanwhile)
    result = action.run(None, {})
    assert (result["changed"], result["created"], result["faults"]) == (False, [], [])


def test_a_recipient_that_cannot_be_used_is_refused_before_the_host_is_asked(
    given: Given, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    action = given([])
    answering(action, monkeypatch, tmp_path, recipients=["age1nonsense"])
    with pytest.raises(AnsibleActionFail, match="recipient 1 of the initial passwords is no such"):
        action.run(None, {})
    assert action.asked == []


def test_a_file_that_cannot_be_written_is_refused_before_a_password_is_set(
    given: Given, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for recipients in ([], [str(pyrage.x25519.Identity.generate().to_public())]):
        action = given([])
        folder = answering(
            action, monkeypatch, tmp_path, recipients, plan={"missing": ["it@acme.example"]}
        )
        folder.write_text("a file is where the folder should be", encoding="utf-8")
        with pytest.raises(AnsibleActionFail, match="cannot be written below"):
            action.run(None, {})
        assert [stage for stage, _arguments in action.asked] == ["plan"]


def test_with_recipients_no_password_is_readable_here(
    given: Given, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    identity = pyrage.x25519.Identity.generate()
    host = Host(tmp_path / "host", jo=PASSWORD)
    action = given([])
    folder = answered(
        action, monkeypatch, tmp_path / "here", host, recipients=[str(identity.to_public())]
    )
    result = action.run(None, {})
    path = Path(result["initial_passwords"])
    assert path.parent == folder
    assert not host.spool.exists()
    assert pyrage.decrypt(path.read_bytes(), [identity]).decode() == (
        f"address,password\njo@acme.example,{PASSWORD}\n"
    )
    assert result["encrypted"] == path.read_text(encoding="utf-8")
    written = [each.read_text() for each in (tmp_path / "here").rglob("*") if each.is_file()]
    assert PASSWORD not in "".join(written)
    assert PASSWORD not in str(result)


def test_many_passwords_are_set_in_steps_and_all_are_handed_over(
    given: Given, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    host = Host(tmp_path / "host")
    monkeypatch.setattr("ansible_collections.reseller.mail.plugins.action.credentials.BATCH", 1)
    for name in ("best_scheme", "hash_password"):  # of Dovecot, which this machine may lack
        monkeypatch.setattr(credentials.store, name, lambda *_given: HASH)
    action = given([])
    folder = answered(action, monkeypatch, tmp_path, host)
    result = action.run(None, {})
    boxes = ["it@acme.example", "jo@acme.example"]
    created = [arguments for stage, arguments in action.asked if stage == "create"]
    assert [(one["addresses"], one["offer"]) for one in created] == [
        (boxes[:1], False),
        (boxes[1:], True),
    ]
    assert (result["created"], result["store_made"], result["faults"]) == (boxes, True, [])
    lines = (folder / "mx1.csv").read_text(encoding="utf-8").splitlines()
    assert [line.partition(",")[0] for line in lines] == ["address", *boxes]
    assert not host.spool.exists()
