# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripts are compiled where nothing else is, and what does not compile is named."""

from __future__ import annotations

import os
import subprocess
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.reseller.mail.plugins.module_utils._host import sieve_rules
from ansible_collections.reseller.mail.plugins.module_utils._host.generation import lines, sieve
from ansible_collections.reseller.mail.plugins.module_utils._host.generation.store import (
    GenerationError,
)

ROOT = Path("/var/lib/reseller-mail/generations/000007-0123456789ab")
ESTATE = "sieve/estate/estate.sieve"
JO = "sieve/mailbox/jo@acme.example.sieve"
DOMAIN = "sieve/domain/acme.example.sieve"
ACCOUNT = "sieve/account/acme.example.sieve"
ROLE = Path(__file__).parents[6] / "roles" / "dovecot" / "vars" / "main.yml"


class Unit:
    """Stands for systemd-run: `compile` writes binaries into the folder that it was given."""

    def __init__(self, compile_: t.Callable[[Path], None], errors: str = "", code: int = 0) -> None:
        self._compile, self._answer = compile_, (code, "", errors)
        self.command: list[str] = []

    def __call__(self, command: list[str], /) -> tuple[int, str, str]:
        self.command = command
        (source,) = (
            word.removeprefix("--property=BindPaths=").partition(":")[0]
            for word in command
            if word.startswith("--property=BindPaths=")
        )
        for script in sorted(Path(source).glob("*/*/*.sieve")):
            self._compile(script)
        return self._answer


def writes(script: Path) -> None:
    script.with_suffix(".svbin").write_bytes(b"binary of " + script.read_bytes())


def compiled(
    tmp_path: Path, scripts: t.Mapping[str, str], unit: Unit, debian: int = 13
) -> dict[str, bytes]:
    return sieve.compiled(scripts, ROOT, tmp_path / "room", debian, unit)


@pytest.mark.parametrize("debian", [12, 13])
def test_each_script_gets_its_binary_and_the_room_is_removed(tmp_path: Path, debian: int) -> None:
    scripts = {ESTATE: "keep;\n", JO: "stop;\n"}
    unit = Unit(writes)
    assert compiled(tmp_path, scripts, unit, debian) == {
        ESTATE: b"binary of keep;\n",
        JO: b"binary of stop;\n",
    }
    assert list(tmp_path.iterdir()) == []
    assert {"--property=User=dovenull", "--property=PrivateNetwork=yes"} <= set(unit.command)


def test_without_a_script_nothing_is_started(tmp_path: Path) -> None:
    unit = Unit(writes)
    assert compiled(tmp_path, {}, unit) == {}
    assert unit.command == []


def test_many_scripts_are_compiled_in_batches_of_one_unit(tmp_path: Path) -> None:
    sizes: dict[Path, int] = {}

    def count(script: Path) -> None:
        sizes[script.parent] = sizes.get(script.parent, 0) + 1
        writes(script)

    scripts = {f"sieve/mailbox/u{n}@acme.example.sieve": "keep;\n" for n in range(200)}
    assert compiled(tmp_path, scripts, Unit(count)).keys() == scripts.keys()
    assert sorted(sizes.values()) == [40, sieve.BATCH, sieve.BATCH]


def test_a_room_that_a_killed_run_left_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "room" / "batches" / "7" / "mailbox").mkdir(parents=True)
    assert compiled(tmp_path, {JO: "keep;\n"}, Unit(writes)).keys() == {JO}


def test_what_does_not_compile_is_named_with_its_line_and_by_its_folder(tmp_path: Path) -> None:
    """The scripts of account and domain have one name."""
    errors = (
        "folder current/sieve/account\n"
        "acme.example: line 3: error: unknown command 'kep'.\n"
        "acme.example: error: validation failed.\n"
        "folder current/sieve/mailbox\n"
        "folder current/sieve/domain\n"
        "sievec(nobody): Error: acme.example: line 9: error: an argument is missing.\n"
    )
    unit = Unit(lambda script: writes(script) if "@" in script.name else None, errors)
    with pytest.raises(GenerationError) as raised:
        compiled(tmp_path, {ACCOUNT: "kep;\n", DOMAIN: "x;\n", JO: "keep;\n"}, unit)
    assert str(raised.value).splitlines() == [
        f"{ACCOUNT}: the script of the account of acme.example, line 3: unknown command 'kep'.",
        f"{DOMAIN}: the script of the domain acme.example, line 9: an argument is missing.",
    ]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("errors", "code"),
    [("Failed to start transient service unit\n", 1), ("folder x\nFatal: y\n", 0)],
)
def test_a_unit_that_fails_blames_no_script(tmp_path: Path, errors: str, code: int) -> None:
    with pytest.raises(
        GenerationError, match=r"^sievec, which compiles the scripts, .*(Failed|Fatal)"
    ):
        compiled(tmp_path, {JO: "keep;\n"}, Unit(lambda _script: None, errors, code))


def link(script: Path) -> None:
    script.with_suffix(".svbin").symlink_to("/etc/hostname")


def pipe(script: Path) -> None:
    os.mkfifo(script.with_suffix(".svbin"))


def too_large(script: Path) -> None:
    script.with_suffix(".svbin").write_bytes(b"x" * (sieve.MAX_BINARY + 1))


@pytest.mark.parametrize("made", [link, pipe, too_large])
def test_something_else_than_a_small_regular_file_is_no_binary(
    tmp_path: Path, made: t.Callable[[Path], None]
) -> None:
    with pytest.raises(GenerationError):
        compiled(tmp_path, {JO: "keep;\n"}, Unit(made, "folder x\n"))


def test_scripts_of_the_files_have_the_extensions_of_users_but_include() -> None:
    allowed = yaml.safe_load(ROLE.read_text("utf-8"))["__dovecot_sieve_extensions"]
    assert set(sieve_rules.EXTENSIONS) == set(allowed) - {"include"}


@pytest.mark.parametrize("path", [ESTATE, JO, DOMAIN, ACCOUNT, JO.replace("mailbox", "forward")])
def test_a_script_is_a_file_of_a_generation(path: str) -> None:
    assert list(lines.faults(path, b"keep;\n", 12)) == []


@pytest.mark.parametrize(
    "path",
    [
        "sieve/estate/other.sieve",
        "sieve/mailbox/acme.example.sieve",
        "sieve/mailbox/../x@acme.example.sieve",
        "sieve/domain/jo@acme.example.sieve",
        "sieve/plan/acme.example.sieve",
        "sieve/estate/estate",
    ],
)
def test_a_script_of_another_name_is_none(path: str) -> None:
    assert list(lines.faults(path, b"keep;\n", 12)) == [f"{path}: no file of a generation"]


def test_the_program_of_the_unit_gives_sievec_the_path_of_the_generation(tmp_path: Path) -> None:
    """With a sievec that copies what it is told of."""
    room, programs = tmp_path / "root", tmp_path / "bin"
    programs.mkdir()
    (programs / "sievec").write_text(
        '#!/bin/sh\nfor one in "$3"/*.sieve; do echo "$one" >"${one%.sieve}.svbin"; done\n'
    )
    (programs / "sievec").chmod(0o755)
    for batch, name in (("0", "a"), ("1", "b")):
        folder = room / "batches" / batch / "mailbox"
        folder.mkdir(parents=True)
        (folder / f"{name}.sieve").write_text("keep;\n")
    (room / "compile").write_text(sieve._COMPILE)
    subprocess.run(
        ["sh", "compile", "generations/x/sieve"],
        cwd=room,
        env={"PATH": f"{programs}:{os.environ['PATH']}"},
        check=True,
        capture_output=True,
    )
    for batch, name in (("0", "a"), ("1", "b")):
        made = room / "batches" / batch / "mailbox" / f"{name}.svbin"
        assert made.read_text().strip() == f"{room}/generations/x/sieve/mailbox/{name}.sieve"


def test_a_binary_gets_the_path_of_its_next_generation_if_that_is_as_long() -> None:
    before, after = ROOT, ROOT.with_name("000008-ba9876543210")
    data = b"\x00" + f"{before}/{JO} {before}/{JO}".encode() + b"\x01"
    assert sieve.moved(data, JO, before, after) == (
        b"\x00" + f"{after}/{JO} {before}/{JO}".encode() + b"\x01"
    )
    assert sieve.moved(data, JO, before, ROOT.with_name("1000000-ba9876543210")) == b""
    assert sieve.moved(data, DOMAIN, before, after) == b""
