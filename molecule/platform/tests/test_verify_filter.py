# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify names a node that takes spam or forged senders for clean mail."""

from __future__ import annotations

import contextlib
import json
import typing as t
from pathlib import Path

import client
import pytest
from client import PASSWORDS, Host
from conftest import NODES
from test_generation import generation

PLUGIN = "/etc/rspamd/rspamd.conf.override"


def verified(**arguments: t.Any) -> dict[tuple[str, str], tuple[str, str]]:
    """Return state and text of the findings about the filters, by id and node."""
    given = {
        "estate": str(client.ESTATE),
        "passwords_dir": str(PASSWORDS),
        "resolver": "{{ verify_dns_resolver }}",
        "ca_file": "{{ verify_ca_file }}",
        **arguments,
    }
    command = ("localhost", "-m", "reseller.mail.verify_mail", "-a", json.dumps(given))
    run = client.ansible(
        "ansible", *command, environment={"ANSIBLE_CALLBACK_RESULT_FORMAT": "json"}
    )
    assert run.rc == 0, run.output
    return {
        (one["id"], one["subject"].partition(".")[0]): (one["state"], one["found"])
        for one in json.loads(run.output.partition("=>")[2])["findings"]
        if one["id"] in ("mail.spam", "mail.forged")
    }


@contextlib.contextmanager
def broken(nodes: t.Iterable[Host], do: str, undo: str) -> t.Iterator[None]:
    try:
        for node in nodes:
            node.run(do)
        yield
    finally:
        for node in nodes:
            node.run(undo)


@pytest.fixture
def both(nodes: dict[str, Host]) -> list[Host]:
    return list(nodes.values())


def test_spam_and_forged_senders_are_refused_and_a_filter_that_is_off_is_told() -> None:
    found = verified(filters=[{"node": "mx2", "enabled": False}])
    assert found["mail.spam", "mx1"] == ("ok", "refused: 554 5.7.1 Gtube pattern")
    assert found["mail.forged", "mx1"][0] == "ok"
    assert "hosting.example, whose DMARC policy asks to refuse it" in found["mail.forged", "mx1"][1]
    for id_ in ("mail.spam", "mail.forged"):
        assert found[id_, "mx2"] == (
            "na",
            "the filter is off here (mail_filter: false), so mail is not filtered",
        )


def test_a_postfix_that_does_not_ask_the_filter_is_found(both: list[Host]) -> None:
    with broken(
        both,
        "cp -a /etc/postfix/main.cf /run/main.cf"
        " && postconf -e smtpd_milters=unix:guard/guard.sock && postfix reload",
        "cp -a /run/main.cf /etc/postfix/main.cf && postfix reload",
    ):
        found = verified()
    assert set(found) == {(id_, node) for id_ in ("mail.spam", "mail.forged") for node in NODES}
    for state, text in found.values():
        assert state == "fail"
        assert text.startswith("accepted, and in the inbox of "), text


def test_settings_under_which_a_forged_sender_is_clean_are_found(
    both: list[Host], tmp_path: Path
) -> None:
    """DMARC is only noted, and no score is spam."""
    loose = {
        "estate.yml": ("spam: {junk: 6, reject: 15,", "spam: {junk: never, reject: never,"),
    }
    assert generation(client.changed_estate(tmp_path, loose)).rc == 0
    try:
        with broken(
            both,
            f"cp -a {PLUGIN} /run/plugin && sed -i 's/dmarc_reject = .*/dmarc_reject = annotate;/'"
            f" {PLUGIN} && systemctl restart rspamd",
            f"cp -a /run/plugin {PLUGIN} && systemctl restart rspamd",
        ):
            found = verified()
    finally:
        assert generation().rc == 0
    for node in NODES:
        assert found["mail.spam", node][0] == "ok"
        state, text = found["mail.forged", node]
        assert (state, text.startswith("accepted, and in the inbox of ")) == ("fail", True), text
