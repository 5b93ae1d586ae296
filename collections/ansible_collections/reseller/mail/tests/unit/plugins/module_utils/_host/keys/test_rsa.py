# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host.keys import dkim
from ansible_collections.reseller.mail.plugins.module_utils._host.keys.rsa import public_half


def made(path: Path, *what: str) -> str:
    subprocess.run(
        ["openssl", "genpkey", *what, "-out", str(path)], check=True, capture_output=True
    )
    return path.read_text("ascii")


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> str:
    return made(
        tmp_path_factory.mktemp("keys") / "key",
        "-algorithm",
        "RSA",
        "-pkeyopt",
        "rsa_keygen_bits:1024",
    )


@pytest.mark.parametrize("bits", [1024, 1032, 2048])
def test_it_is_what_openssl_says(tmp_path: Path, bits: int) -> None:
    pem = made(tmp_path / "key", "-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{bits}")
    said = subprocess.run(
        ["openssl", "pkey", "-in", str(tmp_path / "key"), "-pubout"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert public_half(pem) == dkim.public_half(said)


def test_other_keys_are_left_to_others(tmp_path: Path, pem: str) -> None:
    assert public_half(made(tmp_path / "key", "-algorithm", "ed25519")) is None
    assert public_half(pem.replace("PRIVATE", "RSA PRIVATE")) is None
    assert public_half("") is None


def test_a_damaged_key_is_refused_wherever_the_damage_is(pem: str) -> None:
    """One bit of each byte, one after the other. What then looks like a key of another kind is left
    to others to refuse."""
    lines = pem.splitlines()
    raw = base64.b64decode("".join(lines[1:-1]))
    other = []
    for place in range(len(raw)):
        spoilt = bytearray(raw)
        spoilt[place] ^= 1
        try:
            found = public_half(
                "\n".join((lines[0], base64.b64encode(bytes(spoilt)).decode(), lines[-1]))
            )
        except ValueError:
            continue
        assert found is None, place
        other.append(place)
    # Behind these lies the key. A spoilt length of the version shifts the algorithm, in 2 of 100
    # keys to something that can be read.
    assert set(other) <= {5, *range(7, 22)}, "the bytes that say which algorithm it is for"


@pytest.mark.parametrize("part", [0, 1, 2, 10, 100, 400, 600])
def test_a_cut_key_is_refused(pem: str, part: int) -> None:
    lines = pem.splitlines()
    raw = base64.b64decode("".join(lines[1:-1]))[:part]
    with pytest.raises(ValueError, match="not a private key"):
        public_half("\n".join((lines[0], base64.b64encode(raw).decode(), lines[-1])))


def test_what_is_no_base64_is_refused(pem: str) -> None:
    with pytest.raises(ValueError, match="not a private key"):
        public_half(pem.replace("M", "!", 1))
