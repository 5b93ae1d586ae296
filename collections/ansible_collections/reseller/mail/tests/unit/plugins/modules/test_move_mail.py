# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a move, as the module does them on one host."""

from __future__ import annotations

import contextlib
import io
import json
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.reseller.mail.plugins.module_utils._host import one_text
from ansible_collections.reseller.mail.plugins.module_utils._host.moving import channel, deliveries
from ansible_collections.reseller.mail.plugins.modules import move_mail

KEY = "ssh-ed25519 BBBB reseller-mail-move-acme"


class Host:
    """A host with one mailbox of acme."""

    def __init__(self, folder: Path) -> None:
        self.root, self.mail = folder / "root", folder / "vmail"
        self.root.mkdir()
        (self.mail / "acme.example/jo/Maildir").mkdir(parents=True)

    def __call__(self, step: str, check: bool = False, **arguments: t.Any) -> dict[str, t.Any]:
        given = {
            "estate": "/estate",
            "node": "mx1",
            "tenant": "acme",
            "domains": ["acme.example"],
            "root": str(self.root),
            "mail": str(self.mail),
            "_ansible_check_mode": check,
            "step": step,
        }
        out = io.StringIO()
        with (
            patch_module_args({**given, **arguments}),
            contextlib.redirect_stdout(out),
            pytest.raises(SystemExit),
        ):
            move_mail.main()
        return t.cast("dict[str, t.Any]", json.loads(out.getvalue()))


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setattr(channel, "KEYS", tmp_path / "ssh/authorized_keys")
    monkeypatch.setattr(channel, "HOST_KEYS", tmp_path)
    return Host(tmp_path)


def test_the_former_node_tells_what_it_has_and_lets_the_key_read(host: Host) -> None:
    assert host("found", check=True)["found"]["homes"] == 1
    checked = host("open", check=True)
    assert (checked["changed"], "paths" in checked, channel.KEYS.exists()) == (False, False, False)
    opened = host("open", key=KEY, addresses=["192.0.2.2"])
    assert one_text.unpack(opened["paths"]) == ["acme.example/jo"]
    assert channel.KEYS.read_text().endswith(f"{KEY}\n")
    settled = host("settle", key=KEY, addresses=["192.0.2.2"])
    assert one_text.unpack(settled["paths"]) == []
    assert host("close")["changed"]
    assert not host("close")["changed"]


def test_a_failure_says_what_to_do(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = host("copy", addresses=["192.0.2.1"], paths=one_text.pack({}))
    assert "no list" in wrong["msg"]
    assert host("copy", addresses=["192.0.2.1"], paths=one_text.pack([]))["changed"]
    empty = host("receive", addresses=["192.0.2.1"], paths=one_text.pack([]))
    assert (empty["changed"], empty["mailboxes"]) == (False, 0)
    (host.root / "activated.json").write_text("{}")
    monkeypatch.setattr(deliveries, "wait", lambda _since: False)
    assert "Run the playbook again" in host("wait")["msg"]
    monkeypatch.setattr(deliveries, "wait", lambda _since: True)
    assert host("wait")["changed"] is False


def test_the_new_node_makes_a_key(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "public_key", lambda *_arguments: KEY)
    assert host("key")["public_key"] == KEY
