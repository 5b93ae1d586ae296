# SPDX-License-Identifier: GPL-3.0-or-later
"""The estate's files → the model, or every fault in them at once.

PRIVATE to the collection. ``read_files`` is the one function that touches the disk; all else is pure. Whatever the
files hold, the answer is a list of faults: never a traceback, never a hang.
"""

from __future__ import annotations

import gc
import os
import re
import stat
import typing as t

from ansible_collections.reseller.mail.plugins.module_utils import (
    _build,
    _judge,
    _names,
    _promotion,
    _scalars,
    _schema,
)
from ansible_collections.reseller.mail.plugins.module_utils._model.estate import (
    Estate,
    NodeState,
    Step,
)
from ansible_collections.reseller.mail.plugins.module_utils._model.values import Fault, Position
from ansible_collections.reseller.mail.plugins.module_utils._nodes import parse, shown
from ansible_collections.reseller.mail.plugins.module_utils._walk import Values, Walker

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.module_utils._model.tenant import Plan, Tenant

MAX_BYTES = 4 * 2**20
"""Of one file: about 40,000 mailboxes in one domain."""
MAX_REPORT = 16 * MAX_BYTES
"""Of a node's report: its keys are those of all its domains, about 110,000 of them while they are changed."""

ACCOUNT = "account.yml"
PROMOTED = "state/promoted_domains.json"
_NOT_READ = frozenset(("published_dns.json", "promotion_evidence.json"))
"""What dns_publish and evidence write down in state/; the model does not depend on it."""
_MAY_LIE_AROUND = re.compile(r"\..*|(README|CHANGELOG|LICENSE|CODEOWNERS)(\.\w+)?")
_UNREAD: t.Final = frozenset(("no-value", "unfit-tag", "unfit-value", "wrong-type"))
_HERE: t.Final = ("tenants", "state")
_TOP: t.Final = "estate.yml, plans.yml, tenants/, state/"
_MISTAKABLE: t.Final = {
    "tenants": "tenants",
    "tenant": "tenants",
    "state": "state",
    "states": "state",
}


def load(directory: str) -> tuple[t.Optional[Estate], list[Fault]]:
    """The judged estate and no faults, or None and all faults of all files, sorted by place."""
    estate, faults = draft(directory)
    return (None if faults else estate), faults


def draft(directory: str) -> tuple[Estate, list[Fault]]:
    """As much of the estate as could be read, and all faults. Only for looking at: nothing may be built from it."""
    collecting = gc.isenabled()
    gc.disable()  # many young objects and no circles: the collector would take half of the time
    try:
        files, faults = read_files(directory)
        estate, more = build(files, faults)
    finally:
        if collecting:
            gc.freeze()  # nor look at them from now on; they go when nobody refers to them
            gc.enable()
    return estate, more


def build(
    files: t.Mapping[str, bytes], faults: t.Iterable[Fault] = ()
) -> tuple[Estate, list[Fault]]:
    """The model from files by their paths; ``faults`` are those found in reading them."""
    reading = _Reading(files, faults)
    estate_file = reading.required("estate.yml", _schema.ESTATE)
    plans_file = reading.required("plans.yml", _schema.PLANS)
    plans = tuple(_build.plan(values) for values in plans_file.get("plans") or ())
    states, steps = _states(reading)
    tenants = _tenants(
        reading,
        {plan.name: plan for plan in plans},
        estate_file.get("defaults"),
        _promotion.by_domain(steps),
    )
    estate = _build.estate(estate_file, plans_file, plans, tenants, states, steps, reading.roots)
    found = reading.faults
    # Where no value could be read its default stands in: what a judge says of that follows from the first fault.
    unread = {fault.position for fault in found if fault.id in _UNREAD}
    found.extend(
        fault
        for fault in _judge.judge(estate, frozenset(reading.holes))
        if fault.position not in unread
    )
    return estate, sorted(set(found), key=Fault.order)


class _Reading:
    """Files on their way to values. ``holes`` are the keys that could not be read, ``roots`` the places of the files' tables."""

    def __init__(self, files: t.Mapping[str, bytes], faults: t.Iterable[Fault]) -> None:
        self.files = files
        self.faults = list(faults)
        self.holes = {(fault.position.file, "") for fault in self.faults}
        self.roots: list[tuple[str, Position]] = []

    def file(self, path: str, table: _schema.Table) -> t.Optional[Values]:
        """Return the file's values, or None where it is no table at all."""
        root, wrong = parse(path, self.files[path])
        self.faults.extend(wrong)
        if wrong:
            self.holes.add((path, ""))
            if root is None:
                return None
        walker = Walker(path)
        values = walker.file_values(root, table)
        self.faults.extend(walker.faults)
        if values is not None:
            self.roots.append((table.name, values["at"]))
        self.holes.update(walker.holes)
        return values

    def required(self, path: str, table: _schema.Table) -> Values:
        """Return the values of a file that an estate cannot do without; none where it is missing, which is a fault."""
        if path in self.files:
            return self.file(path, table) or {}
        self.holes.add((path, ""))
        if not any(fault.position.file in (path, ".") for fault in self.faults):
            wanted = f"a file with the keys {', '.join(table.required)}"
            self.faults.append(
                Fault(Position(path, 1, 1), "missing-file", "this file is missing", wanted)
            )
        return {}


def _states(reading: _Reading) -> tuple[tuple[NodeState, ...], tuple[Step, ...]]:
    """Return what the nodes reported, and the steps of promotion."""
    states: list[NodeState] = []
    steps: tuple[Step, ...] = ()
    for path in sorted(reading.files):
        if not path.startswith("state/"):
            continue
        values = reading.file(path, _schema.PROMOTED if path == PROMOTED else _schema.STATE)
        if values is not None and path == PROMOTED:
            steps = _build.steps(values)
        elif values is not None:
            states.append(
                _build.node_state(path.removeprefix("state/").removesuffix(".json"), values)
            )
    return tuple(states), steps


def _tenants(
    reading: _Reading,
    plans: t.Mapping[str, Plan],
    defaults: t.Optional[Values],
    steps: _promotion.Steps,
) -> tuple[Tenant, ...]:
    """Return the tenants, each from the files of its folder. A folder without an account is none."""
    folders: dict[str, list[str]] = {}
    for path in sorted(reading.files):
        top, *below = path.split("/")
        if top == "tenants" and len(below) == 2:
            folders.setdefault(below[0], []).append(below[1])
    tenants = []
    for folder, names in folders.items():
        account = reading.required(f"tenants/{folder}/{ACCOUNT}", _schema.ACCOUNT)
        files = [
            (
                name.removesuffix(".yml"),
                reading.file(f"tenants/{folder}/{name}", _schema.DOMAIN_FILE),
            )
            for name in names
            if name != ACCOUNT
        ]
        domains = [(name, values) for name, values in files if values is not None]
        if account:
            tenants.append(_build.tenant(folder, account, domains, plans, defaults, steps))
    return tuple(tenants)


def read_files(directory: str) -> tuple[dict[str, bytes], list[Fault]]:
    """The content of every file of the estate by its path, and what is wrong with files as such."""
    reader = _Directory(directory)
    try:
        reader.top()
    except OSError as error:
        reader.fault(
            ".",
            "unreadable",
            f"the estate cannot be read: {error.strerror}",
            "a directory with estate.yml, plans.yml, tenants/",
        )
    return reader.files, reader.faults


class _Directory:
    """Walks an estate. Follows no symbolic link: a tenant could make one that reads another tenant's file."""

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self.files: dict[str, bytes] = {}
        self.faults: list[Fault] = []

    def fault(self, path: str, fault_id: str, what: str, allowed: str) -> None:
        fit = path if path.isprintable() else shown(path)
        self.faults.append(Fault(Position(fit, 1, 1), fault_id, what, allowed))

    def entries(self, path: str) -> list[os.DirEntry[str]]:
        with os.scandir(os.path.join(self.directory, path)) as entries:
            return sorted(
                (entry for entry in entries if not _MAY_LIE_AROUND.fullmatch(entry.name)),
                key=lambda entry: entry.name,
            )

    def top(self) -> None:
        for entry in self.entries("."):
            if entry.name in _HERE:
                self.folder(
                    entry, entry.name, self.tenants if entry.name == "tenants" else self.states
                )
            elif entry.name in ("estate.yml", "plans.yml"):
                self.file(entry.name)
            elif entry.name.endswith((".yml", ".yaml", ".json")):
                self.stray(entry, entry.name, _TOP)
            elif (
                entry.name.lower() in _MISTAKABLE
            ):  # else a misspelt folder would take every tenant away
                self.fault(
                    entry.name,
                    "stray-file",
                    f"nothing reads this; did you mean {_MISTAKABLE[entry.name.lower()]}?",
                    _TOP,
                )

    def folder(self, entry: os.DirEntry[str], path: str, walk: t.Callable[[str], None]) -> None:
        if entry.is_symlink() or not entry.is_dir():
            self.fault(
                path,
                "not-a-folder",
                "this is no folder" if not entry.is_symlink() else "this is a symbolic link",
                "a folder",
            )
            return
        try:
            walk(path)
        except OSError as error:
            self.fault(
                path,
                "unreadable",
                f"this folder cannot be read: {error.strerror}",
                "a readable folder",
            )

    def states(self, path: str) -> None:
        for entry in self.entries(path):
            below = f"{path}/{entry.name}"
            if below == PROMOTED:
                self.file(below)
            elif entry.name not in _NOT_READ:
                self.named(entry, path, ".json", _names.slug, "<node>.json, as nodes report it")

    def tenants(self, path: str) -> None:
        for entry in self.entries(path):
            below = f"{path}/{entry.name}"
            if not entry.is_dir(follow_symlinks=False) or self.is_named(
                below, entry.name, "", _names.slug, _scalars.SLUG.allowed
            ):
                self.folder(entry, below, self.tenant)

    def tenant(self, path: str) -> None:
        before = len(self.files)
        for entry in self.entries(path):
            if entry.name == ACCOUNT:
                self.file(f"{path}/{ACCOUNT}")
            else:
                self.named(
                    entry,
                    path,
                    ".yml",
                    _names.mail_domain,
                    f"{ACCOUNT}, or a domain in lower-case A-labels with .yml behind it",
                )
        if before == len(self.files) and not any(
            fault.position.file.startswith(f"{path}/") for fault in self.faults
        ):
            self.fault(
                path,
                "empty-folder",
                "this tenant's folder has no files",
                f"a folder with {ACCOUNT}, or none",
            )

    def named(
        self,
        entry: os.DirEntry[str],
        path: str,
        suffix: str,
        norm: t.Callable[[str], str],
        allowed: str,
    ) -> None:
        below = f"{path}/{entry.name}"
        if not entry.name.endswith(suffix):
            self.stray(entry, below, allowed)
        elif self.is_named(below, entry.name.removesuffix(suffix), suffix, norm, allowed):
            self.file(below)

    def stray(self, entry: os.DirEntry[str], path: str, allowed: str) -> None:
        kind = "folder" if entry.is_dir(follow_symlinks=False) else "file"
        meant = (
            f"; did you mean {shown(entry.name[:-5] + '.yml')}?"
            if entry.name.endswith(".yaml")
            else ""
        )
        self.fault(path, "stray-file", f"nothing reads this {kind}{meant}", allowed)

    def is_named(
        self, path: str, name: str, suffix: str, norm: t.Callable[[str], str], allowed: str
    ) -> bool:
        try:
            normal = norm(name)
        except ValueError as error:
            self.fault(path, "unfit-name", str(error), allowed)
            return False
        if normal != name:
            self.fault(
                path, "unfit-name", f"this name is written {shown(normal + suffix)}", allowed
            )
        return normal == name

    def file(self, path: str) -> None:
        try:
            # NONBLOCK: opening a FIFO would otherwise wait for its writer
            handle = os.open(
                os.path.join(self.directory, path),
                os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC,
            )
        except OSError as error:
            link = os.path.islink(os.path.join(self.directory, path))
            what = (
                "this is a symbolic link" if link else f"this file cannot be read: {error.strerror}"
            )
            self.fault(
                path, "symlink" if link else "unreadable", what, "a readable file of its own"
            )
            return
        try:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                self.fault(path, "unreadable", "this is no file", "a readable file of its own")
                return
            most = MAX_REPORT if path.startswith("state/") else MAX_BYTES
            content = os.read(handle, min(status.st_size, most) + 1)
        finally:
            os.close(handle)
        if len(content) > most:
            self.fault(path, "too-large", "this file is too large", f"{most:,} bytes")
        else:
            self.files[path] = content
