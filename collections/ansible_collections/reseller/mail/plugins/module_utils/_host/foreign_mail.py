# SPDX-License-Identifier: GPL-3.0-or-later
"""Find a mail configuration on a host that is not ours, and copy it aside.

PRIVATE to the collection. Runs on the host; standard library only. ``find`` reads only.

What Debian itself installs is no configuration of somebody: files of packages that were not
changed, and an Exim or a Postfix that delivers on the host alone.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

from .generation.store import Run

OURS = "The role reseller.mail."
"""Begins the note in the main files that our roles write."""
PACKAGES = (
    "dpkg-query",
    "--show",
    "--showformat=${Package}\t${db:Status-Status}\t${Provides}\n${Conffiles}\n",
)
SERVERS = ("mail-transport-agent", "imap-server", "pop3-server")
"""What packages of mail servers provide (Debian policy, virtual packages)."""
LOCAL_POSTFIX = frozenset(
    [
        "alias_database",
        "alias_maps",
        "append_dot_mydomain",
        "biff",
        "compatibility_level",
        "cyrus_sasl_config_path",
        "default_transport",
        "inet_interfaces",
        "inet_protocols",
        "mailbox_command",
        "mailbox_size_limit",
        "mydestination",
        "myhostname",
        "mynetworks",
        "mynetworks_style",
        "myorigin",
        "readme_directory",
        "recipient_delimiter",
        "relay_transport",
        "relayhost",
        "smtp_tls_CApath",
        "smtp_tls_security_level",
        "smtp_tls_session_cache_database",
        "smtpd_banner",
        "smtpd_relay_restrictions",
        "smtpd_tls_cert_file",
        "smtpd_tls_key_file",
        "smtpd_tls_security_level",
        "smtpd_tls_session_cache_database",
        "smtpd_use_tls",
    ]
)
"""What Debian's main.cf may set. Another setting is one of somebody."""
_LEFT_ASIDE = (".dpkg-old", ".dpkg-dist", ".dpkg-new", ".ucf-old", ".ucf-dist", ".ucf-new")
_ONE_OF_US = re.compile(r"postfix|exim4(-.*)?|dovecot-.*")
"""Packages whose files are compared, so that their names alone mean nothing."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """One mail program with a configuration that is not ours.

    Attributes:
        name: The program.
        why: What shows it: changed files, or a package.
        folders: What a copy of the configuration has.
        remove: The package that must be removed first; empty if our roles can replace the program.
    """

    name: str
    why: tuple[str, ...]
    folders: tuple[str, ...] = ()
    remove: str = ""

    def __str__(self) -> str:
        many = f" and {len(self.why) - 3} more" if len(self.why) > 3 else ""
        return f"{self.name} ({', '.join(self.why[:3])}{many})"


class Host:
    """The files of a host below ``top``, and what its packages brought."""

    def __init__(self, run: Run, top: Path = Path("/")) -> None:
        self._run, self._top = run, top

    @functools.cached_property
    def _packages(self) -> tuple[dict[str, str], dict[str, set[str]]]:
        """Return by installed package what it provides, and by file the digests that packages
        brought."""
        installed: dict[str, str] = {}
        brought: dict[str, set[str]] = {}
        _code, output, _errors = self._run([*PACKAGES])
        for line in output.splitlines():
            if line.startswith(" /"):
                path, digest = line.split()[:2]
                brought.setdefault(path, set()).add(digest)
            elif line.count("\t") == 2:
                package, status, provides = line.split("\t")
                if status == "installed":
                    installed[package] = provides
        for line in self.text("/var/lib/ucf/hashfile").splitlines():
            digest, _blank, path = line.partition("  ")
            brought.setdefault(path, set()).add(digest)
        return installed, brought

    @property
    def installed(self) -> dict[str, str]:
        """Return by installed package what it provides."""
        return self._packages[0]

    def at(self, path: str) -> Path:
        """Return where a path of the host is."""
        return self._top / path.lstrip("/")

    def text(self, path: str) -> str:
        """Return the text of a file; empty if there is none."""
        try:
            return self.at(path).read_text("utf-8", "replace")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return ""

    def is_changed(self, path: str) -> bool:
        """Return whether a file is not as a package brought it."""
        content = self.at(path).read_bytes()
        digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
        return digest not in self._packages[1].get(path, ())

    def changed(self, *folders: str, but: t.Container[str] = ()) -> list[str]:
        """Return the files that are not as a package brought them, sorted."""
        return [
            path
            for path in self.files(*folders)
            if path not in but and not path.endswith(_LEFT_ASIDE) and self.is_changed(path)
        ]

    def files(self, *folders: str) -> list[str]:
        """Return all files below folders, and those of ``folders`` that are files, sorted.

        Links are left out: Debian's point to its own example certificate.
        """
        found = []
        for folder in folders:
            if self.at(folder).is_file():
                found.append(folder)
            for place, _folders, names in os.walk(self.at(folder)):
                paths = [Path(place) / name for name in names]
                found += [
                    f"/{path.relative_to(self._top)}"
                    for path in paths
                    if path.is_file() and not path.is_symlink()
                ]
        return sorted(found)


def is_ours(host: Host, platform: str) -> bool:
    """Return whether this collection has configured the host before."""
    return (
        host.at(f"{platform}/mail-home").is_file()
        or host.at(f"{platform}/current").exists()
        or any(
            OURS in host.text(path)[:1000]
            for path in ("/etc/postfix/main.cf", "/etc/dovecot/dovecot.conf")
        )
    )


def find(host: Host) -> list[Foreign]:
    """Return each mail program of a host with a configuration that is not ours."""
    found = [
        Foreign("Postfix", _postfix(host), ("/etc/postfix", "/etc/aliases", "/etc/mailname")),
        Foreign("Exim", _exim(host), ("/etc/exim4", "/etc/aliases", "/etc/mailname")),
        Foreign("Dovecot", tuple(host.changed("/etc/dovecot")), ("/etc/dovecot",)),
        Foreign("OpenDKIM", _opendkim(host), _OPENDKIM),
        Foreign("nginx", _nginx(host), ("/etc/nginx",)),
        *_other_servers(host),
    ]
    return [one for one in found if one.why]


def parameters(main_cf: str) -> dict[str, str]:
    """Return the settings of a main.cf by name, as postconf(5) reads them: a line that begins with
    white space continues the one before it."""
    lines: list[str] = []
    for line in main_cf.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line[0].isspace() and lines:
            lines[-1] += " " + line.strip()
        else:
            lines.append(line)
    pairs = (line.partition("=") for line in lines)
    return {name.strip(): value.strip() for name, _sign, value in pairs}


def _postfix(host: Host) -> tuple[str, ...]:
    """Return the files of Postfix that somebody wrote."""
    found = []
    main_cf = host.text("/etc/postfix/main.cf")
    if main_cf and not _delivers_locally(parameters(main_cf)):
        found.append("/etc/postfix/main.cf")
    master_cf = host.text("/etc/postfix/master.cf")
    brought = [
        host.text(path)
        for path in ("/etc/postfix/master.cf.proto", "/usr/share/postfix/master.cf.dist")
    ]
    if master_cf and master_cf not in brought:
        found.append("/etc/postfix/master.cf")
    return tuple(found)


def _delivers_locally(settings: t.Mapping[str, str]) -> bool:
    """Return whether this is what Debian writes for a Postfix that no other host can reach and that
    uses no relay."""
    return (
        settings.get("inet_interfaces") in ("loopback-only", "localhost")
        and not settings.get("relayhost")
        and settings.keys() <= LOCAL_POSTFIX
    )


_EXIM = "/etc/exim4/update-exim4.conf.conf"
_EXIM_PASSWORDS = "/etc/exim4/passwd.client"


def _exim(host: Host) -> tuple[str, ...]:
    """Return what shows that Exim does more than to deliver on the host."""
    if not any(name.startswith("exim4-daemon") for name in host.installed):
        return ()
    found = []
    kind = re.search(r"^dc_eximconfig_configtype='(.*)'", host.text(_EXIM), re.M)
    if kind is None or kind[1] not in ("local", "none"):
        found.append(_EXIM)
    passwords = host.text(_EXIM_PASSWORDS).splitlines()
    if any(line.strip() and not line.startswith("#") for line in passwords):
        found.append(_EXIM_PASSWORDS)
    found += host.changed("/etc/exim4", but=(_EXIM, _EXIM_PASSWORDS))
    waiting = [path for path in host.files("/var/spool/exim4/input") if path.endswith("-H")]
    if waiting:
        found.append(f"{len(waiting)} messages in /var/spool/exim4")
    return tuple(found)


_OPENDKIM = ("/etc/opendkim.conf", "/etc/opendkim", "/etc/dkimkeys", "/etc/default/opendkim")


def _opendkim(host: Host) -> tuple[str, ...]:
    """Return the files of OpenDKIM that somebody wrote."""
    return tuple(host.changed(*_OPENDKIM))


_NGINX = "/etc/nginx/sites-enabled/default"


def _nginx(host: Host) -> tuple[str, ...]:
    """Return the default site if somebody has changed it: the role ``web`` removes it."""
    site = host.at(_NGINX)
    if site.is_symlink():  # read in the host's own tree, wherever that is
        target = os.path.normpath(os.path.join(os.path.dirname(_NGINX), os.readlink(site)))
        return (target,) if host.at(target).is_file() and host.is_changed(target) else ()
    return (_NGINX,) if site.is_file() else ()


def _other_servers(host: Host) -> list[Foreign]:
    """Return the packages of mail servers that are none of those above."""
    found = []
    for package, provides in sorted(host.installed.items()):
        kinds = [kind for kind in SERVERS if re.search(rf"\b{kind}\b", provides)]
        if not kinds or _ONE_OF_US.fullmatch(package):
            continue
        # apt removes another mail-transport-agent itself when it installs Postfix.
        remove = "" if "mail-transport-agent" in kinds else package
        folders = tuple(
            path
            for path in (f"/etc/{package}", f"/etc/{package}.conf", f"/etc/{package}rc")
            if host.at(path).exists()
        )
        found.append(Foreign(package, (f"package {package}",), folders, remove))
    return found


def folders_to_keep(host: Host, found: t.Iterable[Foreign]) -> list[str]:
    """Return the files and folders that a copy of these configurations has."""
    paths = {path: None for one in found for path in one.folders}
    return [path for path in paths if host.at(path).exists()]


def place(backup: str, now: float) -> str:
    """Return the folder of a copy that is made now."""
    return f"{backup}/{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(now))}"


def copy_aside(run: Run, paths: t.Sequence[str], target: str) -> None:
    """Copy files and folders into a folder that only root can read; raise OSError if that fails.

    Each one keeps its path, owners and modes.
    """
    os.makedirs(target, mode=0o700)
    os.chmod(os.path.dirname(target), 0o700)
    for path in paths:
        folder = target + os.path.dirname(path)
        os.makedirs(folder, exist_ok=True)
        code, _output, errors = run(["cp", "-a", "--", path, folder])
        if code:
            raise OSError(f"the copy of {path} failed: {errors.strip()}")


def refusal(found: t.Sequence[Foreign]) -> str:
    """Return the message for a host that is not changed: what was found, and what to do."""
    names = ", ".join(map(str, found))
    first = f"This host has a mail configuration that is not ours: {names}. Nothing was changed."
    packages = [one.remove for one in found if one.remove]
    if packages:
        return (
            f"{first} Remove what uses the same ports (apt-get remove {' '.join(packages)}), or use"
            " another host."
        )
    return (
        f"{first} Use another host, or remove those programs with their configuration. With"
        " -e base_adopt=true a run copies the old files aside, names the copies and goes on: then"
        " this host serves the mail of the estate only. Mail, users and passwords of the old"
        " programs are not taken over. Use it only with --limit for this node."
    )


def adopted(found: t.Sequence[Foreign], paths: t.Sequence[str], target: str) -> str:
    """Return the warning of a run that goes on: what was found, and where its files are now."""
    names = ", ".join(map(str, found))
    kept = f"{', '.join(paths)} are copied to {target}" if paths else "it had no files"
    return f"This host had a mail configuration that is not ours: {names}; {kept}"
