# SPDX-License-Identifier: GPL-3.0-or-later
"""Send real mail, fetch it, verify its signatures and delete it.

Does input and output; runs on the controller only (needs dnspython and dkimpy[ed25519]).

PRIVATE to the collection.
"""

from __future__ import annotations

import email.utils
import functools
import imaplib
import re
import smtplib
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor

from . import access
from . import mail as verify_mail
from .connect import Connector, Imaps, ProbeFailure, ProbeIdle, Smtp, Smtps
from .finding import Finding
from .mail import Arrived, Mail, Probe, Sent

try:
    import dkim
    import nacl.exceptions  # of PyNaCl, without which dkimpy verifies no Ed25519 signature
except ImportError as exc:
    DKIMPY_IMPORT_ERROR: t.Optional[ImportError] = exc
else:
    DKIMPY_IMPORT_ERROR = None

if t.TYPE_CHECKING:
    from .._model.estate import BackupMx, Estate, Node

FOLDERS = ("INBOX", "Junk")
THREADS = 16
_ALGORITHM = re.compile(rb"(?:^|;)\s*a\s*=\s*(rsa|ed25519)-")


def error_text(exc: Exception) -> str:
    """Return an error as text; of an SMTP reply its code and text."""
    if isinstance(exc, smtplib.SMTPResponseException):
        text = exc.smtp_error
        return (
            f"{exc.smtp_code}"
            f" {text.decode('utf-8', 'replace') if isinstance(text, bytes) else text}"
        )
    return str(exc) or type(exc).__name__


def dated(message: bytes) -> bytes:
    """Return a message with a Date: a message without one looks like spam."""
    return f"Date: {email.utils.formatdate()}\r\n".encode() + message


def _hosts(connector: Connector, mail: Mail) -> list[str]:
    """Return the hosts for a message: the sender's own host, or for an external sender the MX hosts
    of the recipient's domain, the preferred one first."""
    if mail.sender:
        return [mail.sender.host]
    found = sorted(
        (rdata.preference, str(rdata.exchange).rstrip(".").lower())
        for rdata in connector.records(mail.recipients[0].domain, "MX")
    )
    if not found:
        raise ProbeFailure(f"{mail.recipients[0].domain} has no MX")
    return [host for _preference, host in found]


def send(connector: Connector, mail: Mail, token: str) -> Sent:
    """Send a message and return how that ended.

    A probe submits it with its password. An external sender delivers it to the MX with the null
    sender, so that there are no bounces.
    """
    addresses = [probe.address for probe in mail.recipients]
    try:
        with Smtp(connector, _hosts(connector, mail)[0], 587 if mail.sender else 25) as server:
            server.starttls(context=connector.context)
            if mail.sender:
                server.login(mail.sender.address, mail.sender.password)
            refused = server.sendmail(
                mail.author if mail.sender else "",
                addresses,
                dated(verify_mail.message(mail, token)),
            )
    except smtplib.SMTPRecipientsRefused as exc:
        refused = exc.recipients
    except (ProbeFailure, smtplib.SMTPException, OSError) as exc:
        return Sent(mail, error_text(exc))
    return Sent(
        mail,
        "",
        {
            address: f"{code} {text.decode('utf-8', 'replace')}"
            for address, (code, text) in refused.items()
        },
    )


def _signatures(connector: Connector, raw: bytes, domain: str) -> dict[str, str]:
    """Return by algorithm what is wrong with the message's signatures; "" if one is good.

    A good signature verifies, and is of the author's own domain.
    """
    missing = ""

    def text(name: bytes, timeout: int = 5) -> t.Optional[bytes]:
        """Return the key record at a name for dkimpy; note in ``missing`` that there is none."""
        nonlocal missing
        host = name.decode().rstrip(".")
        found = connector.records(host, "TXT")
        missing = "" if found else f"there is no key at {host}"
        return b"".join(found[0].strings) if found else None

    verifier = dkim.DKIM(raw, timeout=int(connector.timeout))
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
            faults[algorithm] = missing or error_text(exc)
            continue
        signer = (verifier.domain or b"").decode().lower()
        if good:
            faults[algorithm] = "" if signer == domain else f"signed by {signer}, not by {domain}"
        else:
            faults[algorithm] = missing or "the signature does not match the message or the key"
    return faults


def _take(box: Imaps, message_id: str) -> t.Optional[bytes]:
    """Return and delete the message with this Message-ID in the selected folder; None if there is
    none."""
    _ok, found = box.uid("SEARCH", f'HEADER Message-ID "{message_id}"')
    uids = found[0].split() if found and found[0] else []
    if not uids:
        return None
    _ok, parts = box.uid("FETCH", uids[0], "(BODY.PEEK[])")
    box.uid("STORE", uids[0], "+FLAGS.SILENT", r"(\Deleted)")
    # UID EXPUNGE (RFC 4315): EXPUNGE would delete all messages that the user has marked as well.
    box.uid("EXPUNGE", uids[0])
    return next(bytes(part[1]) for part in parts if isinstance(part, tuple))


def collect(
    connector: Connector, probe: Probe, expected: t.Sequence[Mail], started: float, timeout: float
) -> tuple[dict[tuple[str, str], Arrived], str]:
    """Return the messages that arrived in one mailbox, and why it could not be read, if so.

    Look until every expected message has arrived, or ``timeout`` seconds have passed since
    ``started`` (of ``time.monotonic``).
    """
    found: dict[tuple[str, str], Arrived] = {}
    waiting = list(expected)
    try:
        with Imaps(connector, probe.host) as box:
            box.login(probe.address, probe.password)
            while waiting:
                for folder in FOLDERS:
                    if box.select(folder)[0] != "OK":
                        continue
                    for mail in list(waiting):
                        raw = _take(box, mail.message_id)
                        if raw is not None:
                            signatures = (
                                _signatures(connector, raw, mail.domain) if mail.sender else {}
                            )
                            found[probe.address, mail.message_id] = Arrived(
                                folder, time.monotonic() - started, signatures
                            )
                            waiting.remove(mail)
                if not waiting or time.monotonic() - started > timeout:
                    break
                time.sleep(0.5)
    except (ProbeFailure, imaplib.IMAP4.error, OSError) as exc:
        return found, error_text(exc)
    return found, ""


def mail_findings(
    connector: Connector, probes: t.Sequence[Probe], token: str, timeout: float
) -> list[Finding]:
    """Send all messages, fetch them, and return the findings."""
    mails = verify_mail.mails(probes, token)
    with ThreadPoolExecutor(THREADS) as pool:
        started = time.monotonic()
        sent = list(pool.map(lambda mail: send(connector, mail, token), mails))

        def collect_for(probe: Probe) -> tuple[dict[tuple[str, str], Arrived], str]:
            """Collect the messages that the probe must get."""
            due = [
                one.mail
                for one in sent
                if not one.error
                and probe in one.mail.recipients
                and probe.address not in one.refused
            ]
            return collect(connector, probe, due, started, timeout)

        boxes = list(pool.map(collect_for, probes))
    arrived = {key: copy for found, _why_not in boxes for key, copy in found.items()}
    unread = {probe.address: why for probe, (_found, why) in zip(probes, boxes, strict=True) if why}
    return verify_mail.judge(sent, arrived, unread, timeout)


def _log_in(
    connector: Connector, service: str, host: str, port: int, address: str, password: str
) -> None:
    """Log in by IMAP or SMTP with TLS; raise ProbeFailure with the SRV record if that fails."""
    try:
        if service == "_imaps":
            with Imaps(connector, host, port) as box:
                box.login(address, password)
        else:
            with Smtps(connector, host, port) as server:
                server.login(address, password)
    except (ProbeFailure, imaplib.IMAP4.error, smtplib.SMTPException, OSError) as exc:
        raise ProbeFailure(
            f"{service}._tcp leads to {host} port {port}: {error_text(exc)}"
        ) from exc


def _log_in_by_srv(connector: Connector, probe: Probe, address: str) -> str:
    """Log in as a mail program that has only the address (RFC 6186); return the servers.

    Raise ProbeFailure if a login fails, ProbeIdle if no SRV record leads to a server.
    """
    name = address.partition("@")[2]
    servers = []
    for service in ("_imaps", "_submissions"):
        for rdata in sorted(
            connector.records(f"{service}._tcp.{name}", "SRV"), key=lambda rdata: rdata.priority
        )[:1]:
            host = str(rdata.target).rstrip(".").lower()
            if host:
                _log_in(connector, service, host, rdata.port, address, probe.password)
                servers.append(f"{host} port {rdata.port}")
    if not servers:
        raise ProbeIdle("no SRV record leads to IMAP or submission")
    return "logged in at " + ", ".join(servers)


def name_findings(connector: Connector, estate: Estate, probes: t.Sequence[Probe]) -> list[Finding]:
    """Return the findings ``mail.login_name``: the servers in a name's SRV records accept a login
    with the address in that name."""
    checks = [
        functools.partial(
            access.finding,
            "mail.login_name",
            address,
            f"the servers in the SRV records of {address.partition('@')[2]} accept {address}",
            f"converge {probe.host}; look at dovecot/login_domains of its generation and at the log"
            " of Dovecot",
            functools.partial(_log_in_by_srv, connector, probe, address),
        )
        for probe, address in verify_mail.names(estate, probes)
    ]
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(lambda check: check(), checks))


def access_findings(connector: Connector, estate: Estate) -> list[Finding]:
    """Return the findings about the ports of every node, also at the names in users' settings, and
    about port 25 of every backup MX.

    Other hosts in an MX set do not belong to the estate: they are not asked.
    """
    ports = [access.node_port_check(connector, node) for node in estate.nodes]
    ports += [access.backup_port_check(connector, backup) for backup in estate.backup_mx]
    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(lambda check: check(), ports))
        return found + list(pool.map(lambda check: check(), _checks(connector, estate)))


def _checks(connector: Connector, estate: Estate) -> list[access.Check]:
    """Return the checks that run after those of port 25."""
    hosts = {node.hostname for node in estate.nodes}
    hosts |= {
        domain.branding.hostname
        for _tenant, domain in estate.served_domains()
        if domain.branding.hostname
    }
    checks = [check for host in sorted(hosts) for check in access.client_checks(connector, host)]
    for node in estate.nodes:
        checks += _node_checks(connector, estate, node)
    for backup in estate.backup_mx:
        checks += _backup_checks(connector, estate, backup)
    return checks


def _node_checks(connector: Connector, estate: Estate, node: Node) -> list[access.Check]:
    """Return the checks of a node, and of unknown recipients in its domains without a catch-all.

    If it is a backup MX, the recipients of the other nodes are checked, too.
    """
    here = [domain for _tenant, domain in estate.domains_on(node)]
    sender = f"postmaster@{here[0].name}" if here else ""
    return [
        *access.node_checks(connector, node.hostname, sender),
        *(
            access.unknown_check(connector, node.hostname, domain.name)
            for domain in here
            if not domain.catch_all
        ),
        *(_recipient_checks(connector, estate, node.hostname, node) if node.is_backup_mx else ()),
    ]


def _backup_checks(connector: Connector, estate: Estate, backup: BackupMx) -> list[access.Check]:
    """Return the checks of a backup MX that is not ours, and of its recipients."""
    served = list(estate.served_domains())
    sender = f"postmaster@{served[0][1].name}" if served else ""
    return [
        *access.backup_checks(connector, backup.hostname, sender),
        *_recipient_checks(connector, estate, backup.hostname),
    ]


def _recipient_checks(
    connector: Connector, estate: Estate, host: str, node: t.Optional[Node] = None
) -> list[access.Check]:
    """Return the checks of a backup MX's recipients in each name of an active domain.

    ``node`` is set if it is a node, which is no backup of its own domains. It may refuse the mail
    of a suspended tenant or domain, or accept it: that is not asked.
    """
    return [
        access.backup_check(connector, host, name, bool(domain.catch_all), node is not None)
        for tenant, domain in estate.served_domains()
        if tenant.state == domain.state == "active"
        if node is None or tenant.placement != node.name
        for name in domain.names
    ]
