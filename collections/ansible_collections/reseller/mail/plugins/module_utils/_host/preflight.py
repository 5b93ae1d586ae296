# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts about a host for preflight, before and after it is a mail host.

PRIVATE to the collection. Runs on the host, reads only; standard library only. It decides nothing:
``_verify/preflight.py`` on the controller does.
"""

from __future__ import annotations

import contextlib
import grp
import http.client
import json
import os
import pwd
import re
import secrets
import socket
import ssl
import struct
import sys
import tempfile
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from . import facts, foreign_mail
from .generation.store import Run

CA_STORE = "/etc/ssl/certs/ca-certificates.crt"
TIMEOUT = 5.0
"""Seconds for each answer over the network."""
_HELPER = "/usr/lib/apt/apt-helper"


class Wanted(t.NamedTuple):
    """What is asked of a host. An empty text leaves a question out.

    Attributes:
        root: The folder of the mail platform.
        mail: The folder of all mail.
        packages: The packages whose versions count.
        secrets: Patterns of files and folders below ``root`` that have secrets.
        signed_name: A name in DNS that is signed.
        acme: The address of the CA's ACME directory.
        acme_ca: The file with the CAs to trust there; empty for the host's own.
        outgoing: A mail server outside, to which port 25 must be open.
        mirrors: Whether to ask the package mirrors.
    """

    root: str
    mail: str
    packages: t.Sequence[str]
    secrets: t.Sequence[str]
    signed_name: str
    acme: str
    acme_ca: str
    outgoing: str
    mirrors: bool


def gather(run: Run, wanted: Wanted) -> dict[str, t.Any]:
    """Return all facts as plain values. What uses the network is asked at the same time."""
    host = foreign_mail.Host(run)
    with ThreadPoolExecutor() as pool:
        network = {
            "mirrors": pool.submit(mirrors, run) if wanted.mirrors else None,
            "resolvers": pool.submit(resolvers, wanted.signed_name) if wanted.signed_name else None,
            "acme": pool.submit(acme, wanted.acme, wanted.acme_ca) if wanted.acme else None,
            "outgoing": pool.submit(greeting, wanted.outgoing) if wanted.outgoing else None,
        }
        ours = foreign_mail.is_ours(host, wanted.root)
        found = {
            **state(run, wanted),
            "ours": ours,
            "foreign": [] if ours else [str(one) for one in foreign_mail.find(host)],
        }
        found |= {name: asked.result() if asked else None for name, asked in network.items()}
    return found


def state(run: Run, wanted: Wanted) -> dict[str, t.Any]:
    """Return the facts that need no network."""
    return {
        "uid": os.geteuid(),
        "user": pwd.getpwuid(os.geteuid()).pw_name,
        "release": release(Path("/etc/os-release").read_text(encoding="utf-8")),
        "python": ".".join(map(str, sys.version_info[:3])),
        "memory": memory(Path("/proc/meminfo").read_text(encoding="ascii")),
        "filesystems": [
            facts.filesystem(path) for path in dict.fromkeys(map(existing, ("/", wanted.mail)))
        ],
        "synchronised": synchronised(run),
        "packages": packages(run, wanted.packages),
        "secrets": modes(Path(wanted.root), wanted.secrets),
    }


def ping(run: Run) -> dict[str, t.Any]:
    """Return how the UNIX sockets of the services answer."""
    found: dict[str, t.Any] = facts.sockets(run)
    code, output, errors = run(["doveadm", "service", "status"])
    lines = (errors or output).strip().splitlines()
    found["doveadm"] = "" if code == 0 else (lines or [f"exit status {code}"])[0]
    return found


def release(text: str) -> dict[str, str]:
    """Return the id and the version of os-release(5)."""
    values = dict(line.partition("=")[::2] for line in text.splitlines())
    return {key.lower(): values.get(key, "").strip("\"'") for key in ("ID", "VERSION_ID")}


def memory(meminfo: str) -> int:
    """Return the bytes of memory of proc(5)."""
    found = re.search(r"^MemTotal:\s+(\d+) kB", meminfo, re.M)
    return int(found[1]) * 1024 if found else 0


def existing(path: str) -> str:
    """Return the nearest folder above a path that exists, or the path itself."""
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    return path


def synchronised(run: Run) -> t.Optional[bool]:
    """Return whether the kernel's clock is synchronised; None if that cannot be read."""
    code, output, _errors = run(["timedatectl", "show", "--property=NTPSynchronized", "--value"])
    return output.strip() == "yes" if code == 0 and output.strip() else None


def packages(run: Run, names: t.Sequence[str]) -> dict[str, dict[str, str]]:
    """Return by package the version that is installed, and the one that apt would install."""
    _code, output, _errors = run(["env", "LC_ALL=C", "apt-cache", "policy", *names])
    found = {name: {"installed": "", "candidate": ""} for name in names}
    name = ""
    for line in output.splitlines():
        if line and not line[0].isspace():
            name = line.rstrip(":")
        key, _colon, value = line.strip().partition(": ")
        if name in found and key in ("Installed", "Candidate") and value != "(none)":
            found[name][key.lower()] = value
    return found


def modes(root: Path, patterns: t.Iterable[str]) -> list[dict[str, t.Any]]:
    """Return the modes and owners of what matches each pattern: one row for all that have the same,
    with their number and the first of them."""
    rows: dict[tuple[str, str, str, int], list[Path]] = {}
    for pattern in patterns:
        for path in sorted(root.glob(pattern)):
            found = path.lstat()
            key = (pattern, _user(found.st_uid), _group(found.st_gid), found.st_mode & 0o7777)
            rows.setdefault(key, []).append(path)
    return [
        {
            "pattern": pattern,
            "owner": owner,
            "group": group,
            "mode": mode,
            "path": str(paths[0]),
            "number": len(paths),
        }
        for (pattern, owner, group, mode), paths in rows.items()
    ]


def _user(number: int) -> str:
    """Return the name of a user, or the number if there is none."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _group(number: int) -> str:
    """Return the name of a group, or the number if there is none."""
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def mirrors(run: Run) -> dict[str, str]:
    """Return by package mirror why it does not answer; empty if it does.

    apt itself asks for the first file of each host, so that its proxy and its credentials count.
    """
    _code, output, _errors = run(["apt-get", "update", "--print-uris"])
    first: dict[str, str] = {}
    for uri in re.findall(r"^'([^']+/InRelease)'", output, re.M):
        first.setdefault("{0.scheme}://{0.netloc}".format(urlsplit(uri)), uri)
    with ThreadPoolExecutor() as pool:
        errors = pool.map(lambda uri: _download(run, uri), first.values())
        return dict(zip(first, errors, strict=True))


def _download(run: Run, uri: str) -> str:
    """Return why apt cannot download a file; empty if it can."""
    options = [
        f"-oAcquire::{key}={value}"
        for key, value in (
            ("Retries", "0"),
            ("http::Timeout", f"{TIMEOUT:g}"),
            ("https::Timeout", f"{TIMEOUT:g}"),
        )
    ]
    with tempfile.TemporaryDirectory() as folder:
        code, output, errors = run([_HELPER, *options, "download-file", uri, f"{folder}/file"])
    if code == 0:
        return ""
    lines = [line for line in (errors + output).splitlines() if line.startswith("E: ")]
    return (lines or [f"exit status {code}"])[0].removeprefix("E: ")


def resolvers(name: str) -> dict[str, str]:
    """Return by resolver of resolv.conf(5) why its answer about a signed name is not validated;
    empty if it is."""
    try:
        text = Path("/etc/resolv.conf").read_text(encoding="utf-8")
    except FileNotFoundError:
        text = ""
    servers = re.findall(r"^nameserver\s+(\S+)", text, re.M) or ["127.0.0.1"]
    return {server: _validation(server, name) for server in servers}


def question(name: str, number: int) -> bytes:
    """Return a query for the SOA record of a name that asks for the AD bit (RFC 6840 section
    5.7)."""
    labels = [label.encode() for label in name.split(".") if label]
    encoded = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    return struct.pack("!6H", number, 0x0120, 1, 0, 0, 0) + encoded + struct.pack("!2H", 6, 1)


def _validation(server: str, name: str) -> str:
    """Return why a resolver does not validate the answer about a name; empty if it does."""
    number = secrets.randbelow(0x10000)
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.settimeout(TIMEOUT / 2)
            sock.connect((server.partition("%")[0], 53))
            for _attempt in range(2):
                sock.send(question(name, number))
                try:
                    return _validated(sock.recv(4096), number)
                except TimeoutError:
                    continue
    except OSError as error:
        return (error.strerror or str(error)).lower()
    return "no answer"


def _validated(answer: bytes, number: int) -> str:
    """Return what is wrong with an answer; empty if the resolver has validated it."""
    if len(answer) < 12 or struct.unpack("!H", answer[:2])[0] != number:
        return "the answer belongs to another question"
    flags = struct.unpack("!H", answer[2:4])[0]
    if flags & 0xF:
        return f"the answer has the error code {flags & 0xF}"
    return "" if flags & 0x20 else "not validated"


def acme(directory: str, bundle: str) -> str:
    """Return why the CA's directory cannot be read; empty if it can."""
    store = bundle or CA_STORE
    context = ssl.create_default_context()
    if os.path.isfile(store):
        context = ssl.create_default_context(cafile=store)
    elif not bundle:  # a new host has no CAs yet; the role base installs them
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    else:
        return f"there is no {bundle}"
    try:
        return "" if "newNonce" in _answer(urlsplit(directory), context) else "no ACME directory"
    except (OSError, ValueError, http.client.HTTPException) as error:
        return str(getattr(error, "strerror", "") or error)


def _answer(url: SplitResult, context: ssl.SSLContext) -> t.Any:
    """Return the JSON at an address of HTTPS."""
    server = http.client.HTTPSConnection(
        url.hostname or "", url.port, timeout=TIMEOUT, context=context
    )
    with contextlib.closing(server):
        server.request("GET", url.path or "/")
        return json.loads(server.getresponse().read(65536))


def greeting(server: str) -> str:
    """Return why no mail server greets at port 25; empty if one does."""
    try:
        with socket.create_connection((server, 25), TIMEOUT) as sock:
            sock.settimeout(TIMEOUT)
            line = sock.recv(512)
            sock.sendall(b"QUIT\r\n")
    except OSError as error:
        return (error.strerror or str(error)).lower()
    return "" if line.startswith(b"220") else f"greets with {line[:80]!r}"


def free(listeners: t.Iterable[t.Mapping[str, t.Any]], ports: t.Iterable[int]) -> list[int]:
    """Return which of these ports no program has."""
    taken = {one["port"] for one in listeners}
    return [port for port in ports if port not in taken]
