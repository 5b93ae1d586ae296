# SPDX-License-Identifier: GPL-3.0-or-later
"""The way on which the new node fetches mail from the former one: SSH with a key of its own.

PRIVATE to the collection. Runs on the hosts; standard library only. Mail and password hashes go
from node to node, not through the controller. The key opens one folder of the former node, for
reading, and for a few days at most.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
import typing as t
from pathlib import Path

from ..generation.store import write

KEYS = Path("/root/.ssh/authorized_keys")
"""The keys that may log in to a node."""
HOST_KEYS = Path("/etc/ssh")
RRSYNC = "/usr/bin/rrsync"
"""Lets a key run rsync in one folder and nothing else (rrsync(1), of the package rsync)."""
DAYS = 7
"""After so many days sshd refuses the key, also if the playbook never ran again."""

OPTIONS = (
    "-rlptgoH",  # devices are no mail
    "--delete",
    "--safe-links",
    "--numeric-ids",
    # Without it a file that changed twice within a second would count as unchanged.
    "--modify-window=-1",
    "--timeout=60",
    "--files-from=-",
)
VANISHED = (23, 24)
"""The exit statuses of rsync if files went away while it copied them. Served mail does that."""

Run = t.Callable[..., "tuple[int, str, str]"]


class ChannelError(Exception):
    """Mail that cannot be fetched. The message says why."""


def folder(root: Path, tenant: str) -> Path:
    """Return the folder with the key of a move."""
    return root / "moves" / tenant


def public_key(root: Path, tenant: str, run: Run) -> str:
    """Return the public half of the new node's key; make the key if there is none."""
    place = folder(root, tenant)
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = place / "key"
    if not (place / "key.pub").exists():
        key.unlink(missing_ok=True)
        code, _output, errors = run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", mark(tenant), "-f", str(key)]
        )
        if code:
            raise ChannelError(f"ssh-keygen: {errors.strip()}")
    return (place / "key.pub").read_text("utf-8").strip()


def mark(tenant: str) -> str:
    """Return the comment of the key of a move."""
    return f"reseller-mail-move-{tenant}"


def host_keys() -> list[str]:
    """Return the public keys of the SSH server of this host."""
    return [
        " ".join(path.read_text("utf-8").split()[:2])
        for path in sorted(HOST_KEYS.glob("ssh_host_*_key.pub"))
    ]


def authorize(tenant: str, key: str, addresses: t.Sequence[str], place: str, user: str) -> None:
    """Let the key read one folder of this host, as a user of this host.

    Served mail is read as the user that owns it: as root, a link that this user made would lead
    anywhere.
    """
    command = f"{RRSYNC} -ro {place}"
    if user:
        command = f"/usr/sbin/runuser -u {user} -- {command}"
    until = time.strftime("%Y%m%d%H%M", time.localtime(time.time() + DAYS * 86400))
    options = f'restrict,from="{",".join(addresses)}",expiry-time="{until}",command="{command}"'
    _write_keys([*_other_keys(tenant), f"{options} {key}"])


def revoke(tenant: str) -> bool:
    """Refuse the key of a move; return whether it was allowed."""
    others = _other_keys(tenant)
    if not KEYS.exists() or len(others) == len(KEYS.read_text("utf-8").splitlines()):
        return False
    _write_keys(others)
    return True


def forget(root: Path, tenant: str) -> None:
    """Delete the key of the new node."""
    shutil.rmtree(folder(root, tenant), ignore_errors=True)
    with contextlib.suppress(OSError):
        (root / "moves").rmdir()


def _other_keys(tenant: str) -> list[str]:
    """Return the lines of the file of keys without that of the move."""
    if not KEYS.exists():
        return []
    lines = KEYS.read_text("utf-8").splitlines()
    return [line for line in lines if not line.endswith(f" {mark(tenant)}")]


def _write_keys(lines: t.Sequence[str]) -> None:
    """Replace the file of keys by one rename, with the owner and mode that it had."""
    KEYS.parent.mkdir(mode=0o700, exist_ok=True)
    path = KEYS.resolve()
    new = path.with_name(f".{path.name}.new")
    new.touch(mode=0o600)
    write(new, "".join(f"{line}\n" for line in lines).encode())
    if path.exists():
        shutil.copymode(path, new)
        os.chown(new, path.stat().st_uid, path.stat().st_gid)
    new.replace(path)


def fetch(
    root: Path,
    tenant: str,
    source: Source,
    paths: t.Sequence[str],
    into: str,
    run: Run,
    is_served: bool,
) -> None:
    """Copy folders of the former node into a folder of this one; raise ChannelError if it fails.

    What is there already is not copied again, and what the former node lacks is deleted.
    """
    if not paths:
        return
    place = folder(root, tenant)
    hosts = "".join(f"{source.known_as} {key}\n" for key in source.host_keys)
    write(place / "known_hosts", hosts.encode())
    ssh = (
        f"ssh -p {source.port} -i {place}/key -o BatchMode=yes -o IdentitiesOnly=yes"
        f" -o StrictHostKeyChecking=yes -o UserKnownHostsFile={place}/known_hosts"
        " -o GlobalKnownHostsFile=/dev/null -o ConnectTimeout=20"
    )
    address = f"[{source.address}]" if ":" in source.address else source.address
    code, _output, errors = run(
        ["rsync", *OPTIONS, f"--rsh={ssh}", f"root@{address}:.", "."],
        cwd=into,
        data="".join(f"{path}\n" for path in paths),
    )
    if code and not (is_served and code in VANISHED):
        raise ChannelError(
            f"the mail of {tenant} could not be copied from {source.address} (rsync: {code}):"
            f" {errors.strip()[-600:]}. Run the playbook again: it goes on from here"
        )


class Source(t.NamedTuple):
    """Where the former node is, and how its SSH server proves who it is."""

    address: str
    port: int
    host_keys: t.Sequence[str]

    @property
    def known_as(self) -> str:
        """Return the name of the server in a file of known hosts."""
        return self.address if self.port == 22 else f"[{self.address}]:{self.port}"
