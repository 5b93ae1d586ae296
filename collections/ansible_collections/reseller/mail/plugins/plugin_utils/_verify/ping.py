# SPDX-License-Identifier: GPL-3.0-or-later
"""Test the connections of a running node: each port greets, each socket answers.

Does input and output: it connects to the host's ports. ``sockets`` is pure.

PRIVATE to the collection.
"""

from __future__ import annotations

import functools
import typing as t
from concurrent.futures import ThreadPoolExecutor

from .access import finding
from .connect import Connector, Lines, ProbeFailure, literal
from .finding import Finding
from .host import Answer

if t.TYPE_CHECKING:
    from .._model.estate import Node

Facts = t.Mapping[str, t.Any]

CATALOGUE: t.Final[dict[str, str]] = {
    "ping.smtp": "port 25 greets with 220 and answers EHLO with STARTTLS",
    "ping.submission": "port 587 does the same",
    "ping.submissions": "port 465 greets over verified TLS and answers EHLO with AUTH",
    "ping.imap": "port 993 greets over verified TLS",
    "ping.pop3": "port 995 greets over verified TLS",
    "ping.sieve": "port 4190 greets and offers STARTTLS",
    "ping.doveadm": "Dovecot answers `doveadm`, through a UNIX socket",
    "ping.milters": "the sockets of the guard, OpenDKIM and the filter answer as milters",
    "ping.sockets": "Dovecot's sockets for Postfix answer: logins, deliveries, quota",
}
"""What each finding of the connection test verifies; `na` before the first run."""
_MILTERS = ("guard/", "opendkim/", "rspamd/")


def findings(connector: Connector, node: Node, facts: Facts) -> list[Finding]:
    """Return the findings about a node, in the catalogue's order.

    On a host that has not been configured yet, nothing is asked.
    """
    if not facts["ours"]:
        text = "this host has not been configured yet"
        return [Finding(id_, node.hostname, "na", "", text) for id_ in CATALOGUE]
    found = {**_ports(connector, node), **sockets(node.hostname, facts["ping"])}
    return [found[id_] for id_ in CATALOGUE]


def unreached(host: str) -> list[Finding]:
    """Return the findings about a host that could not be asked."""
    text = "not asked: preflight.reached failed"
    return [Finding(id_, host, "blocked", "", text) for id_ in CATALOGUE]


def _ports(connector: Connector, node: Node) -> dict[str, Finding]:
    """Return by id the findings about the ports, which are asked at the same time."""
    checks: dict[str, tuple[int, t.Callable[[Connector, Node, int], str]]] = {
        "ping.smtp": (25, _starttls),
        "ping.submission": (587, _starttls),
        "ping.submissions": (465, _submissions),
        "ping.imap": (993, functools.partial(_greets, start="* OK")),
        "ping.pop3": (995, functools.partial(_greets, start="+OK")),
        "ping.sieve": (4190, _sieve),
    }
    remedy = "journalctl -u postfix@- -u postfix -u dovecot; look at the service, then verify"

    def ask(id_: str) -> Finding:
        port, check = checks[id_]
        work = functools.partial(check, connector, node, port)
        return finding(id_, node.hostname, f"port {port} answers", remedy, work)

    with ThreadPoolExecutor(len(checks)) as pool:
        return dict(zip(checks, pool.map(ask, checks), strict=True))


def _dial(connector: Connector, node: Node, port: int) -> Lines:
    """Return a connection to the first address of a node that accepts one."""
    error: t.Optional[OSError] = None
    for address in node.addresses:
        try:
            return Lines(connector.dial(address, port))
        except OSError as exc:
            error = error or exc
    raise ProbeFailure((error and error.strerror) or str(error))


def _is_greeted(line: str, start: str) -> str:
    """Return a greeting; raise ProbeFailure if it begins with something else."""
    if not line.startswith(start):
        raise ProbeFailure(f"the greeting is {line!r}")
    return line


def _offers(talk: Lines, extension: str) -> None:
    """Send EHLO; raise ProbeFailure unless an extension is in the answer."""
    answer = talk.smtp(f"EHLO {literal(talk.sock)}")
    if not any(line[4:].upper().startswith(extension) for line in answer):
        raise ProbeFailure(f"EHLO is answered without {extension}: {answer[-1]!r}")


def _starttls(connector: Connector, node: Node, port: int) -> str:
    """Return the greeting of SMTP; raise ProbeFailure unless it offers STARTTLS."""
    with _dial(connector, node, port) as talk:
        line = _is_greeted(talk.smtp()[-1], "220")
        _offers(talk, "STARTTLS")
        return line


def _submissions(connector: Connector, node: Node, port: int) -> str:
    """Return the greeting of SMTP over TLS; raise ProbeFailure unless it offers AUTH."""
    with _secure(connector, node, port) as talk:
        line = _is_greeted(talk.smtp()[-1], "220")
        _offers(talk, "AUTH")
        return line


def _greets(connector: Connector, node: Node, port: int, start: str) -> str:
    """Return the greeting of a service over TLS."""
    with _secure(connector, node, port) as talk:
        return _is_greeted(talk.read(), start)


def _secure(connector: Connector, node: Node, port: int) -> Lines:
    """Return a connection with TLS from the first byte."""
    plain = _dial(connector, node, port)
    return Lines(connector.secure(plain.sock, node.hostname))


def _sieve(connector: Connector, node: Node, port: int) -> str:
    """Return the greeting of ManageSieve; raise ProbeFailure unless it offers STARTTLS."""
    with _dial(connector, node, port) as talk:
        lines = talk.until("OK", "NO", "BYE")
        if '"STARTTLS"' not in lines:
            raise ProbeFailure(f"STARTTLS is not offered: {lines[-1]!r}")
        return _is_greeted(lines[-1], "OK")


def sockets(host: str, ping: Facts) -> dict[str, Finding]:
    """Return by id the findings about the UNIX sockets of a node."""
    queue = f"{ping['queue_folder']}/"
    milters: list[t.Mapping[str, str]] = []
    others: list[t.Mapping[str, str]] = []
    for one in ping["sockets"]:
        name = one["path"].removeprefix(queue)
        (milters if name.startswith(_MILTERS) else others).append(one)
    doveadm = "systemctl status dovecot; journalctl -u dovecot"
    answers = {
        "ping.doveadm": (
            Answer("fail", "doveadm is answered", ping["doveadm"], doveadm)
            if ping["doveadm"]
            else Answer("ok", "doveadm is answered", "it is answered")
        ),
        "ping.milters": _answers(
            milters,
            "systemctl status reseller-mail-guard 'opendkim@*' rspamd; journalctl -u opendkim@rsa",
        ),
        "ping.sockets": _answers(others, doveadm),
    }
    return {
        id_: Finding(id_, host, one.state, one.expected, one.found, one.remedy)
        for id_, one in answers.items()
    }


def _answers(rows: t.Sequence[t.Mapping[str, str]], remedy: str) -> Answer:
    """Return the answer about sockets that must answer."""
    expected = "each socket answers"
    silent = [f"{one['path']} {one['error']}" for one in rows if one["error"]]
    if silent or not rows:
        return Answer("fail", expected, "; ".join(silent) or "Postfix uses none", remedy)
    return Answer("ok", expected, f"{len(rows)} answer")


def as_markdown() -> str:
    """Return the table of docs/findings.md about the connection test."""
    rows = [f"| `{id_}` | {asks} |" for id_, asks in CATALOGUE.items()]
    return "\n".join(["| id | what it verifies |", "|---|---|", *rows]) + "\n"
