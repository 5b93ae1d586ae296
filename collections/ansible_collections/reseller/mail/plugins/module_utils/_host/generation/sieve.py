# SPDX-License-Identifier: GPL-3.0-or-later
"""Compile the Sieve scripts of a generation, in a unit that can do nothing else.

PRIVATE to the collection. Runs on the host; standard library only.

sievec reads text that tenants wrote, so it runs as the user whom Dovecot trusts least, without a
network, and with limits of time, memory and space. It sees copies of the scripts and its settings,
under the path of the generation, which is where Dovecot finds the scripts when it has followed the
link ``current``: a binary of another path counts as out of date.
One unit compiles all scripts that are new.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import typing as t
from pathlib import Path

from .. import sieve_rules
from .store import GenerationError, Run

FOLDER = "sieve"
"""The folder of a generation that has the scripts."""
KINDS = ("account", "domain", "estate", "forward", "mailbox")
"""The folders in it; ``_compile/sieve.py`` says what they have."""
FOLDERS = tuple(f"{FOLDER}/{kind}" for kind in KINDS)

SECONDS = 300
"""The time in which all scripts of a node must compile."""
MAX_BINARY = 2**20
"""Bytes of the largest binary. A script has 64 KiB, and its binary is about as large."""
WRITTEN = 946684800
"""Modification time of every script. Dovecot uses a binary if it is newer than its script; a file
that is carried over from an older generation keeps the time of its binary."""

_SETTINGS = {
    12: """\
protocols =
ssl = no
log_path = /dev/stderr
plugin {{
  sieve_extensions = {extensions}
}}
""",
    13: """\
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
protocols =
ssl = no
log_path = /dev/stderr
sieve_extensions = {extensions}
""",
}

_LIMITS = (
    # No dynamic user: sievec wants the name of its user, which only libnss-systemd would know.
    "User=dovenull",
    "ProtectSystem=strict",
    "ProtectHome=yes",
    "PrivateTmp=yes",
    "PrivateDevices=yes",
    "PrivateNetwork=yes",
    "PrivateIPC=yes",
    "ProtectProc=invisible",
    "ProtectClock=yes",
    "ProtectHostname=yes",
    "ProtectKernelTunables=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelLogs=yes",
    "ProtectControlGroups=yes",
    "NoNewPrivileges=yes",
    "CapabilityBoundingSet=",
    "RestrictAddressFamilies=AF_UNIX",
    "RestrictNamespaces=yes",
    "RestrictSUIDSGID=yes",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service",
    "LockPersonality=yes",
    "MemoryMax=512M",
    "TasksMax=16",
    f"LimitFSIZE={MAX_BINARY}",
    f"LimitCPU={SECONDS}",
    f"RuntimeMaxSec={SECONDS}",
    "UMask=0022",
)

BATCH = 80
"""How many scripts one process compiles. The time that sievec of Dovecot 2.4 takes grows with the
square of their number, and a start takes as long as 40 scripts."""

_COMPILE = """\
# A file, because systemd would replace variables in a command.
for batch in batches/*/*; do
  folder=$1/${batch##*/}
  echo "folder $folder" >&2
  mkdir -p "$folder"
  cp --preserve=timestamps "$batch"/*.sieve "$folder"
  sievec -c sieve.conf "$PWD/$folder"
  cp "$folder"/*.svbin "$batch" 2>/dev/null
  rm -r "$folder"
done
true
"""
"""Compile every script. sievec goes on after a script that does not compile, and names it; what has
no binary afterwards did not compile."""

_MARK = "folder "
"""Begins the line before the errors in the scripts of a folder."""
_ERROR = re.compile(r"(?P<name>[^\s:]+): line (?P<line>[0-9]+): error: (?P<what>.*)")
"""A line of sievec about an error in a script."""


def is_script(path: str) -> bool:
    """Return whether a file of a generation is a Sieve script."""
    return path.startswith(f"{FOLDER}/")


def binary(path: str) -> str:
    """Return the path of a script's binary, which Dovecot looks for beside the script."""
    return f"{path.removesuffix('.sieve')}.svbin"


def compiled(
    scripts: t.Mapping[str, str], generation: Path, room: Path, debian: int, run: Run
) -> dict[str, bytes]:
    """Return the binary of each script, by the script's path.

    Raise GenerationError with what is wrong in each script that does not compile. ``generation``
    is the folder that they will be in, ``room`` one that is made for this and removed again.
    """
    if not scripts:
        return {}
    if room.exists():  # an earlier run was killed
        shutil.rmtree(room)
    room.mkdir(mode=0o700)
    try:
        copies = _copies(sorted(scripts), room / "batches")
        for folder in {copy.parent for copy in copies.values()}:
            # Only this folder can be written in the unit, and no other user can enter the room.
            folder.mkdir(parents=True)
            folder.parent.chmod(0o755)
            folder.chmod(0o777)
        (room / "batches").chmod(0o755)
        for path, copy in copies.items():
            copy.write_text(scripts[path], "utf-8")
            copy.chmod(0o644)
            os.utime(copy, (WRITTEN, WRITTEN))
        code, errors = _run_unit(generation, room, debian, run)
        binaries = {path: _read(Path(binary(str(copy)))) for path, copy in copies.items()}
    finally:
        shutil.rmtree(room)
    missing = sorted(path for path, data in binaries.items() if not data)
    if missing or code:
        raise GenerationError("\n".join(_faults(missing, code, errors)))
    return binaries


def moved(data: bytes, path: str, before: Path, after: Path) -> bytes:
    """Return the binary of a script for another generation; nothing if it has to be compiled anew.

    A binary has the path of its script in it, and the names of generations have one length.
    """
    old, new = str(before / path).encode(), str(after / path).encode()
    return data.replace(old, new, 1) if len(old) == len(new) and old in data else b""


def _copies(paths: t.Sequence[str], folder: Path) -> dict[str, Path]:
    """Return where the copy of each script is: in the folder of its batch and its kind."""
    return {
        path: folder / str(number // BATCH) / path.removeprefix(f"{FOLDER}/")
        for number, path in enumerate(paths)
    }


def _run_unit(generation: Path, room: Path, debian: int, run: Run) -> tuple[int, str]:
    """Run sievec on the copies in the room; return its exit status and errors."""
    root = generation.parent.parent
    settings = _SETTINGS[debian].format(extensions=" ".join(sieve_rules.EXTENSIONS))
    for name, text in (("sieve.conf", settings), ("compile", _COMPILE)):
        (room / name).write_text(text, "ascii")
        (room / name).chmod(0o644)
    properties = (
        *_LIMITS,
        f"TemporaryFileSystem={root}:mode=0777",
        f"BindPaths={room / 'batches'}:{root / 'batches'}",
        f"BindReadOnlyPaths={room / 'sieve.conf'}:{root / 'sieve.conf'}",
        f"BindReadOnlyPaths={room / 'compile'}:{root / 'compile'}",
        f"WorkingDirectory={root}",
    )
    code, _output, errors = run(
        [
            "systemd-run",
            *("--quiet", "--wait", "--collect", "--pipe", "--service-type=exec"),
            *(f"--property={one}" for one in properties),
            *("/bin/sh", str(root / "compile"), str(generation.relative_to(root) / FOLDER)),
        ]
    )
    return code, errors


def _read(path: Path) -> bytes:
    """Return the bytes of a regular file, which the unprivileged user wrote; none if it is
    missing, is something else, or is too large."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return b""
    with open(descriptor, "rb") as file:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode) or state.st_size > MAX_BINARY:
            return b""
        return file.read(MAX_BINARY)


def _faults(missing: t.Sequence[str], code: int, errors: str) -> t.Iterator[str]:
    """Yield what sievec says about each script without a binary, and which object it belongs to.

    If the unit failed, yield that alone: nothing is known about the scripts.
    """
    if code:
        yield f"sievec, which compiles the scripts, failed: {errors.strip() or f'status {code}'}"
        return
    reasons = _reasons(errors)
    if not reasons:
        last = [line for line in errors.splitlines() if not line.startswith(_MARK)][-1:]
        yield f"sievec, which compiles the scripts, made no binary: {' '.join(last)}"
        return
    for path in missing:
        for reason in reasons.get(path, ["it does not compile"]):
            yield f"{path}: {owner(path)}, {reason}"


def _reasons(errors: str) -> dict[str, list[str]]:
    """Return the errors of sievec with their lines, by the path of the script."""
    found: dict[str, list[str]] = {}
    kind = ""
    for line in errors.splitlines():
        match = _ERROR.search(line)
        if line.startswith(_MARK):
            kind = line.rpartition("/")[2]
        elif match:
            path = f"{FOLDER}/{kind}/{match['name']}.sieve"
            found.setdefault(path, []).append(f"line {match['line']}: {match['what']}")
    return found


def owner(path: str) -> str:
    """Return whose script a file is, in words."""
    kind, _slash, name = path.removeprefix(f"{FOLDER}/").removesuffix(".sieve").partition("/")
    words = {
        "estate": "the script of the estate",
        "account": f"the script of the account of {name}",
        "domain": f"the script of the domain {name}",
        "mailbox": f"the script of the mailbox {name}",
        "forward": f"the forward of the mailbox {name}",
    }
    return words[kind]
