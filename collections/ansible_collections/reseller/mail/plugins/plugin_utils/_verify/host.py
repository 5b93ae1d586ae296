# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify that a mail host works, and find the findings that a failure on it blocks.

PRIVATE to the collection. Pure: no Ansible, no network, no clock. The host's facts
(``_host/facts.py``) come in as arguments.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from .._compile.opendkim import algorithms_of
from .._model.sizes import rounded
from .finding import Finding

if t.TYPE_CHECKING:
    from .._model.estate import Estate, Node

Facts = t.Mapping[str, t.Any]

CATALOGUE: t.Final[dict[str, str]] = {
    "host.reached": (
        "the controller reaches the host by SSH and can read its facts; if not, nothing else is"
        " asked of it"
    ),
    "host.generation": (
        "one generation is current, all daemons use it (`activated.json`), and there is no drift"
    ),
    "host.disk": (
        "the file systems of queue, mail, platform and root have free space and inodes: `warn`"
        " below 10 % (`verify_host_disk_warn`), `fail` below 5 % (`verify_host_disk_fail`), or if"
        " Postfix refuses mail (`queue_minfree`)"
    ),
    "host.clock": "its clock is within 60 s (`verify_host_clock_skew`) of the controller's",
    "host.guard": "the guard runs and its socket answers as a milter",
    "host.sending_limit": (
        "the daemon of the [sending limits](sending_limits.md) runs and its socket answers; if not,"
        " submissions get 451"
    ),
    "host.sending_refused": (
        "no limit of sending refused mail in the last hour; `warn` names who, how much and when"
        " sending works again"
    ),
    "host.opendkim": "the OpenDKIM instance for RSA runs and its socket answers as a milter",
    "host.opendkim_ed25519": (
        "the OpenDKIM instance for Ed25519 does so as well; `na` if no domain of the node uses it"
    ),
    "host.opendkim_node": (
        "the OpenDKIM instance for the node's own mail does so as well: bounces, mail of its"
        " programs"
    ),
    "host.filter": (
        "rspamd runs, and its socket answers as a milter; Redis, with what it has learned, runs;"
        " `na` if the [filter](filter.md) is off"
    ),
    "host.antivirus_database": (
        "there is a virus database: `warn` if it is older than 7 days"
        " (`verify_host_antivirus_age`); `na` if `filter_antivirus` is off"
    ),
    "host.antivirus": (
        "clamd and freshclam run, and clamd's socket answers; `na` if `filter_antivirus` is off"
    ),
    "host.dovecot": "Dovecot runs, and its sockets for Postfix answer: logins, deliveries, quota",
    "host.postfix": "Postfix runs, and every other milter that it uses answers",
    "host.nginx": "nginx runs; `na` if it is not enabled",
    "host.timers": "every enabled timer and path of this collection is active",
    "host.queue": (
        "at most 1,000 messages wait (`verify_host_queue_length`), and none waits longer than 60"
        " minutes (`verify_host_queue_age`) for its first attempt; messages on hold do not count"
    ),
    "host.srs": "postsrsd runs, which gives forwarded mail a sender of the node",
    "host.relays": (
        "each relay that mail of the node's tenants leaves through can be reached, shows a valid"
        " certificate and takes the login; `na` if no tenant uses one"
    ),
    "host.outbound": (
        "the host has each address that a tenant's mail leaves from; `na` if no tenant has its own"
    ),
    "host.firewall": (
        "the nftables table with bans and connection limits is loaded ([abuse](abuse.md))"
    ),
    "host.bans": (
        "fail2ban and the login limit run, and the kernel refuses every network that is banned; it"
        " names them; `na` if `firewall_bans` is off"
    ),
    "host.backup": (
        "the last [backup](backup.md) was complete and is at most 26 hours old"
        " (`verify_host_backup_age`), and the last check found no damage in the repository; `na` if"
        " `backup_repository` is not set"
    ),
    "host.retained": (
        "mail and passwords of mailboxes that left the files are kept until their time is over, and"
        " deleted then, or are the copy of a tenant that [moved](moving.md); it names the tenants,"
        " with size and end; `na` if there are none"
        " ([termination](termination.md))"
    ),
    "host.orphans": (
        "the host has no mail and no passwords that no file of the estate knows and that are not"
        " retained; `warn` names them, with size and age"
    ),
    "host.units": "no other unit of the host has failed; `warn` if one has",
}
"""What each finding about a host verifies. A finding may be the cause of those after it."""

_SMTP = ("host.postfix", "host.guard", "host.opendkim", "host.filter")
_STORE = ("host.dovecot", "host.generation", "host.disk")
_MILTERS = {
    "guard/": "host.guard",
    "/run/reseller-mail-sending-limit.": "host.sending_limit",
    "rspamd/": "host.filter",
    "/run/clamav/": "host.antivirus",
    "opendkim/rsa.": "host.opendkim",
    "opendkim/ed25519.": "host.opendkim_ed25519",
    "opendkim/node.": "host.opendkim_node",
}
_FILTER_DOWN = {
    "tempfail": "without rspamd, mail is deferred",
    "accept": "without rspamd, mail is accepted and not filtered",
}
"""What becomes of mail, by what Postfix does if the filter does not answer."""
_NOT_SCANNED = {
    "defer": "mail with attachments is deferred",
    "accept": "mail with attachments is accepted and not scanned",
}
"""What becomes of mail while clamd does not answer, by ``filter_antivirus_when_down``."""
_DOVECOT = ("private/auth", "private/dovecot-lmtp", "private/quota-status")

NEEDS: t.Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "quota.limit": (("host.reached", "host.dovecot", "host.generation"), ()),
    "quota.usage": (("host.reached", "host.dovecot", "host.generation"), ()),
    "quota.disk": (("host.reached", "host.dovecot", "host.generation"), ()),
    "access.imap": (("host.dovecot",), ()),
    "access.pop3": (("host.dovecot",), ()),
    "access.sieve": (("host.dovecot",), ()),
    "access.submission": ((*_SMTP, "host.dovecot"), ()),
    "access.submissions": ((*_SMTP, "host.dovecot"), ()),
    "access.plaintext_refused": ((*_SMTP, "host.dovecot"), ()),
    "mail.port": (("host.postfix",), ()),
    "mail.tls": (_SMTP, ()),
    "mail.ciphers": (_SMTP, ()),
    "mail.dane": (_SMTP, ()),
    "mail.relay_refused": (_SMTP, ()),
    "mail.spam": ((*_SMTP, *_STORE), ()),
    "mail.forged": ((*_SMTP, *_STORE), ()),
    "mail.unknown_refused": ((*_SMTP, "host.generation", "host.disk"), ()),
    "mail.backup": (
        (*_SMTP, "host.generation"),
        (*_SMTP, "host.generation", "host.disk", "mail.port"),
    ),
    "mail.postmaster": ((*_SMTP, "host.generation", "mail.port"), ()),
    "mail.submit": ((*_SMTP, "host.sending_limit", *_STORE), ()),
    "mail.fetch": (("host.dovecot", "host.generation"), ()),
    "mail.login_name": ((*_SMTP, "host.sending_limit", "host.dovecot", "host.generation"), ()),
    "mail.deliver": (
        (*_SMTP, *_STORE, "host.clock", "host.queue"),
        (*_SMTP, *_STORE, "host.clock", "host.queue", "mail.port"),
    ),
    "mail.dkim": ((*_SMTP, *_STORE, "host.opendkim_ed25519", "host.clock", "host.queue"), ()),
    "dns.mta_sts_policy": (("host.nginx", "host.generation"), ()),
    "dns.settings": (("host.nginx", "host.generation"), ()),
}
"""By finding, also for all ids that begin with it and ``_``: what it needs of the subject's host,
and what it needs of the recipient's host."""
_CAUSES = (*CATALOGUE, "mail.port")
"""The findings that may block others, the first cause first."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a host: percent of space and inodes, messages, minutes, seconds, days,
    hours."""

    disk_warn: int = 10
    disk_fail: int = 5
    queue_length: int = 1000
    queue_age: int = 60
    clock_skew: int = 60
    antivirus_age: int = 7
    backup_age: int = 26


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one question: a finding without its id and subject."""

    state: str
    expected: str
    found: str
    remedy: str = ""


def wants_ed25519(estate: Estate, node: Node) -> bool:
    """Return whether a domain of the node is signed with Ed25519."""
    return any("ed25519" in algorithms for algorithms in algorithms_of(estate, node).values())


def unreached(host: str, why: str) -> list[Finding]:
    """Return the findings about a host that could not be asked."""
    first = Finding(
        "host.reached",
        host,
        "fail",
        "SSH takes the controller's login, and the host's facts can be read",
        why,
        f"look at {host}: power, network, SSH, Python",
    )
    return [
        first,
        *(
            Finding(id_, host, "blocked", "", "not asked: host.reached failed")
            for id_ in CATALOGUE
            if id_ != "host.reached"
        ),
    ]


def judge(
    facts: Facts, host: str, debian: int, ed25519: bool, limits: Limits, skew: t.Optional[float]
) -> list[Finding]:
    """Return the findings about one host, in the catalogue's order.

    ``skew`` is the difference of its clock in seconds; None if it was not measured.
    """
    answers = {
        "host.reached": Answer(
            "ok", "SSH takes the controller's login, and the host's facts can be read", "asked"
        ),
        "host.generation": _generation(facts["generation"]),
        "host.disk": _disk(facts, limits),
        "host.clock": _clock(skew, limits),
        "host.guard": _service(facts, "host.guard", ("reseller-mail-guard.service",)),
        "host.sending_limit": _service(
            facts, "host.sending_limit", ("reseller-mail-sending-limit.service",)
        ),
        "host.sending_refused": _refused(facts["sending"], host),
        "host.opendkim": _opendkim(facts, "host.opendkim", "opendkim@rsa.service", host),
        "host.opendkim_ed25519": (
            _opendkim(facts, "host.opendkim_ed25519", "opendkim@ed25519.service", host)
            if ed25519
            else Answer("na", "", "no domain of the node is signed with Ed25519")
        ),
        "host.opendkim_node": _opendkim(facts, "host.opendkim_node", "opendkim@node.service", host),
        "host.filter": _filter(facts),
        "host.antivirus_database": _antivirus_database(facts, limits),
        "host.antivirus": _antivirus(facts, host),
        "host.dovecot": _service(facts, "host.dovecot", ("dovecot.service",)),
        "host.postfix": _service(
            facts,
            "host.postfix",
            ("postfix.service", "postfix@-.service") if debian < 13 else ("postfix.service",),
        ),
        "host.nginx": _nginx(facts),
        "host.timers": _timers(facts),
        "host.queue": _queue(facts["queue"], limits),
        "host.srs": _service(facts, "host.srs", ("postsrsd.service",)),
        "host.relays": _relays(facts),
        "host.outbound": _outbound(facts),
        "host.firewall": _firewall(facts),
        "host.bans": _bans(facts),
        "host.backup": _backup(facts, limits),
        "host.retained": _retained(facts),
        "host.orphans": _orphans(facts),
        "host.units": _units(facts),
    }
    return [
        Finding(id_, host, one.state, one.expected, one.found, one.remedy)
        for id_, one in answers.items()
    ]


def _generation(found: Facts) -> Answer:
    """Return the answer about the generation in service."""
    expected = "one generation is current, active and as it was installed"
    again = "converge the host: ansible-playbook reseller.mail.site"
    current, activated = found["current"], found["activated"]
    if found["error"]:
        return Answer("fail", expected, str(found["error"]), again)
    if not current:
        return Answer("fail", expected, "none is current", again)
    if current != activated:
        return Answer(
            "fail",
            expected,
            f"{current} is current, but the daemons use {activated or 'none'}",
            again,
        )
    if found["drift"]:
        many = len(found["drift"])
        shown = "; ".join(found["drift"][:3])
        return Answer(
            "fail",
            expected,
            f"of {current} {many} file{'s differ' if many > 1 else ' differs'} from what was"
            f" installed: {shown}",
            f"find out who edited it, then {again}",
        )
    return Answer("ok", expected, current)


def _percent(free: int, size: int) -> int:
    """Return what is free in percent; 100 for a file system without a size."""
    return free * 100 // size if size else 100


def _disk(facts: Facts, limits: Limits) -> Answer:
    """Return the answer about the file systems, each named by the mail host's folders on it."""
    expected = f"{limits.disk_warn} % of space and inodes are free"
    devices: dict[int, dict[str, t.Any]] = {}
    for one in facts["filesystems"]:
        devices.setdefault(one["device"], {**one, "paths": []})["paths"].append(one["path"])
    failed, short, well = [], [], []
    for one in devices.values():
        space, inodes = (
            _percent(one["free"], one["size"]),
            _percent(one["inodes_free"], one["inodes"]),
        )
        where = ", ".join(one["paths"])
        text = f"{where}: {rounded(one['free'])} ({space} %) and {inodes} % of the inodes are free"
        if facts["queue_folder"] in one["paths"] and one["free"] < facts["queue_minimum"]:
            failed.append(f"{text}; Postfix refuses mail below {rounded(facts['queue_minimum'])}")
        elif min(space, inodes) < limits.disk_fail:
            failed.append(text)
        elif min(space, inodes) < limits.disk_warn:
            short.append(text)
        else:
            well.append(f"{where}: {space} %")
    if failed or short:
        return Answer(
            "fail" if failed else "warn",
            expected,
            "; ".join(failed or short),
            "make room: du -xsh there, or a larger file system",
        )
    return Answer("ok", expected, "; ".join(well))


def _clock(skew: t.Optional[float], limits: Limits) -> Answer:
    """Return the answer about the clock."""
    expected = f"within {limits.clock_skew} s of the controller's clock"
    if skew is None:
        return Answer("na", expected, "not measured")
    if abs(skew) > limits.clock_skew:
        return Answer(
            "fail",
            expected,
            f"{abs(skew):.0f} s {'ahead' if skew > 0 else 'behind'}",
            "timedatectl status; systemctl status systemd-timesyncd (or chrony); look at the"
            " controller's clock as well",
        )
    return Answer("ok", expected, f"{abs(skew):.0f} s apart")


def _owner(path: str, queue: str) -> str:
    """Return the id of the finding to which a socket belongs."""
    name = path.removeprefix(f"{queue}/")
    if name in _DOVECOT:
        return "host.dovecot"
    return next((id_ for start, id_ in _MILTERS.items() if name.startswith(start)), "host.postfix")


def _is_active(unit: Facts) -> bool:
    """Return whether a unit runs."""
    return unit["active"] in ("active", "reloading")


def _service(facts: Facts, id_: str, units: t.Sequence[str]) -> Answer:
    """Return the answer about units that must run, and the finding's sockets, which must answer."""
    sockets = [one for one in facts["sockets"] if _owner(one["path"], facts["queue_folder"]) == id_]
    run = "run" if len(units) > 1 else "runs"
    answer = f", {len(sockets)} sockets answer" if sockets else ""
    expected = f"{' and '.join(units)} {run}{answer}"
    down = [(name, facts["units"].get(name, {"load": "", "active": ""})) for name in units]
    wrong = [
        f"{name} is {unit['active'] if unit['load'] == 'loaded' else 'not installed'}"
        for name, unit in down
        if not _is_active(unit)
    ]
    names = " ".join(units)
    silent = [f"{one['path']} {one['error']}" for one in sockets if one["error"]]
    if wrong:
        return Answer(
            "fail",
            expected,
            "; ".join([*wrong, *silent]),
            f"systemctl status {names}; systemctl start {names}",
        )
    if silent:
        return Answer(
            "fail",
            expected,
            "; ".join(silent),
            f"journalctl -u {units[-1]}; systemctl restart {units[-1]}",
        )
    return Answer("ok", expected, "active")


def _refused(sending: Facts, host: str) -> Answer:
    """Return the answer about limits of sending that refused mail in the last hour."""
    expected = "no limit of sending refused mail in the last hour"
    if sending["error"]:
        return Answer(
            "blocked", expected, f"not verified: host.sending_limit of {host}: {sending['error']}"
        )
    rows = sending["refused"]
    if not rows:
        return Answer("ok", expected, "none")
    more = f"; {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
    return Answer(
        "warn",
        expected,
        "; ".join(refusal_text(row) for row in rows[:SHOWN]) + more,
        "ask the user whether these messages are theirs; if not, somebody has the password: suspend"
        " the mailbox and set a new password",
    )


SHOWN = 5
"""How many refusals or bans a finding shows."""


def refusal_text(row: Facts) -> str:
    """Return one refusal of the sending limits in words: who, how much, and until when."""
    if row["kind"] == "recipients":
        text = f"a message had {row['used']} recipients, {row['allowed']} are allowed"
    else:
        text = (
            f"{row['kind']} {row['name']} sent {row['used']} messages in an hour, {row['allowed']}"
            " are allowed"
        )
    again = f", sending works again at {row['again']}" if row["again"] else ""
    return f"{row['login']}: {text}, refused {row['times']} times, last at {row['at']}{again}"


def _filter(facts: Facts) -> Answer:
    """Return the answer about the filter, and what becomes of mail while it does not answer."""
    if not facts["filter_down"]:
        return Answer("na", "", "the filter is off (mail_filter)")
    answer = _service(
        facts, "host.filter", ("redis-server@reseller-mail.service", "rspamd.service")
    )
    if answer.state == "ok":
        return answer
    return replace(answer, found=f"{answer.found}; {_FILTER_DOWN[facts['filter_down']]}")


_ANTIVIRUS_OFF = Answer("na", "", "the virus scanner is off (filter_antivirus)")


def _has_antivirus(facts: Facts) -> bool:
    """Return whether the host scans for viruses; without the filter its settings mean nothing."""
    return bool(facts["filter_down"] and facts["antivirus"]["when_down"])


def _antivirus_database(facts: Facts, limits: Limits) -> Answer:
    """Return the answer about the virus database and its age."""
    if not _has_antivirus(facts):
        return _ANTIVIRUS_OFF
    scanner = facts["antivirus"]
    expected = f"a virus database that is at most {limits.antivirus_age} days old"
    remedy = "journalctl -u clamav-freshclam says why it is not updated: the mirror, DNS, a proxy"
    if scanner["database"] is None:
        found = f"there is none, so clamd cannot start; {_NOT_SCANNED[scanner['when_down']]}"
        return Answer("fail", expected, found, remedy)
    days = (facts["now"] - scanner["database"]) / 86400
    if days > limits.antivirus_age:
        return Answer("warn", expected, f"{days:.0f} days old", remedy)
    return Answer("ok", expected, f"{max(days, 0):.0f} days old")


def _antivirus(facts: Facts, host: str) -> Answer:
    """Return the answer about the virus scanner, and what becomes of mail while it is down."""
    if not _has_antivirus(facts):
        return _ANTIVIRUS_OFF
    scanner = facts["antivirus"]
    units = ("clamav-freshclam.service", "clamav-daemon.service")
    answer = _service(facts, "host.antivirus", units)
    if answer.state == "ok":
        return answer
    if scanner["database"] is None:
        cause = f"not verified: host.antivirus_database of {host} failed"
        return Answer("blocked", answer.expected, cause)
    if "clamav-daemon.service" in answer.found or "clamd.ctl" in answer.found:
        return replace(answer, found=f"{answer.found}; {_NOT_SCANNED[scanner['when_down']]}")
    return answer


def _opendkim(facts: Facts, id_: str, unit: str, host: str) -> Answer:
    """Return the answer about an instance of OpenDKIM, which cannot start without a generation."""
    answer = _service(facts, id_, (unit,))
    if answer.state == "fail" and not facts["generation"]["current"]:
        return Answer("blocked", answer.expected, f"not verified: host.generation of {host} failed")
    return answer


def _nginx(facts: Facts) -> Answer:
    """Return the answer about nginx."""
    unit = facts["units"].get("nginx.service", {"load": "", "enabled": ""})
    if unit["load"] != "loaded" or unit["enabled"] != "enabled":
        return Answer("na", "nginx.service runs", "it is not enabled here")
    return _service(facts, "host.nginx", ("nginx.service",))


def _timers(facts: Facts) -> Answer:
    """Return the answer about the timers and paths of this collection."""
    idle = [name for name in facts["watched"] if not _is_active(facts["units"][name])]
    expected = "every enabled timer and path is active"
    if idle:
        return Answer(
            "fail", expected, f"not active: {', '.join(idle)}", f"systemctl start {' '.join(idle)}"
        )
    return Answer("ok", expected, ", ".join(facts["watched"]) or "none is enabled")


def _minutes(seconds: float) -> str:
    """Return a time in minutes, from two hours on in hours."""
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"


def _queue(queue: Facts, limits: Limits) -> Answer:
    """Return the answer about Postfix's queue."""
    expected = (
        f"at most {limits.queue_length} messages, none older than {limits.queue_age} min before its"
        " first attempt"
    )
    if queue["error"]:
        return Answer("fail", expected, str(queue["error"]), "look at Postfix: postqueue -p")
    held = f", {queue['held']} on hold" if queue["held"] else ""
    age = f", the oldest for {_minutes(queue['oldest'])}" if queue["messages"] else ""
    text = f"{queue['messages']} messages{age}{held}"
    if queue["oldest_new"] > limits.queue_age * 60:
        return Answer(
            "fail",
            expected,
            f"{text}; one has waited {_minutes(queue['oldest_new'])} for its first attempt",
            "look at the log of qmgr and of the transport that it waits for: qshape active;"
            " journalctl -t postfix/qmgr",
        )
    if queue["messages"] > limits.queue_length:
        return Answer(
            "fail",
            expected,
            text,
            "find their senders and recipients: qshape deferred; qshape -s deferred; postqueue -p",
        )
    return Answer("ok", expected, text)


def _relays(facts: Facts) -> Answer:
    """Return the answer about the relays of tenants."""
    return _ways(
        [one for one in facts["ways"] if one["kind"] == "relay"],
        "each relay in use takes a connection with verified TLS, and the login",
        "no tenant's mail leaves through a relay",
        "mail for it waits in the queue: ask its operator, or correct the relay in estate.yml"
        " and postfix_relay_passwords, then: ansible-playbook reseller.mail.site",
    )


def _outbound(facts: Facts) -> Answer:
    """Return the answer about the addresses that single tenants' mail leaves from."""
    return _ways(
        [one for one in facts["ways"] if one["kind"] == "address"],
        "the host has each outbound address in use",
        "no tenant has an address of its own",
        "mail of its tenants waits in the queue: give the host the address (ip address show),"
        " or remove it from estate.yml; then: ansible-playbook reseller.mail.site",
    )


def _ways(rows: t.Sequence[Facts], expected: str, none: str, remedy: str) -> Answer:
    """Return the answer about ways that mail leaves by; ``none`` says that there are none."""
    if not rows:
        return Answer("na", expected, none)
    wrong = [f"{one['name']}: {one['error']}" for one in rows if one["error"]]
    if wrong:
        return Answer("fail", expected, "; ".join(wrong), remedy)
    return Answer("ok", expected, ", ".join(one["name"] for one in rows))


def _retained(facts: Facts) -> Answer:
    """Return the answer about mail that is kept of mailboxes that left the files."""
    expected = "what left the files is kept until its time is over"
    found = facts["retention"]
    if found["error"]:
        return Answer(
            "fail", expected, str(found["error"]), "look at the folder of all mail on the host"
        )
    if not found["kept"]:
        return Answer("na", expected, "nothing is kept")
    wrong = [one for row in found["kept"] for one in row["wrong"]]
    if wrong:
        return Answer(
            "fail",
            expected,
            "; ".join(wrong[:SHOWN]),
            "journalctl -u reseller-mail-retention; systemctl start reseller-mail-retention",
        )
    texts = [kept_text(row) for row in found["kept"]]
    more = f"; {len(texts) - SHOWN} more tenants" if len(texts) > SHOWN else ""
    return Answer("ok", expected, "; ".join(texts[:SHOWN]) + more)


def kept_text(row: Facts) -> str:
    """Return in words what a host keeps of a tenant, and until when."""
    first, last = (str(row[end]).partition("T")[0] for end in ("first", "last"))
    ends = [
        f"until {first}" if first == last else f"the first until {first}, the last until {last}"
    ]
    if not first:
        ends = []
    if row.get("moved"):
        ends.append(f"{row['moved']} of them a copy of a tenant that moved, until you delete it")
    end = ", ".join(ends)
    boxes = "1 mailbox" if row["mailboxes"] == 1 else f"{row['mailboxes']} mailboxes"
    tenant = "a former tenant" if row["tenant"] == "_" else f"tenant {row['tenant']}"
    return f"{boxes} of {tenant}, {rounded(row['bytes'])}, {end}"


def _orphans(facts: Facts) -> Answer:
    """Return the answer about mail and passwords that no file and no manifest knows."""
    expected = "each home and each password belongs to a mailbox of the files, or is retained"
    found = facts["retention"]
    if found["error"]:
        return Answer("blocked", expected, "not verified: host.retained failed")
    orphans = found["orphans"]
    texts = []
    if orphans["mail"]:
        least = "" if orphans["whole"] else "at least "
        rows = [_orphan(row) for row in orphans["shown"][:SHOWN]]
        texts.append(
            f"mail: {orphans['mail']}, {least}{rounded(orphans['bytes'])}: {', '.join(rows)}"
        )
    if orphans["passwords"]:
        names = ", ".join(orphans["shown_passwords"][:SHOWN])
        texts.append(f"passwords: {orphans['passwords']}: {names}")
    if not texts:
        return Answer("ok", expected, "no others")
    return Answer(
        "warn",
        expected,
        "; ".join(texts),
        "write the mailbox into the files again, or remove what is not needed: docs/termination.md,"
        " Orphans",
    )


def _orphan(row: Facts) -> str:
    """Return a home that no file knows, with its size and age."""
    least = "" if row["whole"] else "at least "
    return f"{row['path']} ({least}{rounded(row['bytes'])}, {row['days']} days)"


def _firewall(facts: Facts) -> Answer:
    """Return the answer about the table with bans and connection limits."""
    unit = "reseller-mail-firewall.service"
    answer = _service(facts, "host.firewall", (unit,))
    missing = facts["firewall"]["table"]
    if not missing:
        return answer
    found = missing if answer.state == "ok" else f"{answer.found}; {missing}"
    return Answer("fail", answer.expected, found, f"systemctl restart {unit}")


def _bans(facts: Facts) -> Answer:
    """Return the answer about fail2ban, and about the networks that are banned."""
    found = facts["firewall"]
    if not found["wanted"]:
        return Answer("na", "", "firewall_bans is off")
    answer = _service(facts, "host.bans", ("reseller-mail-login-limit.service", "fail2ban.service"))
    if answer.state != "ok":
        return answer
    if found["table"] and not found["fail2ban"]:
        return Answer("blocked", answer.expected, "not verified: host.firewall failed")
    if found["fail2ban"] or found["open"]:
        return Answer(
            "fail",
            answer.expected,
            found["fail2ban"] or f"banned, but not refused: {_shown(found['open'])}",
            "systemctl restart reseller-mail-firewall.service fail2ban.service",
        )
    return Answer("ok", answer.expected, _banned(found["bans"]))


def _banned(bans: t.Sequence[Facts]) -> str:
    """Return how many networks are banned, and which."""
    networks = sorted({one["network"] for one in bans})
    return f"{len(networks)} banned: {_shown(networks)}" if networks else "none is banned"


def _shown(names: t.Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


_BACKUP = "reseller-mail-backup.service"


def _backup(facts: Facts, limits: Limits) -> Answer:
    """Return the answer about the last backup and the last check of the repository."""
    found = facts["backup"]
    expected = (
        f"a complete backup at most {limits.backup_age} h old, in a repository without damage"
    )
    if not found["wanted"]:
        return Answer("na", expected, "this host makes no backups (backup_repository)")
    if found["check_failure"]:
        return Answer(
            "fail",
            expected,
            f"the check of the repository failed: {found['check_failure']}",
            "mail-backup check; if the repository is damaged: docs/backup.md says what to do",
        )
    newest = f"the newest is {found['snapshot']} of {found['succeeded']}"
    if found["failure"]:
        what = f"the backup of {found['tried']} failed: {found['failure']}"
        shown = f"{what}; {newest if found['succeeded'] else 'there is none'}"
        return Answer("fail", expected, shown, f"put that right, then systemctl start {_BACKUP}")
    state = facts["units"].get(_BACKUP, {"active": ""})["active"]
    if state == "failed":
        return Answer("fail", expected, f"{_BACKUP} has failed", f"journalctl -u {_BACKUP}")
    if not found["succeeded"]:
        if state == "activating":
            return Answer("warn", expected, "the first backup is being made")
        return Answer("fail", expected, "there is none", f"systemctl start {_BACKUP}")
    hours = found["age"] / 3600
    if hours > limits.backup_age:
        return Answer("fail", expected, f"{newest}, {hours:.0f} h ago", f"journalctl -u {_BACKUP}")
    return Answer("ok", expected, f"{found['snapshot']} of {found['succeeded']}")


def _units(facts: Facts) -> Answer:
    """Return the answer about failed units that belong to no other finding."""
    others = [name for name in facts["failed"] if name not in facts["units"]]
    if others:
        return Answer(
            "warn", "no unit has failed", ", ".join(others), f"systemctl status {' '.join(others)}"
        )
    return Answer("ok", "no unit has failed", "no other unit")


def _needs(id_: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what a finding needs of the subject's host, and of the recipient's host."""
    return next(
        (
            needs
            for group, needs in NEEDS.items()
            if id_ == group or (id_.startswith(f"{group}_") and id_ not in CATALOGUE)
        ),
        ((), ()),
    )


def settled(findings: t.Iterable[Finding], homes: t.Mapping[str, str]) -> list[Finding]:
    """Return the findings, ``blocked`` if a failure on a host that they need is the cause.

    A finding that is ``ok`` stays ``ok``. ``homes`` has the host of each host name, domain and
    domain alias.
    """
    findings = list(findings)
    failed = {
        (one.id, one.subject) for one in findings if one.id in _CAUSES and one.state == "fail"
    }
    return [_settled(one, failed, homes) for one in findings]


def _settled(
    finding: Finding, failed: t.Container[tuple[str, str]], homes: t.Mapping[str, str]
) -> Finding:
    """Return the finding, ``blocked`` if something that it needs is among ``failed``."""
    if finding.state not in ("fail", "warn", "blocked"):
        return finding
    causes = []
    for name, needs in zip(finding.subject.split(" → "), _needs(finding.id), strict=False):
        host = homes.get(name) or homes.get(name.rpartition("@")[2], "")
        causes += [f"{id_} of {host}" for id_ in _CAUSES if id_ in needs and (id_, host) in failed]
    if not causes:
        return finding
    return replace(
        finding,
        state="blocked",
        found=f"not verified: {', '.join(dict.fromkeys(causes))} failed",
        remedy="",
    )


def as_markdown() -> str:
    """Return the table of docs/findings.md about hosts."""
    return (
        "\n".join(
            [
                "| id | what it verifies |",
                "|---|---|",
                *(f"| `{id_}` | {asks} |" for id_, asks in CATALOGUE.items()),
            ]
        )
        + "\n"
    )


def skew(now: float, begun: float, ended: float) -> float:
    """Return by how many seconds a clock is wrong at least that was read between two times."""
    return now - ended if now > ended else now - begun if now < begun else 0.0
