# SPDX-License-Identifier: GPL-3.0-or-later
"""What is true of every estate, however wrong: the loader and the judges answer, soon, with faults
that can be printed and found."""

from __future__ import annotations

import re
import time
import typing as t

from ansible_collections.reseller.mail.plugins.plugin_utils import _compile, _load
from ansible_collections.reseller.mail.plugins.plugin_utils._compile import dns
from ansible_collections.reseller.mail.plugins.plugin_utils._compile.describe import describe
from ansible_collections.reseller.mail.plugins.plugin_utils._judge import ledger
from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import Estate
from ansible_collections.reseller.mail.plugins.plugin_utils._model.values import Fault
from ansible_collections.reseller.mail.plugins.plugin_utils._report import explain

Files = dict[str, bytes]

SECONDS = 5  # of processor time, for an estate of a few kilobytes: hundreds of times what it takes
LONGEST = 4_000  # characters of one fault


def check(files: Files) -> list[Fault]:
    """The faults of an estate, of which everything promised is true; else an AssertionError."""
    began = time.process_time()
    estate, faults = _load.build(files)
    spent = time.process_time() - began
    assert spent < SECONDS, f"{spent:.1f} s of processor time"
    assert faults == sorted(set(faults)), "faults are sorted and each is told once"
    for fault in faults:
        _can_be_told(fault, files)
    backwards = _load.build(dict(reversed(files.items())))[1]
    assert list(map(str, faults)) == list(map(str, backwards)), (
        "the order of the files changes nothing"
    )
    if not faults:
        _can_be_used(estate)
    return faults


def _can_be_told(fault: Fault, files: Files) -> None:
    line = str(fault)
    assert line.isprintable(), f"not printable in one line: {line!r}"
    assert len(line) <= LONGEST, f"{len(line)} characters: {line[:200]}..."
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", fault.id), fault.id
    assert fault.what, line
    assert fault.allowed, line
    at = fault.position
    assert at.line >= 1, line
    assert at.column >= 1, line
    content = files.get(at.file)
    if content is None:  # a missing file, or a folder
        assert (at.line, at.column) == (1, 1), line
        return
    lines = content.decode("utf-8", "replace").split("\n")
    assert at.line <= len(lines), f"line {at.line} of {len(lines)}: {line}"
    assert at.column <= len(lines[at.line - 1]) + 1, (
        f"column {at.column} of {len(lines[at.line - 1])}: {line}"
    )


def _can_be_used(estate: Estate) -> None:
    """An estate without faults can be counted, compiled and described; and what is compiled has a
    line for a line."""
    ledger.ledger(estate)
    dns.records(estate)
    for subject in _subjects(estate):
        explain.explain(estate, subject)
    for node in estate.nodes:
        describe(estate, node)
        for path, text in _compile.artefact(estate, node).files.items():
            assert all(line.isprintable() for line in text.replace("\t", " ").splitlines()), (
                f"{node.name}: {path}"
            )


def _subjects(estate: Estate) -> t.Iterator[str]:
    for tenant in estate.tenants:
        yield tenant.name
        for domain in tenant.domains:
            yield domain.name
            yield from (mailbox.address for mailbox in domain.mailboxes[:3])
