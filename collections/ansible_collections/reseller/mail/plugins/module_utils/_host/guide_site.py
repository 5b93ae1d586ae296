# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder from which nginx serves the guide's pages to the tenants of a node.

Below the root are ``shared/`` with the files of all pages, ``access/<tenant>`` with nginx's
password files, and for each domain ``domains/<domain>/pages/`` and the link
``domains/<domain>/access`` to the password file of its tenant.

PRIVATE to the collection. Runs on hosts; standard library only.
"""

from __future__ import annotations

import grp
import os
import shutil
import tarfile
import typing as t
from dataclasses import dataclass
from pathlib import Path

PARTS = ("shared", "access", "domains")
"""The folders below the root."""


def packed_files(path: str) -> dict[str, bytes]:
    """Return the files of an archive by name. Raises OSError and tarfile.TarError."""
    with tarfile.open(path) as packed:
        found = ((member.name, packed.extractfile(member)) for member in packed)
        return {name: file.read() for name, file in found if file}


@dataclass(frozen=True)
class Changes:
    """What must be written or removed.

    ``passwords`` are new passwords by tenant. ``links`` and ``files`` are to be written, ``stale``
    paths are to be removed. ``replaced`` are the paths among them that exist with another content.
    """

    passwords: t.Mapping[str, str]
    links: t.Mapping[str, str]
    files: t.Mapping[str, bytes]
    stale: t.Sequence[str]
    replaced: t.Container[str]

    def lines(self) -> list[str]:
        """Return a line for each change: added (+), replaced (~) or removed (-)."""
        return [
            *(
                f"{self._sign(f'access/{tenant}')} password of {tenant}"
                for tenant in sorted(self.passwords)
            ),
            *(f"{self._sign(path)} {path} -> {self.links[path]}" for path in self.links),
            *(f"{self._sign(path)} {path}" for path in self.files),
            *(f"- {path}" for path in self.stale),
        ]

    def _sign(self, path: str) -> str:
        """Return whether a path is added or replaced."""
        return "~" if path in self.replaced else "+"


class Site:
    """The folder with the pages of the tenants of one node.

    ``tenants`` are the tenants by domain. ``group`` is the group of the web server, which may read
    the files. ``hash_password`` returns the hash that nginx reads.
    """

    def __init__(
        self,
        root: str,
        tenants: t.Mapping[str, str],
        group: str,
        hash_password: t.Callable[[str], str],
    ) -> None:
        self._root = Path(root)
        self._tenants = tenants
        self._group = group
        self._hash_password = hash_password

    def without_password(self) -> set[str]:
        """Return the tenants that have no password yet."""
        return {
            tenant
            for tenant in self._tenants.values()
            if not (self._root / "access" / tenant).is_file()
        }

    def changes(self, files: t.Mapping[str, bytes], passwords: t.Mapping[str, str]) -> Changes:
        """Return what must change so that the folder has these files and no others.

        A password file stays while its tenant has a domain here.
        """
        there = self._paths()
        links = {
            f"domains/{domain}/access": f"../../access/{tenant}"
            for domain, tenant in self._tenants.items()
        }
        keep = {*files, *links, *(f"access/{tenant}" for tenant in self._tenants.values())}
        return Changes(
            passwords,
            {path: links[path] for path in sorted(links) if self._target(path) != links[path]},
            {
                path: files[path]
                for path in sorted(files)
                if path not in there or (self._root / path).read_bytes() != files[path]
            },
            sorted(there.difference(keep)),
            there,
        )

    def apply(self, changes: Changes) -> None:
        """Write and remove what must change.

        The links come before the pages, so that a tenant who had a domain before cannot read the
        pages that the next tenant gets.
        """
        self._make_folders()
        for tenant, password in changes.passwords.items():
            self._write(f"access/{tenant}", f"{tenant}:{self._hash_password(password)}\n".encode())
        for path, target in changes.links.items():
            self._link(path, target)
        for path, content in changes.files.items():
            self._write(path, content)
        self._remove(changes.stale)

    def _target(self, path: str) -> t.Optional[str]:
        """Return where a link leads, None if there is no link."""
        whole = self._root / path
        return os.readlink(whole) if whole.is_symlink() else None

    def _paths(self) -> set[str]:
        """Return the paths of all files and links, relative to the root."""
        found = (path for part in PARTS for path in (self._root / part).rglob("*"))
        return {
            str(path.relative_to(self._root))
            for path in found
            if path.is_symlink() or not path.is_dir()
        }

    def _make_folders(self) -> None:
        """Make the root and the folders below it, readable for the web server."""
        for path in (self._root, *(self._root / part for part in PARTS)):
            path.mkdir(exist_ok=True)
            self._set_owner(path, 0o750)

    def _set_owner(self, path: Path, mode: int) -> None:
        """Give a path to root and the web server's group, with this mode."""
        os.chown(path, 0, grp.getgrnam(self._group).gr_gid)
        path.chmod(mode)

    def _make_parents(self, path: Path) -> None:
        """Make the missing folders above a path, below the root."""
        for folder in reversed(path.parents):
            if self._root in folder.parents and not folder.is_dir():
                folder.mkdir()
                self._set_owner(folder, 0o750)

    def _write(self, name: str, content: bytes) -> None:
        """Write a file at once, so that nginx never serves a part of it."""
        path = self._root / name
        self._make_parents(path)
        draft = path.with_name(f".{path.name}.new")
        draft.touch(0o600)
        draft.write_bytes(content)
        self._set_owner(draft, 0o640)
        draft.replace(path)

    def _link(self, name: str, target: str) -> None:
        """Make a link at once, in the place of an earlier one."""
        path = self._root / name
        self._make_parents(path)
        draft = path.with_name(".access.new")
        draft.unlink(missing_ok=True)
        draft.symlink_to(target)
        draft.replace(path)

    def _remove(self, names: t.Iterable[str]) -> None:
        """Remove these files, and the folders of domains that are no longer here."""
        for name in names:
            (self._root / name).unlink()
        for folder in (self._root / "domains").iterdir():
            if folder.name not in self._tenants:
                shutil.rmtree(folder)
