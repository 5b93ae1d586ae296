# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask certbot for certificates, and hand them to the daemons with the certificate hook.

PRIVATE to the collection. Runs on the host; standard library only. What is asked for, in which
order and what follows from a failure is decided in ``certificates``.
"""

from __future__ import annotations

import json
import os
import socket
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

from . import certificates

LIVE = Path("/etc/letsencrypt/live")
SUPPLIED = Path("/etc/reseller-mail/certificates")
HOOK = "/usr/local/sbin/reseller-mail-certificates"

Run = t.Callable[..., tuple[int, str, str]]
"""Run a command; return exit status, output and errors. AnsibleModule.run_command is one."""


class HookError(Exception):
    """The certificate hook gave no answer that can be read. The message has what it printed."""


class NotFound(Exception):
    """DNS has no address that can be asked for. The message is a reason for the operator."""


class NoAddress(NotFound):
    """DNS has no address yet; it may have one soon when the name was just published."""


def folders(path: Path) -> list[str]:
    """Return the names of the folders that hold a certificate, sorted."""
    return sorted(pair.parent.name for pair in path.glob("*/fullchain.pem"))


def addresses_of(name: str) -> set[str]:
    """Return the addresses of a name as the host's resolver has them; raise NotFound or
    NoAddress."""
    try:
        found = socket.getaddrinfo(name, 80, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise NotFound("it is no name of a host") from None
    except socket.gaierror as error:
        if error.errno == socket.EAI_AGAIN:
            raise NotFound("its DNS does not answer") from None
        raise NoAddress("it has no address in DNS") from None
    return {str(answer[4][0]) for answer in found}


@dataclass(frozen=True, slots=True)
class Reach:
    """How to find out whether the ACME server would reach this node under a name.

    Attributes:
        node: the node's addresses; empty when any address will do.
        published: names whose addresses are published in the same run, so they may appear soon.
        check_mode: whether nothing was published, so that those names count as if they were.
        deadline: until when to wait for them, by ``time.monotonic()``.
    """

    node: t.Collection[str]
    published: t.Container[str]
    check_mode: bool
    deadline: float

    def obstacle(self, name: str) -> str:
        """Return why the ACME server would not reach this node; empty when it would."""
        while True:
            try:
                return certificates.unreachable(addresses_of(name), self.node)
            except NoAddress as error:
                if name in self.published and self.check_mode:
                    return ""
                if name not in self.published or time.monotonic() > self.deadline:
                    return str(error)
            except NotFound as error:
                return str(error)
            time.sleep(1)


class Attempts:
    """When each name that has no certificate was tried last, in ``tls/attempts.json``.

    Runs that end early need it: they must not all end at the same name.
    """

    def __init__(self, root: Path) -> None:
        self._path = root / "tls/attempts.json"
        self.times = self._read()

    def _read(self) -> dict[str, float]:
        """Return the times in seconds since 1970; none from a file that is lost or damaged, so that
        all names count as new."""
        try:
            noted = json.loads(self._path.read_bytes())
            return {str(name): float(when) for name, when in noted.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def keep(self, tried: t.Mapping[str, float], missing: t.Container[str]) -> None:
        """Write the times of the names that still have no certificate."""
        times = {name: when for name, when in {**self.times, **tried}.items() if name in missing}
        if times != self.times:
            draft = self._path.with_name(".attempts.json.new")
            draft.write_text(json.dumps(times, sort_keys=True), encoding="utf-8")
            draft.replace(self._path)


def environment(ca_bundle: str) -> dict[str, str]:
    """Return the variables for certbot that name the authorities of the ACME server's own
    certificate."""
    return {"REQUESTS_CA_BUNDLE": ca_bundle} if ca_bundle else {}


def request(run: Run, name: str, ca_bundle: str) -> t.Optional[certificates.Refusal]:
    """Ask for one certificate; return why it was not issued, or None when it was."""
    # Without certbot's hooks: they would reload daemons after each name. The certificate hook runs
    # once, after the last name.
    command = ["certbot", "certonly", "--non-interactive", "--no-directory-hooks", "--debug"]
    status, out, err = run(
        [*command, "--cert-name", name, "--domain", name], environ_update=environment(ca_bundle)
    )
    return certificates.refusal(out, err, name) if status else None


def give_up(run: Run, name: str) -> str:
    """Have certbot end the renewal of a certificate; return a warning when it does not.

    A certificate that it keeps must not keep others from being served, so this is no failure.
    """
    status, out, err = run(["certbot", "delete", "--non-interactive", "--cert-name", name])
    if not status:
        return ""
    return (
        f"The certificate of {name}, which is not needed any more, is still renewed:"
        f" {certificates.refusal(out, err).reason}"
    )


def run_hook(run: Run, names: t.Iterable[str], check_mode: bool) -> dict[str, t.Any]:
    """Hand the certificates of these names to the daemons; return the hook's report.

    Return an empty report in check mode on a host that has no hook yet. Raise HookError when the
    report cannot be read.
    """
    if check_mode and not os.path.exists(HOOK):
        return {}
    status, out, err = run([HOOK, *(["--check"] if check_mode else []), *names])
    try:
        report: dict[str, t.Any] = json.loads(out)
    except ValueError:
        raise HookError(
            f"The certificate hook failed with status {status}: {(err or out).strip()}"
        ) from None
    return report
