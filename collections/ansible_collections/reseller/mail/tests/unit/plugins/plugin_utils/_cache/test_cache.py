# SPDX-License-Identifier: GPL-3.0-or-later
"""The cache changes no result, keeps no secret, and is not used if somebody else could write it."""

from __future__ import annotations

import os
import stat
import typing as t
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils import _cache, _load
from ansible_collections.reseller.mail.plugins.plugin_utils._cache import store
from ansible_collections.reseller.mail.plugins.plugin_utils._language import plain_values

BASE = Path(__file__).parents[3] / "corpus" / "base"
HASH = "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$c29tZXNhbHQ$aGFzaGhhc2hoYXNo"
DOMAIN = "tenants/acme/acme.example.yml"


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for caches; also small estates have one."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(_cache.OFF, raising=False)
    monkeypatch.setattr(_cache, "LEAST", 0)
    monkeypatch.setattr(_load, "_same_as_last", lambda *_last: None)
    return tmp_path / "cache" / "reseller-mail"


@pytest.fixture
def estate(tmp_path: Path) -> Path:
    folder = tmp_path / "estate"
    for path, content in _load.read_files(str(BASE))[0].items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The contents that are parsed."""
    found: list[bytes] = []
    read = plain_values.read

    def noted(content: bytes, table: t.Any) -> t.Any:
        found.append(content)
        return read(content, table)

    monkeypatch.setattr(plain_values, "read", noted)
    return found


def the_file(root: Path) -> Path:
    (only,) = root.iterdir()
    return only


def test_unchanged_files_are_not_parsed_again(estate: Path, parsed: list[bytes]) -> None:
    first = _load.load(str(estate))
    assert parsed
    parsed.clear()
    assert _load.load(str(estate)) == first
    assert all(b"price" in content for content in parsed), "only prices are no plain data"
    parsed.clear()
    (estate / DOMAIN).write_bytes((estate / DOMAIN).read_bytes() + b"# changed\n")
    assert _load.load(str(estate)) == first
    assert [content for content in parsed if b"changed" in content] == [
        (estate / DOMAIN).read_bytes()
    ]


def test_places_are_the_same(estate: Path) -> None:
    places = []
    for _time in range(2):
        found, faults = _load.load(str(estate))
        assert found is not None, faults
        domain = found.tenants[0].domains[0]
        places.append(
            (domain.mailboxes[0].at.of("name"), [one.at for one in domain.domain_aliases])
        )
    assert places[0] == places[1]


def test_a_fault_is_found_each_time(estate: Path) -> None:
    assert _load.load(str(estate))[1] == []
    sound = (estate / DOMAIN).read_bytes()
    (estate / DOMAIN).write_bytes(sound + b"catch_all: nobody\n")
    first = _load.load(str(estate))[1]
    assert first
    assert _load.load(str(estate))[1] == first
    (estate / DOMAIN).write_bytes(sound)
    assert _load.load(str(estate))[1] == []


def test_a_secret_gets_into_no_cache(estate: Path, root: Path) -> None:
    text = (estate / DOMAIN).read_text(encoding="utf-8")
    assert "  - name: jo\n" in text
    secret = f"  - name: jo\n    password: '{HASH}'\n"
    (estate / DOMAIN).write_text(text.replace("  - name: jo\n", secret), encoding="utf-8")
    found, faults = _load.load(str(estate))
    assert found is not None, faults
    assert b"c29tZXNhbHQ" not in the_file(root).read_bytes()
    assert _load.load(str(estate))[0] == found


def test_only_the_user_can_read_it(estate: Path, root: Path) -> None:
    _load.load(str(estate))
    assert stat.S_IMODE(root.stat().st_mode) == 0o700
    assert stat.S_IMODE(the_file(root).stat().st_mode) == 0o600


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-9])


def _flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-9] ^= 1
    file.write_bytes(content)


def _empty(file: Path) -> None:
    file.write_bytes(b"")


def _open(file: Path) -> None:
    file.chmod(0o622)


def _link(file: Path) -> None:
    other = file.with_name("other")
    file.rename(other)
    file.symlink_to(other)


def _pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file, mode=0o600)


def _give_away(file: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    os.chown(file, 65534, 65534)


@pytest.mark.parametrize("spoil", [_cut, _flip, _empty, _open, _link, _pipe, _give_away])
def test_a_file_that_cannot_be_trusted_is_not_used(
    estate: Path, root: Path, parsed: list[bytes], spoil: t.Callable[[Path], None]
) -> None:
    first = _load.load(str(estate))
    number = len(parsed)
    parsed.clear()
    spoil(the_file(root))
    assert _load.load(str(estate)) == first
    assert len(parsed) == number, "all is parsed again"


def test_a_folder_that_others_can_write_is_not_used(estate: Path, root: Path) -> None:
    root.mkdir(parents=True)
    root.chmod(0o777)
    assert _load.load(str(estate))[1] == []
    assert not list(root.iterdir())


def test_it_is_bound_to_the_code(
    estate: Path, parsed: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    _load.load(str(estate))
    number = len(parsed)
    parsed.clear()
    monkeypatch.setattr(_cache, "stamp", lambda: b"another version!")
    _load.load(str(estate))
    assert len(parsed) == number


def test_it_can_be_turned_off(estate: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(_cache.OFF, "off")
    assert _load.load(str(estate))[1] == []
    assert not root.exists()


def test_what_leaves_the_estate_leaves_the_cache(estate: Path, root: Path) -> None:
    _load.load(str(estate))
    before = the_file(root).stat().st_size
    (estate / DOMAIN).write_bytes(b"catch_all: it\n")
    _load.load(str(estate))
    assert the_file(root).stat().st_size < before


def test_a_full_or_forbidden_place_has_no_consequence(
    estate: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: t.Any) -> t.NoReturn:
        raise OSError("no space left on device")

    monkeypatch.setattr(store.os, "replace", refuse)
    assert _load.load(str(estate))[1] == []
    assert not list(root.iterdir()), "no draft is left"
