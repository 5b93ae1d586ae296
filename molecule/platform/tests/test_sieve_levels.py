# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripts of estate, account, domain and mailbox run one after the other, before the user's own."""

from __future__ import annotations

import shutil
import textwrap
import typing as t
from pathlib import Path

import pytest
from client import ESTATE, Host, Message, Outside
from conftest import STRANGER, Side
from test_generation import generation, serving

LEVELS = ("estate", "account", "domain", "mailbox")
TENANTS = {
    "mx1": ("tenants/acme", "acme.example.yml", "jo"),
    "mx2": ("tenants/globex", "globex.example.yml", "ann"),
}
USERS_OWN = 'require ["fileinto", "mailbox"];\r\nfileinto :create "from-user";\r\n'

FILES = """\
require ["fileinto", "mailbox"];
if header :contains "Subject" "{level}-takes" {{ fileinto :create "from-{level}{version}"; }}
"""
TOO_MANY = """\
require ["copy", "fileinto", "mailbox"];
if header :contains "Subject" "mailbox-takes" {{ fileinto :create "from-mailbox{version}"; }}
if header :contains "Subject" "too-many" {{
{redirects}}}
""".replace(
    "{redirects}",
    "".join(f'  redirect :copy "someone-{n}@stranger.example";\n' for n in range(5)),
)
WRONG_ARGUMENT = "keep;\nredirect 5;\n"
"""The controller reads the grammar only; sievec finds that a number is no address."""


def scripted(folder: Path, scripts: t.Mapping[str, str]) -> Path:
    """A copy of the scenario's estate in which each level has its script."""
    estate = folder / "estate"
    shutil.copytree(ESTATE, estate)

    def insert(path: str, before: str, level: str, indent: str, head: str = "") -> None:
        if level in scripts:
            block = f"{indent}sieve: |\n" + textwrap.indent(scripts[level], f"{indent}  ")
            text = (estate / path).read_text(encoding="utf-8")
            assert text.count(before) == 1, (path, before)
            changed = text.replace(before, f"{head}{block}{before}")
            (estate / path).write_text(changed, encoding="utf-8")

    insert("estate.yml", "  locale: en\n", "estate", "  ")
    for tenant, domain, user in TENANTS.values():
        insert(f"{tenant}/account.yml", "state: active", "account", "  ", "defaults:\n")
        insert(f"{tenant}/{domain}", "mailboxes:\n", "domain", "")
        name = {"jo": "    display_name: Jo Doe\n", "ann": "    display_name: Ann Smith\n"}[user]
        insert(f"{tenant}/{domain}", name, "mailbox", "    ")
    return estate


def all_levels(version: str) -> dict[str, str]:
    scripts = {level: FILES.format(level=level, version=version) for level in LEVELS}
    return scripts | {"mailbox": TOO_MANY.format(version=version)}


@pytest.fixture(scope="module")
def levels(
    tmp_path_factory: pytest.TempPathFactory, nodes: dict[str, Host], sides: dict[str, Side]
) -> t.Iterator[None]:
    """Every level has a script; afterwards none has, and the folders that they made are gone."""
    run = generation(scripted(tmp_path_factory.mktemp("levels"), all_levels("")))
    assert run.rc == 0, run.output
    yield
    assert generation().rc == 0
    for name, side in sides.items():
        user = side.user
        nodes[name].run(
            f"doveadm mailbox list -u {user} 'from-*' | xargs -r doveadm mailbox delete -u {user}"
        )


@pytest.fixture
def users_own(outside: Outside, side: Side) -> t.Iterator[None]:
    """The user has a script, which files what gets there."""

    def speak(*commands: str) -> list[str]:
        return outside.managesieve(side.host, side.user.name, side.user.password, *commands)

    put = f'PUTSCRIPT "rules" {{{len(USERS_OWN)}+}}\r\n{USERS_OWN}'
    answers = speak(put, 'SETACTIVE "rules"', *(f'GETSCRIPT "{level}"' for level in LEVELS))
    assert [answer[:2] for answer in answers] == ["OK", "OK", "NO", "NO", "NO", "NO"], answers
    yield
    speak('SETACTIVE ""', 'DELETESCRIPT "rules"')


def arrives(outside: Outside, side: Side, words: t.Sequence[str], folder: str) -> bool:
    """Send a message with these words in its subject; return whether it gets into the folder."""
    message = Message.new(STRANGER, side.user.name)
    text = message.text.replace("Subject: ", f"Subject: {' '.join(words)} ")
    sent = outside.send(
        side.host, 25, STRANGER, [side.user.name], Message(message.token, text), declare_size=True
    )
    assert sent["data"][0] == 250, sent
    user, password = side.user.name, side.user.password
    return bool(outside.fetch(side.host, user, password, message.token, folder=folder, seconds=20))


def wrong_folders(outside: Outside, side: Side, version: str, last: str) -> list[str]:
    """Which folders do not get a message that their level and all inner ones would take.

    Nobody takes the message of ``last``.
    """
    wants = [f"{level}-takes" for level in LEVELS]
    folders = [*(f"from-{level}{version}" for level in LEVELS), last]
    return [
        folder
        for nth, folder in enumerate(folders)
        if not arrives(outside, side, wants[nth:], folder)
    ]


@pytest.mark.usefixtures("levels", "users_own")
def test_the_outer_level_comes_first_and_the_user_who_cannot_see_them_last(
    outside: Outside, side: Side
) -> None:
    assert wrong_folders(outside, side, "", "from-user") == []


@pytest.mark.usefixtures("levels")
def test_dovecot_runs_what_was_compiled_and_writes_nothing_beside_it(
    outside: Outside, side: Side, node: Host
) -> None:
    """With another text of the same age, which no Dovecot can compile."""
    files = "/var/lib/reseller-mail/current/sieve"
    script = f"{files}/domain/{side.user.domain}.sieve"
    before = node.output(f"cd {files} && sha256sum */* && stat -c '%n %U %G %a %Y' */*")
    assert before.count(".svbin ") == before.count(".sieve ") >= 4
    node.run(
        f"cp -p {script} /root/kept && echo nonsense >{script} && touch -d @946684800 {script}"
    )
    try:
        is_filed = arrives(outside, side, ["domain-takes"], "from-domain")
    finally:
        node.run(f"cat /root/kept >{script} && touch -d @946684800 {script} && rm /root/kept")
    assert is_filed
    after = node.output(f"cd {files} && sha256sum */* && stat -c '%n %U %G %a %Y' */*")
    assert after == before
    assert " root vmail 640 946684800" in before


@pytest.mark.usefixtures("levels")
def test_a_script_that_redirects_too_often_keeps_the_mail_and_is_named_in_the_log(
    outside: Outside, side: Side, node: Host
) -> None:
    assert arrives(outside, side, ["too-many"], "INBOX")
    log = node.output("journalctl --unit dovecot --since -1min --output cat")
    assert "redirect actions exceeds policy limit" in log
    assert f"mailbox/{side.user}" in log


@pytest.mark.usefixtures("levels")
def test_a_script_that_does_not_compile_changes_nothing(
    tmp_path: Path, nodes: dict[str, Host]
) -> None:
    before = serving(nodes)
    run = generation(scripted(tmp_path, all_levels("") | {"mailbox": WRONG_ARGUMENT}))
    assert run.rc != 0
    for tenant, domain, user in TENANTS.values():
        name = f"{user}@{domain.removesuffix('.yml')}"
        assert f"the script of the mailbox {name}, line 2: " in run.output, tenant
    assert serving(nodes) == before


@pytest.mark.usefixtures("levels")
def test_one_run_changes_the_scripts_of_every_level_and_another_removes_them(
    outside: Outside, sides: dict[str, Side], tmp_path: Path
) -> None:
    run = generation(scripted(tmp_path, all_levels("-anew")))
    assert run.rc == 0, run.output
    for side in sides.values():
        assert wrong_folders(outside, side, "-anew", "INBOX") == []
    assert generation().rc == 0
    for side in sides.values():
        assert arrives(outside, side, [f"{level}-takes" for level in LEVELS], "INBOX")
