# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends real mail, fetches it, verifies its signatures and deletes it. Does input and output; runs on the controller only (needs dnspython
and dkimpy[ed25519]).

PRIVATE to the collection.
"""

from __future__ import annotations

import functools
import imaplib
import re
import smtplib
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.reseller.mail.plugins.module_utils import _verify_access, _verify_mail
from ansible_collections.reseller.mail.plugins.module_utils._finding import Finding
from ansible_collections.reseller.mail.plugins.module_utils._mail_dial import (
    Dialler,
    Imaps,
    ProbeFailure,
    ProbeIdle,
    Smtp,
    Smtps,
)
from ansible_collections.reseller.mail.plugins.module_utils._verify_mail import (
    Arrived,
    Mail,
    Probe,
    Sent,
)

try:
    import dkim
    import nacl.exceptions  # of PyNaCl, without which dkimpy verifies no Ed25519 signature
except ImportError as exc:
    DKIMPY_IMPORT_ERROR: t.Optional[ImportError] = exc
else:
    DKIMPY_IMPORT_ERROR = None

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.module_utils._model.estate import Estate

FOLDERS = ("INBOX", "Junk")
THREADS = 16
_ALGORITHM = re.compile(rb"(?:^|;)\s*a\s*=\s*(rsa|ed25519)-")


def _why(exc: Exception) -> str:
    if isinstance(exc, smtplib.SMTPResponseException):
        text = exc.smtp_error
        return f"{exc.smtp_code} {text.decode('utf-8', 'replace') if isinstance(text, bytes) else text}"
    return str(exc) or type(exc).__name__


def _hosts(dialler: Dialler, mail: Mail) -> list[str]:
    """Where the message goes first: the sender's own host, or what the world finds behind the MX."""
    if mail.sender:
        return [mail.sender.host]
    found = sorted(
        (rdata.preference, str(rdata.exchange).rstrip(".").lower())
        for rdata in dialler.records(mail.recipients[0].domain, "MX")
    )
    if not found:
        raise ProbeFailure(f"{mail.recipients[0].domain} has no MX")
    return [host for _preference, host in found]


def send(dialler: Dialler, mail: Mail, token: str) -> Sent:
    """Submits as a user with the password, or delivers as a stranger with the null sender, whose bounces go nowhere."""
    addresses = [probe.address for probe in mail.recipients]
    try:
        with Smtp(dialler, _hosts(dialler, mail)[0], 587 if mail.sender else 25) as server:
            server.starttls(context=dialler.context)
            if mail.sender:
                server.login(mail.sender.address, mail.sender.password)
            refused = server.sendmail(
                mail.author if mail.sender else "", addresses, _verify_mail.message(mail, token)
            )
    except smtplib.SMTPRecipientsRefused as exc:
        refused = exc.recipients
    except (ProbeFailure, smtplib.SMTPException, OSError) as exc:
        return Sent(mail, _why(exc))
    return Sent(
        mail,
        "",
        {
            address: f"{code} {text.decode('utf-8', 'replace')}"
            for address, (code, text) in refused.items()
        },
    )


def _signatures(dialler: Dialler, raw: bytes, domain: str) -> dict[str, str]:
    """Return by algorithm what is wrong with the message's signatures; one good one of the author's own domain is enough."""

    missing = ""

    def text(name: bytes, timeout: int = 5) -> t.Optional[bytes]:
        nonlocal missing
        host = name.decode().rstrip(".")
        found = dialler.records(host, "TXT")
        missing = "" if found else f"there is no key at {host}"
        return b"".join(found[0].strings) if found else None

    verifier = dkim.DKIM(raw, timeout=int(dialler.timeout))
    signatures = [value for name, value in verifier.headers if name.lower() == b"dkim-signature"]
    faults: dict[str, str] = {}
    for number, value in enumerate(signatures):
        named = _ALGORITHM.search(value)
        algorithm = named[1].decode() if named else ""
        if faults.get(algorithm) == "":
            continue
        missing = ""
        try:
            good = verifier.verify(idx=number, dnsfunc=text)
        except (dkim.DKIMException, nacl.exceptions.CryptoError, ProbeFailure) as exc:
            faults[algorithm] = missing or _why(exc)
            continue
        signer = (verifier.domain or b"").decode().lower()
        if good:
            faults[algorithm] = "" if signer == domain else f"signed by {signer}, not by {domain}"
        else:
            faults[algorithm] = missing or "the signature does not match the message or the key"
    return faults


def _take(box: Imaps, message_id: str) -> t.Optional[bytes]:
    """The message of that id in the selected folder, which is deleted; None when it is not there."""
    _ok, found = box.uid("SEARCH", f'HEADER Message-ID "{message_id}"')
    uids = found[0].split() if found and found[0] else []
    if not uids:
        return None
    _ok, parts = box.uid("FETCH", uids[0], "(BODY.PEEK[])")
    box.uid("STORE", uids[0], "+FLAGS.SILENT", r"(\Deleted)")
    # UID EXPUNGE (RFC 4315): a plain EXPUNGE would take what the mailbox's user has marked, too.
    box.uid("EXPUNGE", uids[0])
    return next(bytes(part[1]) for part in parts if isinstance(part, tuple))


def collect(
    dialler: Dialler, probe: Probe, expected: t.Sequence[Mail], started: float, timeout: float
) -> tuple[dict[tuple[str, str], Arrived], str]:
    """Looks into one mailbox until every expected message was found or time is up; and why it could not be read."""
    found: dict[tuple[str, str], Arrived] = {}
    waiting = list(expected)
    try:
        with Imaps(dialler, probe.host) as box:
            box.login(probe.address, probe.password)
            while waiting:
                for folder in FOLDERS:
                    if box.select(folder)[0] != "OK":
                        continue
                    for mail in list(waiting):
                        raw = _take(box, mail.message_id)
                        if raw is not None:
                            signatures = (
                                _signatures(dialler, raw, mail.domain) if mail.sender else {}
                            )
                            found[probe.address, mail.message_id] = Arrived(
                                folder, time.monotonic() - started, signatures
                            )
                            waiting.remove(mail)
                if not waiting or time.monotonic() - started > timeout:
                    break
                time.sleep(0.5)
    except (ProbeFailure, imaplib.IMAP4.error, OSError) as exc:
        return found, _why(exc)
    return found, ""


def mail_findings(
    dialler: Dialler, probes: t.Sequence[Probe], token: str, timeout: float
) -> list[Finding]:
    """The whole round: everybody sends, everybody fetches."""
    mails = _verify_mail.mails(probes, token)
    with ThreadPoolExecutor(THREADS) as pool:
        started = time.monotonic()
        sent = list(pool.map(lambda mail: send(dialler, mail, token), mails))

        def inbox(probe: Probe) -> tuple[dict[tuple[str, str], Arrived], str]:
            due = [
                one.mail
                for one in sent
                if not one.error
                and probe in one.mail.recipients
                and probe.address not in one.refused
            ]
            return collect(dialler, probe, due, started, timeout)

        boxes = list(pool.map(inbox, probes))
    arrived = {key: copy for found, _why_not in boxes for key, copy in found.items()}
    unread = {probe.address: why for probe, (_found, why) in zip(probes, boxes, strict=True) if why}
    return _verify_mail.judge(sent, arrived, unread, timeout)


def _log_in(
    dialler: Dialler, service: str, host: str, port: int, address: str, password: str
) -> None:
    try:
        if service == "_imaps":
            with Imaps(dialler, host, port) as box:
                box.login(address, password)
        else:
            with Smtps(dialler, host, port) as server:
                server.login(address, password)
    except (ProbeFailure, imaplib.IMAP4.error, smtplib.SMTPException, OSError) as exc:
        raise ProbeFailure(f"{service}._tcp leads to {host} port {port}: {_why(exc)}") from exc


def _led(dialler: Dialler, probe: Probe, address: str) -> str:
    """Log in as a mail program does that knows nothing but the address (RFC 6186)."""
    name = address.partition("@")[2]
    doors = []
    for service in ("_imaps", "_submissions"):
        for rdata in sorted(
            dialler.records(f"{service}._tcp.{name}", "SRV"), key=lambda rdata: rdata.priority
        )[:1]:
            host = str(rdata.target).rstrip(".").lower()
            if host:
                _log_in(dialler, service, host, rdata.port, address, probe.password)
                doors.append(f"{host} port {rdata.port}")
    if not doors:
        raise ProbeIdle("no SRV record leads to IMAP or submission")
    return "let in at " + ", ".join(doors)


def name_findings(dialler: Dialler, estate: Estate, probes: t.Sequence[Probe]) -> list[Finding]:
    """Whether the SRV records of every name of a domain lead to a login with the address in that name."""
    checks = [
        functools.partial(
            _verify_access.finding,
            "mail.login_name",
            address,
            f"the servers of {address.partition('@')[2]}'s SRV records let {address} in",
            f"converge {probe.host}; look at dovecot/login_domains of its generation and at the log of Dovecot",
            functools.partial(_led, dialler, probe, address),
        )
        for probe, address in _verify_mail.names(estate, probes)
    ]
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(lambda check: check(), checks))


def access_findings(dialler: Dialler, estate: Estate) -> list[Finding]:
    """Every door of every node, and by every name that users are told; port 25 of every backup MX. Other hosts that may stand in an MX
    set are strangers': nobody knocks there."""
    ports = [_verify_access.node_port_check(dialler, node) for node in estate.nodes]
    ports += [_verify_access.backup_port_check(dialler, backup) for backup in estate.backup_mx]
    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(lambda check: check(), ports))
        return found + list(pool.map(lambda check: check(), _checks(dialler, estate)))


def _checks(dialler: Dialler, estate: Estate) -> list[_verify_access.Check]:
    """What is asked after it is known which hosts take mail at all."""
    hosts = {node.hostname for node in estate.nodes}
    hosts |= {
        domain.branding.hostname
        for _tenant, domain in estate.served_domains()
        if domain.branding.hostname
    }
    checks = [
        check for host in sorted(hosts) for check in _verify_access.client_checks(dialler, host)
    ]
    for node in estate.nodes:
        here = [domain for _tenant, domain in estate.domains_on(node)]
        checks += _verify_access.node_checks(
            dialler, node.hostname, f"postmaster@{here[0].name}" if here else ""
        )
        checks += [
            _verify_access.unknown_check(dialler, node.hostname, domain.name)
            for domain in here
            if not domain.catch_all
        ]
    served = list(estate.served_domains())
    for backup in estate.backup_mx:
        checks += _verify_access.backup_checks(
            dialler, backup.hostname, f"postmaster@{served[0][1].name}" if served else ""
        )
        checks += [
            _verify_access.backup_check(dialler, backup.hostname, name, bool(domain.catch_all))
            for tenant, domain in served
            if tenant.state == domain.state == "active"
            for name in domain.names
        ]
    return checks
