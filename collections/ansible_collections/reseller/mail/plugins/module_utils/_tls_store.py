# SPDX-License-Identifier: GPL-3.0-or-later
"""A mail host's TLS keys where they lie: ``tls/<name>/{privkey,fullchain}.pem`` in service, ``next.pem`` the key that comes next, and beside
it ``next.json``, since when DNS shows it.

PRIVATE to the collection. Runs on the host; standard library only.
"""

from __future__ import annotations

import json
import os
import typing as t
from dataclasses import asdict, replace
from pathlib import Path

from ansible_collections.reseller.mail.plugins.module_utils import _certificates
from ansible_collections.reseller.mail.plugins.module_utils._tls_keys import Keys, Note, digest

Run = t.Callable[..., tuple[int, str, str]]
"""AnsibleModule.run_command."""

LIVE = Path("/etc/letsencrypt/live")
SUPPLIED = Path("/etc/reseller-mail/certificates")
HOOK = "/usr/local/sbin/reseller-mail-certificates"


class Failure(Exception):
    """Why a key could not be changed."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(why)
        self.name = name


class Store:
    """The keys of one host."""

    def __init__(self, root: Path, run: Run, *, acme: bool, ca_bundle: str = "") -> None:
        self._tls = root / "tls"
        self._run = run
        self._acme = acme
        self._environment = {"REQUESTS_CA_BUNDLE": ca_bundle} if ca_bundle else {}

    def keys(self, name: str) -> t.Optional[Keys]:
        """As they are; None where nothing is in service under the name (on a virgin host there is no openssl to ask either)."""
        chain = self._tls / name / "fullchain.pem"
        current = (
            self._digest("x509", "-noout", "-pubkey", "-in", str(chain)) if chain.exists() else ""
        )
        if not current:
            return None
        following, note = self._following(name), self._noted(name)
        return Keys(
            name,
            current,
            "" if following == current else following,
            note if note and note.key == following else None,
        )

    def complete(self, keys: Keys) -> Keys:
        """With a next key, made here where certificates are asked for here. One that is in service by now is none any more."""
        if keys.next or not self._acme:
            return keys
        draft = self._next(keys.name).with_name(".next.new")
        draft.unlink(missing_ok=True)
        # The shell's mask, because openssl's own idea of a key file's mode is not the same in every release.
        command = f"umask 077; exec openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out '{draft}'"
        self._run(["/bin/sh", "-c", command], check_rc=True)
        _place(draft.read_bytes(), self._next(keys.name), 0o600)
        draft.unlink()
        return replace(keys, next=self._following(keys.name), note=None)

    def change(self, name: str, key: str) -> None:
        """Puts the next key where certbot keeps that of the certificate, and has it renewed: with reuse-key it asks for one for the
        key that lies there, then and in all renewals. If it fails the former key comes back; the daemons' copy is not touched
        before the certificate is there."""
        place = LIVE / name / "privkey.pem"
        _place(self._next(name).read_bytes(), place.resolve(), 0o600)
        command = [
            "certbot",
            "renew",
            "--non-interactive",
            "--no-directory-hooks",
            "--force-renewal",
            "--reuse-key",
            "--cert-name",
            name,
        ]
        status, out, err = self._run(command, environ_update=self._environment)
        if (
            self._digest("x509", "-noout", "-pubkey", "-in", str(LIVE / name / "fullchain.pem"))
            != key
        ):
            _place((self._tls / name / "privkey.pem").read_bytes(), place.resolve(), 0o600)
            raise Failure(
                name,
                f"{_certificates.refusal(out, err).reason if status else 'certbot gave a certificate for another key'}; the former one stays",
            )
        status, out, err = self._run([HOOK])
        try:
            refused = json.loads(out)["refused"].get(name)
        except (ValueError, KeyError):
            refused = f"the certificate hook failed with status {status}: {(err or out).strip()}"
        if refused:
            raise Failure(
                name, f"its certificate is there, but does not get into service: {refused}"
            )

    def note(self, keys: Keys) -> None:
        """Writes down since when DNS shows the next key, or forgets it."""
        path = self._next(keys.name).with_suffix(".json")
        if keys.note == self._noted(keys.name):
            return
        if keys.note:
            _place(f"{json.dumps(asdict(keys.note))}\n".encode(), path, 0o644)
        else:
            path.unlink(missing_ok=True)

    def _next(self, name: str) -> Path:
        return self._tls / name / "next.pem"

    def _following(self, name: str) -> str:
        if self._acme:
            return self._digest("pkey", "-pubout", "-in", str(self._next(name)))
        return self._digest("pkey", "-pubin", "-pubout", "-in", str(SUPPLIED / name / "next.pem"))

    def _noted(self, name: str) -> t.Optional[Note]:
        try:
            return Note(**json.loads(self._next(name).with_suffix(".json").read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    def _digest(self, *command: str) -> str:
        """Empty where there is no such key."""
        status, out, _err = self._run(["openssl", *command])
        return digest(out) if status == 0 else ""


def _place(data: bytes, path: Path, mode: int) -> None:
    """A new inode, complete before it gets its name."""
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as stream:
        stream.write(data)
        os.fchmod(stream.fileno(), mode)
        os.fsync(stream.fileno())
    os.replace(draft, path)
