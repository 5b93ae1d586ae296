# SPDX-License-Identifier: GPL-3.0-or-later
"""Give a host what a task wants, or find out what a run would change.

PRIVATE to the collection. Runs on the host; standard library only.
"""

from __future__ import annotations

import os
import typing as t
from dataclasses import dataclass, field

from . import compare, packages, paths, units, users
from .wanted import File, Folder, HostConfigError, Rights, Unit, Wanted


@dataclass
class Outcome:
    """What a run has changed, or would change."""

    missing_packages: list[str]
    paths: set[str] = field(default_factory=set)
    units: set[str] = field(default_factory=set)
    diffs: list[compare.Diff] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        return bool(self.missing_packages or self.paths or self.units)

    def path(self, path: str, diff: compare.Diff) -> None:
        """Note that a path changes."""
        self.paths.add(path)
        self.diffs.append(diff)

    def unit(self, name: str, diff: compare.Diff) -> None:
        """Note that a unit changes."""
        self.units.add(name)
        self.diffs.append(diff)


def converge(
    wanted: Wanted, command: units.Command, check_mode: bool, scratch: t.Callable[[], str]
) -> Outcome:
    """Change the host, unless packages are missing or in check mode; return what changes.

    ``scratch`` returns a folder for drafts that check mode validates. Raise HostConfigError and
    OSError.
    """
    outcome = Outcome(packages.missing(wanted.packages, command))
    if not outcome.missing_packages or check_mode:
        Host(wanted, command, check_mode, scratch, outcome).converge()
    return outcome


class Host:
    """One run on one host. Each method compares one kind of thing, and changes what differs.

    In check mode, packages, users and folders that the run would make are not there. What needs
    them counts as changed.
    """

    def __init__(
        self,
        wanted: Wanted,
        command: units.Command,
        check_mode: bool,
        scratch: t.Callable[[], str],
        outcome: Outcome,
    ) -> None:
        self._wanted = wanted
        self._command = command
        self._check_mode = check_mode
        self._scratch = scratch
        self._outcome = outcome
        self._names_come = bool(outcome.missing_packages)
        """Whether the run would make users and groups that are not there now."""
        self._folders_come = bool(outcome.missing_packages)
        """Whether the run would make folders that are not there now."""

    def converge(self) -> None:
        """Apply all, each kind after those that it needs."""
        self._make_users()
        self._make_folders()
        self._write_files()
        self._make_links()
        self._remove_paths()
        self._set_units()

    def _make_users(self) -> None:
        file, ids = self._wanted.users_file, (0, 0)
        if file is None:
            return
        missing, found = users.missing(self._wanted.users), paths.look(file.path)
        if not missing and _is_right(found, file, ids):
            return
        self._outcome.path(file.path, compare.users_diff(found, file, ids, missing))
        if self._check_mode:
            self._names_come = self._names_come or bool(missing)
            return
        folder = os.path.dirname(file.path)
        if not os.path.isdir(folder):  # a new Debian has none
            paths.make_folder(Folder(folder, Rights("root", "root", 0o755)), ids)
        paths.put(paths.stage(file.path, file.content, file.rights.mode, ids), file.path)
        self._must("systemd-sysusers", file.path)
        if left := users.missing(self._wanted.users):
            raise HostConfigError(f"systemd-sysusers did not make these users: {', '.join(left)}")

    def _make_folders(self) -> None:
        for folder in self._wanted.folders:
            ids, found = self._ids(folder.path, folder.rights), paths.look_through(folder.path)
            if compare.folder_is_right(found, folder, ids):
                continue
            self._outcome.path(folder.path, compare.folder_diff(found, folder))
            self._folders_come = self._folders_come or found.kind == "absent"
            if ids and not self._check_mode:
                paths.make_folder(folder, ids)

    def _write_files(self) -> None:
        """Stage and validate all files that change, then replace them.

        If one of them is refused, none is replaced. Check mode validates, too, unless the command
        would miss something that the run makes before.
        """
        changed = [file for file in self._wanted.files if self._note(file)]
        if self._check_mode and (self._names_come or self._folders_come):
            return
        drafts: dict[str, str] = {}
        try:
            for file in changed:
                if file.validate or not self._check_mode:
                    drafts[file.path] = self._stage(file)
            self._validate([file for file in changed if file.validate], drafts)
            if not self._check_mode:
                for path, draft in drafts.items():
                    paths.put(draft, path)
        finally:
            for draft in drafts.values():
                paths.remove(draft)

    def _note(self, file: File) -> bool:
        """Note whether a file changes, and return it."""
        ids, found = self._ids(file.path, file.rights), paths.look(file.path)
        if _is_right(found, file, ids):
            return False
        self._need_folder_of(file.path)
        self._outcome.path(file.path, compare.file_diff(found, file, ids))
        return True

    def _stage(self, file: File) -> str:
        """Write the draft of a file: beside its place, in check mode into the scratch folder."""
        if self._check_mode:
            place = os.path.join(self._scratch(), os.path.basename(file.path))
            return paths.stage(place, file.content, 0o600, (os.getuid(), os.getgid()))
        ids = self._ids(file.path, file.rights)
        return paths.stage(file.path, file.content, file.rights.mode, ids or (0, 0))

    def _validate(self, files: t.Iterable[File], drafts: t.Mapping[str, str]) -> None:
        """Raise HostConfigError with all files that their commands refuse."""
        refused = []
        for file in files:
            draft = drafts[file.path]
            status, output, errors = self._command(
                [word.replace("%s", draft) for word in file.validate]
            )
            if status != 0:
                printed = f"{output}\n{errors}".strip().replace(draft, file.path)
                reason = "it is secret, so the output is not shown" if file.secret else printed
                refused.append(f"{file.validate[0]} refuses the new {file.path}: {reason}")
        if refused:
            raise HostConfigError("\n".join([*refused, "No file was replaced."]))

    def _make_links(self) -> None:
        for link in self._wanted.links:
            found = paths.look(link.path)
            if compare.link_is_right(found, link):
                continue
            self._need_folder_of(link.path)
            self._outcome.path(link.path, compare.link_diff(found, link))
            if not self._check_mode:
                paths.link(link.path, link.target)

    def _remove_paths(self) -> None:
        for path in self._wanted.absent:
            found = paths.look(path)
            if compare.is_absent(found, path):
                continue
            self._outcome.path(path, compare.absence_diff(found, path))
            if not self._check_mode:
                paths.remove(path)

    def _set_units(self) -> None:
        """Let systemd read changed units, then lead the units to their states.

        Units start in the order that is wanted, after all others have stopped.
        """
        reload = any(map(units.is_unit_path, self._outcome.paths))
        if reload:
            self._systemctl("daemon-reload")
        names = [unit.name for unit in self._wanted.units]
        before = now = units.shown(names, self._command)
        stale = [] if reload else [name for name, state in before.items() if state.stale]
        if stale:  # an interrupted run may have written a unit last
            self._systemctl("daemon-reload")
            now = units.shown(names, self._command)
        planned = []
        for unit in self._wanted.units:
            self._refuse_unknown(unit, now[unit.name])
            steps = units.steps(unit, now[unit.name], self._outcome.paths)
            if steps or unit.name in stale:
                diff = compare.unit_diff(unit, before[unit.name], steps)
                self._outcome.unit(unit.name, diff)
            planned += [(step, unit.name) for step in steps]
        for words in units.commands(planned):
            self._systemctl(*words)

    def _refuse_unknown(self, unit: Unit, state: units.Shown) -> None:
        """Raise HostConfigError if a unit does not exist that shall run.

        In check mode, it may come with a package or a file.
        """
        comes = self._check_mode and (
            self._outcome.missing_packages or units.comes_with(unit.name, self._outcome.paths)
        )
        if not state.exists and units.needs_file(unit) and not comes:
            raise HostConfigError(f"the unit {unit.name} does not exist")

    def _ids(self, path: str, rights: Rights) -> t.Optional[paths.Ids]:
        """Return the ids of owner and group. None if check mode does not know them yet."""
        ids = paths.ids_of(rights)
        if ids is None and not (self._check_mode and self._names_come):
            raise HostConfigError(
                f"{path}: this host has no user {rights.owner} or no group {rights.group}"
            )
        return ids

    def _need_folder_of(self, path: str) -> None:
        """Raise HostConfigError if a path has no folder, and nothing in this run makes it."""
        parent = os.path.dirname(path)
        comes = self._check_mode and (
            self._outcome.missing_packages
            or any(f"{folder.path}/".startswith(f"{parent}/") for folder in self._wanted.folders)
        )
        if not os.path.isdir(parent) and not comes:
            raise HostConfigError(f"{path}: the folder {parent} does not exist")

    def _systemctl(self, *words: str) -> None:
        """Run systemctl, but not in check mode."""
        if not self._check_mode:
            self._must("systemctl", *words)

    def _must(self, *words: str) -> None:
        """Run a command; raise HostConfigError with its output if it fails."""
        status, output, errors = self._command(words)
        if status != 0:
            raise HostConfigError(f"{' '.join(words)}: {(errors or output).strip()}")


def _is_right(found: paths.Found, file: File, ids: t.Optional[paths.Ids]) -> bool:
    """Return whether a file has its content, owner and mode."""
    return compare.content_is_right(found, file) and compare.has_rights(found, file.rights, ids)
