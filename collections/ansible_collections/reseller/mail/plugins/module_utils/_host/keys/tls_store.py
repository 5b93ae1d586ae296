# SPDX-License-Identifier: GPL-3.0-or-later
"""The files with a mail host's TLS keys, in ``tls/<name>/``.

``privkey.pem`` and ``fullchain.pem`` are in service. ``next.pem`` is the next key, and
``next.json`` notes since when DNS shows it.

PRIVATE to the collection. Runs on the host; standard library only.
"""

from __future__ import annotations

import json
import os
import typing as t
from dataclasses import asdict, replace
from pathlib import Path

from . import certificates
from .certbot import HOOK, LIVE, SUPPLIED, Run, environment
from .tls import Keys, Note, digest


class Failure(Exception):
    """A key that could not be changed. The message is the reason, ``name`` the host name."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(why)
        self.name = name


class Store:
    """Reads, makes and changes the keys of one host.

    With ``acme`` certificates come from an ACME server by certbot; otherwise the operator supplies
    them, and the next key's public half, as files.
    """

    def __init__(self, root: Path, run: Run, *, acme: bool, ca_bundle: str = "") -> None:
        self._tls = root / "tls"
        self._run = run
        self._acme = acme
        self._environment = environment(ca_bundle)

    def keys(self, name: str) -> t.Optional[Keys]:
        """Return the keys of a name, or None if none is in service.

        On a new host there is no openssl yet, so it is asked only where there is a certificate.
        """
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
        """Return the keys with a next key; make one if there is none and certificates come by
        ACME."""
        if keys.next or not self._acme:
            return keys
        draft = self._next(keys.name).with_name(".next.new")
        draft.unlink(missing_ok=True)
        # The shell sets the umask: releases of openssl make key files with different modes.
        command = (
            "umask 077; exec openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out"
            f" '{draft}'"
        )
        self._run(["/bin/sh", "-c", command], check_rc=True)
        _place(draft.read_bytes(), self._next(keys.name), 0o600)
        draft.unlink()
        return replace(keys, next=self._following(keys.name), note=None)

    def change(self, name: str, key: str) -> None:
        """Put the next key into service; raise Failure when that fails.

        The key goes to the place where certbot keeps the certificate's key, and certbot renews the
        certificate. With --reuse-key it asks for a certificate for the key in that place, now and
        in all renewals. If it fails, the former key comes back. The daemons' copy does not change
        before there is a certificate. ``key`` is the digest of the next key.
        """
        self._renew(name, key)
        refused = self._publish(name)
        if refused:
            raise Failure(
                name, f"its certificate is there, but does not get into service: {refused}"
            )

    def _renew(self, name: str, key: str) -> None:
        """Have certbot issue a certificate for the next key; raise Failure with the former key in
        its place again."""
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
            why = "certbot gave a certificate for another key"
            if status:
                why = certificates.refusal(out, err).reason
            raise Failure(name, f"{why}; the former one stays")

    def _publish(self, name: str) -> str:
        """Run the certificate hook; return why it does not use the certificate, or nothing."""
        status, out, err = self._run([HOOK])
        try:
            return json.loads(out)["refused"].get(name) or ""
        except (ValueError, KeyError):
            return f"the certificate hook failed with status {status}: {(err or out).strip()}"

    def note(self, keys: Keys) -> None:
        """Write since when DNS shows the next key, or remove the note if it does not."""
        path = self._next(keys.name).with_suffix(".json")
        if keys.note == self._noted(keys.name):
            return
        if keys.note:
            _place(f"{json.dumps(asdict(keys.note))}\n".encode(), path, 0o644)
        else:
            path.unlink(missing_ok=True)

    def _next(self, name: str) -> Path:
        """Return the path of the next key."""
        return self._tls / name / "next.pem"

    def _following(self, name: str) -> str:
        """Return the digest of the next key: made here with ACME, else of the public half that was
        supplied."""
        if self._acme:
            return self._digest("pkey", "-pubout", "-in", str(self._next(name)))
        return self._digest("pkey", "-pubin", "-pubout", "-in", str(SUPPLIED / name / "next.pem"))

    def _noted(self, name: str) -> t.Optional[Note]:
        """Return the note of the next key, or None if there is none that can be read."""
        try:
            return Note(**json.loads(self._next(name).with_suffix(".json").read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    def _digest(self, *command: str) -> str:
        """Return the digest of the public key that openssl prints; empty when it prints none."""
        status, out, _err = self._run(["openssl", *command])
        return digest(out) if status == 0 else ""


def _place(data: bytes, path: Path, mode: int) -> None:
    """Write a file as a new inode that is complete before it gets its name."""
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as stream:
        stream.write(data)
        os.fchmod(stream.fileno(), mode)
        os.fsync(stream.fileno())
    os.replace(draft, path)
