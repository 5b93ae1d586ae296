# SPDX-License-Identifier: GPL-3.0-or-later
"""A few seconds of ``make fuzz``, the same every time; and the worst of files, which must not take
longer than large ones."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "fuzz"))

import fuzz
import invariants
import mutations
from ansible_collections.reseller.mail.plugins.plugin_utils import _load
from ansible_collections.reseller.mail.plugins.plugin_utils._language import scalars
from ansible_collections.reseller.mail.plugins.plugin_utils._model import names as model_names
from hypothesis import given, settings
from hypothesis import strategies as st

STEPS = st.lists(
    st.tuples(st.integers(0, len(mutations.OPERATIONS) - 1), st.integers(0, 2**32)),
    min_size=1,
    max_size=fuzz.MOST_STEPS,
)
BASE, LARGER = fuzz.SOUND
ACME = "tenants/acme/acme.example.yml"


@settings(max_examples=120)
@given(st.integers(0, len(fuzz.SOUND) - 1), STEPS)
def test_spoiled_estates_keep_every_promise(start: int, steps: fuzz.Steps) -> None:
    invariants.check(fuzz.spoiled(start, steps))


@pytest.mark.parametrize("files", fuzz.SOUND, ids=["small", "larger"])
def test_unspoiled_estates_are_sound(files: fuzz.Files) -> None:
    assert invariants.check(files) == []


def seconds(files: fuzz.Files, least: int) -> float:
    """Processor time of an estate with at least so many faults."""
    began = time.process_time()
    faults = _load.build(files)[1]
    spent = time.process_time() - began
    assert len(faults) >= least
    return spent


def boxes(names: list[str]) -> bytes:
    return ("mailboxes:\n" + "".join(f"  - name: {name}\n" for name in names)).encode()


@pytest.mark.parametrize(
    ("content", "least"),
    [
        pytest.param(b"[" * 4_000_000, 1, id="4 MiB of brackets"),
        pytest.param(b"- " * 2_000_000, 1, id="4 MiB of list items in list items"),
        pytest.param(b"? " * 2_000_000, 1, id="4 MiB of complex keys"),
        pytest.param(b"a: " * 1_50_000, 1, id="4 MiB of keys as values"),
        pytest.param(b"'" * 4_000_000, 1, id="4 MiB of quotes"),
        pytest.param(b"#" * 4_000_000, 0, id="4 MiB of comment"),
        pytest.param(b"\n" * 4_000_000, 0, id="4 MiB of empty lines"),
        pytest.param(b"&a " * 1_50_000, 1, id="4 MiB of anchors"),
        pytest.param(b"!" * 4_000_000, 1, id="4 MiB of tag"),
        pytest.param(b"%" * 4_000_000, 1, id="4 MiB of directive"),
        pytest.param(
            b"mailboxes: [" + b"[]," * 50_000 + b"]", 50_000, id="50,000 values of the wrong kind"
        ),
        pytest.param(
            b"".join(b"k%d: 1\n" % nth for nth in range(20_000)),
            20_000,
            id="20,000 keys that nobody knows",
        ),
        pytest.param(b"aliases: 1\n" * 50_000, 49_999, id="a key 50,000 times"),
        pytest.param(boxes([f"m{nth}" for nth in range(10_000)]), 1, id="10,000 mailboxes"),
        pytest.param(boxes(["jo"] * 10_000), 9_998, id="10,000 mailboxes of one name"),
        pytest.param(
            boxes([f"m {nth}" for nth in range(10_000)]), 10_000, id="10,000 names that are none"
        ),
        pytest.param(boxes(["a" * 1_000_000] * 3), 3, id="names of a million characters"),
        pytest.param(
            b"a: &a [x" + b",x" * 9_000 + b"]\nb: [" + b"*a," * 20_000 + b"*a]",
            1,
            id="aliases of a large list",
        ),
        pytest.param(
            b"a0: &a0 [x,x]\n"
            + b"".join(b"a%d: &a%d [*a%d,*a%d]\n" % (n, n, n - 1, n - 1) for n in range(1, 2_000)),
            1,
            id="doubling aliases",
        ),
        pytest.param(
            b"mailboxes: [{name: it}]\naliases:\n"
            + b"".join(
                b"  - {name: a%d, to: [a%d, a%d]}\n" % (n, n + 1, n + 2) for n in range(20_000)
            ),
            1,
            id="a fan of aliases",
        ),
        pytest.param(
            b"mailboxes: [{name: it}]\naliases:\n"
            + b"".join(
                b"  - {name: a%d, to: [a%d]}\n" % (n, (n + 1) % 20_000) for n in range(20_000)
            ),
            1,
            id="a circle of 20,000",
        ),
        pytest.param(
            b"mailboxes: [{name: it}]\naliases:\n"
            + b"".join(
                b"  - {name: a%d, to: [a0, a%d]}\n" % (n, (n + 1) % 2_000) for n in range(2_000)
            ),
            2_000,
            id="2,000 circles",
        ),
        pytest.param(
            b"mailboxes: [{name: it}]\naliases:\n  - name: all\n    to: ["
            + b"jo," * 50_000
            + b"jo]",
            50_000,
            id="one target 50,000 times",
        ),
        pytest.param(
            b"domain_aliases: [" + b"".join(b"d%d.example," % n for n in range(20_000)) + b"]",
            20_000,
            id="20,000 domain aliases that nobody gave",
        ),
        pytest.param(
            b"domain_aliases: [" + b"acme.example," * 20_000 + b"]",
            20_000,
            id="one's own domain 20,000 times as alias",
        ),
    ],
)
def test_the_worst_of_files_end_soon(content: bytes, least: int) -> None:
    assert (
        seconds(BASE | {ACME: content}, least) < 20
    )  # on a busy machine; quadratic work takes minutes


@pytest.mark.parametrize(
    "kind",
    [value for value in vars(scalars).values() if isinstance(value, scalars.Scalar)],
    ids=lambda kind: kind.allowed[:40],
)
@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "a.",
        "a-",
        "-",
        ".",
        "0",
        "1.",
        "xn--a.",
        "a@",
        "[",
        "a:",
        "\n",
        " ",
        "é",
        "https://a",
        "/",
        "A\n",
        "-----BEGIN CERTIFICATE-----\n",
    ],
)
def test_no_value_makes_a_reader_slow(kind: scalars.Scalar, unit: str) -> None:
    text = unit * (100_000 // len(unit)) + "!"
    began = time.process_time()
    with pytest.raises(ValueError, match=r"."):
        kind.read(text)
    assert time.process_time() - began < 20, f"{unit!r} repeated"  # backtracking would take hours


def test_a_tenant_with_thousands_of_domains() -> None:
    names = [f"d{nth}.example" for nth in range(2_000)]
    account = (
        BASE["tenants/initech/account.yml"]
        .decode()
        .replace("\ndomains: [", f"\ndomains: [{', '.join(names)}, ")
        .encode()
    )
    files = (
        BASE
        | {"tenants/initech/account.yml": account}
        | {f"tenants/initech/{name}.yml": b"mailboxes: [{name: jo}]\n" for name in names}
    )
    assert seconds(files, 0) < 20
    assert model_names.mail_domain(names[0]) == names[0]
