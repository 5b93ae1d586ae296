# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of an estate → the model, or all faults in them.

PRIVATE to the collection. Only ``read_files`` reads the disk; the rest is pure. Any files give an
estate or a list of faults, and never a traceback or an endless run.
"""

from __future__ import annotations

import collections
import gc
import os
import re
import stat
import typing as t
from types import MappingProxyType

from . import _judge
from ._cache import cache_of
from ._language import build as language_build
from ._language import plain_values, scalars, schema, written
from ._language.build_domain import Offer
from ._language.ladders import StepsOfTenant, by_domain, by_tenant
from ._language.source import Source
from ._language.suspensions import Profiles
from ._language.suspensions import profiles as suspension_profiles
from ._language.typed_values import Values, Walker
from ._language.yaml_nodes import parse
from ._model import names as model_names
from ._model.estate import Estate, NodeState, Step
from ._model.values import Fault, Position
from ._model.words import shown

if t.TYPE_CHECKING:
    from ._cache.store import Store
    from ._model.tenant import Tenant

MAX_BYTES = 4 * 2**20
"""Of one file, in bytes: about 40,000 mailboxes in one domain."""
MAX_REPORT = 16 * MAX_BYTES
"""Of a node's report, in bytes. It has the keys of all domains of the node: about 110,000 keys, as
during a rotation."""

Found = tuple[Values, list[str]]
"""The values of a file, and the path of each use of a key that hosts do not act on yet."""
Known = t.MutableMapping[tuple[str, bytes], Found]
"""What is in files without a fault, by their paths and contents."""
NOTHING: t.Final[t.Mapping[str, bytes]] = MappingProxyType({})
ACCOUNT = "account.yml"
PROMOTED = "state/promoted_domains.json"
_NOT_READ = frozenset(("published_dns.json", "promotion_evidence.json"))
"""What dns_publish and evidence write into state/. The model does not depend on it."""
_IGNORED = re.compile(r"\..*|(README|CHANGELOG|LICENSE|CODEOWNERS)(\.\w+)?")
_VALUE_FAULTS: t.Final = frozenset(("no-value", "unfit-tag", "unfit-value", "wrong-type"))
"""The faults of values that could not be read."""
_FOLDERS: t.Final = ("tenants", "state")
_TOP: t.Final = "estate.yml, plans.yml, tenants/, state/"
_REGULAR: t.Final = "a regular file that can be read"
_MISSPELT_FOLDERS: t.Final = {
    "tenants": "tenants",
    "tenant": "tenants",
    "state": "state",
    "states": "state",
}


def load(
    directory: str, instead: t.Mapping[str, bytes] = NOTHING
) -> tuple[t.Optional[Estate], list[Fault]]:
    """Return the estate of a folder, or None and all faults of all its files, sorted by place.

    ``instead`` has the content of files that are not as in the folder, by their paths.
    """
    estate, faults = draft(directory, instead)
    return (None if faults else estate), faults


def draft(directory: str, instead: t.Mapping[str, bytes] = NOTHING) -> tuple[Estate, list[Fault]]:
    """Return what could be read of the estate of a folder, and all faults.

    If there are faults, the estate is only for display: compile nothing from it.
    """
    files, faults = read_files(directory)
    files.update(instead)
    result = _same_as_last(directory, files, faults)
    if result is None:
        cache = cache_of(directory, files)
        result = _built(files, faults, cache)
        if cache is not None:
            cache.save()
            # Only for a large estate: see _cache.LEAST.
            _LAST[:] = [_Last(directory, files, faults, result)]
    return result


class _Last(t.NamedTuple):
    """The estate that was read last, and what it was made of."""

    directory: str
    files: dict[str, bytes]
    faults: list[Fault]
    result: tuple[Estate, list[Fault]]


_LAST: list[_Last] = []
"""One item at most. Ansible reads the inventory in the process from which it forks one process for
each task and host. So all of these have the estate already, while no file changes."""


def _same_as_last(
    directory: str, files: dict[str, bytes], faults: list[Fault]
) -> t.Optional[tuple[Estate, list[Fault]]]:
    """Return the estate that was read last, if it was made of the same files."""
    for last in _LAST:
        if last[:3] == (directory, files, faults):
            estate, found = last.result
            return estate, list(found)
    return None


def _built(
    files: dict[str, bytes], faults: list[Fault], cache: t.Optional[Store]
) -> tuple[Estate, list[Fault]]:
    """Return the model and all faults, without garbage collections meanwhile."""
    collecting = gc.isenabled()
    # Many new objects without cycles: the garbage collector would take half of the time.
    gc.disable()
    try:
        return build(files, faults, cache=cache)
    finally:
        if collecting:
            # Later collections need not look at these objects either. They are freed as usual.
            gc.freeze()
            gc.enable()


def build(
    files: t.Mapping[str, bytes],
    faults: t.Iterable[Fault] = (),
    known: t.Optional[Known] = None,
    cache: t.Optional[Store] = None,
) -> tuple[Estate, list[Fault]]:
    """Return the model and all faults of files, which are given by their paths.

    ``faults`` are those that were found when the files were read from the disk. Files in ``known``
    are not parsed again, and files without a fault are added to it. ``cache`` keeps this, without
    secrets, from one run to the next.
    """
    reading = _Reading(files, faults, known, cache)
    estate_file = reading.required("estate.yml", schema.ESTATE)
    plans_file = reading.required("plans.yml", schema.PLANS)
    plans = tuple(language_build.plan(values) for values in plans_file.get("plans") or ())
    states, steps = _states(reading)
    tenants = _tenants(
        reading,
        language_build.offers(plans, estate_file.get("defaults")),
        by_tenant(by_domain(steps)),
        suspension_profiles(estate_file.get("suspension_profiles") or ()),
    )
    estate = language_build.estate(
        estate_file, plans_file, plans, tenants, states, steps, reading.unused_keys
    )
    found = reading.faults
    if cache is not None and not found and cache.is_sound(files):
        return estate, []
    # A value that could not be read has its default. A second fault at its place follows from that.
    unread = {fault.position for fault in found if fault.id in _VALUE_FAULTS}
    found.extend(
        fault
        for fault in _judge.judge(estate, frozenset(reading.holes))
        if fault.position not in unread
    )
    if cache is not None and not found:
        cache.note_sound(files)
    return estate, sorted(set(found), key=Fault.order)


class _Reading:
    """Reads files into typed values.

    Attributes:
        faults: The faults so far.
        holes: ``(file, key)`` for keys that could not be read; the key is empty for a whole file.
        unused_keys: How often each key is used that hosts do not act on yet.
    """

    def __init__(
        self,
        files: t.Mapping[str, bytes],
        faults: t.Iterable[Fault],
        known: t.Optional[Known],
        cache: t.Optional[Store],
    ) -> None:
        self.files = files
        self.known = known
        self.cache = cache
        self.faults = list(faults)
        self.holes = {(fault.position.file, "") for fault in self.faults}
        self.unused_keys: collections.Counter[str] = collections.Counter()

    def file(self, path: str, table: schema.Table) -> t.Optional[Values]:
        """Return the values of a file, or None if it has no table."""
        content = self.files[path]
        found = None if self.known is None else self.known.get((path, content))
        if found is None:
            source = Source(path, content)
            plain = self._written(content, table)
            if plain is None:
                return self._general(path, table, source)
            found = written.filled(plain[0], table, path, source), plain[1]
            self._remember(path, found)
        self.unused_keys.update(found[1])
        return found[0]

    def _written(self, content: bytes, table: schema.Table) -> t.Optional[written.Written]:
        """Return what is written in a file that is in the cache or has a usual text."""
        found = None if self.cache is None else self.cache.get(table.name, content)
        if found is None:
            found = plain_values.read(content, table)
            if found is not None and self.cache is not None:
                self.cache.put(table.name, content, found)
        return t.cast("t.Optional[written.Written]", found)

    def _remember(self, path: str, found: Found) -> None:
        """Note what is in a file without a fault."""
        if self.known is not None:
            self.known[path, self.files[path]] = found

    def _general(self, path: str, table: schema.Table, source: Source) -> t.Optional[Values]:
        """Return the values of any file, or None if it has no table."""
        root, wrong = parse(path, self.files[path])
        self.faults.extend(wrong)
        if wrong:
            self.holes.add((path, ""))
            if root is None:
                return None
        walker = Walker(path, source)
        values = walker.file_values(root, table)
        self.faults.extend(walker.faults)
        if values is not None:
            self.unused_keys.update(walker.unused)
            if not wrong and not walker.faults:
                self._remember(path, (values, walker.unused))
                if self.cache is not None:
                    plain = written.stripped(values, table), walker.unused
                    self.cache.put(table.name, self.files[path], plain)
        self.holes.update(walker.holes)
        return values

    def required(self, path: str, table: schema.Table) -> Values:
        """Return the values of a file that must exist; none, and a fault, if it is missing."""
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
    """Return the reports of the nodes, and the steps of promotion."""
    states: list[NodeState] = []
    steps: tuple[Step, ...] = ()
    for path in sorted(reading.files):
        if not path.startswith("state/"):
            continue
        values = reading.file(path, schema.PROMOTED if path == PROMOTED else schema.STATE)
        if values is not None and path == PROMOTED:
            steps = language_build.steps(values)
        elif values is not None:
            states.append(
                language_build.node_state(path.removeprefix("state/").removesuffix(".json"), values)
            )
    return tuple(states), steps


def _tenants(
    reading: _Reading,
    offers: t.Mapping[t.Optional[str], Offer],
    steps: t.Mapping[str, StepsOfTenant],
    profiles: Profiles,
) -> tuple[Tenant, ...]:
    """Return the tenants, each from the files of its folder, if the folder has an account."""
    folders: dict[str, list[str]] = {}
    for path in sorted(reading.files):
        top, *below = path.split("/")
        if top == "tenants" and len(below) == 2:
            folders.setdefault(below[0], []).append(below[1])
    tenants = []
    for folder, names in folders.items():
        account = reading.required(f"tenants/{folder}/{ACCOUNT}", schema.ACCOUNT)
        files = [
            (
                name.removesuffix(".yml"),
                reading.file(f"tenants/{folder}/{name}", schema.DOMAIN_FILE),
            )
            for name in names
            if name != ACCOUNT
        ]
        domains = [(name, values) for name, values in files if values is not None]
        if account:
            offer = offers.get(account["plan"]) or offers[None]
            made = steps.get(folder)
            tenants.append(language_build.tenant(folder, account, domains, offer, made, profiles))
    return tuple(tenants)


def read_files(directory: str) -> tuple[dict[str, bytes], list[Fault]]:
    """Return the content of every file of an estate by its path, and the faults of files as such.

    Such faults are a wrong name or place, a symbolic link, an unreadable or too large file.
    """
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
    """Reads the folder of an estate into ``files``, and notes ``faults``.

    It follows no symbolic link, because a tenant could make one to another tenant's file.
    """

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self.files: dict[str, bytes] = {}
        self.faults: list[Fault] = []

    def fault(self, path: str, fault_id: str, what: str, allowed: str) -> None:
        """Note a fault of a file or folder as such."""
        fit = path if path.isprintable() else shown(path)
        self.faults.append(Fault(Position(fit, 1, 1), fault_id, what, allowed))

    def entries(self, path: str) -> list[os.DirEntry[str]]:
        """Return what is in a folder, by name, without hidden files, READMEs and the like."""
        with os.scandir(os.path.join(self.directory, path)) as entries:
            return sorted(
                (entry for entry in entries if not _IGNORED.fullmatch(entry.name)),
                key=lambda entry: entry.name,
            )

    def top(self) -> None:
        """Read the folder of the estate."""
        for entry in self.entries("."):
            if entry.name in _FOLDERS:
                self.folder(
                    entry, entry.name, self.tenants if entry.name == "tenants" else self.states
                )
            elif entry.name in ("estate.yml", "plans.yml"):
                self.file(entry.name)
            elif entry.name.endswith((".yml", ".yaml", ".json")):
                self.stray(entry, entry.name, _TOP)
            elif entry.name.lower() in _MISSPELT_FOLDERS:
                # Without this fault, a misspelt folder would remove every tenant.
                meant = _MISSPELT_FOLDERS[entry.name.lower()]
                what = f"nothing reads this; did you mean {meant}?"
                self.fault(entry.name, "stray-file", what, _TOP)

    def folder(self, entry: os.DirEntry[str], path: str, walk: t.Callable[[str], None]) -> None:
        """Call ``walk`` for a folder, if it is one and can be read."""
        if entry.is_symlink() or not entry.is_dir():
            self.fault(
                path,
                "not-a-folder",
                "this is a symbolic link" if entry.is_symlink() else "this is not a folder",
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
        """Read the folder state/."""
        for entry in self.entries(path):
            below = f"{path}/{entry.name}"
            if below == PROMOTED:
                self.file(below)
            elif entry.name not in _NOT_READ:
                self.named(
                    entry, path, ".json", model_names.slug, "<node>.json, the report of a node"
                )

    def tenants(self, path: str) -> None:
        """Read the folder tenants/."""
        for entry in self.entries(path):
            below = f"{path}/{entry.name}"
            if not entry.is_dir(follow_symlinks=False) or self.is_named(
                below, entry.name, "", model_names.slug, scalars.SLUG.allowed
            ):
                self.folder(entry, below, self.tenant)

    def tenant(self, path: str) -> None:
        """Read the folder of one tenant."""
        before = len(self.files)
        for entry in self.entries(path):
            if entry.name == ACCOUNT:
                self.file(f"{path}/{ACCOUNT}")
            else:
                self.named(
                    entry,
                    path,
                    ".yml",
                    model_names.mail_domain,
                    f"{ACCOUNT}, or <domain>.yml with the domain in lower-case A-labels",
                )
        if before == len(self.files) and not any(
            fault.position.file.startswith(f"{path}/") for fault in self.faults
        ):
            self.fault(
                path,
                "empty-folder",
                "this tenant's folder has no files",
                f"a folder with {ACCOUNT}, or no folder",
            )

    def named(
        self,
        entry: os.DirEntry[str],
        path: str,
        suffix: str,
        norm: t.Callable[[str], str],
        allowed: str,
    ) -> None:
        """Read a file whose name without ``suffix`` must be what ``norm`` returns for it."""
        below = f"{path}/{entry.name}"
        if not entry.name.endswith(suffix):
            self.stray(entry, below, allowed)
        elif self.is_named(below, entry.name.removesuffix(suffix), suffix, norm, allowed):
            self.file(below)

    def stray(self, entry: os.DirEntry[str], path: str, allowed: str) -> None:
        """Note that nothing reads a file or folder."""
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
        """Return whether a name is written in its normal form; note a fault if not."""
        try:
            normal = norm(name)
        except ValueError as error:
            self.fault(path, "unfit-name", str(error), allowed)
            return False
        if normal != name:
            self.fault(path, "unfit-name", f"the normal form is {shown(normal + suffix)}", allowed)
        return normal == name

    def file(self, path: str) -> None:
        """Read a regular file that is not too large."""
        try:
            # NONBLOCK: without it, opening a FIFO would wait for its writer.
            handle = os.open(
                os.path.join(self.directory, path),
                os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC,
            )
        except OSError as error:
            link = os.path.islink(os.path.join(self.directory, path))
            what = (
                "this is a symbolic link" if link else f"this file cannot be read: {error.strerror}"
            )
            self.fault(path, "symlink" if link else "unreadable", what, _REGULAR)
            return
        try:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                self.fault(path, "unreadable", "this is not a regular file", _REGULAR)
                return
            most = MAX_REPORT if path.startswith("state/") else MAX_BYTES
            content = os.read(handle, min(status.st_size, most) + 1)
        finally:
            os.close(handle)
        if len(content) > most:
            self.fault(path, "too-large", "this file is too large", f"at most {most:,} bytes")
        else:
            self.files[path] = content
